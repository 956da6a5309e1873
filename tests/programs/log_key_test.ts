/**
 * `deno task log --key`: a sealed room's log read without a server, and an open one's, with the real programs.
 *
 * @module
 */

import schema from "../../src/client/pipe/schema/json-lines.schema.json" with {
  type: "json",
};
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { JsonClient, type Shown } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { fits } from "../kit/json_schema.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { runLog, Server } from "../kit/server.ts";

/** The file of the only identity in a home. */
async function identityIn(home: Folder): Promise<string> {
  const folder = home.file(".config/encrypted-chat/identities");
  for await (const { name } of Deno.readDir(folder)) return `${folder}/${name}`;
  throw new TypeError("no identity");
}

/** What a client finds. */
async function found(
  client: JsonClient,
  request: Readonly<Record<string, unknown>>,
): Promise<readonly Shown[]> {
  const id = client.shown.length;
  await client.type(JSON.stringify({ ...request, id }));
  const { lines } = await client.shows("found", { id }) as unknown as {
    readonly lines: readonly Shown[];
  };
  return lines;
}

/** Without what depends on who reads. */
const anybodys = (lines: readonly object[]) =>
  lines.map((line) => {
    const { own: _own, v: _v, quoted: _quoted, ...rest } = line as Record<
      string,
      unknown
    >;
    return rest;
  });

Deno.test("a sealed room's log is read with a member's identity as a client tells its history, over changes of the key", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using room = await SealedPrograms.found(folder, "ana", {}, {
    home: home.path,
  });
  const { keeper: ana } = room;
  const ben = await room.bring("ben");
  const say = async (client: JsonClient, text: string) => {
    await client.type(text);
    await ana.shows("said", { text });
  };
  await say(ben, "the hut's key is under the mat");
  for (const name of ["x", "y", "z"]) {
    const guest = await room.bring(name);
    await ana.type(JSON.stringify({ type: "kick", name, id: name }));
    await ana.shows("done", { id: name });
    await guest.finished();
    await say(ben, `without ${name}`);
    // The link has ended with the removal.
    await ana.type(JSON.stringify({ type: "invite", uses: 5, id: `i${name}` }));
    const { link } = await ana.shows("invite", { id: `i${name}` });
    assert(link);
    room.link = link;
  }
  const { seq: hut = 0 } = await ana.shows("said", {
    text: "the hut's key is under the mat",
  });
  await ben.shows("said", { seq: hut });
  await ben.type(
    JSON.stringify({ type: "edit", to: hut, text: "the hut is open" }),
  );
  await ana.shows("edited", { to: hut });
  await ana.type(JSON.stringify({ type: "reply", to: hut, text: "good" }));
  await ben.shows("replied", { to: hut });

  // A newcomer searches and reads what was said before it came, as who was there does.
  const cleo = await room.bring("cleo");
  for (const client of [ana, cleo]) {
    const open = await found(client, { type: "search", words: "open hut" });
    assertEquals(open.map(({ seq, text }) => [seq, text]), [
      [hut, "the hut is open"],
    ]);
    assertEquals(await found(client, { type: "search", words: "mat" }), []);
  }

  // Without the server: all lines, with ana's identity, and with a link.
  const key = await identityIn(home);
  const json = await runLog(folder, "--key", key, "--json", "chat.log");
  assertEquals([json.code, json.stderr], [0, []]);
  const lines = json.stdout.map((line) => JSON.parse(line) as Shown);
  for (const line of lines) assert(fits(line, schema), JSON.stringify(line));
  const history = await found(ana, { type: "history", count: 200 });
  const unchanged = history.filter(({ seq }) => seq !== hut);
  const changes = new Set(["edited", "deleted", "reacted"]);
  assertEquals(
    anybodys(
      lines.filter(({ type, seq }) => !changes.has(type) && seq !== hut),
    ),
    anybodys(unchanged),
  );
  const plain = await runLog(folder, "--key", room.link, "chat.log");
  assertEquals([plain.code, plain.stderr], [0, []]);
  assertEquals(plain.stdout.length, lines.length);
  const searched = await runLog(folder, "--key", key, "--search", "HUT open");
  assertEquals(
    searched.stdout.map((line) => line.slice(line.indexOf(" ") + 1)),
    [`${hut} ben: the hut is open (edited)`],
  );

  const sealed = await runLog(folder, "--json");
  assertEquals(sealed.code, 1);
  assertStringIncludes(sealed.stderr.join("\n"), "the room is sealed");

  // A word that is changed is said by number, and nothing else is missing.
  const path = folder.file("chat.log");
  const text = await Deno.readTextFile(path);
  const all = text.split("\n");
  const at = hut - 1;
  const raw = all[at] ?? "";
  all[at] = raw.slice(0, -20) + (raw.at(-20) === "A" ? "B" : "A") +
    raw.slice(-19);
  await Deno.writeTextFile(folder.file("chat.log.copy"), all.join("\n"));
  const copy = await runLog(folder, "--key", key, "chat.log.copy");
  assertEquals(copy.code, 1);
  assertStringIncludes(
    copy.stderr.join("\n"),
    `WARNING: line ${hut}, as from ben, is not shown: that person did not sign it`,
  );
  assertEquals(copy.stdout.length, lines.length - 1);
});

Deno.test("an open room's log is read too, and needs no key", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  {
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await ana.type("hello");
    await ana.shows("said", { text: "hello" });
  }
  const told = (lines: readonly string[]) =>
    lines.map((line) => line.slice(line.indexOf(" ") + 1));
  const all = await runLog(folder, "--search", "hello");
  assertEquals([all.code, told(all.stdout), all.stderr], [
    0,
    ["2 ana: hello"],
    [],
  ]);
  const keyed = await runLog(folder, "--key", "whatever", "chat.log");
  assertEquals(keyed.code, 0);
  assertEquals(told(keyed.stdout).slice(0, 2), [
    "1 ana joined",
    "2 ana: hello",
  ]);
  assertEquals(keyed.stderr, [
    "The room is open: its log is readable, and no key is needed.",
  ]);
});
