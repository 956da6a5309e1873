/**
 * Lets somebody in.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { counted, type NewsOf } from "../../../client/sentences.ts";
import { MAX_NOTE } from "../../../protocol/reasons.ts";
import { CopyButton } from "../kit/copy_button.tsx";
import { LastNote } from "../kit/last_note.tsx";
import { QrCode } from "../kit/qr_code.tsx";
import { TextField } from "../kit/text_field.tsx";
import { Told } from "../kit/told.tsx";
import { dayTime } from "../kit/moments.ts";
import type { PanelProps } from "./panel_props.ts";

/** Makes a link, and shows it with a code. */
export function InvitePanel(props: PanelProps): JSX.Element {
  const { room, actions, settings } = props;
  const note = useSignal("");
  const asked = useSignal(0);
  const before = useSignal(notFounding(room.invited.peek()));
  const invited = room.invited.value;
  const isMade = invited !== null && invited !== before.value;
  return (
    <>
      <p class="panel-hint">
        {actions.keepers()
          ? "Keepers of this room can make a link that lets in one person within 7 days."
          : "Operators can make a link that lets in one person within 7 days. If you are none, pass on the link by which you came, or ask one."}
      </p>
      <form
        class="panel-form"
        onSubmit={(event) => {
          event.preventDefault();
          before.value = room.invited.peek();
          asked.value = Date.now();
          actions.run(`/invite ${note.value.trim()}`.trim());
        }}
      >
        <TextField
          label="For whom it is"
          value={note.value}
          onValue={(value) => note.value = value}
          hint={`At most ${MAX_NOTE} characters, or nothing. It stands beside the link in /invites.`}
        />
        <button type="submit" class="button button-main">Make a link</button>
      </form>
      {isMade
        ? (
          <Link
            invited={invited}
            web={actions.webLink(invited.link)}
            hour12={settings.hour12}
          />
        )
        : asked.value > 0 && <LastNote room={room} since={asked.value} />}
    </>
  );
}

/** An invite that was made for somebody; null for the one that a founder's client made, which is still to be passed on. */
function notFounding(
  invited: NewsOf<"invited"> | null,
): NewsOf<"invited"> | null {
  return invited?.founding ? null : invited;
}

function Link(
  { invited, web, hour12 }: {
    readonly invited: NewsOf<"invited">;
    readonly web: string;
    readonly hour12: boolean | undefined;
  },
): JSX.Element {
  const { link, note, until, uses } = invited;
  return (
    <section class="panel-section">
      <h3>
        A link{note !== "" && (
          <>
            {" "}for <Told text={note.replace(/^for\s+/i, "")} />
          </>
        )}
      </h3>
      <p class="panel-hint">
        It lets in{" "}
        {uses === 0 ? "any number of persons" : counted(uses, "person")}
        {until !== null && `, until ${dayTime(until, hour12)}`}. Send it by a
        way that you trust: who has it is in.
      </p>
      <QrCode text={web} label="The link for browsers as a QR code" />
      <LinkText label="For a browser" text={web} />
      {link !== web && <LinkText label="For the terminal" text={link} />}
    </section>
  );
}

function LinkText(
  { label, text }: { readonly label: string; readonly text: string },
): JSX.Element {
  return (
    <div class="panel-link">
      <label>
        {label}
        <input
          class="field"
          readOnly
          value={text}
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <CopyButton text={text} label="Copy" />
    </div>
  );
}
