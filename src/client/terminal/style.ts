/**
 * Colours and emphasis, as a terminal's escape sequences.
 *
 * @module
 */

/** The `SGR` codes in use (ECMA-48, 8.3.117). */
export const Style = {
  bold: 1,
  dim: 2,
  reverse: 7,
  green: 32,
  yellow: 33,
} as const;

/** Green, yellow, magenta, cyan, and the bright ones of these and of blue: readable on black and on white. */
const NAME_COLOURS = [32, 33, 35, 36, 92, 94, 95, 96];

/** The text in a style. */
export function styled(style: number, text: string): string {
  return `\x1b[${style}m${text}\x1b[0m`;
}

/** The colour for a member, the same wherever it is shown. */
export function colourOf(person: string): number {
  let hash = 0;
  for (const character of person) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  }
  return NAME_COLOURS[hash % NAME_COLOURS.length] ?? Style.green;
}
