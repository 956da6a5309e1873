/**
 * What servers of a room say to each other, sealed: entries of the stream, and messages.
 *
 *     envelope  header ‖ pieces
 *     header    u8 version ‖ room's name (16) ‖ server's id (16) ‖ u64 k ‖ u32 size of the content
 *     pieces    the content, JSON, in pieces of 65,519 bytes, each sealed by AES-256-GCM: 16 bytes more
 *
 * Each envelope has a key of its own, made of its purpose, its server's id and k, so that they open in any order, and again.
 * A piece's nonce is its place; the header is authenticated with each of them.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  copyOf,
  DecryptionError,
  decryptMessage,
  encryptMessage,
  equalBytes,
  fromBase64url,
  MAX_MESSAGE_SIZE,
  TAG_SIZE,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  type ClusterKeys,
  type EnvelopePlace,
  ROOM_NAME_SIZE,
  SERVER_ID_SIZE,
  type SharedPurpose,
} from "./keys.ts";

/** The format that this server writes and reads. */
const VERSION = 1;
const ROOM_AT = 1;
const SERVER_AT = ROOM_AT + ROOM_NAME_SIZE;
const K_AT = SERVER_AT + SERVER_ID_SIZE;
const SIZE_AT = K_AT + 8;
/** Bytes of an envelope before its pieces. */
const HEADER_SIZE = SIZE_AT + 4;
/** What is sealed at once, bytes. */
const PIECE_SIZE = MAX_MESSAGE_SIZE - TAG_SIZE;

/** Why an entry or a message doesn't count. */
export type EntryFault =
  /** It is of another room, or of another version of this format. */
  | "foreign"
  /** No server of the room has made it so. */
  | "forged"
  /** A server of the room has made it, and it says nothing that this one understands. */
  | "malformed"
  /** It came before, or is for somebody else. */
  | "repeated";

const NAMES: Readonly<Record<SharedPurpose, string>> = {
  entry: "an entry of the stream",
  message: "a message of another server",
};

/** An entry of the stream, or a message, doesn't count. */
export class EntryError extends Error {
  /** "EntryError". */
  override readonly name = "EntryError";

  /** An error for one. @param fault Which of them. @param why For people: what it is. */
  constructor(
    readonly fault: EntryFault,
    readonly why: string,
    purpose: SharedPurpose = "entry",
  ) {
    super(`Skipped ${NAMES[purpose]}: ${why}`);
  }
}

/** What no server of the room has made so. */
export function forged(purpose: SharedPurpose): EntryError {
  const why = "no server of this room has made it so";
  return new EntryError("forged", why, purpose);
}

/** What was in an envelope. */
export interface Opened extends EnvelopePlace {
  /** A JSON object. */
  readonly value: Readonly<Record<string, unknown>>;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Seals a content, JSON in UTF-8. With each place comes a key of its own, and who seals answers for it that no place comes
 * twice: so no nonce does.
 */
export async function sealEnvelope(
  keys: ClusterKeys,
  place: EnvelopePlace,
  content: Bytes,
): Promise<Bytes> {
  const header = headerOf(keys, place, content.length);
  const cipher = await CipherState.create(keys.key(place));
  const parts = [header];
  for (let at = 0; at < content.length; at += PIECE_SIZE) {
    const piece = content.subarray(at, at + PIECE_SIZE);
    parts.push(await encryptMessage(cipher, piece, header));
  }
  return concat(...parts);
}

function headerOf(
  { roomBytes }: ClusterKeys,
  { server, k }: EnvelopePlace,
  size: number,
): Bytes {
  const header = new Uint8Array(HEADER_SIZE);
  const view = new DataView(header.buffer);
  header[0] = VERSION;
  header.set(roomBytes, ROOM_AT);
  header.set(fromBase64url(server), SERVER_AT);
  view.setBigUint64(K_AT, BigInt(k));
  view.setUint32(SIZE_AT, size);
  return header;
}

/** Opens what `sealEnvelope` has sealed. @throws {EntryError} for anything else. */
export async function openEnvelope(
  keys: ClusterKeys,
  purpose: SharedPurpose,
  envelope: Uint8Array,
): Promise<Opened> {
  requireRoom(keys, purpose, envelope);
  if (envelope.length < HEADER_SIZE) throw forged(purpose);
  const header = copyOf(envelope.subarray(0, HEADER_SIZE));
  const pieces = envelope.subarray(HEADER_SIZE);
  const view = new DataView(header.buffer);
  const k = view.getBigUint64(K_AT);
  const isWhole = pieces.length === sealedSize(view.getUint32(SIZE_AT));
  if (!isWhole || k > Number.MAX_SAFE_INTEGER) throw forged(purpose);
  const server = toBase64url(header.subarray(SERVER_AT, K_AT));
  const place = { purpose, server, k: Number(k) };
  const content = await openPieces(keys, place, pieces, header);
  return { ...place, value: parseObject(content, purpose) };
}

/** Checks of which room and version an envelope is, as its header says. @throws {EntryError} for another. */
export function requireRoom(
  { roomBytes }: ClusterKeys,
  purpose: SharedPurpose,
  envelope: Uint8Array,
): void {
  if (envelope.length > 0 && envelope[0] !== VERSION) {
    throw new EntryError("foreign", "it is of another version", purpose);
  }
  const room = envelope.subarray(ROOM_AT, SERVER_AT);
  if (room.length === ROOM_NAME_SIZE && !equalBytes(room, roomBytes)) {
    throw new EntryError("foreign", "it is of another room", purpose);
  }
}

/** How long a content is when it is sealed, bytes. */
function sealedSize(size: number): number {
  return size + Math.ceil(size / PIECE_SIZE) * TAG_SIZE;
}

async function openPieces(
  keys: ClusterKeys,
  place: EnvelopePlace,
  pieces: Uint8Array,
  header: Bytes,
): Promise<Bytes> {
  const cipher = await CipherState.create(keys.key(place));
  const opened: Bytes[] = [];
  try {
    for (let at = 0; at < pieces.length; at += MAX_MESSAGE_SIZE) {
      const piece = pieces.subarray(at, at + MAX_MESSAGE_SIZE);
      opened.push(await decryptMessage(cipher, piece, header));
    }
  } catch (error) {
    if (error instanceof DecryptionError) throw forged(place.purpose);
    throw error;
  }
  return concat(...opened);
}

function parseObject(
  content: Bytes,
  purpose: SharedPurpose,
): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(content));
  } catch { // no UTF-8, or no JSON
    value = undefined;
  }
  if (typeof value === "object" && value !== null) return { ...value };
  throw new EntryError("malformed", "it is no JSON object", purpose);
}
