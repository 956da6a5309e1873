/**
 * What members were shown, held against what the log says in the end.
 *
 * @module
 */

import { parseEntry } from "../../../src/log/line_format.ts";
import type { RoomNews } from "../../../src/client/view.ts";

/** Faults that are told one by one; of more, only how many. */
const MAX_FAULTS = 20;

/** What of a line everybody must be shown alike. */
export type Line = Pick<RoomNews, "seq" | "type" | "name" | "text">;

/** All that was shown to anybody, by its number. */
export class Ledger {
  /** What is wrong, one sentence each. */
  readonly faults: string[] = [];
  /** How often a line was shown, to all members together. */
  deliveries = 0;
  readonly #shown = new Map<number, string>();
  readonly #settled = new Set<string>();

  /** How many different lines were shown. */
  get lines(): number {
    return this.#shown.size;
  }

  /** Notes something wrong. */
  fault(what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(what);
  }

  /** A line was shown to somebody; everybody must be shown the same. */
  show({ seq, type, name, text }: Line): void {
    this.deliveries++;
    const line = `${type} ${name} ${text}`;
    const known = this.#shown.get(seq);
    if (known === undefined) this.#shown.set(seq, line);
    else if (known !== line) {
      this.fault(`Line ${seq} is "${known}" to one and "${line}" to another`);
    }
  }

  /** A member's text was taken by the server. */
  settle(text: string): void {
    this.#settled.add(text);
  }

  /** Compares all of it with a log. @returns How many lines the log has. */
  compare(log: string): number {
    const texts = new Map<string, number>();
    const lines = log.split("\n");
    if (lines.pop() !== "") this.fault("The log's last line has no line break");
    for (const [at, line] of lines.entries()) {
      const entry = parseEntry(line, at + 1);
      const shown = this.#shown.get(at + 1);
      this.#shown.delete(at + 1);
      if (!entry) {
        this.fault(`Line ${at + 1} of the log is none: ${line}`);
        continue;
      }
      const { what, name, text } = entry;
      if (shown !== undefined && shown !== `${what} ${name} ${text}`) {
        this.fault(`Line ${at + 1} was shown as "${shown}", and is: ${line}`);
      }
      if (what === "said") texts.set(text, (texts.get(text) ?? 0) + 1);
    }
    for (const [seq, line] of this.#shown) {
      this.fault(`Line ${seq} was shown and is not in the log: ${line}`);
    }
    for (const [text, count] of texts) {
      if (count > 1) this.fault(`"${text}" is in the log ${count} times`);
    }
    for (const text of this.#settled) {
      if (!texts.has(text)) this.fault(`"${text}" was taken and isn't there`);
    }
    return lines.length;
  }
}

/** One member's view of the order: every number once, without a gap, from its first line on. */
export class Follower {
  readonly #who: string;
  readonly #ledger: Ledger;
  readonly #own = new Set<number>(); // its joinings, of which it is told before what it missed
  #last: number | undefined;

  /** Has seen nothing yet. */
  constructor(who: string, ledger: Ledger) {
    this.#who = who;
    this.#ledger = ledger;
  }

  /** The member's own joining. */
  entered(seq: number): void {
    this.#own.add(seq);
    this.#advance();
  }

  /** A line. */
  show(line: Line): void {
    this.#ledger.show(line);
    const { seq } = line;
    this.#last ??= Math.min(seq, ...this.#own) - 1;
    this.#advance();
    if (seq !== this.#last + 1) {
      this.#ledger.fault(`${this.#who} shows ${seq} after ${this.#last}`);
    }
    this.#last = seq;
    this.#advance();
  }

  #advance(): void {
    if (this.#last === undefined) return;
    while (this.#own.delete(this.#last + 1)) this.#last++;
  }
}
