/**
 * The opening handshake of a WebSocket: the example of RFC 6455, and what is no such request.
 *
 * @module
 */

import { parseHead } from "../../../../src/server/http/http_head.ts";
import { upgrade } from "../../../../src/server/web/upgrade.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { SAMPLE_KEY, upgradeRequest } from "../../../kit/web_socket.ts";

/** What is answered to a request with these fields: whether it is open, the head, and what follows it. */
async function answered(
  fields: Readonly<Record<string, string | undefined>> = {},
  method = "GET",
) {
  const first = `${method} /chat HTTP/1.1`;
  const { isOpen, answer } = await upgrade(
    parseHead(upgradeRequest(fields, first)),
  );
  const [head = "", body] = new TextDecoder().decode(answer)
    .split(/\r\n\r\n(.*)/s);
  const [status, ...lines] = head.split("\r\n");
  return { isOpen, status, lines, body };
}

Deno.test("upgrade() opens a WebSocket with the key's digest, as RFC 6455 has it", async () => {
  const open = {
    isOpen: true,
    status: "HTTP/1.1 101 Switching Protocols",
    lines: [
      "upgrade: websocket",
      "connection: Upgrade",
      "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ],
    body: "",
  };
  assertEquals(await answered(), open);
  const otherwise = { connection: "UPGRADE", upgrade: "WebSocket, h2c" };
  assertEquals(await answered(otherwise), open);
});

Deno.test("upgrade() says what there is to who asks for something else, and refuses a key that is none", async () => {
  for (
    const fields of [
      { connection: undefined },
      { connection: "keep-alive" },
      { upgrade: undefined },
      { upgrade: "h2c" },
      { "sec-websocket-version": undefined },
      { "sec-websocket-version": "8" },
    ]
  ) {
    const { isOpen, status, lines, body } = await answered(fields);
    assertEquals([isOpen, status, body], [
      false,
      "HTTP/1.1 426 Upgrade Required",
      "Here is a WebSocket, version 13\n",
    ]);
    assertEquals(lines.slice(0, 2), [
      "upgrade: websocket",
      "sec-websocket-version: 13",
    ]);
    assertEquals((await answered(fields, "HEAD")).body, "");
  }
  const keys = [
    undefined,
    "",
    SAMPLE_KEY.slice(0, -1),
    `${SAMPLE_KEY}=`,
    `A${SAMPLE_KEY}`,
    SAMPLE_KEY.replace("Q==", "B=="),
    SAMPLE_KEY.replace("d", "-"),
  ];
  for (const key of keys) {
    const told = await answered({ "sec-websocket-key": key });
    assertEquals([told.isOpen, told.status, told.body], [
      false,
      "HTTP/1.1 400 Bad Request",
      "Bad Request\n",
    ], `${key}`);
  }
  const { isOpen, status, body } = await answered({}, "HEAD");
  assertEquals([isOpen, status, body], [false, "HTTP/1.1 400 Bad Request", ""]);
});
