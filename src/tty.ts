/**
 * The terminal that the program runs in, as a view: raw mode, and the signals that a terminal sends. Knows
 * nothing of what is shown.
 *
 * Raw mode leaves the keys that send signals to the system: a program may not stop itself, so Ctrl-Z works
 * only as the system's own. Ctrl-C comes back as a signal, and is given to the view as the key that it was.
 *
 * @module
 */

import process from "node:process";
import { type TerminalOptions, TerminalView } from "./terminal.ts";

/** A view for the program's own terminal; closed, it gives everything back. */
export class TtyView extends TerminalView {
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];

  /** Takes over the terminal, until `close()`. */
  constructor(options: Omit<TerminalOptions, "input" | "output" | "raw">) {
    const { stdin: input, stdout: output } = process;
    super({ ...options, input, output, raw });
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

/** Turns the terminal's own editing off and on; its signals stay. */
function raw(on: boolean): void {
  try {
    Deno.stdin.setRaw(on, { cbreak: Deno.build.os !== "windows" });
  } catch {
    // The terminal is gone, as after a hang-up: there is nothing to turn.
  }
}
