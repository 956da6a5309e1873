/**
 * A log of which the oldest files go, with the real programs: what the owner, members and newcomers see of it, in an open
 * and in a sealed room.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { formatEntry } from "../../src/log/line_format.ts";
import { JsonClient, type Shown } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { headingAfter, numbered, said } from "../kit/log_kit.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { runLog, runServer, Server } from "../kit/server.ts";
import { visit } from "../kit/visit.ts";

/** More than a megabyte. */
const LONG = Array.from(
  { length: 400 },
  (_, at) => `${at === 3 ? "needle" : "straw"} ${at} ${"x".repeat(3_900)}`,
);
const DELETED =
  /Deleted chat\.log\.\d+: events 1 to \d+, until \d{4}-\d\d-\d\d/;

async function find(client: JsonClient, words: string): Promise<string[]> {
  const { length } = client.all("found");
  await client.type(JSON.stringify({ type: "search", words }));
  const lines = await client.until("found", () => {
    const found = client.all("found")[length];
    return (found as { lines?: readonly Shown[] } | undefined)?.lines;
  });
  return lines.map(({ text = "" }) => text);
}

/** How the files of a log begin. */
async function firstNumber(folder: Folder): Promise<number> {
  let first = Infinity;
  for (const name of await folder.names()) {
    if (!/^chat\.log(\.\d+)?$/.test(name)) continue;
    const text = await Deno.readTextFile(folder.file(name));
    const [, number = "1"] = /^# continues at event (\d+)/.exec(text) ?? [];
    first = Math.min(first, Number(number));
  }
  return first;
}

Deno.test("server with --keep 1MB deletes its oldest files, and nobody is warned of another history", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using other = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--keep", "1MB", "--history", "1000"],
  });
  const { invite } = server;
  const ana = { invite, name: "ana", home: home.path };
  const dan = { invite, name: "dan", home: other.path };
  await using ben = await JsonClient.join({ invite, name: "ben" });
  assertEquals(await visit(ana), { differs: 0, notes: [] });
  await ben.type(...LONG);
  await ben.showsTexts(LONG.length + 1);
  assertEquals(await visit(dan), { differs: 0, notes: [] });
  await server.line(DELETED);
  await ben.type("last");
  await ben.shows("said", { text: "last", own: true });

  // Whose last line is still there compares as before; and who was away for longer, while the server knows the value there.
  for (const it of [dan, ana]) {
    assertEquals(await visit(it), { differs: 0, notes: [] });
  }

  const first = await firstNumber(folder);
  assert(first > 10 && first < 300, `${first}`);
  let size = 0;
  for (const name of await folder.names()) {
    if (!/^chat\.log(\.\d+)?$/.test(name)) continue;
    size += (await Deno.stat(folder.file(name))).size;
  }
  assert(size <= 1_050_000, `${size}`);
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await eve.shows("said", { text: "last" });
  const [oldest] = eve.all("said");
  assertEquals([oldest?.seq, oldest?.text], [
    first,
    LONG[first - 5], // behind the joining of ben and ana, and what ana did
  ]);
  assertEquals(await find(ben, "needle"), []);
  assertEquals(await find(ben, "straw 399"), [LONG[399]]);
  assertEquals(ben.all("history-differs"), []);

  server.kill("SIGTERM");
  await server.finished();
  const { code, stdout } = await runLog(folder, "--agree", String(first));
  assertEquals([code, stdout.length], [0, 1]);
  await using again = await Server.open(folder, {
    port: server.port,
    args: ["--keep", "1MB"],
  });
  await ben.isIn(2);
  assertEquals(await visit(dan), { differs: 0, notes: [] });
  const { differs, notes } = await visit(ana); // who can't compare any more
  assertEquals([differs, notes.length], [0, 1], notes.join());
  assertStringIncludes(notes[0] ?? "", "The server's log begins later by now");
  assertEquals(ben.all("history-differs"), []);
  assertEquals(again.stderr, []);
});

/** A log of three files: of forty days ago, of twenty, and of today. */
async function oldLog(folder: Folder): Promise<string[]> {
  const days = [40, 20, 0].map((day) => Date.now() - day * 86_400_000);
  const entries = days.map((at, index) => ({ ...said(index + 1), at }));
  const texts = entries.map((entry, index) => {
    const heading = index === 0 ? "" : headingAfter(numbered(entries), index);
    return `${heading}${formatEntry(entry)}\n`;
  });
  for (
    const [index, name] of ["chat.log.2", "chat.log.1", "chat.log"].entries()
  ) {
    await Deno.writeTextFile(folder.file(name), texts[index] ?? "", {
      mode: 0o600,
    });
  }
  return texts;
}

Deno.test("server with --keep AGE says what is too old, archives it, and deletes it", async () => {
  await using folder = await Folder.make();
  const [oldest, middle] = await oldLog(folder);
  await Deno.mkdir(folder.file("old"));
  const port = ["--host", "127.0.0.1", "--port", "0"];
  const look = async (keep: string) => {
    const { code, stdout } = await runServer(folder, [
      ...[...port, "--check", "--keep", keep, "--archive", "old"],
    ]);
    assertEquals(code, 0);
    return stdout.find((line) => line.startsWith("--keep"));
  };
  assertEquals(await look("30d"), "--keep would delete event 1: chat.log.2");
  assertEquals(
    await look("2w"),
    "--keep would delete events 1 to 2: chat.log.2 and chat.log.1",
  );
  assertEquals(await look("52w"), "--keep would delete nothing now");
  assertEquals(
    (await folder.names()).filter((it) => /^chat\.log\.\d$/.test(it)).length,
    2,
  );
  await using server = await Server.open(folder, {
    args: ["--keep", "1m", "--archive", "old"],
  });
  await server.line(
    /Due to be deleted in 6 s, by the clock \(\S+Z\): events 1 to 2, in chat\.log\.\d and chat\.log\.\d\. If the clock/,
  );
  assertEquals(await Array.fromAsync(Deno.readDir(folder.file("old"))), []);
  // The newest was rotated meanwhile.
  await server.line(
    /Deleted chat\.log\.3: event 1, until \S+; old.chat\.log\.000000001-000000001 has them/,
  );
  await server.line(/Deleted chat\.log\.2: event 2, /);
  const archived = [1, 2].map((n) => `old/chat.log.00000000${n}-00000000${n}`);
  for (const [at, text] of [oldest, middle].entries()) {
    const path = folder.file(archived[at] ?? "");
    assertEquals(await Deno.readTextFile(path), text);
  }
  const { code, stdout } = await runLog(folder, "--json", ...archived);
  assertEquals(code, 0);
  assertEquals(stdout.map((line) => JSON.parse(line).text), [
    "text 1",
    "text 2",
  ]);
});

const WRONG: Readonly<Record<string, readonly string[]>> = {
  'Cannot use --keep "30": it is an age like 12h, 30d or 52w, or a size like 500MB or 1GB':
    ["--keep", "30"],
  'Cannot use --keep "0d": it is an age': ["--keep", "0d"],
  'Cannot use --keep "1TB": it is an age': ["--keep", "1TB"],
  "--archive needs --keep, which is missing": ["--archive", "."],
  'Cannot write to the folder "': ["--keep", "1d", "--archive", "missing"],
};

for (const [sentence, args] of Object.entries(WRONG)) {
  Deno.test(`server ${args.join(" ")} says what is wrong, and makes nothing`, async () => {
    await using folder = await Folder.make();
    for (const check of [[], ["--check"]]) {
      const all = ["--host", "127.0.0.1", "--port", "0", ...args, ...check];
      const { code, stderr } = await runServer(folder, all);
      assertEquals(code, sentence.includes("folder") ? 1 : 2);
      assertStringIncludes(stderr.join("\n"), sentence);
      assertEquals(await folder.names(), []);
    }
  });
}

Deno.test("a sealed room goes on without the old lines that made it, as long as chat.control is there", async () => {
  await using folder = await Folder.make();
  const args = ["--keep", "1MB", "--history", "1000"];
  await using room = await SealedPrograms.found(folder, "ana", { args });
  const { server, keeper } = room;
  const ben = await room.bring("ben");
  await ben.type(...LONG);
  await ben.showsTexts(LONG.length);
  await server.line(DELETED);
  server.kill("SIGTERM");
  await server.finished();
  assert(await firstNumber(folder) > 10);
  await using again = await Server.open(folder, {
    port: server.port,
    args: ["--sealed", ...args],
  });
  for (const client of [keeper, ben]) await client.isIn(2);
  const carl = await room.bring("carl");
  await carl.type("hello");
  for (const client of [keeper, ben]) {
    await client.shows("said", { text: "hello", name: "carl" });
    assertEquals(client.all("warning"), []);
    assertEquals(client.all("history-differs"), []);
  }
  assertEquals(carl.all("warning"), []);
  assert(carl.texts.includes(LONG[399] ?? ""));
  assertEquals(carl.texts.includes(LONG[3] ?? ""), false);
  assertEquals(again.stderr, []);
  again.kill("SIGTERM");
  await again.finished();
  await Deno.remove(folder.file("chat.control"));
  const refused = await runServer(folder, [
    ...["--host", "127.0.0.1", "--port", "0", "--sealed", ...args],
  ]);
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr.join("\n"), /chat\.control is missing/);
});
