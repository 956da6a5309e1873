/**
 * QR codes (ISO/IEC 18004) in a terminal.
 *
 * @module
 */

import { encodeQR } from "qr";

/**
 * The light margin around a code, modules. The standard has 4; terminals are given 2, as by other programs, so that
 * the code of an invite with a short address fits 24 lines.
 */
const QUIET_ZONE = 2;

/** The longest text of a code with the least error correction, bytes of UTF-8. */
export const MAX_QR_SIZE = 2_953;

/** A character for two modules, by whether the upper and the lower one are light. */
const HALVES = [[" ", "▄"], ["▀", "█"]] as const;

/**
 * The QR code of a text, as lines of `█`, `▀`, `▄` and spaces: two modules to a character, one above the other, with
 * the least error correction, because a screen has no scratches, so that it takes the fewest lines.
 *
 * Light modules are drawn and dark ones left out, so the code is right where light characters stand on a dark ground,
 * as in most terminals. On a light ground it is its own negative, which many scanners read and some don't; a caller
 * that may use colours makes it right on any ground by setting white on black for each line.
 * @param text At most `MAX_QR_SIZE` bytes of UTF-8. 134 take 23 lines of 45 characters; 154 take 25 of 49.
 * @throws {RangeError} for a longer text.
 */
export function qrLines(text: string): string[] {
  const rows = darkModules(text);
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    // Below the last row, of which there is an odd number, comes more of the margin.
    const [upper = [], lower = []] = [rows[y], rows[y + 1]];
    lines.push(
      upper.map((dark, x) => HALVES[dark ? 0 : 1][lower[x] ? 0 : 1]).join(""),
    );
  }
  return lines;
}

/** The modules of a text's code with their margin, row by row; dark ones are true. */
function darkModules(text: string): boolean[][] {
  try {
    return encodeQR(text, "raw", { ecc: "low", border: QUIET_ZONE });
  } catch (cause) {
    throw new RangeError("Cannot draw a QR code: the text is too long", {
      cause,
    });
  }
}
