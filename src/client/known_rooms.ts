/**
 * The document of the rooms that are known.
 *
 *     { "rooms": { SERVER KEY: {
 *       "address": "HOST:PORT",
 *       "others": ["HOST:PORT", …],
 *       "sealed": ROOM,
 *       "people": { FOLDED NAME: { "id": ID, "verified": true } },
 *       "seen": { "seq": NUMBER OF A LINE, "value": THE CHAIN VALUE FOR IT },
 *       "last": MS SINCE 1970
 *     } } }
 *
 * @module
 */

import { fromBase64url, toBase64url } from "../../crypto_utils.ts";
import type { Document } from "../base/document.ts";
import { foldedName } from "../protocol/names.ts";
import type { Seen } from "./chain_compare.ts";

/** Who went by a name. */
export interface KnownPerson {
  /** The full id. */
  readonly id: string;
  /** Whether it was compared. */
  readonly verified?: boolean;
}

/** A room. */
export interface KnownRoom {
  /** Where it was last. */
  address: string;
  /** Where the room's other servers are, where it is on several. */
  others?: readonly string[];
  /** Its id, where it is sealed. */
  sealed?: string | undefined;
  /** By folded name. */
  readonly people: Map<string, KnownPerson>;
  /** What was seen of its history. */
  seen?: Seen | undefined;
  /** When the client was there, ms since 1970. */
  last?: number | undefined;
}

/** Rooms by their servers' keys, base64url; the one that was entered last is the last. */
export type KnownRooms = Map<string, KnownRoom>;

/** The rooms in a document, without what can't be any. */
export function roomsIn({ rooms }: Document = {}): KnownRooms {
  const known: KnownRooms = new Map();
  for (const [key, room] of entriesOf(rooms)) {
    const { address, others, people, sealed, seen, last } = room;
    if (typeof address !== "string") continue;
    known.set(key, {
      address,
      people: peopleIn(people),
      seen: seenIn(seen),
      ...(Array.isArray(others)
        ? { others: others.filter((it) => typeof it === "string") }
        : {}),
      ...(typeof sealed === "string" ? { sealed } : {}),
      ...(Number.isSafeInteger(last) ? { last: Number(last) } : {}),
    });
  }
  return known;
}

/** A document with these rooms. @param rest What else is in it. */
export function withRooms(rooms: KnownRooms, rest: Document = {}): Document {
  const entries = [...rooms].map(([key, { people, seen, ...room }]) => {
    const told = seen && { ...seen, value: toBase64url(seen.value) };
    return [
      key,
      { ...room, people: Object.fromEntries(people), seen: told },
    ] as const;
  });
  return { ...rest, rooms: Object.fromEntries(entries) };
}

function peopleIn(value: unknown): Map<string, KnownPerson> {
  const people = new Map<string, KnownPerson>();
  for (const [name, { id, verified }] of entriesOf(value)) {
    if (typeof id !== "string") continue;
    people.set(foldedName(name), verified === true ? { id, verified } : { id });
  }
  return people;
}

/** What a document says was seen; undefined for anything else. */
function seenIn(value: unknown): Seen | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { seq, value: text } = value as Document;
  const isNumber = Number.isSafeInteger(seq) && Number(seq) >= 0;
  const isValue = typeof text === "string" && /^[\w-]{43}$/.test(text);
  return isNumber && isValue
    ? { seq: Number(seq), value: fromBase64url(text) }
    : undefined;
}

function entriesOf(value: unknown): [string, Document][] {
  const isObject = typeof value === "object" && value !== null;
  const entries: [string, unknown][] = isObject ? Object.entries(value) : [];
  return entries.filter((entry): entry is [string, Document] =>
    typeof entry[1] === "object" && entry[1] !== null
  );
}
