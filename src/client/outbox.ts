/**
 * What a client says, from being typed to being settled: in the log, or refused. Lines go out in order, by one
 * sender at a time, over the connection that leads into the room; what isn't settled when that breaks goes out
 * again over the next.
 *
 *     add ──▶ unsent ── send ──▶ sent ── settle ──▶ gone
 *                ▲                 │
 *                └── another ──────┘
 *                  connection
 *
 * @module
 */

import { Notify } from "../base/notify.ts";
import { within } from "../base/timing.ts";
import type { Line } from "../protocol/line.ts";
import type { Link } from "./link.ts";

/** Lines that may wait before the next must wait to be added. */
const MAX_WAITING = 1_024;
/** Lines that go out at once. */
const CHUNK = 256;

/** The lines that a client has said and that aren't settled. */
export class Outbox {
  readonly #lines = new Map<number, Line>(); // by the client's number for them
  readonly #changed = new Notify();
  #unsent: Line[] = []; // of those, what is to go out over this connection
  #n = 0;
  #link: Pick<Link, "say" | "close"> | undefined; // that leads into the room
  #isSending = false;
  #isClosed = false;

  /** How many lines there are. */
  get size(): number {
    return this.#lines.size;
  }

  /** The lines, in order. */
  get lines(): Line[] {
    return [...this.#lines.values()];
  }

  /** The number before the first of them, or before the next that is said. */
  get before(): number {
    const [first = this.#n + 1] = this.#lines.keys();
    return first - 1;
  }

  /**
   * Adds a line, when there is room for it, and sends it when it can be sent.
   * @param numbered Is told its number, before anything can become of it. @returns Its number.
   */
  async add(
    typed: Omit<Line, "n">,
    numbered: (n: number) => void = () => {},
  ): Promise<number> {
    while (this.#lines.size >= MAX_WAITING && !this.#isClosed) {
      await this.#changed.wait();
    }
    const line = { ...typed, n: ++this.#n };
    numbered(line.n);
    this.#lines.set(line.n, line);
    this.#unsent.push(line);
    this.#send();
    return line.n;
  }

  /** Takes out a line that is settled. @returns It, undefined if it isn't there. */
  settle(n: number): Line | undefined {
    const line = this.#lines.get(n);
    this.#lines.delete(n);
    this.#changed.notify();
    return line;
  }

  /** Sends all lines again, over a connection that leads into the room. */
  connected(link: Pick<Link, "say" | "close">): void {
    this.#link = link;
    this.#unsent = [...this.#lines.values()];
    this.#send();
  }

  /** Sends nothing: the connection is gone. */
  disconnected(): void {
    this.#link = undefined;
    this.#changed.notify();
  }

  /** Makes nobody wait any more, neither to add a line nor until all are settled. */
  close(): void {
    this.#isClosed = true;
    this.#changed.notify();
  }

  /** Resolves when every line is settled, or after `close`. */
  async settled(): Promise<void> {
    while (this.#lines.size > 0 && !this.#isClosed) await this.#changed.wait();
  }

  /**
   * Resolves when every line is sent over this connection and settled, or the connection is gone.
   * @param patience How long the settling may take, ms.
   */
  async flush(patience: number): Promise<void> {
    while (this.#isSending) await this.#changed.wait();
    await within(patience, this.#settledHere());
  }

  async #settledHere(): Promise<void> {
    while (this.#link && this.#lines.size > 0) await this.#changed.wait();
  }

  /** Sends what is unsent. Has one sender at a time, so that the order stays. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#link && this.#unsent.length > 0) {
      const link = this.#link;
      try {
        await link.say(this.#unsent.splice(0, CHUNK));
      } catch {
        // Its reader says why it is gone, and then the lines wait for the next connection.
        link.close();
        if (link === this.#link) this.disconnected();
      }
    }
    this.#isSending = false;
    this.#changed.notify();
  }
}
