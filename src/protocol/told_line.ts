/**
 * A line as people and programs are told of it: a sentence, or the fields of a JSON object.
 *
 * @module
 */

import { escapeText, quote } from "../base/safe_text.ts";
import type { Changed } from "./changes.ts";
import {
  controlVerb,
  isAbout,
  type LineKind,
  particulars,
  sentence,
} from "./line.ts";

/** The version of the JSON objects. */
const VERSION = 1;

/** A line of the room, as it is told. */
export interface ToldLine {
  /** What was done. */
  readonly type: LineKind;
  /** Its number, by which it can be answered. */
  readonly seq: number;
  /** ms since 1970. */
  readonly at: number;
  /** Who did it; for `renamed` the name before. */
  readonly name: string;
  /** The short id of the member's person, 16 characters. */
  readonly person: string;
  /**
   * What was said, the new words, the emoji, the file as `formatOffer` describes it, why somebody left, or the new name;
   * else empty.
   */
  readonly text: string;
  /** ruled: what it does, as a sentence. */
  readonly told?: string;
  /** For `replied` and changes: the number of the line that it is about, else null. */
  readonly to: number | null;
  /**
   * For these: that line as it was before, where it is known, and the short id of who said it; its text is "" if it was
   * deleted.
   */
  readonly quoted?: {
    readonly name: string;
    readonly person: string;
    readonly text: string;
  };
  /** What was changed about it since, where that is told together with it; its text is the present one. */
  readonly changed?: Changed;
  /** Whether the reader's own person did it, by whatever client. */
  readonly own: boolean;
  /** Whether it happened before the reader (re)joined. */
  readonly past: boolean;
  /** Set where it can't be told whether its sender saw the same history, or said the line that it changes: in a sealed room. */
  readonly unchecked?: true;
}

/** What stands in place of words that were taken back. */
export const DELETED = "(deleted)";

const escapes = { name: escapeText, words: escapeText };

/** What stands in place of a line of a sealed room that was not opened. */
const UNOPENED = "(sealed: it cannot be read here)";

/** What the control lines of a sealed room do. */
const RULED: Readonly<Record<string, string>> = {
  found: "founded the room",
  invite: "made an invite",
  join: "became a member",
  rename: "took another name",
  keys: "changed the key of the room",
  close: "closed an invite",
};

/**
 * What somebody did: `ann: hello`, `ann: hi (edited) [👍 bob, cy]`, `ann: (deleted)`, `ann reacts to 42: 👍 ("hi")`,
 * `ann joined`.
 */
export function lineSentence(line: ToldLine): string {
  const { changed, name, type, quoted } = line;
  if (changed?.deleted) return `${escapeText(name)}: ${DELETED}`;
  if (type === "sealed") return `${escapeText(name)}: ${UNOPENED}`;
  if (type === "ruled") {
    if (line.told !== undefined) return line.told;
    const verb = controlVerb(line.text);
    const deed = Object.hasOwn(RULED, verb) ? RULED[verb] : "ruled the room";
    return `${escapeText(name)} ${deed}`;
  }
  const said = sentence({ ...line, what: type }, escapes);
  if (type === "reacted" && quoted?.text) {
    return `${said} (${quote(quoted.text)})`;
  }
  const edited = changed?.edited ? " (edited)" : "";
  const reactions = changed ? reactionWords(changed) : "";
  return `${said}${edited}${reactions === "" ? "" : ` [${reactions}]`}`;
}

/** Who reacts how: `👍 bob, cy  🎉 ann`; empty if nobody does. */
export function reactionWords({ reactions }: Changed): string {
  const names = Map.groupBy(reactions, ({ text }) => text);
  return [...names].map(([text, by]) =>
    `${escapeText(text)} ${by.map(({ name }) => escapeText(name)).join(", ")}`
  ).join("  ");
}

/** A JSON object of a type, in one line; what is undefined is left out. */
export function jsonObject(
  type: string,
  fields: Record<string, unknown>,
): string {
  return safeJson({ v: VERSION, type, ...fields });
}

/** What a program is told of a line. */
export function lineFields(news: ToldLine): Record<string, unknown> {
  const { type: what, seq, at, own, past, text, to, told } = news;
  const fields = { seq, at: iso(at), ...named(news), own, past };
  return {
    ...fields,
    ...particulars({ what, text, to }),
    ...(told === undefined ? {} : { text: told }),
    ...(isAbout(what) ? { quoted: quotedFields(news) } : {}),
    ...changedFields(news),
    ...(news.unchecked ? { unchecked: true } : {}),
  };
}

function quotedFields({ quoted }: ToldLine): Record<string, unknown> | null {
  return quoted ? { name: quoted.name, text: quoted.text } : null;
}

function changedFields({ changed }: ToldLine): Record<string, unknown> {
  if (!changed) return {};
  const { edited, deleted, reactions } = changed;
  const all = reactions.map((it) => ({ ...named(it), text: it.text }));
  return {
    ...(edited ? { edited } : {}),
    ...(deleted ? { deleted } : {}),
    ...(all.length > 0 ? { reactions: all } : {}),
  };
}

/** Who somebody is, to a program. */
export function named(
  { name, person }: Pick<ToldLine, "name" | "person">,
): Readonly<
  Record<"name" | "key", string>
> {
  return { name, key: person };
}

/** A time, to a program. @param at ms since 1970. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** JSON that is harmless to look at; it parses to the same value as plain JSON would. */
function safeJson(value: unknown): string {
  // A run without ASCII has no backslash: every escape in it is a new one.
  return JSON.stringify(value).replace(
    /[^ -~]+/g,
    (run) => escapeText(run).replace(/\\u\{(\w+)\}/g, jsonEscape),
  );
}

/** Two escapes: JSON writes a character beyond U+FFFF as its surrogates. */
function jsonEscape(_escape: string, hex: string): string {
  const units = String.fromCodePoint(parseInt(hex, 16)).split("");
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16)}`).join("");
}
