/**
 * A sealed room, and a page from that room's own server.
 *
 * @module
 */

import type { JSX } from "preact";
import { CopyButton } from "../kit/copy_button.tsx";
import { Heading } from "../kit/heading.tsx";
import { SavePage } from "./save_page.tsx";
import type { StageAt } from "./start_props.ts";

/** Says why this page refuses, and how to come in by a saved one. */
export function SealedHereStage(
  { stage }: { readonly stage: StageAt<"sealed-here"> },
): JSX.Element {
  return (
    <>
      <Heading takesFocus>Open this room from a saved page</Heading>
      <p>
        The room is sealed: its server cannot read what is said. But this page
        came from that server, and who delivers the page could make it read
        along. A file that you saved and compared once stays as it is.
      </p>
      <ol class="start-steps">
        <li>
          <strong>Save the page</strong>, and see whether it is the right one.
          <SavePage from={stage.saveFrom} />
        </li>
        <li>
          <strong>Copy the link</strong> of the room.
          <p>
            <CopyButton text={stage.link} label="Copy the link" />
          </p>
        </li>
        <li>
          <strong>Open the saved file</strong>{" "}
          in your browser, by a double click or from the downloads, and paste
          the link there. Keep the file: you need it each time.
        </li>
      </ol>
    </>
  );
}
