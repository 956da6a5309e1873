/**
 * The server's mailbox: what is posted is told to who is here and kept for who isn't, within bounds, and across
 * restarts and crashes amid a write.
 *
 * @module
 */

import fc from "fast-check";
import { LineFile } from "../../../src/base/line_file.ts";
import { FileError } from "../../../src/base/private_file.ts";
import type { Event } from "../../../src/protocol/events.ts";
import type { Posting } from "../../../src/server/letters.ts";
import {
  Mailbox,
  type Recipient,
  waitingFile,
} from "../../../src/server/mailbox.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { fileTest, Folder, modeOf } from "../../kit/folder.ts";
import { closings, windows, withMethod } from "../../kit/log_kit.ts";
import { overhear } from "../../kit/overhear.ts";
import { madeUpId, madeUpStay } from "../../kit/people.ts";
import { refusedRenames, withFullDisk } from "../../kit/full_disk.ts";
import { replaced } from "../../kit/replaced.ts";

const START = Date.now();
const ANA = madeUpId("ana");
const BO = madeUpId("bo");
const EVE = madeUpId("eve");
const DAY = 86_400_000;
/** As docs/protocol.md has it. */
const LETTER_KEPT = 7 * DAY;

/** A connection that remembers what it was told. */
class Listener implements Recipient {
  readonly letters: Event<"letter">[] = [];
  tells = 0;
  tell(...events: Event[]): void {
    this.tells++;
    this.letters.push(...events.filter((it) => it.kind === "letter"));
  }
  /** What came, in its first characters. */
  get data(): string[] {
    return this.letters.map(({ data }) => data.replace(/_*$/, ""));
  }
}

/** A message that looks like this, filled up. */
function posting(
  n: number,
  { from = ANA, to = BO, stay = madeUpStay("ana"), length = 1_856 }:
    & Partial<Omit<Posting, "n">>
    & { readonly length?: number } = {},
): Posting {
  const fill = (text: string) => text.padEnd(length, "_");
  return { from, to, stay, n, data: fill(`m${n}`), own: fill(`c${n}`) };
}

const test = fileTest("chat.waiting");

/** What a person would be given that comes now. @param after As `collect` takes it. */
function given(
  mailbox: Mailbox,
  person: string,
  after: number | null = null,
  now = START,
): string[] {
  const listener = new Listener();
  mailbox.collect(person, listener, after, now);
  mailbox.leave(person, listener);
  return listener.data;
}

/** The same of a server that is started now. */
function givenAnew(path: string, person: string, after: number | null = null) {
  using mailbox = Mailbox.open(path);
  return given(mailbox, person, after);
}

Deno.test("waitingFile() is beside the log, and named after it", () => {
  assertEquals(waitingFile("chat.log"), "chat.waiting");
  assertEquals(waitingFile("/srv/a.b/room.log"), "/srv/a.b/room.waiting");
  assertEquals(waitingFile("talk"), "talk.waiting");
});

// ── Who gets what ──────────────────────────────────────────────────────────────────────────────────────────

test("what is written to somebody who is away waits, and is given once that one comes, until it is taken", (path) => {
  using mailbox = Mailbox.open(path);
  const by = new Listener();
  assertEquals(mailbox.post(posting(1), by, START), "waiting");
  assertEquals(mailbox.post(posting(2), by, START), "waiting");
  assertEquals(given(mailbox, BO), ["m1", "m2"]);
  assertEquals(given(mailbox, BO), ["m1", "m2"]); // it was told, and hasn't said that it has them
  const bo = new Listener();
  mailbox.collect(BO, bo, null, START);
  mailbox.got(BO, bo.letters[0]?.id ?? 0);
  assertEquals(given(mailbox, BO), ["m2"]);
  assertEquals(given(mailbox, BO, 0), ["m1", "m2"]); // for another machine of bo's
  assertEquals(given(mailbox, BO, bo.letters[0]?.id), ["m2"]);
  assertEquals(given(mailbox, EVE, 0), []);
  assertEquals(givenAnew(path, BO), ["m2"]);
  assertEquals(givenAnew(path, BO, 0), ["m1", "m2"]);
});

test("who is here is told at once on all connections, and so are the sender's others", (path) => {
  using mailbox = Mailbox.open(path);
  const listeners = [BO, BO, ANA, ANA, EVE].map((person) => {
    const listener = new Listener();
    mailbox.collect(person, listener, null, START);
    return listener;
  });
  const [bo, bo2, ana, ana2, eve] = listeners;
  assert(ana);
  assertEquals(mailbox.post(posting(1), ana, START), "delivered");
  assertEquals([bo, bo2, ana2].map((it) => it?.data), [["m1"], ["m1"], ["c1"]]);
  assertEquals([ana, eve].map((it) => it?.data), [[], []]);
  assertEquals(bo?.letters.map(({ from }) => from), [ANA]);
  assertEquals(ana2?.letters.map(({ from }) => from), [ANA]);
  mailbox.leave(BO, bo as Listener);
  assertEquals(mailbox.post(posting(2), ana, START), "delivered");
  mailbox.leave(BO, bo2 as Listener);
  assertEquals(mailbox.post(posting(3), ana, START), "waiting");
  assertEquals(ana2?.data, ["c1", "c2", "c3"]);
  assertEquals([bo, bo2].map((it) => it?.data), [["m1"], ["m1", "m2"]]);
});

test("nobody waits for a copy of one's own; another machine that asks for all has it", (path) => {
  using mailbox = Mailbox.open(path);
  mailbox.post(posting(1), new Listener(), START);
  assertEquals(given(mailbox, ANA), []);
  assertEquals(given(mailbox, ANA, 0), ["c1"]);
  assertEquals(givenAnew(path, ANA, 0), ["c1"]);
});

test("a message that is told again is kept once, and told nobody again", (path) => {
  {
    using mailbox = Mailbox.open(path);
    const bo = new Listener();
    mailbox.collect(BO, bo, null, START);
    for (const _ of [1, 2, 3]) {
      const state = mailbox.post(posting(1), new Listener(), START);
      assertEquals(state, "delivered");
    }
    assertEquals(bo.data, ["m1"]);
    mailbox.leave(BO, bo);
    assertEquals(mailbox.post(posting(1), new Listener(), START), "waiting");
    mailbox.got(BO, bo.letters[0]?.id ?? 0);
    assertEquals(mailbox.post(posting(1), new Listener(), START), "delivered");
  }
  using mailbox = Mailbox.open(path);
  mailbox.post(posting(1), new Listener(), START);
  assertEquals(given(mailbox, BO, 0), ["m1"]);
  assertEquals(given(mailbox, ANA, 0), ["c1"]);
  // Another number, stay or sender is another message.
  mailbox.post(posting(2), new Listener(), START);
  mailbox.post(posting(1, { stay: madeUpStay("x") }), new Listener(), START);
  mailbox.post(posting(1, { from: EVE }), new Listener(), START);
  assertEquals(given(mailbox, BO, 0), ["m1", "m2", "m1", "m1"]);
});

test("numbers rise, also after everything has ended and the server was started again", (path) => {
  const ids: number[] = [];
  const times = [START, START, START + LETTER_KEPT, START - DAY];
  for (const [n, at] of times.entries()) {
    using mailbox = Mailbox.open(path);
    const bo = new Listener();
    mailbox.collect(BO, bo, null, at);
    bo.letters.length = 0;
    mailbox.post(posting(n), new Listener(), at);
    mailbox.sweep(at);
    ids.push(...bo.letters.map(({ id }) => id));
  }
  assertEquals(ids.length, 4);
  assertEquals(ids, ids.toSorted((a, b) => a - b));
  assertEquals(new Set(ids).size, 4);
});

// ── Bounds ─────────────────────────────────────────────────────────────────────────────────────────────────

test("what is too much is refused, and nobody is told of it", (path) => {
  using mailbox = Mailbox.open(path);
  const bo = new Listener();
  mailbox.collect(BO, bo, null, START);
  const post = (n: number) =>
    mailbox.post(posting(n, { length: 9 }), new Listener(), START);
  for (let n = 1; n <= 100; n++) assertEquals(post(n), "delivered");
  assertEquals(post(101), "mailbox-full");
  assertEquals(bo.data.length, 100);
  const before = given(mailbox, BO);
  assertEquals(givenAnew(path, BO), before);
});

test("a message is kept for seven days, and then it is nowhere, also not in the file", async (path) => {
  using mailbox = Mailbox.open(path);
  mailbox.post(posting(1), new Listener(), START);
  mailbox.post(posting(2), new Listener(), START + DAY);
  const end = START + LETTER_KEPT;
  assertEquals(given(mailbox, BO, null, end - 1), ["m1", "m2"]);
  mailbox.sweep(end - 1);
  assertEquals(given(mailbox, BO, null, end), ["m2"]);
  mailbox.sweep(end + DAY - 3_600_000);
  const text = await Deno.readTextFile(path);
  assert(!text.includes("m1__") && !text.includes("c1__"), "it is there");
  assert(text.includes("m2__") && text.includes("c2__"), "it isn't there");
  mailbox.sweep(end + DAY);
  const last = await Deno.readTextFile(path);
  assertEquals([...last.matchAll(/"kind":"(\w+)"/g)].map(([, it]) => it), [
    "last",
  ]);
});

// ── The file ───────────────────────────────────────────────────────────────────────────────────────────────

test("a server that is killed amid what it writes goes on, and a message that is sent again is there once", async (path) => {
  const letters = [1, 2].map((n) => posting(n, { length: 9 }));
  {
    using mailbox = Mailbox.open(path);
    for (const it of letters) mailbox.post(it, new Listener(), START);
    mailbox.got(BO, Number.MAX_SAFE_INTEGER);
  }
  const whole = await Deno.readFile(path);
  const ends = [...whole.keys()].filter((at) => whole[at] === 0x0a);
  const isTried = (cut: number) =>
    cut % 7 === 0 || ends.some((end) => Math.abs(cut - end) <= 2);
  for (let cut = 0; cut <= whole.length; cut++) {
    if (!isTried(cut)) continue;
    await Deno.writeFile(path, whole.subarray(0, cut));
    {
      using mailbox = Mailbox.open(path);
      for (const it of letters) mailbox.post(it, new Listener(), START);
      const all = [given(mailbox, BO, 0), given(mailbox, ANA, 0)];
      assertEquals(all, [["m1", "m2"], ["c1", "c2"]], `cut at ${cut}`);
    }
    const all = [givenAnew(path, BO, 0), givenAnew(path, ANA, 0)];
    assertEquals(all, [["m1", "m2"], ["c1", "c2"]], `cut at ${cut}`);
  }
});

test("a file that is damaged, or that others can read, is refused", async (path) => {
  {
    using mailbox = Mailbox.open(path);
    mailbox.post(posting(1), new Listener(), START);
    if (!windows) assertEquals(await modeOf(path), 0o600);
  }
  const bytes = await Deno.readFile(path);
  for (let place = 0; place < bytes.length; place += 97) {
    const damaged = bytes.slice();
    damaged[place] = (damaged[place] ?? 0) ^ 1;
    await Deno.writeFile(path, damaged);
    const words = new RegExp(`^Cannot use ".*": line [12] is damaged$`);
    const error = assertThrows(() => Mailbox.open(path), FileError);
    assert(words.test(error.message), error.message);
  }
  await Deno.writeFile(path, bytes);
  if (windows) return;
  await Deno.chmod(path, 0o644);
  assertThrows(() => Mailbox.open(path), FileError, "others can read it");
});

test("a message that can't be written down is refused, and nobody is told of it", async (path) => {
  using mailbox = Mailbox.open(path);
  const bo = new Listener();
  mailbox.collect(BO, bo, null, START);
  await withFullDisk(() => {
    const state = mailbox.post(posting(1), new Listener(), START);
    assertEquals(state, "mailbox-failed");
    assertEquals(bo.data, []);
  });
  assertEquals(mailbox.post(posting(1), new Listener(), START), "delivered");
  assertEquals(bo.data, ["m1"]);
  // So it is with who has taken one.
  await withFullDisk(() => mailbox.got(BO, Number.MAX_SAFE_INTEGER));
  assertEquals([mailbox.isKept, given(mailbox, BO)], [true, ["m1"]]);
  assertEquals(givenAnew(path, BO), ["m1"]);
});

/** Counts how often the file is written anew while something is done. */
function rewritings(step: () => void): number {
  let count = 0;
  const { renameSync } = Deno;
  const counting: typeof renameSync = (...args) => {
    count++;
    renameSync(...args);
  };
  using _ = replaced(Deno, "renameSync", counting);
  step();
  return count;
}

test("the file is written anew where something was dropped, every half an hour at most, and at once where the clock was put back", (path) => {
  using mailbox = Mailbox.open(path);
  const half = 1_800_000;
  for (const [n, at] of [0, 1, half, half + 1, 2 * half + 6].entries()) {
    mailbox.post(posting(n), new Listener(), START + at);
  }
  const end = START + LETTER_KEPT;
  const sweeping = (at: number) => rewritings(() => mailbox.sweep(end + at));
  const counts: number[] = [];
  const times = [-1, 0, 1, half - 1, half, 2 * half + 5, 2 * half + 6];
  for (const at of times) counts.push(sweeping(at));
  assertEquals(counts, [0, 1, 0, 0, 1, 1, 0]);
  const looking = () => rewritings(() => void mailbox.due(end));
  assertEquals([looking(), looking()], [1, 0]);
});

test("due() tells who has letters that have ended, every half an hour at most", (path) => {
  using mailbox = Mailbox.open(path);
  mailbox.post(posting(1), new Listener(), START);
  const end = START + LETTER_KEPT;
  const half = 1_800_000;
  const times = [-1, 0, half - 2, half - 1, half - 1, half];
  assertEquals(times.map((at) => mailbox.due(end + at)), [
    ...[undefined, undefined, undefined, BO, undefined, undefined],
  ]);
});

test("a file that can be added to but not written anew is gone on with, the owner is told once, and it is tried again in half an hour", async (path) => {
  const half = 1_800_000;
  const end = START + LETTER_KEPT;
  let tries: number[] = [];
  const said = await overhear("error", () => {
    using mailbox = Mailbox.open(path);
    mailbox.post(posting(1), new Listener(), START);
    mailbox.sweep(end - half);
    tries = [
      refusedRenames(() => mailbox.sweep(end)),
      refusedRenames(() => mailbox.sweep(end + half - 1)),
      refusedRenames(() => void mailbox.due(end + half)),
    ];
    assertEquals(mailbox.post(posting(2), new Listener(), end), "waiting");
    assertEquals(givenAnew(path, BO).at(-1), "m2");
    tries.push(
      rewritings(() => mailbox.sweep(end + 2 * half)),
      rewritings(() => mailbox.sweep(end + 3 * half)),
    );
  });
  assertEquals(tries, [1, 0, 1, 1, 0]);
  assertEquals(said.length, 1);
  assert(said[0]?.startsWith(`error mailbox: Cannot write "${path}`), said[0]);
  assert(said[0]?.includes("The server goes on adding to it"), said[0]);
});

test("the file is written anew once it is large and most of it no longer counts", (path) => {
  using mailbox = Mailbox.open(path);
  const count = rewritings(() => {
    for (let n = 1; n <= 400; n++) {
      mailbox.post(posting(n, { length: 9 }), new Listener(), START);
      mailbox.got(BO, Number.MAX_SAFE_INTEGER);
    }
  });
  assert(count >= 1 && count < 5);
  assertEquals(givenAnew(path, BO, 0), given(mailbox, BO, 0));
});

test("where the file can't be written anew, that is not tried with each message", async (path) => {
  let tries = 0;
  const said = await overhear("error", () => {
    using mailbox = Mailbox.open(path);
    tries = refusedRenames(() => {
      for (let n = 1; n <= 300; n++) {
        mailbox.post(posting(n, { length: 9 }), new Listener(), START);
        mailbox.got(BO, Number.MAX_SAFE_INTEGER);
      }
    });
  });
  assertEquals([tries, said.length], [1, 1]);
});

test("what a person has taken already is written down no more, and collect() says how long that is which it tells", async (path) => {
  using mailbox = Mailbox.open(path);
  const bo = new Listener();
  for (const n of [1, 2]) {
    mailbox.post(posting(n, { length: 10 * n }), new Listener(), START);
  }
  assertEquals(mailbox.collect(BO, bo, null, START), 30);
  const [first = 0, second = 0] = bo.letters.map(({ id }) => id);
  assertEquals(mailbox.collect(BO, bo, first, START), 20);
  assertEquals(mailbox.collect(BO, bo, second, START), 0);
  assertEquals([bo.data.length, bo.tells], [3, 2]); // where there is none, nothing is told
  const { size } = await Deno.stat(path);
  assertEquals([first - 1, first].map((id) => mailbox.hasNew(BO, id)), [
    false,
    true,
  ]);
  mailbox.got(BO, first - 1);
  mailbox.got(EVE, second);
  assertEquals((await Deno.stat(path)).size, size);
  mailbox.got(BO, first);
  const { size: more } = await Deno.stat(path);
  assert(more > size);
  assertEquals([first, second].map((id) => mailbox.hasNew(BO, id)), [
    false,
    true,
  ]);
  mailbox.got(BO, first);
  assertEquals((await Deno.stat(path)).size, more);
});

test("what must be kept on a full disk is written down by due() when it can be, and where it is much, that is tried once a minute", async (path) => {
  using mailbox = Mailbox.open(path);
  const keep = (lines: number) => {
    for (let n = 1; lines > 0; n++) {
      const it = posting(n, { length: 9, stay: `stay ${lines}` });
      mailbox.post(it, new Listener(), START, { isDecided: true });
      lines -= 2;
      if (lines < 5) continue; // a message and its copy alone
      mailbox.got(BO, Number.MAX_SAFE_INTEGER, true);
      lines--;
    }
  };
  await overhear("error", async () => {
    await withFullDisk(() => keep(1_024));
    assertEquals(mailbox.isKept, false);
    refusedRenames(() => mailbox.due(START)); // behind the rest
    assertEquals(mailbox.isKept, true);
    mailbox.got(BO, Number.MAX_SAFE_INTEGER);
    await withFullDisk(() => keep(1_026));
    refusedRenames(() => mailbox.due(START)); // it is written anew now
    assertEquals(mailbox.isKept, false);
    mailbox.due(START + 59_999);
    assertEquals(mailbox.isKept, false);
    mailbox.due(START + 60_000);
    assertEquals(mailbox.isKept, true);
  });
});

test("takeOver() that can't be written down changes nothing, and one that can leaves nothing to be written", async (path) => {
  using other = Mailbox.open(`${path}.other`);
  other.post(posting(1), new Listener(), START);
  using mailbox = Mailbox.open(path);
  mailbox.post(posting(7), new Listener(), START);
  const before = mailbox.state();
  refusedRenames(() => {
    assertThrows(
      () => mailbox.takeOver(other.state()),
      FileError,
      "Cannot write",
    );
  });
  assertEquals(mailbox.state(), before);
  for (const count of [1, 600]) {
    await overhear("error", () =>
      withFullDisk(() => {
        for (let n = 1; n <= count; n++) {
          const it = posting(n, { from: EVE, length: 9 });
          mailbox.post(it, new Listener(), START, { isDecided: true });
          mailbox.got(BO, Number.MAX_SAFE_INTEGER, true);
        }
      }));
    assertEquals(mailbox.isKept, false);
    mailbox.takeOver(other.state());
    assertEquals([mailbox.isKept, mailbox.state()], [true, other.state()]);
  }
});

test("what goes wrong otherwise than with the file is not taken for that, and a file that isn't used is closed", async (path) => {
  using mailbox = Mailbox.open(path);
  const wrong = () => () => {
    throw new TypeError("x");
  };
  await withMethod(LineFile.prototype, "add", wrong, () => {
    const post = () => mailbox.post(posting(1), new Listener(), START);
    assertThrows(post, TypeError);
    return Promise.resolve();
  });
  await Deno.writeTextFile(path, "damaged\n");
  const open = () => void assertThrows(() => Mailbox.open(path), FileError);
  assertEquals(closings(open), 1);
  const other = Mailbox.open(`${path}.other`);
  assertEquals(closings(() => other[Symbol.dispose]()), 1);
});

Deno.test("whatever happens, a server that is started again has the same, and everybody gets everything once", async () => {
  await using folder = await Folder.make();
  const people = [ANA, BO, EVE];
  const person = fc.constantFrom(...people);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ from: person, to: person }) },
    fc.record({ taker: person }),
    fc.record({ passed: fc.integer({ min: 0, max: 3 * DAY }) }),
    fc.constant("restart" as const),
  );
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const path = folder.file(`${run++}.waiting`);
      let mailbox = Mailbox.open(path);
      let now = START - 30 * DAY; // so that opening it now ends everything that is older
      let n = 0;
      const expected: { to: string; name: string; at: number }[] = [];
      try {
        for (const it of steps) {
          if (it === "restart") {
            const before = people.map((id) => given(mailbox, id, 0, now));
            mailbox[Symbol.dispose]();
            mailbox = openAt(path, now);
            const after = people.map((id) => given(mailbox, id, 0, now));
            assertEquals(after, before);
          } else if ("passed" in it) now += it.passed;
          else if ("taker" in it) {
            mailbox.got(it.taker, Number.MAX_SAFE_INTEGER);
          } else if (it.from !== it.to) {
            mailbox.post(posting(++n, it), new Listener(), now);
            expected.push({ to: it.to, name: `m${n}`, at: now });
            expected.push({ to: it.from, name: `c${n}`, at: now });
          }
          for (const id of people) {
            const kept = expected.filter(({ to, at }) =>
              to === id && now - at < LETTER_KEPT
            );
            const names = kept.map(({ name }) => name);
            assertEquals(given(mailbox, id, 0, now), names);
          }
        }
      } finally {
        mailbox[Symbol.dispose]();
      }
    }),
    { numRuns: 60, seed: 7 },
  );
});

/** Opens a mailbox at another time. */
function openAt(path: string, now: number): Mailbox {
  using _now = replaced(Date, "now", () => now);
  return Mailbox.open(path);
}
