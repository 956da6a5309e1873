/**
 * The signature of `@std/streams/text-line-stream`, which the npm package leaves out. Declares and runs
 * nothing.
 *
 * @module
 */

/** How `TextLineStream` cuts. */
export interface TextLineStreamOptions {
  /** Whether a lone `\r` ends a line too. */
  allowCR?: boolean;
}

/** Cuts text into its lines, without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  /** A stream of its own. */
  constructor(options?: TextLineStreamOptions);
}
