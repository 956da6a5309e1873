/**
 * A signal that can be given again and again: those who wait are woken by the next one. One that is given while
 * nobody waits is lost, so look at what it is about before waiting, with no `await` in between.
 *
 * @module
 */

/** The signal. Costs nothing while nobody waits. */
export class Notify {
  #next: PromiseWithResolvers<void> | undefined;

  /** Resolves at the next signal. */
  wait(): Promise<void> {
    this.#next ??= Promise.withResolvers<void>();
    return this.#next.promise;
  }

  /** Wakes all who wait. */
  notify(): void {
    this.#next?.resolve();
    this.#next = undefined;
  }
}
