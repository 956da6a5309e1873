/**
 * The PROXY protocol, version 2, as section 2.2 of its specification lays it out, byte for byte.
 *
 * @module
 */

import { GoneError } from "../../../src/protocol/record_reader.ts";
import { WireError } from "../../../src/protocol/records.ts";
import { readProxyHeader } from "../../../src/server/proxy_header.ts";
import { concat } from "../../../crypto_utils.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { streamPair } from "../../kit/memory_stream.ts";

/** As the specification writes it: \x0D \x0A \x0D \x0A \x00 \x0D \x0A \x51 \x55 \x49 \x54 \x0A. */
const SIGNATURE = "0D0A0D0A000D0A515549540A";

/** A header. @param start The version and command, and the family, in hex. @param rest What follows the length, in hex. */
function header(start: string, rest: string, length = rest.length / 2) {
  const size = length.toString(16).padStart(4, "0");
  return Uint8Array.fromHex(SIGNATURE + start + size + rest);
}

/** 192.0.2.7:56324 to 198.51.100.9:443. */
const IPV4 = "c0000207" + "c6336409" + "dc04" + "01bb";
const SIX = "20010db8000000000000000000000007";
const IPV6 = SIX + "20010db8000000000000000000000009" + "dc04" + "01bb";
const MAPPED = "00000000000000000000ffffc0000207" + SIX + "dc04" + "01bb";
/** Type, length and value: no operation, and a checksum (sections 2.2.4 and 2.2.3). */
const TLVS = "040003000000" + "030004deadbeef";

/** What is read of these bytes, and of what follows them no byte. */
async function read(bytes: Uint8Array, piece = Infinity) {
  const [proxy, conn] = streamPair();
  conn.incoming.pieceSize = piece;
  const rest = utf8("from the client");
  proxy.outgoing.inject(concat(bytes, rest));
  proxy.outgoing.end();
  const address = await readProxyHeader(conn);
  conn.incoming.pieceSize = Infinity;
  const left = new Uint8Array(100);
  const size = await conn.read(left) ?? 0;
  assertEquals(left.subarray(0, size), rest, "what follows is the client's");
  return address;
}

/** What is read of these bytes where nothing follows them. */
async function readOnly(bytes: Uint8Array) {
  const [proxy, conn] = streamPair();
  proxy.outgoing.inject(bytes);
  proxy.outgoing.end();
  return await readProxyHeader(conn);
}

/** What is taken, and the address that it tells. */
const TAKEN: readonly (readonly [Uint8Array, string | undefined])[] = [
  [header("2111", IPV4), "192.0.2.7"],
  [header("2111", IPV4 + TLVS), "192.0.2.7"],
  [header("2111", IPV4 + "00".repeat(508)), "192.0.2.7"], // 536 bytes
  [header("2121", IPV6), "2001:db8::7"],
  [header("2121", IPV6 + TLVS), "2001:db8::7"],
  [header("2121", MAPPED), "192.0.2.7"],
  [header("2000", ""), undefined],
  [header("2000", TLVS), undefined],
  [header("2011", IPV4), undefined],
  [header("20ff", "00".repeat(520)), undefined], // the family is ignored
];

Deno.test("readProxyHeader() tells the address, however its bytes are torn, and reads none beyond", async () => {
  for (const [bytes, address] of TAKEN) {
    for (const piece of [Infinity, 1, 5, 13, 17]) {
      assertEquals(await read(bytes, piece), address);
    }
  }
});

Deno.test("readProxyHeader() refuses all else, and says why", async () => {
  const all: readonly (readonly [Uint8Array, string])[] = [
    [header("1111", IPV4), "its version is 1"],
    [header("3111", IPV4), "its version is 3"],
    [header("0111", IPV4), "its version is 0"],
    [header("2211", IPV4), "its command is 2"],
    [header("2f11", IPV4), "its command is 15"],
    [header("2100", ""), "it names no address of TCP"],
    [header("2110", IPV4), "it names no address of TCP"], // no transport
    [header("2112", IPV4), "it names no address of TCP"], // UDP
    [header("2122", IPV6), "it names no address of TCP"],
    [header("2131", "00".repeat(216)), "it names no address of TCP"], // UNIX
    [header("2141", IPV6), "it names no address of TCP"],
    [header("2111", IPV4.slice(2)), "it is too short"],
    [header("2121", IPV4), "it is too short"],
    [header("2111", ""), "it is too short"],
    [header("2111", IPV4, 521), "it is too long"],
    [header("2000", "", 65_535), "it is too long"],
    [utf8("PROXY TCP4 192.0.2.7 198.51.100.9 56324 443\r\n"), "version 1"],
    [utf8("PROXY UNKNOWN\r\n"), "it is of version 1"],
    [utf8("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "there is none"],
    [new Uint8Array(64), "there is none"],
  ];
  for (const [bytes, why] of all) {
    const { message } = await assertRejects(() => read(bytes), WireError);
    assertStringIncludes(message, "Cannot read the header of the PROXY");
    assertStringIncludes(message, why);
  }
});

Deno.test("readProxyHeader() refuses a signature with any bit changed", async () => {
  for (let bit = 0; bit < 12 * 8; bit++) {
    const bytes = header("2111", IPV4);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    await assertRejects(() => read(bytes), WireError, "there is none");
  }
});

Deno.test("readProxyHeader() notices an end after every byte, and nothing said as such", async () => {
  for (const [whole] of TAKEN) {
    for (let size = 0; size < Math.min(80, whole.length); size++) {
      const failed = await assertRejects(
        () => readOnly(whole.slice(0, size)),
        WireError,
      );
      assertEquals(failed instanceof GoneError, size === 0, `${size} bytes`);
      if (failed instanceof GoneError) assertEquals(failed.answered, false);
    }
  }
});

Deno.test("readProxyHeader() takes a reset before the first byte for a look at the port, later ones for what they are", async () => {
  const bytes = header("2111", IPV4);
  for (const size of [0, 1, 16, 20]) {
    let at = 0;
    const read = (into: Uint8Array) => {
      if (at === size) return Promise.reject(new Deno.errors.ConnectionReset());
      into.set(bytes.subarray(at, ++at));
      return Promise.resolve(1);
    };
    const failed = await assertRejects(() => readProxyHeader({ read }), Error);
    assertEquals(failed instanceof GoneError, size === 0);
    if (failed instanceof GoneError) assertEquals(failed.answered, false);
    assertEquals(failed instanceof Deno.errors.ConnectionReset, size > 0);
  }
});
