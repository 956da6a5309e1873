/**
 * The page as a file: to save it, and to see whether it is the right one.
 *
 * @module
 */

import type { JSX } from "preact";

/** Saves the page, and says how to compare what was saved. @param from Where the server has it for saving. */
export function SavePage({ from }: { readonly from: string }): JSX.Element {
  return (
    <div class="start-save">
      <a class="button button-main" href={from} download="chat.html">
        Save chat.html
      </a>
      <details>
        <summary>Is it the right file?</summary>
        <p>
          Its SHA-256 must be the one that <code>deno task page</code>{" "}
          prints in a copy of the program that you trust, or that somebody you
          trust tells you. This shows that of the saved file:
        </p>
        <pre class="start-command" tabIndex={0}>sha256sum chat.html</pre>
        <p class="panel-hint">
          macOS: <code>shasum -a 256 chat.html</code>; Windows:{" "}
          <code>certutil -hashfile chat.html SHA256</code>
        </p>
      </details>
    </div>
  );
}
