/**
 * What `crypto.subtle` is given to make keys of, and the keys that it makes.
 *
 * @module
 */

/** What was seen. */
export interface KeysSeen {
  /** Secret and private keys. */
  readonly keys: readonly CryptoKey[];
  /** What others than public keys were made of, in order: the very bytes, as they are by now. */
  readonly given: readonly Uint8Array[];
}

/** Runs something. @returns What was seen of keys meanwhile. */
export async function keysSeen(run: () => Promise<unknown>): Promise<KeysSeen> {
  const { subtle } = crypto;
  const { importKey, generateKey } = subtle;
  const keys: CryptoKey[] = [];
  const given: Uint8Array[] = [];
  // The types of both have many forms; what they are given passes through unchanged.
  subtle.importKey = (async (...words: Parameters<typeof importKey>) => {
    const key = await importKey.apply(subtle, words);
    if (key.type === "public") return key;
    keys.push(key);
    const bytes: unknown = words[1];
    if (bytes instanceof Uint8Array) given.push(bytes);
    return key;
  }) as typeof importKey;
  subtle.generateKey = (async (...words: Parameters<typeof generateKey>) => {
    const made = await generateKey.apply(subtle, words);
    keys.push("privateKey" in made ? made.privateKey : made);
    return made;
  }) as typeof generateKey;
  try {
    await run();
  } finally {
    subtle.importKey = importKey;
    subtle.generateKey = generateKey;
  }
  return { keys, given };
}

/** Whether bytes are all zero. */
export function isWiped(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
