/**
 * What was said here and isn't in the log yet: on its way, waiting for the connection, or refused.
 *
 * @module
 */

import type { VNode } from "preact";
import { escapeText } from "../../../base/safe_text.ts";
import type { Pending } from "../../rows.ts";
import { Icon } from "./icons.tsx";
import { MessageText } from "./message_text.tsx";
import type { RoomUi } from "./room_ui.ts";

/** The rows for them. */
export function PendingRows(
  { ui, rows }: { ui: RoomUi; rows: readonly Pending[] },
): VNode {
  return <>{rows.map((row) => <PendingRow key={row.id} ui={ui} row={row} />)}
  </>;
}

function PendingRow({ ui, row }: { ui: RoomUi; row: Pending }): VNode {
  const { text, refused, whom } = row;
  const { connected } = ui.room.standing.value;
  return (
    <li class={`message is-own is-pending ${refused ? "is-refused" : ""}`}>
      <div class="bubble">
        {whom
          ? (
            <div class="byline">
              <Icon name="lock" /> Private: You to{" "}
              <bdi>{escapeText(whom.name)}</bdi>
            </div>
          )
          : <div class="visually-hidden">You:</div>}
        <MessageText text={text} />
        <span class="stamp">
          {refused === "" && (
            <>
              <Icon name="clock" /> {connected ? "sending" : "waiting"}
            </>
          )}
        </span>
        {refused !== "" && <Refused ui={ui} row={row} />}
      </div>
    </li>
  );
}

function Refused({ ui, row }: { ui: RoomUi; row: Pending }): VNode {
  const { id, refused } = row;
  const edit = () => {
    ui.room.dismiss(id);
    ui.box.retry(row);
  };
  return (
    <div class="refused">
      <p role="alert">{refused}</p>
      <button type="button" class="button" onClick={edit}>Edit</button>
      <button
        type="button"
        class="button button-quiet"
        onClick={() => ui.room.dismiss(id)}
      >
        Remove
      </button>
    </div>
  );
}
