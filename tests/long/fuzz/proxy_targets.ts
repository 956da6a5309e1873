/**
 * What proxies say: to a client that wants to be connected, and to a server whom they pass on; and what a server says
 * through one. And the file of tokens, which people write.
 *
 * @module
 */

import fc from "fast-check";
import { type Bytes, concat } from "../../../crypto_utils.ts";
import { addressBytes } from "../../../src/base/networks.ts";
import { FileError } from "../../../src/base/private_file.ts";
import {
  connectThrough,
  ProxyError,
} from "../../../src/client/proxy/socks5.ts";
import { openTunnelled } from "../../../src/client/proxy/tunnelled_socket.ts";
import { GoneError } from "../../../src/protocol/record_reader.ts";
import { WireError } from "../../../src/protocol/records.ts";
import {
  digestOfToken,
  parseTokens,
} from "../../../src/server/http/token_file.ts";
import { readProxyHeader } from "../../../src/server/proxy_header.ts";
import { restOf } from "../../kit/bytes.ts";
import { streamPair } from "../../kit/memory_stream.ts";
import { SAMPLE_ANSWER, SAMPLE_KEY } from "../../kit/web_socket.ts";
import {
  asyncProperty,
  bytesOf,
  hold,
  outcomeOf,
  same,
  type Target,
  textOf,
} from "./target.ts";

/** A stream on which these bytes come, and then the end. @param pieceSize The most that come at a time. */
function coming(input: Bytes, pieceSize: number) {
  const [near, far] = streamPair();
  near.incoming.pieceSize = pieceSize;
  far.outgoing.inject(input);
  far.outgoing.end();
  return near;
}

/** Throws unless what is left is all that stands behind so many bytes. */
function requireRest(left: Bytes, input: Bytes, size: number): void {
  same(left.toHex(), input.subarray(size).toHex(), "what follows");
}

/** The same, whether it comes whole or byte by byte. */
async function eitherWay(
  run: (pieceSize: number) => Promise<string>,
): Promise<string> {
  const whole = await run(Infinity);
  same(await run(1), whole, "byte by byte it says else");
  return whole;
}

// ── A proxy's answers to a client (RFC 1928, RFC 1929) ─────────────────────────────────────────────────

const LOGIN = { user: "ana", password: "secret" };
/** How long the address in a reply is, by its kind, with its port; of a name without its length. */
const KINDS: Readonly<Record<number, number>> = { 1: 6, 4: 18 };

async function socksOutcome(input: Bytes, pieceSize: number): Promise<string> {
  const conn = coming(input, pieceSize);
  const target = { host: "chat.example.org", port: 443 };
  try {
    await connectThrough(conn, target, LOGIN);
  } catch (error) {
    return outcomeOf(error, ProxyError);
  }
  const reply = input[1] === 2 ? 4 : 2; // after the method, and the login
  const size = KINDS[input[reply + 3] ?? 0] ?? 3 + (input[reply + 4] ?? 0);
  hold(input[0] === 5 && input[reply] === 5, "another version");
  hold(input[reply + 1] === 0, "connected, though it says that it isn't");
  requireRest(await restOf(conn), input, reply + 4 + size);
  return `connected, ${input[1] === 2 ? "a" : "no"} login`;
}

/** `connectThrough`: a proxy's answers say the same, however they come, and what follows them is left alone. */
export function socksReplies(): Target {
  const hex = (text: string) => Uint8Array.fromHex(text);
  return {
    name: "socks",
    share: 1,
    seeds: [
      hex("0500" + "05000001" + "c00002070438" + "6869"),
      hex("0502" + "0100" + "05000004" + "00".repeat(18)),
      hex("0500" + "05000003" + "0461626364" + "0050" + "01"),
      hex("0500" + "05020001" + "000000000000"),
      hex("05ff"),
    ],
    words: ["\x05", "\x00", "\x01", "\x03", "\x04", "HTTP/1.1 400\r\n"],
    check: (input) => eitherWay((size) => socksOutcome(input, size)),
    properties: [],
  };
}

// ── What a server says through one (RFC 6455) ──────────────────────────────────────────────────────────

const KEY = Uint8Array.fromBase64(SAMPLE_KEY);
const ANSWER = [...SAMPLE_ANSWER, "\r\n"].join("\r\n");

async function tunnelOutcome(input: Bytes, pieceSize: number): Promise<string> {
  const conn = coming(input, pieceSize);
  const url = new URL("ws://chat.example.org/chat");
  let payload = new Uint8Array(0);
  try {
    const socket = await openTunnelled(conn, url, KEY);
    payload = await restOf(socket);
    hold(payload.length < input.length, "more payload than bytes");
    return `${Math.min(payload.length, 3)} bytes: ${payload.toHex()}`;
  } catch (error) {
    // The type says nothing here: none but a plain one is meant.
    if ((error as Error).constructor !== Error) throw error;
    return outcomeOf(error, Error);
  }
}

/** `openTunnelled`: a server's answer and frames carry the same, however they come. */
export function tunnelledFrames(): Target {
  const hex = (text: string) => Uint8Array.fromHex(text);
  const open = (...frames: Bytes[]) => concat(bytesOf(ANSWER), ...frames);
  return {
    name: "tunnel",
    share: 1,
    seeds: [
      open(hex("820548656c6c6f")), // section 5.7
      open(hex("020348656c"), hex("890548656c6c6f"), hex("80026c6f")),
      open(concat(hex("827e0100"), new Uint8Array(256)), hex("880203e8")),
      open(concat(hex("827f0000000000000003"), new Uint8Array(3))),
      bytesOf("HTTP/1.1 404 Not Found\r\n\r\n"),
    ],
    words: ["\r\n\r\n", "\x82", "\x88\x00", "\x89\x00", "\x7f", "\x7e"],
    check: async (input) => {
      const said = await eitherWay((size) => tunnelOutcome(input, size));
      return said.replace(/: [\da-f]*$/, "");
    },
    properties: [],
  };
}

// ── A proxy's header for a server (PROXY protocol, version 2) ──────────────────────────────────────────

const SIGNATURE = "0d0a0d0a000d0a515549540a";

async function headerOutcome(input: Bytes, pieceSize: number): Promise<string> {
  const conn = coming(input, pieceSize);
  try {
    const address = await readProxyHeader(conn);
    const size = 16 + new DataView(input.buffer, input.byteOffset).getUint16(
      14,
    );
    hold(size <= 536, "too long a header");
    hold(input.subarray(0, 12).toHex() === SIGNATURE, "no signature");
    requireRest(await restOf(conn), input, size);
    if (address === undefined) return "of its own";
    const bytes = addressBytes(address);
    hold(bytes !== undefined, "an address that is none");
    return `for ${bytes.length} bytes`;
  } catch (error) {
    return outcomeOf(error, GoneError, WireError);
  }
}

/** `readProxyHeader`: a header says the same, however it comes, and what follows it is left alone. */
export function proxyHeaders(): Target {
  const header = (start: string, rest: string) =>
    Uint8Array.fromHex(
      SIGNATURE + start + (rest.length / 2).toString(16).padStart(4, "0") +
        rest + "6869",
    );
  const ipv4 = "c0000207" + "c6336409" + "dc0401bb";
  const ipv6 = ("20010db8" + "00".repeat(12)).repeat(2) + "dc0401bb";
  const mapped = ("00".repeat(10) + "ffff" + "c0000207").repeat(2) + "dc0401bb";
  return {
    name: "proxies",
    share: 1,
    seeds: [
      header("2111", ipv4),
      header("2121", ipv6),
      header("2121", mapped),
      header("2111", ipv4 + "040003000000"),
      header("2000", ""),
      bytesOf("PROXY TCP4 192.0.2.7 198.51.100.9 56324 443\r\n"),
    ],
    words: ["\x20", "\x21", "\x11", "\x00\x0c", "\x02\x08", "PROXY "],
    check: (input) => eitherWay((size) => headerOutcome(input, size)),
    properties: [
      asyncProperty(
        "an address is read as it was written",
        [
          fc.constantFrom(4, 16),
          fc.uint8Array({ minLength: 16, maxLength: 16 }),
        ],
        async (size: number, bytes: Uint8Array) => {
          const address = bytes.slice(0, size);
          const start = size === 4 ? "2111" : "2121";
          const input = header(start, `${address.toHex().repeat(2)}dc0401bb`);
          const text = await readProxyHeader(coming(input, 7)) ?? "";
          const read = addressBytes(text)?.toHex() ?? text;
          hold(address.toHex().endsWith(read), `${address.toHex()}: ${text}`);
          hold(read.length === 2 * size || read.length === 8, "in part");
        },
      ),
    ],
  };
}

// ── The file of tokens ─────────────────────────────────────────────────────────────────────────────────

/** What is long enough to be a secret. */
const LONG = /[^\s"]{24,}/g;

/** `parseTokens`: each token speaks for one name, and what is wrong is said without repeating anything of it. */
export function tokenFiles(): Target {
  const token = "6ePcVJ1rjXvHxHgQxn3DnVn8LhVvTLzG4g2uQ0F0m8c";
  const other = "another-token_of.letters~and+digits/0123456789==";
  return {
    name: "tokens",
    share: 1,
    seeds: [
      bytesOf(`# NAME TOKEN\nbackup ${token}\n`),
      bytesOf(`backup ${token}\nBackup ${other}\n\n`),
      bytesOf(`ana ${token}\r\n  bob\t${other}`),
    ],
    words: ["\n", "\r", " ", "\t", "#", "ana ", "АNА ", token, other, "\u200b"],
    check: (input) => {
      const text = textOf(input);
      try {
        const tokens = parseTokens("chat.tokens", text);
        const digests = new Set(tokens.map(({ digest }) => digest.toHex()));
        same(digests.size, tokens.length, "a token of two names");
        const words = new Set(text.split(/\s+/));
        const known = new Set(
          [...words].map((word) => digestOfToken(word).toHex()),
        );
        hold(digests.isSubsetOf(known), "a token that doesn't stand there");
        return `${Math.min(tokens.length, 3)} tokens`;
      } catch (error) {
        const { message } = error as Error;
        for (const [secret] of text.matchAll(LONG)) {
          hold(!message.includes(secret), "an error that repeats a secret");
        }
        return outcomeOf(error, FileError);
      }
    },
    properties: [],
  };
}
