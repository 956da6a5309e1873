/**
 * What this program is, and what it protects.
 *
 * @module
 */

import type { JSX } from "preact";
import { VERSION } from "../../../base/program.ts";
import type { PanelProps } from "./panel_props.ts";

/** The version, what is protected and what isn't, and how to see whether the page is the right one. */
export function AboutPanel({ actions }: PanelProps): JSX.Element {
  const isFromDisk = location.protocol === "file:";
  return (
    <>
      <p>Encrypted chat {VERSION}</p>
      <p>
        Nobody on the way can read or change what is said here: the page seals
        it, also against the quantum computers that may come. {actions.keepers()
          ? "The room is sealed, so its server cannot read it either; it sees who is here, when, and how much each says."
          : "The server of this open room reads what is said and keeps it; only private messages are sealed from it."}
        {" "}
        {isFromDisk
          ? "This page came from a file on your disk, which nobody changes for you."
          : "Who delivers this page could change it: where that matters, use a saved file."}
      </p>
      <section class="panel-section">
        <h3>Is it the right page?</h3>
        <p>
          A page can't vouch for itself. Save it, and compare the SHA-256 of the
          file with what <code>deno task page</code>{" "}
          prints in a copy of the program that you trust:
        </p>
        <pre class="start-command" tabIndex={0}>sha256sum chat.html</pre>
      </section>
    </>
  );
}
