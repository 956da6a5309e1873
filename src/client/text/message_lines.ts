/**
 * The text of a message as lines: what is code, what is a link, what was searched for, where somebody is meant. How
 * that looks is for the terminal or the page to say.
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";

/** A stretch of a line, escaped UTF-16 units: from its start to its end, itself not in it. */
export interface Stretch {
  /** Where it begins. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

/** Code within a line, or a whole line of a block. */
export interface CodeSpan extends Stretch {
  /** It is code. */
  readonly kind: "code";
  /** How many backquotes are at each of its ends; none in a block. */
  readonly quotes: number;
}

/** A link. */
export interface LinkSpan extends Stretch {
  /** It is a link. */
  readonly kind: "link";
  /** Where it leads, http or https, as `URL` writes it: ASCII; undefined if this program alone could open it. */
  readonly href: string | undefined;
}

/** What was searched for, or where somebody is meant. */
export interface FoundSpan extends Stretch {
  /** Why it was looked for. */
  readonly kind: "found" | "meant";
}

/** A stretch of a line that is something of its own. */
export type TextSpan = CodeSpan | LinkSpan | FoundSpan;

/** A line of a message, escaped. */
export interface MessageLine {
  /** The line, without its end. */
  readonly text: string;
  /** What is in it, each kind in order; one may lie within another. */
  readonly spans: readonly TextSpan[];
  /** Whether it is of a block of code. */
  readonly isCode: boolean;
  /** Whether it begins or ends a block of code. */
  readonly isFence: boolean;
}

/** What is looked for in a text. */
export interface Finders {
  /** Finds what was searched for. */
  readonly found?: RegExp | undefined;
  /** Finds where somebody is meant. In code nobody is. */
  readonly meant?: RegExp | undefined;
}

/** Begins a block of code, and ends it: as much of a line as is before its text. */
const FENCE = /^\s*```[^`]*$/;
/** A tab in code leads to the next of these columns. */
const TAB = 4;
/** Code within a line, between as many backquotes as began it. */
const INLINE = "(?<!`)(?<quotes>`+)(?!`).+?(?<!`)\\k<quotes>(?!`)";
/** What may stand in a link: no spaces, no quotes, and no picture that could pass for something else on the screen. */
const LINK = String
  .raw`(?<link>\b(?:https?|chat):\/\/[\p{L}\p{M}\p{N}\-._~:\/?#\[\]@!$&'()*+,;=%]+)`;
const SPECIAL = new RegExp(`${INLINE}|${LINK}`, "giu");
/** What ends a sentence rather than a link. */
const AFTER_LINK = ".,:;!?'*_~";
/** The brackets that a link may stand in, or have in it. */
const BRACKETS = [["(", ")"], ["[", "]"]] as const;

/** The lines of a message. */
export function messageLines(
  text: string,
  finders: Finders = {},
): MessageLine[] {
  let isFenced = false;
  return text.split("\n").map((line) => {
    const isFence = FENCE.test(line);
    const isCode = isFenced || isFence;
    if (isFence) isFenced = !isFenced;
    const shown = escapeText(isCode ? expandTabs(line) : line);
    const whole = { start: 0, end: shown.length, quotes: 0 };
    const spans: TextSpan[] = isCode
      ? [{ kind: "code", ...whole }]
      : codeAndLinks(shown);
    spans.push(...spansFound(shown, "found", finders.found));
    if (!isCode) spans.push(...meantSpans(shown, spans, finders.meant));
    return { text: shown, spans, isCode, isFence };
  });
}

/** The code and the links in an escaped line, in order. */
export function codeAndLinks(line: string): (CodeSpan | LinkSpan)[] {
  return Array.from(
    line.matchAll(SPECIAL),
    ({ 0: all, groups = {}, index: start }) => {
      const { link, quotes = "" } = groups;
      return link !== undefined ? linkSpan(trimLink(link), start) : {
        kind: "code",
        start,
        end: start + all.length,
        quotes: quotes.length,
      };
    },
  );
}

/** What finds words in an escaped text, in either case; undefined if there are none. */
export function wordFinder(words: string): RegExp | undefined {
  const each = words.split(/\s+/u).filter((word) => word !== "")
    // The longest first: one that is the start of another would hide it.
    .toSorted((a, b) => b.length - a.length);
  if (each.length === 0) return undefined;
  return new RegExp(
    each.map((word) => RegExp.escape(escapeText(word))).join("|"),
    "giu",
  );
}

function linkSpan(link: string, start: number): LinkSpan {
  return { kind: "link", start, end: start + link.length, href: hrefOf(link) };
}

function hrefOf(link: string): string | undefined {
  if (!/^http/i.test(link) || !URL.canParse(link)) return undefined;
  const { href } = new URL(link);
  return /^[!-~]+$/.test(href) ? href : undefined;
}

/** A link without what ends the sentence in which it stands, and without brackets that were opened before it. */
function trimLink(link: string): string {
  const unpaired = BRACKETS.map(([open, close]) => ({
    close,
    more: count(link, close) - count(link, open),
  }));
  let end = link.length;
  for (; end > 0; end--) {
    const last = link[end - 1] ?? "";
    const bracket = unpaired.find(({ close }) => close === last);
    if (bracket ? bracket.more <= 0 : !AFTER_LINK.includes(last)) break;
    if (bracket) bracket.more--;
  }
  return link.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function spansFound(
  text: string,
  kind: FoundSpan["kind"],
  finder: RegExp | undefined,
): FoundSpan[] {
  if (!finder) return [];
  const { flags } = finder;
  // One that is also tested with can't have the flag: it would go on where it found something last.
  const all = flags.includes("g") ? finder : new RegExp(finder, `g${flags}`);
  return Array.from(text.matchAll(all), ({ 0: all, index: start }) => ({
    kind,
    start,
    end: start + all.length,
  }));
}

function meantSpans(
  text: string,
  spans: readonly TextSpan[],
  meant: RegExp | undefined,
): FoundSpan[] {
  const code = spans.filter(({ kind }) => kind === "code");
  let next = 0; // the first of them that ends behind the hit: both are in order
  return spansFound(text, "meant", meant).filter(({ start }) => {
    while ((code[next]?.end ?? Infinity) <= start) next++;
    return (code[next]?.start ?? Infinity) > start;
  });
}

/** Code as it looks in an editor: a tab would be shown as an escape. */
function expandTabs(line: string): string {
  let expanded = "";
  for (const part of line.split(/(\t)/)) {
    expanded += part === "\t" ? " ".repeat(TAB - expanded.length % TAB) : part;
  }
  return expanded;
}
