/**
 * A paragraph, what becomes one or more rows of a terminal, as wide as it is then.
 *
 *     12:00   17  Rahul      a text whose further rows
 *     ◀────── start ───────▶ hang below its first
 *
 * @module
 */

import { width } from "./cells.ts";
import { linked, styled } from "./style.ts";
import { breakHard, type Kept, type Span, wrap } from "./wrap.ts";

/** A link that a row is too narrow for is moved left, but never to where lines begin, cells. */
const LEAST_HANG = 2;
/** However narrow the terminal is, a row holds this much, cells. */
const LEAST_ROOM = 4;

/** A stretch of a text that looks or acts otherwise than the rest. */
export interface Mark extends Span {
  /** How it looks, `SGR` parameters. */
  readonly style?: string;
  /** Where it leads, if it is a link, as `URL` writes it. */
  readonly link?: string;
}

/** Text in a style. */
export interface Piece {
  /** The text, escaped. */
  readonly text: string;
  /** `SGR` parameters. Default: none. */
  readonly style?: string;
}

/** What becomes rows. All in it is escaped. */
export interface Paragraph {
  /** What stands before the text. */
  readonly start: readonly Piece[];
  /** How far all rows but the first are indented, cells. */
  readonly hang: number;
  /** The text, without line ends. */
  readonly text: string;
  /** What is marked in the text. */
  readonly marks?: readonly Mark[];
  /** What stays in one row, in order. */
  readonly kept?: readonly Kept[];
  /** Whether it keeps its shape, as code does. */
  readonly isCode?: boolean;
  /** A character that fills the last row to its end, as a rule has it. */
  readonly fill?: Piece;
  /** Whether it goes on with the message of the paragraph before it. */
  readonly goesOn?: boolean;
}

/** How a terminal shows things. */
export interface Canvas {
  /** Its width, cells. */
  readonly columns: number;
  /** Whether styles are wanted. */
  readonly styles: boolean;
  /** Whether it knows links. */
  readonly links: boolean;
}

/** The rows of a paragraph, without line ends. */
export function rowsOf(paragraph: Paragraph, canvas: Canvas): string[] {
  const { start, text, kept, isCode, fill } = paragraph;
  // One cell less than there are: a full row would be wrapped by some terminals.
  const room = canvas.columns - 1;
  const hang = Math.max(0, Math.min(paragraph.hang, room - LEAST_ROOM));
  const taken = width(plain(start));
  const widths = { first: Math.max(0, room - taken), rest: room - hang };
  const spans = isCode ? breakHard(text, widths) : wrap(text, widths, kept);
  const before = start.map((piece) => painted(piece, canvas)).join("");
  return spans.map((span, index) => {
    const cells = width(text.slice(span.start, span.end));
    const indent = index === 0
      ? taken
      : Math.min(hang, Math.max(LEAST_HANG, room - cells));
    const row = (index === 0 ? before : " ".repeat(indent)) +
      marked(paragraph, span, canvas);
    if (!fill || index < spans.length - 1) return row;
    return row + painted(filling(fill, room - indent - cells), canvas);
  });
}

/** A paragraph as one line without styles, for keeping. @param columns Up to here it is filled, cells. */
export function plainText(paragraph: Paragraph, columns: number): string {
  const { start, text, fill } = paragraph;
  const line = plain(start) + text;
  if (!fill) return line;
  return line + filling(fill, columns - 1 - width(line)).text;
}

function plain(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join("");
}

/** A space, and the rest of the row; nothing where there is room for neither. */
function filling({ text, ...look }: Piece, cells: number): Piece {
  return { text: cells > 1 ? ` ${text.repeat(cells - 1)}` : "", ...look };
}

function painted({ text, style }: Piece, { styles }: Canvas): string {
  return styles && style !== undefined ? styled(style, text) : text;
}

/** A stretch of the text with its marks. */
function marked(
  { text, marks = [] }: Paragraph,
  { start, end }: Span,
  canvas: Canvas,
): string {
  const within = marks.filter((mark) => mark.start < end && mark.end > start);
  const edges = within.flatMap((mark) => [mark.start, mark.end])
    .filter((edge) => edge > start && edge < end);
  const bounds = [...new Set([start, ...edges, end])].sort((a, b) => a - b);
  return bounds.slice(1).map((to, index) => {
    const from = bounds[index] ?? start;
    const over = within.filter((mark) => mark.start <= from && mark.end >= to);
    const styles = over.flatMap(({ style }) => style ?? []);
    const link = over.find(({ link }) => link !== undefined)?.link;
    const piece = { text: text.slice(from, to) };
    const shown = styles.length === 0
      ? piece.text
      : painted({ ...piece, style: styles.join(";") }, canvas);
    return link !== undefined && canvas.links ? linked(link, shown) : shown;
  }).join("");
}
