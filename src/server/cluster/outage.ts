/**
 * Whether members are to be told that the stream can't be used: not before it has been so for a while.
 *
 * @module
 */

/** How long the stream may be away before members are told, ms: a restart of it is nothing to tell. */
const AWAY_TIME = 2_000;

/** Times when the stream can't be used. */
export class Outage implements Disposable {
  readonly #tell: (is: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined; // set for as long as it lasts
  #isTold = false;
  #isOver = false;

  /** There is none. @param tell Tells that there is one, or, if that was told, that it is over. */
  constructor(tell: (is: boolean) => void) {
    this.#tell = tell;
  }

  /** Says whether the stream can be used now. */
  set(isUp: boolean): void {
    if (this.#isOver) return;
    if (!isUp) this.#timer ??= setTimeout(() => this.#say(true), AWAY_TIME);
    else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.#isTold) this.#say(false);
    }
  }

  /** Tells nothing any more. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #say(is: boolean): void {
    this.#isTold = is;
    this.#tell(is);
  }
}
