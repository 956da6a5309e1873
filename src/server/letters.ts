/**
 * Which private messages are kept, and which give way: all of it follows from the lines of `chat.waiting`, in their
 * order.
 *
 * @module
 */

import type { Refusal } from "../protocol/reasons.ts";

/** For how long a message is kept, ms. */
export const LETTER_KEPT = 7 * 86_400_000;
/** Messages that are kept for a person, and their length in base64url. */
const MAX_LETTERS = 200;
const MAX_LENGTH = 2 * 1_048_576;
/** Messages of one sender that may wait, for whomever: nobody fills the place that is there for all. */
const MAX_FROM = 500;
/** The length of all that are kept. */
const MAX_TOTAL = 64 * 1_048_576;

/** A message to be kept; its data are base64url. */
export interface Posting {
  /** The full id of its sender. */
  readonly from: string;
  /** In which stay it was written, and its number there: that tells it from the sender's others. */
  readonly stay: string;
  /** See `stay`. */
  readonly n: number;
  /** The full id of its recipient. */
  readonly to: string;
  /** Sealed to its recipient. */
  readonly data: string;
  /** Sealed to its sender. */
  readonly own: string;
}

/** A line of `chat.waiting`. */
export type LetterLine =
  | {
    /** A message that is kept for the person `to`; from itself: a copy, for which nobody waits. */
    readonly kind: "letter";
    readonly id: number;
    readonly to: string;
    readonly from: string;
    readonly stay: string;
    readonly n: number;
    /** When it came, ms since 1970. */
    readonly at: number;
    readonly data: string;
  }
  | {
    /** A person has taken its messages up to that number. */
    readonly kind: "got";
    readonly to: string;
    readonly id: number;
  }
  | {
    /** The last number that was given, since none is given twice. */
    readonly kind: "last";
    readonly id: number;
  };

/** All kinds of lines. */
export const LETTER_KINDS: Readonly<Record<LetterLine["kind"], true>> = {
  letter: true,
  got: true,
  last: true,
};

/** A message that is kept. */
export type Letter = Extract<LetterLine, { readonly kind: "letter" }>;

/** A message that is kept, and whether somebody has taken it. */
interface Kept {
  readonly letter: Letter;
  taken: boolean;
}

/** What a person has. */
interface Box {
  readonly kept: Set<Kept>; // the oldest first
  length: number;
}

/** All messages that are kept. */
export class Letters {
  readonly #all = new Set<Kept>(); // the oldest first
  readonly #boxes = new Map<string, Box>(); // by the recipient's full id
  readonly #waiting = new Map<string, number>(); // how many nobody has taken, by the sender's full id
  #length = 0;
  #last = 0;
  /** How many were dropped since that was set to 0. */
  dropped = 0;

  /** How many lines they need. */
  get size(): number {
    return this.#all.size;
  }

  /** A person's, the oldest first, also those that have only not been dropped yet. @param person Its full id. */
  of(person: string): (Letter & { readonly taken: boolean })[] {
    const { kept = [] } = this.#boxes.get(person) ?? {};
    return [...kept].map(({ letter, taken }) => ({ ...letter, taken }));
  }

  /** Why a message can't be kept; undefined if it can, or is already. */
  refusal({ from, to, stay, n, data }: Posting): Refusal | undefined {
    if (this.#find(to, from, stay, n)) return undefined;
    if (!this.#hasPlace(to, from, data.length)) return "mailbox-full";
    if ((this.#waiting.get(from) ?? 0) >= MAX_FROM) {
      return "mailbox-sender-full";
    }
    let free = MAX_TOTAL - this.#length;
    for (const it of this.#all) {
      if (free >= data.length) break;
      if (it.taken) free += lengthOf(it);
    }
    return free >= data.length ? undefined : "mailbox-full";
  }

  /** A sender has half of the place in a box that others leave: so nobody fills it alone, and a few don't either. */
  #hasPlace(to: string, from: string, length: number): boolean {
    let [count, size] = [MAX_LETTERS, MAX_LENGTH]; // that others leave
    let [ownCount, ownSize] = [1, length];
    for (const it of this.#boxes.get(to)?.kept ?? []) {
      if (it.taken) continue;
      if (it.letter.from === from) {
        ownCount++;
        ownSize += lengthOf(it);
      } else {
        count--;
        size -= lengthOf(it);
      }
    }
    return ownCount <= Math.ceil(count / 2) && ownSize <= size / 2;
  }

  /** The lines of a message that aren't there yet: its own and its copy's. @param at ms since 1970. */
  lines({ from, to, stay, n, data, own }: Posting, at: number): Letter[] {
    const both = [{ to, data }, { to: from, data: own }]
      .filter((it) => !this.#find(it.to, from, stay, n));
    const first = Math.max(this.#last + 1, at); // rises even where the file is lost
    return both.map(({ to, data }, index) => {
      return { kind: "letter", id: first + index, to, from, stay, n, at, data };
    });
  }

  /** Whether a message is there, and was taken by its recipient. */
  isTaken({ from, to, stay, n }: Posting): boolean {
    return this.#find(to, from, stay, n)?.taken === true;
  }

  /** Takes a line over. */
  apply(line: LetterLine): void {
    switch (line.kind) {
      case "last":
        this.#last = Math.max(this.#last, line.id);
        return;
      case "got":
        for (const it of this.#boxes.get(line.to)?.kept ?? []) {
          if (it.letter.id <= line.id) this.#take(it);
        }
        return;
      case "letter":
        this.#keep(line);
    }
  }

  /** To whom a message was that has been kept for long enough; undefined where none has. @param now ms since 1970. */
  expired(now: number): string | undefined {
    const [oldest] = this.#all;
    const isOver = oldest && now - oldest.letter.at >= LETTER_KEPT;
    return isOver ? oldest.letter.to : undefined;
  }

  /** Drops what has been kept for long enough. @param now ms since 1970. */
  expire(now: number): void {
    for (const it of this.#all) {
      if (now - it.letter.at < LETTER_KEPT) return;
      this.#drop(it);
    }
  }

  /** All that counts, in as few lines as it takes. */
  summary(): LetterLine[] {
    const lines: LetterLine[] = [{ kind: "last", id: this.#last }];
    const taken = new Map<string, number>();
    for (const { letter, taken: isTaken } of this.#all) {
      lines.push(letter);
      const { to, from, id } = letter;
      if (isTaken && to !== from) taken.set(to, id);
    }
    // What was taken was so from the oldest on.
    for (const [to, id] of taken) lines.push({ kind: "got", to, id });
    return lines;
  }

  #find(
    to: string,
    from: string,
    stay: string,
    n: number,
  ): Kept | undefined {
    const { kept = [] } = this.#boxes.get(to) ?? {};
    return [...kept].find(({ letter }) =>
      letter.n === n && letter.stay === stay && letter.from === from
    );
  }

  #keep(letter: Letter): void {
    const { to, from, at, id } = letter;
    this.expire(at);
    this.#last = Math.max(this.#last, id);
    const isCopy = to === from;
    const it: Kept = { letter, taken: isCopy };
    const box = this.#boxes.get(to) ?? { kept: new Set(), length: 0 };
    this.#boxes.set(to, box);
    this.#all.add(it);
    box.kept.add(it);
    box.length += lengthOf(it);
    this.#length += lengthOf(it);
    if (!isCopy) this.#waiting.set(from, (this.#waiting.get(from) ?? 0) + 1);
    this.#yield(
      box.kept,
      () => box.kept.size > MAX_LETTERS || box.length > MAX_LENGTH,
    );
    this.#yield(this.#all, () => this.#length > MAX_TOTAL);
  }

  /** Those that were taken give way, the oldest first. */
  #yield(kept: Iterable<Kept>, isTooMuch: () => boolean): void {
    for (const it of kept) {
      if (!isTooMuch()) return;
      if (it.taken) this.#drop(it);
    }
  }

  #take(it: Kept): void {
    if (it.taken) return;
    it.taken = true;
    this.#waitsNoMore(it.letter.from);
  }

  #waitsNoMore(from: string): void {
    const left = (this.#waiting.get(from) ?? 0) - 1;
    if (left > 0) this.#waiting.set(from, left);
    else this.#waiting.delete(from);
  }

  #drop(it: Kept): void {
    const { to, from } = it.letter;
    if (!it.taken) this.#waitsNoMore(from);
    this.#all.delete(it);
    this.#length -= lengthOf(it);
    this.dropped++;
    const box = this.#boxes.get(to);
    if (!box) return;
    box.kept.delete(it);
    box.length -= lengthOf(it);
    if (box.kept.size === 0) this.#boxes.delete(to);
  }
}

function lengthOf({ letter }: Kept): number {
  return letter.data.length;
}
