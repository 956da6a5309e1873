/**
 * All control lines of a sealed room that a client has checked, and what they come to.
 *
 *     follow: checked, signatures and all ──┐
 *     adopt: checked in an earlier run ─────┴──▶ membership, terms
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../crypto_utils.ts";
import type { LogEntry } from "../protocol/line.ts";
import {
  type Control,
  type ControlLine,
  parseControl,
} from "./control_line.ts";
import { follow, Membership } from "./membership.ts";
import { MemberTerms } from "./member_terms.ts";

/** A control line, and where it stands. */
export type ControlEntry = Pick<LogEntry, "seq" | "at" | "person" | "text">;

/** A control line that was followed, with what it came to before and after. */
export interface Followed {
  /** What it says. */
  readonly control: Control;
  /** Where it stands. */
  readonly entry: ControlEntry;
  /** What it came to before it. */
  readonly before: Membership;
  /** What it comes to with it. */
  readonly after: Membership;
}

/** One that was followed, as it is kept. */
interface Kept {
  readonly entry: ControlEntry;
  /** The digest of all up to it, 32 bytes. */
  readonly digest: Bytes;
}

/** The control lines so far. */
export class ControlRecord {
  /** Who was a member when. */
  readonly terms: MemberTerms = new MemberTerms();
  readonly #kept = new Map<number, Kept>(); // by number
  readonly #inviters = new Map<number, string>(); // full ids, by the numbers of their invites
  #membership = Membership.NONE;

  /** What they come to. */
  get membership(): Membership {
    return this.#membership;
  }

  /** All of them, in order. */
  get entries(): ControlEntry[] {
    return [...this.#kept.values()].map(({ entry }) => entry);
  }

  /**
   * Whether an invite has ended, by that time (ms since 1970), that was given the present content key: it could be
   * opened by who finds the link, and has what the server keeps.
   */
  hasEndedHolder(at: number): boolean {
    const { invites } = this.membership; // those that had ended before are dropped with each change of the key
    return [...invites.keys()].some((it) => !this.membership.isOpen(it, at));
  }

  /** The control line of that number. */
  find(seq: number): ControlEntry | undefined {
    return this.#kept.get(seq)?.entry;
  }

  /** The digest of all up to the one of that number, 32 bytes; undefined where none has that number. */
  digestAt(seq: number): Bytes | undefined {
    return this.#kept.get(seq)?.digest;
  }

  /** The full id of the keeper who made an invite. */
  inviterOf(invite: number): string | undefined {
    return this.#inviters.get(invite);
  }

  /** Takes the next line. @returns Undefined for one that may not be said: nothing is changed. */
  async follow(entry: ControlEntry): Promise<Followed | undefined> {
    const line = parseControl(entry.text);
    const after = await follow(this.#membership, line, entry);
    return line && after && this.#take(line, entry, after);
  }

  /**
   * Takes the next line, which was checked in an earlier run.
   * @param digest What the digest of all was then, base64url. @returns Whether it fits.
   */
  adopt(entry: ControlEntry, digest: string): boolean {
    const line = parseControl(entry.text);
    const after = line && this.#membership.after(line, entry);
    if (!line || !after || typeof after === "string") return false;
    if (toBase64url(after.digest) !== digest) return false;
    this.#take(line, entry, after);
    return true;
  }

  #take(
    { control }: ControlLine,
    entry: ControlEntry,
    after: Membership,
  ): Followed {
    const before = this.#membership;
    this.#membership = after;
    const { seq, person } = entry;
    this.#kept.set(seq, { entry, digest: after.digest });
    this.terms.note(control, seq, person, after);
    if (control.verb === "invite") {
      const by = after.members.get(person)?.id;
      if (by !== undefined) this.#inviters.set(control.invite, by);
    }
    return { control, entry, before, after };
  }
}
