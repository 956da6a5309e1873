/**
 * The text of a message in pieces, of which each looks one way.
 *
 * @module
 */

import { textLines } from "../../../client/terminal/message_text.ts";
import type { Mark } from "../../../client/terminal/paragraph.ts";
import { Style } from "../../../client/terminal/style.ts";

/** A part of a line, escaped. */
export interface Piece {
  /** Its characters. */
  readonly text: string;
  /** Whether it is code. */
  readonly isCode: boolean;
  /** Where it leads, http or https. */
  readonly link?: string | undefined;
  /** Whether it was searched for. */
  readonly isFound: boolean;
  /** Whether this person is meant. */
  readonly isMeant: boolean;
}

/** A paragraph, or a block of code; its lines end with "\n". */
export interface Block {
  /** Whether it is code. */
  readonly isCode: boolean;
  /** What it is made of, in order. */
  readonly pieces: readonly Piece[];
}

/** What is marked in a text. */
export interface Finders {
  /** Finds what was searched for, all of it. */
  readonly found?: RegExp | undefined;
  /** Finds where this person is meant. */
  readonly meant?: RegExp | undefined;
}

/** The style by which code is known from what else is marked. */
const CODE = "code";
const FENCE = /^\s*```[^`]*$/;

/** The text of a message as paragraphs and blocks of code. */
export function textBlocks(text: string, finders: Finders = {}): Block[] {
  const blocks: { isCode: boolean; pieces: Piece[] }[] = [];
  const { found, meant } = finders;
  for (const line of textLines(text, { code: CODE, found })) {
    const isFence = line.isCode && FENCE.test(line.text);
    const pieces = isFence ? [] : linePieces(line.text, line.marks, meant);
    const last = blocks.at(-1);
    if (!last || last.isCode !== line.isCode) {
      blocks.push({ isCode: line.isCode, pieces });
    } else if (!isFence) {
      if (last.pieces.length > 0) last.pieces.push(plain("\n"));
      last.pieces.push(...pieces);
    }
  }
  return blocks.filter(({ pieces }) => pieces.length > 0);
}

/** A line in pieces, each under the same marks; without the backquotes of code, which is shown as such. */
function linePieces(
  text: string,
  marks: readonly Mark[],
  meant: RegExp | undefined,
): Piece[] {
  const code = marks.filter(({ style }) => style === CODE);
  const ticks = code.flatMap((mark) => ticksOf(text, mark));
  const meanings = meant ? [...text.matchAll(new RegExp(meant, "giv"))] : [];
  const spans = meanings
    .map(({ 0: all, index }) => ({ start: index, end: index + all.length }))
    .filter(({ start }) => !code.some((mark) => covers(mark, start)));
  const edges = new Set([0, text.length]);
  for (const { start, end } of [...marks, ...ticks, ...spans]) {
    edges.add(start).add(end);
  }
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).flatMap((start, index) => {
    const isHere = (span: Span) => covers(span, start);
    if (ticks.some(isHere)) return [];
    const over = marks.filter(isHere);
    return [{
      text: text.slice(start, sorted[index + 1]),
      isCode: code.some(isHere),
      link: over.find(({ link }) => link !== undefined)?.link,
      isFound: over.some(({ style }) => style === Style.found),
      isMeant: spans.some(isHere),
    }];
  });
}

/** From one place in a line to another. */
type Span = Pick<Mark, "start" | "end">;

function covers({ start, end }: Span, at: number): boolean {
  return start <= at && at < end;
}

/** The backquotes around code within a line; none around a line of a block. */
function ticksOf(text: string, { start, end }: Span): Span[] {
  const [ticks = ""] = /^`+/.exec(text.slice(start, end)) ?? [];
  const { length } = ticks;
  const isWithin = length > 0 && text.slice(0, end).endsWith(ticks);
  return isWithin && end - start > 2 * length
    ? [{ start, end: start + length }, { start: end - length, end }]
    : [];
}

function plain(text: string): Piece {
  return { text, isCode: false, isFound: false, isMeant: false };
}
