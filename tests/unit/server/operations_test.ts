/**
 * What operators do in an open room: by what their clients are answered, and what comes of it for others.
 *
 * @module
 */

import { fromBase64url, toBase64url } from "../../../crypto_utils.ts";
import { fullId, shortId, spokenId } from "../../../src/crypto/person_id.ts";
import { admissionKey } from "../../../src/keys/invite.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { OPERATIONS } from "../../../src/protocol/reasons.ts";
import {
  banEnd,
  type Person,
  term,
} from "../../../src/server/people/person.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { type Client, ROOM_KEY, Setup } from "../../kit/connection_setup.ts";
import { joinEvent, newIdentity } from "../../kit/people.ts";

const DAY = 86_400_000;

// As docs/protocol.md has them.
const MAX_DAYS = 3_650;
const MAX_NOTE = 100;
const MAX_SLOW = 3_600;
const MAX_TOPIC = 256;
const MAX_USES = 10_000;

type Wish = Partial<Pick<Event<"operate">, "who" | "text" | "count">>;

/** A room with its operator ana, who came by its link, and ben. */
class Company implements AsyncDisposable {
  #id = 0;

  private constructor(
    readonly setup: Setup,
    readonly ana: Client,
    readonly ben: Client,
  ) {}

  static async create(): Promise<Company> {
    const setup = await Setup.create();
    const [ana, ben] = [await setup.connect(), await setup.connect()];
    await ana.join("ana");
    await ben.join("ben");
    const it = new Company(setup, ana, ben);
    setup.people.setOperator(it.person(ana), true);
    return it;
  }

  person({ identity }: Client): Person {
    const person = this.setup.people.persons.find(fullId(identity.id));
    assert(person);
    return person;
  }

  /** What a client is answered: sentences, refusals, and invites. */
  async ask(
    client: Client,
    what: string,
    { who = "", text = "", count = 0 }: Wish = {},
  ): Promise<(string | Event<"invited">)[]> {
    client.events.length = 0;
    const id = ++this.#id;
    await client.send({ kind: "operate", id, what, who, text, count });
    await client.until("answered", (it) => it.id === id);
    return client.events.flatMap<string | Event<"invited">>((it) => {
      if (it.kind === "notice") return [it.text];
      if (it.kind === "refused") return [it.reason];
      return it.kind === "invited" ? [it] : [];
    });
  }

  /** What ana is answered. */
  as(what: string, wish: Wish = {}) {
    return this.ask(this.ana, what, wish);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.setup[Symbol.asyncDispose]();
  }
}

/** How a client is shown. */
function shown({ identity }: Client, name: string): string {
  return `${name} (${spokenId(shortId(fullId(identity.id)))})`;
}

Deno.test("only operators operate, and only what there is", async () => {
  await using company = await Company.create();
  const { ben } = company;
  for (const what of OPERATIONS) {
    assertEquals(await company.ask(ben, what), ["not-operator"], what);
  }
  assertEquals(await company.as("dance"), ["operation-wrong"]);
});

Deno.test("operations refuse what is out of their bounds, and take what is just within", async () => {
  await using company = await Company.create();
  const { setup } = company;
  const wrong: readonly (readonly [string, Wish])[] = [
    ["invite", { count: 0 }],
    ["invite", { count: MAX_USES + 1 }],
    ["invite", { count: 1, who: "-1" }],
    ["invite", { count: 1, who: `${MAX_DAYS + 1}` }],
    ["invite", { count: 1, who: "Infinity" }],
    ["invite", { count: 1, who: "soon" }],
    ["invite", { count: 1, text: "x".repeat(MAX_NOTE + 1) }],
    ["revoke", { who: "99" }],
    ["ban", { who: "ben", count: MAX_DAYS + 1 }],
    ["topic", { text: "x".repeat(MAX_TOPIC + 1) }],
    ["slow", { count: MAX_SLOW + 1 }],
  ];
  for (const [what, wish] of wrong) {
    const words = `${what} ${JSON.stringify(wish)}`;
    assertEquals(await company.as(what, wish), ["operation-wrong"], words);
  }
  assertEquals(setup.people.access.openInvites, []);
  assertEquals(setup.people.settings, { topic: "", slow: 0 });
  assertEquals(company.person(company.ben).bannedUntil, 0);
  const topic = "x".repeat(MAX_TOPIC);
  assertEquals(await company.as("topic", { text: topic }), []);
  assertEquals(await company.as("slow", { count: MAX_SLOW }), []);
  await company.ben.until("room", (it) => it.slow === MAX_SLOW);
  assertEquals(setup.people.settings, { topic, slow: MAX_SLOW });
  const most = { count: MAX_USES, who: `${MAX_DAYS}` };
  const note = "x".repeat(MAX_NOTE);
  const [invite] = await company.as("invite", { ...most, text: note });
  assert(typeof invite === "object");
});

Deno.test("invite makes an invite with its uses, days and note, which others may list and revoke", async () => {
  await using company = await Company.create();
  const { setup } = company;
  assertEquals(await company.as("invites"), ["No invite is open"]);
  const before = setup.people.now();
  const [days] = await company.as("invite", {
    count: 3,
    who: "0.5",
    text: "band",
  });
  const after = setup.people.now();
  const [forGood] = await company.as("invite", { count: 1, who: "0" });
  assert(typeof days === "object" && typeof forGood === "object");
  const { id, secret, until, ...rest } = days;
  assertEquals(rest, {
    kind: "invited",
    address: "127.0.0.1:5000",
    uses: 3,
    note: "band",
  });
  assertEquals(fromBase64url(secret).length, 32);
  assert(until !== null && until >= before + DAY / 2);
  assert(until <= after + DAY / 2);
  assertEquals([forGood.until, forGood.uses, forGood.note], [null, 1, ""]);
  const endless = `Invite ${forGood.id}: 1 of 1 left, without an end`;
  const lines = new Map([
    [id, `Invite ${id} (band): 3 of 3 left, ${term(until)}`],
    [forGood.id, endless],
  ]);
  const open = setup.people.access.openInvites; // of one millisecond by their ids, which are drawn
  assertEquals(
    await company.as("invites"),
    open.map((it) => lines.get(it.id) ?? ""),
  );
  const { id: ana } = company.person(company.ana);
  assertEquals(open.map(({ by }) => by), [ana, ana]);
  assertEquals(await company.as("revoke", { who: `${id}` }), [
    `Invite ${id} opens the room to nobody any more`,
  ]);
  assertEquals(await company.as("invites"), [endless]);
  assertEquals(await company.as("revoke", { who: `${id}` }), [
    "operation-wrong",
  ]);
});

Deno.test("kick ends a person's connections, and it may come back; ban keeps it out until it is unbanned", async () => {
  await using company = await Company.create();
  const { setup, ana, ben } = company;
  const [name, words] = [shown(ben, "ben"), "removed by ana"];
  assertEquals(await company.as("bans"), ["Nobody is banned"]);
  const who = { who: "ben" };
  const kicked = `${name} was removed, and may come back`;
  assertEquals(await company.as("kick", who), [kicked]);
  assertEquals((await ben.until("bye")).reason, "removed");
  assertEquals((await ana.until("left")).reason, words);
  const again = await setup.connect(ben.identity);
  await again.join("ben");

  const [banned, link] = await company.as("ban", who);
  assertEquals(banned, `${name} is banned for good`);
  // Who knows the room's link could come by it as somebody else.
  assert(typeof link === "object");
  assertEquals(link, {
    kind: "invited",
    address: "127.0.0.1:5000",
    id: 0,
    secret: toBase64url(ROOM_KEY),
    uses: 0,
    until: null,
    note: "the room's new link; the old one lets nobody in",
  });
  assertEquals((await again.until("bye")).reason, "removed");
  assertEquals((await ana.until("left")).reason, words);
  const person = company.person(ben);
  assertEquals(banEnd(person), null);
  assertEquals(await company.as("bans"), [`${name} for good`]);
  const third = await setup.connect(ben.identity);
  await third.send(joinEvent(ben.identity, "ben"));
  const { reason, detail } = await third.until("refused");
  assertEquals([reason, detail], ["removed", ""]);

  assertEquals(await company.as("unban", who), [`${name} may come in again`]);
  assertEquals(await company.as("bans"), ["Nobody is banned"]);
  await third.join("ben");
  const before = setup.people.now();
  const [limited] = await company.as("ban", { ...who, count: MAX_DAYS });
  const end = banEnd(person) ?? 0;
  assert(end >= before + MAX_DAYS * DAY);
  assert(end <= setup.people.now() + MAX_DAYS * DAY);
  assertEquals(limited, `${name} is banned ${term(end)}`);
  assertEquals(await company.as("bans"), [`${name} ${term(end)}`]);
  const last = await setup.connect(ben.identity);
  await last.send(joinEvent(ben.identity, "ben"));
  assertEquals((await last.until("refused")).detail, term(end));
});

Deno.test("ban leaves the room's link as it is where a person came by an invite of its own, which is closed", async () => {
  await using company = await Company.create();
  const { setup } = company;
  const [invite] = await company.as("invite", { count: 2, who: "0" });
  assert(typeof invite === "object");
  const inviteKey = admissionKey(fromBase64url(invite.secret));
  const way = { inviteId: invite.id, inviteKey };
  const eve = await setup.connect(await newIdentity(), undefined, way);
  await eve.join("eve");
  assertEquals(await company.as("ban", { who: "eve" }), [
    `${shown(eve, "eve")} is banned for good`,
  ]);
  assertEquals(await company.as("invites"), ["No invite is open"]);
});

Deno.test("op and deop make operators and end that, but nobody ends the last one, or removes itself", async () => {
  await using company = await Company.create();
  const { ana, ben } = company;
  const [first, second] = [shown(ana, "ana"), shown(ben, "ben")];
  for (const what of ["kick", "ban"]) {
    const self = await company.as(what, { who: "ana" });
    assertEquals(self, ["operation-self"], what);
  }
  for (const what of ["kick", "ban", "unban", "op", "deop"]) {
    const nobody = await company.as(what, { who: "carla" });
    assertEquals(nobody, ["nobody-known"], what);
  }
  const deop = { who: "ana" };
  assertEquals(await company.as("op", deop), [`${first} is an operator now`]);
  assertEquals(await company.as("deop", deop), ["operator-last"]);
  assertEquals(await company.as("op", { who: "ben" }), [
    `${second} is an operator now`,
  ]);
  assertEquals(await company.ask(ben, "deop", deop), [
    `${first} is no operator any more`,
  ]);
  assertEquals(await company.as("bans"), ["not-operator"]);
  assertEquals(await company.ask(ben, "op", deop), [
    `${first} is an operator now`,
  ]);
});
