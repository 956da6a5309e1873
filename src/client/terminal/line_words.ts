/**
 * What stands behind a name in a transcript: what was said, and what became of it since.
 *
 * @module
 */

import { formatSize, parseOffer } from "../../protocol/offer.ts";
import { DELETED, reactionWords } from "../../protocol/told_line.ts";
import type { RoomNews } from "../view.ts";
import {
  type Marking,
  remark,
  type TextLine,
  textLines,
  withRemark,
} from "./message_text.ts";

/** The lines behind the name in something that was said or edited. */
export function lineWords(news: RoomNews, marking: Marking): TextLine[] {
  const { type, changed } = news;
  if (changed?.deleted) return [remark(DELETED)];
  const text = type === "offered" ? offering(news) : news.text;
  let lines = textLines(text, marking);
  if (type === "edited" || changed?.edited) {
    lines = withRemark(lines, "(edited)");
  }
  const reactions = changed ? reactionWords(changed) : "";
  return reactions === "" ? lines : [...lines, remark(`[${reactions}]`)];
}

/** What an answer, or a change, is about, in short. */
export function answered({ type, to, quoted }: RoomNews): string {
  if (!quoted) return `message ${to}`;
  const text = quoted.text === "" ? DELETED : quoted.text;
  return type === "edited" ? `was: ${text}` : `${quoted.name}: ${text}`;
}

/** What is offered, and how it is taken. */
function offering({ text, seq, own }: RoomNews): string {
  const offer = parseOffer(text);
  if (!offer) return `offers ${text}`;
  const what = `offers ${offer.name} (${formatSize(offer.size)})`;
  return own ? what : `${what}; /get ${seq} downloads it`;
}
