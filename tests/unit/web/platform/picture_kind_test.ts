import { assertEquals } from "../../../kit/assert.ts";
import { pictureKind } from "../../../../src/web/platform/picture_kind.ts";

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const be16 = (value: number) => [value >> 8, value & 255];
const le16 = (value: number) => [value & 255, value >> 8];
const le24 = (value: number) => [...le16(value & 0xffff), value >> 16];

const png = (width: number, height: number) => [
  ...ascii("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
  ...[0, 0, ...be16(width)],
  ...[0, 0, ...be16(height)],
];
const frame = (marker: number, width: number, height: number) => [
  ...[0xff, marker, 0, 11, 8],
  ...be16(height),
  ...be16(width),
];
const segment = (marker: number, length: number) => [
  ...[0xff, marker, ...be16(length)],
  ...Array(length - 2).fill(0xff),
];
const START = [0xff, 0xd8];
/** With a marker that has no length: who reads one comes to the small frame, and a decoder to the large one. */
const deceiving = (marker: number) => {
  const large = [...START, 0xff, marker, ...frame(0xc0, 22_000, 22_000)];
  const filler = Array(4 + 0xffc0 - large.length).fill(0);
  return [...large, ...filler, ...frame(0xc0, 8, 8)];
};
const gif = (version: string, flags: number, ...more: number[]) => [
  ...ascii(version),
  ...[...le16(30), ...le16(20), flags, 0, 0],
  ...Array(flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0).fill(0x2c),
  ...more,
];
const gifFrame = (width: number, height: number) => [
  ...[0x2c, ...le16(1), ...le16(2)],
  ...[...le16(width), ...le16(height)],
];
const webp = (kind: string, ...more: number[]) => [
  ...[...ascii("RIFF"), 0, 0, 0, 0],
  ...ascii(`WEBP${kind}`),
  ...[0, 0, 0, 0, ...more],
];

const PICTURES = [
  ["PNG", png(640, 480), "image/png", 640, 480],
  [
    "JPEG",
    [...START, ...segment(0xe0, 300), ...frame(0xc0, 640, 480)],
    "image/jpeg",
    640,
    480,
  ],
  [
    "JPEG, progressive, with fill bytes and tables",
    [
      ...START,
      ...segment(0xc4, 20),
      ...[0xff, 0xff],
      ...frame(0xc2, 64, 48),
    ],
    "image/jpeg",
    64,
    48,
  ],
  ["GIF87a", gif("GIF87a", 0, ...gifFrame(3, 4)), "image/gif", 30, 20],
  [
    "GIF89a with a table of colours, extensions and a frame larger than its screen",
    gif(
      "GIF89a",
      0x81,
      ...[0x21, 0xf9, 2, 0x2c, 0x2c, 1, 9, 0],
      ...gifFrame(300, 200),
    ),
    "image/gif",
    301,
    202,
  ],
  [
    "WebP, lossy",
    webp("VP8 ", 0, 0, 0, 0x9d, 1, 0x2a, ...le16(0x4000 | 640), ...le16(480)),
    "image/webp",
    640,
    480,
  ],
  [
    "WebP, lossless",
    webp("VP8L", 0x2f, 0x7f, 0xc2, 0x77, 0),
    "image/webp",
    640,
    480,
  ],
  [
    "WebP, extended",
    webp("VP8X", 0, 0, 0, 0, ...le24(99_999), ...le24(9)),
    "image/webp",
    100_000,
    10,
  ],
] as const;

for (const [name, bytes, type, width, height] of PICTURES) {
  Deno.test(`a picture's kind and size are read from its first bytes: ${name}`, () => {
    assertEquals(pictureKind(new Uint8Array(bytes)), { type, width, height });
  });
  Deno.test(`a picture that ends too early is none: ${name}`, () => {
    for (let size = 0; size < bytes.length; size++) {
      const start = new Uint8Array(bytes.slice(0, size));
      assertEquals(pictureKind(start), undefined, `${size} bytes`);
    }
  });
}

const OTHERS = [
  ["SVG", ascii('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
  ["HTML", ascii("<!doctype html><script>alert(1)</script>")],
  ["a PNG of no width", png(0, 480)],
  ["a JPEG without a frame", [...START, ...segment(0xe0, 300), 0xff, 0xd9]],
  ...[0x01, 0xd0, 0xd7].map((marker) =>
    [
      `a JPEG with marker ${marker}, behind which a decoder finds another frame`,
      deceiving(marker),
    ] as const
  ),
  ["a JPEG with a segment that has no length", [
    ...START,
    ...[0xff, 0xe0, 0, 1],
    ...frame(0xc0, 8, 8),
  ]],
  ["RIFF of another kind", [
    ...ascii("RIFF"),
    0,
    0,
    0,
    0,
    ...ascii("WAVEfmt "),
    ...Array(20).fill(1),
  ]],
  ["a GIF that never comes to a frame", gif("GIF89a", 0, 0x3b)],
  ["BMP", ascii("BM").concat(Array(60).fill(1))],
] as const;

for (const [name, bytes] of OTHERS) {
  Deno.test(`what is no picture is not taken for one: ${name}`, () => {
    assertEquals(pictureKind(new Uint8Array(bytes)), undefined);
  });
}
