/**
 * What becomes of a message when it is changed.
 *
 * @module
 */

import type { RoomNews } from "../client/view.ts";
import type { Message } from "./rows.ts";

/** A message after a change of it; as it was, if it may not be changed so. */
export function changeMessage(message: Message, by: RoomNews): Message {
  const { type, person, name, text } = by;
  if (message.deleted) return message;
  if (type === "reacted") {
    const others = message.reactions.filter((it) => it.person !== person);
    const reactions = text === ""
      ? others
      : [...others, { name, person, text }];
    return { ...message, reactions };
  }
  if (person !== message.person) return message;
  if (type === "deleted") {
    return { ...message, text: "", deleted: true, offer: null, reactions: [] };
  }
  return { ...message, text, edited: true };
}
