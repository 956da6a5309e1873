/**
 * The signature of `@std/cli/parse-args` as far as it is used here, which the npm package leaves out.
 * Declares and runs nothing.
 *
 * @module
 */

/** What `parseArgs` is to look for. */
export interface ParseOptions {
  /** Flags that take no value. */
  boolean?: readonly string[];
  /** Flags whose values stay text; `_` for the arguments that are no flags. */
  string?: readonly string[];
  /** Flags whose values come as a list. */
  collect?: readonly string[];
  /**
   * Called for each argument that isn't listed; for a flag with its name.
   * An argument for which it returns false is left out.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The flags by name, and under `_` the rest. */
export interface Args {
  /** A flag's value. */
  [name: string]: unknown;
  /** The arguments that are no flags, in order. */
  _: (string | number)[];
}

/** Sorts command line arguments into flags and the rest. */
export function parseArgs(args: string[], options?: ParseOptions): Args;
