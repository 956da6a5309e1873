/**
 * What a client tells its user, and what the user can say back: the seam between a session, which
 * knows the server, and the views (terminal, pipe, JSON lines), which know a person or a program.
 *
 * @module
 */

import type { Somebody } from "./person.ts";
import type { ToldLine } from "../protocol/told_line.ts";
import type { Warning } from "../sealed/warnings.ts";

/**
 * Why a private message isn't shown: it was altered, or isn't its sender's; it is too old; its time hasn't come; its
 * sender's card can't be had.
 */
export type Unreadable = "altered" | "old" | "early" | "unknown";

/** What a program calls a request of its own: the answers carry it. */
export type RequestId = string | number;

/** What answers a request may carry. */
export interface Answer {
  /** What the request was called that it answers, if anything. */
  readonly id?: RequestId | undefined;
}

/** Something that happened, for a view to show. Names and texts are as others wrote them: not yet escaped. */
export type News =
  | {
    /** This client is in the room. */
    readonly type: "entered";
    readonly address: string;
    readonly name: string;
    /** How many others are there. */
    readonly others: number;
    /**
     * The number and time (ms since 1970) of the joining; where others didn't see the client leave before, the number
     * of the last line so far.
     */
    readonly seq: number;
    readonly at: number;
    /** The short id of this client's person. */
    readonly person: string;
    /** How many messages are among the past events that follow, oldest first. */
    readonly earlier: number;
    /** Whether this is a return after a lost connection; then `earlier` are others' messages. */
    readonly again: boolean;
    /** Set where it returns by another of the room's servers. */
    readonly moved?: boolean;
    /** Lines that were typed meanwhile and are sent now. */
    readonly waiting: number;
  }
  | RoomNews
  | Answer & {
    /** A private message, from or to this client's person. */
    readonly type: "private";
    /** When it was written by its sender's clock, ms since 1970. */
    readonly at: number;
    /** The name of its sender, and the short id. */
    readonly name: string;
    readonly person: string;
    /** Its recipient. */
    readonly to: Somebody;
    readonly text: string;
    /** Whether this client's person wrote it, by whatever client. */
    readonly own: boolean;
    /** Of one that this client wrote: whether its recipient is here and has it, or it waits. */
    readonly state?: "delivered" | "waiting";
  }
  | {
    /** A private message isn't shown. */
    readonly type: "private-unread";
    /** Who sent it, as the server says. */
    readonly name: string;
    readonly person: string;
    readonly own: boolean;
    readonly reason: Unreadable;
  }
  | {
    /** All that was missed has been told, after `entered`: what follows happens now. */
    readonly type: "current";
  }
  | Answer & {
    /** What was asked for from the history, oldest first. */
    readonly type: "found";
    /** The words that were searched for; empty if the last lines were asked for. */
    readonly words: string;
    /** They; or, where one doesn't fit, what is said of it. */
    readonly lines: readonly (RoomNews | LineWarning)[];
    /** Whether there are older ones that were not sent, or might be. */
    readonly more: boolean;
    /** In a sealed room: the number from which on no line was left out. */
    readonly backTo?: number;
  }
  | Answer & {
    /** Somebody went away from the keyboard, with these words, or came back, without any. */
    readonly type: "away-message";
    readonly name: string;
    readonly person: string;
    readonly text: string;
    readonly own: boolean;
  }
  | Answer & {
    /** A line, or a name, was not taken: by the server, or because it can't be sent. */
    readonly type: "refused";
    readonly text: string;
    /** A key of `REFUSALS`. */
    readonly reason: string;
    /** What else there is to know of it; empty for nothing. */
    readonly detail: string;
  }
  | {
    /** The client ends, and it isn't known that this line of it is in the log. */
    readonly type: "lost";
    readonly text: string;
  }
  | Answer & {
    /** A file that is being taken: where it is by now. */
    readonly type: "file";
    /** The number of the offer. */
    readonly offer: number;
    /** Its name, as it was offered. */
    readonly name: string;
    /** Its size, and how much of it is here, bytes. */
    readonly size: number;
    readonly got: number;
    /** `begun` once, `taking` whenever there is another percent of it; `waiting` until it can go on. */
    readonly state: "begun" | "taking" | "waiting" | "taken" | "failed";
    /** Where it was saved; empty before it is `taken`. */
    readonly path: string;
    /** Why it is `waiting` or has `failed`, or why it is `taken` at once; else empty. */
    readonly reason: string;
    /** Whether asking again can help where it has `failed`. Default: yes. */
    readonly again?: boolean;
    /** Set where it has `failed` because this person no longer wants it. */
    readonly dropped?: boolean;
  }
  | {
    /** Somebody has a file whole that is offered here. */
    readonly type: "taken";
    /** The number of the offer. */
    readonly offer: number;
    /** The file's name. */
    readonly file: string;
    /** Who has it. */
    readonly name: string;
    readonly person: string;
    /** Always false; so that nothing of somebody who is ignored is shown. */
    readonly own: boolean;
  }
  | Answer & {
    /** A request that has no other answer at its end, or several, is done. */
    readonly type: "done";
  }
  | Answer & {
    /** An invite that was made for this client's person, as a link. */
    readonly type: "invited";
    readonly link: string;
    /** The same for browsers, where this client came by a web link and the other is none. */
    readonly web?: string;
    /** How many persons it lets in; 0: any number. */
    readonly uses: number;
    /** When it ends, ms since 1970; null: never. */
    readonly until: number | null;
    /** For whom it is, or what it is. */
    readonly note: string;
    /** Set for the one that a founder's client makes by itself. */
    readonly founding?: boolean;
  }
  | LineWarning
  | {
    /** The room's history isn't what this client saw. */
    readonly type: "history-differs";
    /** The number of the first line that differs, as far as is known. */
    readonly from: number;
    /** Whether it is the first; else lines before it may differ, too. */
    readonly exact: boolean;
    /** Set where the server doesn't tell any more what it told before. */
    readonly untold?: true;
  }
  | Answer & {
    /** What to compare with others, to be sure that they have the same history up to a line. */
    readonly type: "agreement";
    /** The line's number. */
    readonly upTo: number;
    /** Eight groups of five digits. */
    readonly digits: string;
  }
  | {
    /** The connection is lost; `seconds` until the next attempt, 0 where that is made at once. */
    readonly type: "disconnected";
    readonly reason: string;
    readonly seconds: number;
    /** Which of the room's servers is tried at once. */
    readonly next?: string;
  };

/** What becomes of a file that is being taken. */
export type FileNews = Extract<News, { type: "file" }>;

/** Something in a sealed room doesn't fit, and isn't shown as said. */
export type LineWarning = Warning & { readonly type: "warning" };

/** A line of the room. */
export interface RoomNews extends Answer, ToldLine {
  /** Set where this run of the client did it. */
  readonly mine?: boolean;
  /** Set while the history isn't what this client saw, and that isn't accepted. */
  readonly doubted?: true;
}

/** What a prompt shows of the session. */
export interface Standing {
  /** The name that the client goes by. */
  readonly name: string;
  /** Whether the client is connected, and in the room. */
  readonly connected: boolean;
  /** How many members are in the room, this client included; 0 while it isn't connected. */
  readonly members: number;
  /** Lines that were typed and are not yet in the server's log. */
  readonly waiting: number;
  /** Set in a sealed room. */
  readonly sealed?: boolean;
  /** Set while the history isn't what this client saw, and that isn't accepted. */
  readonly differs?: true;
}

/** Somebody who is in the room. */
export interface Present {
  /** The full id of its person, 32 bytes in base64url. */
  readonly id: string;
  /** By how many connections it is there. */
  readonly connections: number;
  /** The name that it goes by. */
  readonly name: string;
  /** The short id of the member's person, 16 characters. */
  readonly person: string;
  /** When it joined, ms since 1970. */
  readonly since: number;
  /** When it last said something that this client saw, ms since 1970; else when it joined. */
  readonly active: number;
  /** Why it is away from the keyboard; empty if it isn't. */
  readonly away: string;
}

/** What shows news to a person or a program, and asks it what must be known. */
export interface View {
  /** Shows a piece of news. */
  show(news: News): void;
  /** Shows where the client stands; called whenever that changes. */
  stand(standing: Standing): void;
  /** Tells something that is about this program rather than the room. @param id The request that it answers. */
  note(text: string, id?: RequestId): void;
  /** Tells that something that was asked for can't be done; left out where that is a note like others. */
  fail?(message: string, id?: RequestId): void;
  /** Tells what every newcomer is told; left out where that is a note like others. */
  greet?(text: string): void;
  /** Tells whether what is said waits at the server, which can't reach the room's others; left out where that is a note like others. */
  held?(is: boolean): void;
  /** How one leaves a question without an answer, as a sentence. Default: by typing /quit. */
  readonly leaving?: string;
  /** How a person's identity is copied from here, as the end of a sentence. Default: by the terminal's client. */
  readonly copying?: string;
  /** Asks a question and returns the answer, null if nobody can be asked, or the input has ended. */
  ask(question: string): Promise<string | null>;
}

/** A view of the terminal's program, which also hands over what is typed. */
export interface TypedView extends View {
  /**
   * Asks a question and returns the answer, null if nobody can be asked, or the input has ended.
   * @param preset What an empty answer stands for. Default: it doesn't count.
   */
  ask(question: string, preset?: string): Promise<string | null>;
  /** The lines that are typed, until the input ends. */
  lines(): AsyncIterable<string>;
  /** Clears the screen, where there is one. */
  clear?(): void;
  /** Whether anything that was asked for couldn't be done. Default: no. */
  readonly failedAny?: boolean;
  /** Puts the terminal back as it was. */
  close(): void;
}

/** Tells what people should read on coming in; as a note where a view has no place for that. */
export function greet(view: Pick<View, "note" | "greet">, text: string): void {
  if (view.greet) view.greet(text);
  else view.note(text);
}

/** Tells a view that something that was asked for can't be done. @param id The request. */
export function tellFailure(
  view: Pick<View, "note" | "fail">,
  message: string,
  id?: RequestId,
): void {
  if (view.fail) view.fail(message, id);
  else view.note(message, id);
}
