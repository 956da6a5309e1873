/**
 * The lines that a client has said and doesn't know to be in the log, in order. Knows nothing of connections,
 * or of what becomes of a line.
 *
 * @module
 */

import type { Line } from "../protocol/line.ts";

/** Lines that may wait before whoever says them must wait, too. */
const MAX_WAITING = 1_024;

/** Lines from being said to being settled. */
export class WaitingLines {
  readonly #lines = new Map<number, Line>(); // by the client's own number
  #unsent: Line[] = []; // of those, what is to go out on this connection
  #n = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

  /** How many there are. */
  get size(): number {
    return this.#lines.size;
  }

  /** Whether there is no place for another. */
  get full(): boolean {
    return this.#lines.size >= MAX_WAITING;
  }

  /** What they say. */
  get texts(): string[] {
    return [...this.#lines.values()].map(({ text }) => text);
  }

  /** The number before the first of them, or before the next that is said. */
  get before(): number {
    const [first = this.#n + 1] = this.#lines.keys();
    return first - 1;
  }

  /** Adds a line, to be sent next. @returns It, with its number. */
  add(typed: Omit<Line, "n">): Line {
    const line = { ...typed, n: ++this.#n };
    this.#lines.set(line.n, line);
    this.#unsent.push(line);
    return line;
  }

  /** Takes out a line that is settled. @returns It, undefined where it doesn't wait. */
  settle(n: number): Line | undefined {
    const line = this.#lines.get(n);
    this.#lines.delete(n);
    return line;
  }

  /** The next to be sent, at most so many, which count as sent from here on. */
  send(count: number): Line[] {
    return this.#unsent.splice(0, count);
  }

  /** Has all that wait be sent: there is another connection. */
  sendAgain(): void {
    this.#unsent = [...this.#lines.values()];
  }

  /** Has nothing be sent that waits by now: the connection is gone. */
  hold(): void {
    this.#unsent = [];
  }
}
