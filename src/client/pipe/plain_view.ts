/**
 * The view for pipes and files: plain lines for a person's `grep`. Every line of the input is a text; there are no
 * commands.
 *
 * Output rules: nothing is coloured and nothing is redrawn. What happens in the room goes to stdout, one event a
 * line, and what is about this program goes to stderr.
 *
 * @module
 */

import { PipeView } from "./pipe_view.ts";
import {
  awaySentence,
  inviteSentence,
  lineSentence,
  lostSentence,
  refusalSentence,
} from "../sentences.ts";
import type { News, RoomNews } from "../view.ts";
import { escapeText } from "../../base/safe_text.ts";
import { GOODBYES, wording } from "../../protocol/reasons.ts";

/** Plain text. Others' names and texts are escaped, so that the lines are safe on a terminal too. */
export class PlainView extends PipeView {
  /** Writes a piece of news: to stdout what happened in the room, to stderr the rest. */
  override show(news: News): void {
    if (news.type === "file") return; // only who can take a file hears of it
    if ("seq" in news && news.type !== "entered") {
      if (!isOwnMove(news)) this.print(plainEvent(news));
    } else if (news.type === "current") return; // each line has its time
    else if (news.type !== "found") this.complain(plainRemark(news));
    else for (const line of news.lines) this.print(plainEvent(line));
  }

  /** Writes the lines of the text to stderr. */
  override note(text: string): void {
    for (const line of text.split("\n")) this.complain(escapeText(line));
  }
}

/** Whether it is that this client's person was away meanwhile, which "Back in" says already. */
function isOwnMove({ type, own, past }: RoomNews): boolean {
  return own && past && (type === "joined" || type === "left");
}

function plainEvent(news: RoomNews): string {
  const time = new Date(news.at).toISOString();
  return `${time} ${lineSentence(news)}`;
}

function plainRemark(
  news: Exclude<News, RoomNews | { type: "current" | "file" | "found" }>,
): string {
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
      const seconds = Math.ceil(news.seconds);
      return `Not connected: ${reason}. Trying again in ${seconds} s`;
    }
    case "away-message":
      return awaySentence(news);
    case "invited":
      return inviteSentence(news);
  }
}
