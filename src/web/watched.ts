/**
 * What a view reads, and is drawn again for when it changes: a signal of `@preact/signals`, as far as it is used here.
 *
 * @module
 */

/** A value that changes. */
export interface Watched<T> {
  /** It as it is now; a view that reads it is drawn again when it changes. */
  value: T;
  /** It as it is now, without more. */
  peek(): T;
  /** Has something told of it, now and whenever it changes. @returns Ends that. */
  subscribe(told: (value: T) => void): () => void;
}
