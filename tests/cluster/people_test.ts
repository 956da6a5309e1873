/**
 * Names, invites, bans and settings of a room on several servers: they are the room's, whichever server was asked.
 *
 * @module
 */

import { parseInvite } from "../../src/keys/invite.ts";
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Cluster } from "../kit/cluster.ts";
import { Crowd, type Roamer } from "../kit/crowd.ts";
import { ask } from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { newIdentity } from "../kit/people.ts";
import { runServer } from "../kit/server.ts";

/** How often two servers are asked for the same. */
const ROUNDS = 12;

/** A room on two servers, with an operator at the first. */
class Operated implements AsyncDisposable {
  private constructor(
    readonly stack: AsyncDisposableStack,
    readonly cluster: Cluster,
    readonly op: JsonClient,
  ) {}

  static async open(servers = 2): Promise<Operated> {
    await using stack = new AsyncDisposableStack();
    const home = stack.use(await Folder.make());
    const cluster = stack.use(await Cluster.open(servers));
    const op = stack.use(
      await JsonClient.join({
        invite: cluster.invite(),
        name: "op",
        home: home.path,
      }),
    );
    const node = cluster.node(0);
    await node.end();
    await op.shows("away");
    await node.start("--operator", op.entrances[0]?.key ?? "");
    await op.isIn(2); // at whichever server
    await knowOperator(cluster, "op");
    return new Operated(stack.move(), cluster, op);
  }

  /** The operator asks for something, and is answered. */
  async ask(request: Readonly<Record<string, unknown>>): Promise<void> {
    const id = ++this.#asked;
    await ask(this.op, { id, ...request });
    await this.op.shows("done", { id });
  }

  #asked = 0;

  /** An invite of the operator's that another server knows. */
  async invite(uses: number): Promise<string> {
    const before = this.op.all("invite").length;
    await this.ask({ type: "invite", uses, days: 7 });
    const link = this.op.all("invite")[before]?.link;
    assert(link !== undefined, `no invite:\n${this.op.transcript}`);
    const { id } = parseInvite(link);
    for (const node of this.cluster.nodes) {
      await node.holds("chat.people", (text) => text.includes(String(id)));
    }
    return link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync();
  }
}

/** Waits until all servers know that whoever has a name is an operator. */
async function knowOperator({ nodes }: Cluster, name: string): Promise<void> {
  for (const node of nodes) {
    await node.holds("chat.people", (text) => {
      const owned = new RegExp(`"person":"([^"]+)","name":"${name}"`);
      const [, person] = owned.exec(text) ?? [];
      return text.includes(
        `{"kind":"operator","person":"${person}","is":true`,
      );
    });
  }
}

/** Who is there, as a server tells it: each name with the number of its connections. The one who asks has left. */
async function who(cluster: Cluster, at: number): Promise<string[]> {
  const name = `asks${at}`;
  await using client = await JsonClient.join({
    invite: cluster.invite(at),
    name,
  });
  await ask(client, { type: "who" });
  const { members = [] } = await client.shows("members");
  await client.endInput();
  await client.finished();
  for (const node of cluster.nodes) { // their logs are compared later
    await node.holds("chat.log", (text) => text.includes(`${name} left`));
  }
  return members.filter(({ name }) => !name.startsWith("asks"))
    .map(({ name, connections }) => `${name} ${connections}`).toSorted();
}

Deno.test("of two who take a name at two servers in the same instant exactly one gets it", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  for (let round = 0; round < ROUNDS; round++) {
    const name = `n${round}`;
    const winners = await crowd.race({ name, at: 0 }, { name, at: 1 });
    assertEquals(winners.length, 1, `round ${round}`);
  }
  const names = crowd.members.map(({ name }) => `${name} 1`).toSorted();
  for (const at of [0, 1]) assertEquals(await who(cluster, at), names);
  await crowd.check();
});

Deno.test("of two who rename themselves to one name at two servers in the same instant exactly one gets it", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const [ana, ben] = await crowd.gather(1);
  assert(ana && ben);
  for (let round = 0; round < ROUNDS; round++) {
    const name = `n${round}`;
    const before = [
      ana.session.conversation.name,
      ben.session.conversation.name,
    ];
    for (const member of [ana, ben]) member.session.conversation.rename(name);
    const isRefused = ({ refused }: Roamer) => refused.includes(name);
    const has = ({ session }: Roamer) => session.conversation.name === name;
    await crowd.until(
      "both are answered",
      () => [ana, ben].every((it) => isRefused(it) || has(it)),
    );
    const names = [ana, ben].map(({ session }) => session.conversation.name);
    assertEquals(names.filter((it) => it === name).length, 1, `${names}`);
    assertEquals(names.filter((it) => before.includes(it)).length, 1);
  }
});

Deno.test("the last use of an invite lets in exactly one of two who come to two servers in the same instant", async () => {
  await using room = await Operated.open();
  const { cluster } = room;
  await using crowd = new Crowd(cluster);
  for (let round = 0; round < ROUNDS; round++) {
    const link = await room.invite(1);
    const winners = await crowd.race(
      { name: `a${round}`, at: 0, link },
      { name: `b${round}`, at: 1, link },
    );
    assertEquals(winners.length, 1, `round ${round}`);
  }
  await crowd.check();
});

Deno.test("person who comes to two servers in the same instant is listed once, with both connections", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const identity = await newIdentity();
  const both = await crowd.race(
    { name: "ana", at: 0, identity },
    { name: "ana", at: 1, identity },
  );
  assertEquals(both.length, 2);
  for (const at of [0, 1]) assertEquals(await who(cluster, at), ["ana 2"]);
});

Deno.test("ban at one server ends the person's connections at all, and lets it in at none", async () => {
  await using room = await Operated.open();
  const { cluster } = room;
  await using home = await Folder.make();
  const eve = { name: "eve", home: home.path };
  const invite = [0, 1].map((at) => cluster.invite(at));
  await using here = await JsonClient.join({
    ...eve,
    invite: cluster.invite(0),
  });
  await using there = await JsonClient.join({
    ...eve,
    invite: cluster.invite(1),
  });
  await room.op.shows("joined", { name: "eve" });
  await room.ask({ type: "ban", name: "eve" });
  assertEquals(await here.finished(), 1);
  assertEquals(await there.finished(), 1);
  for (const link of invite) {
    await using again = await JsonClient.start({ ...eve, invite: link });
    assertEquals(await again.finished(), 1);
    assertStringIncludes(again.transcript, "You were removed from this room");
  }
});

Deno.test("kick at one server ends the connection at another, and operators are operators at each", async () => {
  await using room = await Operated.open();
  const { cluster, op } = room;
  await using ana = await JsonClient.join({
    invite: cluster.invite(1),
    name: "ana",
  });
  await using eve = await JsonClient.join({
    invite: cluster.invite(0),
    name: "eve",
  });
  await op.shows("joined", { name: "eve" });
  await room.ask({ type: "op", name: "ana" });
  await knowOperator(cluster, "ana");
  await ana.shows("joined", { name: "eve" });
  await ask(ana, { id: 1, type: "kick", name: "eve" });
  await ana.shows("done", { id: 1 });
  assertEquals(await eve.finished(), 1);
});

Deno.test("topic and slow mode, set at one server, hold at all", async () => {
  await using room = await Operated.open();
  const { cluster } = room;
  await using ana = await JsonClient.join({
    invite: cluster.invite(1),
    name: "ana",
  });
  await room.ask({ type: "topic", text: "rehearsal" });
  await ana.shows("note", { text: "Topic: rehearsal" });
  await room.ask({ type: "slow", seconds: 3_600 });
  await ana.shows("note", { text: "Slow mode: one message every 3600 s" });
  await ana.type("one");
  await room.op.shows("said", { text: "one" });
  await ana.type("two");
  await ana.shows("refused", { text: "two", reason: "too-soon" });
  await using ben = await JsonClient.join({
    invite: cluster.invite(1),
    name: "ben",
  });
  await ben.shows("note", { text: "Topic: rehearsal" });
});

Deno.test("invite that is revoked at one server lets nobody in at another, and a spoken code lets somebody in", async () => {
  await using room = await Operated.open();
  const { cluster } = room;
  const link = await room.invite(2);
  const there = cluster.to(1, link);
  await using ana = await JsonClient.join({ invite: there, name: "ana" });
  await ana.shows("joined", { name: "ana" });
  await room.ask({ type: "revoke", invite: parseInvite(link).id });
  await cluster.node(1).holds(
    "chat.people",
    (text) => text.includes("revoked"),
  );
  await using ben = await JsonClient.start({ invite: there, name: "ben" });
  assertEquals(await ben.finished(), 1);
  assertStringIncludes(ben.transcript, "does not open this room");

  const { id: before } = lastInvite(await people(cluster, 1));
  const said = await cluster.makeInvite(0, "--code");
  const [code = ""] = /\b\d+-[a-z]+-[a-z]+\b/.exec(said) ?? [];
  await cluster.node(1).holds(
    "chat.people",
    (text) => lastInvite(text).id !== before,
  );
  await using kim = await JsonClient.join({
    args: [`127.0.0.1:${cluster.node(1).port}`, code],
    name: "kim",
  });
  await kim.type("hello");
  await room.op.shows("said", { text: "hello" });
});

function people(cluster: Cluster, at: number): Promise<string> {
  return Deno.readTextFile(cluster.node(at).folder.file("chat.people"));
}

/** The last line about an invite in a `chat.people`. */
function lastInvite(text: string): { readonly id?: number } {
  const line = text.split("\n").findLast((it) => it.includes('"invite"'));
  return line === undefined ? {} : JSON.parse(line);
}

Deno.test("standing link that was replaced at one server opens the room at none, and the new one at all", async () => {
  await using cluster = await Cluster.open(2);
  await using ana = await JsonClient.join({
    invite: cluster.invite(1),
    name: "ana",
  });
  const old = cluster.invite(1);
  const { folder, server } = cluster.node(0);
  const before = await Deno.readTextFile(
    cluster.node(1).folder.file("chat.key"),
  );
  const { code, stdout } = await runServer(folder, ["--rotate-key"]);
  assertEquals(code, 0);
  const fresh = /'(chat:\/\/[^']+)'/.exec(stdout.join("\n"))?.[1] ?? "";
  await server.line(/The room has a new key; chat\.key has it$/);
  await cluster.node(1).holds("chat.key", (text) => text !== before);
  await using ben = await JsonClient.join({
    invite: cluster.to(1, fresh),
    name: "ben",
  });
  await using eve = await JsonClient.start({ invite: old, name: "eve" });
  assertEquals(await eve.finished(), 1);
  assertStringIncludes(eve.transcript, "does not open this room");
  await ana.type("still in");
  await ben.shows("said", { text: "still in" });
});
