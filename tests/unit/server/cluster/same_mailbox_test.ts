/**
 * Mailboxes of servers that share a room: what is carried out in one order leaves the same in all, whatever happens to
 * one of them.
 *
 * @module
 */

import fc from "fast-check";
import type { Event } from "../../../../src/protocol/events.ts";
import {
  LETTER_KEPT,
  type LetterLine,
  type Posting,
} from "../../../../src/server/letters.ts";
import {
  Mailbox,
  type Posted,
  type Recipient,
} from "../../../../src/server/mailbox.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { fileTest } from "../../../kit/folder.ts";
import { withFullDisk } from "../../../kit/full_disk.ts";
import { overhear } from "../../../kit/overhear.ts";
import { madeUpId, madeUpStay } from "../../../kit/people.ts";

const START = Date.now();
const DAY = 86_400_000;
const ANA = madeUpId("ana");
const BO = madeUpId("bo");
const EVE = madeUpId("eve");
const STAY = madeUpStay("ana");
const NOBODY: Recipient = { tell() {} };

/** A connection that remembers what it was told. */
class Listener implements Recipient {
  readonly letters: Event<"letter">[] = [];
  tell(...events: Event[]): void {
    this.letters.push(...events.filter((it) => it.kind === "letter"));
  }
}

function posting(n: number, from = ANA, to = BO, length = 1_856): Posting {
  const fill = (text: string) => text.padEnd(length, "_");
  return { from, to, stay: STAY, n, data: fill(`m${n}`), own: fill(`c${n}`) };
}

const isDecided = true;

/** Carries out what an entry has at its time, as a room does. */
function post(mailbox: Mailbox, it: Posting, at: number): Posted {
  mailbox.sweep(at);
  return mailbox.post(it, NOBODY, at, { isDecided });
}

function got(mailbox: Mailbox, person: string, id: number, at: number): void {
  mailbox.sweep(at);
  mailbox.got(person, id, isDecided);
}

/** Runs a step while a disk is full. */
const test = fileTest("chat.waiting");

test("a message that a client sends again by another server is kept once, with the same numbers on all", (path) => {
  using a = Mailbox.open(path);
  using b = Mailbox.open(`${path}.b`);
  const bo = new Listener();
  b.collect(BO, bo, null, START);
  // First by one server, which dies, then by the other; bo is at the second all the time.
  const states = [START, START + 1].map((at) =>
    [a, b].map((it) => post(it, posting(1), at))
  );
  assertEquals(states, [["waiting", "delivered"], ["waiting", "delivered"]]);
  assertEquals(bo.letters.length, 1);
  assertEquals(a.state(), b.state());
  assertEquals(a.state().filter(({ kind }) => kind === "letter").length, 2);
});

test("a recipient who is in the room by another server counts as one who is here", (path) => {
  using mailbox = Mailbox.open(path);
  const options = { isDecided, isElsewhere: true };
  const state = mailbox.post(posting(1), NOBODY, START, options);
  assertEquals(state, "delivered");
});

test("what others keep is kept and told where the disk is full, and written down later", async (path) => {
  using mailbox = Mailbox.open(path);
  const bo = new Listener();
  mailbox.collect(BO, bo, null, START);
  await withFullDisk(() => {
    assertEquals(post(mailbox, posting(1), START), "delivered");
    got(mailbox, BO, bo.letters[0]?.id ?? 0, START);
    assertEquals(mailbox.isKept, false);
  });
  assertEquals(bo.letters.length, 1);
  {
    using early = Mailbox.open(path);
    assertEquals(early.state().length, 1); // nothing but the last number
  }
  post(mailbox, posting(2), START);
  mailbox.due(START);
  assertEquals(mailbox.isKept, true);
  using again = Mailbox.open(path);
  assertEquals(again.state(), mailbox.state());
  assertEquals(again.hasNew(BO, bo.letters[0]?.id ?? 0), false);
});

test("what a full disk keeps from being written down is so as soon as there is place, also where nothing else comes", async (path) => {
  using mailbox = Mailbox.open(path);
  await withFullDisk(() => {
    post(mailbox, posting(1), START);
    mailbox.due(START); // looks in vain
    assertEquals(mailbox.isKept, false);
  });
  mailbox.due(START);
  assertEquals(mailbox.isKept, true);
  using again = Mailbox.open(path);
  assertEquals(again.state(), mailbox.state());
});

test("however much a full disk keeps from being written down, it is there at last, with one try a minute, and no more of it is in memory", async (path) => {
  using mailbox = Mailbox.open(path);
  await withFullDisk(() => {
    for (let n = 1; n <= 1_000; n++) {
      assertEquals(post(mailbox, posting(n, ANA, BO, 16), START), "waiting");
      got(mailbox, BO, Number.MAX_SAFE_INTEGER, START);
    }
    mailbox.due(START); // in vain
  });
  for (const [later, isKept] of [[59_999, false], [60_000, true]] as const) {
    mailbox.due(START + later);
    assertEquals(mailbox.isKept, isKept);
  }
  using again = Mailbox.open(path);
  assertEquals(again.state(), mailbox.state());
});

test("a mailbox that closes writes down what a full disk had kept from the file, little or much", async (path) => {
  for (const count of [1, 1_000]) {
    const lines = await (async () => {
      using mailbox = Mailbox.open(`${path}.${count}`);
      await withFullDisk(() => {
        for (let n = 1; n <= count; n++) {
          post(mailbox, posting(n, ANA, BO, 16), START);
          got(mailbox, BO, Number.MAX_SAFE_INTEGER, START);
        }
      });
      assertEquals(mailbox.isKept, false);
      return mailbox.state();
    })();
    using again = Mailbox.open(`${path}.${count}`);
    assertEquals(again.state(), lines);
  }
});

test("the owner is told once of a file that can't be written, and again after it could be", async (path) => {
  const said = await overhear("error", async () => {
    using mailbox = Mailbox.open(path);
    for (const time of [1, 2]) {
      await withFullDisk(() => {
        for (const n of [1, 2]) post(mailbox, posting(10 * time + n), START);
        mailbox.due(START);
      });
      mailbox.due(START);
    }
  });
  assertEquals(said.length, 2);
  assertEquals(said[0], said[1]);
});

test("no clock of a server decides what is kept: a message that is over for one of them is counted until all drop it", (path) => {
  using a = Mailbox.open(path);
  using b = Mailbox.open(`${path}.b`);
  const late = START + LETTER_KEPT - 1;
  for (const it of [a, b]) {
    for (let n = 1; n <= 100; n++) post(it, posting(n), START);
  }
  // The clock of one is an hour ahead: it shows nothing any more, and asks for what is over to be dropped.
  const bo = new Listener();
  assertEquals(a.collect(BO, bo, 0, late + 3_600_000), 0);
  assertEquals(b.due(late), undefined);
  const due = a.due(late + 3_600_000);
  assert(due === ANA || due === BO);
  for (const it of [a, b]) got(it, due, 0, late);
  for (const it of [a, b]) {
    assertEquals(post(it, posting(101), late), "mailbox-full");
  }
  assertEquals(a.state(), b.state());
  for (const it of [a, b]) got(it, due, 0, late + 1);
  assertEquals(a.state(), b.state());
  assertEquals(a.state().length, 1);
});

test("Mailbox.due() asks seldom, and only while something is over", (path) => {
  using mailbox = Mailbox.open(path);
  post(mailbox, posting(1), START);
  const end = START + LETTER_KEPT;
  assertEquals(mailbox.due(end - 1), undefined);
  assertEquals(mailbox.due(end + DAY), BO);
  assertEquals(mailbox.due(end + DAY + 1_000), undefined);
  assertEquals(mailbox.due(end + 2 * DAY), BO); // nobody did it
  got(mailbox, BO, 0, end + 2 * DAY);
  assertEquals(mailbox.due(end + 3 * DAY), undefined);
});

test("Mailbox.takeOver() puts another server's messages in the place of all, also in the file", (path) => {
  const lines = ((): LetterLine[] => {
    using other = Mailbox.open(`${path}.other`);
    for (let n = 1; n <= 3; n++) post(other, posting(n), START);
    got(other, BO, START, START);
    return other.state();
  })();
  using mailbox = Mailbox.open(path);
  post(mailbox, posting(9, EVE), START);
  mailbox.takeOver(lines);
  assertEquals(mailbox.state(), lines);
  post(mailbox, posting(4), START);
  using again = Mailbox.open(path);
  assertEquals(again.state(), mailbox.state());
  assertEquals(again.state().length, lines.length + 2);
});

/** A mailbox to which things happen, as to a server: it is full of what is missing in its file, killed, started again. */
class Shaken implements Disposable {
  #path: string;
  #mailbox: Mailbox;
  #changes: ((mailbox: Mailbox) => unknown)[] = []; // that may come again after a crash
  #starts = 0;
  isFull = false;

  constructor(path: string) {
    this.#path = path;
    this.#mailbox = Mailbox.open(path);
  }

  get mailbox(): Mailbox {
    return this.#mailbox;
  }

  /** Carries something out. @returns What came of it. */
  async change(change: (mailbox: Mailbox) => unknown): Promise<unknown> {
    let outcome: unknown;
    const step = () => void (outcome = change(this.#mailbox));
    if (this.isFull) await withFullDisk(step);
    else step();
    // How far a server is stands in its file after the messages: the last entry may come again.
    if (this.#mailbox.isKept) this.#changes = [];
    this.#changes.push(change);
    return outcome;
  }

  /** Is started again: after its end, when all is in its file, or after a crash. */
  restart(isCrash: boolean): void {
    const path = `${this.#path}.${++this.#starts}`;
    if (isCrash) Deno.copyFileSync(this.#path, path);
    this.#mailbox[Symbol.dispose]();
    if (!isCrash) Deno.renameSync(this.#path, path);
    this.#path = path;
    this.#mailbox = Mailbox.open(path);
    if (isCrash) { for (const change of this.#changes) change(this.#mailbox); }
  }

  [Symbol.dispose](): void {
    this.#mailbox[Symbol.dispose]();
  }
}

test("servers keep the same, whatever happens to one of them", async (path) => {
  const person = fc.constantFrom(ANA, BO, EVE);
  const length = fc.constantFrom(1_856, 500_000);
  const step = fc.oneof(
    { weight: 9, arbitrary: fc.record({ from: person, to: person, length }) },
    fc.record({ taker: person, back: fc.integer({ min: 0, max: DAY }) }),
    fc.record({ passed: fc.integer({ min: 1, max: 3 * DAY }) }),
    fc.constantFrom("restart", "crash", "full", "look", "again"),
  );
  let run = 0;
  const refused = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      using sound = Mailbox.open(`${path}.${++run}.sound`);
      using shaken = new Shaken(`${path}.${run}.shaken`);
      let [now, n, last] = [START, 0, posting(0)];
      for (const it of steps) {
        now++;
        const at = now;
        const change = async (change: (mailbox: Mailbox) => unknown) => {
          const expected = change(sound);
          assertEquals(await shaken.change(change), expected);
          refused.add(expected);
        };
        if (it === "restart" || it === "crash") shaken.restart(it === "crash");
        else if (it === "full") shaken.isFull = !shaken.isFull;
        else if (it === "look") shaken.mailbox.due(now + DAY);
        else if (it === "again") {
          const again = last;
          await change((mailbox) => post(mailbox, again, at));
        } else if ("passed" in it) now += it.passed;
        else if ("taker" in it) {
          await change((mailbox) => got(mailbox, it.taker, at - it.back, at));
        } else if (it.from !== it.to) {
          const next = posting(++n, it.from, it.to, it.length);
          last = next;
          await change((mailbox) => post(mailbox, next, at));
        }
        assertEquals(shaken.mailbox.state(), sound.state());
      }
    }),
    { numRuns: 60, seed: 7 },
  );
  assert(refused.has("mailbox-full")); // or nothing was decided
});
