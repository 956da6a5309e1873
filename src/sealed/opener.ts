/**
 * Opens the lines of a sealed room, of now and of long ago: who said it, whether that one could and did, and its words.
 *
 * @module
 */

import {
  type CipherState,
  DecryptionError,
  fromBase64url,
} from "../../crypto_utils.ts";
import { keepNewest } from "../base/keep_newest.ts";
import type { LogEntry } from "../protocol/line.ts";
import type { SealedMember } from "./membership.ts";
import {
  isSenders,
  lineCipher,
  type LinePlace,
  openLine,
  parseSealed,
  type Seen,
} from "./sealed_line.ts";
import type { ControlRecord } from "./control_record.ts";
import type { RoomKeys } from "./room_keys.ts";
import type { WarningReason } from "./warnings.ts";

/** Ciphers of stays that are kept at hand. */
const MAX_CIPHERS = 1_024;

/** What became of a sealed line. */
export type Opened =
  | {
    /** It is its sender's; the words are as it said them. */
    readonly state: "opened";
    /** The line as if it had been said openly, under the member's name. */
    readonly line: LogEntry;
    /** The last line that its sender had. */
    readonly seen: Seen;
  }
  | {
    /** It is its sender's, but its key isn't known. */
    readonly state: "locked";
    /** The line as it is, under the member's name. */
    readonly line: LogEntry;
    /** The number of the epoch whose key it needs. */
    readonly e: number;
  }
  | {
    /** It isn't what it says to be. */
    readonly state: "wrong";
    readonly reason: WarningReason;
  };

/** Opens lines, many at a time. */
export class Opener {
  readonly #record: ControlRecord;
  readonly #keys: RoomKeys;
  readonly #ciphers = new Map<string, Promise<CipherState>>(); // by epoch, sender and stay

  /** Checks lines against a record, and opens them by these keys. */
  constructor(record: ControlRecord, keys: RoomKeys) {
    this.#record = record;
    this.#keys = keys;
  }

  /** What becomes of a line of kind `sealed`. All control lines before it must have been followed. */
  async open(line: LogEntry): Promise<Opened> {
    const { membership, terms } = this.#record;
    const { seq, person, stay, n, text } = line;
    const { room } = membership;
    const member = terms.at(person, seq);
    if (!member || !room) return { state: "wrong", reason: "not-member" };
    const sealed = parseSealed(text);
    if (!sealed) return { state: "wrong", reason: "text-wrong" };
    const { e, seen } = sealed;
    if (e !== terms.epochAt(seq)) {
      return { state: "wrong", reason: "epoch-wrong" };
    }
    const sender = fromBase64url(member.id);
    const place = { room, e, sender, stay: fromBase64url(stay), n };
    const verifyKey = await terms.verifyKey(member);
    if (!await isSenders(sealed, place, verifyKey)) {
      return { state: "wrong", reason: "signature-wrong" };
    }
    const named = { ...line, name: member.name };
    const cipher = await this.#cipher(place, member, stay);
    if (!cipher) return { state: "locked", line: named, e };
    try {
      const words = await openLine(sealed, place, cipher);
      if (!words) return { state: "wrong", reason: "text-wrong" };
      return { state: "opened", line: { ...named, ...words }, seen };
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      return { state: "wrong", reason: "text-wrong" };
    }
  }

  async #cipher(
    place: LinePlace,
    { short }: SealedMember,
    stay: string,
  ): Promise<CipherState | undefined> {
    const name = `${place.e}.${short}.${stay}`;
    const known = this.#ciphers.get(name);
    if (known) return await known;
    const key = await this.#keys.get(place.e, this.#record.membership);
    if (!key) return undefined;
    const cipher = this.#ciphers.get(name) ?? lineCipher(key, place);
    keepNewest(this.#ciphers.set(name, cipher), MAX_CIPHERS);
    return await cipher;
  }
}
