/**
 * Takes an identity over that was exported on another machine.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { clientCommand } from "../../../base/program.ts";
import type { App } from "../../app.ts";
import { errorWords } from "./error_words.ts";
import { ReadCode } from "./read_code.tsx";
import { TextField } from "./text_field.tsx";

/** What the form needs. */
export interface ImportFormProps {
  /** Takes the identity. */
  readonly app: Pick<App, "importIdentity">;
  /** What stands as the name at first. */
  readonly name: string;
}

/** Asks for the text, its passphrase and the name. */
export function ImportForm({ app, name }: ImportFormProps): JSX.Element {
  const text = useSignal("");
  const passphrase = useSignal("");
  const called = useSignal(name);
  const error = useSignal("");
  const state = useSignal<"" | "opening" | "done">("");
  const take = async () => {
    error.value = "";
    state.value = "opening";
    try {
      await app.importIdentity(text.value, passphrase.value, called.value);
      text.value = passphrase.value = "";
      state.value = "done";
    } catch (reason) {
      error.value = errorWords(reason);
      state.value = "";
    }
  };
  return (
    <form
      class="panel-form"
      onSubmit={(event) => {
        event.preventDefault();
        take();
      }}
    >
      <ReadCode onText={(read) => text.value = read} />
      <TextField
        label="The text"
        value={text.value}
        onValue={(value) => text.value = value}
        rows={3}
        hint={`The other machine shows it under Identity, or by ${clientCommand()} --export. It begins with encrypted-chat-identity:`}
      />
      <TextField
        label="Its passphrase"
        type="password"
        value={passphrase.value}
        onValue={(value) => passphrase.value = value}
      />
      <TextField
        label="The name you had there"
        autocomplete="nickname"
        value={called.value}
        onValue={(value) => called.value = value}
        error={error.value}
      />
      <button type="submit" class="button" disabled={state.value === "opening"}>
        Take it over
      </button>
      <p role="status" class="panel-hint">
        {state.value === "opening"
          ? "Opening it…"
          : state.value === "done"
          ? "It is here now: join under that name."
          : ""}
      </p>
    </form>
  );
}
