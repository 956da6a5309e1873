/**
 * How demonstrations show things: in 80 columns.
 *
 * @module
 */

import { wrap } from "../src/client/terminal/wrap.ts";

/** As wide as every terminal, columns. */
const WIDTH = 80;

/** A line across the screen with a text in it, and an empty one. */
export function heading(text: string): string {
  return `── ${text} `.padEnd(WIDTH, "─") + "\n\n";
}

/** A line as the rows that it takes, indented below the first. */
export function rows(line: string): string {
  const spans = wrap(line, { first: WIDTH, rest: WIDTH - 4 });
  return spans.map(({ start, end }) => `${line.slice(start, end)}\n`)
    .join("    ");
}
