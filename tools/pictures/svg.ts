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
    ...rows.flatMap((cells, at) => runs(cells).map((run) => drawRun(run, at))),
    rect(column, 1, row, INK),
    `</g>`,
    `</svg>`,
    ``,
  ].join("\n");
}

/**
 * Cells beside each other that look the same, as one. A wide one stands alone, for fonts don't agree how wide it
 * is; and so does what follows two spaces, which not every program draws.
 */
function runs(row: readonly Cell[]): Cell[] {
  const found: Cell[] = [];
  for (const cell of row) {
    const last = found.at(-1);
    const joins = last && cell.cells === 1 && isNarrow(last) &&
      last.at + last.cells === cell.at && sameLook(last.look, cell.look) &&
      (last.look.reverse || !(last.text + cell.text).endsWith("  ")) &&
      last.text !== " ";
    if (!joins) {
      found.push(cell);
      continue;
    }
    const { at, cells, text, look } = last;
    found.splice(-1, 1, { at, cells: cells + 1, text: text + cell.text, look });
  }
  return found.filter(({ text, look }) => text.trim() !== "" || look.reverse);
}

function isNarrow({ text, cells }: Cell): boolean {
  return [...text.normalize("NFC")].length >= cells;
}

function sameLook(one: Look, other: Look): boolean {
  return one.colour === other.colour && one.bold === other.bold &&
    one.dim === other.dim && one.reverse === other.reverse &&
    one.underline === other.underline;
}

function drawRun({ at, cells, text, look }: Cell, row: number): string {
  const ink = inkOf(look);
  const x = round(MARGIN + at * CELL_WIDTH);
  const y = round(MARGIN + row * CELL_HEIGHT + BASELINE);
  const attributes = [
    `x="${x}" y="${y}"`,
    // Whatever font there is, the columns stand below each other.
    `textLength="${round(cells * CELL_WIDTH)}" lengthAdjust="spacingAndGlyphs"`,
    ...(look.reverse
      ? [`fill="${GROUND}"`]
      : ink === INK
      ? []
      : [`fill="${ink}"`]),
    ...(look.bold ? [`font-weight="bold"`] : []),
    ...(look.dim ? [`opacity="0.6"`] : []),
    ...(look.underline ? [`text-decoration="underline"`] : []),
  ];
  const ground = look.reverse ? rect(at, cells, row, ink) : "";
  return `${ground}<text ${attributes.join(" ")}>${escapeXml(text)}</text>`;
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
