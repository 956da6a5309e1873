/**
 * Pieces of files in a sealed room: who offers one seals each answer under a key of its own, which comes from the content
 * key of the present epoch, whenever the offer was made. So nobody who was removed opens what is passed on later.
 *
 *     e, 8 ‖ salt, 16 ‖ AES-256-GCM of the piece
 *
 * The AES key is KDF(Ce, "file", room ‖ offerer ‖ stay ‖ n ‖ salt) and seals one message alone, under nonce zero; the
 * associated data is where the piece begins. Pieces aren't signed: the offer is, and has the digest of the whole file.
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

/** The number of the epoch, bytes. */
const EPOCH_SIZE = 8;
/** The salt of an answer, bytes. */
const SALT_SIZE = 16;

/** Whose file it is, and by which of its lines it was offered. */
export type OfferPlace = Pick<LinePlace, "room" | "sender" | "stay" | "n">;

/** A content key. */
export interface EpochKey {
  /** The number of the epoch. */
  readonly e: number;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** A piece, sealed. @param from Where it begins, bytes. @param epoch The present one. */
export async function sealPiece(
  piece: Uint8Array,
  from: number,
  offer: OfferPlace,
  { e, key }: EpochKey,
): Promise<Bytes> {
  const salt = randomBytes(SALT_SIZE);
  const cipher = await pieceCipher(key, offer, salt);
  const sealed = await encryptMessage(cipher, piece, uint64(from));
  return concat(uint64(e), salt, sealed);
}

/**
 * The piece in a sealed one.
 * @param from Where it begins, bytes.
 * @param keyOf Gives the content key of an epoch, 32 bytes; undefined for one that isn't known.
 * @throws {DecryptionError}
 */
export async function openPiece(
  sealed: Bytes,
  from: number,
  offer: OfferPlace,
  keyOf: (e: number) => Promise<Bytes | undefined>,
): Promise<Bytes> {
  if (sealed.length < PIECE_OVERHEAD) throw new DecryptionError();
  const { buffer, byteOffset } = sealed;
  const e = Number(new DataView(buffer, byteOffset).getBigUint64(0));
  const key = Number.isSafeInteger(e) ? await keyOf(e) : undefined;
  if (!key) throw new DecryptionError();
  const salt = sealed.subarray(EPOCH_SIZE, EPOCH_SIZE + SALT_SIZE);
  const cipher = await pieceCipher(key, offer, salt);
  const rest = sealed.subarray(EPOCH_SIZE + SALT_SIZE);
  return await decryptMessage(cipher, rest, uint64(from));
}

function pieceCipher(
  contentKey: Bytes,
  { room, sender, stay, n }: OfferPlace,
  salt: Bytes,
): Promise<CipherState> {
  const number = uint64(n);
  const key = deriveKey(contentKey, "file", room, sender, stay, number, salt);
  return CipherState.create(key);
}
