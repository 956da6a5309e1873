/**
 * What requests say: bodies whole and in pieces, up to each limit and beyond.
 *
 * @module
 */

import { concat } from "../../../../crypto_utils.ts";
import { WireError } from "../../../../src/protocol/records.ts";
import { parseRequest } from "../../../../src/server/http/http_head.ts";
import { RequestError } from "../../../../src/server/http/request_error.ts";
import { readSaid } from "../../../../src/server/http/say_request.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { streamPair } from "../../../kit/memory_stream.ts";

/** What a request says. @param ahead Bytes of the body that come with the head. */
async function read(
  body: string | Uint8Array,
  fields: Readonly<Record<string, string>> = {},
  ahead = 0,
) {
  const bytes = typeof body === "string" ? utf8(body) : body.slice();
  const all = {
    host: "a",
    "content-length": `${bytes.length}`,
    ...fields,
  };
  const lines = Object.entries(all).map(([name, it]) => `${name}: ${it}\r\n`);
  const head = parseRequest(
    utf8(`POST /say HTTP/1.1\r\n${lines.join("")}\r\n`),
  );
  const [near, far] = streamPair();
  near.outgoing.pieceSize = 10_000;
  near.outgoing.inject(bytes.subarray(ahead));
  near.outgoing.end();
  const said = await readSaid(far, head, bytes.slice(0, ahead));
  const asked = new TextDecoder().decode(concat(...far.outgoing.written));
  return { ...said, asked };
}

const type = (text: string) => ({ "content-type": text });
const JSON_TYPE = type("application/json");

Deno.test("readSaid() takes the lines of a text of any name that is UTF-8, and what JSON says as one message", async () => {
  const text = [
    {},
    type("text/plain"),
    type("TEXT/PLAIN ; Charset=UTF-8"),
    type('text/plain; format=flowed; charset="utf8"'),
    type("text/plain; charset=us-ascii"),
    type("application/x-www-form-urlencoded"),
  ];
  for (const fields of text) {
    for (const ahead of [0, 4, 15]) {
      const { texts, size } = await read("one\r\n\n  \nzwö\nx", fields, ahead);
      assertEquals([texts, size], [["one", "zwö", "x"], 15]);
    }
  }
  for (const fields of [JSON_TYPE, type("Application/JSON; charset=utf-8")]) {
    const { texts } = await read('{"text":"one\\n\\ntwo","more":1}', fields);
    assertEquals(texts, ["one\n\ntwo"]);
  }
  assertEquals((await read(" \n")).texts, [""], "which is refused as such");
});

Deno.test("readSaid() takes what is as long as it may be, and nothing longer", async () => {
  assertEquals((await read("x".repeat(65_536))).size, 65_536);
  assertEquals((await read("x\n\n".repeat(100))).texts.length, 100);
  const key = "k".repeat(255);
  assertEquals((await read("x", { "idempotency-key": key })).key, key);
  assertEquals((await read("x")).key, undefined);
  const refused: readonly (readonly [Promise<unknown>, number])[] = [
    [read("x".repeat(65_537)), 413],
    [read("x\n".repeat(101)), 413],
    [read("x", { "idempotency-key": `${key}k` }), 400],
    [read("x", { "idempotency-key": "" }), 400],
    [read("xy", { "content-length": "1" }, 2), 400],
  ];
  for (const [said, status] of refused) {
    const error = await assertRejects(() => said, RequestError);
    assertEquals((error as RequestError).status, status);
  }
});

Deno.test("readSaid() refuses what is neither, in no length, and in no UTF-8", async () => {
  const refused: readonly (readonly [Parameters<typeof read>, number])[] = [
    [["x", type("text/html")], 415],
    [["x", type("text/plain2")], 415],
    [["x", type("atext/plain")], 415],
    [["x", type("")], 415],
    [["x", type("text/plain; charset=latin1")], 415],
    [["x", type("text/plain; charset=utf-80")], 415],
    [["x", type("text/plain; charset=charset=utf-8")], 415],
    [["{}", type("application/json; charset=utf-16")], 415],
    [["x", { "content-length": "" }], 411],
    [["x", { "content-length": "x" }], 411],
    [["x", { "content-length": "1x" }], 411],
    [["x", { "content-length": "-1" }], 411],
    [["x", { "content-length": "1".repeat(16) }], 411],
    [["x", { "content-length": "1".repeat(15) }], 413],
    [["x", { "transfer-encoding": "chunked" }], 411],
    [[Uint8Array.of(0x78, 0xff)], 400],
  ];
  for (const [request, status] of refused) {
    const error = await assertRejects(() => read(...request), RequestError);
    assertEquals((error as RequestError).status, status, `${request}`);
  }
});

Deno.test("readSaid() tells JSON that says nothing from what is no JSON", async () => {
  for (
    const body of ["null", "[]", "5", '"x"', '{"other":"x"}', '{"text":5}']
  ) {
    const reading = read(body, JSON_TYPE);
    const why = 'The body must be {"text": "…"}';
    await assertRejects(() => reading, RequestError, why);
  }
  const reading = read("x", JSON_TYPE);
  await assertRejects(() => reading, RequestError, "The body is not JSON");
});

Deno.test("readSaid() asks for a body that waits for that, unless it is there, and notices one that breaks off", async () => {
  const fields = { expect: "100-continue" };
  const { asked } = await read("hello", fields, 4);
  assertEquals(asked, "HTTP/1.1 100 Continue\r\n\r\n");
  assertEquals((await read("hello", fields, 5)).asked, "");
  assertEquals((await read("hello", {}, 2)).asked, "");
  assertEquals((await read("hello", { expect: "more" }, 2)).asked, "");
  await assertRejects(
    () => read("hello", { "content-length": "6" }),
    WireError,
    "The body of a request broke off",
  );
});
