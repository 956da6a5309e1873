/**
 * The document of the rooms that are known, as others may have written it.
 *
 * @module
 */

import { randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { roomsIn, withRooms } from "../../../src/client/known_rooms.ts";
import { assertEquals } from "../../kit/assert.ts";

const VALUE = randomBytes(32);
const SEEN = { seq: 0, value: toBase64url(VALUE) };
const FULL = {
  address: "a:1",
  others: ["b:2"],
  sealed: "ROOM",
  people: { ann: { id: "A", verified: true }, ben: { id: "B" } },
  seen: SEEN,
  last: 3_600_000,
};

/** The one room of a document that has it as it is given. */
const roomIn = (room: unknown) => roomsIn({ rooms: { KEY: room } }).get("KEY");

Deno.test("withRooms() and roomsIn() keep all that is known of rooms, in their order, and what else a document has", () => {
  const bare = { address: "b:2", people: {} };
  const document = { later: 1, rooms: { Z: FULL, A: bare } };
  const rooms = roomsIn(document);
  assertEquals([...rooms.keys()], ["Z", "A"]);
  assertEquals(rooms.get("Z"), {
    ...FULL,
    people: new Map(Object.entries(FULL.people)),
    seen: { seq: 0, value: VALUE },
  });
  assertEquals(rooms.get("A"), {
    address: "b:2",
    people: new Map(),
    seen: undefined,
  });
  const written = JSON.parse(JSON.stringify(withRooms(rooms, document)));
  assertEquals(written, document);
  assertEquals(Object.keys(written.rooms), ["Z", "A"]);
  assertEquals(withRooms(new Map()), { rooms: {} });
});

Deno.test("roomsIn() has no rooms from a document without any, and none without an address", () => {
  assertEquals(roomsIn().size, 0);
  for (const rooms of [undefined, null, 7, "rooms", [], [null], [{}]]) {
    assertEquals(roomsIn({ rooms }).size, 0);
  }
  for (const room of [null, "a:1", 7, {}, { ...FULL, address: 7 }]) {
    assertEquals(roomIn(room), undefined);
  }
});

Deno.test("roomsIn() leaves out of a room what can't be", () => {
  const cases: [part: Record<string, unknown>, left?: unknown][] = [
    [{ others: "b:2" }],
    [{ others: ["b:2", 7, null] }, ["b:2"]],
    [{ sealed: 7 }],
    [{ sealed: true }],
    [{ last: "1" }],
    [{ last: 0.5 }],
    [{ seen: null }],
    [{ seen: "1" }],
    ...[-1, 0.5, "0", null].map((seq): [Record<string, unknown>] => [
      { seen: { ...SEEN, seq } },
    ]),
    ...[
      "",
      7,
      [SEEN.value],
      `${SEEN.value}A`,
      `A${SEEN.value}`,
      SEEN.value.slice(1),
      "?"
        .repeat(43),
    ].map((value): [Record<string, unknown>] => [
      { seen: { ...SEEN, value } },
    ]),
  ];
  for (const [part, left] of cases) {
    const [name = ""] = Object.keys(part);
    const room = { ...roomIn({ ...FULL, ...part }) };
    assertEquals(room[name as keyof typeof room], left, JSON.stringify(part));
    assertEquals(room.address, "a:1");
  }
  for (const people of [null, 7, { ann: null, ben: "B", cem: { id: 7 } }]) {
    assertEquals(roomIn({ ...FULL, people })?.people.size, 0);
  }
  const people = { ANN: { id: "A", verified: "yes" }, x: { id: "X" } };
  assertEquals(
    [...roomIn({ ...FULL, people })?.people ?? []],
    [["ann", { id: "A" }], ["x", { id: "X" }]],
  );
});
