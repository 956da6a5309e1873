/**
 * The terminal that the program runs in, as a view: raw mode, and the signals that a terminal sends.
 *
 * Raw mode leaves the keys that send signals to the system: a program may not stop itself, so Ctrl-Z works only as
 * the system's own. Ctrl-C comes back as a signal, and is given to the view as the key that it was. Where stopping
 * would be wrong, those keys come as keys: `deno task` doesn't stop with what it has started, and whoever pressed
 * Ctrl-Z would sit before a terminal that nobody reads.
 *
 * @module
 */

import { waitIfFull, writeAllSync } from "../../base/write_all.ts";
import type { Screen } from "./draft_painter.ts";
import { type TerminalOptions, TerminalView } from "./terminal_view.ts";

/** How much is read at a time, bytes: more than anybody types. What is pasted takes several reads. */
const READ_SIZE = 4_096;

/** What a view is made of; the terminal is the program's own. */
export interface TtyOptions extends Omit<TerminalOptions, "output" | "raw"> {
  /** Whether Ctrl-Z may stop the program. */
  readonly stops: boolean;
}

/** A view for the program's own terminal; closed, it gives everything back. */
export class TtyView extends TerminalView {
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];
  #isOver = false;

  /** Takes over the terminal, until `close()`. */
  constructor(options: TtyOptions) {
    const cbreak = options.stops && Deno.build.os !== "windows";
    const output = new OwnScreen();
    super({ ...options, output, raw: (on) => raw(on, cbreak) });
    this.ended.then(() => this.#isOver = true);
    this.#listeners = Deno.build.os === "windows" ? [] : [
      ["SIGINT", () => this.interrupt()],
      ["SIGCONT", () => this.resumed()],
      ["SIGWINCH", () => this.resized()],
    ];
    for (const [signal, listener] of this.#listeners) {
      Deno.addSignalListener(signal, listener);
    }
    this.#read();
  }

  /** Clears the prompt and gives the terminal back. */
  override close(): void {
    super.close();
    for (const [signal, listener] of this.#listeners) {
      Deno.removeSignalListener(signal, listener);
    }
  }

  /** Takes keys until there are no more. */
  async #read(): Promise<void> {
    const bytes = new Uint8Array(READ_SIZE);
    while (!this.#isOver) {
      // A terminal that is gone, as after a hang-up, has no more either.
      const size = await Deno.stdin.read(bytes).catch(() => null);
      if (size === null) return this.received(null);
      this.received(bytes.subarray(0, size));
    }
  }
}

/** The terminal on standard output. */
class OwnScreen implements Screen {
  readonly #over = Promise.withResolvers<void>();
  readonly gone: Promise<void> = this.#over.promise;
  #size: TerminalSize | undefined; // until what is being done is done

  get columns(): number {
    return this.#now.columns;
  }

  get rows(): number {
    return this.#now.rows;
  }

  /** The present size; the system is asked once for all rows that are shown together. */
  get #now(): TerminalSize {
    if (this.#size) return this.#size;
    queueMicrotask(() => this.#size = undefined);
    return this.#size = terminalSize();
  }

  write(text: string): void {
    try {
      writeAllSync(Deno.stdout, new TextEncoder().encode(text), waitIfFull);
    } catch {
      this.#over.resolve();
    }
  }
}

/** A terminal's size, cells. */
export type TerminalSize = Pick<Screen, "columns" | "rows">;

/** The size of the program's terminal; 0 where it has none to tell, as in an editor. */
export function terminalSize(): TerminalSize {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 0, rows: 0 };
  }
}

/** Turns the terminal's own editing off and on. @param cbreak Whether its signals stay. */
function raw(on: boolean, cbreak: boolean): void {
  try {
    Deno.stdin.setRaw(on, { cbreak });
  } catch {
    // The terminal is gone, as after a hang-up: there is nothing to turn.
  }
}
