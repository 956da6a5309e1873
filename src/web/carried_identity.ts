/**
 * An identity that comes from elsewhere, as a text under a passphrase.
 *
 * @module
 */

import { type Bytes, DecryptionError } from "../../crypto_utils.ts";
import {
  importIdentity,
  isExportedIdentity,
} from "../keys/exported_identity.ts";

/**
 * The seed in the text, 32 bytes.
 * @throws {RangeError} for what can't be read or opened, with a sentence for a person.
 */
export async function openIdentity(
  text: string,
  passphrase: string,
): Promise<Bytes> {
  if (!isExportedIdentity(text)) {
    throw new RangeError(
      "Cannot read the identity: it is the text that was exported on the other machine, whole",
    );
  }
  try {
    return await importIdentity(text, passphrase);
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    throw new RangeError(
      "Cannot open the identity: the passphrase is wrong, or the text was altered",
    );
  }
}
