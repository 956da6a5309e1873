/**
 * Connections without a proxy.
 *
 * @module
 */

import { direct } from "../../../src/client/direct.ts";
import { assertEquals, assertMatch, assertRejects } from "../../kit/assert.ts";
import { withMethod } from "../../kit/log_kit.ts";
import { streamPair } from "../../kit/memory_stream.ts";

Deno.test("direct() asks nobody for an address of Tor", async () => {
  for (
    const address of [
      "abc.onion:5000",
      "abc.ONION.:5000",
      "https://abc.onion",
      "http://abc.onion:8080",
    ]
  ) {
    await assertRejects(() => direct(address), Error, "through Tor alone");
  }
});

Deno.test("direct() connects to HOST:PORT by TCP, which sends each line at once, and to an origin by a WebSocket", async () => {
  const asked: unknown[] = [];
  const connect = (options: unknown) => {
    const setNoDelay = (is: boolean) => void asked.push(is);
    asked.push(options);
    return Promise.resolve(Object.assign(streamPair()[0], { setNoDelay }));
  };
  await withMethod(Deno, "connect", () => connect as never, async () => {
    await direct("a.onion.example:5000");
  });
  assertEquals(asked, [{ hostname: "a.onion.example", port: 5000 }, true]);

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const request = (async () => {
    using conn = await listener.accept();
    const bytes = new Uint8Array(1_024);
    const size = await conn.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, size));
  })();
  const origin = `http://127.0.0.1:${listener.addr.port}`;
  const failed = assertRejects(
    () => direct(origin),
    Error,
    "the server cannot be reached",
  );
  await Promise.race([request, failed]);
  assertMatch(
    await request,
    /^GET \/\S* HTTP\/1\.1\r\n[^]*\r\nupgrade: websocket\r\n/i,
  );
  await failed;
});
