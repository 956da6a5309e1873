/**
 * Pieces of files in a sealed room: whoever offers one seals each answer under a key of its own.
 *
 *     salt, 16 ‖ AES-256-GCM of the piece under KDF(Ce, "file", room ‖ offerer ‖ stay ‖ n ‖ salt), nonce zero, AD = where it begins
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  DecryptionError,
  decryptMessage,
  deriveKey,
  encryptMessage,
  randomBytes,
  uint64,
} from "../../crypto_utils.ts";
import { PIECE_OVERHEAD } from "../protocol/offer.ts";
import type { LinePlace } from "./sealed_line.ts";

/** The salt of an answer, bytes. */
const SALT_SIZE = 16;

/** A piece, sealed. @param contentKey That of the offer's epoch, 32 bytes. @param offer The offer's place. @param from Where the piece begins, bytes. */
export async function sealPiece(
  piece: Uint8Array,
  from: number,
  offer: LinePlace,
  contentKey: Bytes,
): Promise<Bytes> {
  const salt = randomBytes(SALT_SIZE);
  const cipher = await pieceCipher(contentKey, offer, salt);
  return concat(salt, await encryptMessage(cipher, piece, uint64(from)));
}

/** The piece in a sealed one. @throws {DecryptionError} */
export async function openPiece(
  sealed: Bytes,
  from: number,
  offer: LinePlace,
  contentKey: Bytes,
): Promise<Bytes> {
  if (sealed.length < PIECE_OVERHEAD) throw new DecryptionError();
  const salt = sealed.slice(0, SALT_SIZE);
  const cipher = await pieceCipher(contentKey, offer, salt);
  return await decryptMessage(cipher, sealed.subarray(SALT_SIZE), uint64(from));
}

function pieceCipher(
  contentKey: Bytes,
  { room, sender, stay, n }: LinePlace,
  salt: Bytes,
): Promise<CipherState> {
  const key = deriveKey(
    contentKey,
    "file",
    room,
    sender,
    stay,
    uint64(n),
    salt,
  );
  return CipherState.create(key);
}
