/**
 * A button that copies a text.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";

/** What is copied. */
export interface CopyButtonProps {
  /** The text. */
  readonly text: string;
  /** What the button says: `Copy the link`. */
  readonly label: string;
}

/** Copies a text, and says whether that went well. */
export function CopyButton({ text, label }: CopyButtonProps): JSX.Element {
  const state = useSignal("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      state.value = "Copied";
    } catch {
      // The browser doesn't let the page: the text can still be selected.
      state.value = "Cannot copy here: select the text and copy it";
    }
  };
  return (
    <span class="panel-copy">
      <button type="button" class="button" onClick={copy}>{label}</button>
      <span role="status" class="panel-hint">{state}</span>
    </span>
  );
}
