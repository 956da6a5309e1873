/**
 * The text of a message as lines of a terminal: how code, links and what was searched for look there.
 *
 * Every character of the text is shown, the backquotes of code as well; marks only make it easier to read.
 *
 * @module
 */

import {
  codeAndLinks,
  messageLines,
  type TextSpan,
} from "../text/message_lines.ts";
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

/** The lines of a message. */
export function textLines(
  text: string,
  { code, found }: Marking,
): TextLine[] {
  return messageLines(text, { found }).map(({ text, spans, isCode }) => ({
    text,
    marks: spans.flatMap((span) => marksOf(span, code)),
    // What keeps its shape is broken wherever it must be.
    kept: isCode ? [] : spans.flatMap(keptOf),
    isCode,
  }));
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

/** A text in which links are found, and stay in one row. */
export function withLinks(text: string): Pick<TextLine, "marks" | "kept"> {
  const links = codeAndLinks(text).filter(({ kind }) => kind === "link");
  return {
    marks: links.flatMap((link) => marksOf(link)),
    kept: links.flatMap(keptOf),
  };
}

/** How a stretch is marked. @param code The style of code, `SGR` parameters. */
function marksOf(span: TextSpan, code = ""): Mark[] {
  const { start, end } = span;
  switch (span.kind) {
    case "code":
      return [{ start, end, style: code }];
    case "link":
      // A link of this program is for it alone: no other could open it.
      return span.href === undefined ? [] : [{ start, end, link: span.href }];
    case "found":
      return [{ start, end, style: Style.found }];
    case "meant":
      return [];
  }
}

function keptOf({ kind, start, end }: TextSpan): Kept[] {
  if (kind !== "code" && kind !== "link") return [];
  return [{ start, end, always: kind === "link" }];
}
