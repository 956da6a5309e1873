/**
 * SOCKS5 as RFC 1928 and RFC 1929 lay it out, byte for byte.
 *
 * @module
 */

import {
  connectThrough,
  ProxyError,
} from "../../../../src/client/proxy/socks5.ts";
import type { Login } from "../../../../src/client/proxy/proxy_setting.ts";
import { formatAddress, parseAddress } from "../../../../src/keys/invite.ts";
import { concat } from "../../../../crypto_utils.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { streamPair } from "../../../kit/memory_stream.ts";

const LOGIN: Login = { user: "ana", password: "hush" };
/** 03, then "ana" and "hush", each behind its length: RFC 1929 section 2. */
const SAID = "01" + "03616e61" + "0468757368";
/** 05 00 00, then 0.0.0.0:0, by which a proxy says that it is done: RFC 1928 section 6. */
const DONE = "05000001" + "00000000" + "0000";

const hex = (text: string) => Uint8Array.fromHex(text);

/** A connection to a proxy that says these bytes, and then nothing more. */
function toProxy(bytes: Uint8Array, piece = Infinity) {
  const [conn, proxy] = streamPair();
  conn.incoming.pieceSize = piece;
  proxy.outgoing.inject(bytes);
  proxy.outgoing.end();
  return { conn, told: () => concat(...conn.outgoing.written) };
}

/** Has a proxy that answers this connect to an address. @returns What it was told. */
async function told(
  answers: string,
  address: string,
  login?: Login,
  piece?: number,
): Promise<string> {
  const rest = utf8("from the server");
  const { conn, told } = toProxy(concat(hex(answers), rest), piece);
  await connectThrough(conn, parseAddress(address), login);
  conn.incoming.pieceSize = Infinity;
  const left = new Uint8Array(100);
  const size = await conn.read(left) ?? 0;
  assertEquals(left.subarray(0, size), rest, "what follows is the server's");
  return told().toHex();
}

Deno.test("connectThrough() asks for IPv4, IPv6 and names, which it doesn't look up", async () => {
  const onion = `${"a".repeat(56)}.onion`;
  const name = (text: string) =>
    "03" + Uint8Array.of(text.length).toHex() + utf8(text).toHex();
  const all = [
    ["192.0.2.7:5000", "01" + "c0000207" + "1388"],
    ["[2001:db8::7]:443", "04" + "20010db8000000000000000000000007" + "01bb"],
    ["Chat.Example.ORG:65535", name("chat.example.org") + "ffff"],
    ["nowhere.invalid:1", name("nowhere.invalid") + "0001"],
    ["müller.example:5000", name("xn--mller-kva.example") + "1388"],
    [`${onion}:5000`, name(onion) + "1388"],
  ];
  for (const [address = "", request] of all) {
    const expected = "050100" + "050100" + request;
    assertEquals(await told("0500" + DONE, address), expected);
  }
});

Deno.test("connectThrough() reads each kind of answer to its end, however it is torn", async () => {
  const kinds = [
    DONE,
    "05000004" + "20010db8000000000000000000000007" + "1388",
    "05000003" + "09" + utf8("localhost").toHex() + "1388",
    "05000003" + "00" + "1388",
  ];
  for (const reply of kinds) {
    for (const piece of [Infinity, 1, 2, 3, 7]) {
      const asked = await told(
        "0500" + reply,
        "192.0.2.7:80",
        undefined,
        piece,
      );
      assertEquals(asked, "050100" + "05010001c00002070050");
      const login = await told(
        "0502" + "0100" + reply,
        "192.0.2.7:80",
        LOGIN,
        piece,
      );
      assertEquals(login, "05020002" + SAID + "05010001c00002070050");
    }
  }
});

Deno.test("connectThrough() keeps the password from a proxy that doesn't ask for it", async () => {
  const asked = await told("0500" + DONE, "192.0.2.7:80", LOGIN);
  assertEquals(asked, "05020002" + "05010001c00002070050");
});

Deno.test("connectThrough() says why a proxy doesn't connect, in words for each code", async () => {
  const words = [
    ...["it failed", "its rules don't allow it"],
    ...["that network cannot be reached", "no route to that host"],
    ...["connection refused", "timed out on the way (TTL expired)"],
    ...["it doesn't make connections", "it doesn't know that kind of address"],
    ...["its reply is 9"],
  ];
  for (const [at, why] of words.entries()) {
    const reply = `05${Uint8Array.of(at + 1).toHex()}0001`;
    const { message } = await assertRejects(
      () => told("0500" + reply, "192.0.2.7:80"), // and nothing behind the code
      ProxyError,
    );
    assertEquals(message, `the proxy can't reach the server: ${why}`);
  }
});

Deno.test("connectThrough() gives up where a proxy wants another login, or none of those that it has", async () => {
  const wants = "wants a user and a password: socks5://USER:PASSWORD@HOST:PORT";
  const refuses = "doesn't take that user and password";
  const all = [
    ["05ff", undefined, wants],
    ["0502", undefined, wants], // which wasn't offered
    ["0501", undefined, wants],
    ["05ff", LOGIN, refuses],
    ["0501", LOGIN, refuses],
    ["05020101", LOGIN, refuses],
    ["050205ff", LOGIN, refuses],
  ] as const;
  for (const [answers, login, why] of all) {
    const { message } = await assertRejects(
      () => told(answers + DONE, "192.0.2.7:80", login),
      ProxyError,
    );
    assertEquals(message, `the proxy ${why}`);
  }
});

Deno.test("connectThrough() knows what is no SOCKS5, wherever it shows", async () => {
  const all = [
    "0400", // SOCKS 4
    utf8("HTTP/1.1 400").toHex(),
    "0000",
    "0500" + "04" + DONE.slice(2),
    "0500" + "05000002" + "0000", // no kind of address
    "0500" + "05000000" + "0000",
  ];
  for (const answers of all) {
    const { message } = await assertRejects(
      () => told(answers, "192.0.2.7:80"),
      ProxyError,
    );
    assertEquals(message, "the proxy doesn't speak SOCKS5");
  }
});

Deno.test("connectThrough() notices an end after every byte", async () => {
  const whole = hex("0502" + "0100" + "05000003" + "01" + "61" + "1388");
  for (let size = 0; size < whole.length; size++) {
    const { conn } = toProxy(whole.slice(0, size));
    const { message } = await assertRejects(
      () => connectThrough(conn, parseAddress("a.example:1"), LOGIN),
      ProxyError,
    );
    assertEquals(message, "the proxy closed the connection");
  }
});

Deno.test("connectThrough() says nothing to a proxy of an address that no proxy knows", async () => {
  const { conn, told } = toProxy(hex("0500" + DONE));
  const address = parseAddress("[fe80::1%eth0]:5000");
  assertEquals(formatAddress(address.host, 1), "[fe80::1%eth0]:1");
  await assertRejects(
    () => connectThrough(conn, address, undefined),
    ProxyError,
    "no proxy reaches that address",
  );
  assertEquals(told().length, 0);
});
