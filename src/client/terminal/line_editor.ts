/**
 * The line being typed, at the bottom of a terminal, and the rows that are written above it.
 *
 * Output rules: the last rows are the prompt and the line being typed, and nothing else is ever redrawn: to show
 * something, those rows are cleared, the new ones are written where they began, and they are written again below.
 *
 * @module
 */

import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { Readable, Writable } from "node:stream";
import type { Completion } from "./tab_completion.ts";
import { wraps } from "./cells.ts";

/** The columns of a terminal that doesn't say. */
const DEFAULT_COLUMNS = 80;

/** A terminal, with its present width in cells. */
export type Screen = Writable & { readonly columns?: number };

/** What a line editor is made of. */
export interface LineEditorOptions {
  /** The terminal. */
  readonly output: Screen;
  /** What the up arrow brings back, newest first. */
  readonly history: readonly string[];
  /** How many lines it can bring back. */
  readonly historySize: number;
  /** What may stand in place of the end of what is typed. */
  readonly complete: (typed: string) => Completion;
  /** A line was typed; its rows are still on the screen, and the cursor at the start of the row below them. */
  readonly typed: (line: string) => void;
  /** Ctrl-C, Ctrl-D, or the end. */
  readonly ended: () => void;
  /** Ctrl-Z came as a key, which stops nothing. */
  readonly notStopped: () => void;
}

/** What `node:readline` has beyond its documented parts. */
type Readline = Interface & {
  /** How many rows below the prompt's first it believes the cursor to be. */
  prevRows?: number;
  line: string;
  cursor: number;
};

/** Edits a line at the bottom of a terminal. */
export class LineEditor {
  readonly #output: Screen;
  readonly #keys = new Readable({ read() {} });
  readonly #readline: Readline;
  #prompt = "";
  #unwritten: string[] = [];
  #isBelow = false; // whether the cursor is in the row below a line that was typed, and no prompt is drawn
  #ended = false;

  /** Begins with an empty prompt. */
  constructor(options: LineEditorOptions) {
    this.#output = options.output;
    this.#readline = createInterface({
      input: this.#keys,
      output: this.#screen(),
      terminal: true,
      prompt: "",
      history: [...options.history],
      historySize: options.historySize,
      removeHistoryDuplicates: true,
      completer: (typed: string) => {
        const { words, replaced } = options.complete(typed);
        return [words, replaced];
      },
    });
    this.#readline.on("line", (line) => {
      this.#isBelow = true;
      options.typed(line);
      this.#isBelow = false;
      this.#draw(0);
    });
    this.#readline.on("close", options.ended);
    // Only a signal stops a program; the key alone may not, and readline would try.
    this.#readline.on("SIGTSTP", options.notStopped);
  }

  /** The terminal as readline knows it: one that never tells of a new size, which is dealt with here. */
  #screen(): Writable {
    const screen = new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        this.#output.write(chunk);
        this.#follow();
        done();
      },
    });
    return Object.defineProperty(screen, "columns", {
      get: () => this.columns,
    });
  }

  /** Readline doesn't count the row to which a wide character went whole, and would leave one behind. */
  #follow(): void {
    this.#readline.prevRows = this.#rows;
  }

  /** The width of the terminal, cells. */
  get columns(): number {
    return this.#output.columns || DEFAULT_COLUMNS;
  }

  /** What is typed so far. */
  get line(): string {
    return this.#readline.line;
  }

  /** Where in the line the cursor stands, UTF-16 units. */
  get cursor(): number {
    return this.#readline.cursor;
  }

  /** Takes keys, as a terminal sends them. */
  press(keys: string): void {
    this.#keys.emit("data", new TextEncoder().encode(keys));
  }

  /** Puts a text where the cursor is; no line ends and no controls may be in it. */
  insert(text: string): void {
    this.#readline.write(text);
  }

  /** Puts another prompt and another line in place of these. */
  exchange(prompt: string, line: string, cursor: number): void {
    this.#output.write(clearUp(this.#rows));
    this.#prompt = prompt;
    this.#readline.line = line;
    this.#readline.cursor = cursor;
    this.#draw(0);
  }

  /** Calls back with what the up arrow can bring, newest first, whenever that changes; it may be changed. */
  onHistory(listener: (history: string[]) => void): void {
    this.#readline.on("history", listener);
  }

  /** Shows a prompt, if it is another than before. */
  setPrompt(prompt: string): void {
    if (prompt === this.#prompt) return;
    this.#prompt = prompt;
    if (!this.#isBelow) this.#draw(this.#rows);
  }

  /** Writes rows above the line. Those that come together are written together, and the line drawn once. */
  print(rows: readonly string[]): void {
    if (this.#unwritten.length === 0) queueMicrotask(() => this.#flush());
    this.#unwritten.push(...rows);
  }

  /** Takes the line that was typed last off the screen, before anything else is written. */
  erase(line: string): void {
    const rows = wraps(this.#prompt + line, this.columns) + 1;
    this.#output.write(clearUp(rows));
  }

  /** Draws the prompt and the line again where they are. */
  redraw(): void {
    this.#draw(this.#rows);
  }

  /** Draws the prompt and the line where the cursor is, after another program had the terminal. */
  drawHere(): void {
    this.#draw(0);
  }

  /** Clears the prompt; what is printed after that is written as it comes. */
  close(): void {
    if (this.#ended) return;
    this.#output.write(clearUp(this.#rows));
    this.#ended = true;
    this.#readline.close();
    this.#flush();
  }

  /** How many rows the cursor is below the first of the prompt, at the present width. */
  get #rows(): number {
    return this.#readline.getCursorPos().rows;
  }

  #flush(): void {
    if (this.#unwritten.length > 0) this.#draw(this.#rows);
  }

  /** Clears rows, writes what is to be written, and puts the prompt and what is typed below it. */
  #draw(rows: number): void {
    const text = this.#unwritten.map((line) => `${line}\r\n`).join("");
    this.#unwritten = [];
    if (this.#ended) {
      this.#output.write(text);
      return;
    }
    // Readline goes up as many rows as it believes the cursor to be below the prompt's first: those are made
    // here. It is wrong where a wide character went to the next row whole, so it is asked for its belief.
    const believed = this.#readline.prevRows ?? rows;
    this.#output.write(clearUp(rows) + text + "\r\n".repeat(believed));
    this.#readline.setPrompt(this.#prompt);
    this.#readline.prompt(true);
  }
}

/** Moves the cursor up to the start of a row, and clears from there on. @param rows How far up. */
function clearUp(rows: number): string {
  return `${rows > 0 ? `\x1b[${rows}A` : ""}\r\x1b[J`;
}
