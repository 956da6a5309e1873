/**
 * Heads of HTTP requests: whole, split and byte by byte, and all that is refused.
 *
 * @module
 */

import { type Bytes, concat } from "../../../../crypto_utils.ts";
import {
  GoneError,
  type Stream,
} from "../../../../src/protocol/record_reader.ts";
import { WireError } from "../../../../src/protocol/records.ts";
import {
  type Head,
  HeadError,
  lists,
  readHead,
  readRequest,
} from "../../../../src/server/http/http_head.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { streamPair } from "../../../kit/memory_stream.ts";

/** As docs/server.md has it. */
const MAX_HEAD_SIZE = 8_192;

const encoder = new TextEncoder();

/** What comes in pieces of a size, and then the end, of which nobody reads more. */
function streamOf(text: string | Bytes, pieceSize: number): Stream {
  const [client, server] = streamPair();
  client.outgoing.pieceSize = pieceSize;
  client.outgoing.inject(
    typeof text === "string" ? encoder.encode(text) : text,
  );
  client.outgoing.end();
  let hasEnded = false;
  return {
    read: async (into) => {
      assert(into.length > 0 && !hasEnded, "there is nothing to read");
      const size = await server.read(into);
      hasEnded = size === null;
      return size;
    },
    write: (bytes) => server.write(bytes),
    close: () => server.close(),
  };
}

/** Reads the head that comes in pieces of a size, and then the end. */
function read(text: string | Bytes, pieceSize: number): Promise<Head> {
  return readHead(streamOf(text, pieceSize));
}

const SIZES = [Number.POSITIVE_INFINITY, 100, 1];

Deno.test("readHead() reads a browser's request, however its bytes come", async () => {
  const text = [
    "GET /chat?from=mail HTTP/1.1",
    "Host: [::1]:8080",
    "Connection: keep-alive, Upgrade",
    "UPGRADE: WebSocket",
    "Cookie: a=1",
    "cookie:b=\u00e9 ",
    "Sec-Fetch-Mode:",
    "",
    "",
  ].join("\r\n");
  for (const size of SIZES) {
    const head = await read(text, size);
    const { method, path, host } = head;
    assertEquals([method, path, host], ["GET", "/chat", "[::1]:8080"]);
    assertEquals(head.fields.get("cookie"), "a=1, b=\u00c3\u00a9");
    assertEquals(head.fields.get("sec-fetch-mode"), "");
    assert(lists(head, "connection", "upgrade"));
    assert(lists(head, "upgrade", "websocket"));
    assert(!lists(head, "connection", "grade"));
    assert(!lists(head, "origin", "upgrade"));
  }
});

Deno.test("readHead() takes the longest head, and no longer one", async () => {
  const start = "HEAD / HTTP/1.1\r\nHost: a\r\nCookie: ";
  const rest = MAX_HEAD_SIZE - start.length - 4;
  const whole = `${start}${"x".repeat(rest)}\r\n\r\n`;
  for (const size of SIZES) {
    assertEquals((await read(whole, size)).method, "HEAD");
    const longer = whole.replace("\r\n\r\n", "x\r\n\r\n");
    const error = await assertRejects(() => read(longer, size), HeadError);
    assertEquals((error as HeadError).status, 431);
  }
});

const good = "GET / HTTP/1.1\r\nHost: a:80\r\n";
const refused: Readonly<Record<string, readonly [string | Bytes, number]>> = {
  "a method that changes something": [good.replace("GET", "POST"), 405],
  "an unknown method": [good.replace("GET", "BREW"), 405],
  "a method in small letters": [good.replace("GET", "get"), 400],
  "what stands before a method": [good.replace("GET", "1GET"), 400],
  "what stands behind a version": [good.replace("1.1", "1.1x"), 400],
  "HTTP/1.0": [good.replace("1.1", "1.0"), 505],
  "HTTP/2's preface": ["PRI * HTTP/2.0\r\n", 400],
  "a proxy's request": [good.replace(" / ", " http://a/ "), 400],
  "CONNECT": ["CONNECT a:80 HTTP/1.1\r\n", 400],
  "a space within the path": [good.replace(" / ", " /a b "), 400],
  "an escape sequence in the path": [good.replace(" / ", " /\x1b[2J "), 400],
  "no host": ["GET / HTTP/1.1\r\nA: b\r\n", 400],
  "two hosts": [`${good}Host: b\r\n`, 400],
  "a host that ends the policy": [good.replace("a:80", "a;script-src *"), 400],
  "a host with a user": [good.replace("a:80", "u@a"), 400],
  "a field without a colon": [`${good}hello\r\n`, 400],
  "a field without a name": [`${good}: hello\r\n`, 400],
  "a space before the colon": [`${good}a : b\r\n`, 400],
  "a field that goes on": [`${good}a: b\r\n c: d\r\n`, 400],
  "a line feed in a field": [`${good}a: b\nc: d\r\n`, 400],
  "a line feed at a field's end": [`${good}a: b\n\r\n`, 400],
  "a carriage return in a field": [`${good}a: b\rc\r\n`, 400],
  "a zero byte": [`${good}a: \0\r\n`, 400],
  "a body": [`${good}Content-Length: 5\r\n`, 413],
  "two lengths": [`${good}Content-Length: 0\r\nContent-Length: 5\r\n`, 413],
  "a body in parts": [`${good}Transfer-Encoding: chunked\r\n`, 413],
  "nothing but an empty line": ["\r\n", 400],
};

for (const [what, [text, status]] of Object.entries(refused)) {
  Deno.test(`readHead() refuses ${what}`, async () => {
    for (const size of SIZES) {
      const error = await assertRejects(
        () => read(`${text}\r\n`, size),
        HeadError,
      );
      assertEquals((error as HeadError).status, status);
    }
  });
}

Deno.test("readHead() refuses what comes before it was answered", async () => {
  const bytes = concat(encoder.encode(`${good}\r\n`), Uint8Array.of(0x82));
  const error = await assertRejects(
    () => read(bytes, Number.POSITIVE_INFINITY),
    HeadError,
  );
  assertEquals((error as HeadError).status, 400);
});

Deno.test("readHead() tells one that says nothing from one that stops halfway", async () => {
  const silent = await assertRejects(() => read("", 1), GoneError);
  assertEquals((silent as GoneError).answered, false);
  const broken = await assertRejects(
    () => read("GET / HT", 1),
    WireError,
    "Cannot read the HTTP request: the connection ended",
  );
  assert(!(broken instanceof GoneError));
  for (const begun of ["", "GET / HT"]) {
    const [client, server] = streamPair();
    client.outgoing.inject(encoder.encode(begun));
    const reading = readHead(server);
    const reset = new Deno.errors.ConnectionReset();
    await Promise.resolve();
    client.outgoing.fail(reset);
    const error = await assertRejects(() => reading);
    if (begun !== "") assertEquals(error, reset);
    else {
      assert(error instanceof GoneError);
      assertEquals([error.answered, error.cause], [false, reset]);
    }
  }
});

Deno.test("readRequest() reads a program's request, and what comes of its body with it", async () => {
  const text =
    "POST /say?x HTTP/1.0\r\nHost: chat.example\r\nContent-Length: 7\r\n\r\nhe\r\n\r\n!";
  for (const size of SIZES) {
    const { head, rest } = await readRequest(streamOf(text, size));
    const { method, version, path, host } = head;
    assertEquals([method, version, path, host], [
      "POST",
      "1.0",
      "/say",
      "chat.example",
    ]);
    const more = size === 1 ? "" : "he\r\n\r\n!";
    assertEquals(rest, encoder.encode(more));
  }
});

Deno.test("readRequest() takes nothing for the end of a head but an empty line", async () => {
  for (const almost of ["x\n\r\n", "\rx\r\n", "\r\nx\n", "\r\n\rx"]) {
    const text = `GET / HTTP/1.1\r\nHost: a${almost}b: c\r\n\r\n`;
    for (const size of SIZES) {
      const reading = readRequest(streamOf(text, size));
      const error = await assertRejects(() => reading, HeadError);
      assertEquals((error as HeadError).status, 400);
    }
  }
});
