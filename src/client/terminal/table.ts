/**
 * Tables as a person reads them in a terminal of any width.
 *
 *     /who         List who is here      in a narrow one:     /who
 *     /nick NAME   Change your name                             List who is here
 *
 * @module
 */

import type { TableRow } from "../commands/command.ts";
import { padCells, width } from "./cells.ts";
import { rowsOf } from "./paragraph.ts";

/** Between two columns, and between two parts. */
const GAP = "  ";
/** Below its head a row is indented by this much, cells. */
const HANG = 4;
/** The texts have at least this much room beside their heads, cells; else they stand below them. */
const LEAST_ROOM = 30;

/** The lines of a table. @param columns The width of the terminal, cells. Default: endless. */
export function table(
  rows: readonly TableRow[],
  columns = Infinity,
): string[] {
  const widest = Math.max(0, ...rows.map(([head]) => width(head)));
  const beside = widest + GAP.length;
  if (columns - beside < LEAST_ROOM) {
    return rows.flatMap(([head, ...parts]) => [
      ...wrapped(head, HANG, columns),
      ...flow(parts, columns - HANG).map((line) => " ".repeat(HANG) + line),
    ]);
  }
  return rows.flatMap(([head, ...parts]) => {
    const [first, ...more] = flow(parts, columns - beside);
    return [
      first === undefined ? head : padCells(head, beside) + first,
      ...more.map((line) => " ".repeat(beside) + line),
    ];
  });
}

/** Parts in as few lines as they take. */
function flow(parts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts.filter((part) => part !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && width(last + GAP + part) < columns) {
      lines[lines.length - 1] = last + GAP + part;
    } else lines.push(...wrapped(part, 0, columns));
  }
  return lines;
}

function wrapped(text: string, hang: number, columns: number): string[] {
  const canvas = { columns, styles: false, links: false };
  return rowsOf({ start: [], hang, text }, canvas);
}
