/**
 * Waiting for time to pass. No function here leaves a timer behind.
 *
 * @module
 */

/** Resolves after a time, ms; at once for 0. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise<void>((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits for something, at most for a time, ms.
 * @param something Not one promise for many calls: it would keep a little of each for as long as it is pending.
 * @returns Whether it came in time.
 * @throws what the promise rejects with, in time.
 */
export async function within(
  ms: number,
  something: Promise<unknown>,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  try {
    return await Promise.race([something.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
