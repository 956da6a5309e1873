/**
 * The view for pipes and files: plain lines for a person's `grep`. Every line of the input is a text; there are no
 * commands.
 *
 * Output rules: nothing is coloured and nothing is redrawn. What happens in the room goes to stdout, one event a
 * line, and what is about this program goes to stderr. Where nothing happens but what this program says, nothing is
 * written: cron mails nothing then.
 *
 * @module
 */

import { type PipeOptions, PipeView } from "./pipe_view.ts";
import {
  awaySentence,
  differenceSentence,
  inviteSentences,
  lostSentence,
  type NewsOf,
  nextAttempt,
  privateSentence,
  refusalSentence,
  unreadSentence,
} from "../sentences.ts";
import { lineSentence } from "../../protocol/told_line.ts";
import { warningSentence } from "../../sealed/warnings.ts";
import type { News, RoomNews } from "../view.ts";
import { escapeText } from "../../base/safe_text.ts";
import { GOODBYES, wording } from "../../protocol/reasons.ts";

/** What a plain view is made of. */
export interface PlainOptions extends PipeOptions {
  /** Whether a person types the input: then what was typed is shown as it is said. A program knows what it says. */
  readonly isTyped: boolean;
  /** Whether a person reads stderr: then joining is told, and what every newcomer is told. */
  readonly isWatched: boolean;
}

/** News that are about this program. */
type Remark = NewsOf<
  | "entered"
  | "refused"
  | "lost"
  | "disconnected"
  | "away-message"
  | "warning"
  | "history-differs"
  | "private-unread"
>;

/** Plain text. Others' names and texts are escaped, so that the lines are safe on a terminal too. */
export class PlainView extends PipeView {
  readonly #isTyped: boolean;
  readonly #isWatched: boolean;
  #isBack = false; // whether the client was in the room before

  /** Reads nothing until it is asked. */
  constructor(options: PlainOptions) {
    super(options);
    this.#isTyped = options.isTyped;
    this.#isWatched = options.isWatched;
  }

  /** Writes a piece of news: to stdout what happened in the room, to stderr the rest. */
  override show(news: News): void {
    switch (news.type) {
      case "file":
      case "taken":
      case "done":
      case "agreement":
        return; // only who can take, send or ask hears of it
      case "current":
        return; // each line has its time
      case "found":
        return news.lines.forEach((line) =>
          line.type === "warning"
            ? this.#remark(line)
            : this.print(plainEvent(line))
        );
      case "private":
        return this.print(`${timeOf(news)} ${privateSentence(news)}`);
      case "entered":
      case "refused":
      case "lost":
      case "disconnected":
      case "away-message":
      case "warning":
      case "history-differs":
      case "private-unread":
        return this.#remark(news);
      case "invited":
        // What a founder's client makes by itself is for the program that runs it.
        if (news.founding) return this.print(news.link);
        return inviteSentences(news).forEach((it) => this.complain(it));
      default:
        if (this.#isTyped || !news.mine) this.#line(news);
    }
  }

  /** Of what was before, who came and went is told only after a lost connection, and there not of oneself. */
  #line(news: RoomNews): void {
    const { type, own, past } = news;
    const isMove = type === "joined" || type === "left";
    const isUsual = past && isMove && (own || !this.#isBack);
    if (!isUsual) this.print(plainEvent(news));
  }

  #remark(news: Remark): void {
    if (news.type === "entered") this.#isBack = news.again;
    const isUsual = news.type === "entered" && !news.again;
    if (this.#isWatched || !isUsual) this.complain(plainRemark(news));
  }

  /** Writes what every newcomer is told to stderr, for a person. */
  greet(text: string): void {
    if (this.#isWatched) this.note(text);
  }

  /** Writes the lines of the text to stderr. */
  override note(text: string): void {
    for (const line of text.split("\n")) this.complain(escapeText(line));
  }
}

function plainEvent(news: RoomNews): string {
  return `${timeOf(news)} ${lineSentence(news)}`;
}

function timeOf({ at }: { readonly at: number }): string {
  return new Date(at).toISOString();
}

function plainRemark(news: Remark): string {
  switch (news.type) {
    case "entered": {
      const place = `${escapeText(news.address)} as ${escapeText(news.name)}`;
      return `${news.again ? "Back in" : "Joined"} ${place}`;
    }
    case "refused":
      return refusalSentence(news);
    case "lost":
      return lostSentence(news);
    case "disconnected": {
      const reason = escapeText(wording(GOODBYES, news.reason));
      return `Not connected: ${reason}. ${nextAttempt(news)}`;
    }
    case "away-message":
      return awaySentence(news);
    case "warning":
      return warningSentence(news);
    case "history-differs":
      return differenceSentence(news);
    case "private-unread":
      return unreadSentence(news);
  }
}
