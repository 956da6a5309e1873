/**
 * What a client remembers of the rooms that it was in: where they are, who went by which name there, what the
 * history was, and when it was there last. A known name with another id is somebody else.
 *
 *     { "rooms": { SERVER KEY: {
 *       "address": "HOST:PORT",
 *       "sealed": ROOM,
 *       "people": { FOLDED NAME: { "id": ID, "verified": true } },
 *       "seen": { "seq": NUMBER OF A LINE, "value": THE CHAIN VALUE FOR IT },
 *       "last": MS SINCE 1970
 *     } } }
 *
 * A room that is sealed stays so: nothing takes that out again.
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  fromBase64url,
  labelledDigest,
  toBase64url,
} from "../../crypto_utils.ts";
import { readDocument, writeDocument } from "../base/document.ts";
import { reasonOf } from "../base/error_reason.ts";
import { keepNewest } from "../base/keep_newest.ts";
import { quote } from "../base/safe_text.ts";
import { parseShortId, shortId, spokenId } from "../crypto/person_id.ts";
import { foldedName } from "../protocol/names.ts";
import type { Seen } from "./chain_compare.ts";
import type { Person } from "./person.ts";
import type { Present } from "./view.ts";

/** Names that are remembered of a room, the latest. */
const MAX_NAMES = 5_000;
/** How exactly is remembered when the client was there last, ms. */
const LAST_STEP = 3_600_000;
/** Groups of digits, and the digits of each, by which people compare an id: about 99 bits. */
const GROUPS = 6;
const GROUP_SIZE = 5;

/** Who went by a name. */
interface KnownPerson {
  readonly id: string;
  readonly verified?: boolean;
}

/** A room. */
interface KnownRoom {
  address: string;
  sealed?: string; // the room's id, where it is sealed
  readonly people: Map<string, KnownPerson>; // by folded name
  seen?: Seen | undefined;
  last?: number | undefined; // when the client was there, ms since 1970
}

/** All rooms that this machine's clients were in, in a file. */
export class Known {
  readonly #path: string | undefined;
  readonly #note: (text: string) => void;
  readonly #rooms = new Map<string, KnownRoom>(); // by the server's key
  #room: KnownRoom | undefined; // the one that the client is in
  #isChanged = false;
  /** Settles when all is in the file; never rejects. */
  kept: Promise<void> = Promise.resolve();

  private constructor(
    path: string | undefined,
    note: (text: string) => void,
  ) {
    this.#path = path;
    this.#note = note;
  }

  /**
   * What a file remembers, which need not be there. One that can't be used is named in a note.
   * @param path Undefined for what is remembered nowhere. @param note Told what can't be read or kept, and warnings.
   */
  static async load(
    path: string | undefined,
    note: (text: string) => void,
  ): Promise<Known> {
    const known = new Known(path, note);
    if (path === undefined) return known;
    try {
      known.#adopt(await readDocument(path) ?? {});
    } catch (error) {
      note(reasonOf(error));
    }
    return known;
  }

  #adopt({ rooms }: Readonly<Record<string, unknown>>): void {
    for (const [key, room] of entriesOf(rooms)) {
      const { address, people, sealed, seen, last } = room as Record<
        string,
        unknown
      >;
      if (typeof address !== "string") continue;
      const known = new Map<string, KnownPerson>();
      for (const [name, person] of entriesOf(people)) {
        const { id, verified } = person as Record<string, unknown>;
        if (typeof id !== "string") continue;
        known.set(
          foldedName(name),
          verified === true ? { id, verified } : { id },
        );
      }
      const mark = typeof sealed === "string" ? { sealed } : {};
      const times = Number.isSafeInteger(last) ? { last: Number(last) } : {};
      const all = {
        address,
        people: known,
        seen: seenIn(seen),
        ...mark,
        ...times,
      };
      this.#rooms.set(key, all);
    }
  }

  /** The id, base64url, of the sealed room of a server; undefined where none is known. @param serverKey 32 bytes. */
  sealedRoom(serverKey: Bytes): string | undefined {
    return this.#rooms.get(toBase64url(serverKey))?.sealed;
  }

  /** The room that the client is in is sealed. @param room Its id, base64url. */
  seal(room: string): void {
    if (!this.#room || this.#room.sealed === room) return;
    this.#room.sealed = room;
    this.#isChanged = true;
  }

  /** The key, 32 bytes, of the server that was at an address last; undefined for one that isn't known. */
  serverAt(address: string): Bytes | undefined {
    const found = [...this.#rooms].findLast(([_, it]) =>
      it.address === address
    );
    return found && fromBase64url(found[0]);
  }

  /** The client is in a room. @param serverKey 32 bytes. */
  entered(serverKey: Bytes, address: string): void {
    const key = toBase64url(serverKey);
    const room = this.#rooms.get(key) ?? { address, people: new Map() };
    const [last] = [...this.#rooms.keys()].slice(-1);
    this.#isChanged ||= key !== last || room.address !== address;
    room.address = address;
    this.#rooms.delete(key); // the latest is the last
    this.#rooms.set(key, room);
    this.#room = room;
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
    people.delete(folded);
    people.set(folded, { id });
    keepNewest(people, MAX_NAMES);
    this.#isChanged = true;
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
    this.#room?.people.set(foldedName(name), { id, verified: true });
    this.#isChanged = true;
  }

  /** What was seen last of the room's history, if anything was. */
  get seen(): Seen | undefined {
    return this.#room?.seen;
  }

  /** The history up to a line is what the person knows of it. */
  saw(seen: Seen): void {
    const room = this.#room;
    const old = room?.seen;
    if (!room || old?.seq === seen.seq && equalBytes(old.value, seen.value)) {
      return;
    }
    room.seen = seen;
    this.#isChanged = true;
  }

  /** The client is in the room. @param now ms since 1970. @returns For how long it was not, ms, to the hour; 0 for one that is new. */
  isHere(now: number): number {
    const room = this.#room;
    if (!room) return 0;
    const { last = now } = room;
    const isKept = Math.abs(now - last) < LAST_STEP && room.last !== undefined;
    if (!isKept) {
      room.last = now;
      this.#isChanged = true;
    }
    return Math.max(0, now - last);
  }

  /** Writes down what has changed. */
  keep(): void {
    const path = this.#path;
    if (!this.#isChanged || path === undefined) return;
    this.#isChanged = false;
    this.kept = this.kept.then(async () => {
      await this.#takeSealed(path);
      await writeDocument(path, this.#document);
    }).catch((error) => this.#note(reasonOf(error)));
  }

  /** Takes over which rooms are sealed by what other clients of this machine have found since. */
  async #takeSealed(path: string): Promise<void> {
    const other = new Known(undefined, () => {});
    other.#adopt(await readDocument(path).catch(() => undefined) ?? {});
    for (const [key, { address, sealed }] of other.#rooms) {
      if (sealed === undefined) continue;
      const room = this.#rooms.get(key);
      if (room) room.sealed ??= sealed;
      else this.#rooms.set(key, { address, sealed, people: new Map() });
    }
  }

  get #document() {
    const rooms = [...this.#rooms].map(([key, { people, seen, ...room }]) => {
      const told = seen && { ...seen, value: toBase64url(seen.value) };
      return [
        key,
        { ...room, people: Object.fromEntries(people), seen: told },
      ] as const;
    });
    return { rooms: Object.fromEntries(rooms) };
  }
}

/** What a file says was seen; undefined for anything else. */
function seenIn(value: unknown): Seen | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { seq, value: text } = value as Record<string, unknown>;
  const isNumber = Number.isSafeInteger(seq) && Number(seq) >= 0;
  const isValue = typeof text === "string" && /^[\w-]{43}$/.test(text);
  return isNumber && isValue
    ? { seq: Number(seq), value: fromBase64url(text) }
    : undefined;
}

function entriesOf(value: unknown): [string, unknown][] {
  const isObject = typeof value === "object" && value !== null;
  return isObject
    ? Object.entries(value).filter(([_, it]) =>
      typeof it === "object" && it !== null
    )
    : [];
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
