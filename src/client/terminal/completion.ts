/**
 * What completion by Tab gives, and what it is made from.
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

/** Something in a folder. */
export interface FolderEntry {
  /** Its name there. */
  readonly name: string;
  /** Whether it is a folder, too. */
  readonly isFolder: boolean;
}

/** What there is to complete with; what is left out is not completed. */
export interface CompletionSources {
  /** The names of those in the room. */
  readonly names?: () => readonly string[];
  /** Whom the person doesn't want to read. */
  readonly ignored?: Ignored;
  /** Numbers of lines that may be meant, newest first. */
  readonly numbers?: (kind: NumberKind) => readonly number[];
  /** What is in a folder, by its path as it is typed; nothing where it can't be read. */
  readonly entries?: (folder: string) => readonly FolderEntry[];
}
