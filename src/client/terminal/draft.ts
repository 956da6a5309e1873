/**
 * What somebody is typing, with the way to what was typed before: the draft waits while older lines are shown.
 *
 *     draft ── up ──▶ older line ── down ──▶ draft
 *       │ └─── Ctrl-R ──▶ search ── Esc, Ctrl-G, Ctrl-C ──▶ draft
 *       │                   └── any other key ──▶ the line found
 *       └── Enter, also for an older line ──▶ sent
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";
import { EditBuffer } from "./edit_buffer.ts";
import { HistorySearch } from "./history_search.ts";
import { Recall, type Typed } from "./recall.ts";

/** The keys that end a search as if it had not been. */
const CANCEL = ["escape", "ctrl-g", "ctrl-c"];

/** A text being typed. */
export class Draft {
  /** The text and its cursor. */
  readonly buffer = new EditBuffer();
  readonly #recall: Recall;
  #search: HistorySearch | undefined;
  #word = 0; // how long the word is that came of an older line, UTF-16 units

  /** An empty draft. @param typed What was typed before. */
  constructor(typed: Typed) {
    this.#recall = new Recall(typed);
  }

  /** What is shown: the draft, or what a search found, behind a prompt. @param prompt The draft's. */
  shown(prompt: string): { prompt: string; text: string; cursor: number } {
    const search = this.#search;
    const { text, cursor } = this.buffer;
    if (!search) return { prompt, text, cursor };
    const searching = escapeText(search.prompt);
    return search.line === undefined
      ? { prompt: searching, text, cursor }
      : { prompt: searching, text: search.line, cursor: search.cursor };
  }

  /** Takes characters that were typed. */
  type(text: string): void {
    if (this.#search) this.#search.type(text);
    else this.buffer.insert(text);
  }

  /** Takes a text that was pasted. */
  paste(text: string): void {
    this.#endSearch();
    this.buffer.paste(text);
  }

  /** Ends the draft. @returns It. */
  submit(): string {
    const { text } = this.buffer;
    this.buffer.reset();
    this.#recall.reset();
    return text;
  }

  /** Drops what was typed; undo brings it back. */
  drop(): void {
    this.buffer.replace("");
    this.#recall.reset();
  }

  /** Shows an older line, or a newer one. @param steps How many lines; negative ones to newer lines. */
  recall(steps: number): void {
    const text = this.#recall.go(steps, this.buffer.text);
    if (text !== undefined) this.buffer.replace(text);
  }

  /** Puts in the last word of an older line. @param times 1 is the newest; from 2 on in place of the one before. */
  lastWord(times: number): void {
    const line = this.#recall.lines[times - 1];
    if (line === undefined) return;
    const word = /\S*$/.exec(line.trimEnd())?.[0] ?? "";
    this.buffer.replaceTyped(times === 1 ? 0 : this.#word, word);
    this.#word = word.length;
  }

  /** Begins a search. */
  search(): void {
    this.#search = new HistorySearch(this.#recall.lines);
  }

  /** Gives a key to a search. @returns Whether that was all; other keys end it, and then do what they do. */
  searched(name: string): boolean {
    const search = this.#search;
    if (!search) return false;
    if (name === "ctrl-r") search.again("older");
    else if (name === "ctrl-s") search.again("newer");
    else if (name === "backspace" || name === "ctrl-h") search.back();
    else if (CANCEL.includes(name)) this.#search = undefined;
    else {
      this.#endSearch();
      // What was found is sent, but not what merely stood there before.
      return name === "enter" && (search.failed || search.index < 0);
    }
    return true;
  }

  #endSearch(): void {
    const search = this.#search;
    this.#search = undefined;
    if (search?.line === undefined) return;
    this.#recall.goTo(search.index, this.buffer.text);
    this.buffer.replace(search.line, search.cursor);
  }
}
