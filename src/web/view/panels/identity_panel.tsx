/**
 * Who one is here, and how to take that to another machine.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { spokenId } from "../../../crypto/person_id.ts";
import { MIN_PASSPHRASE } from "../../../keys/exported_identity.ts";
import { CopyButton } from "../kit/copy_button.tsx";
import { errorWords } from "../kit/error_words.ts";
import { ImportForm } from "../kit/import_form.tsx";
import { QrCode } from "../kit/qr_code.tsx";
import { TextField } from "../kit/text_field.tsx";
import { Told } from "../kit/told.tsx";
import type { PanelProps } from "./panel_props.ts";

/** The own id; export and import. */
export function IdentityPanel({ room, app }: PanelProps): JSX.Element {
  const { name } = room.standing.value;
  return (
    <>
      <p>
        You are{" "}
        <strong>
          <Told text={name} />
        </strong>
        <br />
        <span class="panel-id">{spokenId(room.self.value)}</span>
      </p>
      <p class="panel-hint">
        {app.isKept.value
          ? "The key that makes you this person is in this browser alone. If its data are deleted, it is gone, and its names are free only after 90 days: keep a copy."
          : "This browser keeps nothing: the key that makes you this person is gone when you close the page. Keep a copy."}
      </p>
      <section class="panel-section">
        <h3>Take it to a phone or another machine</h3>
        <Export app={app} />
      </section>
      <details class="panel-section">
        <summary>Bring an identity here</summary>
        <ImportForm app={app} name="" />
      </details>
    </>
  );
}

function Export({ app }: Pick<PanelProps, "app">): JSX.Element {
  const passphrase = useSignal("");
  const repeated = useSignal("");
  const error = useSignal("");
  const isBusy = useSignal(false);
  const text = useSignal("");
  if (text.value !== "") return <Exported text={text.value} />;
  const make = async () => {
    if (passphrase.value !== repeated.value) {
      error.value = "The two are not the same: type the passphrase again";
      return;
    }
    error.value = "";
    isBusy.value = true;
    try {
      text.value = await app.exportIdentity(passphrase.value);
      passphrase.value = repeated.value = "";
    } catch (reason) {
      error.value = errorWords(reason);
    }
    isBusy.value = false;
  };
  return (
    <form
      class="panel-form"
      onSubmit={(event) => {
        event.preventDefault();
        make();
      }}
    >
      <TextField
        label="A passphrase for it"
        type="password"
        autocomplete="new-password"
        value={passphrase.value}
        onValue={(value) => passphrase.value = value}
        hint={`At least ${MIN_PASSPHRASE} characters; a few random words are best. You type it on the other machine.`}
      />
      <TextField
        label="The passphrase again"
        type="password"
        autocomplete="new-password"
        value={repeated.value}
        onValue={(value) => repeated.value = value}
        error={error.value}
      />
      <button type="submit" class="button" disabled={isBusy.value}>
        {isBusy.value ? "Sealing it…" : "Show it as text and code"}
      </button>
    </form>
  );
}

function Exported({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      <p>
        Who has this and the passphrase is you. On the phone, open the room's
        link, choose “I have a name on another machine”, and read the code
        there, or paste what its camera program reads.
      </p>
      <QrCode text={text} label="Your identity as a QR code" />
      <textarea
        class="field panel-text"
        readOnly
        rows={4}
        aria-label="Your identity as text"
        value={text}
      />
      <CopyButton text={text} label="Copy the text" />
    </>
  );
}
