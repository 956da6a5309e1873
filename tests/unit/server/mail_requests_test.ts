/**
 * What a server does with private messages: whom it tells, what it answers, and what it shows of persons.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import type { Identity } from "../../../src/crypto/identity.ts";
import { fullId, shortId, spokenId } from "../../../src/crypto/person_id.ts";
import type { Event } from "../../../src/protocol/events.ts";
import {
  type MailRequest,
  MailRequests,
} from "../../../src/server/mail_requests.ts";
import { Mailbox, type Posted } from "../../../src/server/mailbox.ts";
import { Allowance, Purse } from "../../../src/server/rate_limits.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { Setup as RoomSetup } from "../../kit/room_setup.ts";
import { type Client, letterTo, Setup } from "../../kit/connection_setup.ts";
import { quiet } from "../../kit/room_client.ts";
import { madeUpId } from "../../kit/people.ts";

const COLLECT: Event = { kind: "collect", after: null };

/** Somebody who joins and wants letters. */
async function enter(
  setup: Setup,
  name: string,
  identity?: Identity,
): Promise<Client> {
  const client = await setup.connect(identity);
  await client.join(name);
  await client.send(COLLECT);
  await quiet(client);
  return client;
}

function idOf({ identity }: Client): string {
  return fullId(identity.id);
}

async function stateOf(
  client: Client,
  event: Event<"private">,
): Promise<string> {
  await client.send(event);
  return (await client.until("privately", ({ n }) => n === event.n)).state;
}

Deno.test("a private message goes to all connections of both persons, and to nobody else", async () => {
  await using setup = await Setup.create();
  const ana = await enter(setup, "ana");
  const ana2 = await enter(setup, "ana", ana.identity);
  const bo = await enter(setup, "bo");
  const bo2 = await enter(setup, "bo", bo.identity);
  const eve = await enter(setup, "eve");
  const { data } = letterTo("");
  const event = { ...letterTo(idOf(bo)), own: "o".repeat(1_856) };
  assertEquals(await stateOf(ana, event), "delivered");
  for (const client of [ana, ana2, bo, bo2, eve]) await quiet(client);
  const heard = (client: Client) =>
    client.of("letter").map(({ from, data }) => [from, data]);
  const [from] = [idOf(ana)];
  assertEquals(heard(bo), [[from, data]]);
  assertEquals(heard(bo2), [[from, data]]);
  assertEquals(heard(ana2), [[from, event.own]]);
  assertEquals([heard(ana), heard(eve)], [[], []]);
  const lines = await setup.logged();
  assertEquals(lines.map(([, what]) => what), ["joined", "joined", "joined"]);
});

Deno.test("who is away has a private message when it comes and asks for it, until it says that it has it", async () => {
  await using setup = await Setup.create();
  const ana = await enter(setup, "ana");
  const bo = await enter(setup, "bo");
  bo.channel.close();
  await bo.served;
  assertEquals(await stateOf(ana, letterTo(idOf(bo))), "waiting");
  const silent = await setup.connect(bo.identity);
  await silent.join("bo");
  await quiet(silent);
  assertEquals(silent.of("letter"), []); // it hasn't asked
  const back = await enter(setup, "bo", bo.identity);
  const letter = await back.until("letter");
  await back.send({ kind: "got", id: letter.id });
  await quiet(back);
  const later = await enter(setup, "bo", bo.identity);
  assertEquals(later.of("letter"), []);
  await later.send({ kind: "collect", after: 0 });
  assertEquals(await later.until("letter"), letter);
});

Deno.test("nobody takes another's letters, or says that another has them", async () => {
  await using setup = await Setup.create();
  const ana = await enter(setup, "ana");
  const bo = await enter(setup, "bo");
  bo.channel.close();
  await bo.served;
  await stateOf(ana, letterTo(idOf(bo)));
  const eve = await enter(setup, "eve");
  await eve.send(
    { kind: "collect", after: 0 },
    { kind: "got", id: Number.MAX_SAFE_INTEGER },
  );
  await quiet(eve);
  assertEquals(eve.of("letter"), []);
  const back = await enter(setup, "bo", bo.identity);
  assertEquals(back.of("letter").length, 1);
});

Deno.test("a private message to nobody, to oneself or to somebody who is banned is refused", async () => {
  await using setup = await Setup.create();
  const ana = await enter(setup, "ana");
  const bo = await enter(setup, "bo");
  const refused = async (n: number, to: string) =>
    await stateOf(ana, letterTo(to, n));
  assertEquals(await refused(1, madeUpId("nobody")), "nobody-known");
  assertEquals(await refused(2, idOf(ana)), "private-self");
  const person = setup.people.persons.find(idOf(bo));
  if (person) setup.people.ban(person, null, "");
  assertEquals(await refused(3, idOf(bo)), "person-banned");
});

Deno.test("look finds a person's card by its name, by one that it had, and by its id, also when it is away", async () => {
  await using setup = await Setup.create();
  const bo = await enter(setup, "bo");
  await bo.send({ kind: "rename", name: "bob" });
  await bo.until("renamed");
  bo.channel.close();
  await bo.served;
  const ana = await enter(setup, "ana");
  const short = shortId(idOf(bo));
  const card = toBase64url(bo.identity.card);
  const all = ["bob", "BO", short, spokenId(short)];
  for (const [id, who] of all.entries()) {
    await ana.send({ kind: "look", id, who });
    const answer = await ana.until("card", (it) => it.id === id);
    assertEquals(answer, { kind: "card", id, name: "bob", card });
  }
  const nobody = ["eve", "", "two words", madeUpId("eve"), idOf(bo)];
  for (const [id, who] of nobody.entries()) {
    await ana.send({ kind: "look", id, who });
    await ana.until("nobody", (it) => it.id === id);
  }
});

Deno.test("who has left is told of nothing any more", async () => {
  await using setup = await Setup.create();
  const ana = await enter(setup, "ana");
  const bo = await enter(setup, "bo");
  await bo.send({ kind: "bye", reason: "left" });
  await bo.served;
  assertEquals(await stateOf(ana, letterTo(idOf(bo))), "waiting");
  assertEquals(bo.of("letter"), []);
});

// ── What they cost, and how many wait ──────────────────────────────────────────────────────────────────

/** A member's requests, in a room with a mailbox, and what its client is told. */
async function requestsOf(stack: AsyncDisposableStack) {
  const folder = stack.use(await Folder.make());
  const mailbox = stack.use(Mailbox.open(folder.file("chat.waiting")));
  const setup = stack.use(await RoomSetup.create({ mailbox }));
  const { seat } = await setup.join("ana");
  const bo = await setup.join("bo");
  const rates = { burst: 1, perSecond: 1, bytesPerMessage: 1 };
  const allowance = new Allowance(new Purse(rates, () => 0));
  const told: Event[] = [];
  const client = { tell: (...events: Event[]) => void told.push(...events) };
  const { people, room } = setup;
  const options = { people, room, mailbox, allowance };
  const requests = new MailRequests(client, options);
  return { requests, allowance, mailbox, room, seat, bo, told };
}

Deno.test("each request about private messages costs as much as 20 lines, and letters a line more for each 1,024 characters", async () => {
  await using stack = new AsyncDisposableStack();
  const { requests, allowance, mailbox, seat, bo, room } = await requestsOf(
    stack,
  );
  const got: number[] = [];
  room.got = (_person, id) => void got.push(id);
  const to = seat.member.person.id;
  const from = bo.seat.member.person.id;
  const words = { from, to, stay: bo.seat.stay, own: "own" };
  const told = { tell() {} };
  const post = (n: number, length: number) =>
    mailbox.post({ ...words, n, data: "A".repeat(length) }, told, Date.now());
  let before = 0;
  const cost = async (event: MailRequest) => {
    await requests.carryOut(seat, event);
    const spent = allowance.settle(0) / 1_000 + 1; // one is free
    const more = spent - before;
    before = spent;
    return more;
  };
  assertEquals(await cost({ kind: "look", id: 1, who: "bo" }), 20);
  assertEquals(await cost({ kind: "got", id: 1 }), 20);
  assertEquals(await cost({ kind: "collect", after: null }), 20);
  post(1, 1_024);
  assertEquals(await cost({ kind: "collect", after: null }), 21);
  post(2, 1);
  assertEquals(await cost({ kind: "collect", after: null }), 22);
  assertEquals(got, []); // there was nothing that it could have taken
  await cost({ kind: "got", id: Number.MAX_SAFE_INTEGER });
  assertEquals(got, [Number.MAX_SAFE_INTEGER]);
});

Deno.test("64 private messages of a client wait for their place in the room's order, and the next until one has its own, or the client leaves", async () => {
  await using stack = new AsyncDisposableStack();
  const { requests, room, seat, bo, told } = await requestsOf(stack);
  const answers: ((posted: Posted) => void)[] = [];
  room.post = (_seat, _posting, posted) => void answers.push(posted);
  const to = bo.seat.member.person.id;
  const post = (n: number) =>
    requests.carryOut(seat, { kind: "private", n, to, data: "A", own: "B" });
  for (let n = 1; n <= 64; n++) assertEquals(await post(n), []);
  const waiting = post(65);
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  assertEquals(answers.length, 64);
  answers[0]?.("waiting");
  assertEquals(await waiting, []);
  assertEquals(answers.length, 65);
  assertEquals(told, [{ kind: "privately", n: 1, state: "waiting" }]);
  const last = post(66);
  requests.leave(seat);
  assertEquals(await last, []);
  answers[1]?.("delivered");
  assertEquals([answers.length, told.length], [65, 1]);
});
