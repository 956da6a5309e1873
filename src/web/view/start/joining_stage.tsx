/**
 * On the way into the room.
 *
 * @module
 */

import type { JSX } from "preact";
import { Heading } from "../kit/heading.tsx";
import { placeName } from "../kit/place_name.ts";
import { Told } from "../kit/told.tsx";
import { Notes } from "./notes.tsx";
import { QuestionDialog } from "./question_dialog.tsx";
import type { StageAt, StartApp } from "./start_props.ts";

/** Says that it goes on, and lets a person leave it. */
export function JoiningStage(
  { stage, app }: {
    readonly stage: StageAt<"joining">;
    readonly app: StartApp;
  },
): JSX.Element {
  return (
    <>
      <Heading takesFocus>
        Joining <Told text={placeName(stage.place)} />…
      </Heading>
      <div class="start-progress" role="presentation" />
      <Notes room={stage.room} />
      <button type="button" class="button" onClick={() => app.leave()}>
        Cancel
      </button>
      <QuestionDialog room={stage.room} />
    </>
  );
}
