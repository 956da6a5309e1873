/**
 * The signature of `@std/yaml/parse` as far as it is used here, which the npm package leaves out.
 * Declares and runs nothing.
 *
 * @module
 */

/** The value that a YAML document says. @throws {SyntaxError} for what is no YAML. */
export function parse(text: string): unknown;
