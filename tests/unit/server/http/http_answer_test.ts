/**
 * Writing answers to readers that are slow, or take nothing.
 *
 * @module
 */

import {
  StalledError,
  writePatiently,
} from "../../../../src/server/http/http_answer.ts";
import type { Peer } from "../../../../src/server/entrance.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { ManualClock, streamPair } from "../../../kit/memory_stream.ts";

Deno.test("writePatiently() waits for one that takes something now and then, and closes one that takes nothing for 10 s, and says so", async () => {
  using clock = new ManualClock();
  const [reader, stream] = streamPair();
  const peer = stream as unknown as Peer; // it is written to and closed, no more
  stream.outgoing.capacity = 0;
  const writing = writePatiently(peer, utf8("hello"));
  const failed = assertRejects(
    () => writing,
    StalledError,
    "Too slow to follow: it took nothing for 10 s",
  );
  clock.advance(9_999);
  stream.outgoing.capacity = 2;
  await reader.read(new Uint8Array(2)); // and another two find place
  while (stream.outgoing.written.length < 2) await Promise.resolve();
  clock.advance(9_999);
  assert(!stream.closed, "it has had no 10 s since it was taken last");
  clock.advance(1);
  await failed;
  assert(stream.closed);
  assertEquals(clock.pending, 0);
});

Deno.test("writePatiently() says of one that went what the system says of it", async () => {
  const [reader, stream] = streamPair();
  reader.close();
  await assertRejects(
    () => writePatiently(stream as unknown as Peer, utf8("hello")),
    Deno.errors.BrokenPipe,
  );
});
