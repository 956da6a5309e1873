/**
 * What stands in the room, row by row.
 *
 * @module
 */

import { type Offer, parseOffer } from "../protocol/offer.ts";
import type { Reaction } from "../protocol/changes.ts";
import { isSpoken, type SpokenKind } from "../protocol/line.ts";
import type { Somebody } from "../client/person.ts";
import type { NewsOf } from "../client/sentences.ts";
import type { News, RoomNews } from "../client/view.ts";

/** What every row has. */
export interface Placed {
  /** Tells it from all others, for as long as it is there. */
  readonly key: string;
  /** Where it stands: a line's number; that of the line before for what has none. */
  readonly order: number;
  /** ms since 1970. */
  readonly at: number;
}

/** Something that somebody said to all; its texts are as they were written, not yet escaped. */
export interface Message extends Placed {
  /** Which kind of row it is. */
  readonly kind: "message";
  /** Its number. */
  readonly seq: number;
  /** How it was said. */
  readonly form: SpokenKind;
  /** The name by which it was done. */
  readonly name: string;
  /** The short id of its person. */
  readonly person: string;
  /** Whether this client's person said it. */
  readonly own: boolean;
  /** The present words; "" if it was deleted. */
  readonly text: string;
  /** The number of the message that it answers, else null. */
  readonly to: number | null;
  /** That message, where it is known; its text is "" if it was deleted. */
  readonly quoted?: RoomNews["quoted"];
  /** Whether it had other words. */
  readonly edited: boolean;
  /** Whether its author took it back. */
  readonly deleted: boolean;
  /** How people react to it, each person once, in order. */
  readonly reactions: readonly Reaction[];
  /** Whether this person is meant by it: by the name, or a word of its own. */
  readonly isMention: boolean;
  /** Whether its history isn't what this client saw, or can't be checked. */
  readonly isDoubted: boolean;
  /** The file that it offers, null for none. */
  readonly offer: Offer | null;
}

/** Something that somebody wrote to somebody alone. */
export interface Letter extends Placed {
  /** Which kind of row it is. */
  readonly kind: "private";
  /** The name by which it was done. */
  readonly name: string;
  /** The short id of its person. */
  readonly person: string;
  /** Its recipient. */
  readonly to: Somebody;
  /** Whether this client's person did it. */
  readonly own: boolean;
  /** The words. */
  readonly text: string;
  /** Set where it waits for its recipient to come back. */
  readonly isKept: boolean;
}

/** What happens in the room and isn't said: who came, left, took another name. */
export interface Aside extends Placed {
  /** Which kind of row it is. */
  readonly kind: "aside";
  /** A sentence, escaped. */
  readonly text: string;
  /** Whose deed it is. */
  readonly person: string;
  /** Whether this client's person did it. */
  readonly own: boolean;
}

/** How a note is meant. */
export type Tone = "plain" | "good" | "warning";

/** What this program tells. */
export interface Note extends Placed {
  /** Which kind of row it is. */
  readonly kind: "note";
  /** How it is meant. */
  readonly tone: Tone;
  /** Sentences, escaped; lines end with "\n". */
  readonly text: string;
}

/** A day begins, at the time `at` of the first row of it. */
export interface DayMark extends Placed {
  /** Which kind of row it is. */
  readonly kind: "day";
}

/** What follows is unread. */
export interface NewMark extends Placed {
  /** Which kind of row it is. */
  readonly kind: "new";
}

/** A row that is kept. */
export type KeptRow = Message | Letter | Aside | Note;

/** A row as it is shown. */
export type Row = KeptRow | DayMark | NewMark;

/** A line that was said and isn't in the log yet. */
export interface Pending {
  /** What its request is called. */
  readonly id: number;
  /** The words. */
  readonly text: string;
  /** The number of the message that it answers, else null. */
  readonly to: number | null;
  /** To whom alone it is, null for all. */
  readonly whom: Somebody | null;
  /** ms since 1970. */
  readonly at: number;
  /** Why it was not taken, as a sentence; empty while it is on its way. */
  readonly refused: string;
}

/** Whether news is of a line. */
export function isLine(news: News): news is RoomNews {
  return "seq" in news && news.type !== "entered";
}

/** Whether a line of the room is a message. */
export function isMessage(
  news: RoomNews,
): news is RoomNews & { readonly type: SpokenKind } {
  return isSpoken(news.type);
}

/** A message, as a line tells it. @param isMention Whether this person is meant. */
export function messageOf(
  news: RoomNews & { readonly type: SpokenKind },
  isMention = false,
): Message {
  const { type: form, seq, at, name, person, own, text, to, quoted, changed } =
    news;
  return {
    ...{ kind: "message", key: `m${seq}`, order: seq, seq, at, form },
    ...{ name, person, own, text, to, isMention },
    ...(quoted ? { quoted } : {}),
    edited: changed?.edited ?? false,
    deleted: changed?.deleted ?? false,
    reactions: changed?.reactions ?? [],
    isDoubted: (news.doubted ?? news.unchecked) === true,
    offer: form === "offered" ? parseOffer(text) : null,
  };
}

/** A private message. */
export function letterOf(
  { at, name, person, to, own, text, state }: NewsOf<"private">,
  key: string,
  order: number,
): Letter {
  const isKept = state === "waiting";
  return {
    ...{ kind: "private", key, order, at, name, person, to, own, text, isKept },
  };
}
