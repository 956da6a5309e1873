/**
 * The signature of `@std/text/levenshtein-distance`, which the npm package leaves out. Declares and runs nothing.
 *
 * @module
 */

/** How many characters to add, drop or replace to make one text of the other. */
export function levenshteinDistance(str1: string, str2: string): number;
