/**
 * Reads a QR code with a phone's camera, where the browser can: it takes a picture, and nothing else is asked for.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";

/** What reads codes in pictures, in browsers that have it (Barcode Detection API). */
interface CodeDetector {
  detect(picture: ImageBitmapSource): Promise<{ readonly rawValue: string }[]>;
}

/** Makes one. */
type DetectorClass = new (
  options: { readonly formats: readonly string[] },
) => CodeDetector;

/** What is done with a code. */
export interface ReadCodeProps {
  /** It was read. */
  readonly onText: (text: string) => void;
}

/** A button for the camera; nothing where the browser reads no codes: there the phone's own camera program does. */
export function ReadCode({ onText }: ReadCodeProps): JSX.Element | null {
  const file = useRef<HTMLInputElement>(null);
  const state = useSignal("");
  const Detector = (globalThis as { BarcodeDetector?: DetectorClass })
    .BarcodeDetector;
  if (!Detector) return null;
  const read = async (picture: File) => {
    state.value = "Reading it…";
    const text = await textIn(picture, new Detector({ formats: ["qr_code"] }));
    state.value = text === undefined
      ? "No code was found: take the picture closer, and without glare"
      : "The code was read";
    if (text !== undefined) onText(text);
  };
  return (
    <p class="panel-copy">
      <button
        type="button"
        class="button"
        onClick={() => file.current?.click()}
      >
        Read the code with the camera
      </button>
      <input
        ref={file}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={({ currentTarget }) => {
          const picture = currentTarget.files?.[0];
          if (picture) read(picture);
          currentTarget.value = "";
        }}
      />
      <span role="status" class="panel-hint">{state}</span>
    </p>
  );
}

/** The text of the code in a picture; undefined if there is none. */
async function textIn(
  picture: File,
  detector: CodeDetector,
): Promise<string | undefined> {
  try {
    const bitmap = await createImageBitmap(picture);
    const [code] = await detector.detect(bitmap);
    bitmap.close();
    return code?.rawValue;
  } catch {
    return undefined; // it is no picture, or the system has nothing that reads codes
  }
}
