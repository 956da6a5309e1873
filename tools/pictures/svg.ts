/**
 * Cells as a picture: SVG with the text as text.
 *
 * @module
 */

import type { Cell, Look } from "./cells.ts";

/** A cell, and what is around all of them, px. */
const CELL_WIDTH = 8.4;
const CELL_HEIGHT = 18;
const MARGIN = 14;
/** Where letters stand in a cell, px from its top. */
const BASELINE = 13.5;
const FONT_SIZE = 14;
const FONTS =
  "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace";

/** What pictures are drawn on. */
export const GROUND = "#16191f";
const INK = "#d7dae0";
/** The sixteen colours, readable on the ground. */
const COLOURS = [
  ..."#3b4048 #e06c75 #8fc36b #d9b45f #61a8e8 #c678dd #4fb8c4 #d7dae0".split(
    " ",
  ),
  ..."#7d8590 #ff8a92 #aee68a #f2d184 #8cc6ff #e3a0f5 #7fdce6 #ffffff".split(
    " ",
  ),
];

/** The steps of a colour in xterm's cube. */
const CUBE = ["00", "5f", "87", "af", "d7", "ff"];

/** A screen to be drawn. */
export interface Picture {
  /** What it shows, for who can't see it. */
  readonly title: string;
  readonly columns: number;
  readonly rows: readonly (readonly Cell[])[];
  /** Where the cursor stands: column and row, from 0 on. */
  readonly cursor: readonly [number, number];
}

/** The picture as the text of an SVG file. */
export function drawSvg({ title, columns, rows, cursor }: Picture): string {
  const width = round(columns * CELL_WIDTH + 2 * MARGIN);
  const height = rows.length * CELL_HEIGHT + 2 * MARGIN;
  const [column, row] = cursor;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>`,
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${INK}">`,
    ...rows.flatMap((cells, at) => [
      ...grounds(cells).map((run) =>
        rect(run.at, run.cells, at, inkOf(run.look))
      ),
      ...runs(cells).map((run) => drawRun(run, at)),
    ]),
    rect(column, 1, row, INK),
    `</g>`,
    `</svg>`,
    ``,
  ].join("\n");
}

/** Letters that every font has, and all of them as wide. */
const LETTERS = /^[!-~]+$/;
/** A rule or a bar, made of one character that fills its cell. */
const RULE = /^([\u2500-\u259f])\1*$/;

/** Reversed cells beside each other, which have a ground of their own. */
function grounds(row: readonly Cell[]): Cell[] {
  return join(row.filter(({ look }) => look.reverse), () => true);
}

/**
 * What is drawn as one: words, rules and bars. All else stands alone, for fonts don't agree how wide it is; and so does
 * each of two words with more than a space between them, which not every program draws.
 */
function runs(row: readonly Cell[]): Cell[] {
  const visible = row.filter(({ text }) => text.trim() !== "");
  const words = join(visible, (run, cell) => {
    const text = run.text + cell.text;
    return LETTERS.test(text) || RULE.test(text);
  });
  const lines: Cell[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    const joins = last && last.at + last.cells + 1 === word.at &&
      sameLook(last.look, word.look) && !word.look.underline &&
      LETTERS.test(last.text.replaceAll(" ", "") + word.text);
    if (!joins) lines.push(word);
    else lines.splice(-1, 1, joined(last, word, " "));
  }
  return lines;
}

/** The cells, those as one that are beside each other, look the same and may be. */
function join(
  cells: readonly Cell[],
  may: (run: Cell, cell: Cell) => boolean,
): Cell[] {
  const found: Cell[] = [];
  for (const cell of cells) {
    const last = found.at(-1);
    const joins = last && last.at + last.cells === cell.at &&
      sameLook(last.look, cell.look) && may(last, cell);
    if (!joins) found.push(cell);
    else found.splice(-1, 1, joined(last, cell, ""));
  }
  return found;
}

function joined(first: Cell, second: Cell, between: string): Cell {
  return {
    at: first.at,
    cells: second.at + second.cells - first.at,
    text: first.text + between + second.text,
    look: first.look,
  };
}

function sameLook(one: Look, other: Look): boolean {
  return one.colour === other.colour && one.bold === other.bold &&
    one.dim === other.dim && one.reverse === other.reverse &&
    one.underline === other.underline;
}

function drawRun({ at, cells, text, look }: Cell, row: number): string {
  const ink = look.reverse ? GROUND : inkOf(look);
  const y = round(MARGIN + row * CELL_HEIGHT + BASELINE);
  const attributes = [
    place(at, cells, text),
    `y="${y}"`,
    ...(ink === INK ? [] : [`fill="${ink}"`]),
    ...(look.bold ? [`font-weight="bold"`] : []),
    ...(look.dim ? [`opacity="0.6"`] : []),
    ...(look.underline ? [`text-decoration="underline"`] : []),
  ];
  return `<text ${attributes.join(" ")}>${escapeXml(text)}</text>`;
}

/** Where a text stands: the columns stand below each other, whatever font there is. */
function place(at: number, cells: number, text: string): string {
  const x = round(MARGIN + at * CELL_WIDTH);
  const length = round(cells * CELL_WIDTH);
  // Without gaps; as it is a line, nobody sees it stretched.
  if (RULE.test(text)) {
    return `x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
  }
  if (LETTERS.test(text.replaceAll(" ", ""))) {
    return cells === 1 ? `x="${x}"` : `x="${x}" textLength="${length}"`;
  }
  return `x="${round(x + length / 2)}" text-anchor="middle"`;
}

function inkOf({ colour }: Look): string {
  if (colour === undefined) return INK;
  return COLOURS[colour] ?? cubeColour(colour - COLOURS.length);
}

/** A colour of xterm's cube of 6 × 6 × 6, by its place in it. */
function cubeColour(place: number): string {
  const parts = [Math.floor(place / 36), Math.floor(place / 6), place];
  return `#${parts.map((part) => CUBE[part % 6] ?? "00").join("")}`;
}

function rect(at: number, cells: number, row: number, ink: string): string {
  const x = round(MARGIN + at * CELL_WIDTH);
  const y = MARGIN + row * CELL_HEIGHT;
  const width = round(cells * CELL_WIDTH);
  return `<rect x="${x}" y="${y}" width="${width}" height="${CELL_HEIGHT}" fill="${ink}"/>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}

function escapeXml(text: string): string {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return text.replace(/[&<>]/g, (sign) => names[sign as keyof typeof names]);
}
