/**
 * Tells those who can't see the screen what is new, once, and not more than can be listened to.
 *
 * @module
 */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { escapeText } from "../../../base/safe_text.ts";
import type { RoomModel } from "../../room_model.ts";
import { formatSize } from "../../../protocol/offer.ts";
import type { Message, Row } from "../../rows.ts";

/** How much is told at a time: of more only how much it is. */
const MOST_TOLD = 3;
/** The longest text that is told, UTF-16 units. */
const MAX_TOLD = 300;

/** What is new, as a screen reader says it. */
export function Announcer({ room }: { room: RoomModel }): VNode {
  const [words, tell] = useState("");
  useEffect(() => {
    let last: Row | undefined = room.rows.peek().at(-1);
    return room.rows.subscribe((rows) => {
      const news = rowsBehind(rows, last).map(rowWords)
        .filter((words) => words !== "");
      last = rows.at(-1);
      if (news.length === 0) return;
      tell(
        news.length > MOST_TOLD
          ? `${news.length} new messages`
          : news.join("\n"),
      );
    });
  }, [room]);
  return <div class="visually-hidden" role="status" dir="auto">{words}</div>;
}

/** The rows that came after one that was the last. */
function rowsBehind(rows: readonly Row[], last: Row | undefined): Row[] {
  if (!last) return rows.slice(-1); // what was before is no news
  const news: Row[] = [];
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at];
    if (!row || row.key === last.key) break;
    if (row.order < last.order) break; // that one is gone
    news.unshift(row);
  }
  return news;
}

function rowWords(row: Row): string {
  switch (row.kind) {
    case "message":
      return row.own ? "" : `${escapeText(row.name)}: ${words(said(row))}`;
    case "private":
      return row.own
        ? ""
        : `Private from ${escapeText(row.name)}: ${words(row.text)}`;
    case "aside":
    case "note":
      return row.text;
    case "day":
    case "new":
      return "";
  }
}

/** What was said; a file as its name and size. */
function said({ offer, text }: Message): string {
  return offer ? `${offer.name}, ${formatSize(offer.size)}` : text;
}

function words(text: string): string {
  return escapeText(text.slice(0, MAX_TOLD).replaceAll("\n", " "));
}
