/**
 * Which private messages are kept, and which give way.
 *
 * @module
 */

import {
  type Letter,
  type LetterLine,
  Letters,
  type Posting,
} from "../../../src/server/letters.ts";
import { assertEquals } from "../../kit/assert.ts";

const START = Date.UTC(2026, 10, 23);
const MANY = Number.MAX_SAFE_INTEGER;
const MEBIBYTE = 1_048_576;
/** As docs/protocol.md has it. */
const LETTER_KEPT = 7 * 86_400_000;

/** A message, of ana to bo where nothing else is said. */
function posting(
  n: number,
  { from = "ana", to = "bo", stay = "stay", length = 9, own = "own" }:
    & Partial<Posting>
    & { readonly length?: number } = {},
): Posting {
  return { from, to, stay, n, data: "_".repeat(length), own };
}

/** Messages, as a mailbox keeps them. */
class Kept {
  letters = new Letters();

  /** @returns Why it isn't kept. */
  post(it: Posting, at = START): string | undefined {
    const refusal = this.letters.refusal(it);
    if (refusal) return refusal;
    for (const line of this.letters.lines(it, at)) this.letters.apply(line);
    return undefined;
  }

  got(to: string, id = MANY): void {
    this.letters.apply({ kind: "got", to, id });
  }

  /** The numbers that a person's messages have by their senders. */
  of(person: string): number[] {
    return this.letters.of(person).map(({ n }) => n);
  }

  /** How many of a sender's are kept until one isn't, and why that isn't. */
  fill(
    options: Parameters<typeof posting>[1] = {},
    first = 1,
  ): [number, string | undefined] {
    for (let n = first; n < first + 1_000; n++) {
      const refusal = this.post(posting(n, options));
      if (refusal !== undefined) return [n - first, refusal];
    }
    return [1_000, undefined];
  }
}

Deno.test("Letters keeps a message and its sender's copy, with numbers that rise, and each once", () => {
  const kept = new Kept();
  const { letters } = kept;
  const { data, own } = posting(1);
  const words = { kind: "letter", from: "ana", stay: "stay", n: 1 } as const;
  const lines: Letter[] = [
    { ...words, id: START, to: "bo", at: START, data },
    { ...words, id: START + 1, to: "ana", at: START, data: own },
  ];
  assertEquals(letters.lines(posting(1), START), lines);
  kept.post(posting(1));
  assertEquals(letters.size, 2);
  assertEquals(
    letters.of("bo"),
    lines.slice(0, 1).map((it) => ({
      ...it,
      taken: false,
    })),
  );
  assertEquals(
    letters.of("ana"),
    lines.slice(1).map((it) => ({
      ...it,
      taken: true,
    })),
  );
  assertEquals(letters.of("eve"), []);
  assertEquals(letters.lines(posting(1), START + 9), []);
  // Another number, stay or sender is another message.
  const others = [
    posting(2),
    posting(1, { stay: "other" }),
    posting(1, { from: "eve" }),
  ];
  for (const it of others) assertEquals(letters.lines(it, START).length, 2);
  const ids = (at: number) => letters.lines(posting(2), at).map(({ id }) => id);
  assertEquals(ids(START), [START + 2, START + 3]);
  assertEquals(ids(START + 2), [START + 2, START + 3]);
  assertEquals(ids(START + 9), [START + 9, START + 10]);
  letters.apply({ kind: "last", id: START + 20 });
  letters.apply({ kind: "last", id: START + 10 });
  assertEquals(ids(START + 9), [START + 21, START + 22]);
});

Deno.test("Letters gives the line that is missing, where a message or its copy is there alone", () => {
  const letters = new Letters();
  const [letter, copy] = letters.lines(posting(1), START);
  if (!letter || !copy) throw new Error("no lines");
  letters.apply(copy);
  assertEquals(letters.lines(posting(1), START).map(({ to }) => to), ["bo"]);
  assertEquals(letters.isTaken(posting(1)), false);
  const other = new Letters();
  other.apply(letter);
  assertEquals(other.lines(posting(1), START).map(({ to }) => to), ["ana"]);
});

Deno.test("a person takes its messages up to a number, and nobody else's", () => {
  const kept = new Kept();
  const { letters } = kept;
  for (const n of [1, 2, 3]) kept.post(posting(n));
  kept.post(posting(5, { to: "eve" }));
  const [first, second] = letters.of("bo");
  kept.got("bo", (second?.id ?? 0) - 1);
  assertEquals(letters.of("bo").map((it) => it.taken), [true, false, false]);
  kept.got("bo", second?.id);
  kept.got("bo", first?.id); // again
  assertEquals(letters.of("bo").map((it) => it.taken), [true, true, false]);
  assertEquals([1, 2, 3, 4].map((n) => letters.isTaken(posting(n))), [
    true,
    true,
    false,
    false,
  ]);
  assertEquals(letters.isTaken(posting(5, { to: "eve" })), false);
  kept.got("nobody");
});

Deno.test("two hundred messages wait for a person, of which a sender leaves half of the place to others", () => {
  const kept = new Kept();
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const filled = names.map((from) => kept.fill({ from }));
  assertEquals(filled.map(([count]) => count), [
    ...[100, 50, 25, 13, 6, 3, 2, 1, 0],
  ]);
  assertEquals(filled.map(([, why]) => why), names.map(() => "mailbox-full"));
  assertEquals(kept.of("bo").length, 200);
  assertEquals(kept.letters.refusal(posting(1, { from: "a" })), undefined); // which is there already
  // Of those that were taken none is counted, and the oldest give way.
  const [, , third] = kept.letters.of("bo");
  kept.got("bo", third?.id);
  assertEquals(kept.fill({ from: "i" }), [2, "mailbox-full"]);
  assertEquals(kept.fill({ from: "j" }), [1, "mailbox-full"]);
  assertEquals(kept.fill({ from: "k" }), [0, "mailbox-full"]);
  assertEquals([kept.of("bo").length, kept.of("bo")[0]], [200, 4]);
  assertEquals(kept.letters.dropped, 3);
});

Deno.test("copies of one's own give way to others', and to what waits", () => {
  const kept = new Kept();
  for (let n = 1; n <= 210; n++) {
    kept.post(posting(n));
    kept.got("bo");
  }
  assertEquals(kept.of("ana").length, 200);
  assertEquals(kept.of("ana")[0], 11);
  kept.post(posting(1, { from: "eve", to: "ana" }));
  assertEquals([kept.of("ana")[0], kept.of("ana").at(-1)], [12, 1]);
});

Deno.test("two mebibytes wait for a person, of which a sender leaves half of the place to others", () => {
  const kept = new Kept();
  const length = MEBIBYTE / 64;
  assertEquals(kept.fill({ length }), [64, "mailbox-full"]);
  const other = (length: number) =>
    kept.post(posting(1, { from: "eve", length }));
  assertEquals(other(MEBIBYTE / 2 + 1), "mailbox-full");
  assertEquals(other(MEBIBYTE / 2), undefined);
  // What was taken has place beside, as far as there is any.
  kept.got("bo");
  assertEquals(kept.fill({ length }, 65), [64, "mailbox-full"]);
  assertEquals(kept.of("bo").length, 64 + 32 + 1);
  assertEquals(kept.of("bo").slice(0, 2), [33, 34]);
});

Deno.test("500 messages of a person may wait for others, so that nobody fills the place of all", () => {
  const kept = new Kept();
  const to = (n: number) => ({ to: `to ${n % 20}` });
  kept.post(posting(999));
  kept.got("bo"); // it waits no more
  for (let n = 1; n <= 500; n++) {
    assertEquals(kept.post(posting(n, to(n))), undefined);
  }
  const full = "mailbox-sender-full";
  assertEquals(kept.post(posting(501)), full);
  assertEquals(kept.post(posting(1, to(1))), undefined); // which is there already
  assertEquals(kept.post(posting(1, { ...to(0), from: "eve" })), undefined);
  for (const _ of [1, 2]) kept.got("to 3"); // it has them once
  for (let n = 501; n <= 525; n++) {
    assertEquals(kept.post(posting(n)), undefined);
  }
  assertEquals(kept.post(posting(526)), full);
  kept.letters.expire(START + LETTER_KEPT);
  assertEquals(kept.post(posting(526), START + LETTER_KEPT), undefined);
});

Deno.test("64 MiB are kept in all: what was taken gives way, the oldest first, and then nothing more is taken", () => {
  const kept = new Kept();
  const message = (n: number, length: number) =>
    posting(n, { from: `from ${n}`, to: `to ${n}`, length, own: "" });
  for (let n = 1; n <= 64; n++) {
    assertEquals(kept.post(message(n, MEBIBYTE)), undefined);
  }
  assertEquals(kept.post(message(65, 1)), "mailbox-full");
  assertEquals(kept.of("from 1"), [1]); // a copy needs no place of what waits
  for (const n of [8, 9, 20]) kept.got(`to ${n}`);
  assertEquals(kept.letters.refusal(message(65, 3 * MEBIBYTE)), "mailbox-full"); // more than one may have
  const half = MEBIBYTE / 2;
  for (const n of [65, 66, 67]) {
    assertEquals(kept.post(message(n, half)), undefined);
  }
  const isThere = (n: number) => kept.of(`to ${n}`).length === 1;
  assertEquals([7, 8, 9, 10, 20, 65, 66, 67].map(isThere), [
    ...[true, false, false, true, true, true, true, true],
  ]);
  assertEquals(kept.post(message(68, MEBIBYTE)), undefined); // half is free, and one is taken
  assertEquals([10, 20, 68].map(isThere), [true, false, true]);
  assertEquals(kept.post(message(69, half + 1)), "mailbox-full");
  assertEquals(kept.post(message(69, half)), undefined);
  assertEquals(kept.post(message(70, 1)), "mailbox-full");
});

Deno.test("a message is kept for seven days", () => {
  const kept = new Kept();
  const { letters } = kept;
  const end = START + LETTER_KEPT;
  assertEquals(letters.expired(end), undefined);
  kept.post(posting(1));
  kept.post(posting(9, { to: "eve" }), START + 1);
  kept.post(posting(2), START + 2);
  assertEquals(letters.expired(end - 1), undefined);
  letters.expire(end - 1);
  assertEquals([letters.size, letters.dropped], [6, 0]);
  assertEquals(letters.expired(end), "bo");
  letters.expire(end + 1);
  assertEquals([kept.of("bo"), kept.of("ana"), kept.of("eve")], [[2], [2], []]);
  assertEquals([letters.size, letters.dropped], [2, 4]);
  // So it is with each that comes.
  for (const line of letters.lines(posting(3), end + 2)) letters.apply(line);
  assertEquals([kept.of("bo"), kept.of("ana")], [[3], [3]]);
});

Deno.test("Letters.summary() says all that counts, and no more", () => {
  const kept = new Kept();
  const { letters } = kept;
  assertEquals(letters.summary(), [{ kind: "last", id: 0 }]);
  for (const n of [1, 2, 3]) kept.post(posting(n));
  kept.post(posting(1, { from: "bo", to: "eve" }));
  const { id = 0 } = letters.of("bo")[1] ?? {};
  kept.got("bo", id);
  const lines: LetterLine[] = letters.summary();
  assertEquals(lines.length, 10);
  assertEquals(lines[0], { kind: "last", id: START + 7 });
  assertEquals(lines.at(-1), { kind: "got", to: "bo", id });
  const other = new Letters();
  for (const line of lines) other.apply(line);
  assertEquals(other.summary(), lines);
  for (const person of ["ana", "bo", "eve"]) {
    assertEquals(other.of(person), letters.of(person));
  }
});
