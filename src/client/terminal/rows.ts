/**
 * The rows of what is shown. One message gets only so many of them: nobody may push all else off the screen.
 *
 * @module
 */

import { type Canvas, type Paragraph, rowsOf } from "./paragraph.ts";
import { Style } from "./style.ts";

/** How many rows of one message are shown; the rest is counted. */
const MAX_ROWS = 50;

/** The rows of paragraphs, without line ends; of each message the first 50. */
export function screenRows(
  paragraphs: readonly Paragraph[],
  canvas: Canvas,
): string[] {
  return messages(paragraphs).flatMap((message) => {
    const rows = message.flatMap((paragraph) => rowsOf(paragraph, canvas));
    const rest = rows.length - MAX_ROWS;
    if (rest <= 0) return rows;
    const hang = message[0]?.hang ?? 0;
    return [...rows.slice(0, MAX_ROWS), ...rowsOf(remark(rest, hang), canvas)];
  });
}

/** Each message's paragraphs. */
function messages(paragraphs: readonly Paragraph[]): Paragraph[][] {
  const found: Paragraph[][] = [];
  for (const paragraph of paragraphs) {
    const last = found.at(-1);
    if (last && paragraph.goesOn) last.push(paragraph);
    else found.push([paragraph]);
  }
  return found;
}

function remark(rest: number, hang: number): Paragraph {
  const text = `… ${rest} more line${rest === 1 ? "" : "s"}`;
  const marks = [{ start: 0, end: text.length, style: Style.dim }];
  return { start: [{ text: " ".repeat(hang) }], hang, text, marks };
}
