/**
 * The text of a message as lines to be shown: what is code, what is a link, what was searched for.
 *
 * Every character of the text is shown, the backquotes of code as well; marks only make it easier to read.
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";
import type { Mark } from "./paragraph.ts";
import { Style } from "./style.ts";
import type { Kept } from "./wrap.ts";

/** A line of a message, escaped. */
export interface TextLine {
  /** The line, without its end. */
  readonly text: string;
  /** What is marked in it. */
  readonly marks: readonly Mark[];
  /** What stays in one row. */
  readonly kept: readonly Kept[];
  /** Whether it is of a block of code. */
  readonly isCode: boolean;
}

/** How a message is marked. */
export interface Marking {
  /** The style of code, `SGR` parameters. */
  readonly code: string;
  /** Finds what was searched for, all of it. */
  readonly found?: RegExp | undefined;
}

/** Begins a block of code, and ends it: as much of a line as is before its text. */
const FENCE = /^\s*```[^`]*$/;
/** A tab in code leads to the next of these columns. */
const TAB = 4;
/** Code within a line, between as many backquotes as began it. */
const INLINE = "(?<!`)(?<mark>`+)(?!`).+?(?<!`)\\k<mark>(?!`)";
/** What may stand in a link: no spaces, no quotes, and no picture that could pass for something else on the screen. */
const LINK = String
  .raw`(?<link>\b(?:https?|chat):\/\/[\p{L}\p{M}\p{N}\-._~:\/?#\[\]@!$&'()*+,;=%]+)`;
const SPECIAL = new RegExp(`${INLINE}|${LINK}`, "giu");
/** What ends a sentence rather than a link. */
const AFTER_LINK = ".,:;!?'*_~";
/** The brackets that a link may stand in, or have in it. */
const BRACKETS = [["(", ")"], ["[", "]"]] as const;

/** The lines of a message. */
export function textLines(text: string, marking: Marking): TextLine[] {
  let isFenced = false;
  return text.split("\n").map((line) => {
    const isFence = FENCE.test(line);
    const isCode = isFenced || isFence;
    if (isFence) isFenced = !isFenced;
    return isCode ? codeLine(line, marking) : proseLine(line, marking);
  });
}

/** A text that stands back, escaped: a remark of this program's, which isn't part of a message. */
export function remark(text: string): TextLine {
  const marks = [{ start: 0, end: text.length, style: Style.dim }];
  return { text, marks, kept: [], isCode: false };
}

/** Lines with a remark behind them; below them, if the last is code. */
export function withRemark(
  lines: readonly TextLine[],
  text: string,
): TextLine[] {
  const last = lines.at(-1);
  if (!last || last.isCode) return [...lines, remark(text)];
  const start = last.text.length + 1;
  const mark = { start, end: start + text.length, style: Style.dim };
  const marks = [...last.marks, mark];
  return [...lines.slice(0, -1), {
    ...last,
    text: `${last.text} ${text}`,
    marks,
  }];
}

/** A text in which links are found, and stay in one row; code as well, if it has a style. */
export function withLinks(
  text: string,
  code?: string,
): Pick<TextLine, "marks" | "kept"> {
  const marks: Mark[] = [];
  const kept: Kept[] = [];
  for (const { 0: all, groups, index: start } of text.matchAll(SPECIAL)) {
    const { link } = groups ?? {};
    if (link !== undefined) addLink(link, start, marks, kept);
    else if (code !== undefined) {
      const end = start + all.length;
      marks.push({ start, end, style: code });
      kept.push({ start, end, always: false });
    }
  }
  return { marks, kept };
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

function codeLine(line: string, { code, found }: Marking): TextLine {
  const text = escapeText(expandTabs(line));
  const marks = [
    { start: 0, end: text.length, style: code },
    ...foundIn(text, found),
  ];
  return { text, marks, kept: [], isCode: true };
}

function proseLine(line: string, { code, found }: Marking): TextLine {
  const text = escapeText(line);
  const { marks, kept } = withLinks(text, code);
  return {
    text,
    marks: [...marks, ...foundIn(text, found)],
    kept,
    isCode: false,
  };
}

function addLink(
  found: string,
  start: number,
  marks: Mark[],
  kept: Kept[],
): void {
  const link = trimLink(found);
  const end = start + link.length;
  kept.push({ start, end, always: true });
  // A link of this program is for it alone: no other could open it.
  if (!/^http/i.test(link) || !URL.canParse(link)) return;
  const { href } = new URL(link);
  if (/^[!-~]+$/.test(href)) marks.push({ start, end, link: href });
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

function foundIn(text: string, found: RegExp | undefined): Mark[] {
  if (!found) return [];
  return Array.from(text.matchAll(found), ({ 0: all, index: start }) => ({
    start,
    end: start + all.length,
    style: Style.found,
  }));
}

/** Code as it looks in an editor: a tab would be shown as an escape. */
function expandTabs(line: string): string {
  let expanded = "";
  for (const part of line.split(/(\t)/)) {
    expanded += part === "\t" ? " ".repeat(TAB - expanded.length % TAB) : part;
  }
  return expanded;
}
