import { UsageError } from "../../../src/base/usage_error.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { FLAGS } from "../../../src/server/flags.ts";
import { Proxies } from "../../../src/server/proxies.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { streamPair } from "../../kit/memory_stream.ts";

/** The proxies of a flag's value, with other flags. */
function proxies(list: string, ...args: string[]): Proxies {
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  return Proxies.of(values, list);
}

/** From where somebody comes by a proxy at an address. @param rest The header after its signature, in hex. */
async function source(proxy: string, rest: string) {
  const [far, conn] = streamPair();
  const signature = "0d0a0d0a000d0a515549540a";
  far.outgoing.inject(Uint8Array.fromHex(signature + rest));
  return await proxies("0.0.0.0/0,::/0").sourceOf(conn, proxy);
}

const ports = "138801bb";
const from = (address: string) => `2111000c${address}c0000201${ports}`;

Deno.test("Proxies are where the flag says, in both ways to write IPv4, and nowhere else", () => {
  const all = proxies("127.0.0.2, 10.0.0.0/8,2001:db8::/32");
  const inside = ["127.0.0.2", "10.9.8.7", "::ffff:10.9.8.7", "2001:db8::1"];
  const outside = ["127.0.0.1", "11.0.0.1", "::1", "2001:db9::1", ""];
  assertEquals(inside.filter((it) => !all.has(it)), []);
  assertEquals(outside.filter((it) => all.has(it)), []);
});

Deno.test("Proxies refuses a list that it can't read, and a certificate, which would come before the header", () => {
  for (const list of [",", "localhost", "10.0.0.0/33", "10.0.0.1,", "a b"]) {
    const why = `Cannot use --proxy-protocol ${JSON.stringify(list)}: `;
    assertThrows(() => proxies(list), UsageError, why);
  }
  assertThrows(
    () => proxies("10.0.0.1", "--web=1", "--web-cert=c", "--web-key=k"),
    UsageError,
    "--proxy-protocol can't be had with --web-cert",
  );
  assert(proxies("10.0.0.1", "--web=1"));
});

Deno.test("Proxies tells the address that a proxy names, by which limits count", async () => {
  const four = { address: "192.0.2.7", network: "192.0.2.7", isHere: false };
  assertEquals(await source("127.0.0.2", from("c0000207")), four);
  const six = "20010db8000000010002000300040005";
  assertEquals(await source("127.0.0.2", `21210024${six}${six}${ports}`), {
    address: "2001:db8:0:1:2:3:4:5",
    network: "2001:db8:0:1::/64",
    isHere: false,
  });
});

Deno.test("Proxies never frees from limits whom a proxy passes on, be it from this machine", async () => {
  const loopback = [
    from("7f000001"),
    `21210024${"00".repeat(15)}01${"00".repeat(20)}`,
  ];
  for (const rest of loopback) {
    const { isHere, network } = await source("127.0.0.2", rest);
    assertEquals(isHere, false);
    // Nor does it share its places with those who come from this machine without a proxy.
    assert(network.endsWith(" behind 127.0.0.2"), network);
  }
});

Deno.test("Proxies takes a connection of the proxy's own for what it is", async () => {
  assertEquals(await source("127.0.0.2", "20000000"), {
    address: "127.0.0.2",
    network: "127.0.0.2",
    isHere: true,
  });
  const { isHere } = await source("10.0.0.1", "20000000");
  assertEquals(isHere, false);
});
