/**
 * Tests of `src/server/roster.ts`: each change, and that it can be taken back.
 *
 * @module
 */

import type { Member, Seat } from "../../../src/server/batch.ts";
import { OTHERS_GUEST } from "../../../src/server/cluster/items.ts";
import { Roster } from "../../../src/server/roster.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUp, newStay, openPeople } from "../../kit/people.ts";
import { nameOf } from "../../kit/room_setup.ts";

/** A roster with ana, who is in by three connections. */
async function setUp(stack: AsyncDisposableStack) {
  const folder = stack.use(await Folder.make());
  const people = stack.use(openPeople(folder.file("chat.people")));
  const { person } = people.enrol(madeUp("ana"), 0, 0);
  const times = { since: 0, active: 0, away: "" };
  const member: Member = { person, name: nameOf("ana"), seats: [], ...times };
  const roster = new Roster();
  roster.add(member);
  const seat = (id: number, server: string): Seat => {
    const stay = newStay();
    return { id, member, guest: OTHERS_GUEST, stay, server, n: 0 };
  };
  const seats = [seat(3, "a"), seat(2, "b"), seat(1, "a")];
  for (const it of seats) roster.take(it);
  return { roster, member, person, seats, seat };
}

/** The ids of a member's connections, in their order. */
const idsOf = ({ seats }: Member) => seats.map(({ id }) => id);

Deno.test("Roster.take() and vacate() give connections their places, and take that back", async () => {
  await using stack = new AsyncDisposableStack();
  const { roster, member, seats: [first, second], seat } = await setUp(stack);
  assert(first && second);
  const another = seat(9, "a");
  const undoTake = roster.take(another);
  assertEquals([idsOf(member), roster.seat(9)], [[3, 2, 1, 9], another]);
  const undoVacate = roster.vacate(second);
  assertEquals([roster.has(second), roster.seat(2)], [false, undefined]);
  assertEquals(idsOf(member), [3, 1, 9]);
  undoVacate();
  assertEquals([roster.has(second), roster.seat(2)], [true, second]);
  assertEquals(idsOf(member), [3, 2, 1, 9]);
  undoTake();
  assertEquals([roster.has(another), roster.seat(9)], [false, undefined]);
  assertEquals(idsOf(member), [3, 2, 1]);
});

Deno.test("Roster.seatsBy() has a person's connections, and none of who isn't in", async () => {
  await using stack = new AsyncDisposableStack();
  const { roster, member, person, seats } = await setUp(stack);
  assertEquals(roster.seatsBy(person), seats);
  roster.remove(member);
  assertEquals([roster.seatsBy(person), roster.seatsBy(undefined)], [[], []]);
});

Deno.test("Roster.seatsOf() has the connections of a server alone, by their ids", async () => {
  await using stack = new AsyncDisposableStack();
  const { roster } = await setUp(stack);
  const ids = ["a", "b", "c"].map((server) =>
    roster.seatsOf(server).map(({ id }) => id)
  );
  assertEquals(ids, [[1, 3], [2], []]);
});

Deno.test("Roster.add(), remove() and rename() can be taken back", async () => {
  await using stack = new AsyncDisposableStack();
  const { roster, member, person, seats: [first] } = await setUp(stack);
  assert(first);
  const undoRemove = roster.remove(member);
  assertEquals([roster.size, roster.of(person)], [0, undefined]);
  assertEquals([[...roster], roster.has(first)], [[], false]);
  const other: Member = { ...member, seats: [] };
  const undoAdd = roster.add(other);
  assertEquals([roster.size, roster.of(person)], [1, other]);
  assertEquals(roster.has(first), false); // whose member is none any more
  undoAdd();
  assertEquals(roster.size, 0);
  undoRemove();
  assertEquals([[...roster], roster.has(first)], [[member], true]);
  const undoRename = roster.rename(member, nameOf("anna"));
  assertEquals(member.name.shown, "anna");
  undoRename();
  assertEquals(member.name.shown, "ana");
});
