/**
 * The private keys of X25519 that the runtime is given or makes, as `crypto.subtle` sees them.
 *
 * @module
 */

/** Runs something. @returns Whether each of them that was imported or made meanwhile can be exported. */
export async function exportable(
  run: () => Promise<unknown>,
): Promise<boolean[]> {
  const { subtle } = crypto;
  const { importKey, generateKey } = subtle;
  const keys: CryptoKey[] = [];
  const keep = (made: CryptoKey | CryptoKeyPair) => {
    const key = "privateKey" in made ? made.privateKey : made;
    const isOne = key.type === "private" && key.algorithm.name === "X25519";
    if (isOne) keys.push(key);
    return made;
  };
  // The types of both have many forms; what they are given passes through unchanged.
  subtle.importKey =
    (async (...words: Parameters<typeof importKey>) =>
      keep(await importKey.apply(subtle, words))) as typeof importKey;
  subtle.generateKey =
    (async (...words: Parameters<typeof generateKey>) =>
      keep(await generateKey.apply(subtle, words))) as typeof generateKey;
  try {
    await run();
  } finally {
    subtle.importKey = importKey;
    subtle.generateKey = generateKey;
  }
  return keys.map(({ extractable }) => extractable);
}
