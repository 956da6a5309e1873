/**
 * An identity as text, sealed under a passphrase, to carry it to another machine.
 *
 *     encrypted-chat-identity:BASE64URL(salt, 16 bytes ‖ seed, 32, sealed by AES-256-GCM under PBKDF2's key, 48)
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  decryptMessage,
  encryptMessage,
  fromBase64url,
  KEY_SIZE,
  labelled,
  passphraseKey,
  randomBytes,
  SALT_SIZE,
  TAG_SIZE,
  toBase64url,
} from "../../crypto_utils.ts";

const START = "encrypted-chat-identity:";
/** The fewest characters of a passphrase: with the text, it can be guessed at leisure. */
export const MIN_PASSPHRASE = 8;

/**
 * The text of an identity.
 * @param seed 32 bytes. @throws {RangeError} for a passphrase of fewer than 8 characters.
 */
export async function exportIdentity(
  seed: Bytes,
  passphrase: string,
): Promise<string> {
  if ([...passphrase].length < MIN_PASSPHRASE) {
    throw new RangeError(
      `Cannot use the passphrase: it has fewer than ${MIN_PASSPHRASE} characters`,
    );
  }
  const salt = randomBytes(SALT_SIZE);
  const cipher = await CipherState.create(
    await passphraseKey(passphrase, salt),
  );
  const sealed = await encryptMessage(cipher, seed, labelled("export"));
  return START + toBase64url(concat(salt, sealed));
}

/** Whether a text is an exported identity, as far as can be seen without the passphrase. */
export function isExportedIdentity(text: string): boolean {
  return bytesOf(text) !== undefined;
}

/**
 * The seed in such a text, 32 bytes.
 * @throws {RangeError} with a sentence for a person: for another text, or another passphrase.
 */
export async function importIdentity(
  text: string,
  passphrase: string,
): Promise<Bytes> {
  const bytes = bytesOf(text);
  if (!bytes) {
    throw new RangeError(
      "Cannot read the identity: it is the text that was exported on the other machine, whole",
    );
  }
  const key = await passphraseKey(passphrase, bytes.subarray(0, SALT_SIZE));
  const cipher = await CipherState.create(key);
  const sealed = bytes.subarray(SALT_SIZE);
  try {
    return await decryptMessage(cipher, sealed, labelled("export"));
  } catch {
    throw new RangeError(
      "Cannot open the identity: the passphrase is wrong, or the text was altered",
    );
  }
}

function bytesOf(text: string): Bytes | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(START)) return undefined;
  try {
    const bytes = fromBase64url(trimmed.slice(START.length));
    return bytes.length === SALT_SIZE + KEY_SIZE + TAG_SIZE ? bytes : undefined;
  } catch {
    return undefined; // what the decoder said of it may quote it
  }
}
