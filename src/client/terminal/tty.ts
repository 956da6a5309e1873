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

import process from "node:process";
import { type TerminalOptions, TerminalView } from "./terminal_view.ts";

/** What a view is made of; the terminal is the program's own. */
export interface TtyOptions
  extends Omit<TerminalOptions, "input" | "output" | "raw"> {
  /** Whether Ctrl-Z may stop the program. */
  readonly stops: boolean;
}

/** A view for the program's own terminal; closed, it gives everything back. */
export class TtyView extends TerminalView {
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];

  /** Takes over the terminal, until `close()`. */
  constructor(options: TtyOptions) {
    const { stdin: input, stdout: output } = process;
    const cbreak = options.stops && Deno.build.os !== "windows";
    super({ ...options, input, output, raw: (on) => raw(on, cbreak) });
    this.#listeners = Deno.build.os === "windows" ? [] : [
      ["SIGINT", () => this.interrupt()],
      ["SIGCONT", () => this.resumed()],
      ["SIGWINCH", () => this.resized()],
    ];
    for (const [signal, listener] of this.#listeners) {
      Deno.addSignalListener(signal, listener);
    }
  }

  /** Clears the prompt and gives the terminal back. */
  override close(): void {
    super.close();
    for (const [signal, listener] of this.#listeners) {
      Deno.removeSignalListener(signal, listener);
    }
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
