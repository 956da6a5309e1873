/**
 * The content keys of a sealed room that a client has, and the wraps from which they come.
 *
 * @module
 */

import { type Bytes, fromBase64url } from "../../crypto_utils.ts";
import { fullId } from "../crypto/person_id.ts";
import { keepNewest } from "../base/keep_newest.ts";
import { DecryptionError } from "../../crypto_utils.ts";
import { type XwingKey, xwingKey } from "../crypto/xwing.ts";
import type { Event } from "../protocol/events.ts";
import {
  commitment,
  ContentKeys,
  openBack,
  openWrap,
  type Wrapping,
} from "./content_key.ts";
import type { Membership } from "./membership.ts";

/** Wraps of epochs that haven't begun, as far as this client knows: each stands right before its `keys` line. */
const MAX_EARLY = 4;
/** Keys that this client made, until their `keys` lines are said. */
const MAX_MADE = 16;

/** Who can open wraps: this client's person, or the invite by which it comes. */
export interface Recipient {
  /** Its id, 32 bytes. */
  readonly id: Bytes;
  /** The seed of its X-Wing key pair, 32 bytes. */
  readonly sealSeed: Bytes;
}

/** What came of a wrap. */
export type WrapOutcome = "opened" | "early" | "wrong" | "another's";

/** A content key that this client was given or made, and so may have to keep. */
export interface HadKey {
  /** The number of its epoch. */
  readonly e: number;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** A room's content keys. */
export class RoomKeys {
  readonly #had: (key: HadKey) => void;
  readonly #keys = new ContentKeys();
  readonly #recipients = new Map<string, Promise<XwingKey>>(); // by full id
  readonly #early = new Map<number, Event<"wrapped">>(); // by epoch
  readonly #made = new Map<string, Bytes>(); // by commitment
  readonly #getting = new Map<number, Promise<Bytes | undefined>>(); // by epoch

  /** Has none yet. @param had Is told each key that doesn't follow from a later one. */
  constructor(had: (key: HadKey) => void = () => {}) {
    this.#had = had;
  }

  /** Takes a key that was kept in an earlier run, if it is the room's. */
  adopt({ e, key }: HadKey, { room, epochs }: Membership): void {
    const commit = room && commitment({ room, e }, key);
    if (commit !== undefined && epochs[e]?.commit === commit) {
      this.#keys.add(e, key);
    }
  }

  /** Somebody's wraps can be opened here. */
  addRecipient({ id, sealSeed }: Recipient): void {
    this.#recipients.set(fullId(id), xwingKey(sealSeed));
  }

  /** The number of the latest epoch whose key is known; -1 for none. */
  get highest(): number {
    return this.#keys.highest;
  }

  /** The latest key, 32 bytes; undefined for none. */
  latest(membership: Membership): Promise<Bytes | undefined> {
    return this.get(this.highest, membership);
  }

  /** A key that this client made, 32 bytes; it counts once the line that commits to it is said. */
  made(commit: string, key: Bytes): void {
    keepNewest(this.#made.set(commit, key), MAX_MADE);
  }

  /** A wrap came. */
  async take(
    wrapped: Event<"wrapped">,
    membership: Membership,
  ): Promise<WrapOutcome> {
    const { e, by, to, data } = wrapped;
    const recipient = this.#recipients.get(to);
    if (!recipient) return "another's";
    const { room } = membership;
    const commit = membership.epochs[e]?.commit;
    if (!room || commit === undefined) {
      keepNewest(this.#early.set(e, wrapped), MAX_EARLY);
      return "early";
    }
    if (await this.get(e, membership)) return "opened"; // nothing new is in it
    const ids = { by: fromBase64url(by), to: fromBase64url(to) };
    const wrapping: Wrapping = { room, e, ...ids };
    try {
      this.#add(e, await openWrap(wrapping, data, await recipient, commit));
      return "opened";
    } catch (error) {
      if (error instanceof DecryptionError) return "wrong";
      throw error;
    }
  }

  /**
   * An epoch begins: its key is one that this client made, or came by a wrap before.
   * @returns The wrap that came, where it was of no use.
   */
  async begun(
    e: number,
    membership: Membership,
  ): Promise<Event<"wrapped"> | undefined> {
    const { commit = "" } = membership.epochs[e] ?? {};
    const made = this.#made.get(commit);
    const early = this.#early.get(e);
    this.#early.delete(e);
    if (made) this.#add(e, made);
    else if (early && await this.take(early, membership) === "wrong") {
      return early;
    }
    return undefined;
  }

  /**
   * Whether who has the key of an epoch has that of the one before, too; undefined where this client doesn't have it
   * itself, and so can't tell.
   */
  async leadsBack(
    e: number,
    membership: Membership,
  ): Promise<boolean | undefined> {
    const { room, epochs } = membership;
    const { back, backTo = 0 } = epochs[e] ?? {};
    const key = await this.get(e, membership);
    if (!room || !key) return undefined;
    if (back === undefined) return true; // the first
    if (backTo < e - 1 && await this.get(e - 1, membership)) return false;
    try {
      const before = await openBack({ room, e }, back, key);
      return commitment({ room, e: backTo }, before) === epochs[backTo]?.commit;
    } catch (error) {
      if (error instanceof DecryptionError) return false;
      throw error;
    }
  }

  #add(e: number, key: Bytes): void {
    this.#had({ e, key });
    this.#keys.add(e, key);
    this.#getting.clear();
  }

  /** The key of an epoch, 32 bytes; undefined where neither it nor a later one is known. */
  get(e: number, membership: Membership): Promise<Bytes | undefined> {
    const { room, epochs } = membership;
    if (!room || e < 0) return Promise.resolve(undefined);
    const known = this.#getting.get(e);
    if (known) return known;
    const getting = this.#keys.get(e, room, epochs);
    this.#getting.set(e, getting);
    return getting;
  }
}
