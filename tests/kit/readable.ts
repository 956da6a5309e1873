/**
 * What can be read in bytes: texts, in whatever form they may stand there.
 *
 * @module
 */

import { type Bytes, concat } from "../../crypto_utils.ts";

const encoder = new TextEncoder();

/** The ways in which bytes may stand in others, as Latin-1 text. */
export function forms(bytes: Uint8Array): string[] {
  const latin1 = new TextDecoder("latin1");
  const hex = bytes.toHex();
  const base64 = [0, 1, 2].map((shift) => {
    const whole = concat(new Uint8Array(shift), bytes).toBase64();
    const inner = whole.replace(/.?=+$/, "");
    return inner.slice(shift === 0 ? 0 : shift + 1);
  });
  return [
    latin1.decode(bytes),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/** A text in UTF-16. */
export function utf16(text: string, littleEndian: boolean): Bytes {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let at = 0; at < text.length; at++) {
    view.setUint16(at * 2, text.charCodeAt(at), littleEndian);
  }
  return new Uint8Array(view.buffer);
}

/** Which of the texts can be read in the bytes, in any form. */
export function readable(texts: readonly string[], haystack: Bytes): string[] {
  const seen = new TextDecoder("latin1").decode(haystack);
  return texts.filter((text) =>
    [encoder.encode(text), utf16(text, true), utf16(text, false)]
      .flatMap(forms).some((form) => seen.includes(form))
  );
}
