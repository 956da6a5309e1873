/**
 * Waits, after each test of a file that imports this, until nothing of `crypto.subtle` is under way. What ends doesn't
 * wait for what it began to seal or to open for a connection that it has given up; a test does, for what is still under
 * way when it is over is counted as its leak, or as one of the test that comes after it.
 *
 * Whatever has one end of a connection in the test's own process imports it.
 *
 * @module
 */

const METHODS = [
  "decrypt",
  "deriveBits",
  "deriveKey",
  "digest",
  "encrypt",
  "exportKey",
  "generateKey",
  "importKey",
  "sign",
  "verify",
] as const;

type Method = (...args: unknown[]) => Promise<unknown>;

/** The real one, also where a test's clock stands in its place. */
const { setTimeout: later } = globalThis;

const underWay = new Set<Promise<unknown>>();

for (const name of METHODS) {
  const method = SubtleCrypto.prototype[name] as Method;
  const counted = function (this: SubtleCrypto, ...args: unknown[]) {
    const result = method.apply(this, args);
    const end = () => underWay.delete(result);
    underWay.add(result);
    result.then(end, end);
    return result;
  };
  Object.defineProperty(SubtleCrypto.prototype, name, { value: counted });
}

/** Whether something is under way. */
export function isCryptoBusy(): boolean {
  return underWay.size > 0;
}

/** Waits for all that was begun, and for what was begun when that was done. */
export async function cryptoIdle(): Promise<void> {
  do {
    await Promise.allSettled(underWay);
    await new Promise((go) => later(go));
  } while (underWay.size > 0);
}

Deno.test.afterEach(cryptoIdle);
