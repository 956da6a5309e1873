/**
 * Who is in the room, by what a client is told, and which numbers lines have.
 *
 * @module
 */

import { LineNumbers } from "../../../src/client/line_numbers.ts";
import { Members } from "../../../src/client/members.ts";
import { type Event, EventError } from "../../../src/protocol/events.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";
import { madeUpId, madeUpPerson, madeUpStay } from "../../kit/people.ts";

const [ANA, BEN] = ["ana", "ben"].map((name) => ({
  name,
  person: madeUpId(name),
  stay: madeUpStay(name),
})) as [Who, Who];
type Who = { name: string; person: string; stay: string };

const TIMES = { since: 10, active: 20, away: "lunch" };
const STAY = madeUpStay("another");

/** Ana by connections 1 and 3, and Ben by 2; the client is Ana's, by 1. */
function setUp(): Members {
  const members = new Members();
  members.met({ kind: "here", id: 1, ...ANA, ...TIMES });
  members.met({ kind: "here", id: 2, ...BEN, ...TIMES });
  members.beside({ kind: "beside", id: 3, of: 1, stay: STAY });
  members.entered(1);
  return members;
}

/** Who is there, by how many connections. */
const present = (members: Members) =>
  members.present.map(({ name, connections }) => [name, connections]);

const said = (id: number): Event => ({ kind: "said", id, n: 7, text: "x" });
const left = (id: number): Event => ({
  kind: "left",
  id,
  n: 8,
  reason: "lost",
});

Deno.test("Members are who was there, each once, with when they came, spoke and went away", () => {
  const members = setUp();
  assertEquals(members.present, [
    {
      id: ANA.person,
      person: madeUpPerson("ana"),
      connections: 2,
      name: "ana",
      ...TIMES,
    },
    {
      id: BEN.person,
      person: madeUpPerson("ben"),
      connections: 1,
      name: "ben",
      ...TIMES,
    },
  ]);
  assertEquals(members.count, 2);
  const ben = members.absent({ kind: "absent", id: 2, text: "" });
  assertEquals([ben.name, ben.away], ["ben", ""]);
  assertEquals(members.find(said(2)), ben);
});

Deno.test("Members are theirs whose connection does something, and own by any of the person's", () => {
  const members = setUp();
  assertEquals([1, 2, 3, 4].map((id) => members.isOwn(said(id))), [
    true,
    false,
    true,
    false,
  ]);
  const names = [1, 2, 3, 4].map((id) => members.find(said(id))?.name);
  assertEquals(names, ["ana", "ben", "ana", undefined]);
  const ruled = { kind: "ruled", ...BEN, n: 1, text: "" } as const;
  assertEquals([members.isOwn(ruled), members.find(ruled)], [false, undefined]);
  assertEquals(new Members().isOwn(said(1)), false);
});

Deno.test("Members.line() names who spoke, by the name and stay that they had, and takes in what it changes", () => {
  const members = setUp();
  const line = (event: Event, at: number) => members.line(event, 5, at);
  const common = { seq: 5, n: 7, to: null };
  assertEquals(line(said(3), 30), {
    ...common,
    at: 30,
    name: "ana",
    person: madeUpPerson("ana"),
    stay: STAY,
    what: "said",
    text: "x",
  });
  const renamed = line({ kind: "renamed", id: 2, n: 7, name: "benny" }, 40);
  assertEquals([renamed.name, renamed.text], ["ben", "benny"]);
  const cem = { name: "cem", person: madeUpId("cem"), stay: madeUpStay("cem") };
  assertEquals(line({ kind: "joined", id: 4, n: 0, ...cem }, 50).name, "cem");
  assertEquals(
    members.present.map((
      { name, since, active, away },
    ) => [name, since, active, away]),
    [["ana", 10, 30, "lunch"], ["benny", 10, 20, "lunch"], ["cem", 50, 50, ""]],
  );
  const { name, stay } = BEN;
  const rest = { name, stay };
  const ruled = {
    kind: "ruled",
    ...rest,
    person: madeUpPerson("ben"),
    n: 7,
    text: "r",
  } as const;
  assertEquals(line(ruled, 60), {
    ...common,
    at: 60,
    ...rest,
    person: madeUpPerson("ben"),
    what: "ruled",
    text: "r",
  });
  assertEquals([members.count, members.find(said(2))?.active], [3, 20]);
});

Deno.test("Members are there until their last connection has ended, also where others of it end after that is told", () => {
  const members = setUp();
  members.parted({ kind: "parted", id: 3 });
  assertEquals(present(members), [["ana", 1], ["ben", 1]]);
  members.parted({ kind: "parted", id: 3 });
  assertEquals(present(members), [["ana", 1], ["ben", 1]]);
  for (const [id, of] of [[4, 2], [5, 2], [6, 1]] as const) {
    members.beside({ kind: "beside", id, of, stay: STAY });
  }
  assertEquals([present(members), members.count], [
    [["ana", 2], ["ben", 3]],
    2,
  ]);
  const { name, stay, text } = members.line(left(4), 9, 70);
  assertEquals([name, stay, text], ["ben", STAY, "lost"]);
  assertEquals([present(members), members.count], [[["ana", 2]], 1]);
  for (const id of [2, 5]) {
    assertEquals(members.find(said(id)), undefined);
    members.parted({ kind: "parted", id });
  }
  assertEquals(present(members), [["ana", 2]]);
  members.parted({ kind: "parted", id: 6 });
  members.line(left(1), 10, 80);
  assertEquals([members.present, members.count], [[], 0]);
});

Deno.test("Members take nothing of who isn't there, and nobody twice", () => {
  const members = setUp();
  const wrong: (() => unknown)[] = [
    () => members.met({ kind: "here", id: 1, ...BEN, ...TIMES }),
    () => members.beside({ kind: "beside", id: 5, of: 4, stay: STAY }),
    () => members.entered(4),
    () => members.absent({ kind: "absent", id: 4, text: "" }),
    () => members.line({ kind: "joined", id: 2, n: 0, ...ANA }, 5, 1),
    ...[said(4), left(4), { kind: "pong" } as const].map((event) => () =>
      members.line(event, 5, 1)
    ),
  ];
  for (const it of wrong) assertThrows(it, EventError, "Cannot");
  assertEquals([present(members), members.count], [
    [["ana", 2], ["ben", 1]],
    2,
  ]);
});

Deno.test("LineNumbers go on from heading to heading, and take nothing without one", () => {
  const numbers = new LineNumbers();
  const heading = (seq: number, at: number) =>
    numbers.announce({ kind: "batch", seq, at });
  numbers.startAfter(4);
  assertThrows(() => numbers.check(), EventError, "unnumbered");
  for (const seq of [4, 6]) {
    assertThrows(() => heading(seq, 1), EventError, "line 5 is missing");
  }
  assertThrows(() => numbers.check(), EventError, "unnumbered");
  heading(5, 100);
  numbers.check();
  assertEquals([numbers.next(), numbers.next()], [
    { seq: 5, at: 100 },
    { seq: 6, at: 100 },
  ]);
  heading(7, 200);
  numbers.check();
  assertEquals(numbers.next(), { seq: 7, at: 200 });
  numbers.startRecord();
  assertThrows(() => numbers.check(), EventError, "unnumbered");
});
