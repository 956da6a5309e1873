/**
 * The part of `jsqr`, a QR code reader, that the tests use; the package's own types are for another module system.
 * Declares and runs nothing.
 *
 * @module
 */

/** The code in a picture, null if there is none; `data` has red, green, blue and alpha for each pixel. */
export default function jsQR(
  data: Uint8ClampedArray,
  width: number,
  height: number,
  options: { readonly inversionAttempts: "dontInvert" },
): { readonly data: string } | null;
