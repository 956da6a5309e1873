/**
 * What opens the room to some: invites, of which each lets in a number of persons until it ends, and spoken codes,
 * which are invites that can be guessed at.
 *
 *     made ── used by as many as it lets in, past its time, revoked, three wrong guesses ──▶ open to nobody
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { admissionKey, ROOM_INVITE_ID } from "../../keys/invite.ts";
import { parseCode, passwordOf } from "../../keys/spoken_code.ts";
import type { OpenCode } from "../../protocol/handshake.ts";
import { MEMBER_ID } from "../../protocol/hello.ts";
import { type Reversible, UNCHANGED } from "./reversible.ts";
import type { Happening, HappeningOf } from "./happening.ts";
import { term } from "./person.ts";

/** The most persons that an invite lets in. */
export const MAX_USES = 10_000;
/** Wrong guesses that a spoken code bears. */
const MAX_GUESSES = 3;
/** What tells wrong guesses at one code apart, bytes. */
const GUESS_SIZE = 6;

/** What opens the room to those who hold its secret. */
export interface StoredInvite {
  /** 31 bits. */
  readonly id: number;
  /** What it proves in a handshake, 32 bytes. */
  readonly key: Bytes;
  /** How many persons it lets in. */
  readonly uses: number;
  /** When it ends, ms since 1970; null: never. */
  readonly until: number | null;
  /** For whom it is. */
  readonly note: string;
  /** The full id of who made it; empty: the server's owner. */
  readonly by: string;
  /** When it was made, ms since 1970. */
  readonly at: number;
  /** A spoken code, `7-crossover-clockwork`; empty: it is a link. */
  readonly code: string;
  /** Full ids of those who came by it. */
  readonly used: Set<string>;
  /** Whether it was closed. */
  isRevoked: boolean;
  /** Guesses at its code that are under way here. */
  guesses: number;
  /** Those that were wrong, at any server. */
  readonly wrong: Set<string>;
}

/** An invite that is to be made. */
export type NewInvite = Pick<StoredInvite, "uses" | "until" | "note" | "by">;

/** The invites. The standing link is none of them. */
export class Invites {
  readonly #byId = new Map<number, StoredInvite>();
  readonly #now: () => number;

  /** None so far. @param now The room's time, ms since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Forgets all. */
  clear(): void {
    this.#byId.clear();
  }

  /** How many lines of the file they take. */
  get lines(): number {
    let lines = this.#byId.size;
    for (const { used, wrong } of this.#byId.values()) {
      lines += used.size + wrong.size;
    }
    return lines;
  }

  /** The invite of an id, open or not. */
  find(id: number): StoredInvite | undefined {
    return this.#byId.get(id);
  }

  /** All that are open, the oldest first. */
  get open(): StoredInvite[] {
    return [...this.#byId.values()].filter((it) => this.#isOpen(it))
      .sort((a, b) => a.at - b.at || a.id - b.id); // not as this server heard of them
  }

  /** Whether an invite lets anybody in. */
  isOpen(id: number): boolean {
    const invite = this.#byId.get(id);
    return invite !== undefined && this.#isOpen(invite);
  }

  /**
   * The spoken code of that number, undefined where there is none that is open.
   * @param wrong Is told of each wrong guess, and is to have it applied.
   */
  code(
    number: number,
    wrong: (guess: HappeningOf<"guessed">) => void,
  ): OpenCode | undefined {
    for (const invite of this.open) {
      if (invite.code === "") continue;
      const code = parseCode(invite.code);
      if (code.number !== number) continue;
      return {
        inviteId: invite.id,
        password: passwordOf(code),
        guess: () => this.#guess(invite),
        guessed: (wasRight) => {
          invite.guesses--;
          if (wasRight) return;
          const guess = toBase64url(randomBytes(GUESS_SIZE));
          wrong({ kind: "guessed", invite: invite.id, guess });
        },
      };
    }
    return undefined;
  }

  /** A person comes in by an invite, or by the standing link or its own key, which are never used up. */
  use(id: number, person: string): Reversible {
    if (id === ROOM_INVITE_ID || id === MEMBER_ID) return UNCHANGED;
    const { used } = this.#byId.get(id) ?? {};
    used?.add(person);
    return {
      happenings: [{ kind: "used", invite: id, person }],
      undo: () => void used?.delete(person),
    };
  }

  /** Takes over what happened to an invite. One that is there already is not made again. */
  apply(
    happening: HappeningOf<"invite" | "used" | "guessed" | "revoked">,
  ): void {
    if (happening.kind === "invite") {
      const { kind: _kind, key, ...invite } = happening;
      if (this.#byId.has(invite.id)) return;
      this.#byId.set(invite.id, {
        ...invite,
        key: fromBase64url(key),
        used: new Set(),
        isRevoked: false,
        guesses: 0,
        wrong: new Set(),
      });
      return;
    }
    const invite = this.#byId.get(happening.invite);
    if (!invite) return;
    if (happening.kind === "used") invite.used.add(happening.person);
    else if (happening.kind === "guessed") invite.wrong.add(happening.guess);
    else invite.isRevoked = true;
  }

  #isOpen({ isRevoked, until, used, uses, wrong }: StoredInvite): boolean {
    if (isRevoked || wrong.size >= MAX_GUESSES) return false;
    return (until === null || until > this.#now()) && used.size < uses;
  }

  /** Counts each guess before it is looked at: of many at once, no more than three are. */
  #guess(invite: StoredInvite): boolean {
    const { guesses, wrong } = invite;
    if (!this.#isOpen(invite) || guesses + wrong.size >= MAX_GUESSES) {
      return false;
    }
    invite.guesses++;
    return true;
  }

  /** All that counts, in as few lines as it takes. */
  *summary(): Generator<Happening> {
    for (const stored of this.#byId.values()) {
      const { used, wrong, isRevoked, key, ...rest } = stored;
      const { id, uses, until, note, by, at, code } = rest;
      const invite = { id, uses, until, note, by, code, at };
      yield { kind: "invite", ...invite, key: toBase64url(key) };
      for (const person of used) yield { kind: "used", invite: id, person };
      for (const guess of wrong) yield { kind: "guessed", invite: id, guess };
      if (isRevoked) yield { kind: "revoked", invite: id };
    }
  }
}

/**
 * An invite as the file has it.
 * @param secret 32 bytes. @param isTaken Whether there is an invite of an id already. @param at When, ms since 1970.
 */
export function newInvite(
  { uses, until, note, by }: NewInvite,
  secret: Bytes,
  isTaken: (id: number) => boolean,
  at: number,
  code = "",
): HappeningOf<"invite"> {
  let id = ROOM_INVITE_ID;
  while (id === ROOM_INVITE_ID || isTaken(id)) {
    id = new DataView(randomBytes(4).buffer).getUint32(0) >>> 1; // the upper half stands for other things
  }
  const key = toBase64url(admissionKey(secret));
  return { kind: "invite", id, key, uses, until, note, by, code, at };
}

/** An invite that is open, in a line. */
export function describeInvite(
  { id, uses, used, until, note, code }: StoredInvite,
): string {
  const left = uses - used.size;
  const what = code === ""
    ? `Invite ${id}`
    : `Spoken code ${code}, invite ${id}`;
  const about = note === "" ? "" : ` (${note})`;
  return `${what}${about}: ${left} of ${uses} left, ${term(until)}`;
}
