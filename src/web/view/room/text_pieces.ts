/**
 * The text of a message in pieces, of which each looks one way.
 *
 * @module
 */

import {
  type Finders,
  type MessageLine,
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

/** The text of a message as paragraphs and blocks of code. */
export function textBlocks(text: string, finders: Finders = {}): Block[] {
  const blocks: { isCode: boolean; pieces: Piece[] }[] = [];
  for (const line of messageLines(text, finders)) {
    const { isCode, isFence } = line;
    const pieces = isFence ? [] : linePieces(line);
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

/** A line in pieces, each of the same spans; without the backquotes of code, which is shown as such. */
function linePieces({ text, spans }: MessageLine): Piece[] {
  const quotes = spans.flatMap(quotesOf);
  const ends = [...spans, ...quotes].flatMap(({ start, end }) => [start, end]);
  const edges = [...new Set([0, ...ends, text.length])].sort((a, b) => a - b);
  return edges.slice(0, -1).flatMap((at, index) => {
    const isHere = ({ start, end }: Stretch) => start <= at && at < end;
    if (quotes.some(isHere)) return [];
    const here = spans.filter(isHere);
    const is = (kind: TextSpan["kind"]) => here.some((it) => it.kind === kind);
    return [{
      text: text.slice(at, edges[index + 1]),
      isCode: is("code"),
      link: here.find((span) => span.kind === "link")?.href,
      isFound: is("found"),
      isMeant: is("meant"),
    }];
  });
}

/** The backquotes around code within a line. */
function quotesOf(span: TextSpan): Stretch[] {
  if (span.kind !== "code" || span.quotes === 0) return [];
  const { start, end, quotes } = span;
  return [{ start, end: start + quotes }, { start: end - quotes, end }];
}

function plain(text: string): Piece {
  return { text, isCode: false, isFound: false, isMeant: false };
}
