/**
 * QR codes in a terminal: what is drawn is turned into the picture that a camera would see, and read by two decoders,
 * the library's own and one that has nothing to do with it.
 *
 * @module
 */

// @ts-types="../../kit/types/jsqr.d.ts"
import jsQR from "jsqr";
import { decodeQR } from "qr/decode.js";
import { qrLines } from "../../../src/base/qr.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

/** A link of 150 characters. */
const LINK = `chat://${"chat.some-long-name.some-department.example"}:50123/#` +
  "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQECAwQF" +
  "_k7_-Q3_x__8Zb__t_0_____Yw__9R_______p_____8";

/** A module's side, and the empty screen around the code, pixels. */
const MODULE = 4;
const MARGIN = 10 * MODULE;

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha, a byte each. */
  readonly data: Uint8ClampedArray;
}

/** The lines on a terminal, in one grey on another: half a character is a module. */
function draw(lines: readonly string[], light: number, dark: number): Picture {
  const columns = [...lines[0] ?? ""].length;
  const width = columns * MODULE + 2 * MARGIN;
  const height = lines.length * 2 * MODULE + 2 * MARGIN;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor((y - MARGIN) / MODULE);
      const column = Math.floor((x - MARGIN) / MODULE);
      const character = [...lines[Math.floor(row / 2)] ?? ""][column] ?? " ";
      const isLight = (row % 2 === 0 ? "▀█" : "▄█").includes(character);
      data.fill(
        isLight ? light : dark,
        4 * (y * width + x),
        4 * (y * width + x) + 3,
      );
    }
  }
  return { width, height, data };
}

/** What each of the decoders reads. */
function read({ width, height, data }: Picture): (string | undefined)[] {
  const options = { inversionAttempts: "dontInvert" } as const;
  return [
    // No deadline: a busy machine reads the same.
    decodeQR({ width, height, data }, { timeLimit: Infinity }),
    jsQR(data, width, height, options)?.data,
  ];
}

Deno.test("qrLines() draws what decoders read on a dark terminal", () => {
  assertEquals(LINK.length, 150);
  for (const text of [LINK, "chat://[::1]:5000/#AQEB", "a", "Grüße, 世界 🙂"]) {
    const lines = qrLines(text);
    assertEquals(read(draw(lines, 0xff, 0)), [text, text]);
    assertEquals(read(draw(lines, 0xcc, 0x22)), [text, text]); // greys, as many terminals have
  }
});

Deno.test("qrLines() gives lines of one width, of blocks and spaces, and few", () => {
  const lines = qrLines(LINK);
  assertEquals(lines.length, 25);
  assertEquals(new Set(lines.map((line) => line.length)), new Set([49]));
  assert(lines.every((line) => /^[█▀▄ ]+$/.test(line)));
  assertEquals(qrLines("x".repeat(134)).length, 23);
});

Deno.test("qrLines() leaves a light margin of two modules", () => {
  const lines = qrLines(LINK);
  const full = "█".repeat(49);
  assertEquals([lines[0], lines.at(-1)], [full, full]);
  assert(lines.every((line) => line.startsWith("██") && line.endsWith("██")));
  // The first finder pattern: a ring of dark modules, a ring of light ones, a dark square.
  assertEquals(lines.slice(1, 5).map((line) => line.slice(2, 9)), [
    " ▄▄▄▄▄ ",
    " █   █ ",
    " █▄▄▄█ ",
    "▄▄▄▄▄▄▄",
  ]);
});

Deno.test("qrLines() takes 2,953 bytes and refuses more", () => {
  assertEquals(qrLines("x".repeat(2_953)).length, 91);
  assertThrows(
    () => qrLines("x".repeat(2_954)),
    RangeError,
    "Cannot draw a QR code: the text is too long",
  );
});
