/**
 * What both a person and a program can ask for: the commands and the requests are two ways to say it. Knows
 * nothing of how it is said or done.
 *
 * @module
 */

import type { Ignored } from "./ignored.ts";
import type { Present } from "./view.ts";

/** How many lines of history are asked for where nothing is said about it. */
export const HISTORY_COUNT = 20;

/** What may be asked and done. What goes wrong is told as news or as a note, never thrown. */
export interface Asking {
  /** Who is in the room. */
  who(): readonly Present[];
  /** Ends the session, with last words to the room. */
  quit(text?: string): void;
  /** Goes by another name, one that `parseName` has accepted. */
  rename(name: string): void;
  /** Says something in the third person. */
  act(text: string): void;
  /** Answers the line of that number. */
  reply(to: number, text: string): void;
  /** Is away from the keyboard, for this reason; is back where it is empty. */
  away(text: string): void;
  /** Asks for the last lines. */
  history(count: number): void;
  /** Asks for the lines that have these words in them. */
  search(words: string): void;
  /** Offers a file to the room. */
  send(path: string): void;
  /** Takes the file that was offered under that number. */
  get(offer: number): void;
  /** No longer takes, or offers, a file. */
  drop(offer: number): void;
  /** Whose doings aren't shown. */
  readonly ignored: Ignored;
}
