/**
 * The shared run of bytes and its readers: what each is written, in which order, and what is held for it. The
 * writers are the tests' own, so that every write ends when and as the test says.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { ManualTurns } from "../../kit/manual_turns.ts";
import { seededRandom } from "../../kit/memory_stream.ts";
import { Outlet, type Writer } from "../../../src/server/outlet.ts";
import { Ring } from "../../../src/server/ring.ts";

/** A write under way: the bytes as they were handed over, and as they were then. */
interface Write {
  readonly view: Uint8Array;
  readonly copy: Uint8Array;
  readonly end: (written: number) => void;
  readonly fail: () => void;
}

/** A connection that takes bytes when the test says so. */
class TestWriter implements Writer {
  /** All that was taken. */
  readonly taken: number[] = [];
  #write: Write | undefined;

  write(bytes: Uint8Array): Promise<number> {
    assertEquals(this.#write, undefined, "two writes at once");
    assert(bytes.length > 0, "a write of nothing");
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#write = {
      view: bytes,
      copy: bytes.slice(),
      end: resolve,
      fail: () => reject(new Deno.errors.BrokenPipe()),
    };
    return promise;
  }

  /** Bytes of the write under way, 0 where there is none. */
  get offered(): number {
    return this.#write?.view.length ?? 0;
  }

  /** Ends the write under way, if there is one, after some of its bytes. */
  async take(most = Number.POSITIVE_INFINITY): Promise<void> {
    const write = this.#write;
    if (!write) return;
    this.#write = undefined;
    const written = Math.min(most, write.view.length);
    assertEquals(write.view, write.copy, "bytes changed under a write");
    this.taken.push(...write.copy.subarray(0, written));
    write.end(written);
    await settle();
  }

  /** Takes whatever is offered until nothing is. */
  async takeAll(): Promise<void> {
    while (this.#write) await this.take();
  }

  /** Ends the write under way as a closed connection does. */
  async fail(): Promise<void> {
    const write = this.#write;
    if (!write) return;
    this.#write = undefined;
    assertEquals(write.view, write.copy, "bytes changed under a write");
    write.fail();
    await settle();
  }
}

/** Lets everything run that doesn't wait for the test. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** What was called for a reader, and its parts. */
class Reader {
  readonly writer = new TestWriter();
  readonly outlet: Outlet;
  dropped = 0;

  constructor(log: Ring, limit = 1_000) {
    const tooSlow = () => void this.dropped++;
    this.outlet = new Outlet(log, this.writer, { limit, tooSlow });
  }

  /** A direct record that is sealed already. */
  direct(...bytes: number[]): void {
    const record = Uint8Array.from(bytes);
    this.outlet.direct(record.length, Promise.resolve(record));
  }
}

function follow(log: Ring): Reader {
  const reader = new Reader(log);
  reader.outlet.attach();
  return reader;
}

function append(log: Ring, ...bytes: number[]): void {
  log.append(Uint8Array.from(bytes));
  log.flush();
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await settle();
  return settled;
}

// ── What is written ────────────────────────────────────────────────────────────────────────────────────

Deno.test("Outlet writes what is appended after attach, and nothing from before", async () => {
  const log = new Ring(100);
  append(log, 1, 2, 3);
  const { writer, outlet } = follow(log);
  log.flush();
  assertEquals(writer.offered, 0);
  append(log, 4, 5);
  await writer.takeAll();
  assertEquals(writer.taken, [4, 5]);
  assertEquals([outlet.cursor, log.head, outlet.moved], [5, 5, 2]);
});

Deno.test("Outlet goes on where a partial write ended", async () => {
  const log = new Ring(100);
  const { writer } = follow(log);
  append(log, 1, 2, 3, 4, 5);
  await writer.take(2);
  assertEquals(writer.offered, 3);
  await writer.take(1);
  await writer.takeAll();
  assertEquals(writer.taken, [1, 2, 3, 4, 5]);
});

Deno.test("Outlet catches up in one write when its last one is done", async () => {
  const log = new Ring(100);
  const { writer, outlet } = follow(log);
  append(log, 1);
  assertEquals(outlet.writing, true);
  for (let value = 2; value < 10; value++) append(log, value);
  assertEquals(writer.offered, 1);
  await writer.take();
  assertEquals(writer.offered, 8);
  await writer.take();
  assertEquals(outlet.writing, false);
});

Deno.test("Outlet writes round the ring's end in two writes", async () => {
  const log = new Ring(8);
  const { writer } = follow(log);
  append(log, 1, 2, 3, 4, 5, 6);
  await writer.takeAll();
  append(log, 7, 8, 9, 10);
  assertEquals(writer.offered, 2);
  await writer.takeAll();
  assertEquals(writer.taken, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("Outlet.direct() writes without attach, in order, however late each is sealed", async () => {
  const log = new Ring(100);
  append(log, 9, 9);
  const reader = new Reader(log);
  const { writer, outlet } = reader;
  const first = Promise.withResolvers<Bytes>();
  outlet.direct(2, first.promise);
  reader.direct(3, 4);
  await settle();
  assertEquals(writer.offered, 0);
  first.resolve(Uint8Array.of(1, 2));
  await settle();
  await writer.takeAll();
  assertEquals(writer.taken, [1, 2, 3, 4]);
});

Deno.test("Outlet.direct() puts a record exactly between what was broadcast before and after it", async () => {
  const log = new Ring(100);
  const reader = follow(log);
  const { writer, outlet } = reader;
  append(log, 1);
  const sealing = Promise.withResolvers<Bytes>();
  outlet.direct(2, sealing.promise);
  append(log, 2);
  reader.direct(102);
  append(log, 3);
  await writer.takeAll();
  assertEquals(writer.taken, [1]); // what comes next isn't sealed yet
  sealing.resolve(Uint8Array.of(100, 101));
  await settle();
  await writer.take(1); // half of a direct record
  append(log, 4);
  await writer.takeAll();
  assertEquals(writer.taken, [1, 100, 101, 2, 102, 3, 4]);
});

Deno.test("Outlet.share() puts records at their place at once, and counts them before what is told later", async () => {
  const log = new Ring(100);
  const { writer, outlet } = follow(log);
  outlet.share(Uint8Array.of(100, 101), 2);
  assertEquals(writer.offered, 2);
  append(log, 1);
  outlet.share(Uint8Array.of(102), 1);
  await writer.takeAll();
  assertEquals(writer.taken, [100, 101, 1, 102]);
  assertEquals(outlet.before, { broadcast: 1, shared: 3 });
});

Deno.test("Outlet.attach() leaves direct records from before it in front", async () => {
  const log = new Ring(100);
  append(log, 9);
  const reader = new Reader(log);
  reader.direct(100);
  await settle();
  reader.direct(101);
  reader.outlet.attach();
  reader.direct(102);
  append(log, 1);
  await settle();
  await reader.writer.takeAll();
  assertEquals(reader.writer.taken, [100, 101, 102, 1]);
});

// ── Random interleavings ───────────────────────────────────────────────────────────────────────────────

/** A reader and what it must get, if it isn't dropped. */
interface Expectation {
  readonly reader: Reader;
  readonly expected: number[];
  /** The direct records that aren't sealed yet. */
  readonly unsealed: (() => void)[];
  following: boolean;
  finished: boolean;
}

function isPrefix(part: readonly number[], whole: readonly number[]): boolean {
  return part.every((value, at) => value === whole[at]);
}

/** One random life of a log, with readers that come, lag, finish and go. */
async function live(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const capacity = 32 + random(100);
  const log = new Ring(capacity);
  const all: Expectation[] = [];
  let nextByte = 0;
  const bytes = (size: number) =>
    Uint8Array.from({ length: size }, () => nextByte++ & 0xff);

  const broadcast = async () => {
    const record = bytes(1 + random(20));
    const room = log.makeRoom(record.length);
    // As a closed connection does: the writes of whoever was dropped end.
    while (!await isSettled(room)) {
      for (const { reader } of all) {
        if (reader.dropped > 0) await reader.writer.fail();
      }
    }
    log.append(record);
    for (const it of all) {
      const hears = it.following && !it.finished && it.reader.dropped === 0;
      if (hears) it.expected.push(...record);
    }
    log.flush();
  };
  const come = () => {
    const reader = new Reader(log, 10_000);
    const expected: number[] = [];
    const unsealed: (() => void)[] = [];
    const states = { following: false, finished: false };
    all.push({ reader, expected, unsealed, ...states });
  };
  const attach = (it: Expectation) => {
    if (it.following || it.finished) return;
    it.reader.outlet.attach();
    it.following = true;
  };
  const tell = (it: Expectation) => {
    const record = bytes(1 + random(8));
    const { promise, resolve } = Promise.withResolvers<Bytes>();
    it.reader.outlet.direct(record.length, promise);
    if (it.reader.dropped === 0) it.expected.push(...record);
    it.unsealed.push(() => resolve(record));
  };
  const finish = (it: Expectation) => {
    it.reader.outlet.finish();
    it.finished = true;
  };

  come();
  for (let step = 0; step < 300; step++) {
    const it = all[random(all.length)];
    if (!it) continue;
    const action = random(20);
    if (action < 5) await broadcast();
    else if (action < 11) await it.reader.writer.take(1 + random(25));
    else if (action < 13) tell(it);
    else if (action < 16) it.unsealed.splice(random(3), 1)[0]?.();
    else if (action < 18) attach(it);
    else if (action < 19 && all.length < 12) come();
    else if (random(4) === 0) finish(it);
    const { taken } = it.reader.writer;
    assert(isPrefix(taken, it.expected), `seed ${seed}, step ${step}`);
  }

  for (const { reader, expected, unsealed } of all) {
    for (const seal of unsealed) seal();
    await settle();
    await reader.writer.takeAll();
    if (reader.dropped > 0) {
      assert(isPrefix(reader.writer.taken, expected), `seed ${seed}`);
      continue;
    }
    assertEquals(reader.writer.taken, expected, `seed ${seed}`);
    assert(await isSettled(reader.outlet.drained()), `seed ${seed}`);
  }
}

Deno.test("Outlet writes exactly the bytes from its attach on, and direct records at their places, whatever happens when", async () => {
  for (let seed = 1; seed <= 150; seed++) await live(seed);
});

// ── Slow readers ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("Ring.append() refuses what would overwrite bytes that a reader needs", () => {
  const log = new Ring(8);
  follow(log);
  append(log, 1, 2, 3, 4, 5);
  assertThrows(
    () => log.append(new Uint8Array(4)),
    RangeError,
    "Cannot append 4 bytes: the ring is full",
  );
  assertEquals(log.head, 5);
  log.append(new Uint8Array(3));
});

Deno.test("Ring.append() takes any number of bytes where nobody reads, a ring at a time", () => {
  const log = new Ring(8);
  for (let times = 0; times < 10; times++) log.append(new Uint8Array(7));
  assertEquals(log.head, 70);
  assertThrows(() => log.append(new Uint8Array(9)), RangeError);
});

Deno.test("Ring.makeRoom() drops only who stands in the way, and only when it must", async () => {
  const log = new Ring(10);
  const slow = follow(log);
  append(log, 1, 2, 3, 4);
  const quick = follow(log);
  append(log, 5, 6, 7, 8);
  await log.makeRoom(2);
  assertEquals([slow.dropped, quick.dropped], [0, 0]);
  await slow.writer.take(1);
  await log.makeRoom(3);
  assertEquals(slow.dropped, 0);

  const room = log.makeRoom(4);
  assertEquals([slow.dropped, quick.dropped], [1, 0]);
  assert(!await isSettled(room)); // its write may still read the bytes
  await slow.writer.fail();
  await room;
  append(log, 9, 10, 11, 12);
  await quick.writer.takeAll();
  assertEquals(quick.writer.taken, [5, 6, 7, 8, 9, 10, 11, 12]);
});

Deno.test("Ring.makeRoom() waits for nobody's turn where there is place", async () => {
  const log = new Ring(10, new ManualTurns().turns);
  follow(log);
  append(log, 1, 2, 3, 4);
  for (let at = 0; at < 96; at++) log.turns.take(() => {});
  assertEquals(log.turns.waiting, 1);
  assert(await isSettled(log.makeRoom(6)));
});

Deno.test("Outlet asks for a turn only where it has something to write", async () => {
  const log = new Ring(10);
  const { take } = log.turns;
  let asked = 0;
  log.turns.take = (write) => {
    asked++;
    take.call(log.turns, write);
  };
  const { writer, outlet } = follow(log);
  log.flush();
  append(log, 1, 2);
  log.flush(); // a write is under way
  await writer.takeAll();
  outlet.flush();
  assertEquals([asked, writer.taken], [1, [1, 2]]);
});

Deno.test("Ring.makeRoom() drops nobody who only waits for a turn to write", async () => {
  const manual = new ManualTurns();
  const log = new Ring(100, manual.turns);
  const takes: Writer = { write: ({ length }) => Promise.resolve(length) };
  let dropped = 0;
  const tooSlow = () => void dropped++;
  const outlets = Array.from(
    { length: 300 },
    () => new Outlet(log, takes, { limit: 1_000, tooSlow }),
  );
  for (const outlet of outlets) outlet.attach();
  const closed = Promise.withResolvers<number>();
  let stuck = 0;
  new Outlet(log, { write: () => closed.promise }, {
    limit: 1_000,
    tooSlow: () => {
      stuck++;
      closed.reject(new Deno.errors.Interrupted());
    },
  }).attach();
  for (let round = 0; round < 5; round++) {
    const room = log.makeRoom(60);
    while (log.turns.waiting > 0) manual.next();
    await room;
    append(log, ...new Array(60).fill(round));
  }
  assertEquals([dropped, stuck], [0, 1]);
});

Deno.test("Ring.makeRoom() waits for the write of a dropped reader even where it succeeds", async () => {
  const log = new Ring(8);
  const slow = follow(log);
  append(log, 1, 2, 3, 4, 5, 6);
  const room = log.makeRoom(8);
  assert(!await isSettled(room));
  assertThrows(() => log.append(new Uint8Array(3)), RangeError);
  await slow.writer.take(2); // checks that the bytes are as they were
  await room;
  append(log, 1, 2, 3, 4, 5, 6, 7, 8);
  assertEquals(slow.writer.offered, 0);
});

Deno.test("Ring.makeRoom() doesn't wait for a dropped reader that writes nothing", async () => {
  const log = new Ring(8);
  const slow = new Reader(log);
  slow.outlet.direct(3, new Promise(() => {})); // never sealed, so nothing is written
  slow.outlet.attach();
  append(log, 1, 2, 3, 4, 5, 6);
  await log.makeRoom(6);
  assertEquals(slow.dropped, 1);
  append(log, 7, 8, 9, 10, 11, 12);
});

Deno.test("Ring.congested tells when most readers are more than half the ring behind", async () => {
  const log = new Ring(10);
  assertEquals(log.congested, false);
  const readers = [follow(log), follow(log), follow(log)];
  append(log, 1, 2, 3, 4, 5);
  assertEquals(log.congested, false); // half is not more than half
  append(log, 6);
  assertEquals(log.congested, true);
  assertEquals(log.lag, 6);
  await readers[0]?.writer.takeAll();
  assertEquals(log.congested, true);
  await readers[1]?.writer.takeAll();
  assertEquals(log.congested, false); // one slow one is its own problem
  readers[0]?.outlet.abandon();
  assertEquals(log.congested, false); // and one of two is not most of them
  assertEquals(log.lag, 6);
  readers[2]?.outlet.abandon();
  assertEquals(log.lag, 6); // held until its write has ended
  await readers[2]?.writer.fail();
  assertEquals(log.lag, 0);
});

Deno.test("Ring.congested counts nobody as slow who is exactly half the ring behind", async () => {
  const log = new Ring(10);
  follow(log);
  const halfway = [follow(log), follow(log)];
  append(log, 1);
  for (const { writer } of halfway) await writer.take();
  append(log, 2, 3, 4, 5, 6);
  assertEquals([log.congested, log.readers], [false, 3]);
  append(log, 7);
  assertEquals(log.congested, true);
});

Deno.test("Ring.makeRoom() leaves a reader alone that has read exactly as far as it must", async () => {
  const log = new Ring(10);
  const [slow, exact] = [follow(log), follow(log)];
  append(log, 1, 2);
  await exact.writer.take();
  append(log, 3, 4, 5, 6, 7, 8);
  const room = log.makeRoom(4);
  await slow.writer.fail();
  await room;
  assertEquals([slow.dropped, exact.dropped], [1, 0]);
  append(log, 9, 10, 11, 12);
  await exact.writer.takeAll();
  assertEquals(exact.writer.taken.length, 12);
});

Deno.test("Outlet.direct() drops a reader whose records exceed the limit, and counts what was written off", async () => {
  const log = new Ring(10);
  const reader = new Reader(log, 10);
  reader.direct(...new Array(6).fill(1));
  await settle();
  await reader.writer.take(2);
  reader.direct(...new Array(6).fill(2)); // 4 + 6 bytes wait
  assertEquals(reader.dropped, 0);
  reader.direct(3);
  assertEquals(reader.dropped, 1);
  await reader.writer.takeAll();
  assertEquals(reader.writer.taken, [1, 1, 1, 1, 1, 1]);
  reader.direct(4);
  await settle();
  assertEquals(reader.writer.offered, 0);
  assertEquals(reader.dropped, 1);
});

// ── Ends ───────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Outlet.finish() follows to where the head is then, and holds nothing after", async () => {
  const log = new Ring(8);
  const { writer, outlet } = follow(log);
  append(log, 1, 2, 3, 4);
  await writer.take(1);
  outlet.finish();
  append(log, 5, 6);
  assertEquals(log.lag, 5);
  await writer.takeAll();
  assertEquals(writer.taken, [1, 2, 3, 4]);
  assertEquals(log.lag, 0);
  append(log, 7, 8, 9, 10, 11, 12, 13, 14);
  assertEquals(writer.offered, 0);
});

Deno.test("Outlet.finish() lets a reader that has everything go at once", () => {
  const log = new Ring(8);
  const { writer, outlet } = follow(log);
  outlet.finish();
  append(log, 1, 2, 3, 4, 5, 6, 7, 8);
  append(log, 1, 2, 3, 4, 5, 6, 7, 8);
  assertEquals(writer.offered, 0);
});

Deno.test("Outlet.finish() still writes a goodbye that is told before it, and one told after", async () => {
  const log = new Ring(20);
  const reader = follow(log);
  append(log, 1);
  reader.direct(100);
  reader.outlet.finish();
  append(log, 2);
  reader.direct(101);
  await settle();
  await reader.writer.takeAll();
  assertEquals(reader.writer.taken, [1, 100, 101]);
  assert(await isSettled(reader.outlet.drained()));
});

Deno.test("Outlet.abandon() writes nothing more, and frees its bytes when the write has ended", async () => {
  const log = new Ring(8);
  const reader = follow(log);
  append(log, 1, 2, 3, 4);
  reader.direct(100);
  append(log, 5);
  reader.outlet.abandon();
  assertEquals(log.lag, 5);
  const settled = reader.outlet.settled();
  assert(!await isSettled(settled));
  await reader.writer.take(2);
  await settled;
  assertEquals(reader.writer.offered, 0);
  assertEquals(log.lag, 0);
  reader.outlet.attach();
  append(log, 6);
  assertEquals(reader.writer.offered, 0);
});

Deno.test("Outlet.attach() follows nothing after the end, and after finish() nothing more stands before a direct record", async () => {
  const log = new Ring(20);
  append(log, 9);
  const { writer, outlet } = follow(log);
  append(log, 1);
  assertEquals(outlet.before, { broadcast: 1, shared: 0 });
  outlet.finish();
  append(log, 2);
  outlet.finish(); // only the first counts
  assertEquals(outlet.before, { broadcast: 1, shared: 0 });
  await writer.takeAll();
  assertEquals(log.readers, 0);
  outlet.attach();
  append(log, 3);
  assertEquals([writer.offered, log.readers], [0, 0]);
});

Deno.test("Outlet.abandon() lets those go who wait for what is never written, and counts nothing that is told after it", async () => {
  const log = new Ring(8);
  const reader = new Reader(log, 3);
  const { outlet } = reader;
  outlet.direct(3, new Promise(() => {}));
  const drained = outlet.drained();
  assert(!await isSettled(drained));
  outlet.abandon();
  await drained;
  outlet.direct(4, Promise.resolve(new Uint8Array(4)));
  assertEquals(reader.dropped, 0);
});

Deno.test("Outlet that is abandoned while it waits for its turn writes nothing, and is settled after that turn", async () => {
  const manual = new ManualTurns();
  const log = new Ring(8, manual.turns);
  for (let at = 0; at < 96; at++) log.turns.take(() => {});
  const { writer, outlet } = follow(log);
  append(log, 1, 2);
  const settled = outlet.settled();
  outlet.abandon();
  assert(!await isSettled(settled));
  assertEquals(log.readers, 1);
  manual.next();
  await settled;
  assertEquals([writer.offered, log.readers], [0, 0]);
});

Deno.test("Outlet.abandon() frees an idle reader's bytes at once", async () => {
  const log = new Ring(8);
  const { outlet } = follow(log);
  outlet.abandon();
  await outlet.settled();
  await outlet.drained();
  append(log, 1, 2, 3, 4, 5, 6, 7, 8);
  assertEquals(log.lag, 0);
});

Deno.test("Outlet writes nothing more after a failed write, and lets its bytes go", async () => {
  const log = new Ring(8);
  const reader = follow(log);
  append(log, 1, 2, 3, 4);
  const drained = reader.outlet.drained();
  await reader.writer.fail();
  await drained;
  assertEquals(log.lag, 0);
  reader.direct(100);
  append(log, 5);
  await settle();
  assertEquals(reader.writer.offered, 0);
  assertEquals(reader.dropped, 0);
});

Deno.test("Outlet writes nothing more after a record that couldn't be sealed", async () => {
  const log = new Ring(8);
  const reader = follow(log);
  reader.outlet.direct(5, Promise.reject(new RangeError("used up")));
  reader.direct(1);
  append(log, 2);
  await settle();
  assertEquals(reader.writer.offered, 0);
  assertEquals(log.lag, 0);
});

Deno.test("Outlet.drained() waits for the log and for records that aren't sealed yet", async () => {
  const log = new Ring(20);
  const { writer, outlet } = follow(log);
  await outlet.drained();
  log.append(Uint8Array.of(1, 2));
  assert(!await isSettled(outlet.drained())); // though nobody has begun to write it
  log.flush();
  const sealing = Promise.withResolvers<Bytes>();
  outlet.direct(1, sealing.promise);
  const drained = outlet.drained();
  assert(!await isSettled(drained));
  await writer.takeAll();
  assert(!await isSettled(drained));
  sealing.resolve(Uint8Array.of(100));
  await settle();
  assert(!await isSettled(drained));
  await writer.takeAll();
  await drained;
});

Deno.test("Ring gives those who ask for the same bytes the same view, which never stands for others", () => {
  const ring = new Ring(8);
  ring.append(new Uint8Array([1, 2, 3, 4, 5, 6]));
  const first = ring.view(0, 6);
  assertEquals(ring.view(0, 6) === first, true);
  assertEquals(ring.view(2, 6) === first, false);
  assertEquals([...ring.view(2, 5)], [3, 4, 5]);
  ring.append(new Uint8Array([7, 8, 9, 10, 11, 12, 13, 14]));
  const later = ring.view(8, 14); // at the same place
  assertEquals(later === first, false);
  assertEquals([...later], [9, 10, 11, 12, 13, 14]);
});
