/**
 * Persons by themselves: by what they are found, until when they are banned, and how often they may speak.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { readCard } from "../../../../src/crypto/identity.ts";
import { fullId, shortId } from "../../../../src/crypto/person_id.ts";
import type {
  Happening,
  HappeningOf,
} from "../../../../src/server/people/happening.ts";
import {
  banEnd,
  type Candidate,
  isTooSoon,
  type Person,
  term,
} from "../../../../src/server/people/person.ts";
import { Persons } from "../../../../src/server/people/persons.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { withMethod } from "../../../kit/log_kit.ts";
import { newIdentity } from "../../../kit/people.ts";

const START = Date.UTC(2026, 10, 23);
const DAY = 86_400_000;
const BY = { by: "", at: START };

const [ANA, BEN, EVE] = await Promise.all(
  [7, 8, 9].map(async (invite): Promise<Candidate> => {
    const { id, card } = await newIdentity();
    const key = toBase64url(readCard(card).noiseKey);
    return { id: fullId(id), key, card: toBase64url(card), invite };
  }),
) as [Candidate, Candidate, Candidate];

/** Ana and ben, at a time that stands still. */
function pair(now = () => START): [Persons, Person, Person] {
  const persons = new Persons(now);
  const [ana, ben] = [ANA, BEN].map((it, at) =>
    persons.enrol(it, at, START).person
  );
  assert(ana && ben);
  return [persons, ana, ben];
}

/** By what somebody is found: its id, its key and its short id. */
function found(persons: Persons, { id, key }: Candidate) {
  return [persons.find(id), persons.byKey(key), persons.byShort(shortId(id))];
}

/** The line by which somebody came. */
function came({ id, card, invite }: Candidate): HappeningOf<"person"> {
  return { kind: "person", id, card, from: 3, invite, at: START };
}

Deno.test("Persons finds somebody by id, key and short id, and by none of them once that was taken back, or all are forgotten", () => {
  const [persons, ana] = pair();
  const { person, undo, happenings } = persons.enrol(EVE, 3, START);
  assertEquals(happenings, [came(EVE)]);
  assertEquals(persons.size, 3);
  assertEquals(found(persons, EVE), [person, person, person]);
  undo();
  const nobody = [undefined, undefined, undefined];
  assertEquals(found(persons, EVE), nobody);
  assertEquals(persons.size, 2);
  assertEquals(found(persons, ANA), [ana, ana, ana]);
  persons.apply(came(EVE));
  assertEquals(found(persons, EVE), [person, person, person]);
  persons.apply({ ...came(ANA), from: 99 }); // which is there already
  assert(found(persons, ANA).every((it) => it === ana));
  persons.clear();
  for (const it of [ANA, BEN, EVE]) assertEquals(found(persons, it), nobody);
  assertEquals(persons.size, 0);
});

Deno.test("Persons takes over what happens to somebody, and nothing about nobody", () => {
  let now = START;
  const [persons, ana, ben] = pair(() => now);
  const whose = { person: ana.id };
  const states: unknown[] = [];
  const happenings: Parameters<Persons["apply"]>[0][] = [
    { kind: "there", ...whose, at: START + DAY },
    { kind: "banned", ...whose, until: START + 9, ...BY },
    { kind: "banned", ...whose, until: null, ...BY },
    { kind: "operator", ...whose, is: true },
    { kind: "unbanned", ...whose },
    { kind: "operator", ...whose, is: false },
  ];
  for (const it of happenings) {
    persons.apply({ ...it, person: "nobody" } as typeof it);
    persons.apply(it);
    const { there, bannedUntil, isOperator } = ana;
    states.push([
      there - START,
      bannedUntil,
      isOperator,
      persons.isBanned(ana),
    ]);
  }
  assertEquals(states, [
    [DAY, 0, false, false],
    [DAY, START + 9, false, true],
    [DAY, Infinity, false, true],
    [DAY, Infinity, true, true],
    [DAY, 0, true, false],
    [DAY, 0, false, false],
  ]);
  persons.apply({ kind: "banned", person: ben.id, until: START + 9, ...BY });
  assertEquals(persons.banned, [ben]);
  now = START + 9;
  assertEquals(persons.banned, []);
});

Deno.test("Persons.isLastOperator() is so of an operator beside whom there is none", () => {
  const [persons, ana, ben] = pair();
  const last = () => [ana, ben].map((it) => persons.isLastOperator(it));
  assertEquals(last(), [false, false]);
  ana.isOperator = true;
  assertEquals(last(), [true, false]);
  ben.isOperator = true;
  assertEquals(last(), [false, false]);
  persons.enrol(EVE, 3, START); // who is none
  assertEquals(last(), [false, false]);
});

Deno.test("Persons.saw() can be taken back, and Persons.limitFrom() tells whether that changes anything", () => {
  const [persons, ana] = pair();
  const { happenings, undo } = persons.saw(ana, START + DAY);
  assertEquals(happenings, [{
    kind: "there",
    person: ana.id,
    at: START + DAY,
  }]);
  undo();
  assertEquals(ana.there, START);
  assertEquals([2, 1, 0, 0].map((head) => persons.limitFrom(head)), [
    ...[false, false, true, false],
  ]);
});

Deno.test("Persons.summary() says of each what counts, with when it came first", () => {
  const [persons, ana, ben] = pair();
  ana.isOperator = true;
  ben.bannedUntil = Infinity;
  const all: Happening[] = [
    { ...came(ANA), at: 1, from: 50 },
    { kind: "name", person: ana.id, name: "ana", since: 1 },
    { ...came(BEN), at: 2 },
    { ...came(EVE), at: 3 },
  ];
  const there = { kind: "there", at: START };
  assertEquals<unknown>([...persons.summary(all)], [
    { ...came(ANA), at: 1, from: 0 },
    { ...came(BEN), at: 2, from: 1 },
    { ...came(EVE), at: 3 },
    { ...there, person: ana.id },
    { kind: "operator", person: ana.id, is: true },
    { ...there, person: ben.id },
    { kind: "banned", person: ben.id, until: null, ...BY },
  ]);
  ben.bannedUntil = START + 1;
  assertEquals(banEnd(ben), START + 1);
  const kinds = () => [...persons.summary([])].map(({ kind }) => kind);
  assertEquals(kinds(), ["there", "operator", "there", "banned"]);
  ben.bannedUntil = START; // over
  assertEquals(kinds(), ["there", "operator", "there"]);
});

Deno.test("a term is said to the minute", () => {
  assertEquals(term(null), "without an end");
  assertEquals(term(START + 59_999), "until 2026-11-23 00:00 UTC");
});

Deno.test("a member speaks too soon until slow mode's seconds are over since its last line that wasn't", async () => {
  const [, ana] = pair();
  let now = 5;
  const soon = (seconds: number) => isTooSoon(ana, seconds);
  await withMethod(performance, "now", () => () => now, () => {
    assertEquals([soon(10), soon(10)], [false, true]);
    now = 10_004;
    assertEquals(soon(10), true);
    now = 10_005;
    assertEquals(soon(10), false); // what came too soon didn't count
    assertEquals([soon(0), soon(10)], [false, true]);
    now = 15_005;
    assertEquals([soon(0), soon(10)], [false, true]); // what was said without slow mode counts
    return Promise.resolve();
  });
});
