/**
 * How one comes into a sealed room: founding it, by an invite, by one's key; and who doesn't.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import {
  assertThrownOut,
  type Client,
  say,
  Setup,
  tick,
} from "../../../kit/connection_setup.ts";
import { quiet } from "../../../kit/room_client.ts";
import { joinEvent } from "../../../kit/people.ts";
import {
  answer,
  followed,
  holdLog,
  SealedServer,
} from "../../../kit/sealed_members.ts";
import { somebody } from "../../../kit/sealed_room.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import { NEAR } from "../../../../src/server/history.ts";
import { HandshakeError } from "../../../../crypto_utils.ts";

Deno.test("who comes by the founding link first founds the room, and is told its own key; then the link is shut", async () => {
  await using server = await SealedServer.create();
  const ana = await somebody("ana");
  const client = await server.atDoor(ana);
  assertEquals(await followed(client), 0);
  assertEquals(client.of("followed")[0]?.blob, "");
  const [wrap, enter] = await server.founding(ana);
  await client.send(wrap, enter, joinEvent(ana, "ana"));
  await client.until("welcome");
  assertEquals(await server.log(), [["ruled", "found"], ["joined", ""]]);
  const { by, data } = await client.until("wrapped");
  assertEquals([by, data], [ana.full, wrap.data]);
  assertEquals(client.of("past").map(({ what }) => what), ["ruled", "joined"]);
  assert(server.membership.isKeeper(ana.full));
  const ben = await somebody("ben");
  await assertRejects(() => server.atDoor(ben), HandshakeError);
});

Deno.test("of two who found in the same instant one does, and the other is told that the link is used", async () => {
  await using server = await SealedServer.create();
  const persons = [await somebody("ana"), await somebody("ben")];
  const clients = await Promise.all(persons.map((it) => server.atDoor(it)));
  await Promise.all(clients.map((it) => followed(it)));
  const wishes = await Promise.all(
    persons.map(async (who, at) => {
      const name = at === 0 ? "ana" : "ben";
      const [wrap, enter] = await server.founding(who, name);
      return [wrap, enter, joinEvent(who, name)] as const;
    }),
  );
  await Promise.all(clients.map((it, at) => it.send(...wishes[at] ?? [])));
  const outcomes = await Promise.all(clients.map(async (client) => {
    await quiet(client);
    return client.of("welcome").length === 1
      ? "in"
      : client.of("refused")[0]?.reason;
  }));
  assertEquals(outcomes.toSorted(), ["in", "invite-used"]);
  assertEquals(server.membership.members.size, 1);
});

Deno.test("a newcomer follows the control lines, enters by its invite's line, and is a member", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana);
  const ben = await somebody("ben");
  const client = await server.by(invite, ben);
  assertEquals(await followed(client), server.membership.seq);
  assertEquals(
    client.of("past").map(({ text }) => text.split(" ")[0]),
    ["found", "invite"],
  );
  const wrapped = client.of("wrapped");
  assertEquals(wrapped.map(({ to }) => to), [invite.self.full]);
  assertEquals(client.of("followed")[0]?.blob.length, 118);
  await client.send(
    await server.wrap(ben, ben),
    await server.entering(ben, invite, "ben"),
  );
  await server.join(ben, client, "ben");
  assertEquals((await server.log()).slice(-2), [["ruled", "join"], [
    "joined",
    "",
  ]]);
  const ruled = await ana.client.until(
    "ruled",
    ({ text }) => text.startsWith("join"),
  );
  assertEquals([ruled.person, ruled.name], [ben.short, "ben"]);
  assertEquals(server.room.wrapFor(ben.full)?.by, ben.full);
});

Deno.test("a member comes back by its key alone, and is told the control lines that it lacks, each once more with what it missed", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const { seq } = server.membership;
  ben.client.channel.close();
  await ana.client.until("left");
  await server.invite(ana);
  const client = await server.byKey(ben.who);
  await followed(client, seq);
  const lines = () => client.of("past").map(({ seq, what }) => [seq, what]);
  const made = server.membership.seq;
  assertEquals(lines(), [[made, "ruled"]]);
  await server.join(ben.who, client, "ben", { after: seq + 1, stay: ben.stay });
  assertEquals(
    lines().slice(1).map(([at]) => at),
    [seq + 2, seq + 3, seq + 4],
  );
  assertEquals(client.of("followed")[0]?.blob, "");
});

Deno.test("control lines that were said between following and joining are told once, before the welcome", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana, { uses: 2 });
  const ben = await somebody("ben");
  const client = await server.by(invite, ben);
  const told = Number(await followed(client));
  await server.rekey(ana);
  await server.rekey(ana);
  await client.send(
    await server.wrap(ben, ben),
    await server.entering(ben, invite, "ana"),
    joinEvent(ben, "ana"),
  );
  assertEquals((await client.until("refused")).reason, "name-taken");
  await client.send(await server.entering(ben, invite, "ben"));
  await server.join(ben, client, "ben");
  const { seq } = server.membership;
  assertEquals(linesOf(client, told), [told + 1, told + 2, seq, seq + 1]);
  assertEquals(server.room.wrapFor(ben.full)?.by, ben.full); // from the first try
});

Deno.test("who missed much is told the control lines from before that first, then the chain's value there, then what it missed", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const again = await server.byKey(ben.who);
  const told = Number(await followed(again));
  await server.rekey(ana);
  await server.rekey(ana);
  const { seq } = server.membership;
  const many = Array.from({ length: 2 * NEAR }, (_, n) => n + 1);
  await ana.client.send(
    ...await Promise.all(many.map((n) => server.seal(ana, n, "a line"))),
  );
  await quiet(ana.client);
  await server.join(ben.who, again, "ben", { after: seq });
  const { head } = server.setup.history;
  const wanted = Array.from(
    { length: head - seq + 2 },
    (_, at) => seq - 1 + at,
  );
  assertEquals(linesOf(again, told), wanted);
  const chained = again.events.findIndex(({ kind }) => kind === "chain");
  const earlier = again.events.slice(0, chained).filter(isPast);
  assertEquals(earlier.at(-1)?.seq, seq);
});

const isPast = (it: Event): it is Event<"past"> => it.kind === "past";

/** The numbers of the past lines that a client was told before its welcome, after one that it knew. */
function linesOf({ events }: Client, after: number): number[] {
  const at = events.findIndex(({ kind }) => kind === "welcome");
  const past = events.slice(0, at).filter(isPast).map(({ seq }) => seq);
  return past.filter((seq) => seq > after);
}

Deno.test("nobody enters by the line of an invite whose number is another's by then", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const invite = await server.invite(ana);
  const eve = await somebody("eve");
  const client = await server.by(invite, eve);
  await followed(client);
  const removal = { removed: [ben.who.full] };
  const [key, wraps, rekey] = await server.rekeying(ana, removal);
  const [other, staged, rule] = await server.inviting(ana);
  const { number } = invite;
  const count = server.membership.nextCount(ana.who.full) + 1;
  const again = await server.wish(ana, {
    verb: "invite",
    count,
    invite: number,
    card: other.self.cardText,
    uses: 1,
    until: null,
  });
  const admission = { ...staged[0], invite: number } as Event<"admit">;
  const go = holdLog(server);
  await ana.client.send(await server.seal(ana, 1, "holds the batch"));
  await quiet(ana.client);
  await ana.client.send(...wraps, rekey);
  await ana.client.send(
    admission,
    await server.wrap(ana.who, other.self, 1, key),
    { ...again, id: rule.id },
  );
  await quiet(ana.client);
  const asked = server.asked();
  await client.send(
    await server.entering(eve, invite, "eve"),
    joinEvent(eve, "eve"),
  );
  await asked;
  go();
  assertEquals((await client.until("refused")).reason, "invite-used");
  assertEquals(await answer(ana.client, rule.id), undefined);
  assertEquals([...server.membership.invites.keys()], [number]);
});

Deno.test("a sealed room refuses who comes without following, whom it tells nothing, and who is no member and has no line", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana, { uses: 9 });
  const ben = await somebody("ben");
  const first = await server.by(invite, ben);
  await first.send(joinEvent(ben, "ben"));
  assertEquals((await first.until("refused")).reason, "room-sealed");
  assertEquals(first.events.map(({ kind }) => kind), ["refused"]);
  const second = await server.by(invite, ben);
  await followed(second);
  await second.send(joinEvent(ben, "ben"));
  assertEquals((await second.until("refused")).reason, "not-member");
});

const WRONG = ["by another", "by another invite", "under another name"];

for (const how of WRONG) {
  Deno.test(`nobody enters by a line that is signed ${how}`, async () => {
    const [server, ana] = await SealedServer.founded();
    await using _server = server;
    const invite = await server.invite(ana);
    const other = await server.invite(ana);
    const ben = await somebody("ben");
    const client = await server.by(invite, ben);
    await followed(client);
    const signer = how === "by another" ? await somebody("eve") : ben;
    const self = how === "by another invite" ? other.self : invite.self;
    const enter = await server.entering(signer, { ...invite, self }, "ben");
    const name = how === "under another name" ? "ben2" : "ben";
    await client.send(enter, joinEvent(ben, name));
    assertEquals((await client.until("refused")).reason, "control-wrong");
    assertEquals(server.membership.members.size, 1);
    assertEquals(server.setup.people.persons.size, 1);
  });
}

Deno.test("the key under which control lines come is for those alone who are told just these", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana, { uses: 9 });
  const told = async (name: string) => {
    const client = await server.by(invite, await somebody(name));
    await followed(client);
    const keys = client.of("sharing").map(({ key }) => key);
    return { keys, lines: client.of("past").length };
  };
  const [ben, cleo] = [await told("ben"), await told("cleo")];
  assertEquals([ben.lines, ben.keys.length], [2, 1]);
  assertEquals(cleo, ben);
  await server.rekey(ana);
  const dora = await told("dora");
  assertEquals([dora.lines, dora.keys.length], [3, 1]);
  assert(dora.keys[0] !== ben.keys[0]);
});

Deno.test("an invite lets in as many as it says, also of those who come in the same instant", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana, { uses: 2 });
  const names = ["ben", "cleo", "dora"];
  const clients = await Promise.all(names.map(async (name) => {
    const who = await somebody(name);
    const client = await server.by(invite, who);
    await followed(client);
    return { who, client, enter: await server.entering(who, invite, name) };
  }));
  await Promise.all(
    clients.map(({ who, client, enter }, at) =>
      client.send(enter, joinEvent(who, names[at] ?? ""))
    ),
  );
  await Promise.all(clients.map(({ client }) => quiet(client)));
  const refused = clients.flatMap(({ client }) => client.of("refused"));
  assertEquals(refused.map(({ reason }) => reason), ["invite-used"]);
  assertEquals(server.membership.members.size, 3);
});

Deno.test("who is removed is sent away on all connections, is told nothing more, and comes back neither by its key nor by its link", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana, { uses: 9 });
  const ben = await server.enter(invite, "ben");
  const again = await server.back(ben.who, "ben");
  assertEquals(await server.rekey(ana, { removed: [ben.who.full] }), undefined);
  for (const { client } of [ben, again]) {
    assertEquals((await client.until("bye")).reason, "removed");
    await client.ended;
    assertEquals(
      client.of("ruled").filter(({ text }) => text.startsWith("keys")),
      [],
    );
  }
  const byKey = await server.byKey(ben.who);
  assertEquals(await followed(byKey), "removed");
  await byKey.send(joinEvent(ben.who, "ben"));
  assertEquals(byKey.of("past"), []);
  for (const who of [ben.who, await somebody("eve")]) {
    await assertRejects(() => server.by(invite, who), HandshakeError);
  }
});

Deno.test("a removed person may come again by another invite, a barred one may not until it is freed", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const { full } = ben.who;
  await server.rekey(ana, { removed: [full] });
  await ben.client.ended;
  const back = await server.bring(ana, "ben");
  assertEquals(back.client.of("welcome")[0]?.name, "ben");
  await server.rekey(ana, { removed: [full], barred: [full] });
  await back.client.ended;
  const invite = await server.invite(ana, { uses: 9 });
  const barred = await server.by(invite, ben.who);
  assertEquals(await followed(barred), "removed");
  await server.rekey(ana, { freed: [full] });
  const freed = await server.enter(invite, "ben");
  assertEquals(freed.client.of("welcome").length, 1);
});

Deno.test("who is removed between following and joining is refused", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const client = await server.byKey(ben.who);
  await followed(client);
  await server.rekey(ana, { removed: [ben.who.full] });
  await client.send(joinEvent(ben.who, "ben"));
  assertEquals((await client.until("refused")).reason, "removed");
});

Deno.test("who comes in the batch in which it is removed is let in, and sent away by the next", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const again = await server.byKey(ben.who);
  await followed(again);
  const removal = { removed: [ben.who.full] };
  const [, wraps, rule] = await server.rekeying(ana, removal);
  const go = holdLog(server);
  await ana.client.send(...wraps, await server.seal(ana, 1, "holds it"));
  await quiet(ana.client);
  const asked = server.asked();
  await again.send(joinEvent(ben.who, "ben"));
  await asked;
  await ana.client.send(rule);
  await quiet(ana.client);
  go();
  for (const client of [again, ben.client]) {
    assertEquals((await client.until("bye")).reason, "removed");
  }
  assertEquals(again.of("welcome").length, 1);
  assertEquals(server.membership.members.size, 1);
  assertEquals((await server.log()).slice(-2), [["ruled", "keys"], [
    "left",
    "removed",
  ]]);
});

Deno.test("in an open room nothing is sealed, and in a sealed one nothing is said openly", async () => {
  await using open = await Setup.create();
  const ana = await open.connect();
  await ana.send({ kind: "follow", after: 0 });
  assertEquals((await ana.until("refused")).reason, "not-sealed");
  await ana.join("ana");
  await ana.send({ kind: "seal", n: 1, text: "0.AAAA" });
  await assertThrownOut(ana);
  const zoe = await open.connect();
  await zoe.join("zoe");
  await zoe.send({ kind: "need", e: 0 });
  await assertThrownOut(zoe);
  const [server, ben] = await SealedServer.founded();
  await using _server = server;
  await ben.client.send(say(1));
  await assertThrownOut(ben.client);
});

Deno.test("a guest that follows and never joins is sent away after 30 s, however often it follows", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana);
  const client = await server.by(invite, await somebody("ben"));
  await followed(client);
  tick(client, 20);
  await followed(client);
  tick(client, 11);
  assertEquals((await client.until("bye")).reason, "late");
});

Deno.test("who follows from a line on that is still to come is told nothing but where the lines end", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const client = await server.byKey(ana.who);
  assertEquals(await followed(client, 1_000), server.membership.seq);
  assertEquals(client.of("past"), []);
});

Deno.test("a guest follows 16 times at most", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const client = await server.by(await server.invite(ana), await somebody("b"));
  for (let time = 0; time < 16; time++) await followed(client);
  await client.send({ kind: "follow", after: 0 });
  await assertThrownOut(client);
});
