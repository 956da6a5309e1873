/**
 * A dialog over the page: the browser keeps the focus in it, Escape closes it, and the focus goes back to where it was.
 *
 * @module
 */

import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

/** What a dialog is made of. */
export interface DialogProps {
  /** Its heading. */
  readonly title: string;
  /** Classes beside `dialog`. */
  readonly class?: string;
  /** What its button for closing says to those who can't see it. Default: Close. */
  readonly closeLabel?: string;
  /** It is to be gone: the one who shows it takes it away. */
  readonly onClose: () => void;
  /** What stands in it. */
  readonly children: ComponentChildren;
}

/** A dialog that is open as long as it is shown. */
export function Dialog(props: DialogProps): JSX.Element {
  const { title, closeLabel = "Close", onClose, children } = props;
  const heading = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const isShown = useRef(false);
  useLayoutEffect(() => {
    const { current } = dialog;
    isShown.current = true;
    current?.showModal();
    return () => {
      isShown.current = false;
      current?.close(); // which gives the focus back
      restoreCaret();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={heading}
      onClose={() => isShown.current && onClose()}
      onCancel={(event) => {
        if (event.target !== dialog.current) return; // that of a file field in it
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        // What is around the dialog belongs to it, too; all that is in it lies within its only child.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-frame">
        <header class="dialog-head">
          <h2 id={heading} class="dialog-title">{title}</h2>
          <button
            type="button"
            class="button-quiet dialog-close"
            aria-label={closeLabel}
            onClick={onClose}
          >
            <svg
              class="icon dialog-close-cross"
              viewBox="0 0 20 20"
              aria-hidden
            >
              <path d="M5 5l10 10M15 5L5 15" />
            </svg>
            <svg class="icon dialog-close-back" viewBox="0 0 20 20" aria-hidden>
              <path d="M17 10H4M9.5 4.5L4 10l5.5 5.5" />
            </svg>
          </button>
        </header>
        {/* By the keyboard, too, all of it can be scrolled to. */}
        <div class="dialog-body" tabIndex={0}>{children}</div>
      </div>
    </dialog>
  );
}

/** A field may have the focus back without the caret, and then takes no letters. */
function restoreCaret(): void {
  const field = document.activeElement;
  if (!(field instanceof HTMLTextAreaElement)) return;
  field.setSelectionRange(field.selectionStart, field.selectionEnd);
}
