/**
 * Answers as they stand on the wire, and writing them to readers that are slow, or take nothing.
 *
 * @module
 */

import {
  answerHead,
  jsonAnswer,
  shortAnswer,
  StalledError,
  writePatiently,
} from "../../../../src/server/http/http_answer.ts";
import type { Peer } from "../../../../src/server/entrance.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { ManualClock, streamPair } from "../../../kit/memory_stream.ts";

Deno.test("answers have their status with its words, the fields, and a length that is right in bytes", () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(
    text(answerHead(101, { upgrade: "websocket", connection: "Upgrade" })),
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n",
  );
  assertEquals(text(answerHead(299, {})), "HTTP/1.1 299 \r\n\r\n");
  const head = (first: string, type: string, size: number) =>
    `HTTP/1.1 ${first}\r\nretry-after: 1\r\ncontent-type: ${type}\r\ncontent-length: ${size}\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n`;
  const fields = { "retry-after": "1" };
  const plain = "text/plain; charset=utf-8";
  const short = head("404 Not Found", plain, 10);
  assertEquals(text(shortAnswer(404, fields)), `${short}Not Found\n`);
  assertEquals(text(shortAnswer(404, fields, undefined, "HEAD")), short);
  assertEquals(
    text(shortAnswer(503, fields, "später", "GET")),
    `${head("503 Service Unavailable", plain, 8)}später\n`,
  );
  assertEquals(
    text(shortAnswer(299, fields)),
    `${head("299 ", plain, 1)}\n`,
  );
  assertEquals(
    text(jsonAnswer(200, fields, { seq: 7, reason: undefined })),
    `${head("200 OK", "application/json", 10)}{"seq":7}\n`,
  );
});

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

Deno.test("writePatiently() writes all, once, however little is taken at a time", async () => {
  const taken: string[] = [];
  const peer = {
    write: (bytes: Uint8Array) => {
      assert(bytes.length > 0 && taken.length < 3, taken.join());
      taken.push(new TextDecoder().decode(bytes));
      return Promise.resolve(Math.min(2, bytes.length));
    },
  };
  await writePatiently(peer as unknown as Peer, utf8("hello"));
  assertEquals(taken, ["hello", "llo", "o"]);
});

Deno.test("writePatiently() says of one that went what the system says of it", async () => {
  const [reader, stream] = streamPair();
  reader.close();
  await assertRejects(
    () => writePatiently(stream as unknown as Peer, utf8("hello")),
    Deno.errors.BrokenPipe,
  );
});
