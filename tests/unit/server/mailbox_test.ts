/**
 * The server's mailbox: what is posted is told to who is here and kept for who isn't, within bounds, and across
 * restarts and crashes at any byte.
 *
 * @module
 */

import fc from "fast-check";
import { FileError } from "../../../src/base/private_file.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { LETTER_KEPT, type Posting } from "../../../src/server/letters.ts";
import {
  Mailbox,
  type Recipient,
  waitingFile,
} from "../../../src/server/mailbox.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { fileTest, Folder, modeOf } from "../../kit/folder.ts";
import { windows, withMethod } from "../../kit/log_kit.ts";
import { madeUpId, madeUpStay } from "../../kit/people.ts";

const START = Date.now();
const ANA = madeUpId("ana");
const BO = madeUpId("bo");
const EVE = madeUpId("eve");
const DAY = 86_400_000;

/** A connection that remembers what it was told. */
class Listener implements Recipient {
  readonly letters: Event<"letter">[] = [];
  tell(...events: Event[]): void {
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
  for (const it of [bo, bo2]) mailbox.leave(BO, it as Listener);
  assertEquals(mailbox.post(posting(2), ana, START), "waiting");
  assertEquals(ana2?.data, ["c1", "c2"]);
  assertEquals(bo?.data, ["m1"]);
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

/** Somebody of many. */
const sender = (n: number) => ({ from: madeUpId(`sender ${n}`) });

test("two hundred messages wait for a person, and the next is refused, until some are taken", (path) => {
  using mailbox = Mailbox.open(path);
  const post = (n: number, options = {}) =>
    mailbox.post(posting(n, options), new Listener(), START);
  for (let n = 1; n <= 100; n++) assertEquals(post(n), "waiting");
  for (let n = 101; n <= 200; n++) assertEquals(post(n, sender(n)), "waiting");
  assertEquals(post(201), "mailbox-full");
  assertEquals(post(201, sender(201)), "mailbox-full");
  assertEquals(post(100), "waiting"); // which is there already
  const bo = new Listener();
  mailbox.collect(BO, bo, null, START);
  mailbox.leave(BO, bo);
  assertEquals(bo.data.length, 200);
  mailbox.got(BO, bo.letters[2]?.id ?? 0);
  for (let n = 201; n <= 203; n++) assertEquals(post(n, sender(n)), "waiting");
  assertEquals(post(204, sender(204)), "mailbox-full");
  // Those that were taken gave way, the oldest first.
  assertEquals(given(mailbox, BO, 0).length, 200);
  assertEquals(given(mailbox, BO, 0)[0], "m4");
  // The sender's copies, too, for which nobody waits.
  for (let n = 1; n <= 110; n++) {
    post(n, { to: EVE, stay: madeUpStay("another") });
    mailbox.got(EVE, Number.MAX_SAFE_INTEGER);
  }
  assertEquals(given(mailbox, ANA, 0).length, 200);
  assertEquals(givenAnew(path, BO, 0), given(mailbox, BO, 0));
  assertEquals(givenAnew(path, ANA, 0), given(mailbox, ANA, 0));
});

test("two mebibytes wait for a person", (path) => {
  using mailbox = Mailbox.open(path);
  const length = 16_384;
  const post = (n: number) =>
    mailbox.post(posting(n, { length }), new Listener(), START);
  for (let n = 1; n <= 64; n++) assertEquals(post(n), "waiting");
  assertEquals(post(65), "mailbox-full");
  const others = (length: number) =>
    mailbox.post(posting(1, { length, from: EVE }), new Listener(), START);
  assertEquals(others(524_288 + 1), "mailbox-full");
  assertEquals(others(524_288), "waiting");
  mailbox.got(BO, Number.MAX_SAFE_INTEGER);
  for (let n = 65; n <= 128; n++) assertEquals(post(n), "waiting");
  assertEquals(post(129), "mailbox-full");
  assertEquals(given(mailbox, BO, 0).length, 97); // 64 that wait, and what has place beside
});

test("one sender, or a few, leave others place in a person's box, however much they send", (path) => {
  using mailbox = Mailbox.open(path);
  const post = (n: number, from: string) =>
    mailbox.post(posting(n, { from }), new Listener(), START);
  const taken = [1, 2, 3, 4].map((number) => {
    const { from } = sender(number);
    let n = 0;
    while (post(n + 1, from) === "waiting") n++;
    return n;
  });
  assertEquals(taken, [100, 50, 25, 13]);
  assertEquals(post(1, ANA), "waiting");
});

test("500 messages of a person may wait for others, so that nobody fills the place of all", (path) => {
  using mailbox = Mailbox.open(path);
  const post = (n: number) => {
    const to = madeUpId(`to ${n % 20}`);
    return mailbox.post(posting(n, { to }), new Listener(), START);
  };
  for (let n = 1; n <= 500; n++) assertEquals(post(n), "waiting");
  assertEquals(post(501), "mailbox-sender-full");
  const other = posting(1, { from: EVE, to: madeUpId("to 0") });
  assertEquals(mailbox.post(other, new Listener(), START), "waiting");
  mailbox.got(madeUpId("to 3"), Number.MAX_SAFE_INTEGER);
  assertEquals(post(501), "waiting");
  assertEquals(
    mailbox.post(posting(502), new Listener(), START + LETTER_KEPT),
    "waiting",
  );
});

test("64 MiB are kept in all: what was taken gives way, and then nothing more is taken", (path) => {
  using mailbox = Mailbox.open(path);
  const length = 262_144; // longer than any is, so that it takes fewer
  const post = (n: number) => {
    const sender = { from: madeUpId(`from ${n}`), to: madeUpId(`to ${n}`) };
    return mailbox.post(
      posting(n, { ...sender, length }),
      new Listener(),
      START,
    );
  };
  for (let n = 1; n <= 256; n++) assertEquals(post(n), "waiting");
  assertEquals(post(257), "mailbox-full");
  const find = (n: number) => given(mailbox, madeUpId(`to ${n}`), 0).length;
  const found = Array.from({ length: 256 }, (_, n) => find(n + 1));
  assertEquals(found, Array(256).fill(1));
  mailbox.got(madeUpId("to 9"), Number.MAX_SAFE_INTEGER);
  assertEquals(post(257), "waiting");
  assertEquals([find(8), find(9), find(10), find(257)], [1, 0, 1, 1]);
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

test("a server that is killed at any byte of what it writes goes on, and a message that is sent again is there once", async (path) => {
  {
    using mailbox = Mailbox.open(path);
    mailbox.post(posting(1), new Listener(), START);
    mailbox.post(posting(2), new Listener(), START);
    mailbox.got(BO, Number.MAX_SAFE_INTEGER);
  }
  const whole = await Deno.readFile(path);
  // Most bytes are of data, of which one stands for all.
  const text = new TextDecoder().decode(whole);
  const isData = (at: number) =>
    text.slice(at - 20, at + 20) === "_".repeat(40);
  for (let cut = 0; cut <= whole.length; cut++) {
    if (isData(cut)) continue;
    await Deno.writeFile(path, whole.subarray(0, cut));
    {
      using mailbox = Mailbox.open(path);
      for (const n of [1, 2]) mailbox.post(posting(n), new Listener(), START);
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
  const failing = () => () => {
    throw Object.assign(new Error("x"), { code: "ENOSPC" });
  };
  await withMethod(Deno.FsFile.prototype, "writeSync", failing, () => {
    const state = mailbox.post(posting(1), new Listener(), START);
    assertEquals(state, "mailbox-failed");
    assertEquals(bo.data, []);
    return Promise.resolve();
  });
  assertEquals(mailbox.post(posting(1), new Listener(), START), "delivered");
  assertEquals(bo.data, ["m1"]);
  assertEquals(givenAnew(path, BO), ["m1"]);
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
  const original = Date.now;
  Date.now = () => now;
  try {
    return Mailbox.open(path);
  } finally {
    Date.now = original;
  }
}
