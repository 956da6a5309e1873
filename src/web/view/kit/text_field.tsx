/**
 * A field for one line of text, with its label, what to know of it and what is wrong with it.
 *
 * @module
 */

import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

/** What a field is made of. */
export interface TextFieldProps {
  /** What is asked for. */
  readonly label: string;
  /** What stands in it. */
  readonly value: string;
  /** Something else was typed. */
  readonly onValue: (value: string) => void;
  /** What is wrong with what was given; empty for nothing. */
  readonly error?: string;
  /** What to know of it. */
  readonly hint?: ComponentChildren;
  /** Default: text. */
  readonly type?: "text" | "password";
  /** What a browser may fill in. Default: off. */
  readonly autocomplete?: "off" | "nickname" | "new-password";
  /** Whether the keyboard starts here. */
  readonly takesFocus?: boolean;
  /** The number of rows, where it may have several. */
  readonly rows?: number;
}

/** A field with its label. */
export function TextField(props: TextFieldProps): JSX.Element {
  const { label, value, onValue, error = "", hint } = props;
  const { takesFocus, type, rows } = props;
  const id = useId();
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    if (takesFocus || error !== "") field.current?.focus();
    if (takesFocus) field.current?.select();
  }, [takesFocus, error]);
  const common = {
    id,
    ref: field,
    class: "field",
    value,
    autofocus: takesFocus === true, // which a dialog looks for
    autocomplete: props.autocomplete ?? "off",
    spellcheck: false,
    autocapitalize: "off",
    "aria-invalid": error !== "",
    "aria-describedby": `${id}-error ${id}-hint`,
    onInput: () => onValue(field.current?.value ?? ""),
  } as const;
  return (
    <div class="start-field">
      <label for={id}>{label}</label>
      {rows !== undefined
        ? <textarea {...common} rows={rows} />
        : type === "password"
        ? <input {...common} type="password" />
        : <input {...common} type="text" />}
      <p class="start-error" id={`${id}-error`} role="alert">{error}</p>
      {hint !== undefined && <p class="panel-hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
