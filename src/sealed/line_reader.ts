/**
 * Reads lines of a sealed room's log, of a page or of a file: opens what is sealed, tells what control lines do, and says
 * of each that doesn't fit why.
 *
 * @module
 */

import { isChange, isSent, type LogEntry } from "../protocol/line.ts";
import { shownPresence } from "./unsigned.ts";
import type { HeardLine } from "../protocol/changes.ts";
import type { ControlRecord } from "./control_record.ts";
import { controlSentence } from "./control_words.ts";
import { type Opened, Opener } from "./opener.ts";
import type { RoomKeys } from "./room_keys.ts";
import type { Numbered } from "./stay_numbers.ts";
import type { WarningReason } from "./warnings.ts";
import type { Seen } from "./sealed_line.ts";

/** What a reader holds lines against, beside the control lines. */
export interface Checks {
  /** Whether a line's number of its sender's fits those of the others. */
  readonly fits: (line: Numbered) => boolean;
  /** Whether the chain has another value for a line than its sender saw; undefined where that isn't known. */
  readonly seenDiffers: (seen: Seen, line: LogEntry) => boolean | undefined;
}

/** Reads lines. */
export class LineReader {
  readonly #record: ControlRecord;
  readonly #opener: Opener;

  /** Reads by the room's keys. @param record All control lines up to the last that is read. */
  constructor(record: ControlRecord, keys: RoomKeys) {
    this.#record = record;
    this.#opener = new Opener(record, keys);
  }

  /** What lines are, in their order: as said, or with why not. */
  async read(
    lines: readonly LogEntry[],
    checks: Checks,
  ): Promise<HeardLine[]> {
    const opened = await this.open(lines);
    return lines.map((line, at) => this.judge(line, opened[at], checks));
  }

  /** Opens what is sealed of lines, all at once. */
  async open(
    lines: readonly LogEntry[],
  ): Promise<(Opened | undefined)[]> {
    return await Promise.all(
      lines.map((line) =>
        line.what === "sealed" ? this.#opener.open(line) : undefined
      ),
    );
  }

  /** What the next line is. @param opened As `open` gave it. */
  judge(
    line: LogEntry,
    opened: Opened | undefined,
    { fits, seenDiffers }: Checks,
  ): HeardLine {
    if (line.what === "ruled") return this.#ruled(line);
    if (!opened) {
      if (isSent(line.what)) return this.#wrong(line, "signature-wrong"); // in words that anybody could have put there
      return this.#record.terms.fitsPresence(line)
        ? shownPresence(line)
        : this.#wrong(line, "presence-wrong");
    }
    if (opened.state === "wrong") return this.#wrong(line, opened.reason);
    if (!fits(line)) return this.#wrong(line, "number-repeated");
    if (opened.state === "locked") return opened.line;
    if (seenDiffers(opened.seen, line)) {
      return this.#wrong(line, "seen-differs");
    }
    const said = opened.line;
    return isChange(said) && said.to >= said.seq
      ? this.#wrong(line, "change-wrong")
      : said;
  }

  #ruled(line: LogEntry): HeardLine {
    const { seq, person } = line;
    const { at, person: by, text } = this.#record.find(seq) ?? {};
    const isSame = at === line.at && by === person && text === line.text;
    if (!isSame) return this.#wrong(line, "control-wrong");
    const { terms } = this.#record;
    const { name } = terms.at(person, seq + 1) ?? terms.at(person, seq) ?? line;
    return { ...line, name, told: controlSentence(line, this.#record) };
  }

  #wrong(line: LogEntry, wrong: WarningReason): HeardLine {
    const { person, seq } = line;
    const { name = line.name } = this.#record.terms.before(person, seq) ?? {};
    return { ...line, name, wrong };
  }
}
