/**
 * A text of many lines that was pasted, and may be sent as one message: sent line by line they would be a
 * surprise.
 *
 * @module
 */

import { cut } from "./cells.ts";
import type { LineEditor } from "./line_editor.ts";
import { escapeText } from "../../base/safe_text.ts";

/** How much of the text is shown, cells. */
const MAX_SHOWN = 24;

/** A text of many lines that a person may send. */
export interface PasteOffer {
  /** The whole text: what was pasted, within what was typed. */
  readonly text: string;
  /** What stays on the screen of it. */
  readonly summary: string;
  /** Asks whether to send it. */
  readonly prompt: string;
  /** What was typed before. */
  readonly line: string;
  /** Where the cursor was in it, UTF-16 units. */
  readonly cursor: number;
}

/** The offer to send a text that is pasted where the cursor is. */
export function offerPaste(
  pasted: string,
  { line, cursor }: Pick<LineEditor, "line" | "cursor">,
): PasteOffer {
  const text = line.slice(0, cursor) + pasted + line.slice(cursor);
  const count = text.split("\n").length;
  const first = escapeText(text.trim().replace(/\n.*/s, ""));
  const start = cut(first, MAX_SHOWN);
  return {
    text,
    summary: `${start} (${count} lines)`,
    prompt:
      `${count} lines pasted, "${start}": Enter sends them as one message, Esc drops them `,
    line,
    cursor,
  };
}
