/**
 * Who took part in the conversation lately, so that the comings and goings of others needn't be shown.
 *
 * @module
 */

import type { RoomNews } from "./view.ts";
import { keepNewest } from "../base/keep_newest.ts";
import { isSpoken } from "../protocol/line.ts";
import { isGoodbye } from "../protocol/reasons.ts";

/** How long after they last spoke people still take part, ms. */
const LATELY = 600_000;
/** Or how many lines of others later. */
const LATELY_LINES = 50;
/** In a room of this many people or fewer, everybody's comings and goings are worth a line. */
const FEW = 5;
/** How many persons are remembered. */
const MAX_PERSONS = 1_000;

/** What a person has set: which comings and goings are shown. */
export interface ActivitySettings {
  /** `off`, `active`: of those who spoke lately, or `on`: all. */
  get(key: "joins"): string;
}

/** Remembers who spoke when. */
export class Activity {
  readonly #settings: ActivitySettings;
  readonly #last = new Map<string, { at: number; line: number }>(); // by the person's short id, the latest last
  readonly #members: () => number;
  #lines = 0;

  /** Nobody has spoken. @param members How many are in the room. Default: many. */
  constructor(
    settings: ActivitySettings,
    members: () => number = () => Infinity,
  ) {
    this.#settings = settings;
    this.#members = members;
  }

  /** Remembers who spoke, if a line is something that was said. */
  note({ type, person, at }: RoomNews): void {
    if (!isSpoken(type)) return;
    this.#last.delete(person);
    this.#last.set(person, { at, line: ++this.#lines });
    keepNewest(this.#last, MAX_PERSONS);
  }

  /** Whether a line is to be shown: all are but comings and goings, which are as the setting `joins` says. */
  shows({ type, person, at, text }: RoomNews): boolean {
    if (type !== "joined" && type !== "left") return true;
    const joins = this.#settings.get("joins");
    if (joins !== "active") return joins === "on";
    const hasLastWords = type === "left" && !isGoodbye(text);
    if (hasLastWords || this.#members() <= FEW) return true;
    const last = this.#last.get(person);
    if (!last) return false;
    return at - last.at <= LATELY || this.#lines - last.line < LATELY_LINES;
  }
}
