/**
 * A terminal's screen as cells: what `tmux capture-pane -e` prints, read.
 *
 * @module
 */

import { width } from "../../src/client/terminal/cells.ts";

/** How a cell looks. */
export interface Look {
  /** One of the 256 colours, 0 to 255; the terminal's own where there is none. */
  readonly colour?: number;
  readonly bold?: boolean;
  readonly underline?: boolean;
  readonly dim?: boolean;
  readonly reverse?: boolean;
}

/** A character with its marks, and where it stands. */
export interface Cell {
  /** The column, from 0 on. */
  readonly at: number;
  /** How many columns it takes: 1 or 2. */
  readonly cells: number;
  readonly text: string;
  readonly look: Look;
}

const TOKEN =
  // deno-lint-ignore no-control-regex -- the sequences are what this is about
  /\x1b\[(?<codes>[\d;]*)m|(?<control>[\x00-\x1f\x7f])|(?<text>.)/gsu;

/**
 * The rows of a screen.
 * @throws {SyntaxError} for a sequence that is none of the client's.
 */
export function readScreen(captured: string): Cell[][] {
  let look: Look = {};
  return captured.replace(/\n$/, "").split("\n").map((line) => {
    const cells: Cell[] = [];
    let at = 0;
    for (const { groups } of line.matchAll(TOKEN)) {
      const { codes, control, text } = groups ?? {};
      if (control !== undefined) {
        throw new SyntaxError(`Cannot draw ${JSON.stringify(line)}`);
      }
      if (codes !== undefined) {
        const each = codes.match(/38;5;\d+|\d+/g) ?? ["0"];
        look = each.reduce(styled, look);
      } else if (text !== undefined) {
        at = put(cells, at, text, look);
      }
    }
    return cells;
  });
}

/** Puts a character at a column, or with the one before. @returns The next column. */
function put(cells: Cell[], at: number, text: string, look: Look): number {
  const before = cells.at(-1);
  const wide = width(text);
  if (wide > 0 || !before) {
    cells.push({ at, cells: Math.max(wide, 1), text, look });
    return at + Math.max(wide, 1);
  }
  cells[cells.length - 1] = { ...before, text: before.text + text };
  return at;
}

function styled(look: Look, parameter: string): Look {
  const { colour: _, ...plain } = look;
  if (parameter.startsWith("38;5;")) {
    return { ...look, colour: Number(parameter.slice(5)) };
  }
  const code = Number(parameter);
  if (code === 0) return {};
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, dim: true };
  if (code === 4) return { ...look, underline: true };
  if (code === 7) return { ...look, reverse: true };
  if (code === 39) return plain;
  if (code === 49) return look; // the ground is never painted
  if (code >= 30 && code <= 37) return { ...look, colour: code - 30 };
  if (code >= 90 && code <= 97) return { ...look, colour: code - 90 + 8 };
  throw new SyntaxError(`Cannot draw the style ${code}`);
}
