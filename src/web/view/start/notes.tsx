/**
 * What the program tells, outside of the room.
 *
 * @module
 */

import type { JSX } from "preact";
import type { RoomModel } from "../../room_model.ts";

/** Notes that are shown, the last. */
const MAX_NOTES = 5;

/** The last notes of a room; their texts are escaped there. */
export function Notes(
  { room }: { readonly room: Pick<RoomModel, "rows"> },
): JSX.Element {
  const notes = room.rows.value.filter((row) => row.kind === "note");
  return (
    <div role="status" class="start-notes">
      {notes.slice(-MAX_NOTES).map(({ key, text, tone }) => (
        <p key={key} class={`start-note start-note-${tone}`}>
          <bdi>{text}</bdi>
        </p>
      ))}
    </div>
  );
}
