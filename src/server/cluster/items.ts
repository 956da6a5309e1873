/**
 * What connections ask of the room, as it travels between servers in an entry of the stream: a list of the kind and its
 * fields, like `["say", 3, [[17, "hello"]]]`. Connections go by their numbers, persons by their full ids.
 *
 * @module
 */

import { fromBase64url, toBase64url } from "../../../crypto_utils.ts";
import { isCard, isCount } from "../../protocol/events.ts";
import type { Line } from "../../protocol/line.ts";
import { type ControlLine, parseControl } from "../../sealed/control_line.ts";
import type { Entering, Guest, Item, Of, Seat } from "../batch.ts";
import type { Person } from "../people/person.ts";
import type { Admission, Wrap } from "../sealed/control_file.ts";
import type { Staged } from "../sealed/sealed_room.ts";
import {
  type Fields,
  isBytes,
  isKey,
  isList,
  isSentKind,
  isStay,
  isText,
  malformed,
  orNull,
  readAll,
} from "./fields.ts";
import { readHappening } from "./happenings.ts";
import { isServerId } from "./keys.ts";

/** An item as JSON: its kind, and then its fields. */
export type WireItem = readonly [kind: string, ...fields: unknown[]];

/** What an item may be about, at its place in the order. */
export interface ItemContext {
  /** Who is in by a connection of that number. */
  seat(id: number): Seat | undefined;
  /** Who has been in, by full id. */
  person(id: string): Person | undefined;
  /** The id of the server whose item it is. */
  readonly server: string;
}

/** The guest that somebody is here who is connected to another server, which tells it all that there is to tell. */
export const OTHERS_GUEST: Guest = {
  isHere: false,
  ended: undefined,
  outlet: { attach() {} },
  tell() {},
  pass() {},
  share() {},
  dismiss() {},
};

const nobodyWaits = () => {};

/** How items of one kind travel. */
interface Codec<K extends Item["kind"]> {
  /** The fields. */
  write(item: Of<K>): unknown[];
  /** The item; undefined where it is about somebody who isn't there. @throws {EntryError} */
  read(fields: Fields, context: ItemContext): Of<K> | undefined;
}

/** An item about a connection, whose number comes first. */
function ofSeat<K extends Of<Item["kind"]> & { readonly seat: Seat }>(
  write: (item: K) => unknown[],
  read: (fields: Fields) => Omit<K, "seat">,
) {
  return {
    write: (item: K) => [item.seat.id, ...write(item)],
    read(fields: Fields, context: ItemContext): K | undefined {
      const seat = context.seat(fields.take(isCount));
      const rest = read(fields);
      return seat && { ...rest, seat } as K;
    },
  };
}

const CODECS: { readonly [K in Item["kind"]]: Codec<K> } = {
  join: { write: writeJoin, read: readJoin },
  say: ofSeat<Of<"say">>(
    ({ lines }) => [lines.map(writeLine)],
    (fields) => {
      const lines = fields.takeEach(readLine);
      return { kind: "say", lines, taken: nobodyWaits };
    },
  ),
  rename: ofSeat<Of<"rename">>(
    ({ name }) => [name.shown],
    (fields) => ({ kind: "rename", name: fields.takeName() }),
  ),
  release: ofSeat<Of<"release">>(
    ({ id }) => [id],
    (fields) => ({ kind: "release", id: fields.take(isCount) }),
  ),
  away: ofSeat<Of<"away">>(
    ({ text }) => [text],
    (fields) => ({ kind: "away", text: fields.take(isText) }),
  ),
  remove: {
    write: ({ person, words }) => [person.id, words],
    read(fields, context) {
      const person = context.person(fields.take(isKey));
      const words = fields.take(isText);
      return person && { kind: "remove", person, words };
    },
  },
  settings: { write: () => [], read: () => ({ kind: "settings" }) },
  rule: ofSeat<Of<"rule">>(
    ({ id, line, staged }) => [id, line.text, ...writeStaged(staged)],
    (fields) => ({
      kind: "rule",
      id: fields.take(isCount),
      line: controlLine(fields.take(isText)),
      staged: readStaged(fields),
    }),
  ),
  need: ofSeat<Of<"need">>(
    ({ e }) => [e],
    (fields) => ({ kind: "need", e: fields.take(isCount) }),
  ),
  give: ofSeat<Of<"give">>(
    ({ wrap }) => [writeWrap(wrap)],
    (fields) => {
      const wrap = readAll(fields.take(isList), "a content key", readWrap);
      return { kind: "give", wrap };
    },
  ),
  leave: ofSeat<Of<"leave">>(
    ({ reason }) => [reason],
    (fields) => ({ kind: "leave", reason: fields.take(isText) }),
  ),
  people: {
    write: ({ happenings }) => [happenings],
    read: (fields) => {
      const happenings = fields.take(isList).map(readHappening);
      return { kind: "people", happenings };
    },
  },
  link: {
    write: ({ secret }) => [toBase64url(secret)],
    read: (fields) => {
      const secret = fromBase64url(fields.take(isKey));
      return { kind: "link", secret };
    },
  },
  post: ofSeat<Of<"post">>(
    ({ posting: { from, stay, n, to, data, own } }) => [
      from,
      stay,
      n,
      to,
      data,
      own,
    ],
    (fields) => {
      const posting = {
        from: fields.take(isKey),
        stay: fields.take(isStay),
        n: fields.take(isCount),
        to: fields.take(isKey),
        data: fields.take(isBytes),
        own: fields.take(isBytes),
      };
      return { kind: "post", posting, posted: nobodyWaits };
    },
  ),
  got: {
    write: ({ person, id }) => [person, id],
    read: (fields) => ({
      kind: "got",
      person: fields.take(isKey),
      id: fields.take(isCount),
    }),
  },
  server: {
    write: ({ id, address }) => [id, address],
    read: (fields) => ({
      kind: "server",
      id: fields.take(isServerId),
      address: fields.take(isText),
    }),
  },
  gone: {
    write: ({ server, reason }) => [server, reason],
    read: (fields) => ({
      kind: "gone",
      server: fields.take(isServerId),
      reason: fields.take(isText),
    }),
  },
};

// ── Lines ──────────────────────────────────────────────────────────────────────────────────────────────

// Most of all that travels: in a busy room thousands of them in an entry.

function writeLine({ n, what = "said", text, to = null }: Line): unknown[] {
  return what === "said" ? [n, text] : [n, text, what, to];
}

function readLine(fields: Fields): Line {
  const n = fields.take(isCount);
  const text = fields.take(isText);
  if (!fields.hasMore) return { n, what: "said", to: null, text };
  const what = fields.take(isSentKind);
  return { n, what, to: fields.take(orNull(isCount)), text };
}

// ── Who comes in ───────────────────────────────────────────────────────────────────────────────────────

function writeJoin({ request, id }: Of<"join">): unknown[] {
  const { candidate, stay, name, n, from, entering } = request;
  if (id === undefined) {
    throw new TypeError("Cannot write an item: its connection has no number");
  }
  return [
    id,
    candidate.id,
    candidate.key,
    candidate.card,
    candidate.invite,
    stay,
    name.shown,
    n,
    from,
    entering ? writeEntering(entering) : null,
  ];
}

function readJoin(fields: Fields, { server }: ItemContext): Of<"join"> {
  const id = fields.take(isCount);
  const candidate = {
    id: fields.take(isKey),
    key: fields.take(isKey),
    card: fields.take(isCard),
    invite: fields.take(isCount),
  };
  const request = {
    guest: OTHERS_GUEST,
    candidate,
    stay: fields.take(isStay),
    name: fields.takeName(),
    n: fields.take(isCount),
    after: 0, // what its guest has missed is for its own server
    from: fields.take(isCount),
    entering: fields.takeOptional(readEntering),
  };
  return { kind: "join", request, answer: nobodyWaits, id, server };
}

function writeEntering({ line, invite, staged }: Entering): unknown[] {
  return [line?.text ?? null, invite ?? null, ...writeStaged(staged)];
}

function readEntering(fields: Fields): Entering {
  const text = fields.take(orNull(isText));
  const invite = fields.take(orNull(isKey)) ?? undefined;
  const line = text === null ? undefined : controlLine(text);
  return { line, invite, staged: readStaged(fields) };
}

// ── What rules a sealed room ───────────────────────────────────────────────────────────────────────────

function controlLine(text: string): ControlLine {
  const line = parseControl(text);
  if (!line) throw malformed("a control line");
  return line;
}

function writeStaged({ wraps, admission }: Staged): unknown[] {
  const { invite, key, blob } = admission ?? {};
  return [
    [...wraps.values()].map(writeWrap),
    admission ? [invite, key, blob] : null,
  ];
}

function readStaged(fields: Fields): Staged {
  const wraps = fields.takeEach(readWrap);
  const admission = fields.takeOptional(readAdmission);
  return { wraps: new Map(wraps.map((wrap) => [wrap.to, wrap])), admission };
}

function writeWrap({ by, to, e, data }: Wrap): unknown[] {
  return [by, to, e, data];
}

function readWrap(fields: Fields): Wrap {
  return {
    by: fields.take(isKey),
    to: fields.take(isKey),
    e: fields.take(isCount),
    data: fields.take(isBytes),
  };
}

function readAdmission(fields: Fields): Admission {
  return {
    invite: fields.take(isCount),
    key: fields.take(isKey),
    blob: fields.take(isBytes),
  };
}

// ── Any item ───────────────────────────────────────────────────────────────────────────────────────────

function codecOf(kind: Item["kind"]): Codec<Item["kind"]> {
  return CODECS[kind] as Codec<Item["kind"]>;
}

/** An item for other servers. @throws {TypeError} for a `join` that isn't decided: it has no number. */
export function encodeItem(item: Item): WireItem {
  return [item.kind, ...codecOf(item.kind).write(item)];
}

/**
 * An item of an entry; undefined for one that is about a connection that is gone, or a person that is unknown.
 * To be called when all before it has happened. @throws {EntryError} for what no server writes.
 */
export function decodeItem(
  json: unknown,
  context: ItemContext,
): Item | undefined {
  const [kind, ...rest] = Array.isArray(json) ? json : [];
  if (typeof kind !== "string" || !Object.hasOwn(CODECS, kind)) {
    throw malformed("an item's kind");
  }
  const codec = codecOf(kind as Item["kind"]);
  return readAll(rest, `an item "${kind}"`, (it) => codec.read(it, context));
}
