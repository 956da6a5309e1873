/**
 * Records: the same ones however the stream was cut, the bounds of every field, and the padding.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  SIGNATURE_SIZE,
  TAG_SIZE,
} from "../../../crypto_utils.ts";
import {
  broadcastHeader,
  directData,
  directHeader,
  encodeHeader,
  HEADER_SIZE,
  MAX_HANDSHAKE_RECORD_SIZE,
  MAX_PLAINTEXT_SIZE,
  MAX_RECORD_SIZE,
  padmeLength,
  RecordSplitter,
  RecordType,
  sharedHeader,
  WireError,
  type WireRecord,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { replaced } from "../../kit/replaced.ts";

const SEALED_SIZES = { direct: TAG_SIZE, broadcast: TAG_SIZE + SIGNATURE_SIZE };

function record(type: RecordType, body: Uint8Array): Bytes {
  return concat(encodeHeader(type, body.length), body);
}

function bodyOf(size: number): Bytes {
  return Uint8Array.from({ length: size }, (_, at) => at & 0xff);
}

/** All records that have arrived. */
function shiftAll(splitter: RecordSplitter): WireRecord[] {
  const records: WireRecord[] = [];
  for (let next; (next = splitter.shift());) {
    records.push(next);
    assert(records.length <= 100, "there is no end of them");
  }
  return records;
}

function split(pieces: readonly Uint8Array[]): WireRecord[] {
  const splitter = new RecordSplitter(MAX_RECORD_SIZE);
  const records = pieces.flatMap((piece) => {
    splitter.push(piece);
    return shiftAll(splitter);
  });
  assertEquals(splitter.unfinished, false);
  return records;
}

const RECORDS: readonly (readonly [RecordType, Bytes])[] = [
  [RecordType.handshake, bodyOf(TAG_SIZE)],
  [RecordType.direct, bodyOf(300)],
  [RecordType.refusal, bodyOf(1)],
  [RecordType.broadcast, bodyOf(SEALED_SIZES.broadcast)],
  [RecordType.shared, bodyOf(SEALED_SIZES.broadcast)],
  [RecordType.direct, bodyOf(TAG_SIZE)],
];
const stream = concat(...RECORDS.map(([type, body]) => record(type, body)));
const expected = RECORDS.map(([type, body]) => ({
  type,
  header: encodeHeader(type, body.length),
  body,
}));

// ── Cutting ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("RecordSplitter.shift() gives the records of a stream that came whole", () => {
  assertEquals(split([stream]), expected);
});

Deno.test("RecordSplitter.shift() gives the same records of a stream cut at any point", () => {
  for (let at = 0; at <= stream.length; at++) {
    assertEquals(
      split([stream.subarray(0, at), stream.subarray(at)]),
      expected,
    );
  }
});

Deno.test("RecordSplitter.shift() gives the same records byte by byte", () => {
  assertEquals(split([...stream].map((byte) => Uint8Array.of(byte))), expected);
});

Deno.test("RecordSplitter.shift() gives the largest record only when its last byte has come", () => {
  const body = bodyOf(MAX_RECORD_SIZE - HEADER_SIZE);
  const whole = record(RecordType.direct, body);
  assertEquals(whole.length, 65_535);
  const splitter = new RecordSplitter(MAX_RECORD_SIZE);
  splitter.push(whole.subarray(0, -1));
  assertEquals(splitter.shift(), undefined);
  assertEquals(splitter.unfinished, true);
  splitter.push(whole.subarray(-1));
  assertEquals(splitter.shift()?.body, body);
});

Deno.test("RecordSplitter.push() copies, so that the reader's buffer can be used again", () => {
  const splitter = new RecordSplitter(MAX_RECORD_SIZE);
  const buffer = stream.slice();
  splitter.push(buffer);
  buffer.fill(0xff);
  assertEquals(shiftAll(splitter), expected);
});

Deno.test("RecordSplitter keeps nothing after the last record", () => {
  const splitter = new RecordSplitter(MAX_RECORD_SIZE);
  splitter.push(concat(stream, stream));
  const burst = shiftAll(splitter);
  assertEquals(burst.length, 2 * RECORDS.length);
  assertEquals(splitter.unfinished, false);
  // Whatever it kept, it would put before what comes next: even an empty view would hold on to all the memory.
  const kept = copiedFrom(() => splitter.push(Uint8Array.of(0)));
  assertEquals(kept.map(({ byteLength }) => byteLength), [0, 1]);
});

/** The memory from which bytes are copied meanwhile. */
function copiedFrom(run: () => void): ArrayBufferLike[] {
  const sources: ArrayBufferLike[] = [];
  const { set } = Uint8Array.prototype; // which all kinds of arrays share
  const noting = function (this: Uint8Array, source: Uint8Array, at?: number) {
    sources.push(source.buffer);
    set.call(this, source, at);
  };
  using _set = replaced(Uint8Array.prototype, "set", noting);
  run();
  return sources;
}

// ── What can't be a record ─────────────────────────────────────────────────────────────────────────────

function headerOf(size: number, type: number): Bytes {
  return Uint8Array.of(size >> 8, size & 0xff, type);
}

const LEAST: readonly (readonly [keyof typeof RecordType, number])[] = [
  ["handshake", HEADER_SIZE + TAG_SIZE],
  ["direct", HEADER_SIZE + TAG_SIZE],
  ["broadcast", HEADER_SIZE + TAG_SIZE + SIGNATURE_SIZE],
  ["refusal", HEADER_SIZE + 1],
  ["shared", HEADER_SIZE + TAG_SIZE + SIGNATURE_SIZE],
];

for (const [name, least] of LEAST) {
  const type = RecordType[name];

  Deno.test(`RecordSplitter.shift() takes a ${name} record of ${least} bytes, and none that is shorter`, () => {
    const splitter = new RecordSplitter(MAX_RECORD_SIZE);
    splitter.push(record(type, bodyOf(least - HEADER_SIZE)));
    assertEquals(splitter.shift()?.type, type);
    for (let size = 0; size < least; size++) {
      const short = new RecordSplitter(MAX_RECORD_SIZE);
      short.push(headerOf(size, type));
      assertThrows(
        () => short.shift(),
        WireError,
        `Cannot read a record: its length is ${size}`,
      );
    }
  });

  Deno.test(`RecordSplitter.shift() refuses a ${name} record above its limit before its body has come`, () => {
    for (const limit of [MAX_HANDSHAKE_RECORD_SIZE, MAX_RECORD_SIZE - 1]) {
      const fits = new RecordSplitter(limit);
      fits.push(headerOf(limit, type));
      assertEquals(fits.shift(), undefined);
      for (const size of [limit + 1, MAX_RECORD_SIZE]) {
        const splitter = new RecordSplitter(limit);
        splitter.push(headerOf(size, type));
        assertThrows(
          () => splitter.shift(),
          WireError,
          `Cannot read a record: its length is ${size}`,
        );
      }
    }
  });
}

Deno.test("RecordSplitter.shift() refuses every type that isn't in the table", () => {
  const known: readonly number[] = Object.values(RecordType);
  for (let type = 0; type < 256; type++) {
    if (known.includes(type)) continue;
    const splitter = new RecordSplitter(MAX_RECORD_SIZE);
    splitter.push(headerOf(100, type));
    assertThrows(
      () => splitter.shift(),
      WireError,
      `Cannot read a record: its type is ${type}`,
    );
  }
});

Deno.test("RecordSplitter.raiseLimit() lets larger records pass from there on", () => {
  const splitter = new RecordSplitter(MAX_HANDSHAKE_RECORD_SIZE);
  const large = record(
    RecordType.direct,
    bodyOf(MAX_HANDSHAKE_RECORD_SIZE + 1),
  );
  splitter.push(concat(record(RecordType.handshake, bodyOf(100)), large));
  assertEquals(splitter.shift()?.type, RecordType.handshake);
  assertThrows(() => splitter.shift(), WireError, "its length is");
  splitter.raiseLimit(MAX_RECORD_SIZE);
  assertEquals(splitter.shift()?.body.length, MAX_HANDSHAKE_RECORD_SIZE + 1);
});

// ── Headers ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("encodeHeader() writes the whole record's length, big-endian, and the type", () => {
  assertEquals(
    encodeHeader(RecordType.broadcast, 0x1234),
    Uint8Array.of(0x12, 0x37, 3),
  );
  assertEquals(
    encodeHeader(RecordType.direct, 65_532),
    Uint8Array.of(0xff, 0xff, 2),
  );
});

Deno.test("encodeHeader() refuses a body that no length field can tell", () => {
  assertThrows(
    () => encodeHeader(RecordType.direct, 65_533),
    RangeError,
    "Cannot send a record of 65536 bytes: the most is 65535",
  );
});

Deno.test("directData() is the header and both counts, as u64", () => {
  const header = directHeader(1);
  const cases = [
    [0, 0, "0000000000000000", "0000000000000000"],
    [1, 0, "0000000000000001", "0000000000000000"],
    [0, 2, "0000000000000000", "0000000000000002"],
    [2 ** 40 + 3, 4, "0000010000000003", "0000000000000004"],
  ] as const;
  for (const [broadcast, shared, ...counts] of cases) {
    const data = directData(header, { broadcast, shared });
    assertEquals(data.toHex(), header.toHex() + counts.join(""));
  }
});

Deno.test("directHeader(), broadcastHeader() and sharedHeader() leave place for tag and signature", () => {
  const { direct, broadcast, shared } = RecordType;
  assertEquals(directHeader(100), encodeHeader(direct, 116));
  assertEquals(broadcastHeader(100), encodeHeader(broadcast, 180));
  assertEquals(sharedHeader(100), encodeHeader(shared, 180));
  const largest = broadcastHeader(MAX_PLAINTEXT_SIZE); // and so it fits a direct record, too
  assert(((largest[0] ?? 0) << 8 | (largest[1] ?? 0)) <= MAX_RECORD_SIZE);
});

// ── Padding ────────────────────────────────────────────────────────────────────────────────────────────

/** As the paper's algorithm 1 has it, with masks. */
function paperPadme(size: number): number {
  const e = Math.floor(Math.log2(size));
  const s = Math.floor(Math.log2(e)) + 1;
  const lastBits = e - s;
  const mask = 2 ** lastBits - 1;
  return (size + mask) & ~mask;
}

Deno.test("padmeLength() is the paper's for every size that fits a record", () => {
  for (let size = 2; size <= MAX_PLAINTEXT_SIZE; size++) {
    // The paper's mask has no meaning where there are no last bits to clear.
    const paper = size < 4 ? size : paperPadme(size);
    assertEquals(padmeLength(size), paper);
  }
  assertEquals([0, 1, 9, 100, 1_000, 4_097].map(padmeLength), [
    0,
    1,
    10,
    104,
    1_024,
    4_352,
  ]);
});

Deno.test("padmeLength() never shrinks, never falls, stays where it is, and adds at most 12 %", () => {
  let last = 0;
  for (let size = 0; size <= MAX_PLAINTEXT_SIZE; size++) {
    const padded = padmeLength(size);
    assert(padded >= size && padded >= last, `at ${size}`);
    assert(padded <= size * 1.12, `${padded} for ${size}`);
    assertEquals(padmeLength(padded), padded);
    last = padded;
  }
});

Deno.test("MAX_PLAINTEXT_SIZE is the greatest Padmé length that fits a broadcast record", () => {
  const overhead = HEADER_SIZE + SEALED_SIZES.broadcast;
  assertEquals(padmeLength(MAX_PLAINTEXT_SIZE), MAX_PLAINTEXT_SIZE);
  assert(MAX_PLAINTEXT_SIZE + overhead <= MAX_RECORD_SIZE);
  const next = padmeLength(MAX_PLAINTEXT_SIZE + 1);
  assert(next + overhead > MAX_RECORD_SIZE);
});
