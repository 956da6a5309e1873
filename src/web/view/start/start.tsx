/**
 * What is shown before a person is in a room, and after.
 *
 * @module
 */

import type { JSX } from "preact";
import type { Stage } from "../../stage.ts";
import { Told } from "../kit/told.tsx";
import { InsecureStage } from "./insecure_stage.tsx";
import { JoiningStage } from "./joining_stage.tsx";
import { NameStage } from "./name_stage.tsx";
import { OverStage } from "./over_stage.tsx";
import { PlaceStage } from "./place_stage.tsx";
import { SealedHereStage } from "./sealed_here_stage.tsx";
import type { StartApp } from "./start_props.ts";

/** Every stage but the room's own. */
export function Start({ app }: { readonly app: StartApp }): JSX.Element {
  const stage = app.stage.value;
  return (
    <main class="start">
      <div class="start-card">
        <p class="start-brand">
          <Emblem />
          Encrypted chat
        </p>
        <StageView app={app} stage={stage} key={stage.at} />
        <div role="status">
          {app.notes.value.map((text, at) => (
            <p key={at} class="start-warning">
              <Told text={text} />
            </p>
          ))}
        </div>
      </div>
    </main>
  );
}

function StageView(
  { app, stage }: { readonly app: StartApp; readonly stage: Stage },
): JSX.Element | null {
  switch (stage.at) {
    case "insecure":
      return <InsecureStage stage={stage} />;
    case "place":
      return <PlaceStage stage={stage} app={app} />;
    case "name":
      return <NameStage stage={stage} app={app} />;
    case "joining":
      return <JoiningStage stage={stage} app={app} />;
    case "sealed-here":
      return <SealedHereStage stage={stage} />;
    case "over":
      return <OverStage stage={stage} app={app} />;
    case "starting": // which is over before anybody could read of it
    case "room":
      return null;
  }
}

/** A bubble with a keyhole. */
function Emblem(): JSX.Element {
  return (
    <svg class="start-emblem" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 3h20a5 5 0 0 1 5 5v11a5 5 0 0 1-5 5H15l-7 6v-6H6a5 5 0 0 1-5-5V8a5 5 0 0 1 5-5z" />
      <circle cx="16" cy="11.5" r="3" />
      <path class="start-keyhole" d="M14.7 13h2.6l1 6h-4.6z" />
    </svg>
  );
}
