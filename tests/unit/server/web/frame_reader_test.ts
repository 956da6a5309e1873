/**
 * Frames of a browser's, taken apart: whole, split and byte by byte, and all that break the rules.
 *
 * @module
 */

import { type Bytes, concat, equalBytes } from "../../../../crypto_utils.ts";
import {
  CloseCode,
  FrameError,
  FrameReader,
} from "../../../../src/server/web/frame_reader.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { bytewiseFrames, frame, TYPE } from "../../../kit/web_socket.ts";

/** As docs/protocol.md has it. */
const MAX_FRAME_SIZE = 1_048_576;

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

/** Messages with a ping, a pong and their end, and what they carry. @param longer How long the frames of the second are. */
function messages(...longer: readonly [number, number]) {
  const payload = bytesOf(251 + longer[0] + longer[1] + 178);
  let at = 0;
  const next = (size: number) => payload.subarray(at, at += size);
  const bytes = concat(
    frame(TYPE.binary, next(125)),
    frame(TYPE.binary, next(126)),
    frame(TYPE.binary, new Uint8Array(0), { goesOn: true }),
    frame(TYPE.more, next(longer[0]), { goesOn: true }),
    frame(TYPE.ping, encoder.encode("there?")),
    frame(TYPE.more, next(longer[1]), { goesOn: true }),
    frame(TYPE.pong),
    frame(TYPE.more),
    bytewiseFrames(next(78)),
    frame(TYPE.binary, next(100)),
    frame(TYPE.close, Uint8Array.of(0x03, 0xe8, 0x62, 0x79, 0x65)),
    frame(TYPE.binary, payload), // comes too late
  );
  return { payload, bytes };
}

Deno.test("FrameReader hands on the payloads in order, however frames and messages are cut", () => {
  const long = messages(65_535, 65_536); // the longest in two bytes, the shortest in eight
  const short = messages(127, 300);
  for (
    const [{ payload, bytes }, size] of [
      [long, long.bytes.length],
      [long, 4_096],
      [short, 17],
      [short, 1],
    ] as const
  ) {
    const { payload: read, pings, closed } = taken(bytes, size);
    assert(equalBytes(read, payload), `in pieces of ${size}`);
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
  reader.take(frame(TYPE.ping, new Uint8Array(125)));
  assertEquals(reader.takePing(), new Uint8Array(125), "the longest");
  assertEquals(reader.takePing(), undefined);
});

Deno.test("FrameReader knows a frame that is closed without a code, and which codes may be", () => {
  const closing = (...bytes: number[]) => {
    const all = frame(TYPE.close, Uint8Array.from(bytes));
    return taken(all, all.length).closed;
  };
  assertEquals(closing(), CloseCode.none);
  for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
    assertEquals(closing(code >> 8, code & 255), code);
    assertEquals(closing(code >> 8, code & 255, 0x62, 0x79, 0x65), code);
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535]) {
    assertThrows(() => closing(code >> 8, code & 255), FrameError, "no proper");
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
  "a closing with a proper code that is too long": [
    frame(TYPE.close, Uint8Array.of(0x03, 0xe8, ...new Uint8Array(124))),
    1002,
  ],
  "a closing with half a code": [frame(TYPE.close, Uint8Array.of(3)), 1002],
  "a closing with half a code of one's own": [
    frame(TYPE.close, Uint8Array.of(4_096 >> 8)),
    1002,
  ],
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

Deno.test("FrameReader takes a frame of the longest size", () => {
  const length = MAX_FRAME_SIZE;
  const payload = bytesOf(1_000); // its beginning
  const bytes = frame(TYPE.binary, payload, { length });
  assertEquals(taken(bytes, bytes.length).payload, payload);
});
