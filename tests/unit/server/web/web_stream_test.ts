/**
 * A WebSocket as a stream of bytes, over a connection in memory: what goes out, when control frames go between, and how
 * it ends.
 *
 * @module
 */

import { type Bytes, concat, equalBytes } from "../../../../crypto_utils.ts";
import { writeAll } from "../../../../src/base/write_all.ts";
import { FrameError } from "../../../../src/server/web/frame_reader.ts";
import { Messages } from "../../../../src/server/web/frames.ts";
import { WebStream } from "../../../../src/server/web/web_stream.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ManualClock, streamPair } from "../../../kit/memory_stream.ts";
import {
  bytewiseFrames,
  closeCodeOf,
  frame,
  framesIn,
  payloadOf,
  TYPE,
} from "../../../kit/web_socket.ts";

const encoder = new TextEncoder();

function setUp() {
  const [browser, conn] = streamPair();
  const { read, write } = conn;
  let calls = 0; // bounded: what reads or writes on and on fails
  const once = <T, U>(call: (bytes: T) => U) => (bytes: T): U => {
    assert(++calls < 6_000, "there is no end to it");
    return call.call(conn, bytes);
  };
  const writeOnce = once(write);
  const writeSome = (bytes: Uint8Array) => {
    assert(bytes.length > 0, "it writes nothing");
    return writeOnce(bytes);
  };
  Object.assign(conn, { read: once(read), write: writeSome });
  const stream = new WebStream(conn, new Messages());
  const said = () => framesIn(concat(...conn.outgoing.written));
  const send = (...frames: Bytes[]) =>
    browser.outgoing.inject(concat(...frames));
  return { browser, conn, stream, said, send };
}

/** Reads so many bytes with a buffer of a size. */
async function readAll(stream: WebStream, count: number, size: number) {
  const pieces: Bytes[] = [];
  for (let read = 0; read < count;) {
    const buffer = new Uint8Array(size);
    const got = await stream.read(buffer);
    assert(got);
    pieces.push(buffer.slice(0, got));
    read += got;
  }
  return concat(...pieces);
}

Deno.test("WebStream reads what a browser sends, however its bytes come", async () => {
  using clock = new ManualClock(); // nobody waits
  for (
    const [pieceSize, long] of [[Infinity, 70_000], [1_000, 70_000], [
      1,
      700,
    ]] as const
  ) {
    const text = encoder.encode("x".repeat(200) + "y".repeat(long));
    const { browser, stream, send } = setUp();
    browser.outgoing.pieceSize = pieceSize;
    send(
      bytewiseFrames(text.subarray(0, 200)),
      frame(TYPE.binary, text.subarray(200)),
    );
    assertEquals(await readAll(stream, text.length, 256), text);
    assertEquals(clock.pending, 0);
  }
});

Deno.test("WebStream makes a message of what is written at once, in one write", async () => {
  const { conn, stream, said } = setUp();
  for (const size of [1, 125, 126, 4_000]) {
    const bytes = new Uint8Array(size).fill(size);
    assertEquals(await stream.write(bytes), size);
    assertEquals(said().at(-1), { type: TYPE.binary, payload: bytes });
  }
  const sizes = conn.outgoing.written.map(({ length }) => length);
  assertEquals(sizes, [3, 127, 130, 4_004]); // each head as short as it can be
});

Deno.test("Messages makes one for all who are told the same bytes", () => {
  const messages = new Messages();
  const bytes = encoder.encode("hello");
  const message = messages.of(bytes);
  assert(messages.of(bytes) === message);
  assertEquals(framesIn(message.slice())[0]?.payload, bytes);
  const other = encoder.encode("again");
  assertEquals(framesIn(messages.of(other).slice())[0]?.payload, other);
});

Deno.test("WebStream cuts what is long into messages of at most 65,535 bytes", async () => {
  const { stream, said } = setUp();
  const bytes = Uint8Array.from({ length: 135_000 }, (_, at) => at * 3);
  await writeAll(stream, bytes);
  const sizes = said().map(({ payload }) => payload.length);
  assertEquals(sizes, [65_535, 65_535, 3_930]);
  assert(equalBytes(payloadOf(said()), bytes));
});

Deno.test("WebStream goes on where a connection took only some of a frame, even of its head", async () => {
  for (const [head, length] of [[2, 10], [4, 5_000]] as const) {
    const { browser, conn, stream, said } = setUp();
    conn.outgoing.capacity = 1;
    const bytes = Uint8Array.from({ length }, (_, at) => at);
    const writing = writeAll(stream, bytes);
    const buffer = new Uint8Array(1);
    for (let at = 0; at < head + length; at++) await browser.read(buffer);
    await writing;
    assertEquals(said(), [{ type: TYPE.binary, payload: bytes }]);
  }
});

Deno.test("WebStream says how much of the payload was taken, which may come from several places", async () => {
  const { browser, conn, stream, said } = setUp();
  conn.outgoing.capacity = 40;
  const bytes = Uint8Array.from({ length: 100 }, (_, at) => at);
  assertEquals(await stream.write(bytes), 38);
  await browser.read(new Uint8Array(40));
  // As an outlet does it: what follows is as much as there is by now, beyond what was announced.
  const more = concat(bytes.subarray(38), bytes);
  assertEquals(await stream.write(more), 40);
  conn.outgoing.capacity = Number.POSITIVE_INFINITY;
  await writeAll(stream, more.subarray(40));
  assertEquals(said().map(({ payload }) => payload), [bytes, bytes]);
});

Deno.test("WebStream answers a ping with its payload, between two frames", async () => {
  const { browser, conn, stream, said, send } = setUp();
  conn.outgoing.capacity = 10;
  const writing = writeAll(stream, new Uint8Array(100));
  send(
    frame(TYPE.ping, encoder.encode("first")),
    frame(TYPE.ping, encoder.encode("last")),
    frame(TYPE.binary, Uint8Array.of(1)),
  );
  const buffer = new Uint8Array(10);
  assertEquals(await stream.read(buffer), 1); // a ping is in nobody's way
  for (let read = 0; read < 108;) {
    read += await browser.read(buffer) ?? assert(false) ?? 0;
  }
  await writing;
  assertEquals(said().map(({ type }) => type), [TYPE.binary, TYPE.pong]);
  assertEquals(said()[1]?.payload, encoder.encode("last"));
});

Deno.test("WebStream reads no further while its answer to a ping is not taken", async () => {
  const { browser, conn, stream, said, send } = setUp();
  conn.outgoing.capacity = 0;
  send(frame(TYPE.ping, new Uint8Array(125)));
  const reading = stream.read(new Uint8Array(256));
  for (let at = 0; at < 10; at++) await Promise.resolve();
  send(frame(TYPE.binary, Uint8Array.of(7)));
  let isRead = false;
  const done = reading.then(() => isRead = true);
  for (let at = 0; at < 50; at++) await Promise.resolve();
  assertEquals(isRead, false);
  const writing = stream.write(Uint8Array.of(5)); // which waits for it, too
  conn.outgoing.capacity = Number.POSITIVE_INFINITY;
  await browser.read(new Uint8Array(256));
  await done;
  assertEquals(await writing, 1);
  assertEquals(said().map(({ type }) => type), [TYPE.pong, TYPE.binary]);
});

Deno.test("WebStream closes its half behind an answer to a ping that is under way", async () => {
  const { browser, conn, stream, said, send } = setUp();
  conn.outgoing.capacity = 0;
  send(frame(TYPE.ping), frame(TYPE.binary, Uint8Array.of(7)));
  const reading = stream.read(new Uint8Array(256));
  for (let at = 0; at < 10; at++) await Promise.resolve();
  const closing = stream.closeWrite();
  conn.outgoing.capacity = Number.POSITIVE_INFINITY;
  await browser.read(new Uint8Array(256));
  await closing;
  assertEquals(await reading, 1);
  await browser.read(new Uint8Array(256));
  assertEquals(said().map(({ type }) => type), [TYPE.pong, TYPE.close]);
});

Deno.test("WebStream reads a flood of pings and empty frames more slowly, and nothing else", async () => {
  using clock = new ManualClock();
  const { stream, send } = setUp();
  const buffer = new Uint8Array(16_384);
  // A busy member's small frames cost nothing.
  for (let at = 0; at < 20; at++) {
    send(
      ...Array.from(
        { length: 500 },
        () => frame(TYPE.binary, buffer.slice(0, 20)),
      ),
    );
    await readAll(stream, 10_000, buffer.length);
  }
  assertEquals(clock.pending, 0);
  // 64 KiB of pings and empty frames at once, and then 8 KiB a second.
  let count = 0;
  const flood = () => {
    send(
      ...Array.from(
        { length: 1_000 },
        (_, at) => frame(at % 2 === 0 ? TYPE.ping : TYPE.binary),
      ),
      frame(TYPE.binary, Uint8Array.of(1)),
    );
    return readAll(stream, 1, 256).then(() => count++);
  };
  for (let at = 0; at < 10; at++) await flood();
  const { length } = buffer;
  send(frame(TYPE.binary, buffer)); // which buys nothing
  await readAll(stream, length, length);
  assertEquals(clock.pending, 0);
  // Two more of 6,007 bytes: 12 of them are 6,548 bytes too many, for which 0.8 s are due.
  const slow = flood().then(flood);
  for (let at = 0; at < 100_000 && count < 12; at++) {
    await Promise.resolve();
    if (at % 100 === 0) clock.advance(1);
  }
  await slow;
  assertEquals(count, 12);
  const time = performance.now();
  assert(time > 700 && time < 1_000, `${time} ms`);
});

Deno.test("WebStream answers a browser that closes, and reads the end", async () => {
  const { stream, said, send } = setUp();
  send(
    frame(TYPE.binary, Uint8Array.of(1)),
    frame(TYPE.close, Uint8Array.of(0x03, 0xe9)),
  );
  const buffer = new Uint8Array(256);
  assertEquals(await stream.read(buffer), 1);
  assertEquals(await stream.read(buffer), null);
  assertEquals(await stream.read(buffer), null);
  assertEquals(closeCodeOf(said()), 1000);
  assertEquals(said().length, 1);
  await assertRejects(() => stream.write(buffer), Error, "closed");
});

Deno.test("WebStream closes its half with 1000 behind what was written, and still reads", async () => {
  const { stream, said, send } = setUp();
  await stream.write(encoder.encode("bye"));
  await stream.closeWrite();
  await stream.closeWrite();
  assertEquals(said().map(({ type }) => type), [TYPE.binary, TYPE.close]);
  assertEquals(closeCodeOf(said()), 1000);
  send(frame(TYPE.ping), frame(TYPE.binary, Uint8Array.of(1)));
  assertEquals(await stream.read(new Uint8Array(9)), 1);
  send(frame(TYPE.close, Uint8Array.of(0x03, 0xe8)));
  assertEquals(await stream.read(new Uint8Array(9)), null);
  assertEquals(said().length, 2);
});

Deno.test("WebStream closes with the code of what is wrong, once it is heard or a second has gone", async () => {
  using clock = new ManualClock();
  const wrong = [
    [frame(TYPE.text, encoder.encode("hi")), 1003],
    [frame(TYPE.binary, Uint8Array.of(1), { isBare: true }), 1002],
    [frame(TYPE.binary, undefined, { length: 2 ** 30 }), 1009],
  ] as const;
  for (const [bytes, code] of wrong) {
    const { browser, stream, said, send } = setUp();
    send(bytes);
    const reading = assertRejects(
      () => stream.read(new Uint8Array(256)),
      FrameError,
    );
    await browser.read(new Uint8Array(4));
    send(bytes); // is not looked at any more
    browser.close();
    await reading;
    assertEquals(closeCodeOf(said()), code);
  }
  const closing = setUp();
  await closing.stream.closeWrite();
  closing.send(frame(TYPE.text)); // has been told another code
  closing.browser.close();
  await assertRejects(() => closing.stream.read(new Uint8Array(9)), FrameError);
  assertEquals(closeCodeOf(closing.said()), 1000);
  const { conn, stream, send } = setUp();
  conn.outgoing.capacity = 0; // whoever doesn't read is not waited for
  send(frame(TYPE.text));
  const reading = assertRejects(
    () => stream.read(new Uint8Array(256)),
    FrameError,
  );
  for (let at = 0; at < 200 && !conn.closed; at++) {
    await Promise.resolve();
    clock.advance(20);
  }
  assertEquals(conn.closed, true);
  const time = performance.now(); // a second for the code, and one until it is closed
  assert(time >= 2_000, `${time} ms`);
  await reading;
});

Deno.test("WebStream reads the end of a connection that ends without a word", async () => {
  const { browser, conn, stream, send } = setUp();
  send(frame(TYPE.binary, Uint8Array.of(1, 2)).subarray(0, 7));
  browser.outgoing.end();
  assertEquals(await stream.read(new Uint8Array(9)), 1);
  assertEquals(await stream.read(new Uint8Array(9)), null);
  stream.close();
  assert(conn.closed);
});
