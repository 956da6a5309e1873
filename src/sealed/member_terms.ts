/**
 * Who was a member of a sealed room at which line, under which name, and which epoch counted there: what must be known
 * to check a line, be it of now or of long ago.
 *
 * @module
 */

import { fromBase64url } from "../../crypto_utils.ts";
import { importVerifyKey } from "../crypto/ed25519.ts";
import { readCard } from "../crypto/identity.ts";
import { shortId } from "../crypto/person_id.ts";
import type { LogEntry } from "../protocol/line.ts";
import type { Control } from "./control_line.ts";
import type { Membership, SealedMember } from "./membership.ts";

/** Somebody as a member, for as long as it goes by one name. */
export interface Term {
  /** Who. */
  readonly member: SealedMember;
  /** The number of the control line with which it begins; it counts for the lines after that. */
  readonly from: number;
  /** The number of the last line for which it counts. */
  to: number;
}

/** Who was a member when. */
export class MemberTerms {
  readonly #terms = new Map<string, Term[]>(); // by short id, in order
  readonly #epochStarts: number[] = []; // numbers of the `found` and `keys` lines
  readonly #verifyKeys = new Map<string, Promise<CryptoKey>>(); // by full id

  /** Notes what a control line has changed. @param seq Its number. @param after What it comes to with that line. */
  note(control: Control, seq: number, person: string, after: Membership): void {
    switch (control.verb) {
      case "found":
        this.#epochStarts.push(seq);
        return this.#begin(person, seq, after);
      case "join":
      case "rename":
        return this.#begin(person, seq, after);
      case "keys":
        this.#epochStarts.push(seq);
        for (const id of control.removed) this.#end(shortId(id), seq);
    }
  }

  #begin(person: string, seq: number, after: Membership): void {
    this.#end(person, seq);
    const member = after.members.get(person);
    if (!member) return;
    const terms = this.#terms.get(person) ?? [];
    terms.push({ member, from: seq, to: Infinity });
    this.#terms.set(person, terms);
  }

  #end(person: string, seq: number): void {
    const last = this.#terms.get(person)?.at(-1);
    if (last) last.to = Math.min(last.to, seq);
  }

  /** Who a person was at a line, by its short id; undefined for one who was no member there. */
  at(person: string, seq: number): SealedMember | undefined {
    return this.#terms.get(person)?.findLast(({ from, to }) =>
      from < seq && seq <= to
    )?.member;
  }

  /** Who a person was before a line, when it was a member last; undefined for one who was none. */
  before(person: string, seq: number): SealedMember | undefined {
    return this.#terms.get(person)?.findLast(({ from }) => from < seq)?.member;
  }

  /** Whether a person went by a name before a line. */
  wasNamed(person: string, name: string, seq: number): boolean {
    const terms = this.#terms.get(person) ?? [];
    return terms.some(({ member, from }) => from < seq && member.name === name);
  }

  /** Whether who comes, goes or has another name is a member there, under the name that is told. */
  fitsPresence({ what, person, seq, name, text }: LogEntry): boolean {
    switch (what) {
      case "joined":
        return this.at(person, seq)?.name === name;
      case "left": // perhaps because it was removed
        return this.before(person, seq) !== undefined;
      case "renamed":
        return this.at(person, seq)?.name === text &&
          this.wasNamed(person, name, seq);
      default:
        return false;
    }
  }

  /** All who ever were members, as they were last. */
  get everybody(): SealedMember[] {
    return [...this.#terms.values()].flatMap((terms) =>
      terms.slice(-1).map(({ member }) => member)
    );
  }

  /** The number of the epoch that counts for a line; -1 for one before the room was founded. */
  epochAt(seq: number): number {
    // Nearly always the last.
    return this.#epochStarts.findLastIndex((start) => start < seq);
  }

  /** The number of the line with which an epoch began; undefined for one that hasn't. */
  epochStart(e: number): number | undefined {
    return this.#epochStarts[e];
  }

  /** With what a member's signatures are checked. */
  verifyKey({ id, card }: SealedMember): Promise<CryptoKey> {
    const known = this.#verifyKeys.get(id);
    if (known) return known;
    const { verifyKey } = readCard(fromBase64url(card));
    const key = importVerifyKey(verifyKey);
    this.#verifyKeys.set(id, key);
    return key;
  }
}
