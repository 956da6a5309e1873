/**
 * Cards that a server tells, and by which names private messages are shown.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { Known } from "../../../../src/client/known.ts";
import { ServerCards } from "../../../../src/client/mail/cards.ts";
import { openMailRoom } from "../../../../src/client/mail/mail_room.ts";
import { nameOf } from "../../../../src/client/mail/naming.ts";
import { seenKey, unreadKey } from "../../../../src/client/mail/seen.ts";
import { spokenId } from "../../../../src/crypto/person_id.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { flipped } from "../../../kit/bytes.ts";
import { madeUpId, madeUpPerson, newStay } from "../../../kit/people.ts";
import { somebody } from "../../../kit/sealed_room.ts";

const [ana, bob] = await Promise.all([somebody("ana"), somebody("bob")]);

/** Cards, and what the server was asked. */
function setUp() {
  const asked: Event<"look">[] = [];
  const cards = new ServerCards((request) => void asked.push(request));
  const answer = (id: number, name: string, card: string) =>
    cards.heard({ kind: "card", id, name, card });
  return { asked, cards, answer };
}

Deno.test("ServerCards ask for a name each time, for an id once, and take the answer to each", async () => {
  const { asked, cards, answer } = setUp();
  const finding = ["ana", "ana", bob.short, "nobody"]
    .map((who) => cards.find(who));
  const again = cards.everFind(bob.short);
  assertEquals(asked.map(({ id, who }) => [id, who]), [
    ...[[1, "ana"], [2, "ana"], [3, bob.short], [4, "nobody"]],
  ]);
  cards.heard({ kind: "nobody", id: 99 }); // which wasn't asked
  cards.heard({ kind: "nobody", id: 4 });
  answer(3, "bob", bob.cardText);
  answer(2, "no name", ana.cardText);
  answer(1, "ana", ana.cardText);
  answer(1, "bob", bob.cardText); // a second one
  const found = await Promise.all([...finding, again]);
  const told = found.map((it) =>
    typeof it === "object" ? [it.name, it.id] : it
  );
  assertEquals(told, [
    ...[["ana", ana.full], ["", ana.full], ["bob", bob.full], undefined],
    ["bob", bob.full],
  ]);
  const [first] = found;
  assert(typeof first === "object");
  assertEquals(first.card.id, ana.id);
  assertEquals(await cards.find(bob.short), found[2]);
  assertEquals(asked.length, 4);
});

Deno.test("ServerCards take no card that nobody has signed, that is none, or that is of another id than was asked for", async () => {
  const forged = toBase64url(flipped(ana.card, ana.card.length - 1));
  for (
    const [who, card] of [
      ...[["ana", forged], ["ana", "AAAA"], ["ana", "!"]],
      [bob.short, ana.cardText],
    ]
  ) {
    const { cards, answer } = setUp();
    const finding = cards.find(who ?? "");
    answer(1, "ana", card ?? "");
    assertEquals(await finding, "wrong");
  }
});

Deno.test("ServerCards have no answer once the connection is gone", async () => {
  const { asked, cards } = setUp();
  const room = openMailRoom(
    { serverKey: ana.id, present: [] },
    (request) => void (request.kind === "look" && asked.push(request)),
  );
  const finding = [cards.find("ana"), cards.find("bob"), room.cards.find("x")];
  cards.close();
  room.close();
  assertEquals(await Promise.all(finding), [undefined, undefined, undefined]);
  const other = room.cards.find("y");
  const { id = 0 } = asked.at(-1) ?? {};
  room.heard({ kind: "nobody", id });
  assertEquals([await other, room.id, room.present], [undefined, ana.id, []]);
});

Deno.test("nameOf() calls somebody as in the room now, or as it was last, and by its id where that name is another's", async () => {
  const known = await Known.load(undefined, () => {});
  known.entered(ana.id, "chat.example:5000");
  const present = [{
    ...{ id: ana.full, person: ana.short, name: "anna" },
    ...{ since: 0, active: 0, away: "" },
  }] as unknown as Parameters<typeof nameOf>[0]["present"];
  const name = (id: string, last: string, by: Known | undefined = known) =>
    nameOf({ present }, by, { id, name: last });
  assertEquals(name(ana.full, "ana"), "anna");
  assertEquals(name(bob.full, ""), spokenId(bob.short));
  assertEquals(name(bob.full, "bob"), "bob");
  assertEquals(known.find("bob")?.id, bob.full);
  assertEquals(name(bob.full, "bob"), "bob");
  const eve = madeUpId("eve");
  assertEquals(name(eve, "bob"), spokenId(madeUpPerson("eve")));
  assertEquals(nameOf({ present }, undefined, { id: eve, name: "bob" }), "bob");
});

Deno.test("seenKey() and unreadKey() stand for one message to one person alone", () => {
  const message = { stay: newStay(), n: 1 };
  const keys = [
    seenKey(ana.full, bob.full, message),
    seenKey(bob.full, ana.full, message),
    seenKey(ana.full, ana.full, message),
    seenKey(ana.full, bob.full, { ...message, n: 2 }),
    seenKey(ana.full, bob.full, { ...message, stay: newStay() }),
    unreadKey(ana.full, bob.full, "AAAA"),
    unreadKey(bob.full, ana.full, "AAAA"),
    unreadKey(ana.full, bob.full, "AAAB"),
  ];
  assertEquals(new Set(keys).size, keys.length);
  for (const key of keys) assertEquals(key.length, 22);
  assertEquals(seenKey(ana.full, bob.full, message), keys[0]);
});
