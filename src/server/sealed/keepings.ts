/**
 * What a sealed room's server keeps for clients without being able to read it: each recipient's newest content key, and
 * what it needs to know of invites.
 *
 * @module
 */

import type { Membership } from "../../sealed/membership.ts";
import type { Admission, Kept, Wrap } from "./control_file.ts";

/** What is kept. */
export class Keepings {
  readonly #wraps = new Map<string, Wrap>(); // by recipient
  readonly #admissions = new Map<number, Admission>(); // by the invite's number

  /** How many things that is. */
  get size(): number {
    return this.#wraps.size + this.#admissions.size;
  }

  /** All of it. */
  get all(): Kept[] {
    const wraps = [...this.#wraps.values()];
    const admissions = [...this.#admissions.values()];
    return [
      ...wraps.map((wrap): Kept => ({ kind: "wrap", wrap })),
      ...admissions.map((it): Kept => ({ kind: "admission", admission: it })),
    ];
  }

  /** The newest content key for a person or an invite, by its full id. */
  wrapFor(id: string): Wrap | undefined {
    return this.#wraps.get(id);
  }

  /** What is known of an invite, by its number. */
  admission(number: number): Admission | undefined {
    return this.#admissions.get(number);
  }

  /** Forgets all. */
  clear(): void {
    this.#wraps.clear();
    this.#admissions.clear();
  }

  /** Keeps a content key, or what is to be known of an invite; else does nothing. */
  add(it: Kept): void {
    if (it.kind === "wrap") this.#wraps.set(it.wrap.to, it.wrap);
    if (it.kind === "admission") {
      this.#admissions.set(it.admission.invite, it.admission);
    }
  }

  /**
   * Forgets what nobody needs any more.
   * @param at By when invites have ended, ms since 1970. @returns Whether a content key was among it.
   */
  forget(membership: Membership, at: number): boolean {
    const isRecipient = recipientsOf(membership, at);
    const gone = [...this.#wraps.keys()].filter((to) => !isRecipient(to));
    for (const to of gone) this.#wraps.delete(to);
    for (const number of this.#admissions.keys()) {
      if (!membership.isOpen(number, at)) this.#admissions.delete(number);
    }
    return gone.length > 0;
  }
}

/** Says who is to have the content key, by full ids: members, and open invites. */
export function recipientsOf(
  membership: Membership,
  at: number,
): (id: string) => boolean {
  const invites = new Set(membership.openInvites(at).map(({ id }) => id));
  return (id) => invites.has(id) || membership.member(id) !== undefined;
}

/** Keepers give everybody the key, others themselves alone. */
export function mayGive(membership: Membership, { by, to }: Wrap): boolean {
  return by === to || membership.isKeeper(by);
}
