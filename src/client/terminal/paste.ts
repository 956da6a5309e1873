/**
 * What a terminal sends, told apart: keys, and texts that were pasted whole.
 *
 * @module
 */

/** Asks the terminal to mark what is pasted. */
export const MARK_PASTES = "\x1b[?2004h";
/** Asks it to mark nothing any more. */
export const MARK_NO_PASTES = "\x1b[?2004l";

const START = "\x1b[200~";
const END = "\x1b[201~";
/** The least of a mark that is kept back until it is whole, characters: less of it may be the Escape key. */
const MIN_KEPT = 3;
/** The longest paste that is kept, UTF-16 units: far more than a message holds, so that it is refused, not cut. */
const MAX_PASTE = 65_536;

/** What takes keys and pastes as they come. */
export interface KeyListener {
  /** Keys, as the terminal sends them. */
  keys(text: string): void;
  /** A text that was pasted, with line ends as they were. */
  paste(text: string): void;
}

/** Tells keys and pastes apart, however the bytes are cut. */
export class PasteSplitter {
  readonly #listener: KeyListener;
  readonly #decoder = new TextDecoder();
  #pasted: string | undefined; // what came of a paste that has not ended
  #kept = ""; // the start of a mark

  /** Tells the listener at once, in order. */
  constructor(listener: KeyListener) {
    this.#listener = listener;
  }

  /** Takes what came from the terminal. */
  push(bytes: Uint8Array): void {
    let text = this.#kept + this.#decoder.decode(bytes, { stream: true });
    this.#kept = "";
    while (text !== "") {
      text = this.#pasted === undefined ? this.#key(text) : this.#paste(text);
    }
  }

  /** Passes on what stands before a paste. @returns What stands after its mark. */
  #key(text: string): string {
    const start = text.indexOf(START);
    if (start >= 0) {
      if (start > 0) this.#listener.keys(text.slice(0, start));
      this.#pasted = "";
      return text.slice(start + START.length);
    }
    this.#kept = startOf(START, text, MIN_KEPT);
    const keys = text.slice(0, text.length - this.#kept.length);
    if (keys !== "") this.#listener.keys(keys);
    return "";
  }

  /** Keeps what is pasted until its end. @returns What stands after the end. */
  #paste(text: string): string {
    const mark = text.indexOf(END);
    if (mark < 0) this.#kept = startOf(END, text, 1);
    const end = mark < 0 ? text.length - this.#kept.length : mark;
    const pasted = (this.#pasted ?? "") + text.slice(0, end);
    this.#pasted = pasted.slice(0, MAX_PASTE);
    if (mark < 0) return "";
    const whole = this.#pasted;
    this.#pasted = undefined;
    this.#listener.paste(whole);
    return text.slice(mark + END.length);
  }
}

/** The end of the text that is the start of a mark, if it is long enough. */
function startOf(mark: string, text: string, least: number): string {
  for (let length = mark.length - 1; length >= least; length--) {
    if (text.endsWith(mark.slice(0, length))) return mark.slice(0, length);
  }
  return "";
}

/** A pasted text as it may stand in a message: line ends are "\n", tabs are spaces, and no control is left. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ")
    // deno-lint-ignore no-control-regex -- they are what is taken out
    .replace(/(?!\n)[\x00-\x1f\x7f-\x9f]/g, "").replace(/\n+$/, "");
}
