/**
 * What completion gives, and what it is made from.
 *
 * @module
 */

import type { NumberKind } from "../actions.ts";
import type { Ignored } from "../ignored.ts";

/** What may stand in place of the end of what is typed. */
export interface Completion {
  /** All that it may be, with the sign that follows. */
  readonly words: string[];
  /** The end of what is typed that they stand for. */
  readonly replaced: string;
}

/** What there is to complete with; what is left out is not completed. */
export interface CompletionSources {
  /** The names of those in the room. */
  readonly names?: () => readonly string[];
  /** Whom the person doesn't want to read. */
  readonly ignored?: Ignored;
  /** Numbers of lines that may be meant, newest first. */
  readonly numbers?: (kind: NumberKind) => readonly number[];
  /** What can be set, where a command sets it. */
  readonly settings?: readonly {
    readonly key: string;
    readonly choices?: readonly string[];
  }[];
  /** Completes the path of a file. @param typed The path so far. */
  readonly path?: (typed: string) => Completion;
}
