/**
 * With what a sealed room's log is opened: whose keys, of which room, and up to where.
 *
 * @module
 */

import { sha256 } from "../../../../crypto_utils.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { IdentityFile } from "../../../../src/keys/identity.ts";
import { formatInvite } from "../../../../src/keys/invite.ts";
import { sealBlob } from "../../../../src/sealed/content_key.ts";
import { log } from "../../../../src/server/log_command.ts";
import { openKey } from "../../../../src/server/reading/log_key.ts";
import type { Kept } from "../../../../src/server/sealed/control_file.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { Folder } from "../../../kit/folder.ts";
import { printed } from "../../../kit/printed.ts";
import { type OpenInvite, SealedServer } from "../../../kit/sealed_members.ts";
import { somebody } from "../../../kit/sealed_room.ts";

/** The `chat.control` of a room, and the identities of those who were in it. */
class Left implements AsyncDisposable {
  private constructor(
    readonly folder: Folder,
    /** What the file says. */
    readonly kept: readonly Kept[],
    /** What it said before cleo was removed. */
    readonly before: readonly Kept[],
    /** One that is open, and one that is used up. */
    readonly invites: readonly [OpenInvite, OpenInvite],
  ) {}

  /** A room of ana, of ben, who lacks the last key, and of cleo, who was removed. */
  static async make(): Promise<Left> {
    const [server, ana] = await SealedServer.founded();
    await using _server = server;
    const { room } = server;
    const ben = await server.bring(ana, "ben");
    const used = await server.invite(ana);
    const cleo = await server.enter(used, "cleo");
    await server.rekey(ana);
    const before = room.state();
    await server.rekey(
      ana,
      { removed: [cleo.who.full] },
      (id) => id !== ben.who.full,
    );
    const open = await server.invite(ana);
    const folder = await Folder.make();
    for (const name of ["ana", "ben", "cleo", "eve"]) {
      const seed = sha256(utf8(name));
      const { path } = await IdentityFile.create(folder.path, seed);
      await Deno.rename(path, folder.file(name));
    }
    const left = new Left(folder, room.state(), before, [open, used]);
    left.put(...left.kept);
    return left;
  }

  get control(): string {
    return this.folder.file("chat.control");
  }

  /** Has the file say something else. */
  put(...kept: readonly Kept[]): void {
    using file = LineFile.open<Kept>(this.control);
    file.rewrite(kept);
  }

  /** What a key opens: up to which epoch, for whom, and what not. */
  async opens(key: string): Promise<[number, string | undefined, string]> {
    const { keys, person, limits } = await openKey(key, this.control);
    return [keys.highest, person, limits];
  }

  /** Why a key opens nothing, and what is advised. */
  async refused(key: string): Promise<string[]> {
    const open = () => openKey(key, this.control);
    const { message, advice } = await assertRejects(open, AdvisedError);
    return [message, advice].map((it) =>
      it.replaceAll(this.folder.path, "DIR")
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.folder[Symbol.asyncDispose]();
  }
}

function linkTo({ number: id, secret }: Pick<OpenInvite, "number" | "secret">) {
  const place = { host: "chat.example", port: 5000 };
  return formatInvite({ ...place, serverKey: new Uint8Array(32), id, secret });
}

const left = await Left.make();
const { folder, kept, before, invites: [open, used] } = left;
const file = (name: string) => folder.file(name);

Deno.test("a log is opened with a member's identity, and with an open link, however that is quoted", async () => {
  const { short } = await somebody("ana");
  assertEquals(await left.opens(file("ana")), [2, short, ""]);
  const link = linkTo(open);
  const quoted = [link, `"${link}"`, `  '${link}'`, `<${link}>`];
  for (const it of [...quoted, link.replace("chat:", "CHAT:")]) {
    assertEquals(await left.opens(it), [2, undefined, ""]);
  }
});

Deno.test("it is said from where on a log can't be read by somebody's key, and why", async () => {
  const start = kept.findLast((it) =>
    it.kind === "ruled" && it.entry.text.startsWith("keys ")
  );
  assert(start?.kind === "ruled");
  const from = `Lines from ${start.entry.seq + 1} on are sealed for members`;
  const { short } = await somebody("ben");
  assertEquals(await left.opens(file("ben")), [
    1,
    short,
    `${from}: chat.control has no later key for it`,
  ]);
  // A file that couldn't be written anew has the keys of who was removed.
  left.put(...before, ...kept.filter(({ kind }) => kind === "ruled").slice(-2));
  const empty = await folder.write("chat.log", "");
  const args = ["--key", file("cleo"), "--control", left.control, empty];
  const { stderr } = await printed(() => log(args));
  assertEquals(stderr, `${from}: that identity was removed from the room\n`);
  assertEquals((await left.opens(file("cleo"))).slice(0, 1), [1]);
  assertEquals(
    (await left.opens(file("cleo"))).at(-1),
    `${from}: that identity was removed from the room`,
  );
  left.put(...kept);
});

Deno.test("a key that opens nothing is refused with what to do", async () => {
  const members =
    "It is no member of the room, or was removed: take another's, or a link that is open";
  const none = "Cannot open the log: DIR/chat.control has no key for that";
  for (const name of ["cleo", "eve"]) {
    assertEquals(await left.refused(file(name)), [`${none} identity`, members]);
  }
  assertEquals(await left.refused(linkTo(used)), [
    `${none} link`,
    "Links that are used up or have ended are forgotten: take the identity of a member",
  ]);
  assertEquals(await left.refused(file("nobody")), [
    "Cannot open the log: there is no identity at DIR/nobody",
    "Give the file of a member's identity, or a link of the room in quotes",
  ]);
  assertEquals(
    (await left.refused(file("a chat:b")))[0],
    "Cannot open the log: there is no identity at DIR/a chat:b",
  );
  assertEquals(await left.refused(linkTo({ ...open, number: 7 })), [
    "Cannot open the log: that link is not of a sealed room",
    "Take the identity of a member, or a link that a keeper made",
  ]);
});

Deno.test("a link that is none is refused as one", async () => {
  await assertRejects(
    () => openKey("chat://x:1/#AAAA", left.control),
    SyntaxError,
    "Cannot read the invite: what follows the # is too short",
  );
});

Deno.test("a file without a room, or with lines that can't be, is refused", async () => {
  left.put();
  assertEquals(await left.refused(file("ana")), [
    "Cannot open the log: DIR/chat.control is missing, or its room is not founded",
    "It is beside the server's log, and has the room's keys, sealed: name it by --control FILE",
  ]);
  const missing = () => openKey(file("ana"), file("none.control"));
  await assertRejects(missing, AdvisedError, "none.control is missing");
  const [first, second, ...others] = kept;
  assert(first && second?.kind === "ruled");
  left.put(first, ...others);
  const [message, advice] = await left.refused(file("ana"));
  assert(
    /^Cannot use DIR\/chat.control: control line \d+ is not one that may be said there$/
      .test(message ?? ""),
    message,
  );
  assertEquals(
    advice,
    "It was changed, or is of several rooms: take a copy of the server's",
  );
  left.put(...kept);
});

Deno.test("a file of another room than a link is for is refused", async () => {
  const [first] = kept;
  assert(first?.kind === "ruled");
  const { record } = await openKey(file("ana"), left.control);
  const { room } = record.membership;
  const { seq } = first.entry;
  const digest = record.digestAt(seq);
  assert(room && digest);
  const other = new Uint8Array(32).fill(1);
  const anchors = [
    { room, seq, digest },
    { room: other, seq, digest },
    { room, seq: seq + 999, digest },
    { room, seq, digest: other },
  ];
  const outcomes: unknown[] = [];
  for (const anchor of anchors) {
    const blob = await sealBlob(anchor, open.secret);
    const admission = { invite: open.number, key: "", blob };
    left.put(...kept, { kind: "admission", admission });
    const link = linkTo(open);
    outcomes.push(await left.opens(link).catch(({ message }) => message));
  }
  const refused =
    `Cannot open the log: ${left.control} is not of the room that the link is for`;
  assertEquals(outcomes, [
    [2, undefined, ""],
    ...[refused, refused, refused],
  ]);
  left.put(...kept);
  const forged = linkTo({ ...open, secret: other });
  assertEquals(await left.refused(forged), [
    "Cannot open the log: DIR/chat.control is not of the room that the link is for",
    "One of them was changed, or they are of different rooms",
  ]);
});

Deno.test.afterAll(() => left[Symbol.asyncDispose]());
