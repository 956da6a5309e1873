/**
 * A WebSocket over a connection that is there already, by the examples of RFC 6455, torn, and against the rules.
 *
 * @module
 */

import {
  maskedFrame,
  openTunnelled,
} from "../../../../src/client/proxy/tunnelled_socket.ts";
import { writeAll } from "../../../../src/base/write_all.ts";
import { type Bytes, concat } from "../../../../crypto_utils.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { restOf, utf8 } from "../../../kit/bytes.ts";
import { streamPair } from "../../../kit/memory_stream.ts";
import { SAMPLE_ANSWER, SAMPLE_KEY } from "../../../kit/web_socket.ts";

const URL_HERE = new URL("ws://chat.example.org:8080/chat");
const KEY = Uint8Array.fromBase64(SAMPLE_KEY);

const hex = (text: string) => Uint8Array.fromHex(text);
const head = (lines: readonly string[]) =>
  utf8(`${lines.join("\r\n")}\r\n\r\n`);

/** Opens one at a server that answers this. @param piece How many bytes come at a time, at the most. */
async function opened(
  frames: Bytes,
  piece = Infinity,
  lines: readonly string[] = SAMPLE_ANSWER,
) {
  const [conn, server] = streamPair();
  conn.incoming.pieceSize = piece;
  const read = conn.read.bind(conn);
  let idle = 0; // reads with which nothing came
  conn.read = async (into) => {
    const size = await read(into);
    if (!size && ++idle > 20) throw new Error("it reads on and on");
    return size;
  };
  server.outgoing.inject(concat(head(lines), frames));
  server.outgoing.end();
  const socket = await openTunnelled(conn, URL_HERE, KEY);
  const [request, ...others] = conn.outgoing.written;
  assert(request && others.length === 0);
  const sent = () => concat(...conn.outgoing.written.slice(1));
  return { socket, conn, request, sent };
}

/** A frame of a client's without its mask: its kind, and what it holds. */
function unmasked(frame: Bytes): [number, string] {
  const [first = 0, second = 0] = frame;
  assert((second & 0x80) !== 0, "it isn't masked");
  const mask = frame.subarray(2, 6);
  assertEquals(frame.length, 6 + (second & 0x7f));
  const payload = frame.slice(6).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return [first, payload.toHex()];
}

Deno.test("openTunnelled() asks for a WebSocket as section 4.1 has it", async () => {
  const { request } = await opened(hex(""));
  assertEquals(
    request,
    head([
      "GET /chat HTTP/1.1",
      "Host: chat.example.org:8080",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
    ]),
  );
});

Deno.test("openTunnelled() never uses a key twice", async () => {
  const keys = new Set<string>();
  for (let count = 0; count < 4; count++) {
    const [conn, server] = streamPair();
    server.outgoing.end();
    await assertRejects(() => openTunnelled(conn, URL_HERE), Error);
    const text = new TextDecoder().decode(concat(...conn.outgoing.written));
    const [, key = ""] = /^Sec-WebSocket-Key: (.*)\r$/m.exec(text) ?? [];
    assertEquals(Uint8Array.fromBase64(key).length, 16);
    keys.add(key);
  }
  assertEquals(keys.size, 4);
});

Deno.test("openTunnelled() takes the answer of any proxy in between, and no other", async () => {
  const fine = [
    [
      "HTTP/1.1 101",
      "upgrade: WebSocket",
      "connection: keep-alive, upgrade",
      SAMPLE_ANSWER[3] ?? "",
    ],
    [...SAMPLE_ANSWER, "Server: Caddy", "X: a:b"],
    [
      "HTTP/1.1 101 ",
      "UPGRADE:websocket",
      "Connection:  Upgrade ",
      SAMPLE_ANSWER[3] ?? "",
    ],
  ];
  const behind = utf8("\r\nSec-WebSocket-Protocol: x\r\n\r\n");
  const frame = concat(Uint8Array.of(0x82, behind.length), behind);
  const { socket } = await opened(frame); // which is no part of the head
  assertEquals(await restOf(socket), behind);
  for (const lines of fine) await opened(hex(""), 1, lines);
  const without = (at: number, ...more: string[]) => [
    ...SAMPLE_ANSWER.filter((_, index) => index !== at),
    ...more,
  ];
  const wrong: [string[], string][] = [
    [["HTTP/1.1 503 Busy \u001b[2J", ...without(0)], ", and answers 503"],
    [["HTTP/1.1 200 OK"], ", and answers 200"],
    [["HTTP/1.0 101 Switching Protocols", ...without(0)], ", and answers 101"],
    [["SSH-2.0-x", ...without(0)], ""],
    [["X HTTP/1.1 101 Switching Protocols", ...without(0)], ""],
    [without(1), ", and answers 101"],
    [without(1, "Upgrade: h2c"), ", and answers 101"],
    [without(2), ", and answers 101"],
    [without(3), ", and answers 101"],
    [without(3, "Sec-WebSocket-Accept: AAAA"), ", and answers 101"],
    [[...SAMPLE_ANSWER, "Sec-WebSocket-Extensions: x"], ", and answers 101"],
    [[...SAMPLE_ANSWER, "Sec-WebSocket-Protocol: x"], ", and answers 101"],
    [[...SAMPLE_ANSWER, `X: ${"x".repeat(8_192)}`], ""],
  ];
  for (const [lines, why] of wrong) {
    const { message } = await assertRejects(
      () => opened(hex(""), Infinity, lines),
      Error,
    );
    assertEquals(message, `the server opens no WebSocket${why}`);
  }
});

Deno.test("a socket's messages are one stream, however they are torn: the frames of section 5.7", async () => {
  const long = (head: string, size: number) =>
    concat(hex(head), new Uint8Array(size).fill(7));
  const frames = concat(
    hex("820548656c6c6f"), // "Hello", in one frame
    hex("020348656c"), // the same in two, with a ping between
    hex("890548656c6c6f"),
    hex("80026c6f"),
    hex("8200"), // nothing
    long("827d", 125),
    long("827e0100", 256),
    long("8a7d", 125),
    long("827f0000000000010000", 65_536),
  );
  const all = concat(
    utf8("HelloHello"),
    new Uint8Array(125 + 256 + 65_536).fill(7),
  );
  // What comes at a time, and what is read at a time.
  const sizes = [
    ...[[Infinity, 100_000], [Infinity, 1_000], [Infinity, 3]],
    ...[[1_000, 100_000], [1_000, 3], [5, 1_000], [2, 3], [1, 1_000]],
  ];
  for (const [piece, size] of sizes) {
    const { socket, sent } = await opened(frames, piece);
    assertEquals(await restOf(socket, size), all);
    assertEquals(unmasked(sent()), [0x8a, "48656c6c6f"]);
  }
});

Deno.test("a socket is closed by a close frame, which is answered, and by the connection's end", async () => {
  const closing = hex("820161" + "880403e86279" + "820162");
  const closed = await opened(closing);
  closed.socket.close(); // by this side: nothing more is read
  assertEquals(await closed.socket.read(new Uint8Array(1)), null);
  const { socket, sent } = await opened(closing);
  assertEquals(await restOf(socket), utf8("a"));
  assertEquals(unmasked(sent()), [0x88, "03e8"]);
  assertEquals(await socket.read(new Uint8Array(1)), null);
  for (
    const cut of [
      "",
      "82",
      "8205",
      "820548",
      "827e01",
      "89",
      "890548",
      "827f001fffffffffffff",
    ]
  ) {
    const { socket } = await opened(hex(cut));
    assertEquals((await restOf(socket)).toHex(), cut === "820548" ? "48" : "");
  }
});

Deno.test("a socket ends at what breaks the rules, and says what", async () => {
  const all = [
    ["810548656c6c6f", "the server sent text instead of bytes"],
    ["828537fa213d7f9f4d5158", "a frame is masked"],
    ["c20161", "a frame has unknown bits"],
    ["a20161", "a frame has unknown bits"],
    ["920161", "a frame has unknown bits"],
    ["800161", "a frame is out of turn"], // goes on with nothing
    ["020161820161", "a frame is out of turn"], // begins within another
    ["830161", "a frame is out of turn"],
    ["8b00", "a frame's kind is unknown"],
    ["0900", "a frame of control is too long"], // in parts
    ["897e0080" + "00".repeat(128), "a frame of control is too long"],
    ["827fffffffffffffffff", "a frame is too long"],
  ];
  for (const [frames = "", why] of all) {
    const { socket, conn } = await opened(hex(frames));
    const { message } = await assertRejects(() => restOf(socket), Error);
    assertEquals(message, why);
    assert(conn.closed);
  }
});

Deno.test("maskedFrame() is the example of section 5.7, and has the three kinds of lengths of 5.2", () => {
  const hello = maskedFrame(1, utf8("Hello"), hex("37fa213d"));
  assertEquals(hello.toHex(), "818537fa213d7f9f4d5158");
  const sizes = [
    [125, "82fd"],
    [126, "82fe007e"],
    [65_535, "82feffff"],
    [65_536, "82ff0000000000010000"],
  ] as const;
  for (const [size, start] of sizes) {
    const frame = maskedFrame(2, new Uint8Array(size), hex("00000000"));
    assertEquals(frame.subarray(0, start.length / 2).toHex(), start);
    assertEquals(frame.length, start.length / 2 + 4 + size);
  }
});

Deno.test("a socket writes whole frames, in order, each under a mask of its own, and leaves the caller's bytes", async () => {
  const { socket, conn, sent } = await opened(hex(""));
  conn.outgoing.capacity = 3; // of a write no more is taken at once
  const bytes = utf8("Hello");
  const writing = Promise.all([socket.write(bytes), socket.write(bytes)]);
  conn.outgoing.capacity = Infinity;
  assertEquals(await writing, [5, 5]);
  assertEquals(bytes, utf8("Hello"));
  const frames = [sent().subarray(0, 11), sent().subarray(11)];
  for (const frame of frames) {
    assertEquals(unmasked(frame), [0x82, "48656c6c6f"]);
  }
  assert(frames[0]?.toHex() !== frames[1]?.toHex(), "the same mask");
  const long = new Uint8Array(200_000);
  const before = sent().length;
  assertEquals(await socket.write(long), 65_536);
  await writeAll(socket, long.subarray(65_536));
  assertEquals(sent().length - before, 200_000 + 3 * 14 + 8);
});
