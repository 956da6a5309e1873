/**
 * What a client of a sealed room tells its user of what doesn't fit, beside lines.
 *
 * @module
 */

import { shortId } from "../../crypto/person_id.ts";
import type { HeardLine } from "../../protocol/changes.ts";
import type { Event } from "../../protocol/events.ts";
import type { Warning, WarningReason } from "../../sealed/warnings.ts";
import type { Person, Somebody } from "../person.ts";
import type { View } from "../view.ts";
import type { SealedRoom } from "./sealed_room.ts";

const HOUR = 3_600_000;

/** Tells what doesn't fit. */
export class Doubts {
  readonly #room: SealedRoom;
  readonly #view: View;
  #hasToldUnchecked = false;

  /** Tells nothing by itself. */
  constructor(room: SealedRoom, view: View) {
    this.#room = room;
    this.#view = view;
  }

  /** Something doesn't fit. */
  warn(warning: Warning): void {
    this.#view.show({ type: "warning", ...warning });
  }

  #warnOf({ name, person }: Somebody, reason: WarningReason): void {
    this.warn({ line: null, name, person, reason });
  }

  /** What came as the room's key from somebody is not. */
  key({ by }: Event<"wrapped">): void {
    const person = shortId(by);
    const name = this.#room.membership.member(by)?.name ?? person;
    this.#warnOf({ name, person }, "key-wrong");
  }

  /** Keys that have come and don't lead back. */
  async backs(): Promise<void> {
    for (const it of await this.#room.brokenBacks()) this.warn(it);
  }

  /** Somebody is no member, or not by that name, and shown nowhere. */
  stranger(somebody: Somebody): void {
    this.#warnOf(somebody, "presence-wrong");
  }

  /** Those of them who are no members. */
  strangers(present: readonly Person[]): void {
    for (const it of present) {
      const member = this.#room.membership.member(it.id);
      if (member?.name !== it.name) this.stranger(it);
    }
  }

  /** The server's clock, where it is more than an hour off. @param at Its time, ms since 1970. */
  clock(at: number): void {
    const off = at - Date.now();
    const hours = Math.round(Math.abs(off) / HOUR);
    if (Math.abs(off) <= HOUR) return;
    this.#view.note(
      `The server's clock is ${hours === 1 ? "an hour" : `${hours} hours`} ${
        off > 0 ? "ahead of" : "behind"
      } yours. Invites end by its clock: set the one that is wrong`,
    );
  }

  /** Says once what the mark of an unchecked line means. */
  unchecked({ unchecked }: HeardLine): void {
    if (!unchecked || this.#hasToldUnchecked) return;
    this.#hasToldUnchecked = true;
    this.#view.note(
      "A line marked ⚠ can't be checked: its sender had last seen a line that this client doesn't know, or it changes such a line, which may be somebody else's. /agree compares",
    );
  }
}
