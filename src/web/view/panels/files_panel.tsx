/**
 * The files that were offered in the room.
 *
 * @module
 */

import type { JSX } from "preact";
import type { Message, Row } from "../../rows.ts";
import { FileCard } from "../files/file_card.tsx";
import { Told } from "../kit/told.tsx";
import { dayTime } from "../kit/moments.ts";
import type { PanelProps } from "./panel_props.ts";

/** A card for each that is offered, the newest first. */
export function FilesPanel(
  { room, actions, settings }: PanelProps,
): JSX.Element {
  const offers = room.rows.value.filter(isOffer).toReversed();
  if (offers.length === 0) {
    return (
      <p class="panel-hint">
        No files were offered in what is shown. Send one by its button, by
        pasting it, or by dropping it on the page.
      </p>
    );
  }
  return (
    <ul class="panel-files">
      {offers.map(({ key, seq, name, at, own, offer }) => (
        <li key={key}>
          <p class="panel-hint">
            <Told text={name} />, {dayTime(at, settings.hour12)}
          </p>
          {offer && (
            <FileCard
              offer={offer}
              seq={seq}
              own={own}
              news={room.files.value.get(seq)}
              actions={actions}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

function isOffer(row: Row): row is Message {
  return row.kind === "message" && row.offer !== null && !row.deleted;
}
