/**
 * Where to go.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { Heading } from "../kit/heading.tsx";
import { daysAgo } from "../kit/moments.ts";
import { placeName } from "../kit/place_name.ts";
import { TextField } from "../kit/text_field.tsx";
import { Told } from "../kit/told.tsx";
import type { RememberedRoom } from "../../stage.ts";
import type { StageAt, StartApp } from "./start_props.ts";

/** Asks for a link, or for a room where this browser was before. */
export function PlaceStage(
  { stage, app }: { readonly stage: StageAt<"place">; readonly app: StartApp },
): JSX.Element {
  const link = useSignal("");
  const { rooms, error } = stage;
  return (
    <>
      <Heading takesFocus={rooms.length > 0}>Open a room</Heading>
      {rooms.length > 0 && (
        <Rooms
          rooms={rooms}
          onChoose={app.goTo.bind(app)}
        />
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          app.goTo(link.value);
        }}
      >
        <TextField
          label={rooms.length > 0 ? "Another room's link" : "The room's link"}
          value={link.value}
          onValue={(value) => link.value = value}
          error={error}
          takesFocus={rooms.length === 0}
          hint="All of it, with what follows the #: the server prints it, or somebody in the room makes one as an invite. Keep it as you would a password."
        />
        <button type="submit" class="button button-main">Go on</button>
      </form>
    </>
  );
}

function Rooms(
  { rooms, onChoose }: {
    readonly rooms: readonly RememberedRoom[];
    readonly onChoose: (place: string) => void;
  },
): JSX.Element {
  return (
    <ul class="start-rooms" aria-label="Rooms where you were before">
      {rooms.map(({ place, last, sealed }) => (
        <li key={place}>
          <button
            type="button"
            class="start-choice"
            onClick={() => onChoose(place)}
          >
            <span class="start-choice-name">
              <Told text={placeName(place)} />
            </span>
            <span class="panel-hint">
              {[
                sealed ? "sealed" : "",
                last === undefined ? "" : `here ${daysAgo(last, Date.now())}`,
              ].filter(Boolean).join(", ")}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
