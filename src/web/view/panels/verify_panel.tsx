/**
 * What two persons compare to be sure of each other.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { QrCode } from "../kit/qr_code.tsx";
import { Told } from "../kit/told.tsx";
import type { PanelProps } from "./panel_props.ts";

/** Digits and a code, and a button that remembers that they are the same. */
export function VerifyPanel({ panels, actions }: PanelProps): JSX.Element {
  const isDone = useSignal(false);
  const person = actions.find(panels.about);
  const found = actions.verification(panels.about);
  if (!person || !found || found === "yourself") {
    return <p>This person is not here any more. Verify when you meet again.</p>;
  }
  const isVerified = isDone.value || found.isVerified;
  return (
    <>
      <p>
        You and{" "}
        <strong>
          <Told text={person.name} />
        </strong>{" "}
        see the same digits, if nobody is between you. Read them to each other,
        over the telephone or side by side; or compare the codes.
      </p>
      <p class="panel-digits">
        {found.digits.map((line) => (
          <span key={line}>
            {line.split(" ").map((group, at) => (
              <span key={at} class="panel-group">{`${group} `}</span>
            ))}
          </span>
        ))}
      </p>
      <QrCode text={found.code} label="The same as a QR code" />
      <p role="status">
        {isVerified &&
          "Remembered: you are warned if this name ever comes with another id."}
      </p>
      {!isVerified && (
        <button
          type="button"
          class="button button-main"
          onClick={() => isDone.value = actions.verify(panels.about)}
        >
          They are the same
        </button>
      )}
      {!isVerified && (
        <p class="panel-hint">
          If they differ, somebody may be between you: trust nothing that was
          said here, and ask who runs the server.
        </p>
      )}
    </>
  );
}
