/**
 * A secured connection after its handshake: sealed records both ways.
 *
 * @module
 */

import { writeAll } from "../base/write_all.ts";
import type { Secured } from "../crypto/noise.ts";
import {
  type Bytes,
  CipherState,
  concat,
  decryptMessage,
  encryptMessage,
  TAG_SIZE,
} from "../../crypto_utils.ts";
import { encodeEvent, type Event, packEvents, unpackEvents } from "./events.ts";
import type { RecordReader, Stream } from "./record_reader.ts";
import {
  directData,
  directHeader,
  HEADER_SIZE,
  NO_RECORDS,
  type SealedRecord,
} from "./records.ts";

/**
 * Seconds after which a side that has sent no direct record sends a ping, and after which one that has received none
 * ends the connection.
 *
 * Only a direct record is a sign of life, since it proves how many records of the other types there were: so whoever
 * drops those of one type ends the connection within 35 s. The 15 s between are what a slow network may add.
 */
export const PING_AFTER = 20;
/** See `PING_AFTER`. */
export const SILENT_AFTER = 35;

/** Direct records under one key, in each direction. */
const REKEY_AFTER = 1_024;

/**
 * A connection after its handshake. Seals and opens direct records; hands broadcasts and shared records over as
 * they are, since their keys belong to the room.
 */
export class Channel {
  /** The other side's static key, as the handshake proved it, 32 bytes. */
  readonly remoteKey: Bytes;
  readonly #stream: Stream;
  readonly #reader: RecordReader;
  readonly #seals: CipherState;
  readonly #opens: CipherState;
  #sending: Promise<void> | undefined;

  /** Wipes the keys that it is given. Use `acceptChannel` or `connectChannel`. */
  constructor(
    stream: Stream,
    reader: RecordReader,
    { send, receive, remoteKey }: Secured,
    /** The invite by which the client came, or one of the numbers that stand for something else. */
    readonly inviteId: number,
  ) {
    this.remoteKey = remoteKey;
    this.#stream = stream;
    this.#reader = reader;
    this.#seals = cipherOf(send);
    this.#opens = cipherOf(receive);
    reader.endHandshake();
  }

  /**
   * All records that have arrived, at least one; null if the stream has ended.
   * @throws {WireError} for bytes that are no record. @throws {RefusedError} if the first thing that a
   * server says after the handshake is a refusal.
   */
  read(): Promise<SealedRecord[] | null> {
    return this.#reader.records();
  }

  /**
   * The events of a direct record. May be called for several at once, in the order in which they came.
   * @throws {DecryptionError} for a record that isn't exactly the next one, or does not stand behind exactly as
   * many broadcast and shared records as its sender had sent.
   * @throws {EventError} for one that is no list of events.
   */
  async open({ header, body, before }: SealedRecord): Promise<Event[]> {
    const data = directData(header, before);
    return unpackEvents(
      await decryptMessage(this.#opens, body, data),
    );
  }

  /**
   * A direct record around a plaintext. Records must be sent in the order of the calls.
   * @param before What will stand before it in the stream.
   */
  async seal(plaintext: Bytes, before = NO_RECORDS): Promise<Bytes> {
    const header = directHeader(plaintext.length);
    const data = directData(header, before);
    const sealing = encryptMessage(this.#seals, plaintext, data);
    return concat(header, await sealing);
  }

  /**
   * Seals and writes events, after all that was sent before; for the side that has no other writer, and sends
   * direct records only.
   * @throws whatever the stream's write throws.
   */
  send(...events: Event[]): Promise<void> {
    const sealing = packEvents(events.map(encodeEvent)).map((plaintext) =>
      this.seal(plaintext)
    );
    this.#sending = this.#write(sealing, this.#sending);
    return this.#sending;
  }

  async #write(
    sealing: readonly Promise<Bytes>[],
    before: Promise<void> | undefined,
  ): Promise<void> {
    const records = await Promise.all(sealing);
    await before; // one failed write ends the stream, so what waits behind it fails the same way
    for (const record of records) await writeAll(this.#stream, record);
  }

  /** Ends the connection. Only the first call counts. */
  close(): void {
    try {
      this.#stream.close();
    } catch {
      // Closed before, by the other side or by us: it is closed, which is all that was asked.
    }
  }
}

/** The cipher state of a key, 32 bytes, which is wiped. */
function cipherOf(key: Bytes): CipherState {
  const cipher = new CipherState(key);
  cipher.rekeyEvery(REKEY_AFTER);
  key.fill(0);
  return cipher;
}

/** The size of a direct record around `size` bytes of plaintext; for bounds. */
export function directSize(size: number): number {
  return HEADER_SIZE + size + TAG_SIZE;
}
