/**
 * The line being typed, at the bottom of a terminal: keys change it, and it is painted below what is printed.
 *
 *     keys ──▶ Draft ──▶ breakRows ──▶ DraftPainter ──▶ terminal
 *
 * @module
 */

import { commonStart, listed } from "./candidates.ts";
import { width } from "./cells.ts";
import { Draft } from "./draft.ts";
import { DraftPainter, type Screen } from "./draft_painter.ts";
import { breakRows, type Row } from "./draft_rows.ts";
import { EDITING_KEYS } from "./key_bindings.ts";
import type { Completion } from "../commands/completion.ts";
import type { Typed } from "./recall.ts";

/** The keys that keep to the column in which the first of them found the cursor. */
const VERTICAL = new Set(["up", "down", "ctrl-p", "ctrl-n"]);

/** What a line editor is made of. */
export interface LineEditorOptions {
  /** The terminal. */
  readonly output: Screen;
  /** Whether the terminal breaks its rows anew when it gets narrower. */
  readonly rebreaks: boolean;
  /** What the up arrow brings back. */
  readonly history: Typed;
  /** What may stand in place of the end of what is typed in the line, up to the cursor. */
  readonly complete: (typed: string) => Completion;
  /** Whether a text of several lines may be typed. */
  readonly takesLines: () => boolean;
  /** A text was typed, and is off the screen; `keep` leaves it there. */
  readonly typed: (text: string) => void;
  /** Ctrl-C, when nothing was typed. */
  readonly interrupted: () => void;
  /** Ctrl-D, when nothing was typed. */
  readonly ended: () => void;
  /** Ctrl-Z came as a key, which stops nothing. */
  readonly notStopped: () => void;
}

/** Edits a text at the bottom of a terminal. */
export class LineEditor {
  readonly #options: LineEditorOptions;
  readonly #painter: DraftPainter;
  readonly #draft: Draft;
  readonly #actions: ReadonlyMap<string, () => void>;
  #prompt = "";
  #unwritten: string[] = [];
  #column: number | undefined; // where up and down go, cells
  #lastKey = "";
  #times = 0; // how often the last key was pressed in a row
  #together = false; // whether what changes is painted later
  #stale = false; // whether something has changed meanwhile
  #ended = false;

  /** Begins with an empty prompt. */
  constructor(options: LineEditorOptions) {
    this.#options = options;
    this.#painter = new DraftPainter(options.output, options.rebreaks);
    this.#draft = new Draft(options.history);
    this.#actions = new Map(this.#bindings());
  }

  /** The width of the terminal, cells. */
  get columns(): number {
    return this.#painter.columns;
  }

  /** Takes keys that come together, and paints once. @param keys Calls `type`, `press` and `paste`. */
  together(keys: () => void): void {
    this.#together = true;
    try {
      keys();
    } finally {
      this.#together = false;
      if (this.#stale) this.redraw();
    }
  }

  /** Takes characters that were typed. */
  type(text: string): void {
    if (this.#ended) return;
    this.#follow("");
    this.#draft.type(text);
    this.#changed();
  }

  /** Takes a key that isn't a character, by its name. */
  press(name: string): void {
    if (this.#ended) return;
    this.#follow(name);
    if (!this.#draft.searched(name)) {
      // Where a key with Shift is nothing of its own, it is the key.
      this.#do(name) || this.#do(name.replace("shift-", ""));
    }
    this.#changed();
  }

  /** Puts a pasted text where the cursor is; line ends are "\n", and no other controls may be in it. */
  paste(text: string): void {
    if (this.#ended) return;
    this.#follow("");
    const takesLines = this.#options.takesLines();
    this.#draft.paste(takesLines ? text : text.replaceAll("\n", " "));
    this.#changed();
  }

  /** Leaves a text that was typed on the screen, behind its prompt. */
  keep(text: string): void {
    this.print(this.#rowsOf(this.#prompt, text).map(({ shown }) => shown));
  }

  /** Shows a prompt, if it is another than before. */
  setPrompt(prompt: string): void {
    if (prompt === this.#prompt) return;
    this.#prompt = prompt;
    this.#changed();
  }

  /** Writes rows above the line. Those that come together are written together, and the line painted once. */
  print(rows: readonly string[]): void {
    if (this.#unwritten.length === 0) queueMicrotask(() => this.#flush());
    this.#unwritten.push(...rows);
  }

  /** Paints prompt and line again where they are, at the size that the terminal has now. */
  redraw(): void {
    this.#stale = false;
    const printed = this.#unwritten.map((row) => `${row}\r\n`).join("");
    this.#unwritten = [];
    if (this.#ended) {
      this.#options.output.write(printed);
      return;
    }
    const { prompt, text, cursor } = this.#draft.shown(this.#prompt);
    this.#painter.paint(this.#rowsOf(prompt, text), cursor, printed);
  }

  /** Paints prompt and line where the cursor is, after another program had the terminal. */
  drawHere(): void {
    this.#painter.leave();
    this.redraw();
  }

  /** Clears the screen, but for prompt and line; what was shown can still be scrolled to. */
  clear(): void {
    this.#painter.clearScreen();
    this.redraw();
  }

  /** Clears the prompt; what is printed after that is written as it comes. */
  close(): void {
    if (this.#ended) return;
    this.#painter.erase();
    this.#ended = true;
    this.#flush();
  }

  #rowsOf(prompt: string, text: string): Row[] {
    return breakRows(prompt, text, this.columns);
  }

  #flush(): void {
    if (this.#unwritten.length > 0) this.redraw();
  }

  #changed(): void {
    if (this.#ended) return;
    if (this.#together) this.#stale = true;
    else this.redraw();
  }

  /** Counts how often a key was pressed in a row. @param name The key's; "" for characters. */
  #follow(name: string): void {
    this.#times = name === this.#lastKey ? this.#times + 1 : 1;
    this.#lastKey = name;
    if (!VERTICAL.has(name)) this.#column = undefined;
  }

  #bindings(): [name: string, action: () => void][] {
    const { interrupted, ended, notStopped } = this.#options;
    const ifEmpty = (action: () => void, otherwise: () => void) => () =>
      this.#draft.buffer.text === "" ? action() : otherwise();
    return [
      ["enter", () => this.#submit()],
      ["ctrl-j", () => this.#newLine()],
      ["alt-enter", () => this.#newLine()],
      ["shift-enter", () => this.#newLine()],
      ["ctrl-enter", () => this.#newLine()],
      ["tab", () => this.#complete()],
      ["up", () => this.#go(-1)],
      ["ctrl-p", () => this.#go(-1)],
      ["down", () => this.#go(1)],
      ["ctrl-n", () => this.#go(1)],
      ["alt-<", () => this.#recall(Infinity)],
      ["alt->", () => this.#recall(-Infinity)],
      ["alt-.", () => this.#draft.lastWord(this.#times)],
      ["alt-_", () => this.#draft.lastWord(this.#times)],
      ["ctrl-r", () => this.#draft.search()],
      ["ctrl-s", () => this.#draft.search()],
      ["ctrl-l", () => this.#painter.clearScreen()],
      ["ctrl-c", ifEmpty(interrupted, () => this.#draft.drop())],
      ["ctrl-d", ifEmpty(ended, () => this.#draft.buffer.delete())],
      ["ctrl-z", notStopped],
    ];
  }

  /** @returns Whether the key does anything. */
  #do(name: string): boolean {
    const edit = EDITING_KEYS.get(name);
    edit?.(this.#draft.buffer);
    const action = this.#actions.get(name);
    action?.();
    return edit !== undefined || action !== undefined;
  }

  #submit(): void {
    this.#options.typed(this.#draft.submit());
  }

  #newLine(): void {
    if (this.#options.takesLines()) this.#draft.type("\n");
    else this.#submit();
  }

  /** Goes a row up or down, and from the first or last one to another line that was typed. */
  #go(rows: -1 | 1): void {
    const draft = this.#rowsOf(this.#prompt, this.#draft.buffer.text);
    const { cursor } = this.#draft.buffer;
    const at = draft.findIndex((row) => row.has(cursor));
    const target = draft[at + rows];
    if (!target || !(target.isLineEnd || target.cells.length > 0)) {
      return this.#recall(-rows);
    }
    const column = this.#column ?? width(draft[at]?.split(cursor)[0] ?? "");
    this.#draft.buffer.moveTo(target.nearest(column));
    this.#column = column;
  }

  #recall(steps: number): void {
    this.#draft.recall(steps);
    this.#column = undefined;
  }

  #complete(): void {
    const { words, replaced } = this.#options.complete(
      this.#draft.buffer.typed,
    );
    const [only] = words;
    if (only === undefined) return;
    const start = words.length === 1 ? only : commonStart(words);
    if (start.length > replaced.length) {
      this.#draft.buffer.replaceTyped(replaced.length, start);
    } else if (words.length > 1 && this.#times > 1) {
      this.print(listed(words, this.columns));
    }
  }
}
