/**
 * The colour of a person's name: the same in every room and on every machine, as it comes from its id.
 *
 * @module
 */

/** How many colours there are. */
export const NAME_COLOURS = 8;

/** The number of a person's colour. @param person The short id. */
export function nameColour(person: string): number {
  let sum = 0;
  for (const character of person) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  }
  return sum % NAME_COLOURS;
}
