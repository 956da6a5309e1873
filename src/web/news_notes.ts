/**
 * News that are told in a sentence of this program's, in the terminal's words.
 *
 * @module
 */

import {
  agreementSentence,
  differenceSentence,
  fileSentence,
  inviteSentence,
  lostSentence,
  refusalSentence,
  unreadSentence,
} from "../client/sentences.ts";
import type { News, RoomNews } from "../client/view.ts";
import { warningSentence } from "../sealed/warnings.ts";
import type { Tone } from "./rows.ts";

/** What is told, and how it is meant. */
export interface NewsNote {
  /** Escaped; empty for nothing. */
  readonly text: string;
  /** How it is meant. */
  readonly tone: Tone;
}

/** What is told of news; undefined for those that are shown in another way. */
export function noteOf(news: Exclude<News, RoomNews>): NewsNote | undefined {
  switch (news.type) {
    case "private-unread":
      return { text: unreadSentence(news), tone: "warning" };
    case "refused":
      return { text: refusalSentence(news), tone: "warning" };
    case "lost":
      return { text: lostSentence(news), tone: "warning" };
    case "history-differs":
      return { text: differenceSentence(news), tone: "warning" };
    case "warning":
      return { text: warningSentence(news), tone: "warning" };
    case "invited":
      return { text: inviteSentence(news), tone: "plain" };
    case "agreement":
      return { text: agreementSentence(news), tone: "plain" };
    case "file": {
      const isBad = news.state === "waiting" || news.state === "failed";
      return { text: fileSentence(news), tone: isBad ? "warning" : "plain" };
    }
    default:
      return undefined;
  }
}
