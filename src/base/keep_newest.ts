/**
 * What is remembered only up to a number.
 *
 * @module
 */

/**
 * Forgets what was added first, if there is one more than the limit; called after each that is added.
 * @param kept In the order in which it was added.
 */
export function keepNewest<K>(
  kept: Map<K, unknown> | Set<K>,
  limit: number,
): void {
  if (kept.size <= limit) return;
  for (const oldest of kept.keys()) {
    kept.delete(oldest);
    return;
  }
}
