/**
 * How people react to a message, each way a button by which one joins in, or no longer does.
 *
 * @module
 */

import type { VNode } from "preact";
import { escapeText } from "../../../base/safe_text.ts";
import type { Message } from "../../rows.ts";
import type { RoomUi } from "./room_ui.ts";

/** The reactions to a message; nothing where nobody reacts. */
export function Reactions(
  { ui, message: { seq, reactions } }: { ui: RoomUi; message: Message },
): VNode | null {
  if (reactions.length === 0) return null;
  const self = ui.room.self.value;
  const ways = Map.groupBy(reactions, ({ text }) => text);
  return (
    <div class="reactions" role="group" aria-label="Reactions">
      {[...ways].map(([emoji, by]) => {
        const isOwn = by.some(({ person }) => person === self);
        const names = by.map(({ name }) => escapeText(name)).join(", ");
        return (
          <button
            key={emoji}
            type="button"
            class="reaction"
            tabIndex={-1}
            aria-pressed={isOwn}
            aria-label={`${escapeText(emoji)} ${by.length}: ${names}`}
            title={names}
            onClick={() => void ui.actions.react(seq, isOwn ? "" : emoji)}
          >
            <bdi>{escapeText(emoji)}</bdi> <span>{by.length}</span>
          </button>
        );
      })}
    </div>
  );
}
