/**
 * What a server writes down of how far it is, and when: after each entry that counts, and seldom after others.
 *
 * @module
 */

import { FileError } from "../../../../src/base/private_file.ts";
import { Batch } from "../../../../src/server/batch.ts";
import type { Step } from "../../../../src/server/cluster/position.ts";
import { Progress } from "../../../../src/server/cluster/progress.ts";
import { Roster } from "../../../../src/server/roster.ts";
import { assertEquals, assertThrows } from "../../../kit/assert.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import { BEGUN } from "../../../kit/ordered_server.ts";
import { overhear } from "../../../kit/overhear.ts";
import { said } from "../../../kit/log_kit.ts";
import { member, sit } from "../../../kit/made_up_seats.ts";

/** How far it is: entry 7, and one server beside it. */
const AT = {
  ...BEGUN,
  place: 7,
  digest: "seven",
  base: 5,
  head: 20,
  time: 1_000,
  roster: {
    nextId: 3,
    servers: [{ id: "b", address: "b.example:5000", k: 4 }],
    seats: [],
  },
};

/** A server that is at entry 7, with a file that keeps its lines in memory. */
function setUp() {
  const steps: Step[] = [];
  const disk: { error: Error | undefined } = { error: undefined };
  const file = {
    carriedOut(step: Step) {
      if (disk.error) throw disk.error;
      steps.push(step);
    },
  };
  let woken = 0;
  const progress = new Progress(file, "a", () => void woken++);
  progress.goOn(AT);
  const members = new Roster();
  return {
    progress,
    disk,
    members,
    woken: () => woken,
    /** What was written since this was asked last. */
    written: () => steps.splice(0),
    /** Entry `place` comes, and brings a line. */
    carryOut(place: number, { isKept = true, batch = batchOf(1) } = {}) {
      progress.passed(place, `digest ${place}`);
      progress.carriedOut(batch, { members, nextId: 9 }, isKept);
    },
  };
}

/** So many lines, behind line 20. */
function batchOf(lines: number): Batch {
  const batch = new Batch(2_000, 21, true);
  for (let n = 0; n < lines; n++) batch.entries.push(said(n));
  return batch;
}

Deno.test("a server goes on from where its file says, with the servers that it says", () => {
  const { progress } = setUp();
  const { stream, place, base, head, time } = progress;
  assertEquals({ stream, place, base, head, time }, {
    stream: "first",
    place: 7,
    base: 5,
    head: 20,
    time: 1_000,
  });
  assertEquals([...progress.servers.keys()], ["b"]);
  progress.goOn({ ...AT, roster: { ...AT.roster, servers: [] } });
  assertEquals(progress.servers.size, 0);
});

Deno.test("a place is passed that is in the same stream and no further", () => {
  const { progress } = setUp();
  const places = [["first", 6], ["first", 7], ["first", 8], ["other", 6]];
  assertEquals(
    places.map(([stream, place]) =>
      progress.hasPassed({ stream: String(stream), place: Number(place) })
    ),
    [true, true, false, false],
  );
});

Deno.test("what an entry brings is written down with its place", () => {
  const { progress, members, carryOut, written } = setUp();
  const ana = member("ana");
  members.add(ana);
  const seat = sit(ana, 1);
  const batch = batchOf(2);
  batch.said.push({ kind: "say", seat, lines: [], taken() {} });
  progress.rebase(8);
  progress.note({ id: "b", address: "b.example:5000", k: 5 });
  carryOut(8, { batch });
  const [step, ...others] = written();
  assertEquals(others, []);
  assertEquals({ ...step, changes: [] }, {
    place: 8,
    digest: "digest 8",
    head: 22,
    base: 8,
    time: 2_000,
    nextId: 9,
    own: "a",
    servers: [{ id: "b", address: "b.example:5000", k: 5 }],
    gone: [],
    changes: [],
  } as never);
  assertEquals([...step?.changes.keys() ?? []], ["ana"]);
  assertEquals([progress.head, progress.time, progress.base], [22, 2_000, 8]);
  carryOut(9);
  assertEquals(written()[0]?.servers, []); // said once
});

Deno.test("a server that comes and goes, or goes and comes back, is written down as it is in the end", () => {
  const { progress, carryOut, written } = setUp();
  const c = { id: "c", address: "c.example:5000", k: 0 };
  progress.note(c);
  assertEquals([...progress.servers.keys()], ["b", "c"]);
  assertEquals(progress.drop("c"), c);
  assertEquals(progress.drop("c"), undefined);
  assertEquals(progress.drop("nobody"), undefined);
  const b = progress.drop("b");
  assertEquals(b, AT.roster.servers[0]);
  assertEquals(progress.servers.size, 0);
  if (b) progress.note(b);
  carryOut(8);
  const [step] = written();
  assertEquals([step?.servers, step?.gone], [[b], ["c"]]);
});

Deno.test("what isn't in all files isn't written down before the next entry is, and then with it", () => {
  const { progress, carryOut, written } = setUp();
  progress.drop("b");
  carryOut(8, { isKept: false });
  progress.writeSkipped(9);
  assertEquals(written(), []);
  carryOut(9);
  const steps = written();
  assertEquals(steps.map(({ place, gone }) => [place, gone]), [[9, ["b"]]]);
});

Deno.test("entries that count for nothing are written down at once, and then once a second", () => {
  using clock = new ManualClock();
  clock.advance(5_000);
  const { progress, written, woken } = setUp();
  using _ending = progress;
  const skip = (place: number) => {
    progress.passed(place, `digest ${place}`);
    progress.writeSkipped(3);
    return written().map((it) => [it.place, it.digest, it.nextId]);
  };
  progress.writeSkipped(3);
  assertEquals(written(), []); // the file says all
  assertEquals(skip(8), [[8, "digest 8", 3]]);
  clock.advance(400);
  assertEquals(skip(9), []);
  assertEquals(skip(10), []);
  clock.advance(599);
  assertEquals(woken(), 0);
  clock.advance(1);
  assertEquals(woken(), 1);
  assertEquals(skip(10), [[10, "digest 10", 3]]);
  assertEquals(skip(11), []);
  clock.advance(1_000);
  assertEquals(woken(), 2);
  assertEquals(skip(11), [[11, "digest 11", 3]]);
  skip(12);
  progress[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("what can't be written down is with the next entry; the owner is told once of each reason, and again after it went well", async () => {
  const { progress, disk, carryOut, written } = setUp();
  const notes = await overhear("error", () => {
    progress.drop("b");
    for (const why of ["full", "full", "gone", undefined, "gone"]) {
      disk.error = why === undefined ? undefined : new FileError(why);
      carryOut(progress.place + 1);
    }
    return Promise.resolve();
  });
  assertEquals(notes.map((it) => /(\w+)\. The room goes on/.exec(it)?.[1]), [
    "full",
    "gone",
    "gone",
  ]);
  assertEquals(written().map((it) => [it.place, it.gone]), [[11, ["b"]]]);
  disk.error = new TypeError("a defect");
  assertThrows(() => carryOut(13), TypeError, "a defect");
});

Deno.test("the file is had to say all before others are given it, or that fails", () => {
  const { progress, disk, written } = setUp();
  progress.keep(3);
  assertEquals(written(), []);
  progress.passed(8, "eight");
  disk.error = new FileError("The disk is full");
  assertThrows(() => progress.keep(3), FileError, "The disk is full");
  disk.error = undefined;
  progress.keep(3);
  assertEquals(written().map(({ place }) => place), [8]);
  progress.keep(3);
  assertEquals(written(), []);
});

Deno.test("what was to be written down is nothing any more where a server goes on from elsewhere", () => {
  const { progress, carryOut, written } = setUp();
  progress.drop("b");
  progress.goOn({ ...AT, place: 50 });
  progress.keep(3);
  assertEquals(written(), []);
  carryOut(51);
  assertEquals(written().map(({ gone }) => gone), [[]]);
});
