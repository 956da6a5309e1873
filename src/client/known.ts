/**
 * What a client remembers of the rooms that it was in: where they are, who went by which name there, what the
 * history was, and when it was there last. A known name with another id is somebody else.
 *
 * Other clients, and other tabs, of the same person remember in the same place. What each finds out is written into what
 * the others have written meanwhile, and a room that is sealed stays so: nothing takes that out again.
 *
 * @module
 */

import {
  type Bytes,
  EMPTY,
  equalBytes,
  fromBase64url,
  labelledDigest,
  toBase64url,
} from "../../crypto_utils.ts";
import type { DocumentStore } from "../base/document_store.ts";
import { reasonOf } from "../base/error_reason.ts";
import { keepNewest } from "../base/keep_newest.ts";
import { quote } from "../base/safe_text.ts";
import { MAX_ADDRESSES } from "../keys/invite.ts";
import { parseShortId, shortId, spokenId } from "../crypto/person_id.ts";
import { foldedName } from "../protocol/names.ts";
import type { Seen } from "./chain_compare.ts";
import {
  type KnownPerson,
  type KnownRoom,
  type KnownRooms,
  roomsIn,
  withRooms,
} from "./known_rooms.ts";
import type { Person } from "./person.ts";
import type { Present } from "./view.ts";

/** Names that are remembered of a room, the latest. */
const MAX_NAMES = 5_000;
/** How exactly is remembered when the client was there last, ms. */
const LAST_STEP = 3_600_000;
/** Groups of digits, and the digits of each, by which people compare an id: about 99 bits. */
const GROUPS = 6;
const GROUP_SIZE = 5;

/** A room that was entered before. */
export interface EnteredRoom {
  /** Where it was last. */
  readonly address: string;
  /** When a client was there last, ms since 1970, to the hour; undefined where that isn't known. */
  readonly last: number | undefined;
  /** Whether it is sealed. */
  readonly sealed: boolean;
}

/** Something that was found out, to be remembered. */
type Change = (rooms: KnownRooms) => void;

/** All rooms that a person's clients were in. */
export class Known {
  readonly #note: (text: string) => void;
  #store: DocumentStore | undefined;
  #rooms: KnownRooms = new Map();
  #key = ""; // of the room that the client is in
  #changes = new Map<string, Change>(); // that aren't in the store yet, by what they change
  #isChanged = false;
  /** Settles when all is in the store; never rejects. */
  kept: Promise<void> = Promise.resolve();

  private constructor(
    store: DocumentStore | undefined,
    note: (text: string) => void,
  ) {
    this.#store = store;
    this.#note = note;
  }

  /**
   * What a store remembers. One that can't be used is named in a note and left alone.
   * @param store Undefined for what is remembered nowhere. @param note Told what can't be read or kept, and warnings.
   */
  static async load(
    store: DocumentStore | undefined,
    note: (text: string) => void,
  ): Promise<Known> {
    const known = new Known(store, note);
    try {
      known.#rooms = roomsIn(await store?.read());
    } catch (error) {
      known.#store = undefined;
      note(`${reasonOf(error)}. What you find out of rooms is not saved`);
    }
    return known;
  }

  /** The rooms that were entered, the latest first, each place once. */
  get rooms(): readonly EnteredRoom[] {
    const latest = new Map(
      [...this.#rooms.values()].map((room) => [room.address, room]),
    );
    return [...this.#rooms.values()].reverse()
      .filter((room) => latest.get(room.address) === room)
      .map(({ address, last, sealed }) => ({
        address,
        last,
        sealed: sealed !== undefined,
      }));
  }

  get #room(): KnownRoom | undefined {
    return this.#rooms.get(this.#key);
  }

  /** Finds something out, here at once, and for the store when it is kept. @param what What it changes: the later one counts. */
  #change(what: string, change: Change): void {
    change(this.#rooms);
    if (!this.#store) return;
    this.#changes.delete(what);
    this.#changes.set(what, change);
    keepNewest(this.#changes, MAX_NAMES); // where the store takes none
    this.#isChanged = true;
  }

  /** As `#change`, of the room that the client is in. */
  #changeRoom(what: string, how: (room: KnownRoom) => void): void {
    const key = this.#key;
    if (!this.#room) return;
    this.#change(`${key} ${what}`, (rooms) => {
      const room = rooms.get(key);
      if (room) how(room);
    });
  }

  /** The id, base64url, of the sealed room of a server; undefined where none is known. @param serverKey 32 bytes. */
  sealedRoom(serverKey: Bytes): string | undefined {
    return this.#rooms.get(toBase64url(serverKey))?.sealed;
  }

  /** The room that the client is in is sealed. @param id Its id, base64url. */
  seal(id: string): void {
    if (this.#room?.sealed === id) return;
    this.#changeRoom("sealed", (room) => room.sealed = id);
  }

  /**
   * The room that was at an address last: its server's key, 32 bytes, and all its addresses; undefined for one that isn't
   * known.
   */
  roomAt(
    address: string,
  ): { serverKey: Bytes; addresses: readonly string[] } | undefined {
    const found = [...this.#rooms].findLast(([_, it]) =>
      addressesIn(it).includes(address)
    );
    return found &&
      { serverKey: fromBase64url(found[0]), addresses: addressesIn(found[1]) };
  }

  /**
   * A server's key, 32 bytes, if the client was in its room, else empty, as no key is; says where that was, unless it was at that
   * address.
   */
  moved(serverKey: Bytes, address: string): Bytes {
    const room = this.#rooms.get(toBase64url(serverKey));
    if (!room) return EMPTY;
    if (!addressesIn(room).includes(address)) {
      this.#note(`The room was at ${room.address} before`);
    }
    return serverKey;
  }

  /** The key, 32 bytes, of the server that was at an address last; undefined for one that isn't known. */
  serverAt(address: string): Bytes | undefined {
    return this.roomAt(address)?.serverKey;
  }

  /** The client is in a room. @param serverKey 32 bytes. @param given All addresses by which it came. */
  entered(
    serverKey: Bytes,
    address: string,
    given: readonly string[] = [],
  ): void {
    const key = toBase64url(serverKey);
    const [last] = [...this.#rooms.keys()].slice(-1);
    this.#key = key;
    const known = addressesIn(this.#room);
    const isKnown = [address, ...given].every((it) => known.includes(it));
    if (isKnown && key === last && known[0] === address) return;
    this.#change(`${key} entered`, (rooms) => {
      const room: KnownRoom = rooms.get(key) ??
        { address, people: new Map() };
      // Who comes by some takes the others away from nobody; of many, the oldest are forgotten.
      const all = new Set([...given, ...known]);
      all.delete(address);
      room.address = address;
      if (all.size > 0) room.others = [...all].slice(0, MAX_ADDRESSES - 1);
      rooms.delete(key); // the latest is the last
      rooms.set(key, room);
    });
  }

  /** Somebody goes by a name in the room. Warns if that was somebody else. */
  met({ name, id }: Pick<Present, "name" | "id">): void {
    const people = this.#room?.people;
    const folded = foldedName(name);
    const known = people?.get(folded);
    if (!people || known?.id === id) return;
    if (known) {
      const sure = known.verified ? ", which you had verified" : "";
      this.#note(
        `WARNING: ${quote(name)} is somebody else than before: ${
          spokenId(shortId(id))
        }, not ${spokenId(shortId(known.id))}${sure}. /verify ${name} helps`,
      );
    }
    this.#changeRoom(`person ${folded}`, ({ people }) => {
      people.delete(folded);
      people.set(folded, { id });
      keepNewest(people, MAX_NAMES);
    });
  }

  /** Who went by a name in the room last, or has that short id; undefined for somebody who isn't known. */
  find(nameOrId: string): Person | undefined {
    const people = this.#room?.people ?? new Map<string, KnownPerson>();
    const person = parseShortId(nameOrId);
    const byId = person === undefined
      ? undefined
      : [...people].find(([_, { id }]) => shortId(id) === person);
    const [name, known] = byId ??
      [nameOrId, people.get(foldedName(nameOrId))];
    return known && { id: known.id, person: shortId(known.id), name };
  }

  /** Whether somebody's id was compared. */
  isVerified({ name, id }: Pick<Present, "name" | "id">): boolean {
    const known = this.#room?.people.get(foldedName(name));
    return known?.id === id && known.verified === true;
  }

  /** Somebody's id was compared, and is right. */
  verify({ name, id }: Pick<Present, "name" | "id">): void {
    const folded = foldedName(name);
    this.#changeRoom(
      `person ${folded}`,
      ({ people }) => people.set(folded, { id, verified: true }),
    );
  }

  /** What was seen last of the room's history, if anything was. */
  get seen(): Seen | undefined {
    return this.#room?.seen;
  }

  /** The history up to a line is what the person knows of it. */
  saw(seen: Seen): void {
    const old = this.#room?.seen;
    if (old?.seq === seen.seq && equalBytes(old.value, seen.value)) return;
    this.#changeRoom("seen", (room) => room.seen = seen);
  }

  /** The client is in the room. @param now ms since 1970. @returns For how long it was not, ms, to the hour; 0 for one that is new. */
  isHere(now: number): number {
    const room = this.#room;
    if (!room) return 0;
    const { last = now } = room;
    const isKept = Math.abs(now - last) < LAST_STEP && room.last !== undefined;
    if (!isKept) this.#changeRoom("last", (room) => room.last = now);
    return Math.max(0, now - last);
  }

  /** Writes down what has changed. */
  keep(): void {
    const store = this.#store;
    if (!store || !this.#isChanged) return;
    this.#isChanged = false;
    this.kept = this.kept.then(() => this.#write(store))
      .catch((error) => this.#note(reasonOf(error)));
  }

  async #write(store: DocumentStore): Promise<void> {
    const changes = this.#changes;
    this.#changes = new Map();
    let rooms: KnownRooms = new Map();
    try {
      await store.change((now) => {
        rooms = together(roomsIn(now), this.#rooms);
        for (const change of changes.values()) change(rooms);
        return withRooms(rooms, now);
      });
    } catch (error) {
      this.#changes = new Map([...changes, ...this.#changes]); // for the next time
      throw error;
    }
    this.#takeOver(rooms);
  }

  /** Takes over what others have found out. Of the people in its own room, a client takes nobody's word: it warns itself. */
  #takeOver(rooms: KnownRooms): void {
    const own = this.#room;
    if (own) {
      own.sealed ??= rooms.get(this.#key)?.sealed;
      rooms.set(this.#key, own);
    }
    this.#rooms = rooms;
    for (const change of this.#changes.values()) change(rooms); // which came meanwhile
  }
}

/** Where a room is, as far as is known. */
function addressesIn(room: KnownRoom | undefined): readonly string[] {
  return room ? [room.address, ...room.others ?? []] : [];
}

/** What is written, and what this client knows beyond that. */
function together(written: KnownRooms, known: KnownRooms): KnownRooms {
  const others = [...known].filter(([key]) => !written.has(key));
  for (const [key, room] of written) {
    room.sealed ??= known.get(key)?.sealed;
  }
  return new Map([...others, ...written]);
}

/**
 * What two persons compare to be sure of each other: six groups of five digits for each of the two ids, the smaller
 * first, so that both read the same.
 */
export function verification(one: string, other: string): string[] {
  return [one, other].sort().map(digitsOf);
}

function digitsOf(id: string): string {
  const digest = labelledDigest("verify", fromBase64url(id));
  const view = new DataView(digest.buffer);
  const groups = Array.from({ length: GROUPS }, (_, at) => {
    const group = view.getUint32(4 * at) % 10 ** GROUP_SIZE;
    return String(group).padStart(GROUP_SIZE, "0");
  });
  return groups.join(" ");
}
