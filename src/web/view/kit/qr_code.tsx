/**
 * QR codes (ISO/IEC 18004) as drawings.
 *
 * @module
 */

import type { JSX } from "preact";
import { encodeQR } from "qr";

/** The light margin around a code that the standard asks for, modules. */
const QUIET_ZONE = 4;

/**
 * Draws dark modules as one path: a rectangle for each run in a row.
 * @param rows The modules, row by row; dark ones are true. @returns The `d` of an SVG path, a unit for a module.
 */
export function modulesPath(rows: readonly (readonly boolean[])[]): string {
  return rows.map((row, y) => {
    let path = "";
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      let end = x + 1;
      while (row[end]) end++;
      path += `M${x} ${y}h${end - x}v1h${x - end}z`;
      x = end;
    }
    return path;
  }).join("");
}

/** What a code is drawn from. */
export interface QrCodeProps {
  /** What it says: at most 2,953 bytes of UTF-8. */
  readonly text: string;
  /** What it is, for those who can't see it. */
  readonly label: string;
}

/** The code of a text, dark on light whatever the page's colours: many cameras read no negatives. */
export function QrCode({ text, label }: QrCodeProps): JSX.Element {
  const rows = encodeQR(text, "raw", { ecc: "low", border: QUIET_ZONE });
  const size = rows.length;
  return (
    <svg
      class="panel-code"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={modulesPath(rows)} fill="#000" />
    </svg>
  );
}
