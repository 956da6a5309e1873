/**
 * What a terminal sends, told apart: text, keys, texts that were pasted whole, and what the terminal itself says.
 *
 * Bytes may be cut anywhere. What isn't whole yet waits for the rest, but not for ever: a mark that never comes may
 * lock no keyboard, so after a pause the Escape key is taken for itself, and a paste ends as it is.
 *
 *     keys ──── ESC ──▶ unfinished ──── the rest ──▶ keys
 *      │                    └── a pause ──▶ a key, or nothing ──▶ keys
 *      └── start of a paste ──▶ paste ──── its end, a pause, Ctrl-C alone ──▶ keys
 *
 * @module
 */

import { keyName } from "./key_names.ts";

/** Asks the terminal to mark what is pasted. */
export const MARK_PASTES = "\x1b[?2004h";
/** Asks it to mark nothing any more. */
export const MARK_NO_PASTES = "\x1b[?2004l";

const ESCAPE = "\x1b";
const START = "\x1b[200~";
const END = "\x1b[201~";
const CTRL_C = 3;
/** The longest paste that is kept, UTF-16 units: far more than a message holds, so that it is refused, not cut. */
const MAX_PASTE = 65_536;
/** After this, ms, Escape was the key, and not the start of something. */
const ESCAPE_PAUSE = 100;
/** After this, ms, nothing more comes of what was begun, though keys come. */
const PAUSE = 2_000;

const { raw } = String;
// What answers consist of, up to where they may be cut: as little as their kind may hold, for one that is cut takes
// what is typed after it. They begin with a digit, or ">"; anything else comes of Alt and a key.
/** What may be in any answer, and how much. */
const ANYTHING = raw`[^\x00-\x1f\x7f]{0,64}`;
const HEX = raw`[\da-fA-F]{1,4}`;
/** `rgb:1e1e/1e1e/2e2e`, and with a fourth number `rgba:`. */
const COLOUR = raw`(?:r(?:g(?:ba?(?::(?:${HEX}(?:\/${HEX}){0,3}\/?)?)?)?)?)?`;
/** Of `OSC`: colours by their numbers, and the rest. */
const COLOUR_OF = raw`(?:4;\d{1,3}|1\d)`;
const OSC =
  raw`(?:${COLOUR_OF};${COLOUR}|(?!${COLOUR_OF};)\d{1,4}(?:;${ANYTHING})?)`;
/** Of `DCS`: the terminal's name (`>|`), settings (`1$r`) and capabilities (`1+r`). */
const DCS = raw`(?:>(?:\|${ANYTHING})?|\d(?:[$+](?:r${ANYTHING})?)?)`;
/** What stands between the start of a control sequence and the letter at its end. */
const PARAMETERS = raw`[0-?]{0,64}[ -\/]{0,4}`;

/** What is whole at the start of the input. */
const TOKEN = new RegExp(
  "^(?:" + [
    raw`(?<text>[^\x00-\x1f\x7f-\x9f]+)`,
    raw`\x1b\[(?<focus>[IO])`,
    raw`\x1b\](?<answer>${OSC})(?:\x07|\x1b\\)`,
    raw`(?<ignored>\x1bP${DCS}\x1b\\|\x1b\[\[[A-E]|[\x80-\x9f])`,
    raw`(?<key>\x1b?\x1b(?:\[(?!\[)${PARAMETERS}[@-~]|O[!-~])|\x1b[^\x1b\[\]OP]|[\x00-\x1a\x1c-\x1f\x7f])`,
  ].join("|") + ")",
  "u",
);
/** All of the input, if it is the start of something. */
const UNFINISHED = new RegExp(
  raw`^\x1b(?:\x1b?(?:\[\[?|\[${PARAMETERS}|O)?|\](?:${OSC}\x1b?)?|P(?:${DCS}\x1b?)?)$`,
  "u",
);
/** What was begun, and is something else now: it is nobody's. */
const BROKEN = new RegExp(
  raw`^\x1b(?:\]${OSC}|P${DCS}|\[${PARAMETERS})`,
  "u",
);

/** Calls back after some ms. @returns What keeps it from that. */
export type Later = (callback: () => void, ms: number) => () => void;

/** Calls back by the system's clock. */
export function later(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

/** What takes the input as it comes. */
export interface InputListener {
  /** Characters that were typed, one or more. */
  text(text: string): void;
  /** A key that isn't a character, by its name: `enter`, `ctrl-a`, `alt-left`. */
  key(name: string): void;
  /** A text that was pasted, with line ends as they were. */
  paste(text: string): void;
  /** The terminal was chosen among the windows, or another was. */
  focus?(on: boolean): void;
  /** What the terminal answers to an `OSC` question, without its frame: `11;rgb:0000/0000/0000`. */
  answer?(text: string): void;
}

/** Tells apart what a terminal sends. */
export class InputSplitter {
  readonly #listener: InputListener;
  readonly #later: Later;
  readonly #decoder = new TextDecoder();
  #unfinished = "";
  #pasted: string | undefined; // what came of a paste that has not ended
  #gaveUp = false; // on a paste whose end may come yet
  #stop = (): void => {}; // the waiting for more

  /** Tells the listener at once, in order. */
  constructor(listener: InputListener, wait: Later = later) {
    this.#listener = listener;
    this.#later = wait;
  }

  /** Takes what came from the terminal. */
  push(bytes: Uint8Array): void {
    // A pasted text may have this byte in it; a key comes alone.
    if (bytes.length === 1 && bytes[0] === CTRL_C && this.interrupt()) return;
    const begun = this.#unfinished;
    const input = begun + this.#decoder.decode(bytes, { stream: true });
    let rest = input;
    this.#unfinished = "";
    if (this.#gaveUp && rest.includes(END)) this.#pasted ??= "";
    while (rest !== "") {
      rest = this.#pasted === undefined ? this.#take(rest) : this.#paste(rest);
    }
    const isPaste = this.#pasted !== undefined;
    // What was begun has its pause from its start: each key that it takes would put off its end.
    if (!isPaste && begun.length > 2 && this.#unfinished === input) return;
    this.#stop();
    if (isPaste) this.#wait(PAUSE);
    else if (this.#unfinished !== "") {
      this.#wait(this.#unfinished.length > 2 ? PAUSE : ESCAPE_PAUSE);
    }
  }

  /** Ends a paste as it is, for Ctrl-C. @returns Whether there was one. */
  interrupt(): boolean {
    if (this.#pasted === undefined) return false;
    this.#giveUp();
    return true;
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#stop();
  }

  #wait(ms: number): void {
    this.#stop = this.#later(() => this.#giveUp(), ms);
  }

  /** What was begun isn't going on. */
  #giveUp(): void {
    this.#stop();
    if (this.#pasted !== undefined) {
      this.#gaveUp = true;
      return this.#endPaste();
    }
    const begun = this.#unfinished;
    this.#unfinished = "";
    if (begun === ESCAPE) this.#listener.key("escape");
    // Anything longer is the start of what no key sends.
  }

  /** Passes on what stands first. @returns What stands after it. */
  #take(input: string): string {
    if (input.startsWith(START)) {
      this.#pasted = "";
      return input.slice(START.length);
    }
    const match = TOKEN.exec(input);
    if (match) {
      this.#tell(match.groups ?? {});
      return input.slice(match[0].length);
    }
    if (UNFINISHED.test(input)) {
      this.#unfinished = input;
      return "";
    }
    const broken = BROKEN.exec(input)?.[0];
    if (broken !== undefined) return input.slice(broken.length);
    const key = input.startsWith(ESCAPE + ESCAPE) ? ESCAPE : input.slice(0, 2);
    this.#key(key);
    return input.slice(key.length);
  }

  #tell({ text, focus, answer, key }: Partial<Record<string, string>>): void {
    if (text !== undefined) this.#listener.text(text);
    else if (focus !== undefined) this.#listener.focus?.(focus === "I");
    else if (answer !== undefined) this.#listener.answer?.(answer);
    else if (key !== undefined) this.#key(key);
  }

  #key(sent: string): void {
    const name = keyName(sent);
    if (name === undefined) return;
    // Some terminals can send every character so.
    const character = /^(?:shift-)?(\P{Cc})$/u.exec(name)?.[1];
    if (character === undefined) this.#listener.key(name);
    else {
      const isUpper = name !== character;
      this.#listener.text(isUpper ? character.toUpperCase() : character);
    }
  }

  /** Keeps what is pasted until its end. @returns What stands after the end. */
  #paste(text: string): string {
    const mark = text.indexOf(END);
    if (mark < 0) this.#unfinished = startOfEnd(text);
    const end = mark < 0 ? text.length - this.#unfinished.length : mark;
    const pasted = (this.#pasted ?? "") + text.slice(0, end);
    this.#pasted = pasted.slice(0, MAX_PASTE);
    if (mark < 0) return "";
    this.#gaveUp = false;
    this.#endPaste();
    return text.slice(mark + END.length);
  }

  #endPaste(): void {
    const whole = this.#pasted ?? "";
    this.#pasted = undefined;
    this.#unfinished = "";
    this.#listener.paste(whole);
  }
}

/** The end of the text that is the start of the mark. */
function startOfEnd(text: string): string {
  for (let length = END.length - 1; length > 0; length--) {
    if (text.endsWith(END.slice(0, length))) return END.slice(0, length);
  }
  return "";
}

/** A pasted text as it may stand in a message: line ends are "\n", tabs are spaces, and no control is left. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ")
    // deno-lint-ignore no-control-regex -- they are what is taken out
    .replace(/(?!\n)[\x00-\x1f\x7f-\x9f]/g, "").replace(/\n+$/, "");
}
