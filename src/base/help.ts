/**
 * A program's help text, from the table of its flags.
 *
 * @module
 */

import type { Flag } from "./flags.ts";
import { alternatives } from "./nearest.ts";
import { wordRows } from "./word_rows.ts";

/** The width that help is written for, columns. */
const WIDTH = 80;
/** Where the help of a flag begins at the latest; beside a wider flag it begins on the next line. */
const LAST_COLUMN = 30;

/**
 * A program's help, at most 80 columns wide, with a line end at its end.
 * @param usage The command with its arguments.
 * @param about What the program does; each of its lines is a paragraph.
 */
export function helpText(
  usage: string,
  about: string,
  flags: readonly Flag[],
): string {
  const widths = flags.map((flag) => head(flag).length + 2);
  const column = Math.max(...widths.filter((width) => width <= LAST_COLUMN), 0);
  return [
    ...hanging("Usage: ", wordRows(usage, WIDTH - 7)),
    "",
    ...about.split("\n").flatMap((paragraph) => wordRows(paragraph, WIDTH)),
    "",
    "Flags:",
    ...flags.flatMap((flag) => row(flag, column)),
    "",
  ].join("\n");
}

function head(flag: Flag): string {
  const value = flag.value ?? "VALUE";
  return flag.kind === "boolean"
    ? `  --${flag.name}`
    : `  --${flag.name} ${value}`;
}

function row(flag: Flag, column: number): string[] {
  const lines = wordRows(flag.help + notes(flag), WIDTH - column);
  const first = head(flag);
  return first.length + 2 <= column
    ? hanging(first.padEnd(column), lines)
    : [first, ...hanging(" ".repeat(column), lines)];
}

function notes(flag: Flag): string {
  const said = [
    flag.choices && alternatives(flag.choices),
    flag.default !== undefined && `default ${flag.default}`,
  ].filter((note) => note);
  return said.length > 0 ? ` (${said.join("; ")})` : "";
}

/** The first line after a label, the others below it. */
function hanging(label: string, lines: readonly string[]): string[] {
  const indent = " ".repeat(label.length);
  return lines.map((line, index) => (index === 0 ? label : indent) + line);
}
