/**
 * What flags name that must be there before a server starts.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../../src/base/advised_error.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { FileError } from "../../../src/base/private_file.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { fullId, shortId, spokenId } from "../../../src/crypto/person_id.ts";
import { positionFile } from "../../../src/server/cluster/position.ts";
import { FLAGS } from "../../../src/server/flags.ts";
import { People } from "../../../src/server/people/people.ts";
import { makeOperator, prepare } from "../../../src/server/prepare.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUpPerson, newIdentity, openPeople } from "../../kit/people.ts";

/** Looks at what the flags of a server name that has its files in a folder. */
function prepared(folder: Folder, ...more: string[]) {
  const files = ["log", "people"].map((name) =>
    `--${name}=${folder.file(`chat.${name}`)}`
  );
  const args = [...files, ...more];
  return prepare(parseFlags(args, FLAGS, { positionals: 0 }).values);
}

const identity = await newIdentity();
const ID = fullId(identity.id);
const ANA = shortId(ID);

/** Has somebody been in the room. */
function enrolAna(folder: Folder): void {
  using people = openPeople(folder.file("chat.people"));
  const key = toBase64url(identity.keyPair.publicKey);
  const card = toBase64url(identity.card);
  people.enrol({ id: ID, key, card, invite: 0 }, 0, 0);
  people.journal.keep();
}

/** Asserts that nobody of that id has been there. */
async function assertNobody(looking: Promise<unknown>, id: string) {
  const error = await assertRejects(() => looking, AdvisedError);
  const { message, advice } = error as AdvisedError;
  assertEquals([message, advice], [
    `Nobody of the id "${id}" has been in the room`,
    "/who in a client shows the ids",
  ]);
}

Deno.test("prepare() tells the largest file and the message of the day, and makes nothing", async () => {
  await using folder = await Folder.make();
  const limits = { kind: "limits", fileSize: 2 * 1_048_576 } as const;
  assertEquals(await prepared(folder, "--max-file=2"), [limits]);
  assertEquals(await folder.names(), []);
  const motd = await folder.write("motd", "Be kind.\n");
  const args = [
    "--max-file=2",
    "--motd",
    motd,
    "--keep=30d",
    "--archive",
    folder.path,
  ];
  assertEquals(await prepared(folder, ...args), [
    limits,
    { kind: "motd", text: "Be kind." },
  ]);
  assertEquals(await folder.names(), ["motd"]);
});

Deno.test("prepare() refuses what isn't there, doesn't fit, or is another kind of room's", async () => {
  await using folder = await Folder.make();
  const none = folder.file("none");
  await assertRejects(() => prepared(folder, "--motd", none), FileError, none);
  const error = await assertRejects(
    () => prepared(folder, "--keep=30d", "--archive", `${none}/deep`),
    FileError,
  );
  assertEquals(
    error.message,
    `Cannot write to the folder "${none}/deep": there is no such file or folder`,
  );
  await assertRejects(
    () => prepared(folder, "--web-url=https://a"),
    UsageError,
    "--web-url needs --web",
  );
  await assertRejects(
    () => prepared(folder, "--sealed", "--invite-only"),
    AdvisedError,
    "--invite-only is for open rooms",
  );
  await assertRejects(
    () => prepared(folder, "--rate=1", "--keep=x"),
    UsageError,
    "--keep",
  );
});

Deno.test("prepare() refuses a server alone where the room is shared, and not one that shares it", async () => {
  await using folder = await Folder.make();
  const path = positionFile(folder.file("chat.log"));
  await Deno.writeTextFile(path, "");
  const error = await assertRejects(() => prepared(folder), AdvisedError);
  const { message, advice } = error as AdvisedError;
  assertEquals([message, advice], [
    `The room here is shared with other servers: there is a ${path}`,
    "Start it with --nats; or, for a server that goes on alone, remove that file first",
  ]);
  assertEquals((await prepared(folder, "--nats=nats://a")).length, 1);
});

Deno.test("prepare() looks whether the operator to be has been in the room, and leaves the people as they are", async () => {
  await using folder = await Folder.make();
  const operator = ["--operator", ANA];
  await assertNobody(prepared(folder, ...operator), ANA);
  assertEquals(await folder.names(), []);
  enrolAna(folder);
  const path = folder.file("chat.people");
  const text = await Deno.readTextFile(path) + "broken off";
  await Deno.writeTextFile(path, text);
  assertEquals((await prepared(folder, ...operator)).length, 1);
  assertEquals(await Deno.readTextFile(path), text);
  const ben = madeUpPerson("ben");
  await assertNobody(prepared(folder, "--operator", ben), ben);
});

Deno.test("makeOperator() makes somebody one for good, and nobody of an id that is nobody's", async () => {
  await using folder = await Folder.make();
  enrolAna(folder);
  const path = folder.file("chat.people");
  {
    using people = People.open(path);
    const told = makeOperator(people, ANA);
    assertEquals(told, `${spokenId(ANA)} is an operator`);
    await assertNobody(
      Promise.resolve().then(() => makeOperator(people, "nobody")),
      "nobody",
    );
    assertThrows(() => makeOperator(people, ""), AdvisedError);
  }
  using again = People.open(path, { mend: false });
  assert(again.persons.byShort(ANA)?.isOperator);
});
