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
  toBase64url,
  uint64,
} from "../../crypto_utils.ts";
import { checkCard, readCard } from "../crypto/identity.ts";
import { fullId, shortId } from "../crypto/person_id.ts";
import { isXwingKey } from "../crypto/xwing.ts";
import type { KeyEpoch } from "./content_key.ts";
import {
  type Control,
  type ControlLine,
  roomId,
  verifyControl,
} from "./control_line.ts";
import {
  changeOf,
  type ControlPlace,
  type ControlRefusal,
  isOpen,
  memberOf,
  nameRefusal,
  openInvites,
  type SealedInvite,
  type SealedMember,
  type State,
  UNFOUNDED,
} from "./rules.ts";

export {
  type ControlPlace,
  type ControlRefusal,
  FOUNDING_ID,
  isSealedInvite,
  MAX_OPEN_INVITES,
  SEALED_INVITE,
  type SealedInvite,
  type SealedMember,
} from "./rules.ts";

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
    return memberOf(this.#state, id);
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
    return openInvites(this.#state, at);
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
    return nameRefusal(this.#state, line.control, place.person) ??
      this.after(line, place);
  }

  /** The same for one that was said: it counts whatever the name in it. */
  after(
    { control, text }: ControlLine,
    place: ControlPlace,
  ): Membership | ControlRefusal {
    if (place.seq <= this.#state.seq) return "control-wrong";
    const changed = changeOf(this.#state, control, place, text);
    if (typeof changed === "string") return changed;
    const { id, ...change } = changed;
    if (control.count < this.nextCount(id)) return "control-wrong";
    const { counts, digests, digest: before } = this.#state;
    const { seq, at } = place;
    const digest = labelledDigest(
      "control",
      before,
      uint64(seq),
      uint64(at),
      fromBase64url(id),
      field(text),
    );
    const begins = control.verb === "found" || control.verb === "keys";
    return new Membership({
      ...this.#state,
      ...change,
      counts: new Map(counts).set(id, control.count),
      seq,
      digest,
      digests: {
        seq,
        digest: toBase64url(digest),
        before: begins ? undefined : digests,
      },
    });
  }
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
