/**
 * The stay has ended, or couldn't begin.
 *
 * @module
 */

import type { JSX } from "preact";
import { CopyButton } from "../kit/copy_button.tsx";
import { Heading } from "../kit/heading.tsx";
import { Told } from "../kit/told.tsx";
import type { StageAt, StartApp } from "./start_props.ts";

/** Says why, what to do, and what may be lost. */
export function OverStage(
  { stage, app }: { readonly stage: StageAt<"over">; readonly app: StartApp },
): JSX.Element {
  const { message, advice, lost } = stage;
  return (
    <>
      <Heading takesFocus>
        <Told text={message} />
      </Heading>
      {advice !== "" && (
        <p>
          <Told text={advice} />
        </p>
      )}
      {lost.length > 0 && (
        <section class="start-lost" aria-label="May not have been sent">
          <p>May not have been sent:</p>
          <ul>
            {lost.map((text, at) => (
              <li key={at}>
                <Told text={text} />
              </li>
            ))}
          </ul>
          <CopyButton text={lost.join("\n")} label="Copy all" />
        </section>
      )}
      <button
        type="button"
        class="button button-main"
        onClick={() => app.again()}
      >
        {advice === "" ? "Join again" : "Try again"}
      </button>
      <button
        type="button"
        class="button-quiet start-back"
        onClick={() => {
          app.again(); // to the name
          app.again(); // to the place
        }}
      >
        Another room
      </button>
    </>
  );
}
