/**
 * A history that isn't what people saw, with the real programs: a backup that is restored, a log that somebody changed,
 * digits that are compared.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { formatEntry } from "../../src/log/line_format.ts";
import { agreement } from "../../src/protocol/chain.ts";
import { headingAfter, numbered, saidUpTo, valueFor } from "../kit/log_kit.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { runLog, Server } from "../kit/server.ts";

/** What to compare for a line, as a client shows it. */
async function digitsOf(client: JsonClient, seq?: number): Promise<string> {
  const id = client.shown.length;
  await client.type(JSON.stringify({ type: "agree", seq, id }));
  const { digits } = await client.shows("agreement", { id });
  assert(digits);
  return digits;
}

/** Ends a client as a person does. */
async function leave(client: Client): Promise<void> {
  await client.type(JSON.stringify({ type: "quit" }));
  assertEquals(await client.finished(), 0);
}

/** Stops a server, changes its log, and starts it again at the same port. */
async function restart(
  server: Server,
  change: (log: string) => string,
): Promise<Server> {
  const { folder, port } = server;
  server.kill("SIGTERM");
  await server.finished();
  const path = folder.file("chat.log");
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
  return await Server.open(folder, { port });
}

const linesOf = (log: string) => log.split("\n").slice(0, -1);
const logOf = (lines: readonly string[]) => `${lines.join("\n")}\n`;

Deno.test("clients say from which line on a restored backup differs, in this run and in later ones, until that is accepted", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const known = { invite, name: "ana", home: home.path };
  await using ben = await JsonClient.join({ invite, name: "ben" }); // 1
  await using ana = await JsonClient.join(known); // 2
  for (const text of ["three", "four", "five", "six"]) {
    await ana.type(text);
    await ben.shows("said", { text });
  }
  await leave(ana); // 7
  await ben.shows("left", { name: "ana", seq: 7 });
  await using again = await restart(
    server,
    (log) => logOf(linesOf(log).slice(0, 4)),
  );
  // Who was there when it happened knows each line.
  const differs = await ben.shows("history-differs");
  assertEquals([differs.from, differs.exact], [5, true]);
  await ben.type("everything goes on");
  await ben.shows("said", { text: "everything goes on", own: true });
  // Who comes again has the last value alone, and is told each time.
  for (const from of [6, 6]) {
    await using later = await JsonClient.join(known);
    const { from: line, exact } = await later.shows("history-differs");
    assertEquals([line, exact], [from, false]);
    await leave(later);
  }
  {
    await using later = await Client.plain(known);
    await later.line(/history differs from what you saw, from line 6 on/);
    later.kill("SIGTERM");
    await later.finished();
    assertEquals(later.stdout.filter((it) => it.includes("differs")), []);
  }
  {
    await using later = await JsonClient.join(known);
    await later.shows("history-differs");
    await later.type(JSON.stringify({ type: "accept", id: 7 }));
    await later.shows("done", { id: 7 });
    await later.type(JSON.stringify({ type: "accept", id: 8 }));
    await later.shows("error", {
      id: 8,
      message: "There is nothing to accept",
    });
    await later.type(JSON.stringify({ type: "quit" }));
    await later.finished();
  }
  await using last = await JsonClient.join(known);
  await last.type("heard");
  await last.shows("said", { text: "heard" });
  assertEquals(last.all("history-differs"), []);
  assertEquals(again.stderr, []);
});

Deno.test("members and the server's owner see the same digits for the same history, and others for a changed one", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("three", "four");
  await ben.shows("said", { text: "four", seq: 4 });
  await ana.shows("said", { text: "four" });
  const digits = await digitsOf(ana, 4);
  assertEquals(digits.split(" ").map(({ length }) => length), Array(8).fill(5));
  assertEquals(await digitsOf(ben, 4), digits);
  assertEquals(await digitsOf(ben), digits);
  assert(await digitsOf(ben, 3) !== digits);
  const look = (seq: number) =>
    runLog(folder, "--agree", String(seq), "chat.log");
  const sentence = `History up to line 4: ${digits}`;
  assertEquals(await look(4), { code: 0, stdout: [sentence], stderr: [] });
  await ben.type(JSON.stringify({ type: "agree", seq: 5, id: "no" }));
  const { message = "" } = await ben.shows("error", { id: "no" });
  assertStringIncludes(
    message,
    "history up to line 5: this client knows those",
  );
  await ben.type(JSON.stringify({ type: "quit" }));
  await ben.finished();
  await using again = await restart(
    server,
    (log) => log.replace("ana: three", "ana: thrice"),
  );
  const { stdout: [changed] } = await look(4);
  await using carla = await JsonClient.join({
    invite: again.invite,
    name: "carla",
  });
  const others = await digitsOf(carla, 4);
  assert(others !== digits);
  assertEquals(changed, `History up to line 4: ${others}`);
  const { from, exact } = await ana.shows("history-differs");
  assertEquals([from, exact], [3, true]);
});

Deno.test("every kind of line comes to the same for who heard it, who was told of it later, and the log", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" }); // 1
  const known = { invite, name: "ana", home: home.path };
  await using desk = await JsonClient.join(known); // 2
  await using laptop = await JsonClient.join(known); // beside
  const ask = (client: JsonClient, request: object) =>
    client.type(JSON.stringify(request));
  await ask(desk, { type: "say", text: "नमस्ते \u001b[2J \\n 🔐 a\nb" }); // 3
  await ben.shows("said", { seq: 3 });
  await ask(laptop, { type: "act", text: "waves" }); // 4
  await ben.shows("acted", { seq: 4 });
  await ask(ben, { type: "reply", to: 3, text: "to 4: yes" }); // 5
  await Promise.all([ben, desk].map((it) => it.shows("replied", { seq: 5 })));
  await ask(desk, { type: "edit", to: 3, text: "hello" }); // 6
  await ask(desk, { type: "react", to: 5, text: "👍🏽" }); // 7
  await desk.shows("reacted", { seq: 7 });
  await ask(desk, { type: "react", to: 5 }); // 8
  await ben.shows("reacted", { seq: 8 });
  await Deno.writeTextFile(folder.file("a b.txt"), "hut");
  await ask(ben, { type: "send", path: folder.file("a b.txt") }); // 9
  await ben.shows("offered", { seq: 9 });
  await ask(ben, { type: "delete", to: 5 }); // 10
  await ben.shows("deleted", { seq: 10 });
  await ask(laptop, { type: "rename", name: "ana2" }); // 11
  await ben.shows("renamed", { seq: 11 });
  await ask(laptop, { type: "away", text: "lunch" }); // none
  await ben.shows("away-message", { text: "lunch" });
  // By the second connection's end alone, its person has left.
  await leave(desk);
  laptop.kill("SIGKILL");
  await ben.shows("left", { seq: 12, name: "ana2", reason: "lost" });
  await using carla = await JsonClient.join({ invite, name: "carla" }); // 13
  await ask(carla, { type: "quit", text: "connection lost" }); // 14
  await carla.finished();
  await ben.shows("left", { seq: 14, name: "carla" });
  await using dora = await JsonClient.join({ invite, name: "dora" }); // 15
  await ben.shows("joined", { seq: 15 });
  for (let seq = 1; seq <= 15; seq++) {
    const digits = await digitsOf(ben, seq);
    assertEquals(await digitsOf(dora, seq), digits, `line ${seq}`);
    const { stdout } = await runLog(folder, "--agree", String(seq));
    assertEquals(stdout, [`History up to line ${seq}: ${digits}`]);
  }
});

Deno.test("log --agree reads rotated logs, and says where one was changed, what isn't there, and how to ask", async () => {
  await using folder = await Folder.make();
  const all = numbered(saidUpTo(30));
  const lines = all.map((entry) => `${formatEntry(entry)}\n`);
  const part = (from: number, to: number) => lines.slice(from, to).join("");
  const write = (name: string, text: string) =>
    Deno.writeTextFile(folder.file(name), text);
  await write("a.log.2", part(0, 10));
  await write("a.log.1", headingAfter(all.slice(0, 10)) + part(10, 20));
  await write("a.log", headingAfter(all.slice(0, 20)) + part(20, 30));
  const look = (seq: number | string) =>
    runLog(folder, "--agree", String(seq), "a.log");
  const shown = (seq: number) =>
    `History up to line ${seq}: ${agreement(valueFor(all, seq))}`;
  for (const seq of [1, 10, 11, 30]) {
    assertEquals(await look(seq), {
      code: 0,
      stdout: [shown(seq)],
      stderr: [],
    });
  }
  const before = await Array.fromAsync(Deno.readDir(folder.path));
  assertEquals(before.length, 3); // nothing was made
  await write(
    "a.log.1",
    headingAfter(all.slice(0, 10)) + part(10, 20).replace("text 15", "test 15"),
  );
  const { code, stdout, stderr } = await look(25);
  assertEquals([code, stdout.length], [0, 1]);
  assert(stdout[0] !== shown(25));
  assertEquals(stderr, [
    "WARNING: a.log was begun after other lines than those that are before it now: one of the older files was changed.",
  ]);
  await Deno.remove(folder.file("a.log.1"));
  await Deno.remove(folder.file("a.log.2"));
  assertEquals((await look(25)).stdout, [shown(25)]);
  assertEquals(await look(19), {
    code: 1,
    stdout: [],
    stderr: [
      "There is no line 19 in a.log: it has those from 21 to 30.",
      "/agree in a client shows the number of the last line that it has.",
    ],
  });
  assertEquals((await look("all")).code, 2);
  const missing = await runLog(folder, "--agree", "1");
  assertEquals([missing.code, missing.stdout], [1, []]);
  assertStringIncludes(missing.stderr.join(), "chat.log");
  const { code: helped, stdout: help } = await runLog(folder);
  assertEquals([helped, help[0]], [0, "Usage: deno task log [FLAGS] [FILE…]"]);
});
