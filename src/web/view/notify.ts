/**
 * Tells a person who looks elsewhere that something was said: by a notification, the number in the page's title and a
 * mark on its icon.
 *
 *     (3) 192.0.2.7:8080 – ana
 *
 * Output rules: what others wrote is escaped and cut. What a notification says is kept by the system, outside the
 * browser; so in a sealed room, and of private messages, it says who wrote and not what, unless the person chose that.
 *
 * @module
 */

import { effect, signal } from "@preact/signals";
import { escapeText } from "../../base/safe_text.ts";
import type { News, RoomNews } from "../../client/view.ts";
import { isSpoken } from "../../protocol/line.ts";
import type { RoomModel } from "../room_model.ts";
import { lineText } from "./kit/line_text.ts";
import { placeName } from "./kit/place_name.ts";
import type { PageSettings } from "../settings.ts";

/** The longest text and the longest name in a notification, characters. */
const MAX_TEXT = 160;
const MAX_NAME = 32;

/** The part of a room that the title tells of. */
export type NotifiedRoom = Pick<
  RoomModel,
  "address" | "standing" | "unread"
>;

/** What the browser shows outside of the page. */
export interface PageSurface {
  /** Whether the person looks elsewhere. */
  isHidden(): boolean;
  /** Sets the page's title, and whether its icon is marked. */
  entitle(title: string, isMarked: boolean): void;
  /** Shows a notification, if the person allows it. @param tag One of the same tag is replaced. */
  notify(title: string, text: string, tag: string): void;
}

/** A piece of news that somebody wrote. */
type Written = RoomNews | Extract<News, { type: "private" }>;

/** The title before one is in a room, and outside of it. */
export const PAGE_TITLE = "Encrypted chat";

/** Draws a person's attention. */
export class PageNotifier {
  readonly #settings: PageSettings;
  readonly #surface: PageSurface;
  readonly #room = signal<NotifiedRoom | undefined>(undefined);
  readonly #end: () => void;

  /** Shows the title from now on. */
  constructor(settings: PageSettings, surface: PageSurface) {
    this.#settings = settings;
    this.#surface = surface;
    this.#end = effect(() => {
      const room = this.#room.value;
      surface.entitle(titleOf(room), (room?.unread.value ?? 0) > 0);
    });
  }

  /** The person is in a room; undefined: in none. */
  follow(room: NotifiedRoom | undefined): void {
    this.#room.value = room;
  }

  /** Something is shown. @param isMention Whether the person is meant. */
  tell(news: News, isMention: boolean): void {
    if (!isForPerson(news) || !this.#surface.isHidden()) return;
    const isPrivate = news.type === "private";
    const wanted = this.#settings.get("notify");
    const isWanted = wanted === "all" ||
      (wanted === "mentions" && (isMention || isPrivate));
    if (!isWanted) return;
    const room = this.#room.peek();
    const sealed = room?.standing.peek().sealed === true;
    const shown = this.#settings.get("preview");
    const showsWords = shown === "on" ||
      (shown === "open" && !sealed && !isPrivate);
    this.#surface.notify(
      cut(news.name, MAX_NAME),
      showsWords ? wordsOf(news) : withoutWords(news),
      `${room?.address.peek()} ${news.person}`,
    );
  }

  /** Puts the title back. */
  close(): void {
    this.#end();
    this.#surface.entitle(PAGE_TITLE, false);
  }
}

/** The page's title: `(3) 192.0.2.7:8080 – ana`. */
function titleOf(room: NotifiedRoom | undefined): string {
  const { address, standing, unread } = room ?? {};
  if (!address?.value) return PAGE_TITLE;
  const place = placeName(address.value);
  const where = escapeText(`${place} – ${standing?.value.name}`);
  const count = unread?.value ?? 0;
  return count > 0 ? `(${count}) ${where}` : where;
}

/** Whether somebody else has said something now, to all or to this person alone. */
function isForPerson(news: News): news is Written {
  if (news.type === "private") return !news.own;
  return "past" in news && !news.past && !news.own &&
    isSpoken(news.type);
}

function wordsOf(written: Written): string {
  return cut(lineText(written).replaceAll("\n", " "), MAX_TEXT);
}

function withoutWords({ type }: Written): string {
  switch (type) {
    case "private":
      return "wrote to you alone";
    case "offered":
      return "offers a file";
    default:
      return "wrote a message";
  }
}

/** The start of a text, escaped. */
function cut(text: string, length: number): string {
  const characters = [...text];
  const start = escapeText(characters.slice(0, length).join(""));
  return characters.length > length ? `${start}…` : start;
}
