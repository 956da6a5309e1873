/**
 * What a client can be asked for: a person's commands and a program's requests are two ways to say it.
 *
 * @module
 */

import { type Known, verification } from "./known.ts";
import { byNameOrId, type Person } from "./person.ts";
import type { Operation } from "../protocol/reasons.ts";
import type { Transfers } from "./files/transfers.ts";
import type { Session } from "./session.ts";
import type { Somebody } from "./person.ts";
import type { Present, RequestId } from "./view.ts";

/** Lines of history, if no other number is asked for. */
export const HISTORY_COUNT = 20;
/** The most lines of history. */
export const MAX_HISTORY = 200;
/** Lines that are asked for where somebody reads back. */
const OLDER_COUNT = 100;
/** Lines that one search gives. */
const SEARCH_COUNT = 100;

/**
 * Which numbers may be meant: what was said and can be answered, what this person said, the files of others that can
 * be downloaded, and those that are downloaded or offered here.
 */
export type NumberKind = "spoken" | "own" | "offered" | "taking";

/**
 * What may be asked for. What goes wrong is shown as news or as a note, never thrown. A program may call a request by
 * an `id`, which the answers carry.
 * @typeParam Given How a file is named that is to be offered. Default: by its path.
 */
export interface Actions<Given = string> {
  /** Who is in the room. */
  who(): readonly Present[];
  /** Somebody in the room, or who was there before, by name or short id; undefined if there is no such one. */
  find(nameOrId: string): Person | undefined;
  /** Whether that is this client's own person. */
  isSelf(person: Pick<Person, "id">): boolean;
  /** Numbers of lines that may be meant, newest first. */
  numbers(kind: NumberKind): readonly number[];
  /** Ends the session, with last words to the room. */
  quit(text?: string): void;
  /** Resolves when the client has come into the room, or has left. */
  inRoom(): Promise<void>;
  /** Goes by another name, one that `parseName` has accepted. */
  rename(name: string, id?: RequestId): void;
  /** Says something; resolves when there is room for the next line. */
  say(text: string, id?: RequestId): Promise<void>;
  /** Says something in the third person; resolves when there is room for the next line. */
  act(text: string, id?: RequestId): Promise<void>;
  /** Answers the line of that number; resolves when there is room for the next line. */
  reply(to: number, text: string, id?: RequestId): Promise<void>;
  /** Writes to somebody alone, by name or short id, here or away; resolves when there is room for the next message. */
  write(to: string, text: string, id?: RequestId): Promise<void>;
  /** Gives a message of one's own other words; resolves when there is room for the next line. */
  edit(to: number, text: string, id?: RequestId): Promise<void>;
  /** Takes back what one has said; resolves when there is room for the next line. */
  delete(to: number, id?: RequestId): Promise<void>;
  /** Reacts to a message with an emoji; with none any more, if the text is empty. Resolves as the others do. */
  react(to: number, text: string, id?: RequestId): Promise<void>;
  /** The number of what this person said last; "waiting" while it isn't in the log yet; undefined for none. */
  lastOwn(): number | "waiting" | undefined;
  /** Is away from the keyboard, for this reason; is back if it is empty. */
  away(text: string, id?: RequestId): void;
  /** Asks for the last lines. */
  history(count: number, id?: RequestId): void;
  /** Asks for the last lines before one. */
  older(before: number, id?: RequestId): void;
  /** What the room is about, as its operators have said it; empty for nothing. */
  topic(): string;
  /** Shows what to compare with others, to be sure that they have the same history up to a line. Default: the last. */
  agree(seq?: number, id?: RequestId): void;
  /** Takes what the server says for the history, where that isn't what this client saw. */
  accept(id?: RequestId): void;
  /** Asks for the last lines that have these words in them. @param before Only those before that line. */
  search(words: string, id?: RequestId, before?: number): void;
  /** Offers a file to the room; resolves when it is offered. */
  send(file: Given, id?: RequestId): Promise<void>;
  /** Takes the file that was offered under that number. */
  get(offer: number, id?: RequestId): void;
  /** No longer takes, or offers, a file. */
  drop(offer: number, id?: RequestId): void;
  /** Gives up all names but the one that this client's person goes by. */
  release(id?: RequestId): void;
  /** The keepers of a sealed room, whose server can't read what is said; undefined in an open one. */
  keepers(): readonly Somebody[] | undefined;
  /** Asks for what only operators, or in a sealed room its keepers, may do. */
  operate(
    what: Operation | "keeper",
    who?: string,
    text?: string,
    count?: number,
    id?: RequestId,
  ): void;
  /**
   * What to compare with somebody in the room, by name or short id, to be sure of each other, and whether that was
   * done; undefined for somebody who isn't there.
   */
  verification(nameOrId: string): Verification | "yourself" | undefined;
  /** Remembers that somebody's digits were compared. @returns Whether there is such a one. */
  verify(nameOrId: string): boolean;
}

/** What two persons compare. */
export interface Verification {
  /** Two lines of digits, which both see in the same order. */
  readonly digits: readonly string[];
  /** Both ids whole, for a QR code. */
  readonly code: string;
  /** Whether it was done before. */
  readonly isVerified: boolean;
}

/** The actions of a session, of the files that go with it, and of what is remembered. */
export function actionsOf<Given>(
  session: Session,
  transfers: Transfers<Given>,
  known: Known,
): Actions<Given> {
  const find = (nameOrId: string) =>
    byNameOrId(session.conversation.present, nameOrId);
  const isSelf = ({ id }: Pick<Person, "id">) => id === session.id;
  return {
    find: (nameOrId) => find(nameOrId) ?? known.find(nameOrId),
    isSelf,
    numbers: (kind) =>
      kind === "offered" || kind === "taking"
        ? transfers.numbers(kind)
        : session.conversation.numbers(kind),
    inRoom: () => session.conversation.inRoom(),
    release: (id) => session.conversation.release(id),
    operate: (what, who = "", text = "", count = 0, id) =>
      session.conversation.operate(what, who, text, count, id),
    verification: (nameOrId) => {
      const member = find(nameOrId);
      if (!member) return undefined;
      if (isSelf(member)) return "yourself";
      const ids = [session.id, member.id].sort();
      return {
        digits: verification(session.id, member.id),
        code: ids.join("\n"),
        isVerified: known.isVerified(member),
      };
    },
    verify: (nameOrId) => {
      const member = find(nameOrId);
      if (member) known.verify(member);
      known.keep();
      return member !== undefined;
    },
    who: () => session.conversation.present,
    keepers: () => session.conversation.keepers,
    quit: (text) => session.leave(text),
    rename: (name, id) => session.conversation.rename(name, id),
    say: (text, id) => session.say(text, id),
    act: (text, id) => session.act(text, id),
    reply: (to, text, id) => session.reply(to, text, id),
    write: (to, text, id) => session.write(to, text, id),
    edit: (to, text, id) => session.change("edited", to, text, id),
    delete: (to, id) => session.change("deleted", to, "", id),
    react: (to, text, id) => session.change("reacted", to, text, id),
    lastOwn: () =>
      session.conversation.waiting > 0
        ? "waiting"
        : session.conversation.lastOwn,
    away: (text, id) => session.conversation.away(text, id),
    history: (count, id) =>
      session.conversation.search("", Math.min(count, MAX_HISTORY), id),
    older: (before, id) =>
      session.conversation.search("", OLDER_COUNT, id, before),
    topic: () => session.conversation.topic,
    agree: (seq, id) => session.conversation.agree(seq, id),
    accept: (id) => session.conversation.accept(id),
    search: (words, id, before) =>
      session.conversation.search(words, SEARCH_COUNT, id, before),
    send: (file, id) => transfers.send(session, file, id),
    get: (offer, id) => transfers.get(offer, id),
    drop: (offer, id) => transfers.drop(offer, id),
  };
}
