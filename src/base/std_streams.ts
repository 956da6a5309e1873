/**
 * Deno's standard library for streams, with its types, as `std.ts` has the rest: a terminal doesn't load it.
 *
 * @module
 */

// @ts-types="./types/text_line_stream.d.ts"
export {
  TextLineStream,
  type TextLineStreamOptions,
} from "@std/streams/text-line-stream";
