/**
 * When a client says what is wrong with its proxy, instead of which servers it didn't reach.
 *
 * @module
 */

import { UsageError } from "../../../src/base/usage_error.ts";
import { JoinError } from "../../../src/client/join_error.ts";
import { ProxyFault } from "../../../src/client/proxy_fault.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { streamPair } from "../../kit/memory_stream.ts";

const FAULT = new UsageError("no proxy");
const ENDS = new JoinError("Cannot join", "Check that the server runs");

/** A proxy that can't be used, past which some addresses go. @param past What comes of each of those. */
function faultWith(past: Readonly<Record<string, Error | "connected">>) {
  return new ProxyFault((address) => {
    const outcome = past[address] ?? FAULT;
    return outcome === "connected"
      ? Promise.resolve(streamPair()[0])
      : Promise.reject(outcome);
  });
}

Deno.test("insteadOf() is what is wrong with the proxy, once no server could be tried for it", async () => {
  const proxy = faultWith({});
  for (const address of ["192.0.2.7:5000", "192.0.2.8:5000"]) {
    await assertRejects(() => proxy.dial(address), UsageError, "no proxy");
  }
  assertEquals(proxy.insteadOf(ENDS), FAULT);
  const other = new Error("something else");
  assertEquals(proxy.insteadOf(other), other);
});

Deno.test("insteadOf() is the error itself where a server was tried, whether or not it was there", async () => {
  const refused = new Deno.errors.ConnectionRefused();
  for (const outcome of [refused, "connected"] as const) {
    const proxy = faultWith({ "127.0.0.1:5000": outcome });
    await proxy.dial("127.0.0.1:5000").catch(() => {});
    await assertRejects(() => proxy.dial("192.0.2.7:5000"), UsageError);
    assertEquals(proxy.insteadOf(ENDS), ENDS);
  }
});
