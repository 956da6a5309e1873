/**
 * The text of a message in pieces, of which each looks one way.
 *
 * @module
 */

import {
  type Finders,
  messageLines,
  type Stretch,
  type TextSpan,
} from "../../../client/text/message_lines.ts";

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

/**
 * How much of a message is marked: code within lines, links, hits. What is beyond that is shown as it was written, so
 * that nobody can have many pages draw very many small pieces.
 */
const MOST_MARKS = 64;

/** The text of a message as paragraphs and blocks of code. */
export function textBlocks(text: string, finders: Finders = {}): Block[] {
  const blocks: { isCode: boolean; pieces: Piece[] }[] = [];
  let left = MOST_MARKS;
  for (
    const { text: line, spans, isCode, isFence } of messageLines(text, finders)
  ) {
    const marked = spans.toSorted((a, b) => a.start - b.start).slice(0, left);
    const pieces = isFence ? [] : linePieces(line, marked);
    if (!isFence) left -= marked.length;
    const last = blocks.at(-1);
    if (!last || last.isCode !== isCode) {
      blocks.push({ isCode, pieces });
    } else if (!isFence) {
      if (last.pieces.length > 0) last.pieces.push(plain("\n"));
      last.pieces.push(...pieces);
    }
  }
  return blocks.filter(({ pieces }) => pieces.length > 0);
}

/** What a stretch of a line is; the backquotes around code are not shown. */
type Mark = TextSpan | (Stretch & { readonly kind: "quotes" });

/** A line in pieces, each of the same spans. */
function linePieces(text: string, spans: readonly TextSpan[]): Piece[] {
  const marks: Mark[] = [...spans, ...spans.flatMap(quotesOf)];
  const edges = marks.flatMap((mark) => [
    { at: mark.start, mark, begins: true },
    { at: mark.end, mark, begins: false },
  ]).sort((a, b) => a.at - b.at);
  const here = new Set<Mark>();
  const pieces: Piece[] = [];
  let from = 0;
  const cut = (to: number) => {
    const piece = pieceOf(text.slice(from, to), [...here]);
    if (to > from && piece) pieces.push(piece);
    from = to;
  };
  for (const { at, mark, begins } of edges) {
    cut(at);
    if (begins) here.add(mark);
    else here.delete(mark);
  }
  cut(text.length);
  return pieces;
}

/** A piece of those marks; undefined if it isn't shown. */
function pieceOf(text: string, marks: readonly Mark[]): Piece | undefined {
  const is = (kind: Mark["kind"]) => marks.some((mark) => mark.kind === kind);
  if (is("quotes")) return undefined;
  return {
    text,
    isCode: is("code"),
    link: marks.find((mark) => mark.kind === "link")?.href,
    isFound: is("found"),
    isMeant: is("meant"),
  };
}

/** The backquotes around code within a line. */
function quotesOf(span: TextSpan): Mark[] {
  if (span.kind !== "code" || span.quotes === 0) return [];
  const { start, end, quotes } = span;
  return [
    { kind: "quotes", start, end: start + quotes },
    { kind: "quotes", start: end - quotes, end },
  ];
}

function plain(text: string): Piece {
  return { text, isCode: false, isFound: false, isMeant: false };
}
