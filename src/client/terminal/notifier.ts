/**
 * Tells a person who looks elsewhere that something was said: by the bell, by a notification of the desktop, and by
 * the number in the window's title.
 *
 *     (3) 192.0.2.7:5000 – ana
 *
 * Output rules: nothing here moves the cursor, so it may be written at any time. What others wrote is escaped and cut.
 *
 * @module
 */

import { isSpoken } from "../../protocol/line.ts";
import { escapeText } from "../../base/safe_text.ts";
import type { News, RoomNews } from "../view.ts";
import { cut } from "./cells.ts";
import type { Features } from "./features.ts";
import type { Settings } from "./settings.ts";

const BELL = "\x07";
/** Asks the terminal to tell when it is looked at, and to keep its title; and to tell no more, and take it back. */
const BEGIN = "\x1b[?1004h\x1b[22;2t";
const END = "\x1b[?1004l\x1b]2;\x1b\\\x1b[23;2t";
/** The longest notification, the longest name in it, and the longest title, cells. */
const MAX_TEXT = 160;
const MAX_NAME = 32;
const MAX_TITLE = 100;

/** What a notifier is made of. */
export interface NotifierOptions {
  /** Writes to the terminal. */
  readonly write: (sequence: string) => void;
  /** What a person has set. */
  readonly settings: Settings;
  /** What the terminal can do. */
  readonly features: Features;
}

/** Draws a person's attention. */
export class Notifier {
  readonly #options: NotifierOptions;
  #focus: boolean | undefined; // whether the terminal is looked at; undefined until it says
  #unread = 0;
  #place: { readonly address: string; readonly name: string } | undefined; // the room, and the own name in it
  #title = ""; // that was written last

  /** Writes nothing before `begin`. */
  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Takes over the title, and asks to be told of the focus. */
  begin(): void {
    const { features, write } = this.#options;
    if (!features.sequences) return;
    write(BEGIN);
    this.#title = "";
    this.#showTitle();
  }

  /** Gives the title back. */
  end(): void {
    if (this.#options.features.sequences) this.#options.write(END);
  }

  /** The client is in a room, under a name. */
  enter(address: string, name: string): void {
    this.#place = { address, name };
    this.#showTitle();
  }

  /** The client goes by another name there. */
  rename(name: string): void {
    if (this.#place) this.#place = { ...this.#place, name };
    this.#showTitle();
  }

  /** The terminal is looked at from now on, or isn't. */
  focus(on: boolean): void {
    this.#focus = on;
    if (on) this.seen();
  }

  /** Everything so far has been seen, as by one who types. */
  seen(): void {
    this.#unread = 0;
    this.#showTitle();
  }

  /** Something is shown. @param isMention Whether the person is meant. */
  tell(news: News, isMention: boolean): void {
    if (!isForPerson(news)) return;
    const { features, settings, write } = this.#options;
    const wants = (key: "bell" | "notify") =>
      settings.get(key) === "all" ||
      (isMention && settings.get(key) === "mentions");
    const isAway = this.#focus === false;
    const { notifies } = features;
    if (isAway && notifies && wants("notify")) {
      write(notification(notifies, news.name, news.text));
    }
    // Where there are no notifications, the bell takes their place; "off" silences it all the same.
    const replaces = isAway && !notifies && wants("notify") &&
      settings.get("bell") !== "off";
    if (wants("bell") || replaces) write(BELL);
    if (this.#focus !== true) {
      this.#unread++;
      this.#showTitle();
    }
  }

  /** The title; empty before the client is in a room. */
  get #words(): string {
    if (!this.#place) return "";
    const { address, name } = this.#place;
    const count = this.#unread > 0 ? `(${this.#unread}) ` : "";
    return count + cut(escapeText(`${address} – ${name}`), MAX_TITLE);
  }

  #showTitle(): void {
    const { features, settings, write } = this.#options;
    if (!features.sequences) return;
    const title = settings.get("title") === "off" ? "" : this.#words;
    if (title !== this.#title) write(`\x1b]2;${title}\x1b\\`);
    this.#title = title;
  }
}

/** Whether somebody else has said something now, to all or to this person alone. */
function isForPerson(
  news: News,
): news is RoomNews | Extract<News, { type: "private" }> {
  if (news.type === "private") return !news.own;
  return "past" in news && !news.past && !news.own && isSpoken(news.type);
}

function notification(
  how: NonNullable<Features["notifies"]>,
  name: string,
  text: string,
): string {
  const said = cut(escapeText(text.replaceAll("\n", " ")), MAX_TEXT);
  // A semicolon would end the name, or make a command of one that is a number.
  const who = cut(escapeText(name), MAX_NAME).replaceAll(";", ",");
  return how === "osc9"
    ? `\x1b]9;${who}: ${said}\x1b\\`
    : `\x1b]777;notify;${who};${said.replaceAll(";", ",")}\x1b\\`;
}
