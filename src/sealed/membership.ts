/**
 * Who is a member of a sealed room, who its keepers are, which invites are open and which content key counts: what the
 * control lines so far come to. Server and clients work it out alike, and a line that may not be said changes nothing.
 *
 *     none ── found ──▶ founded ── invite, join, rename, keys, close, … ──▶ founded
 *
 * A membership never changes: `next` gives another. All that it is made of stands in its digest: two people with the same
 * digest have the same membership. But for names: which of them are proper, and which look alike, depends on the version
 * of Unicode that a runtime knows. So the server refuses a bad name before it is said, and whoever follows what was said
 * takes the line all the same and calls the member by its short id.
 *
 * @module
 */

import {
  type Bytes,
  field,
  fromBase64url,
  labelledDigest,
  uint64,
} from "../../crypto_utils.ts";
import { checkCard, readCard } from "../crypto/identity.ts";
import { fullId, shortId } from "../crypto/person_id.ts";
import { isXwingKey } from "../crypto/xwing.ts";
import { parseName } from "../protocol/names.ts";
import type { KeyEpoch } from "./content_key.ts";
import {
  type Control,
  type ControlLine,
  type Found,
  type Invite,
  type Join,
  type Keys,
  keysDigest,
  roomId,
  verifyControl,
} from "./control_line.ts";

const encoder = new TextEncoder();

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
  /** Whether it lets in nobody any more, whatever the time: it was closed, or had ended when the key was changed. */
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

/** The state of a sealed room, all of it readonly. */
interface State {
  readonly room: Bytes | undefined;
  readonly members: ReadonlyMap<string, SealedMember>;
  readonly keepers: readonly string[];
  readonly invites: ReadonlyMap<number, SealedInvite>;
  readonly barred: ReadonlySet<string>;
  readonly epochs: readonly KeyEpoch[];
  readonly keysAt: number;
  readonly lastKeys: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly seq: number;
  readonly digest: Bytes;
}

/** What a control line changes, and the full id of who says it. */
type Change = Partial<State> & { readonly id: string };

const UNFOUNDED: State = {
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
};

/** What the control lines so far come to. */
export class Membership {
  /** Before the first of them. */
  static readonly NONE: Membership = new Membership(UNFOUNDED);
  readonly #state: State;

  private constructor(state: State) {
    this.#state = state;
  }

  /** The room's id, 32 bytes; undefined before it is founded. */
  get room(): Bytes | undefined {
    return this.#state.room;
  }

  /** The members by their short ids, which no two have in common. */
  get members(): ReadonlyMap<string, SealedMember> {
    return this.#state.members;
  }

  /** Full ids of the keepers, the most senior first. */
  get keepers(): readonly string[] {
    return this.#state.keepers;
  }

  /** All invites by their numbers, those that are used up or closed among them. */
  get invites(): ReadonlyMap<number, SealedInvite> {
    return this.#state.invites;
  }

  /** Full ids of those who can't become members again. */
  get barred(): ReadonlySet<string> {
    return this.#state.barred;
  }

  /** What proves the content keys, from that of epoch 0 on. */
  get epochs(): readonly KeyEpoch[] {
    return this.#state.epochs;
  }

  /** The number of the epoch; -1 before the room is founded. */
  get epoch(): number {
    return this.#state.epochs.length - 1;
  }

  /** The number of the line with which it began. */
  get epochStart(): number {
    return this.#state.keysAt;
  }

  /** What the next `keys` line names as `prev`. */
  get lastKeys(): string {
    return this.#state.lastKeys;
  }

  /** The number of the last control line; 0 before the first. */
  get seq(): number {
    return this.#state.seq;
  }

  /**
   * The digest of all control lines so far, 32 bytes: H("control", the one before ‖ number, 8 ‖ time, 8 ‖ the signer's
   * id, 32 ‖ text behind its length, 4).
   */
  get digest(): Bytes {
    return this.#state.digest;
  }

  /** The member of a full id. */
  member(id: string): SealedMember | undefined {
    const member = this.#state.members.get(shortId(id));
    return member?.id === id ? member : undefined;
  }

  /** Whether the person of a full id is a keeper. */
  isKeeper(id: string): boolean {
    return this.#state.keepers.includes(id);
  }

  /** The next count for a control line of the person of a full id. */
  nextCount(id: string): number {
    return (this.#state.counts.get(id) ?? 0) + 1;
  }

  /** Whether an invite lets somebody in at that time, ms since 1970. */
  isOpen(number: number, at: number): boolean {
    const invite = this.#state.invites.get(number);
    return invite !== undefined && isOpen(invite, at);
  }

  /** The invites that let somebody in at that time, ms since 1970. */
  openInvites(at: number): SealedInvite[] {
    return [...this.#state.invites.values()].filter((it) => isOpen(it, at));
  }

  /**
   * Whether a control line is signed by who must have: the person that it is said by, and a `join` by the invite too; and
   * whether the card in it is a proper one.
   */
  async isSigned(line: ControlLine, person: string): Promise<boolean> {
    const { control } = line;
    if (control.verb === "found" || control.verb === "join") {
      return await this.#isNewcomers(line, control, person);
    }
    const member = this.#state.members.get(person);
    const { room } = this.#state;
    if (!member || !room) return false;
    const { verifyKey } = readCard(fromBase64url(member.card));
    if (!await verifyControl(line, room, verifyKey)) return false;
    return control.verb !== "invite" ||
      await isProper(fromBase64url(control.card));
  }

  async #isNewcomers(
    line: ControlLine,
    control: Control<"found" | "join">,
    person: string,
  ): Promise<boolean> {
    const card = fromBase64url(control.card);
    const { id, verifyKey } = readCard(card);
    if (shortId(fullId(id)) !== person || !await isProper(card)) return false;
    if (control.verb === "found") {
      return await verifyControl(line, roomId(control.random, id), verifyKey);
    }
    const { room, invites } = this.#state;
    const invite = invites.get(control.invite);
    if (!room || !invite) return false;
    const inviteKey = readCard(fromBase64url(invite.card)).verifyKey;
    return await verifyControl(line, room, verifyKey, inviteKey);
  }

  /**
   * What it comes to with a control line that is to be said, whose signatures are taken as checked; or why that may not be
   * said.
   */
  next(line: ControlLine, place: ControlPlace): Membership | ControlRefusal {
    return this.#nameRefusal(line.control, place.person) ??
      this.after(line, place);
  }

  /** The same for one that was said: it counts whatever the name in it. */
  after(
    { control, text }: ControlLine,
    place: ControlPlace,
  ): Membership | ControlRefusal {
    if (place.seq <= this.#state.seq) return "control-wrong";
    const changed = this.#change(control, place, text);
    if (typeof changed === "string") return changed;
    const { id, ...change } = changed;
    if (control.count < this.nextCount(id)) return "control-wrong";
    const { counts, digest } = this.#state;
    return new Membership({
      ...this.#state,
      ...change,
      counts: new Map(counts).set(id, control.count),
      seq: place.seq,
      digest: labelledDigest(
        "control",
        digest,
        uint64(place.seq),
        uint64(place.at),
        fromBase64url(id),
        field(encoder.encode(text)),
      ),
    });
  }

  /** Why nobody may take the name in a control line. @param person The short id of who says it. */
  #nameRefusal(
    control: Control,
    person: string,
  ): ControlRefusal | undefined {
    if (!("name" in control)) return undefined;
    const folded = foldedName(control.name);
    if (folded === undefined) return "control-wrong";
    return this.#isFree(folded, person) ? undefined : "name-taken";
  }

  #isFree(folded: string, person: string): boolean {
    for (const member of this.#state.members.values()) {
      if (member.folded === folded) return member.short === person;
    }
    return true;
  }

  /** The member under a name, if it can have that; else under its short id. */
  #named(member: Omit<SealedMember, "name" | "folded">, name: string) {
    const { short } = member;
    const folded = foldedName(name);
    return folded !== undefined && this.#isFree(folded, short)
      ? { ...member, name, folded }
      : { ...member, name: short, folded: `*${short}` }; // which no name is
  }

  #change(
    control: Control,
    place: ControlPlace,
    text: string,
  ): Change | ControlRefusal {
    if (control.verb === "found") return this.#found(control, text, place);
    if (this.#state.room === undefined) return "control-wrong";
    if (control.verb === "join") return this.#join(control, place);
    const member = this.#state.members.get(place.person);
    if (!member) return "not-member";
    const { id, short } = member;
    if (control.verb === "rename") {
      const renamed = this.#named(member, control.name);
      return { id, members: new Map(this.#state.members).set(short, renamed) };
    }
    if (!this.isKeeper(id)) return "not-keeper";
    switch (control.verb) {
      case "invite":
        return this.#invite(control, id, place.at);
      case "close":
        return this.#close(control.invite, id);
      case "keys":
        return this.#keys(control, id, text, place);
    }
  }

  #found(
    { random, card, name, commit }: Found,
    text: string,
    { seq, person }: ControlPlace,
  ): Change | ControlRefusal {
    if (this.#state.room !== undefined) return "control-wrong";
    const { id: bytes } = readCard(fromBase64url(card));
    const id = fullId(bytes);
    const short = shortId(id);
    if (short !== person) return "control-wrong";
    const founder = this.#named({ id, short, card, invite: null }, name);
    return {
      id,
      room: roomId(random, bytes),
      members: new Map([[short, founder]]),
      keepers: [id],
      epochs: [{ commit, back: undefined }],
      keysAt: seq,
      lastKeys: keysDigest(text),
    };
  }

  #invite(
    { invite: number, card, uses, until }: Invite,
    by: string,
    at: number,
  ): Change | ControlRefusal {
    const { invites } = this.#state;
    const isRight = number > FOUNDING_ID && number <= MAX_INVITE &&
      uses >= 1 && !invites.has(number);
    if (!isRight) return "control-wrong";
    if (this.openInvites(at).length >= MAX_OPEN_INVITES) return "invites-full";
    const id = fullId(readCard(fromBase64url(card)).id);
    const made = { number, id, card, uses, used: 0, until, by };
    const open = { ...made, isClosed: false };
    return { id: by, invites: new Map(invites).set(number, open) };
  }

  #join(
    { invite: number, card, name }: Join,
    { at, person }: ControlPlace,
  ): Change | ControlRefusal {
    const { members, invites, barred } = this.#state;
    const id = fullId(readCard(fromBase64url(card)).id);
    const short = shortId(id);
    if (short !== person) return "control-wrong";
    if (barred.has(id)) return "person-barred";
    if (this.member(id)) return "member-already";
    if (members.has(short)) return "control-wrong"; // another one's
    const invite = invites.get(number);
    if (!invite || !isOpen(invite, at)) return "invite-used";
    const member = this.#named({ id, short, card, invite: number }, name);
    const used = { ...invite, used: invite.used + 1 };
    return {
      id,
      members: new Map(members).set(short, member),
      invites: new Map(invites).set(number, used),
    };
  }

  #close(
    number: number,
    id: string,
  ): Change | ControlRefusal {
    const { invites } = this.#state;
    const invite = invites.get(number);
    if (!invite || invite.isClosed) return "invite-used";
    return {
      id,
      invites: new Map(invites).set(number, { ...invite, isClosed: true }),
    };
  }

  #keys(
    { e, prev, commit, back, made, removed, barred, freed }: Keys,
    id: string,
    text: string,
    { seq, at }: ControlPlace,
  ): Change | ControlRefusal {
    const state = this.#state;
    if (e !== this.epoch + 1 || prev !== state.lastKeys) return "keys-late";
    if (removed.includes(id) || barred.includes(id)) return "control-wrong";
    const isJunior = (other: string) =>
      !this.isKeeper(other) ||
      state.keepers.indexOf(other) > state.keepers.indexOf(id);
    if (!removed.every((it) => this.member(it))) return "not-member";
    if (!removed.every(isJunior)) return "keeper-senior";
    const members = new Map(state.members);
    for (const gone of removed) members.delete(shortId(gone));
    const isIn = (it: string) => members.get(shortId(it))?.id === it;
    const isMade = made.every((it) => isIn(it) && !this.isKeeper(it));
    const isBarred = barred.every((it) => !isIn(it));
    const isFreed = freed.every((it) => state.barred.has(it));
    if (!isMade || !isBarred || !isFreed) return "not-member";
    const bars = new Set([...state.barred, ...barred]);
    for (const it of freed) bars.delete(it);
    const invites = [...state.invites].map(([number, invite]) => {
      const isClosed = removed.length > 0 || !isOpen(invite, at);
      return [number, isClosed ? { ...invite, isClosed } : invite] as const;
    });
    return {
      id,
      members,
      keepers: [...state.keepers.filter(isIn), ...made],
      invites: new Map(invites),
      barred: bars,
      epochs: [...state.epochs, { commit, back }],
      keysAt: seq,
      lastKeys: keysDigest(text),
    };
  }
}

/** A name, folded; undefined unless it is a proper one, written as people see it. */
function foldedName(name: string): string | undefined {
  const parsed = parseName(name);
  return typeof parsed !== "string" && parsed.shown === name
    ? parsed.folded
    : undefined;
}

function isOpen(
  { uses, used, until, isClosed }: SealedInvite,
  at: number,
): boolean {
  return !isClosed && used < uses && (until === null || at <= until);
}

/** Whether a card is signed by its owner, and can be sealed to: else nobody could make another key for all. */
async function isProper(card: Bytes): Promise<boolean> {
  if (!isXwingKey(readCard(card).sealKey)) return false;
  try {
    await checkCard(card);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * What it comes to with the control line of a text, signatures and all.
 * @returns Undefined for a line that may not be said: it changes nothing.
 */
export async function follow(
  membership: Membership,
  line: ControlLine | undefined,
  place: ControlPlace,
): Promise<Membership | undefined> {
  if (!line || !await membership.isSigned(line, place.person)) return undefined;
  const next = membership.after(line, place);
  return typeof next === "string" ? undefined : next;
}
