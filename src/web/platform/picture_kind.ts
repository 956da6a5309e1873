/**
 * What kind of picture some bytes are, and how large, by their own first bytes: a file's name and its sender prove
 * nothing. Looked at before anything is decoded, so that a small file can't become gigabytes of pixels.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";

/** The kinds that are shown. SVG isn't among them: it is a document, which may hold scripts. */
export type PictureType =
  | "image/gif"
  | "image/jpeg"
  | "image/png"
  | "image/webp";

/** What is known of a picture before it is decoded. */
export interface PictureKind {
  /** Its media type. */
  readonly type: PictureType;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

/** A picture's size, pixels. */
type Size = Omit<PictureKind, "type">;

/** The kind and size of a picture; undefined for what is none, or doesn't say its size where it should. */
export function pictureKind(bytes: Bytes): PictureKind | undefined {
  for (const [type, magic, sizeIn] of KINDS) {
    if (!startsWith(bytes, magic)) continue;
    try {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const size = sizeIn(view);
      return size && size.width > 0 && size.height > 0
        ? { type, ...size }
        : undefined;
    } catch (error) {
      if (error instanceof RangeError) return undefined; // it ends too early
      throw error;
    }
  }
  return undefined;
}

const KINDS: readonly [
  PictureType,
  string,
  (view: DataView) => Size | undefined,
][] = [
  ["image/png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", pngSize],
  ["image/jpeg", "\xff\xd8\xff", jpegSize],
  ["image/gif", "GIF87a", gifSize],
  ["image/gif", "GIF89a", gifSize],
  ["image/webp", "RIFF", webpSize],
];

function startsWith(bytes: Bytes, magic: string, at = 0): boolean {
  return [...magic].every((char, index) =>
    bytes[at + index] === char.charCodeAt(0)
  );
}

/** PNG (RFC 2083): the first chunk is the header. */
function pngSize(view: DataView): Size {
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/**
 * JPEG (ITU-T T.81, B.2): what stands before the frame are tables, applications' segments and comments, each with its
 * length. With any other marker there, a decoder might go on elsewhere than we do, and find another frame.
 */
function jpegSize(view: DataView): Size | undefined {
  for (let at = 2; view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    const length = view.getUint16(at + 2);
    if (isJpegFrame(marker)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    if (!isJpegSegment(marker) || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** SOF0 to SOF15, without DHT, JPG and DAC, which lie between them. */
function isJpegFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf &&
    ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** DHT, DAC, DQT, DRI, COM, and APP0 to APP15. */
function isJpegSegment(marker: number): boolean {
  return [0xc4, 0xcc, 0xdb, 0xdd, 0xfe].includes(marker) ||
    marker >= 0xe0 && marker <= 0xef;
}

/** GIF89a: the logical screen, and its first frame, which may be larger. */
function gifSize(view: DataView): Size | undefined {
  const screen = sizeAt(view, 6);
  for (let at = 13 + tableSize(view.getUint8(10));;) {
    const block = view.getUint8(at);
    if (block === 0x2c) {
      const left = sizeAt(view, at + 1);
      const frame = sizeAt(view, at + 5);
      return {
        width: Math.max(screen.width, left.width + frame.width),
        height: Math.max(screen.height, left.height + frame.height),
      };
    }
    if (block !== 0x21) return undefined;
    at += 2; // an extension: blocks with their lengths, until an empty one
    for (let length; (length = view.getUint8(at)) > 0;) at += 1 + length;
    at++;
  }
}

function sizeAt(view: DataView, at: number): Size {
  return {
    width: view.getUint16(at, true),
    height: view.getUint16(at + 2, true),
  };
}

/** Bytes of a table of colours. */
function tableSize(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** WebP (RFC 9649, section 2). */
function webpSize(view: DataView): Size | undefined {
  const tag = (at: number) =>
    String.fromCharCode(...[0, 1, 2, 3].map((it) => view.getUint8(at + it)));
  if (tag(8) !== "WEBP") return undefined;
  switch (tag(12)) {
    case "VP8 ": {
      const { width, height } = sizeAt(view, 26);
      return { width: width & 0x3fff, height: height & 0x3fff };
    }
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + (bits >> 14 & 0x3fff) };
    }
    case "VP8X":
      return { width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
  }
  return undefined;
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
}
