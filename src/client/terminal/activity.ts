/**
 * Who took part in the conversation lately, so that the comings and goings of others needn't be shown.
 *
 * @module
 */

import type { RoomNews } from "../view.ts";
import type { Settings } from "./settings.ts";
import { isSpoken } from "../../protocol/line.ts";
import { isGoodbye } from "../../protocol/reasons.ts";

/** So long after it has spoken, ms, somebody still takes part. */
const LATELY = 600_000;
/** So many lines of others later it does as well. */
const LATELY_LINES = 50;
/** In a room of so many or fewer, everybody's comings and goings are worth a line. */
const FEW = 5;
/** How many persons are remembered. */
const MAX_PERSONS = 1_000;

/** Remembers who spoke when. */
export class Activity {
  readonly #settings: Settings;
  readonly #last = new Map<string, { at: number; line: number }>(); // by the person's short id, the latest last
  readonly #members: () => number;
  #lines = 0;

  /** Nobody has spoken. @param members How many are in the room. Default: many. */
  constructor(settings: Settings, members: () => number = () => Infinity) {
    this.#settings = settings;
    this.#members = members;
  }

  /** Whether a line is to be shown: all are but comings and goings, which are as the setting `joins` says. */
  shows({ type, person, at, text }: RoomNews): boolean {
    if (isSpoken({ what: type })) {
      this.#last.delete(person);
      this.#last.set(person, { at, line: ++this.#lines });
      this.#forget();
      return true;
    }
    if (type !== "joined" && type !== "left") return true;
    const joins = this.#settings.get("joins");
    if (joins !== "active") return joins === "on";
    const hasLastWords = type === "left" && !isGoodbye(text);
    if (hasLastWords || this.#members() <= FEW) return true;
    const last = this.#last.get(person);
    if (!last) return false;
    return at - last.at <= LATELY || this.#lines - last.line < LATELY_LINES;
  }

  #forget(): void {
    const [longest] = this.#last.keys();
    if (this.#last.size > MAX_PERSONS && longest !== undefined) {
      this.#last.delete(longest);
    }
  }
}
