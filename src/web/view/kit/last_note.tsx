/**
 * What the program told last, for a panel that lies over the room.
 *
 * @module
 */

import type { JSX } from "preact";
import type { RoomModel } from "../../room_model.ts";

/** What is looked at. */
export interface LastNoteProps {
  /** Where notes are. */
  readonly room: Pick<RoomModel, "rows">;
  /** From when on, ms since 1970. */
  readonly since: number;
}

/** The last note that was told since something was asked for; its text is escaped in the room. */
export function LastNote({ room, since }: LastNoteProps): JSX.Element {
  const note = room.rows.value.findLast((row) =>
    row.kind === "note" && row.at >= since
  );
  return (
    <p role="status" class="panel-hint">
      {note?.kind === "note" && <bdi>{note.text}</bdi>}
    </p>
  );
}
