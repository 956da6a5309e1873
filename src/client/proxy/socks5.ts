/**
 * SOCKS version 5 (RFC 1928) with user and password (RFC 1929), as a client speaks it: one connection to the proxy becomes
 * one to where it is asked to connect. Names go to the proxy as they are; nothing is looked up here.
 *
 *     05 N METHODS ──▶ 05 METHOD ──▶ 01 USER PASSWORD ──▶ 01 00 ──▶ 05 01 00 ADDRESS PORT ──▶ 05 00 00 ADDRESS PORT
 *
 * Of the answers not a byte more is read than they have: what follows is the server's.
 *
 * @module
 */

import { type Bytes, concat } from "../../../crypto_utils.ts";
import { addressBytes } from "../../base/networks.ts";
import { writeAll } from "../../base/write_all.ts";
import type { Address } from "../../keys/invite.ts";
import type { Stream } from "../../protocol/record_reader.ts";
import type { Login } from "./proxy_setting.ts";

/** The version of the protocol, and that of the login within it. */
const VERSION = 5;
const LOGIN_VERSION = 1;
/** How a client shows who it is, RFC 1928 section 3. */
const Method = { none: 0, login: 2, refused: 0xff } as const;
/** What is asked for, section 4: a TCP connection. */
const CONNECT = 1;
/** Kinds of addresses, section 5. */
const Kind = { ipv4: 1, name: 3, ipv6: 4 } as const;
/** The most that a name may be long, bytes. */
const MAX_NAME = 255;

/** What the replies say that are no success, section 6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: "it failed",
  2: "its rules don't allow it",
  3: "that network cannot be reached",
  4: "no route to that host",
  5: "connection refused",
  6: "timed out on the way (TTL expired)",
  7: "it doesn't make connections",
  8: "it doesn't know that kind of address",
};

/** Why there is no way through the proxy, for a person. */
export class ProxyError extends Error {
  /** "ProxyError". */
  override readonly name = "ProxyError";
}

/** The proxy doesn't connect. @param code What it replied, RFC 1928 section 6. */
export function refusedBy(code: number): ProxyError {
  const why = REPLIES[code] ?? `its reply is ${code}`;
  return new ProxyError(`the proxy can't reach the server: ${why}`);
}

/** The proxy wants another login than the client has. @param login What it has. */
export function loginRefused(login: Login | undefined): ProxyError {
  return new ProxyError(
    login
      ? "the proxy doesn't take that user and password"
      : "the proxy wants a user and a password: socks5://USER:PASSWORD@HOST:PORT",
  );
}

/**
 * Has a proxy connect to an address.
 * @param conn A connection to the proxy, over which nothing was said; afterwards it is one to that address.
 * @throws {ProxyError} if the proxy doesn't. @throws as `conn`.
 */
export async function connectThrough(
  conn: Stream,
  target: Address,
  login: Login | undefined,
): Promise<void> {
  const request = requestFor(target);
  const methods = login ? [Method.none, Method.login] : [Method.none];
  await writeAll(conn, Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await read(conn, 2);
  requireVersion(version);
  if (method === Method.login && login) await logIn(conn, login);
  else if (method !== Method.none) throw loginRefused(login);
  await writeAll(conn, request);
  await readReply(conn);
}

/** RFC 1929 section 2. */
async function logIn(conn: Stream, login: Login): Promise<void> {
  const { user, password } = login;
  const version = Uint8Array.of(LOGIN_VERSION);
  await writeAll(conn, concat(version, sized(user), sized(password)));
  const [, status] = await read(conn, 2);
  if (status !== 0) throw loginRefused(login);
}

/** RFC 1928 section 4. @throws {ProxyError} for an address that can't be said. */
function requestFor({ host, port }: Address): Bytes {
  return concat(
    Uint8Array.of(VERSION, CONNECT, 0),
    addressFor(host),
    Uint8Array.of(port >> 8, port & 255),
  );
}

function addressFor(host: string): Bytes {
  const address = addressBytes(host);
  if (address) {
    const kind = address.length === 4 ? Kind.ipv4 : Kind.ipv6;
    return concat(Uint8Array.of(kind), address);
  }
  const name = new TextEncoder().encode(host);
  if (host.includes("%") || name.length > MAX_NAME) {
    throw new ProxyError("no proxy reaches that address");
  }
  return concat(Uint8Array.of(Kind.name), sized(host));
}

/** A text behind the number of its bytes, which is at most 255. */
function sized(text: string): Bytes {
  const bytes = new TextEncoder().encode(text);
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** RFC 1928 section 6; the address in it, by which the proxy connects, is not looked at. */
async function readReply(conn: Stream): Promise<void> {
  const [version, code = 0, , kind] = await read(conn, 4);
  requireVersion(version);
  if (code !== 0) throw refusedBy(code);
  if (kind === Kind.ipv4) await read(conn, 4 + 2);
  else if (kind === Kind.ipv6) await read(conn, 16 + 2);
  else if (kind === Kind.name) {
    const [size = 0] = await read(conn, 1);
    await read(conn, size + 2);
  } else throw new ProxyError(NO_SOCKS);
}

const NO_SOCKS = "the proxy doesn't speak SOCKS5";

function requireVersion(version: number | undefined): void {
  if (version !== VERSION) throw new ProxyError(NO_SOCKS);
}

/** So many bytes, and none more. @throws {ProxyError} for an end before. */
async function read(conn: Stream, size: number): Promise<Bytes> {
  const bytes = new Uint8Array(size);
  for (let count = 0; count < size;) {
    const more = await conn.read(bytes.subarray(count));
    if (more === null) {
      throw new ProxyError("the proxy closed the connection");
    }
    count += more;
  }
  return bytes;
}
