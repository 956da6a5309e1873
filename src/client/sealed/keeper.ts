/**
 * What keepers of a sealed room do: invite, remove, name other keepers, and see to it that all have the content key.
 * The server only orders and keeps what comes of it.
 *
 * @module
 */

import { clientCommand } from "../../base/program.ts";
import { escapeText, quote } from "../../base/safe_text.ts";
import { shortId, spokenId } from "../../crypto/person_id.ts";
import type { Event } from "../../protocol/events.ts";
import { MAX_DAYS, MAX_NOTE } from "../../protocol/reasons.ts";
import { MAX_USES } from "../../sealed/rules.ts";
import type { WishAnswer } from "../link.ts";
import { byNameOrId, type Person } from "../person.ts";
import { type InviteMaker, makeInvite } from "./invites.ts";
import { type Change, NO_CHANGE, rekey, wrapFor } from "./rekeying.ts";
import type { SealedRoom } from "./sealed_room.ts";

/** How long after a change of the key that nobody asked for the next one may come, ms. */
const REKEY_PAUSE = 86_400_000;
/** How often somebody is given the same key over one connection: a wrap may be replaced by a false one. */
const MAX_GIFTS = 4;

/** What a keeper's client needs. */
export interface KeeperOptions extends InviteMaker {
  /** Where this client found the server, `HOST:PORT`. */
  readonly address: string;
}

/** A keeper, or one who may become one. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #room: SealedRoom;
  readonly #lacking = new Set<string>(); // to whom the key is to be given, by full ids
  readonly #gave = new Map<string, number>(); // how often it was, in the present epoch
  #gaveIn = -1; // that
  #isGiving = false;
  #isLooking = false;

  /** Does nothing by itself. */
  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#room = options.room;
  }

  /** Does what was asked for by `operate`. @returns The answers; undefined where the connection ended. */
  async operate(event: Event<"operate">): Promise<WishAnswer[] | undefined> {
    const { what, who, text, count } = event;
    if (what === "invites" || what === "bans") return this.#list(what);
    if (what === "topic") {
      return [refused("topic-sealed")];
    }
    if (!this.#room.isKeeper) return [refused("not-keeper")];
    switch (what) {
      case "invite":
        return await this.#invite(text, count, Number(who));
      case "revoke":
        return await this.#revoke(Number(who));
      case "kick":
        return await this.#remove(who, false);
      case "ban":
        if (count > 0) {
          return [
            notice(
              "A ban from a sealed room has no end: leave the days out. /unban ends it",
            ),
          ];
        }
        return await this.#remove(who, true);
      case "unban":
        return await this.#unban(who);
      case "op":
      case "keeper":
        return await this.#promote(who);
      default:
        return await this.#stepDown(who);
    }
  }

  // ── Invites ──────────────────────────────────────────────────────────────────────────────────────────

  async #invite(
    note: string,
    uses: number,
    days: number,
  ): Promise<WishAnswer[] | undefined> {
    const isRight = Number.isSafeInteger(days) && days >= 0 &&
      days <= MAX_DAYS && uses >= 1 && uses <= MAX_USES &&
      note.length <= MAX_NOTE;
    if (!isRight) return [refused("operation-wrong")];
    const made = await makeInvite(this.#options, { uses, days, note });
    if (typeof made === "string") return refusal(made);
    const { address } = this.#options;
    return [{ kind: "invited", address, ...made }];
  }

  async #revoke(invite: number): Promise<WishAnswer[] | undefined> {
    const { rules } = this.#options;
    const reason = await rules.say({ verb: "close", invite });
    if (reason !== undefined) return refusal(reason);
    return [notice(`Invite ${invite} is closed`)];
  }

  #list(what: "invites" | "bans"): WishAnswer[] {
    const { membership, file } = this.#room;
    if (what === "bans") {
      const banned = [...membership.barred].map((id) =>
        notice(`${this.#nameOf(id)} (${spokenId(shortId(id))})`)
      );
      return banned.length > 0 ? banned : [notice("Nobody is banned")];
    }
    const invites = membership.openInvites(Date.now()).map(
      ({ number, uses, used, until, by }) => {
        const note = file.noteOf(number) ?? "";
        const about = note === "" ? "" : ` (${escapeText(note)})`;
        const left = uses - used;
        const end = until === null
          ? ""
          : `, until ${new Date(until).toISOString().slice(0, 16)}Z`;
        const lets = `lets in ${left} ${left === 1 ? "person" : "persons"}`;
        return notice(
          `${number}${about}: ${lets}${end}, by ${this.#nameOf(by)}`,
        );
      },
    );
    return invites.length > 0 ? invites : [notice("No invite is open")];
  }

  // ── Persons ──────────────────────────────────────────────────────────────────────────────────────────

  async #remove(
    who: string,
    isBan: boolean,
  ): Promise<WishAnswer[] | undefined> {
    const { membership } = this.#room;
    const person = this.#find(who) ?? (isBan ? this.#findFormer(who) : null);
    if (!person) return [refused("nobody-known")];
    if (person.id === this.#room.self.id) return [refused("operation-self")];
    const isMember = membership.member(person.id) !== undefined;
    const change: Change = {
      ...NO_CHANGE,
      removed: isMember ? [person.id] : [],
      barred: isBan && !membership.barred.has(person.id) ? [person.id] : [],
    };
    return await this.#change(change, () => {
      const { epochStart } = this.#room.membership;
      const name = escapeText(person.name);
      return isMember
        ? `${name} reads nothing from line ${
          epochStart + 1
        } on. All open invites have ended: /invite makes new ones`
        : `${name} can't be invited again`;
    });
  }

  async #unban(who: string): Promise<WishAnswer[] | undefined> {
    const person = this.#findFormer(who);
    if (!person || !this.#room.membership.barred.has(person.id)) {
      return [refused("nobody-known")];
    }
    const name = escapeText(person.name);
    return await this.#change(
      { ...NO_CHANGE, freed: [person.id] },
      () => `${name} may be invited again: /invite makes a link`,
    );
  }

  async #promote(who: string): Promise<WishAnswer[] | undefined> {
    const person = this.#find(who);
    if (!person) return [refused("nobody-known")];
    const name = escapeText(person.name);
    if (this.#room.membership.isKeeper(person.id)) {
      return [notice(`${name} is a keeper already`)];
    }
    return await this.#change(
      { ...NO_CHANGE, made: [person.id] },
      () => `${name} is a keeper now, and may do all that you may`,
    );
  }

  /** A keeper can give that up with its place in the room alone, while there is another. */
  async #stepDown(who: string): Promise<WishAnswer[] | undefined> {
    const { membership, self } = this.#room;
    if (this.#find(who)?.id !== self.id) {
      return [
        notice(
          "A keeper stays one until it is removed: who was a keeper before it can do that, by /kick",
        ),
      ];
    }
    if (membership.keepers.length === 1) {
      return [
        notice(
          "You are the only keeper: make somebody else one first, by /keeper NAME",
        ),
      ];
    }
    const done = "You are no keeper any more, and no member";
    const change = { ...NO_CHANGE, removed: [self.id] };
    const answers = await this.#change(change, () => done);
    return this.#room.own ? answers : [notice(done)]; // which ends the connection
  }

  async #change(
    change: Change,
    words: () => string,
  ): Promise<WishAnswer[] | undefined> {
    const reason = await rekey(this.#options, change);
    return reason === undefined ? [notice(words())] : refusal(reason);
  }

  /** A member, whether it is there or not. */
  #find(nameOrId: string): Person | undefined {
    const members = [...this.#room.membership.members.values()];
    return byNameOrId(members.map(asPerson), nameOrId);
  }

  /** Somebody who was a member. */
  #findFormer(nameOrId: string): Person | undefined {
    return byNameOrId(
      this.#room.record.terms.everybody.map(asPerson),
      nameOrId,
    );
  }

  #nameOf(id: string): string {
    const all = this.#room.record.terms.everybody;
    const member = all.find((it) => it.id === id);
    return member ? escapeText(member.name) : spokenId(shortId(id));
  }

  // ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Somebody lacks the key, as the server says: it can say so as often as it likes, and a wrap costs.
   * @returns Whether `give` is to be called.
   */
  lacks(who: string): boolean {
    const { membership, isKeeper } = this.#room;
    if (!isKeeper || !membership.member(who)) return false;
    const { epoch } = membership;
    if (epoch !== this.#gaveIn) this.#gave.clear();
    this.#gaveIn = epoch;
    if (!this.#mayGive(who)) return false;
    this.#lacking.add(who);
    return !this.#isGiving;
  }

  #mayGive(who: string): boolean {
    return (this.#gave.get(who) ?? 0) < MAX_GIFTS;
  }

  /** Gives the key to all who lack it, if they are members as far as this client knows. */
  async give(): Promise<void> {
    if (this.#isGiving) return;
    this.#isGiving = true;
    try {
      while (this.#lacking.size > 0) {
        const lacking = [...this.#lacking];
        this.#lacking.clear();
        await this.#giveTo(lacking);
      }
    } finally {
      this.#isGiving = false;
    }
  }

  async #giveTo(ids: readonly string[]): Promise<void> {
    const { membership, keys, isKeeper } = this.#room;
    const { epoch } = membership;
    const key = await keys.get(epoch, membership);
    if (!isKeeper || !key) return;
    const members = ids.filter((id) => this.#mayGive(id))
      .flatMap((id) => membership.member(id) ?? []);
    for (const { id } of members) {
      this.#gave.set(id, (this.#gave.get(id) ?? 0) + 1);
    }
    await wrapFor(this.#options, members, epoch, key);
  }

  /**
   * Does what is due: ends invites whose time is over by this client's clock, whatever the server's says, and changes the
   * key where somebody may have it who should not, or nobody has it.
   * @param isLate Whether a key that has not come should have by now.
   */
  async look(isLate: boolean): Promise<void> {
    if (!this.#room.isKeeper || this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#closeEnded();
      await this.#rekeyIfDue(isLate);
    } finally {
      this.#isLooking = false;
    }
  }

  async #closeEnded(): Promise<void> {
    const { membership } = this.#room;
    for (const it of membership.invites.values()) {
      const { number, used, uses, until, isClosed } = it;
      const isOver = until !== null && until < Date.now();
      if (!isOver || isClosed || used >= uses) continue;
      await this.#options.rules.say({ verb: "close", invite: number });
    }
  }

  /** At most once a day: because of a link that was used up, or has ended, as who finds it could still open the key. */
  async #rekeyIfDue(isLate: boolean): Promise<void> {
    const { file, record } = this.#room;
    const isDue = () => record.hasEndedHolder(Date.now());
    const isMissing = isLate &&
      this.#room.keys.highest < this.#room.membership.epoch;
    if (!isDue() && !isMissing) return;
    const since = Date.now() - file.rekeyedAt;
    if (since >= 0 && since < REKEY_PAUSE) return;
    file.rekeyed(Date.now());
    await rekey(this.#options, NO_CHANGE, isDue);
  }

  /** What the only keeper must know; undefined for anybody else. @param copying See `View.copying`. */
  lastKeeperAdvice(copying?: string): string | undefined {
    const { membership, isKeeper, own } = this.#room;
    if (!isKeeper || membership.keepers.length > 1 || !own) return undefined;
    return `You are the only keeper of this room. If your identity is lost, the others go on and open links work, but nobody can be invited or removed any more. /keeper NAME makes somebody else one, too; ${
      copying ??
        `${clientCommand()} --export --name ${
          quote(own.name).slice(1, -1)
        } copies your identity`
    }`;
  }
}

function asPerson(
  { id, short, name }: {
    readonly id: string;
    readonly short: string;
    readonly name: string;
  },
): Person {
  return { id, person: short, name };
}

/** A sentence in answer to what was asked for. */
export function notice(text: string): WishAnswer {
  return { kind: "notice", text };
}

function refused(reason: string): WishAnswer {
  return { kind: "refused", n: null, reason, detail: "" };
}

function refusal(reason: string): WishAnswer[] | undefined {
  if (reason === "lost") return undefined;
  return [
    reason === "key-missing"
      ? notice("Not done: the room's key has not come to you yet")
      : refused(reason),
  ];
}
