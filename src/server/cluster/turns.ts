/**
 * Whose turn it is to have something decided. Of servers that decide in the same instant, the one that is nearest to NATS
 * would win each time, and one that is far, or slow, would never have its turn.
 *
 *     void entries ──▶ those who wait, in the order of the stream ── its turn: decided, gone, or 250 ms pass ──▶
 *
 * All servers see the same queue. It is politeness, no rule: what doesn't keep to it counts all the same.
 *
 * @module
 */

/** How long a server has for its turn, ms. */
const TURN = 250;

/** Who waits for a turn. */
export class Turns {
  readonly #own: string;
  readonly #wake: () => void;
  readonly #waiting: string[] = [];
  readonly #comers = new Set<string>();
  #since = 0; // when the first one's turn began, performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Nobody waits. @param own This server's id. @param wake Is called when it may be its turn. */
  constructor(own: string, wake: () => void) {
    this.#own = own;
    this.#wake = wake;
  }

  /** What a server has decided was void: it waits, from now on. */
  lost(server: string): void {
    if (this.#waiting.includes(server)) return;
    this.#waiting.push(server);
    if (this.#waiting.length === 1) this.#begin();
  }

  /**
   * That a server comes was void: it waits, but once only, since somebody may have kept what servers said that are gone
   * since, and add it again and again.
   */
  comes(server: string): void {
    if (this.#comers.has(server)) return;
    this.#comers.add(server);
    this.lost(server);
  }

  /** What a server has decided counts, or it is gone: it waits no more. */
  done(server: string): void {
    const at = this.#waiting.indexOf(server);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    if (at === 0) this.#begin();
  }

  /** Whether this server may decide something. */
  get isOwn(): boolean {
    const now = performance.now();
    if (this.#waiting.length > 0 && now - this.#since >= TURN) {
      this.#waiting.shift(); // it has had its time
      this.#begin();
    }
    const [first = this.#own] = this.#waiting;
    return first === this.#own;
  }

  /** Nobody is woken any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #begin(): void {
    this.#since = performance.now();
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) this.#wake();
    else this.#timer = setTimeout(() => this.#wake(), TURN);
  }
}
