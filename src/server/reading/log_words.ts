/**
 * How what is read of a log is told: in the words in which a client tells history, for people or as JSON.
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";
import type { CurrentLine, HeardLine } from "../../protocol/changes.ts";
import type { RecentLines } from "../../protocol/recent_lines.ts";
import {
  iso,
  jsonObject,
  lineFields,
  lineSentence,
  type ToldLine,
} from "../../protocol/told_line.ts";
import {
  type Warning,
  warningFields,
  warningSentence,
} from "../../sealed/warnings.ts";
import type { Read } from "./log_lines.ts";

/** What is told, and where. */
export interface Told {
  /** With its line break. */
  readonly text: string;
  /** Whether it is a warning. */
  readonly isWarning: boolean;
}

/** Tells a log. */
export class LogWords {
  readonly #isJson: boolean;
  readonly #person: string | undefined;
  readonly #recent: RecentLines;

  /**
   * Tells lines as JSON, or as people read them.
   * @param person The short id of the reader's person. @param recent What was said lately, to be quoted.
   */
  constructor(
    isJson: boolean,
    person: string | undefined,
    recent: RecentLines,
  ) {
    this.#isJson = isJson;
    this.#person = person;
    this.#recent = recent;
  }

  /** A line, or what doesn't fit in its place. */
  line({ line, changed }: CurrentLine): Told {
    const { wrong, seq, name, person } = line;
    if (wrong !== undefined) {
      return this.#warning({ line: seq, name, person, reason: wrong });
    }
    const told = this.#told(line, changed);
    const text = this.#isJson
      ? jsonObject(told.type, lineFields(told))
      : `${iso(told.at)} ${line.seq} ${lineSentence(told)}`;
    return { text: `${text}\n`, isWarning: false };
  }

  #told(
    { what: type, seq, at, to, name, person, text, told }: HeardLine,
    changed: CurrentLine["changed"],
  ): ToldLine {
    const about = to === null ? undefined : this.#recent.find(to)?.line;
    const quoted = about &&
      { name: about.name, person: about.person, text: about.text };
    return {
      ...{ type, seq, at, to, name, person, text, past: true },
      own: person === this.#person,
      ...(quoted ? { quoted } : {}),
      ...(told === undefined ? {} : { told }),
      ...(changed ? { changed } : {}),
    };
  }

  #warning(warning: Warning): Told {
    const text = this.#isJson
      ? jsonObject("warning", warningFields(warning))
      : warningSentence(warning);
    return { text: `${text}\n`, isWarning: true };
  }

  /** What doesn't fit between lines. */
  gap(read: Exclude<Read, { kind: "line" }>): Told {
    const message = gapSentence(read);
    if (!this.#isJson) return { text: `${message}\n`, isWarning: true };
    const range = read.kind === "unseen"
      ? { from: read.from, upTo: read.upTo, exact: read.from === read.upTo }
      : { from: read.kind === "moved" ? read.line : read.first, exact: false };
    const text = jsonObject("history-differs", { ...range, message });
    return { text: `${text}\n`, isWarning: true };
  }
}

function gapSentence(read: Exclude<Read, { kind: "line" }>): string {
  if (read.kind === "broken") {
    return `WARNING: ${read.path} was begun after other lines than those that are before it now: one of the older files was changed`;
  }
  const { line } = read;
  if (read.kind === "moved") {
    const { by } = read;
    return by > 0
      ? `WARNING: ${lines(by)} missing somewhere before line ${line}`
      : `WARNING: ${lines(-by)} put in somewhere before line ${line}`;
  }
  const { from, upTo, isAhead, name } = read;
  const who = escapeText(name);
  if (isAhead) {
    return `WARNING: before line ${line} lines are missing, or stand in another order: ${who}, who said it, had seen ${upTo} lines by then`;
  }
  return from === upTo
    ? `WARNING: line ${from} is not what ${who} saw, who said line ${line}: it was changed, or put in`
    : `WARNING: lines ${from} to ${upTo} are not all what ${who} saw, who said line ${line}: something was changed, left out or put in`;
}

function lines(count: number): string {
  return count === 1 ? "1 line is" : `${count} lines are`;
}
