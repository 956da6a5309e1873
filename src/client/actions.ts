/**
 * What a client can be asked for: a person's commands and a program's requests are two ways to say it.
 *
 * @module
 */

import type { Transfers } from "./files/transfers.ts";
import type { Session } from "./session.ts";
import type { Present } from "./view.ts";

/** Lines of history, if no other number is asked for. */
export const HISTORY_COUNT = 20;
/** The most lines of history. */
const MAX_HISTORY = 200;
/** Lines that one search gives. */
const SEARCH_COUNT = 100;

/** What may be asked for. What goes wrong is shown as news or as a note, never thrown. */
export interface Actions {
  /** Who is in the room. */
  who(): readonly Present[];
  /** Ends the session, with last words to the room. */
  quit(text?: string): void;
  /** Goes by another name, one that `parseName` has accepted. */
  rename(name: string): void;
  /** Says something in the third person; resolves when there is room for the next line. */
  act(text: string): Promise<void>;
  /** Answers the line of that number; resolves when there is room for the next line. */
  reply(to: number, text: string): Promise<void>;
  /** Is away from the keyboard, for this reason; is back if it is empty. */
  away(text: string): void;
  /** Asks for the last lines. */
  history(count: number): void;
  /** Asks for the lines that have these words in them. */
  search(words: string): void;
  /** Offers a file to the room; resolves when it is offered. */
  send(path: string): Promise<void>;
  /** Takes the file that was offered under that number. */
  get(offer: number): void;
  /** No longer takes, or offers, a file. */
  drop(offer: number): void;
}

/** The actions of a session and of the files that go with it. */
export function actionsOf(session: Session, transfers: Transfers): Actions {
  return {
    who: () => session.present,
    quit: (text) => session.leave(text),
    rename: (name) => session.rename(name),
    act: (text) => session.act(text),
    reply: (to, text) => session.reply(to, text),
    away: (text) => session.away(text),
    history: (count) => session.search("", Math.min(count, MAX_HISTORY)),
    search: (words) => session.search(words, SEARCH_COUNT),
    send: (path) => transfers.send(session, path),
    get: (offer) => transfers.get(offer),
    drop: (offer) => transfers.drop(offer),
  };
}
