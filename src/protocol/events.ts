/**
 * Events, what sealed records say: one table row for each kind, from which come its type, its encoding and the
 * checks on arrival.
 *
 * A plaintext is a JSON array of events, padded with spaces; an event is an array of its kind and its fields in
 * the table's order, like `["said", 3, 2876501, "hello"]`.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { parseOffer, PIECE_OVERHEAD, PIECE_SIZE } from "./offer.ts";
import { isShortId } from "../crypto/person_id.ts";
import { MAX_ENTRY_LENGTH, MAX_TEXT_SIZE } from "./reasons.ts";
import { MAX_PLAINTEXT_SIZE, padmeLength } from "./records.ts";

/** Events in one record: more than fit where each says something. */
const MAX_EVENTS = 4_096;
/** How deep the fields of an event may be nested; those that we know aren't at all. */
const MAX_DEPTH = 8;
/** The longest string in any other field, UTF-16 units. */
export const MAX_STRING = 256;

/** A plaintext isn't a well-formed list of events: the connection it came from can't go on. */
export class EventError extends Error {
  /** "EventError". */
  override readonly name = "EventError";
}

const encoder = new TextEncoder();

/** The greatest time either way, ms since 1970 (ECMA-262, section 21.4.1.1). */
export const MAX_TIME = 8.64e15;

/** Whether a value is a field's. */
export type Check<T> = (value: unknown) => value is T;

/** A whole number, 0 to 2^53 − 1. */
export const isCount: Check<number> = (value): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const isTime: Check<number> = (value): value is number =>
  Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_TIME;
const isTimeOrNull: Check<number | null> = (value): value is number | null =>
  value === null || isTime(value);
const isBoolean: Check<boolean> = (value): value is boolean =>
  typeof value === "boolean";
const isCountOrNull: Check<number | null> = (value): value is number | null =>
  value === null || isCount(value);
const isString: Check<string> = (value): value is string =>
  typeof value === "string" && value.length <= MAX_STRING &&
  value.isWellFormed();
const isText: Check<string> = (value): value is string =>
  typeof value === "string" && value.length <= MAX_TEXT_SIZE &&
  value.isWellFormed();
const isEntryText: Check<string> = (value): value is string =>
  typeof value === "string" && value.length <= MAX_ENTRY_LENGTH &&
  value.isWellFormed();
const isOffer: Check<string> = (value): value is string =>
  typeof value === "string" && parseOffer(value) !== null;
const isPiece: Check<string> = (value): value is string =>
  typeof value === "string" &&
  value.length <= Math.ceil((PIECE_SIZE + PIECE_OVERHEAD) * 4 / 3) &&
  /^[\w-]*$/.test(value);

/** A text of a form. */
export const matches =
  (pattern: RegExp): Check<string> => (value): value is string =>
    typeof value === "string" && pattern.test(value);
/** A card, base64url: 1,344 bytes. */
export const isCard: Check<string> = matches(/^[\w-]{1792}$/);
/** A person's id, base64url: 32 bytes. */
const isPerson: Check<string> = matches(/^[\w-]{43}$/);
/** A person's short id. */
const isShort: Check<string> = (value): value is string =>
  typeof value === "string" && isShortId(value);
/** A wrap, base64url: 1,168 bytes. */
const isWrap: Check<string> = matches(/^[\w-]{1558}$/);
/** An invite's blob, base64url: 88 bytes. */
const isBlob: Check<string> = matches(/^[\w-]{118}$/);
const isBlobOrNone: Check<string> = matches(/^(?:[\w-]{118})?$/);
/** A stay, base64url: 8 bytes. */
const isStay: Check<string> = matches(/^[\w-]{11}$/);
/** A value of the chain, base64url: 32 bytes; empty where there is none. */
const isValue: Check<string> = matches(/^(?:[\w-]{43})?$/);
/** A sealed private message, base64url: 1,392 to 5,488 bytes. */
const isSealed: Check<string> = matches(/^[\w-]{1856,7318}$/);

/** The fields of an epoch. */
const SECRET = {
  number: isCount,
  counter: isCount,
  key: isString,
  verifyKey: isString,
};

/** Every kind of event and its fields, in the order in which they are sent. */
export const TABLE = {
  // What a client says.
  /**
   * Asks to be let in as `name`, with its card; its own lines follow `n`; it has seen the room's events up to `after`.
   * What is repeated after a lost connection is recognised by person, stay and n.
   */
  join: {
    name: isString,
    stay: isStay,
    n: isCount,
    after: isCountOrNull,
    card: isCard,
  },
  /** A message, with the sender's own number for it. */
  say: { n: isCount, text: isText },
  /** The same in the third person: "waves" by Abhii is "Abhii waves". */
  act: { n: isCount, text: isText },
  /** A message that answers event `to`. */
  reply: { n: isCount, to: isCount, text: isText },
  /** Other words for message `to`, one of the sender's own. */
  edit: { n: isCount, to: isCount, text: isText },
  /** Takes back message or offer `to`, one of the sender's own. */
  delete: { n: isCount, to: isCount },
  /** Reacts to what was said as event `to` with one emoji, in place of the one before; empty: with none any more. */
  react: { n: isCount, to: isCount, text: isString },
  /** Offers a file, described as `formatOffer` does it; the file itself stays where it is. */
  offer: { n: isCount, text: isOffer },
  /** Says something in a sealed room, as `sealLine` makes it. */
  seal: { n: isCount, text: isEntryText },
  /**
   * Asks for the control lines of a sealed room after line `after`. They come as `past`, and then `followed`. Also for
   * guests.
   */
  follow: { after: isCount },
  /** With what a guest becomes a member of a sealed room: its `found` or `join` line. Comes before `join`. */
  enter: { text: isEntryText },
  /** Says a control line in a sealed room. Answered by `answered`, after `refused` with `n` null if it isn't said. */
  rule: { id: isCount, text: isEntryText },
  /**
   * A content key for a person or an invite, by its full id, as `sealWrap` makes it. One that is for the `next` epoch counts
   * once that begins with this client's `keys` line, and never if another's comes first; any other one counts at once.
   */
  wrap: { to: isPerson, e: isCount, next: isBoolean, data: isWrap },
  /** What the server needs to know of an invite whose `invite` line comes next: its key, as `admissionKey` makes it, and blob. */
  admit: { invite: isCount, key: isPerson, blob: isBlob },
  /** Asks the keepers for the content key of epoch `e`. */
  need: { e: isCount },
  /** The file of event `offer`, an offer of the sender's own, can be asked for here. */
  hold: { offer: isCount },
  /** Wants to be called `name` from here on. */
  rename: { name: isString },
  /** Gives up all names that were its person's before the one it goes by. Answered by a `notice`, and `answered`. */
  release: { id: isCount },
  /**
   * An operator's wish: one of `OPERATIONS`, about `who` (a name, a short id or a number), with a text and a count.
   * Answered by `invited`, by `notice`s, or by `refused` with `n` null; and then by `answered`.
   */
  operate: {
    id: isCount,
    what: isString,
    who: isString,
    text: isText,
    count: isCount,
  },
  /** Has the file of event `offer`, whole and with the right checksum. */
  taken: { offer: isCount },
  /** Goes away from the keyboard, with a word about it; comes back if that is empty. */
  away: { text: isString },
  /**
   * Asks for the last `count` lines before event `before` (null: the end) that have all the words; for any
   * if there are none. They come as `past`, and then `found`.
   */
  find: { id: isCount, words: isString, before: isCountOrNull, count: isCount },
  /** Asks for the last `count` lines before event `before`, none left out: as `chain` and `past`, and then `paged`. */
  page: { id: isCount, before: isCount, count: isCount },
  /** Asks which value of the chain the server has for event `seq`. Answered by `agreed`. */
  agree: { id: isCount, seq: isCount },

  /** Asks for the card of somebody who has been here, by name or short id. Answered by `card` or `nobody`. */
  look: { id: isCount, who: isString },
  /**
   * A private message, with the sender's own number for it in this stay, from 1 on and apart from lines; sealed to the
   * person `to`, and to the sender itself. Answered by `privately`; what is repeated is kept once.
   */
  private: { n: isCount, to: isPerson, data: isSealed, own: isSealed },
  /**
   * Wants `letter`s from here on: first those that are kept and have a number above `after` or, if that is null, those
   * that nobody has taken.
   */
  collect: { after: isCountOrNull },
  /** Has taken all `letter`s up to number `id` for good. */
  got: { id: isCount },

  // What either side says.
  /** Are you there? */
  ping: {},
  /** I am. */
  pong: {},
  /**
   * Asks for `size` bytes, at most 16,384, from byte `from` of the file of event `offer`: a member the server,
   * and the server the member who holds it. The answer is a `piece` or a `missing` with the asker's `id`.
   */
  fetch: { id: isCount, offer: isCount, from: isCount, size: isCount },
  /** The bytes that were asked for, base64url. */
  piece: { id: isCount, data: isPiece },
  /** They don't come, for one of `MISSING`. */
  missing: { id: isCount, reason: isString },
  /** The sender leaves for this reason, one of `GOODBYES` or its own words; nothing comes after it. */
  bye: { reason: isString },

  // What the server says to one client.
  /**
   * One of `REFUSALS`, for the line `n` or, if that is null, for joining or taking another name; `detail` is what else
   * a person should know of it, like whose the name is.
   */
  refused: { n: isCountOrNull, reason: isString, detail: isString },
  /** A line of the log from before the client joined. */
  past: {
    seq: isCount,
    at: isTime,
    person: isShort,
    stay: isStay,
    n: isCount,
    what: isString,
    to: isCountOrNull,
    name: isString,
    text: isEntryText,
  },
  /** The chain's value for event `seq`, after which the `past` that follow come; empty if the server can't tell. */
  chain: { seq: isCount, value: isValue },
  /**
   * The control lines up to line `seq` were told; with the digest of those up to line `after`, or "" if that is none of
   * them, and the blob of the invite by which the client came, or "". Those that come after it and before the client is
   * in are told before its `welcome`.
   */
  followed: { seq: isCount, digest: isValue, blob: isBlobOrNone },
  /** The content key of epoch `e` for this client's person or its invite, from the person `by`, as `sealWrap` makes it. */
  wrapped: { by: isPerson, to: isPerson, e: isCount, data: isWrap },
  /** Somebody who is there lacks the content key of epoch `e`; for keepers. */
  needed: { who: isPerson, e: isCount },
  /** The largest file that may be offered, bytes. */
  limits: { fileSize: isCount },
  /** The server's message of the day. */
  motd: { text: isText },
  /** Sentences that answer what the client asked for. */
  notice: { text: isText },
  /** The answer to the `operate` or `release` of that id is complete; it stands right before this. */
  answered: { id: isCount },
  /** Somebody has the file of event `offer`, which this client holds; told once of each person. */
  took: { offer: isCount, name: isString, person: isShort },
  /**
   * An invite that was made: what a link holds beside the server key; `address` is where the server thinks that others
   * find the room, as a link has it: this server's first, then those of the room's other servers. `secret` is base64url.
   */
  invited: {
    address: isEntryText,
    id: isCount,
    secret: isString,
    uses: isCount,
    until: isTimeOrNull,
    note: isString,
  },
  /** The client says more than it may, and is read no faster than it may from here on. */
  slowed: {},
  /** The answer to `find` is complete; whether there are older ones. */
  found: { id: isCount, more: isBoolean },
  /** The answer to `page` is complete; whether there are older lines that the client may read. */
  paged: { id: isCount, more: isBoolean },
  /** The answer to `agree`: the chain's value for event `seq`, empty if the server can't tell. */
  agreed: { id: isCount, seq: isCount, value: isValue },
  /**
   * A member who is there by connection `id`, when it came and last said something, and why it is away (empty: it
   * isn't).
   */
  here: {
    id: isCount,
    name: isString,
    person: isPerson,
    stay: isStay,
    since: isTime,
    active: isTime,
    away: isString,
  },
  /** The epoch in which the next broadcast is sealed; keys are base64url. */
  epoch: SECRET,
  /** How the shared records that follow are sealed, in which are all `here` and `beside`. */
  sharing: SECRET,
  /**
   * The client is in, by connection `id` and under that name: another than it asked for if its person is there
   * already. `seq` is the last event so far. Comes after all `here`, `beside` and `past`.
   */
  welcome: { id: isCount, seq: isCount, at: isTime, name: isString },

  /** The answer to `look`: somebody's card, and the name that its person claimed last; empty if it has none. */
  card: { id: isCount, name: isString, card: isCard },
  /** The answer to `look`: nobody of that name or id has been here. */
  nobody: { id: isCount },
  /**
   * What becomes of private message `n`: "delivered" to somebody who is here, "waiting" for them to come, or one of
   * `REFUSALS`.
   */
  privately: { n: isCount, state: isString },
  /**
   * A private message to this client's person or, if `from` is its own, by another client of it; the numbers rise.
   */
  letter: { id: isCount, from: isPerson, data: isSealed },

  // What the server says to everybody.
  /** The events after this one in the record are numbered from `seq`, and happened at `at` (ms). */
  batch: { seq: isCount, at: isTime },
  /** Somebody came. */
  joined: {
    id: isCount,
    name: isString,
    person: isPerson,
    stay: isStay,
    n: isCount,
  },
  /** The person of connection `of` is there by connection `id`, too; has no number. */
  beside: { id: isCount, of: isCount, stay: isStay },
  /** That connection has ended; its person is still there by another; has no number. */
  parted: { id: isCount },
  /** Somebody went, for one of `GOODBYES` or with words of their own. */
  left: { id: isCount, n: isCount, reason: isString },
  /** A member's message. */
  said: { id: isCount, n: isCount, text: isText },
  /** A member's message in the third person. */
  acted: { id: isCount, n: isCount, text: isText },
  /** A member's answer to event `to`. */
  replied: { id: isCount, n: isCount, to: isCount, text: isText },
  /** A member gives its message `to` other words. */
  edited: { id: isCount, n: isCount, to: isCount, text: isText },
  /** A member takes back its message or offer `to`. */
  deleted: { id: isCount, n: isCount, to: isCount },
  /** A member reacts to event `to` with one emoji, or, if the text is empty, no longer. */
  reacted: { id: isCount, n: isCount, to: isCount, text: isString },
  /** A member says something that the server can't read. */
  sealed: { id: isCount, n: isCount, text: isEntryText },
  /** A control line of a sealed room, by somebody who need not be there yet. */
  ruled: {
    person: isShort,
    name: isString,
    stay: isStay,
    n: isCount,
    text: isEntryText,
  },
  /** A member offers a file. */
  offered: { id: isCount, n: isCount, text: isOffer },
  /** A member goes by another name. */
  renamed: { id: isCount, n: isCount, name: isString },
  /** A member goes away from the keyboard or, if the text is empty, is back; has no number. */
  absent: { id: isCount, text: isString },
  /**
   * The room's topic, and how many seconds must pass between two lines of a member (0: none); also told to each
   * newcomer. Has no number.
   */
  room: { topic: isText, slow: isCount },
  /**
   * Whether the server can't reach the room's other servers, so that what is said waits there until it can. Told when that
   * changes, and, where it is so, to each newcomer. Has no number.
   */
  waiting: { is: isBoolean },
  /** Where the room's servers are, `HOST:PORT,…`; told to each newcomer, and when that changes. Has no number. */
  servers: { list: isText },
  /** The epoch's key moves forward after this record. */
  ratchet: {},
} as const satisfies Record<string, Record<string, Check<unknown>>>;

/** The table's type. */
export type Table = typeof TABLE;
/** The name of an event's kind. */
export type Kind = keyof Table;

/** The fields of a kind of event. */
export type Fields<K extends Kind> = {
  readonly [F in keyof Table[K]]: Table[K][F] extends Check<infer T> ? T
    : never;
};

/** An event of one kind, or of any. */
export type Event<K extends Kind = Kind> = {
  [K1 in K]: { readonly kind: K1 } & Fields<K1>;
}[K];

const fieldNames = new Map<string, readonly string[]>(
  Object.entries(TABLE).map(([kind, fields]) => [kind, Object.keys(fields)]),
);

/** An event as JSON text. */
export function encodeEvent(event: Event): string {
  const values = event as unknown as Record<string, unknown>;
  const names = fieldNames.get(event.kind) ?? [];
  return JSON.stringify([event.kind, ...names.map((name) => values[name])]);
}

const TOO_DEEP =
  `Cannot read an event: it is nested more than ${MAX_DEPTH} deep`;

/** Whether there are lists or objects in a list or object to more than a depth. */
function isNested(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 ||
    Object.values(value).some((it) => isNested(it, depth - 1));
}

/** An event of a known kind, null for one of an unknown kind. @throws {EventError} */
function decodeEvent(value: unknown): Event | null {
  if (!Array.isArray(value) || typeof value[0] !== "string") {
    throw new EventError("Cannot read an event: it is no array with a kind");
  }
  const [kind, ...values] = value as [string, ...unknown[]];
  const names = fieldNames.get(kind);
  if (!names) {
    if (values.some((it) => isNested(it, MAX_DEPTH))) {
      throw new EventError(TOO_DEEP);
    }
    return null;
  }
  if (values.length !== names.length) {
    throw new EventError(`Cannot read an event "${kind}": fields are missing`);
  }
  const event: Record<string, unknown> = { kind };
  const checks: Readonly<Record<string, Check<unknown>>> = TABLE[kind as Kind];
  for (const [index, name] of names.entries()) {
    if (!checks[name]?.(values[index])) {
      throw new EventError(
        `Cannot read an event "${kind}": "${name}" is wrong`,
      );
    }
    event[name] = values[index];
  }
  return event as unknown as Event;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const [OPEN = 0, COMMA = 0, CLOSE = 0, SPACE = 0] = encoder.encode("[,] ");

// Every plaintext is put together here, in one go, and leaves as a copy.
const scratch: Bytes = new Uint8Array(MAX_PLAINTEXT_SIZE);

/**
 * Plaintexts that hold the events in order, as few as fit: each a JSON array, padded to its Padmé length,
 * of at most 63,488 bytes. Takes events as `encodeEvent` made them.
 * @param heading Makes the first event of each plaintext; is told how many of `encoded` went before it.
 * @throws {RangeError} for an event that fits no record.
 */
export function packEvents(
  encoded: readonly string[],
  heading?: (before: number) => string,
): Bytes[] {
  const plaintexts: Bytes[] = [];
  let size = 0;
  const add = (text: string): boolean => {
    const start = size + 1; // after the bracket or the comma
    const room = scratch.subarray(start, MAX_PLAINTEXT_SIZE - 1);
    // Not by what `encodeInto` says it has read: Deno 2.6 counts bytes there, once the code is warm.
    const mayExceed = text.length * 3 > room.length;
    if (mayExceed && encoder.encode(text).length > room.length) return false;
    const { written } = encoder.encodeInto(text, room);
    scratch[size] = size === 0 ? OPEN : COMMA;
    size = start + written;
    return true;
  };
  const finish = () => {
    scratch[size++] = CLOSE;
    const padded = padmeLength(size);
    scratch.fill(SPACE, size, padded);
    plaintexts.push(scratch.slice(0, padded));
    size = 0;
  };
  for (const [index, text] of encoded.entries()) {
    if (size > 0 && add(text)) continue;
    if (size > 0) finish();
    if (heading) add(heading(index));
    if (!add(text)) {
      throw new RangeError(`Cannot send an event of ${text.length} units`);
    }
  }
  if (size > 0) finish();
  return plaintexts;
}

/**
 * The events of a plaintext, without those of unknown kinds.
 * @throws {EventError} for anything that is not a list of well-formed events.
 */
export function unpackEvents(plaintext: Uint8Array): Event[] {
  let list: unknown;
  try {
    list = JSON.parse(decoder.decode(plaintext));
  } catch (cause) {
    throw new EventError("Cannot read events: they are no JSON", { cause });
  }
  if (!Array.isArray(list) || list.length > MAX_EVENTS) {
    throw new EventError("Cannot read events: they are no array, or too many");
  }
  return list.map(decodeEvent).filter((event) => event !== null);
}
