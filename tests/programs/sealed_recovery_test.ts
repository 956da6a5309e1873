/**
 * Sealed rooms with real programs whose connections are cut and whose server is killed: each line arrives once, in one
 * order, with everybody, and nobody is warned of anything.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { sealed, SealedPrograms } from "../kit/sealed_programs.ts";
import { Server } from "../kit/server.ts";
import { Talker } from "../kit/talker.ts";

/** How often the server is killed, or a connection cut. */
const ROUNDS = 3;
/** How many lines of a round are seen before that. */
const SEEN = 200;

/** A link, by another port. */
function through({ port }: TcpProxy, link: string): string {
  return formatInvite({ ...parseInvite(link), port });
}

/** What clients show has come once, in one order, and nothing was wrong with it. */
function assertSame(
  clients: readonly JsonClient[],
  typed: ReadonlyMap<string, readonly string[]>,
): void {
  const [first] = clients;
  assert(first);
  for (const client of clients) {
    assertEquals(client.all("warning"), []);
    assertEquals(client.all("history-differs"), []);
    assertEquals(client.texts, first.texts);
  }
  const said = first.all("said");
  for (const [by, texts] of typed) {
    const own = said.filter(({ name }) => name === by);
    assertEquals(own.map(({ text = "" }) => text), [...texts]);
  }
}

Deno.test("in a sealed room, nothing is lost or doubled when the server is killed while members talk, again and again", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  await using room = await SealedPrograms.found(folder, "ana", { port });
  const ben = await room.bring("ben");
  const clients = [room.keeper, ben];
  const talkers = [new Talker("ana", room.keeper), new Talker("ben", ben)];
  let server: Server = room.server;
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      for (const talker of talkers) talker.stopped = false;
      const before = ben.texts.length;
      const talking = talkers.map((talker) => talker.talk());
      await ben.showsTexts(before + SEEN);
      for (const talker of talkers) talker.stopped = true;
      server.kill("SIGKILL");
      await server.finished();
      await Promise.all(talking);
      if (round > 1) await server[Symbol.asyncDispose]();
      server = await Server.open(folder, sealed({ port }));
      await Promise.all(clients.map((client) => client.isIn(round + 1)));
      const typed = talkers.reduce((sum, it) => sum + it.typed.length, 0);
      await Promise.all(clients.map((client) => client.showsTexts(typed)));
    }
    assertSame(
      clients,
      new Map(talkers.map(({ name, typed }) => [name, typed])),
    );
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("in a sealed room, a client whose connection is cut while lines are typed sends each line once", async () => {
  await using folder = await Folder.make();
  await using room = await SealedPrograms.found(folder, "ana");
  const { server, keeper, link } = room;
  await using proxy = new TcpProxy(server.port);
  const invite = through(proxy, link);
  await using ben = await JsonClient.join({ invite, name: "ben" });
  const talker = new Talker("ben", ben);
  for (let round = 1; round <= ROUNDS; round++) {
    talker.stopped = false;
    const talking = talker.talk();
    await keeper.showsTexts(keeper.texts.length + SEEN);
    proxy.cut();
    await ben.isIn(round + 1);
    talker.stopped = true;
    await talking;
  }
  await ben.type("the end");
  await keeper.shows("said", { text: "the end" });
  await ben.shows("said", { text: "the end" });
  assertSame([keeper, ben], new Map([["ben", [...talker.typed, "the end"]]]));
  assertEquals(proxy.connections, ROUNDS + 1);
});

Deno.test("in a sealed room, a client that comes back is shown what was said meanwhile, each line once", async () => {
  await using folder = await Folder.make();
  await using room = await SealedPrograms.found(folder, "ana", {
    args: ["--history", "2"],
  });
  const { server, keeper, link } = room;
  await using proxy = new TcpProxy(server.port);
  const invite = through(proxy, link);
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await keeper.type("before");
  await ben.shows("said", { text: "before" });
  proxy.cut();
  await keeper.shows("left", { name: "ben", reason: "lost" });
  const meanwhile = Array.from({ length: 400 }, (_, at) => `meanwhile ${at}`);
  await keeper.type(...meanwhile);
  await ben.isIn(2);
  await keeper.type("after");
  for (const it of [keeper, ben]) await it.shows("said", { text: "after" });
  const typed = ["before", ...meanwhile, "after"];
  assertSame([keeper, ben], new Map([["ana", typed]]));
});

Deno.test("in a sealed room, a plain pipe sends 3,000 lines, each once and in order, and exits with 0", async () => {
  await using folder = await Folder.make();
  await using room = await SealedPrograms.found(folder, "ana");
  const { keeper, link: invite } = room;
  const texts = Array.from({ length: 3_000 }, (_, at) => `line number ${at}`);
  await using ben = await Client.plain({ invite, name: "ben" });
  await ben.type(...texts);
  await ben.endInput();
  assertEquals(await ben.finished(), 0);
  await keeper.shows("left", { name: "ben" });
  assertSame([keeper], new Map([["ben", texts]]));
});
