/**
 * Who to be in the room.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { Heading } from "../kit/heading.tsx";
import { ImportForm } from "../kit/import_form.tsx";
import { placeName } from "../kit/place_name.ts";
import { TextField } from "../kit/text_field.tsx";
import { Told } from "../kit/told.tsx";
import type { StageAt, StartApp } from "./start_props.ts";

/** Asks for a name. */
export function NameStage(
  { stage, app }: { readonly stage: StageAt<"name">; readonly app: StartApp },
): JSX.Element {
  const name = useSignal(stage.name);
  const error = useSignal("");
  useLayoutEffect(() => {
    name.value = stage.name; // it changes with an identity that is brought here
    error.value = stage.error;
  }, [stage]);
  const others = stage.names.filter((it) => it !== name.value);
  return (
    <>
      <Heading>
        Join <Told text={placeName(stage.place)} />
      </Heading>
      <p class="start-kind">
        {stage.sealed
          ? "A sealed room: its server cannot read what is said."
          : "An open room: its server reads what is said, and nobody on the way does."}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const typed = name.value.trim();
          const joined = typed.replace(/\s+/g, "-");
          name.value = joined;
          error.value = typed === ""
            ? "Type a name"
            : joined !== typed
            ? "A name has no spaces. Would this one do?"
            : "";
          if (error.value === "") app.join(joined);
        }}
      >
        <TextField
          label="Your name"
          value={name.value}
          onValue={(value) => name.value = value}
          error={error.value}
          autocomplete="nickname"
          takesFocus
          hint={stage.names.includes(name.value)
            ? "This browser has the key for it."
            : "The others know you by it. It stays yours: this browser keeps the key for it."}
        />
        {others.length > 0 && (
          <div class="start-names" role="group" aria-label="Names you had here">
            {others.map((it) => (
              <button
                key={it}
                type="button"
                class="button"
                onClick={() => name.value = it}
              >
                <Told text={it} />
              </button>
            ))}
          </div>
        )}
        <button type="submit" class="button button-main">Join</button>
      </form>
      {!app.isKept.value && (
        <p class="start-warning">
          This browser keeps nothing, as in a private window: when you close the
          page your name is lost, and free again only after 90 days.
        </p>
      )}
      <details class="start-more">
        <summary>I have a name on another machine</summary>
        <ImportForm app={app} name={name.value} />
      </details>
      <button
        type="button"
        class="button-quiet start-back"
        onClick={() => app.again()}
      >
        Another room
      </button>
    </>
  );
}
