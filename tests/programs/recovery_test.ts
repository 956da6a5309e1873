/**
 * Connections that are cut or altered and servers that are killed, under real clients: each line arrives once, in
 * one order, and nobody is shown what isn't in the log.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { RecordType } from "../../src/protocol/records.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import {
  Alteration,
  ALTERATIONS,
  type Passing,
  TcpProxy,
} from "../kit/proxy.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { Talker } from "../kit/talker.ts";

/** How often the server is killed. */
const ROUNDS = 5;
/** How many lines of a round are seen before the server is killed. */
const SEEN = 300;

/** The server's link, by another port. */
function through({ port }: TcpProxy, server: Server): string {
  return formatInvite({ ...parseInvite(server.invite), port });
}

// ── Servers that end ───────────────────────────────────────────────────────────────────────────────────

/** Lets them talk, kills the server meanwhile, and returns what its log then held. */
async function killedWhile(talkers: readonly Talker[], server: Server) {
  for (const talker of talkers) talker.stopped = false;
  const [first] = talkers;
  assert(first);
  const before = first.client.texts.length;
  const talking = talkers.map((talker) => talker.talk());
  await first.client.showsTexts(before + SEEN);
  for (const talker of talkers) talker.stopped = true;
  server.kill("SIGKILL");
  await server.finished();
  await Promise.all(talking);
  return await Deno.readTextFile(server.folder.file("chat.log"));
}

Deno.test("clients lose and double nothing when the server is killed while they talk, again and again", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  let server = await Server.open(folder, { port });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using eve = await JsonClient.join({ invite, name: "eve" });
  const clients = [ana, ben, eve];
  const talkers = [
    new Talker("ana", ana),
    new Talker("ben", ben),
    new Talker("eve", eve),
  ];
  const typed = () =>
    talkers.reduce((sum, talker) => sum + talker.typed.length, 0);
  const logs: string[] = [];
  let interrupted = 0;
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const text = await killedWhile(talkers, server);
      logs.push(text.slice(0, text.lastIndexOf("\n") + 1));
      const lines = text.split("\n").length - 1;
      const said = text.split(/ \| (?:ana|ben|eve): /).length - 1;
      if (said < typed()) interrupted++;
      // Whatever anybody is shown, now or later, of what the killed server sent, it had logged.
      for (const client of clients) {
        const last = client.shown.findLast(({ seq }) => seq !== undefined);
        assert((last?.seq ?? 0) <= lines, `${last?.seq} of ${lines} was shown`);
      }
      await server[Symbol.asyncDispose]();
      server = await Server.open(folder, { port });
      await Promise.all(clients.map((client) => client.isIn(round + 1)));
      await Promise.all(clients.map((client) => client.showsTexts(typed())));
    }
  } finally {
    await server[Symbol.asyncDispose]();
  }

  assert(interrupted > 0, "no line was under way at any kill");
  const text = await Deno.readTextFile(folder.file("chat.log"));
  for (const earlier of logs) assert(text.startsWith(earlier));
  const log = await server.log();
  for (const { name, typed } of talkers) assertSaid(log, name, typed);
  for (const client of clients) assertFollows(client, log);
  const order = log.filter(({ what }) => what === "said")
    .map(({ text }) => text);
  for (const client of clients) assertEquals(client.texts, order);
});

Deno.test("client keeps what is typed while the server is away, and sends it when it is back", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  const first = await Server.open(folder, { port });
  const { invite } = first;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using ana = await Client.plain({ invite, name: "ana" });
  await ben.shows("joined", { name: "ana" });
  await ben.type("are you there?");
  await ana.line(/ ben: are you there\?$/);
  first.kill("SIGTERM");
  assertEquals(await first.finished(), 0);
  await first[Symbol.asyncDispose]();
  await ana.line(/^Not connected: server stopped\./);
  const texts = Array.from({ length: 2_000 }, (_, at) => `line ${at}`);
  await ana.type(...texts);
  await ana.endInput();

  await using second = await Server.open(folder, { port });
  assertEquals(await ana.finished(), 0);
  await ana.line(/^Back in /);
  assertSaid(await second.log(), "ana", texts);
});

Deno.test("client that is away leaves at SIGINT without waiting for the server", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  server.kill("SIGKILL");
  await ana.shows("away");
  ana.kill("SIGINT");

  assertEquals(await ana.finished(), 0);
});

// ── Connections that are cut ───────────────────────────────────────────────────────────────────────────

Deno.test("client whose connection is cut while lines are typed sends each line once", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using proxy = new TcpProxy(server.port);
  const invite = through(proxy, server);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const talker = new Talker("ana", ana);
  const cuts = 3;
  for (let round = 1; round <= cuts; round++) {
    talker.stopped = false;
    const talking = talker.talk();
    const before = ben.texts.length;
    await ben.showsTexts(before + SEEN);
    proxy.cut();
    await ana.isIn(round + 1);
    talker.stopped = true;
    await talking;
  }
  await ana.type("the end");
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await ben.shows("said", { text: "the end" });

  const log = await server.log();
  assertSaid(log, "ana", [...talker.typed, "the end"]);
  assertFollows(ana, log);
  assertFollows(ben, log);
  assertEquals(ana.entrances.map(({ again }) => again), [
    false,
    ...Array(cuts).fill(true),
  ]);
  assertEquals(proxy.connections, cuts + 1);
  assertEquals(ben.all("away"), []);
});

Deno.test("client that comes back is shown what was said meanwhile, each line once", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: ["--history", "2"] });
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using proxy = new TcpProxy(server.port);
  const invite = through(proxy, server);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ben.type("before");
  await ana.shows("said", { text: "before" });
  proxy.cut();
  await ben.shows("left", { name: "ana", reason: "lost" });
  const meanwhile = Array.from({ length: 400 }, (_, at) => `meanwhile ${at}`);
  await ben.type(...meanwhile);
  await ana.isIn(2);
  await ben.type("after");
  await ana.shows("said", { text: "after" });

  assertEquals(ana.texts, ["before", ...meanwhile, "after"]);
  assertFollows(ana, await server.log());
});

// ── Records that are altered ───────────────────────────────────────────────────────────────────────────

/** A client behind a proxy that alters one record of its first connection. */
class Victim implements AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly alteration: Alteration,
    readonly proxy: TcpProxy,
    readonly client: JsonClient,
  ) {}

  static async join(
    server: Server,
    kind: typeof ALTERATIONS[number],
    isWanted: (record: Passing) => boolean,
  ): Promise<Victim> {
    const name = kind.replace(" ", "-");
    const alteration = new Alteration(
      kind,
      (record) => record.connection === 0 && isWanted(record),
    );
    const proxy = new TcpProxy(server.port, alteration.edit);
    const invite = through(proxy, server);
    const client = await JsonClient.join({ invite, name });
    return new Victim(name, alteration, proxy, client);
  }

  async say(word: string): Promise<void> {
    await this.client.type(`${this.name} ${word}`);
  }

  async hears(text: string): Promise<void> {
    await this.client.shows("said", { text });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}

/** Who takes part. */
interface Scene {
  readonly server: Server;
  readonly victims: readonly Victim[];
  /** Its connection is left alone. */
  readonly witness: JsonClient;
}

/**
 * Joins one client for each way to alter a record, and one whose connection is left alone; provokes the
 * records that are altered; and looks whether everybody gets everything in the end, and nothing else.
 */
async function altering(
  isWanted: (record: Passing) => boolean,
  provoke: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using witness = await JsonClient.join({
    invite: server.invite,
    name: "witness",
  });
  let armed = false;
  await using all = new AsyncDisposableStack();
  const victims = await Promise.all(ALTERATIONS.map(async (kind) => {
    const wanted = (record: Passing) => armed && isWanted(record);
    return all.use(await Victim.join(server, kind, wanted));
  }));
  for (const victim of victims) {
    await victim.say("one");
    await victim.hears(`${victim.name} one`);
  }
  armed = true;
  await provoke({ server, victims, witness });
  await witness.type("witness three");
  for (const victim of victims) await victim.say("three");

  await Promise.all(victims.map(async (victim) => {
    await victim.client.isIn(2);
    await victim.hears("witness three");
    await victim.hears(`${victim.name} three`);
  }));
  await witness.type("the end");
  await Promise.all(victims.map((victim) => victim.hears("the end")));
  await witness.shows("said", { text: "the end" });

  const log = await server.log();
  assertSaid(log, "witness", ["witness two", "witness three", "the end"]);
  assertFollows(witness, log);
  assertEquals(witness.entrances.length, 1);
  assertEquals(witness.all("away"), []);
  for (const { name, client, proxy } of victims) {
    assertSaid(log, name, ["one", "two", "three"].map((it) => `${name} ${it}`));
    assertFollows(client, log);
    assertEquals([name, client.entrances.length], [name, 2]);
    assertEquals([name, proxy.connections], [name, 2]);
  }
}

Deno.test("clients come back and lose nothing when somebody alters what they say", async () => {
  await altering(
    ({ direction, type }) => direction === "up" && type === RecordType.direct,
    async ({ victims, witness }) => {
      await witness.type("witness two");
      for (const victim of victims) await victim.say("two");
      await Promise.all(victims.map((victim) => victim.alteration.applied));
    },
  );
});

Deno.test("clients come back and miss nothing when somebody alters what all are told", async () => {
  await altering(
    ({ direction, type }) =>
      direction === "down" && type === RecordType.broadcast,
    async ({ victims, witness }) => {
      await witness.type("witness two");
      await Promise.all(victims.map((victim) => victim.alteration.applied));
      for (const victim of victims) await victim.say("two");
    },
  );
});

Deno.test("clients come back and miss nothing when somebody alters the keys that they are told", async () => {
  await altering(
    ({ direction, type }) => direction === "down" && type === RecordType.direct,
    async ({ server, victims, witness }) => {
      // Somebody leaves: every member is told the next epoch's keys in a record of its own.
      const { invite } = server;
      await using leaver = await JsonClient.join({ invite, name: "leaver" });
      await leaver.endInput();
      await Promise.all(victims.map((victim) => victim.alteration.applied));
      await witness.type("witness two");
      for (const victim of victims) await victim.say("two");
    },
  );
});
