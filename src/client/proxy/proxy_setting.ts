/**
 * Which proxy a client goes through, as a person says it, and what goes past it.
 *
 * @module
 */

import { isIn, type Network, parseNetwork } from "../../base/networks.ts";
import { UsageError } from "../../base/usage_error.ts";
import { type Address, parseAddress } from "../../keys/invite.ts";

/** The port of a proxy that is given without one, as IANA has it. */
const SOCKS_PORT = 1080;
/** The most that a user's name and a password may be long, bytes (RFC 1929 section 2); the least is 1. */
const MAX_LOGIN = 255;

/** Who the client says that it is, to the proxy. */
export interface Login {
  /** 1 to 255 bytes in UTF-8. */
  readonly user: string;
  /** 1 to 255 bytes in UTF-8. */
  readonly password: string;
}

/** A SOCKS5 proxy. */
export interface SocksProxy extends Address {
  /** What it is told; left out where it asks for nothing. */
  readonly login?: Login;
}

/** What of all that a client connects to goes past the proxy. */
export interface Exceptions {
  /** Whether an address does. */
  has(address: Address): boolean;
}

/**
 * The proxy of `socks5://[USER:PASSWORD@]HOST[:PORT]`, in which USER and PASSWORD are encoded as in any URL. `socks5h`
 * means the same: names are always resolved by the proxy.
 * @param named Where it was said, for errors, which repeat nothing of it.
 * @throws {UsageError} for what is no such thing.
 */
export function parseProxy(text: string, named: string): SocksProxy {
  const [, credentials, place = ""] =
    /^socks5h?:\/\/(?:(.*)@)?([^@/]+)\/?$/is.exec(text) ?? [];
  const address = readPlace(
    /:\d+$/.test(place) ? place : `${place}:${SOCKS_PORT}`,
  );
  const login = credentials === undefined ? undefined : readLogin(credentials);
  if (!address || login === null) {
    throw new UsageError(
      `Cannot use ${named}: a proxy is socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT, and no other kind; to go without one: --proxy none`,
    );
  }
  return login ? { ...address, login } : address;
}

function readPlace(place: string): Address | undefined {
  try {
    return parseAddress(place);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @returns Null for what is none. */
function readLogin(text: string): Login | null {
  const [, user, password] = /^([^:]*):(.*)$/s.exec(text)?.map(decoded) ?? [];
  return user && password ? { user, password } : null;
}

/** What a part of a URL stands for, if it isn't too long; empty for what can't be read. */
function decoded(part: string): string {
  try {
    const text = decodeURIComponent(part);
    return new TextEncoder().encode(text).length > MAX_LOGIN ? "" : text;
  } catch (error) {
    if (error instanceof URIError) return "";
    throw error;
  }
}

/** What is this machine itself. */
const HERE = "localhost,127.0.0.0/8,::1";

/**
 * What goes past a proxy that the environment names: this machine itself, and what `NO_PROXY` lists, with commas or
 * spaces between: a name and all that ends with it, an address, a network (`192.0.2.0/24`), or `*` for all.
 */
export function parseExceptions(list: string): Exceptions {
  const networks: Network[] = [];
  const names: string[] = [];
  for (const entry of `${HERE},${list}`.toLowerCase().split(/[\s,]+/)) {
    const network = parseNetwork(entry.replace(/^\[(.*)\]$/, "$1"));
    if (network) networks.push(network);
    else if (entry !== "") names.push(entry.replace(/^\*?\./, ""));
  }
  return {
    has: ({ host }) =>
      isIn(host, networks) ||
      names.some((it) => it === "*" || host === it || host.endsWith(`.${it}`)),
  };
}
