/**
 * Frames of a browser's, taken apart: whole, split and byte by byte, and all that break the rules.
 *
 * @module
 */

import { type Bytes, concat } from "../../../../crypto_utils.ts";
import {
  CloseCode,
  FrameError,
  FrameReader,
  MAX_FRAME_SIZE,
} from "../../../../src/server/web/frame_reader.ts";
import { assertEquals, assertThrows } from "../../../kit/assert.ts";
import { bytewiseFrames, frame, TYPE } from "../../../kit/web_socket.ts";

const encoder = new TextEncoder();

/** Bytes of which none is like the one 256 before it. */
function bytesOf(size: number): Bytes {
  return Uint8Array.from({ length: size }, (_, at) => at * 7 + (at >> 8));
}

/** What a reader makes of bytes that come in pieces of a size. */
function taken(bytes: Bytes, size: number) {
  const reader = new FrameReader();
  const payload = new Uint8Array(bytes.length);
  let length = 0;
  const pings: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.slice(at, at + size);
    const kept = reader.take(piece);
    payload.set(piece.subarray(0, kept), length);
    length += kept;
    pings.push(reader.takePing());
  }
  const all = pings.filter((it) => it !== undefined);
  const { closed } = reader;
  return { payload: payload.slice(0, length), pings: all, closed };
}

Deno.test("FrameReader reads the masked examples of RFC 6455", () => {
  const ping = Uint8Array.fromHex("898537fa213d7f9f4d5158");
  const { pings } = taken(ping, ping.length);
  assertEquals(pings, [encoder.encode("Hello")]);
  // The masked text of section 5.7, as binary.
  const hello = Uint8Array.fromHex("828537fa213d7f9f4d5158");
  assertEquals(taken(hello, hello.length).payload, encoder.encode("Hello"));
});

Deno.test("FrameReader hands on the payloads in order, however frames and messages are cut", () => {
  const payload = bytesOf(300_000);
  const message = concat(
    frame(TYPE.binary, payload.subarray(0, 125)),
    frame(TYPE.binary, payload.subarray(125, 251)),
    frame(TYPE.binary, new Uint8Array(0), { goesOn: true }),
    frame(TYPE.more, payload.subarray(251, 65_786), { goesOn: true }),
    frame(TYPE.ping, encoder.encode("there?")),
    frame(TYPE.more, payload.subarray(65_786, 131_322), { goesOn: true }),
    frame(TYPE.pong),
    frame(TYPE.more),
    bytewiseFrames(payload.subarray(131_322, 131_400)),
    frame(TYPE.binary, payload.subarray(131_400)),
    frame(TYPE.close, Uint8Array.of(0x03, 0xe8, 0x62, 0x79, 0x65)),
    frame(TYPE.binary, payload), // comes too late
  );
  for (const size of [message.length, 65_536, 4_096, 17, 1]) {
    const { payload: read, pings, closed } = taken(message, size);
    assertEquals(read.length, payload.length, `in pieces of ${size}`);
    assertEquals(read, payload);
    assertEquals(pings, [encoder.encode("there?")]);
    assertEquals(closed, CloseCode.normal);
  }
});

Deno.test("FrameReader keeps the last of several pings, and says once that it came", () => {
  const reader = new FrameReader();
  reader.take(
    concat(
      ...["one", "two"].map((it) => frame(TYPE.ping, encoder.encode(it))),
    ),
  );
  assertEquals(reader.takePing(), encoder.encode("two"));
  assertEquals(reader.takePing(), undefined);
});

Deno.test("FrameReader knows a frame that is closed without a code, and those codes that may be", () => {
  const closing = (...bytes: number[]) => {
    const all = frame(TYPE.close, Uint8Array.from(bytes));
    return taken(all, all.length).closed;
  };
  assertEquals(closing(), CloseCode.none);
  for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
    assertEquals(closing(code >> 8, code & 255), code);
  }
});

const broken: Readonly<Record<string, readonly [Bytes, number]>> = {
  "text": [frame(TYPE.text, encoder.encode("hi")), 1003],
  "an unmasked frame": [
    frame(TYPE.binary, Uint8Array.of(1), { isBare: true }),
    1002,
  ],
  "an unmasked ping": [frame(TYPE.ping, undefined, { isBare: true }), 1002],
  "a reserved bit": [frame(TYPE.binary, undefined, { reserved: 4 }), 1002],
  "another one": [frame(TYPE.binary, undefined, { reserved: 1 }), 1002],
  "a reserved type": [frame(3), 1002],
  "a reserved control type": [frame(11), 1002],
  "what goes on with nothing": [frame(TYPE.more), 1002],
  "a message within another": [
    concat(
      frame(TYPE.binary, undefined, { goesOn: true }),
      frame(TYPE.binary),
    ),
    1002,
  ],
  "a ping in parts": [frame(TYPE.ping, undefined, { goesOn: true }), 1002],
  "a ping that is too long": [frame(TYPE.ping, new Uint8Array(126)), 1002],
  "a closing that is too long": [frame(TYPE.close, new Uint8Array(126)), 1002],
  "a closing with half a code": [frame(TYPE.close, Uint8Array.of(3)), 1002],
  "a code that is never sent": [
    frame(TYPE.close, Uint8Array.of(0x03, 0xed)),
    1002,
  ],
  "a code that means nothing": [
    frame(TYPE.close, Uint8Array.of(0x08, 0x00)),
    1002,
  ],
  "a closing whose words are no UTF-8": [
    frame(TYPE.close, Uint8Array.of(0x03, 0xe8, 0xff)),
    1002,
  ],
  "a short length in two bytes": [
    frame(TYPE.binary, new Uint8Array(125), { lengthBits: 16 }),
    1002,
  ],
  "a middling length in eight bytes": [
    frame(TYPE.binary, new Uint8Array(65_535), { lengthBits: 64 }),
    1002,
  ],
  "a frame that is too long": [
    frame(TYPE.binary, undefined, { length: MAX_FRAME_SIZE + 1 }),
    1009,
  ],
  "a frame of four gibibytes": [
    frame(TYPE.binary, undefined, { length: 2 ** 32 }),
    1009,
  ],
  "a frame longer than any": [
    Uint8Array.of(0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255),
    1009,
  ],
};

for (const [what, [bytes, code]] of Object.entries(broken)) {
  Deno.test(`FrameReader refuses ${what}, whole and byte by byte`, () => {
    for (const size of [bytes.length, 1]) {
      const error = assertThrows(() => taken(bytes, size), FrameError);
      assertEquals((error as FrameError).code, code);
    }
  });
}

Deno.test("FrameReader takes a frame of the longest size, in pieces", () => {
  const payload = bytesOf(MAX_FRAME_SIZE);
  const bytes = frame(TYPE.binary, payload);
  assertEquals(taken(bytes, 16_384).payload, payload);
});
