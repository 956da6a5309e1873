/**
 * A history that isn't what people saw, with the real programs: a backup that is restored, a log that somebody changed,
 * digits that are compared.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";

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
  await using carla = await JsonClient.join({
    invite: again.invite,
    name: "carla",
  });
  assert(await digitsOf(carla, 4) !== digits);
  const { from, exact } = await ana.shows("history-differs");
  assertEquals([from, exact], [3, true]);
});
