/**
 * Pictures, made pixel by pixel.
 *
 * @module
 */

import { crc32, deflateSync } from "node:zlib";
import { type Bytes, concat } from "../../crypto_utils.ts";
import { utf8 } from "./bytes.ts";

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

const SIGNATURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);

function chunk(type: string, data: Bytes): Bytes {
  const body = concat(utf8(type), data);
  const frame = new DataView(new ArrayBuffer(body.length + 8));
  frame.setUint32(0, data.length);
  new Uint8Array(frame.buffer).set(body, 4);
  frame.setUint32(body.length + 4, crc32(body));
  return new Uint8Array(frame.buffer);
}

/** A picture as PNG. @param colourAt The colour of a pixel, from the left and from the top. */
export function png(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => Colour,
): Bytes {
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, 8); // bits a sample
  head.setUint8(9, 2); // red, green, blue
  const line = 3 * width + 1; // its filter, none, comes first
  const rows = new Uint8Array(line * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows.set(colourAt(x, y), y * line + 1 + 3 * x);
    }
  }
  return concat(
    SIGNATURE,
    chunk("IHDR", new Uint8Array(head.buffer)),
    chunk("IDAT", new Uint8Array(deflateSync(rows))),
    chunk("IEND", new Uint8Array()),
  );
}
