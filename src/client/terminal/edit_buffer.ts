/**
 * A text with a cursor, and what readline's keys do to it. It knows nothing of terminals.
 *
 * @module
 */

import { clusters } from "./cells.ts";
import { KillRing } from "./kill_ring.ts";
import { type Word, wordsOf } from "./words.ts";

/** How many changes can be undone. */
const MAX_UNDONE = 500;

/** What was done last: some things go on with it when done again. */
type Deed = "typed" | "killed" | "yanked" | "other";

interface State {
  readonly text: string;
  readonly cursor: number;
}

/** A text that is edited, by grapheme clusters. Positions are UTF-16 units. */
export class EditBuffer {
  readonly #ring = new KillRing();
  #text = "";
  #cursor = 0;
  #undo: State[] = [];
  #last: Deed = "other";
  #yanked = 0; // how long the text is that was yanked last

  /** The text. */
  get text(): string {
    return this.#text;
  }

  /** Where the cursor stands. */
  get cursor(): number {
    return this.#cursor;
  }

  /** What stands before the cursor in its line. */
  get typed(): string {
    return this.#text.slice(this.#lineStart, this.#cursor);
  }

  /** Puts a text where the cursor is, and the cursor behind it. Words typed in a row are undone one by one. */
  insert(text: string): void {
    const goesOn = this.#last === "typed" && !/\s/.test(text);
    this.#change(this.#cursor, this.#cursor, text, goesOn);
    this.#last = "typed";
  }

  /** Puts a text where the cursor is, and the cursor behind it; it is undone for itself. */
  paste(text: string): void {
    this.#change(this.#cursor, this.#cursor, text);
  }

  /** Puts another text in place of all; this can be undone. */
  replace(text: string, cursor = text.length): void {
    this.#change(0, this.#text.length, text);
    this.moveTo(cursor);
  }

  /** Puts a text in place of the last units before the cursor. */
  replaceTyped(units: number, text: string): void {
    this.#change(this.#cursor - units, this.#cursor, text);
  }

  /** Empties the text for the next one; nothing of this one can be undone then. */
  reset(): void {
    this.#text = "";
    this.#cursor = 0;
    this.#undo = [];
    this.#last = "other";
  }

  /** Takes the last change back. */
  undo(): void {
    const state = this.#undo.pop();
    if (!state) return;
    this.#text = state.text;
    this.#cursor = state.cursor;
    this.#last = "other";
  }

  /** Moves the cursor to a place. */
  moveTo(cursor: number): void {
    this.#cursor = Math.max(0, Math.min(cursor, this.#text.length));
    this.#last = "other";
  }

  /** Moves by one character. */
  left(): void {
    this.moveTo(this.#before);
  }

  /** Moves by one character. */
  right(): void {
    this.moveTo(this.#after);
  }

  /** Moves to the start of the word before. */
  wordLeft(): void {
    this.moveTo(this.#wordStart);
  }

  /** Moves behind the next word. */
  wordRight(): void {
    this.moveTo(this.#wordEnd);
  }

  /** Moves to the start of the line. */
  home(): void {
    this.moveTo(this.#lineStart);
  }

  /** Moves to the end of the line. */
  end(): void {
    this.moveTo(this.#lineEnd);
  }

  /** Deletes the character before the cursor. */
  backspace(): void {
    this.#change(this.#before, this.#cursor, "");
  }

  /** Deletes the character at the cursor. */
  delete(): void {
    this.#change(this.#cursor, this.#after, "");
  }

  /** Cuts out what stands behind the cursor in its line; at its end, the line end. */
  killToEnd(): void {
    const end = this.#lineEnd;
    this.#kill(this.#cursor, end > this.#cursor ? end : end + 1);
  }

  /** Cuts out what stands before the cursor in its line; at its start, the line end before. */
  killToStart(): void {
    const start = this.#lineStart;
    this.#kill(start < this.#cursor ? start : start - 1, this.#cursor);
  }

  /** Cuts out what stands between the cursor and the white space before it. */
  killBlankWord(): void {
    const before = this.#text.slice(0, this.#cursor);
    this.#kill(before.replace(/\S*\s*$/, "").length, this.#cursor);
  }

  /** Cuts out the word before, or what of it stands before the cursor. */
  killWordLeft(): void {
    this.#kill(this.#wordStart, this.#cursor);
  }

  /** Cuts out the next word, or what of it stands behind the cursor. */
  killWordRight(): void {
    this.#kill(this.#cursor, this.#wordEnd);
  }

  /** Puts in what was cut out last. */
  yank(): void {
    const text = this.#ring.text;
    if (text !== undefined) this.#yank(this.#cursor, text);
  }

  /** Puts in what was cut out before that, in its place; only right after it was put in. */
  yankOlder(): void {
    if (this.#last !== "yanked") return;
    this.#ring.turn();
    this.#yank(this.#cursor - this.#yanked, this.#ring.text ?? "");
  }

  /** Exchanges the characters on both sides of the cursor; at the end of a line the last two. */
  transpose(): void {
    const line = this.#lineStart;
    const cursor = this.#cursor === this.#lineEnd ? this.#before : this.#cursor;
    const first = previous(this.#text, cursor);
    if (cursor <= line || first < line) return;
    const end = next(this.#text, cursor);
    const text = this.#text.slice(cursor, end) +
      this.#text.slice(first, cursor);
    this.#change(first, end, text);
  }

  /** Exchanges the word at the cursor, or the next, with the one before it; at the end the last two. */
  transposeWords(): void {
    const words = wordsOf(this.#text);
    const at = words.findIndex(({ end }) => end > this.#cursor);
    const second = words.at(at);
    const first = at === 0 ? undefined : words.at(at - 1);
    if (!first || !second || first.start >= second.start) return;
    const between = this.#text.slice(first.end, second.start);
    const text = this.#of(second) + between + this.#of(first);
    this.#change(first.start, second.end, text);
  }

  /** Makes the next word upper case. */
  upperCase(): void {
    this.#changeWord((word) => word.toUpperCase());
  }

  /** Makes the next word lower case. */
  lowerCase(): void {
    this.#changeWord((word) => word.toLowerCase());
  }

  /** Makes the next word begin with a capital letter. */
  capitalize(): void {
    this.#changeWord((word) => {
      const [first = "", ...rest] = word;
      return first.toUpperCase() + rest.join("").toLowerCase();
    });
  }

  get #lineStart(): number {
    return this.#cursor === 0
      ? 0
      : this.#text.lastIndexOf("\n", this.#cursor - 1) + 1;
  }

  get #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#cursor);
    return end < 0 ? this.#text.length : end;
  }

  get #before(): number {
    return previous(this.#text, this.#cursor);
  }

  get #after(): number {
    return next(this.#text, this.#cursor);
  }

  get #wordStart(): number {
    const cursor = this.#cursor;
    return wordsOf(this.#text).findLast(({ start }) => start < cursor)?.start ??
      0;
  }

  get #wordEnd(): number {
    return this.#nextWord?.end ?? this.#text.length;
  }

  get #nextWord(): Word | undefined {
    const cursor = this.#cursor;
    return wordsOf(this.#text).find(({ end }) => end > cursor);
  }

  #of({ start, end }: Word): string {
    return this.#text.slice(start, end);
  }

  #changeWord(change: (word: string) => string): void {
    const word = this.#nextWord;
    if (!word) return;
    const start = Math.max(this.#cursor, word.start);
    this.#change(start, word.end, change(this.#text.slice(start, word.end)));
  }

  #kill(from: number, to: number): void {
    const start = Math.max(0, from);
    const end = Math.min(to, this.#text.length);
    if (start === end) return;
    const text = this.#text.slice(start, end);
    const isForward = start === this.#cursor;
    if (this.#last !== "killed") this.#ring.add(text);
    else this.#ring.join(text, isForward ? "behind" : "before");
    this.#change(start, end, "");
    this.#last = "killed";
  }

  #yank(start: number, text: string): void {
    this.#change(start, this.#cursor, text);
    this.#yanked = text.length;
    this.#last = "yanked";
  }

  /** Puts a text in place of a part, and the cursor behind it. @param goesOn Whether it is undone with the last. */
  #change(start: number, end: number, text: string, goesOn = false): void {
    this.#last = "other";
    if (start === end && text === "") return;
    if (!goesOn) {
      this.#undo.push({ text: this.#text, cursor: this.#cursor });
      if (this.#undo.length > MAX_UNDONE) this.#undo.shift();
    }
    this.#text = this.#text.slice(0, start) + text + this.#text.slice(end);
    this.#cursor = start + text.length;
  }
}

/** Where the cluster before a place begins. */
function previous(text: string, at: number): number {
  const line = at === 0 ? 0 : text.lastIndexOf("\n", at - 1);
  const start = Math.max(0, line === at - 1 ? line : line + 1);
  const last = clusters(text.slice(start, at)).at(-1) ?? "";
  return at - last.length;
}

/** Where the cluster at a place ends. */
function next(text: string, at: number): number {
  const line = text.indexOf("\n", at + 1);
  const [first = ""] = clusters(
    text.slice(at, line < 0 ? text.length : line),
  );
  return at + first.length;
}
