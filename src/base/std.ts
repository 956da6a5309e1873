/**
 * The parts of Deno's standard library that the programs use, with their types: the npm package that carries them
 * has none. One line of `deno.json` each moves them to `jsr:` later.
 *
 * @module
 */

// @ts-types="./types/parse_args.d.ts"
export { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
// @ts-types="./types/text_line_stream.d.ts"
export {
  TextLineStream,
  type TextLineStreamOptions,
} from "@std/streams/text-line-stream";
// @ts-types="./types/levenshtein_distance.d.ts"
export { levenshteinDistance } from "@std/text/levenshtein-distance";
