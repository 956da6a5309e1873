/**
 * The parts of Deno's standard library that the programs use, with their types: the npm package that carries them
 * has none. One line of `deno.json` each moves them to `jsr:` later. What pipes alone need is in `std_streams.ts`.
 *
 * @module
 */

// @ts-types="./types/parse_args.d.ts"
export { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
// @ts-types="./types/levenshtein_distance.d.ts"
export { levenshteinDistance } from "@std/text/levenshtein-distance";
