/**
 * QR codes in a terminal that may be too narrow for them.
 *
 * @module
 */

import { qrLines } from "../../base/qr.ts";

/**
 * The QR code of a text as lines; one that says how wide the terminal must be, if it is narrower: a code that is
 * wrapped is none.
 * @param columns The width of the terminal, cells. Default: endless.
 */
export function codeLines(text: string, columns = Infinity): string[] {
  const lines = qrLines(text);
  const taken = lines[0]?.length ?? 0;
  if (taken < columns) return lines;
  return [`The QR code needs ${taken + 1} columns: widen the terminal`];
}
