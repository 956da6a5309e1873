/**
 * Emphasis and links, as a terminal's escape sequences; the colours are in theme.ts.
 *
 * @module
 */

/** What is the same in every theme: `SGR` parameters (ECMA-48, 8.3.117). */
export const Style = {
  bold: "1",
  dim: "2",
  reverse: "7",
  /** Bold and underlined: what was searched for. */
  found: "1;4",
} as const;

/** The text in a style, `SGR` parameters. */
export function styled(style: string, text: string): string {
  return `\x1b[${style}m${text}\x1b[0m`;
}

/** The text as a link (`OSC 8`). @param url As `URL` writes it: ASCII, without controls. */
export function linked(url: string, text: string): string {
  return `\x1b]8;;${url}\x1b\\${text}\x1b]8;;\x1b\\`;
}
