/**
 * What is drawn again only if it looks otherwise.
 *
 * @module
 */

/** Whether two sets of properties have the same values: then what is drawn with them looks the same. */
export function isSame(
  now: Readonly<Record<string, unknown>>,
  next: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(next).every(([key, value]) => now[key] === value);
}
