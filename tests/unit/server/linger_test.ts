/**
 * Tests of how a connection ends so that what was written last is heard.
 *
 * @module
 */

import type { Stream } from "../../../src/protocol/record_reader.ts";
import { close, linger } from "../../../src/server/linger.ts";
import { assertEquals } from "../../kit/assert.ts";
import { ManualClock, streamPair } from "../../kit/memory_stream.ts";

/** What comes by a stream until it ends. */
async function readAll(stream: Stream): Promise<number[]> {
  const bytes: number[] = [];
  const buffer = new Uint8Array(100);
  for (let size; (size = await stream.read(buffer)) !== null;) {
    bytes.push(...buffer.subarray(0, size));
  }
  return bytes;
}

Deno.test("linger() ends what it writes, and reads what the peer had sent ahead until it closes", async () => {
  using clock = new ManualClock();
  const [client, server] = streamPair();
  await server.write(Uint8Array.of(7));
  await client.write(new Uint8Array(2_000));
  let isOver = false;
  const lingering = linger(server).then(() => isOver = true);
  assertEquals(await readAll(client), [7]);
  assertEquals([server.closed, isOver], [false, false]);
  client.close();
  await lingering;
  assertEquals([server.closed, clock.pending], [false, 0]);
});

Deno.test("linger() closes after a second where the peer doesn't, and takes a peer that is gone for one that has closed", async () => {
  using clock = new ManualClock();
  const [, server] = streamPair();
  const lingering = linger(server);
  clock.advance(999);
  assertEquals(server.closed, false);
  clock.advance(1);
  await lingering;
  assertEquals(server.closed, true);
  const [, gone] = streamPair();
  gone.incoming.fail(new Deno.errors.ConnectionReset());
  await linger(gone);
  assertEquals(clock.pending, 0);
});

Deno.test("close() closes a stream once, and leaves it at that", () => {
  const [, server] = streamPair();
  close(server);
  close(server);
  assertEquals(server.closed, true);
});
