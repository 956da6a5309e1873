/**
 * The rules of a sealed room: what each control line changes in it, or why it may not be said. Signatures are for
 * `Membership` to look at.
 *
 * @module
 */

import { type Bytes, fromBase64url } from "../../crypto_utils.ts";
import { readCard } from "../crypto/identity.ts";
import { fullId, shortId } from "../crypto/person_id.ts";
import { parseName } from "../protocol/names.ts";
import type { KeyEpoch } from "./content_key.ts";
import {
  type Control,
  type Found,
  type Invite,
  type Join,
  type Keys,
  keysDigest,
  roomId,
} from "./control_line.ts";

/** The lowest number that an invite of a sealed room can have: its highest bit is set, so that a link says what it opens. */
export const SEALED_INVITE = 0x8000_0000;
/** The number of the founding link. */
export const FOUNDING_ID = 0x8000_0000;
/** The highest number of an invite; those above stand for other ways to come in. */
const MAX_INVITE = 0xffff_ff00;
/** Whether an invite, by its number, is one of a sealed room. */
export function isSealedInvite(number: number): boolean {
  return number >= FOUNDING_ID && number <= MAX_INVITE;
}

/** Persons that an invite lets in at most. */
export const MAX_USES = 10_000;
/** Open invites at a time. */
export const MAX_OPEN_INVITES = 256;

/** A member. */
export interface SealedMember {
  /** Its full id. */
  readonly id: string;
  /** Its short id. */
  readonly short: string;
  /** Its name, as it signed it; its short id where that isn't a proper name, or looks like another member's. */
  readonly name: string;
  /** That name as it is compared: no two members have the same. */
  readonly folded: string;
  /** 1,344 bytes in base64url. */
  readonly card: string;
  /** The number of the invite by which it came; null for the founder. */
  readonly invite: number | null;
}

/** An invite. */
export interface SealedInvite {
  /** Its number. */
  readonly number: number;
  /** The full id of its temporary identity. */
  readonly id: string;
  /** 1,344 bytes in base64url. */
  readonly card: string;
  /** How many persons it lets in. */
  readonly uses: number;
  /** How many of them have come. */
  readonly used: number;
  /** When it ends, ms since 1970; null: never. */
  readonly until: number | null;
  /** The full id of the keeper who made it. */
  readonly by: string;
  /** Whether it was closed. */
  readonly isClosed: boolean;
}

/** Where a control line stands in the log. */
export interface ControlPlace {
  /** Its number. */
  readonly seq: number;
  /** When it was said, ms since 1970, by the server's clock. */
  readonly at: number;
  /** The short id of the person who said it. */
  readonly person: string;
}

/** Why a control line may not be said. */
export type ControlRefusal =
  | "control-wrong" // not so written or not so signed, or not at this place
  | "not-keeper"
  | "not-member"
  | "member-already"
  | "keys-late" // another `keys` line came first
  | "keeper-senior"
  | "invite-used"
  | "invites-full"
  | "name-taken"
  | "person-barred";

/** The state of a sealed room, all of it readonly; what each part is, `Membership` says. */
export interface State {
  /** 32 bytes; undefined before it is founded. */
  readonly room: Bytes | undefined;
  /** By their short ids. */
  readonly members: ReadonlyMap<string, SealedMember>;
  /** Full ids, the most senior first. */
  readonly keepers: readonly string[];
  /** By their numbers. */
  readonly invites: ReadonlyMap<number, SealedInvite>;
  /** Full ids. */
  readonly barred: ReadonlySet<string>;
  /** From that of epoch 0 on. */
  readonly epochs: readonly KeyEpoch[];
  /** The number of the last `found` or `keys` line. */
  readonly keysAt: number;
  /** Its digest, as `keysDigest` makes it. */
  readonly lastKeys: string;
  /** The last count of each person, by its full id. */
  readonly counts: ReadonlyMap<string, number>;
  /** The number of the last control line. */
  readonly seq: number;
  /** 32 bytes. */
  readonly digest: Bytes;
  /** The digests since the last `found` or `keys` line, the newest first. */
  readonly digests: Digest | undefined;
}

/** The digest of all control lines up to one, and that of the one before. */
export interface Digest {
  /** The number of the line. */
  readonly seq: number;
  /** 32 bytes in base64url. */
  readonly digest: string;
  /** Undefined for a `found` or `keys` line. */
  readonly before: Digest | undefined;
}

/** What a control line changes, and the full id of who says it. */
export type Change = Partial<State> & { readonly id: string };

/** Before the first control line. */
export const UNFOUNDED: State = {
  room: undefined,
  members: new Map(),
  keepers: [],
  invites: new Map(),
  barred: new Set(),
  epochs: [],
  keysAt: 0,
  lastKeys: "",
  counts: new Map(),
  seq: 0,
  digest: new Uint8Array(32),
  digests: undefined,
};

/** What a control line changes; or why it may not be said, but for a bad name: its member goes by its short id then. */
export function changeOf(
  state: State,
  control: Control,
  place: ControlPlace,
  text: string,
): Change | ControlRefusal {
  if (control.verb === "found") return found(state, control, text, place);
  if (state.room === undefined) return "control-wrong";
  if (control.verb === "join") return join(state, control, place);
  const member = state.members.get(place.person);
  if (!member) return "not-member";
  const { id, short } = member;
  if (control.verb === "rename") {
    const renamed = named(state, member, control.name);
    return { id, members: new Map(state.members).set(short, renamed) };
  }
  if (!state.keepers.includes(id)) return "not-keeper";
  switch (control.verb) {
    case "invite":
      return invite(state, control, id, place.at);
    case "close":
      return close(state, control.invite, id);
    case "keys":
      return keys(state, control, id, text, place);
  }
}

function found(
  state: State,
  { random, card, name, commit }: Found,
  text: string,
  { seq, person }: ControlPlace,
): Change | ControlRefusal {
  if (state.room !== undefined) return "control-wrong";
  const { id: bytes } = readCard(fromBase64url(card));
  const id = fullId(bytes);
  const short = shortId(id);
  if (short !== person) return "control-wrong";
  const founder = named(state, { id, short, card, invite: null }, name);
  return {
    id,
    room: roomId(random, bytes),
    members: new Map([[short, founder]]),
    keepers: [id],
    epochs: [{ commit, back: undefined, backTo: 0 }],
    keysAt: seq,
    lastKeys: keysDigest(text),
  };
}

function invite(
  state: State,
  { invite: number, card, uses, until }: Invite,
  by: string,
  at: number,
): Change | ControlRefusal {
  const { invites } = state;
  const isRight = number > FOUNDING_ID && number <= MAX_INVITE &&
    uses >= 1 && uses <= MAX_USES && !invites.has(number);
  if (!isRight) return "control-wrong";
  if (openInvites(state, at).length >= MAX_OPEN_INVITES) return "invites-full";
  const id = fullId(readCard(fromBase64url(card)).id);
  // Keys are sealed to it: it can't be the card of somebody who was removed, which has said control lines.
  if (state.counts.has(id)) return "control-wrong";
  const made = { number, id, card, uses, used: 0, until, by };
  const open = { ...made, isClosed: false };
  return { id: by, invites: new Map(invites).set(number, open) };
}

function join(
  state: State,
  { invite: number, card, name }: Join,
  { at, person }: ControlPlace,
): Change | ControlRefusal {
  const { members, invites, barred } = state;
  const id = fullId(readCard(fromBase64url(card)).id);
  const short = shortId(id);
  if (short !== person) return "control-wrong";
  if (barred.has(id)) return "person-barred";
  if (memberOf(state, id)) return "member-already";
  if (members.has(short)) return "control-wrong"; // another one's
  const invite = invites.get(number);
  if (!invite || !isOpen(invite, at)) return "invite-used";
  const member = named(state, { id, short, card, invite: number }, name);
  const used = { ...invite, used: invite.used + 1 };
  return {
    id,
    members: new Map(members).set(short, member),
    invites: new Map(invites).set(number, used),
  };
}

function close(
  state: State,
  number: number,
  id: string,
): Change | ControlRefusal {
  const { invites } = state;
  const invite = invites.get(number);
  if (!invite || invite.isClosed) return "invite-used";
  return {
    id,
    invites: new Map(invites).set(number, { ...invite, isClosed: true }),
  };
}

function keys(
  state: State,
  line: Keys,
  id: string,
  text: string,
  { seq, at }: ControlPlace,
): Change | ControlRefusal {
  const { e, prev, seen, digest, commit, back, backTo } = line;
  const { made, removed, barred, freed } = line;
  if (e !== state.epochs.length || prev !== state.lastKeys) return "keys-late";
  const isSame = hadDigest(state, seen, digest);
  if (!isSame || backTo >= e || barred.includes(id)) return "control-wrong";
  const isJunior = (other: string) =>
    other === id || !state.keepers.includes(other) ||
    state.keepers.indexOf(other) > state.keepers.indexOf(id);
  if (!removed.every((it) => memberOf(state, it))) return "not-member";
  if (!removed.every(isJunior)) return "keeper-senior";
  const members = new Map(state.members);
  for (const gone of removed) members.delete(shortId(gone));
  const isIn = (it: string) => members.get(shortId(it))?.id === it;
  const isMade = made.every((it) => isIn(it) && !state.keepers.includes(it));
  const isBarred = barred.every((it) => !isIn(it));
  const isFreed = freed.every((it) => state.barred.has(it));
  if (!isMade || !isBarred || !isFreed) return "not-member";
  const bars = new Set([...state.barred, ...barred]);
  for (const it of freed) bars.delete(it);
  const keepers = [...state.keepers.filter(isIn), ...made];
  if (keepers.length === 0) return "control-wrong"; // nobody could let anybody in
  // What lets in nobody any more is dropped: its link opens no key from here on.
  const invites = removed.length > 0
    ? []
    : [...state.invites].filter(([_, invite]) => isOpen(invite, at));
  return {
    id,
    members,
    keepers,
    invites: new Map(invites),
    barred: bars,
    epochs: [...state.epochs, { commit, back, backTo }],
    keysAt: seq,
    lastKeys: keysDigest(text),
  };
}

/** Whether that was the digest of all control lines up to one, which is the last `found` or `keys` line or a later one. */
function hadDigest({ digests }: State, seq: number, digest: string): boolean {
  let at = digests;
  while (at && at.seq > seq) at = at.before;
  return at?.seq === seq && at.digest === digest;
}

/** Why nobody may take the name in a control line. @param person The short id of who says it. */
export function nameRefusal(
  state: State,
  control: Control,
  person: string,
): ControlRefusal | undefined {
  if (!("name" in control)) return undefined;
  const folded = foldedName(control.name);
  if (folded === undefined) return "control-wrong";
  return isFree(state, folded, person) ? undefined : "name-taken";
}

function isFree({ members }: State, folded: string, person: string): boolean {
  for (const member of members.values()) {
    if (member.folded === folded) return member.short === person;
  }
  return true;
}

/** The member under a name, if it can have that; else under its short id. */
function named(
  state: State,
  member: Omit<SealedMember, "name" | "folded">,
  name: string,
): SealedMember {
  const { short } = member;
  const folded = foldedName(name);
  return folded !== undefined && isFree(state, folded, short)
    ? { ...member, name, folded }
    : { ...member, name: short, folded: `*${short}` }; // which no name is
}

/** The member of a full id. */
export function memberOf(
  { members }: State,
  id: string,
): SealedMember | undefined {
  const member = members.get(shortId(id));
  return member?.id === id ? member : undefined;
}

/** The invites that let somebody in at that time, ms since 1970. */
export function openInvites({ invites }: State, at: number): SealedInvite[] {
  return [...invites.values()].filter((it) => isOpen(it, at));
}

/** A name, folded; undefined unless it is a proper one, written as people see it. */
function foldedName(name: string): string | undefined {
  const parsed = parseName(name);
  return typeof parsed !== "string" && parsed.shown === name
    ? parsed.folded
    : undefined;
}

/** Whether an invite lets somebody in at that time, ms since 1970. */
export function isOpen(
  { uses, used, until, isClosed }: SealedInvite,
  at: number,
): boolean {
  return !isClosed && used < uses && (until === null || at <= until);
}
