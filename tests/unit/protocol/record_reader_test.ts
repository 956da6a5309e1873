/**
 * Reading records off a stream: how it ends, which records stand before one, and how much is read at a time.
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
  GoneError,
  RecordReader,
} from "../../../src/protocol/record_reader.ts";
import {
  encodeHeader,
  HEADER_SIZE,
  MAX_HANDSHAKE_RECORD_SIZE,
  MAX_RECORD_SIZE,
  RecordType,
  WireError,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { streamPair } from "../../kit/memory_stream.ts";

function record(type: RecordType, size = TAG_SIZE + SIGNATURE_SIZE): Bytes {
  return concat(encodeHeader(type, size), new Uint8Array(size));
}

const HANDSHAKE = record(RecordType.handshake);
const RESET = new Deno.errors.ConnectionReset("reset");

Deno.test("RecordReader.handshakeRecord() tells a peer that goes between two messages from one that goes within one", async () => {
  for (const answered of [false, true]) {
    for (
      const [rest, error] of [[0, undefined], [0, RESET], [5, undefined], [
        5,
        RESET,
      ]] as const
    ) {
      const [near, far] = streamPair();
      const reader = new RecordReader(near);
      if (answered) {
        near.incoming.inject(HANDSHAKE);
        assertEquals((await reader.handshakeRecord()).body.length, 80);
      }
      near.incoming.inject(HANDSHAKE.subarray(0, rest));
      const reading = assertRejects(() => reader.handshakeRecord());
      await new Promise((resolve) => setTimeout(resolve)); // the part is read
      if (error) near.incoming.fail(error);
      else far.close();
      const why = await reading;
      if (rest > 0 && error) assertEquals(why, error);
      else {
        assert(why instanceof WireError);
        assertEquals(why.message, "Cannot shake hands: the connection ended");
        assertEquals(why instanceof GoneError, rest === 0);
        if (why instanceof GoneError) {
          assertEquals([why.answered, why.cause], [answered, error]);
        }
      }
    }
  }
});

Deno.test("RecordReader.records() counts the broadcast and shared records that stand before each", async () => {
  const { direct, broadcast, shared } = RecordType;
  const types = [direct, broadcast, shared, broadcast, direct, shared, direct];
  const [near] = streamPair();
  const reader = new RecordReader(near);
  reader.endHandshake();
  const counts: number[][] = [];
  for (const part of [types.slice(0, 4), types.slice(4)]) {
    near.incoming.inject(concat(...part.map((type) => record(type))));
    for (const { before } of await reader.records() ?? []) {
      counts.push([before.broadcast, before.shared]);
    }
  }
  assertEquals(
    counts,
    [[0, 0], [0, 0], [1, 0], [1, 1], [2, 1], [2, 1], [2, 2]],
  );
});

/** A reader of one record that comes in pieces of these sizes, and how much it would have read each time. */
function inPieces(
  whole: Bytes,
  sizes: readonly number[],
): { reader: RecordReader; asked: number[] } {
  const asked: number[] = [];
  let at = 0;
  let hasEnded = false;
  const reader = new RecordReader({
    read: (into) => {
      if (hasEnded) return Promise.reject(new Error("it has ended"));
      const size = Math.min(sizes[asked.length] ?? Infinity, into.length);
      asked.push(into.length);
      const piece = whole.subarray(at, at += size);
      into.set(piece);
      hasEnded = piece.length === 0;
      return Promise.resolve(hasEnded ? null : piece.length);
    },
    write: () => Promise.reject(new Error("nothing is written")),
    close: () => {},
  });
  return { reader, asked };
}

Deno.test("RecordReader reads more at a time once a read was filled, but for the head of a WebSocket's frame, and little after small ones", async () => {
  const whole = record(RecordType.direct, MAX_RECORD_SIZE - HEADER_SIZE);
  const sizes = [
    241,
    242,
    2_033,
    256,
    2_034,
    16_369,
    16_384,
    256,
    255,
    256,
    2_048,
  ];
  const { reader, asked } = inPieces(whole, sizes);
  reader.endHandshake();
  assertEquals((await reader.records())?.length, 1);
  assertEquals(
    asked.slice(0, 12).join(" "),
    "256 256 2048 256 2048 16384 16384 16384 16384 256 2048 16384",
  );
});

Deno.test("RecordReader reads a handshake's longest record in two, and little after it", async () => {
  const size = MAX_HANDSHAKE_RECORD_SIZE - HEADER_SIZE;
  const one = record(RecordType.handshake, size);
  const { reader, asked } = inPieces(concat(one, one), [256, 1_792]);
  for (let count = 0; count < 2; count++) {
    assertEquals((await reader.handshakeRecord()).body.length, size);
  }
  assertEquals(asked, [256, 2_048, 256, 2_048]);
  const more = inPieces(concat(one, one), [256, 1_892]);
  for (let count = 0; count < 2; count++) {
    assertEquals((await more.reader.handshakeRecord()).body.length, size);
  }
  assertEquals(more.asked, [256, 2_048, 2_048]); // the second was on its way
});
