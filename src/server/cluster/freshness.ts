/**
 * Which messages of other servers are new, since whoever runs NATS may keep them and send them again, to a server that has just
 * started as well. Clocks of servers may differ, so no message is judged by a time that stands in it.
 *
 * A server takes each message of another once, by its number. One that it doesn't know yet it asks from which number on its
 * messages are recent; a random id, which the answer names, shows that the answer is.
 *
 * @module
 */

/** Of so many messages of a server, up to the last, it is known which have come; older ones don't count. */
const WINDOW = 1_024;
/** A message that a server sent no longer ago counts for one that gets to know it, ms. */
const RECENT = 5_000;

/** Which messages of one server have come. */
class Window {
  #next: number;
  readonly #come: number[] = []; // the last number that came, by its remainder: others with it are older ones
  readonly #from: number;

  /** @param from Lower numbers don't count. */
  constructor(from: number) {
    this.#next = this.#from = from;
  }

  /** Takes a message. @returns Whether it is new. */
  take(k: number): boolean {
    if (k < this.#from || k < this.#next - WINDOW) return false;
    if (this.#come[k % WINDOW] === k) return false;
    this.#come[k % WINDOW] = k;
    this.#next = Math.max(this.#next, k + 1);
    return true;
  }
}

/** What has come from all servers. */
export class Freshness {
  readonly #windows = new Map<string, Window>();

  /** Whether a server has been met. */
  knows(server: string): boolean {
    return this.#windows.has(server);
  }

  /** A server is there; its messages count from a number on. */
  meet(server: string, from: number): void {
    if (!this.knows(server)) this.#windows.set(server, new Window(from));
  }

  /** Takes a message of a server that has been met. @returns Whether it is new. */
  take(server: string, k: number): boolean {
    return this.#windows.get(server)?.take(k) === true;
  }
}

/** Remembers which of a server's own messages are recent. */
export class Recent {
  #before = 0; // the number of the first message of the period before
  #first = 0; // of this period
  #since = 0; // when it began, ms

  /** A message is sent. @param now ms; from a clock that nobody sets. */
  sent(k: number, now: number): void {
    if (now - this.#since < RECENT) return;
    this.#before = now - this.#since < 2 * RECENT ? this.#first : k;
    this.#first = k;
    this.#since = now;
  }

  /** The number of the first message that is recent. @param next That of the next message. */
  from(next: number, now: number): number {
    return now - this.#since < 2 * RECENT ? this.#before : next;
  }
}
