/**
 * What a client of a sealed room is told of what doesn't fit.
 *
 * @module
 */

import { Doubts } from "../../../../src/client/sealed/doubts.ts";
import type { SealedRoom } from "../../../../src/client/sealed/sealed_room.ts";
import type { HeardLine } from "../../../../src/protocol/changes.ts";
import type { Warning } from "../../../../src/sealed/warnings.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { madeUpId, madeUpPerson } from "../../../kit/people.ts";
import { replaced } from "../../../kit/replaced.ts";
import { TestView } from "../../../kit/session_setup.ts";

const HOUR = 3_600_000;
const somebody = (name: string) => ({
  id: madeUpId(name),
  person: madeUpPerson(name),
  name,
});
const [ANA, BEN] = [somebody("ana"), somebody("ben")];

/** Doubts of a client in a room whose only member is ana. */
function setUp(backs: Warning[] = []) {
  const view = new TestView();
  const room = {
    membership: { member: (id: string) => id === ANA.id ? ANA : undefined },
    brokenBacks: () => Promise.resolve(backs),
  } as unknown as SealedRoom;
  return { view, doubts: new Doubts(room, view) };
}

const told = ({ view }: { view: TestView }) =>
  view.of("warning").map(({ line, name, reason }) => [line, name, reason]);

Deno.test("Doubts tell of a false key by its sender's name, or who it is where that one is no member", () => {
  const setup = setUp();
  for (const { id: by } of [ANA, BEN]) {
    setup.doubts.key({ kind: "wrapped", by, to: "", e: 0, data: "" });
  }
  assertEquals(told(setup), [
    [null, "ana", "key-wrong"],
    [null, madeUpPerson("ben"), "key-wrong"],
  ]);
});

Deno.test("Doubts tell of who is there and no member, or not by that name, and of each key that doesn't lead back", async () => {
  const backs = [3, 7].map((line) => ({
    line,
    name: "ana",
    person: ANA.person,
    reason: "back-wrong",
  }));
  const setup = setUp(backs);
  setup.doubts.strangers([ANA, BEN, { ...ANA, name: "anna" }]);
  await setup.doubts.backs();
  assertEquals(told(setup), [
    [null, "ben", "presence-wrong"],
    [null, "anna", "presence-wrong"],
    [3, "ana", "back-wrong"],
    [7, "ana", "back-wrong"],
  ]);
});

Deno.test("Doubts tell of a server's clock that is more than an hour off, and which way", () => {
  using _ = replaced(Date, "now", () => 1_000 * HOUR);
  const cases: [off: number, words: string | undefined][] = [
    [HOUR, undefined],
    [-HOUR, undefined],
    [HOUR + 1, "an hour ahead of"],
    [-HOUR - 1, "an hour behind"],
    [1.6 * HOUR, "2 hours ahead of"],
    [-24 * HOUR, "24 hours behind"],
  ];
  for (const [off, words] of cases) {
    const { view, doubts } = setUp();
    doubts.clock(1_000 * HOUR + off);
    assertEquals(
      view.notes,
      words === undefined ? [] : [
        `The server's clock is ${words} yours. Invites end by its clock: set the one that is wrong`,
      ],
    );
  }
});

Deno.test("Doubts explain the mark of a line that can't be checked once, when there is one", () => {
  const { view, doubts } = setUp();
  const line = { seq: 1 } as HeardLine;
  doubts.unchecked(line);
  assertEquals(view.notes, []);
  doubts.unchecked({ ...line, unchecked: true });
  doubts.unchecked({ ...line, unchecked: true });
  assertEquals(view.notes.length, 1);
});
