/**
 * A terminal view on a screen that is read back.
 *
 * @module
 */

import { Readable, Writable } from "node:stream";
import type { News, RoomNews } from "../../src/client/view.ts";
import {
  type TerminalOptions,
  TerminalView,
} from "../../src/client/terminal/terminal_view.ts";
import { assert, assertEquals } from "./assert.ts";
import { width } from "../../src/client/terminal/cells.ts";

/** Everything that a terminal may be told: text, new rows, where to stand, what to clear, and styles. */
export const TOKEN =
  // deno-lint-ignore no-control-regex -- the sequences are what this is about
  /\x1b\[(?:(?<styles>[\d;]*)m|(?<count>\d*)(?<command>[ABCDGJK]))|(?<mode>\x1b\[\?(?:2004|1004)[hl]|\x1b\[2[23];2t)|\x1b\](?<told>(?:2|8|9|777);[^\x00-\x1f\x7f-\x9f]*)\x1b\\|(?<control>[\r\n\x07])|(?<text>[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f])/uy;

/** A terminal's screen, without an end. Fails at a sequence that the view has no business to send. */
export class Screen {
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** All that was written. */
  written = "";
  /** How often it rang. */
  bells = 0;
  /** What it was told beside the rows: titles, notifications and links, without their frames. */
  told: string[] = [];

  constructor(public columns: number) {}

  /** Wraps the last row anew, as terminals do when they get narrower; the cursor stays behind its text. */
  reflow(columns: number): void {
    this.columns = columns;
    const cells = this.#rows.pop() ?? [];
    for (let at = 0; at < cells.length; at += columns) {
      this.#rows.push(cells.slice(at, at + columns));
    }
    this.#row = this.#rows.length - 1;
    this.#column = this.#cells().length;
  }

  get rows(): string[] {
    return this.#rows.map((cells) => cells.join("").trimEnd());
  }

  /** The row and column of the cursor. */
  get cursor(): [number, number] {
    return [this.#row, this.#column];
  }

  write(text: string): void {
    this.written += text;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex;
      const groups = TOKEN.exec(text)?.groups;
      assert(
        groups,
        `A terminal may not get ${JSON.stringify(text.slice(at))}`,
      );
      if (groups.text) this.#put(groups.text);
      else if (groups.control === "\r") this.#column = 0;
      else if (groups.control === "\n") this.#moveRow(1);
      else if (groups.control === "\x07") this.bells++;
      else if (groups.told) this.told.push(groups.told);
      else if (groups.command) {
        this.#obey(groups.command, Number(groups.count || 0));
      }
    }
  }

  #put(character: string): void {
    const cells = width(character);
    if (this.#column + cells > this.columns) {
      this.#moveRow(1);
      this.#column = 0;
    }
    const row = this.#cells();
    while (row.length < this.#column) row.push(" ");
    row[this.#column] = character;
    if (cells === 2) row[this.#column + 1] = "";
    this.#column += cells;
  }

  #obey(command: string, count: number): void {
    if (command === "A") this.#moveRow(-(count || 1));
    else if (command === "B") this.#moveRow(count || 1);
    else if (command === "C") this.#column += count || 1;
    else if (command === "D") this.#column -= count || 1;
    else if (command === "G") this.#column = (count || 1) - 1;
    else {
      assertEquals(count, 0);
      this.#cells().length = Math.min(this.#cells().length, this.#column);
      if (command === "J") this.#rows.length = this.#row + 1;
    }
  }

  #cells(): string[] {
    return this.#rows[this.#row] ?? [];
  }

  #moveRow(by: number): void {
    this.#row += by;
    assert(this.#row >= 0, "The cursor left the screen");
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }
}

/** Noon of a Monday, UTC. */
export const NOON = Date.UTC(2026, 10, 23, 12);

export const HOUR = 3_600_000;

/** A view on a screen, with what presses its keys. */
export function open(columns = 60, options: Partial<TerminalOptions> = {}) {
  const screen = new Screen(columns);
  const input = new Readable({ read() {} });
  const output = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        screen.write(chunk);
        done();
      },
    }),
    { columns },
  );
  const view = new TerminalView({
    input,
    output,
    now: () => NOON,
    zone: "UTC",
    colour: false,
    ...options,
  });
  const press = (keys: string) => {
    input.emit("data", new TextEncoder().encode(keys));
  };
  return {
    view,
    screen,
    press,
    input,
    output,
    [Symbol.dispose]: () => view.close(),
  };
}

/** What was shown is written in a microtask. */
export async function written(): Promise<void> {
  await Promise.resolve();
}

export function event(
  type: RoomNews["type"],
  name: string,
  text = "",
  at = NOON,
  more: Partial<RoomNews> = {},
): RoomNews {
  const person = `key of ${name}`;
  const own = name === "ana";
  const rest = { own, past: false, to: null, ...more };
  return { type, seq: 1, at, name, person, text, ...rest };
}

export function entered(more: Partial<News & { type: "entered" }> = {}): News {
  return {
    type: "entered",
    address: "192.0.2.7:5000",
    name: "ana",
    others: 2,
    seq: 88,
    at: NOON,
    person: "k3df9q2mx7ta41cz",
    earlier: 0,
    again: false,
    waiting: 0,
    ...more,
  };
}

export const HERE = { name: "ana", connected: true, members: 1, waiting: 0 };

export const DISCONNECTED = {
  name: "ana",
  connected: false,
  members: 0,
  waiting: 0,
};

/** CSI, OSC 8 and 52, C1, line breaks, bidi, zero width, a flood of marks, what shows as nothing. */
export const ATTACKS = [
  "\x1b[2J\x1b[31mred",
  "\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;aGk=\x07",
  "\x9b31m \x9d52;c;aGk=\x9c \x85",
  "a\rb\nc\td\b\x7f",
  "\u2028\u2029 \u202egnp.exe \u2066x\u2069",
  "ze\u200bro\u200d \u200e",
  "e" + "\u0301".repeat(40),
  "\u{e0041}\u{e0001} \u034f\u115f\u3164\u2800 \ud800 \u{10ffff} \ue000",
];

export const PASTE = "\x1b[200~one\r\ntwo\nthree\n\x1b[201~";
