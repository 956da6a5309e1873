/**
 * Invites, `chat://` links, and the addresses in them.
 *
 *     chat://HOST:PORT/#BASE64URL(server public key, 32 bytes ‖ id, u32 big-endian ‖ secret, 32 bytes)
 *     chat://HOST:PORT,HOST:PORT/#…   where the room is on several servers
 *
 * No error of this file repeats a key, nor any text that could hold one.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  deriveKey,
  fromBase64url,
  KEY_SIZE,
  toBase64url,
} from "../../crypto_utils.ts";

/** The id of the standing link: that of the room itself, for any number of uses. */
export const ROOM_INVITE_ID = 0;

/** An invite's id, bytes. */
const ID_SIZE = 4;
/** What follows the "#", bytes before base64url. */
const SECRET_SIZE = KEY_SIZE + ID_SIZE + KEY_SIZE;
/** The same in base64url, characters. */
const SECRET_LENGTH = Math.ceil(SECRET_SIZE * 8 / 6);
const MAX_PORT = 65_535;
/** The longest host, characters: the longest name that can be looked up. */
const MAX_HOST = 253;
/** The most addresses of one room. */
export const MAX_ADDRESSES = 16;

/** Where a server is. */
export interface Address {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** Where a room is: on one server or, with `others`, on several. */
export interface Place extends Address {
  /** The other servers' addresses, at most 15, each once; left out for a server alone. */
  readonly others?: readonly Address[];
}

/** What somebody needs to join. */
export interface Invite extends Place {
  /** The server's static public key, 32 bytes. */
  readonly serverKey: Bytes;
  /** 0 for the standing link; 32 bits. */
  readonly id: number;
  /** 32 bytes: for id 0 the room key. */
  readonly secret: Bytes;
}

/** What a handshake proves of an invite, and all that the server keeps of it, 32 bytes. @param secret 32 bytes. */
export function admissionKey(secret: Bytes): Bytes {
  return deriveKey(secret, "admit");
}

// ── Addresses ──────────────────────────────────────────────────────────────────────────────────────────

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The host and the port of `HOST:PORT`, the host in its canonical form. An IPv6 address may name a zone, the interface
 * of this machine by which it is reached: `[fe80::1%eth0]:5000`.
 * @throws {SyntaxError} which says what is wrong and doesn't repeat the text.
 */
export function parseAddress(text: string): Address {
  return readAddress(text, "address");
}

/** All addresses of a place, `HOST:PORT` each. */
export function addressesOf(place: Place): [string, ...string[]] {
  const { host, port, others = [] } = place;
  const rest = others.map((it) => formatAddress(it.host, it.port));
  return [formatAddress(host, port), ...rest];
}

/** A place as text: its addresses with commas between them. */
export function formatPlace(place: Place): string {
  return addressesOf(place).join(",");
}

/** As `parseAddress`, for one address or several with commas between them. @throws as `parseAddress`. */
export function parsePlace(text: string): Place {
  return readPlace(text, "address");
}

/** A place at these addresses, each once: no more of them than there can be. */
export function placeAt(
  first: Address,
  more: readonly Address[] = [],
): Place {
  const { host, port } = first;
  const byText = new Map(
    [first, ...more].map((it) => [formatAddress(it.host, it.port), it]),
  );
  const [, ...others] = [...byText.values()].slice(0, MAX_ADDRESSES);
  return { host, port, ...(others.length === 0 ? {} : { others }) };
}

function readPlace(text: string, what: string): Place {
  const [first = "", ...others] = text.split(",");
  if (others.length >= MAX_ADDRESSES) {
    throw new SyntaxError(
      `Cannot read the ${what}: it has more than ${MAX_ADDRESSES} addresses`,
    );
  }
  return placeAt(
    readAddress(first, what),
    others.map((it) => readAddress(it, what)),
  );
}

/** An IPv6 address with the zone that the other text names, if that names one: a listener doesn't tell its own. */
export function withZone(host: string, named: string): string {
  const zone = /%.+?(?=\]?$)/.exec(named)?.[0] ?? "";
  return host.includes(":") ? host + zone : host;
}

function readAddress(text: string, what: string): Address {
  const [, host = "", port] = text.match(/^(.*):(\d*)$/s) ?? [];
  if (port === undefined || port === "") {
    throw new SyntaxError(`Cannot read the ${what}: it has no port`);
  }
  if (Number(port) < 1 || Number(port) > MAX_PORT) {
    throw new SyntaxError(
      `Cannot read the ${what}: its port is not a whole number from 1 to ${MAX_PORT}`,
    );
  }
  const canonical = canonicalHost(host);
  if (canonical === undefined) {
    throw new SyntaxError(
      `Cannot read the ${what}: its host is not a name, an IPv4 address or an IPv6 address in brackets`,
    );
  }
  return { host: canonical, port: Number(port) };
}

/** A host as a URL would have it, without brackets: in lower case, IPv6 shortened, other scripts encoded. */
function canonicalHost(host: string): string | undefined {
  const [, address, zone] = /^(\[.*)%([\w.~-]+)\]$/.exec(host) ?? [];
  const bare = address === undefined ? host : `${address}]`;
  if (/[\s/?#@\\%,]/.test(bare)) return undefined; // to a URL these are its other parts, and "," is between two addresses
  const url = URL.parse(`http://${bare}`);
  if (url === null) return undefined;
  const isShorthand = /^[\d.]+$/.test(url.hostname) && url.hostname !== bare; // 127.1, 0x7f000001
  if (isShorthand) return undefined;
  const canonical = url.hostname.replace(/[[\]]/g, "");
  const named = zone === undefined ? canonical : `${canonical}%${zone}`;
  return named.length > MAX_HOST ? undefined : named;
}

// ── Invites ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An invite as a link.
 * @throws {RangeError} for an id or a key of another size.
 *
 * @example
 * ```ts
 * import { formatInvite, parseInvite } from "./invite.ts";
 * const keys = { serverKey: new Uint8Array(32), secret: new Uint8Array(32) };
 * const link = formatInvite({ host: "::1", port: 5000, id: 0, ...keys });
 * if (!link.startsWith("chat://[::1]:5000/#")) throw new Error("not the same");
 * if (parseInvite(link).host !== "::1") throw new Error("not the same");
 * ```
 */
export function formatInvite(invite: Invite): string {
  const { serverKey, id, secret } = invite;
  if (serverKey.length !== KEY_SIZE || secret.length !== KEY_SIZE) {
    throw new RangeError(
      `Cannot write the invite: its keys are not ${KEY_SIZE} bytes each`,
    );
  }
  if (!Number.isInteger(id) || id < 0 || id > 0xffff_ffff) {
    throw new RangeError(`Cannot write the invite: its id is ${id}`);
  }
  const idBytes = new Uint8Array(ID_SIZE);
  new DataView(idBytes.buffer).setUint32(0, id);
  const text = toBase64url(concat(serverKey, idBytes, secret));
  const authority = formatPlace(invite).replaceAll("%", "%25"); // as RFC 6874 has a zone in a URL
  return `chat://${authority}/#${text}`;
}

/**
 * Reads an invite, as a person may have pasted it: with white space or quotes around it, without the "/"
 * before the "#" or with one at the end.
 * @throws {SyntaxError} with one sentence that says what is wrong and repeats nothing of the link.
 */
export function parseInvite(text: string): Invite {
  const link = text.replace(/^[\s"'`“”‘’<]+|[\s"'`“”‘’>]+$/g, "");
  if (!/^chat:\/\//i.test(link)) {
    throw new SyntaxError(
      "Cannot read the invite: it does not begin with chat://",
    );
  }
  const hash = link.indexOf("#");
  if (hash === -1) {
    throw new SyntaxError(
      "Cannot read the invite: the # and the key after it are missing",
    );
  }
  const address = link.slice("chat://".length, hash).replace(/\/$/, "")
    .replace(/%25(?=[^\]])/g, "%"); // a zone may also stand there as people write it elsewhere
  return {
    ...readPlace(address, "invite"),
    ...readSecret(link.slice(hash + 1).replace(/\/$/, "")),
  };
}

function readSecret(text: string) {
  if (text.length !== SECRET_LENGTH) {
    const size = text.length < SECRET_LENGTH ? "short" : "long";
    throw new SyntaxError(
      `Cannot read the invite: what follows the # is too ${size}`,
    );
  }
  const bytes = canonicalBytes(text);
  if (bytes === undefined) {
    throw new SyntaxError(
      "Cannot read the invite: what follows the # is damaged",
    );
  }
  return {
    serverKey: bytes.slice(0, KEY_SIZE),
    id: new DataView(bytes.buffer).getUint32(KEY_SIZE),
    secret: bytes.slice(KEY_SIZE + ID_SIZE),
  };
}

/** The bytes of base64url text, if there is no other way to write them. */
function canonicalBytes(text: string): Bytes | undefined {
  try {
    const bytes = fromBase64url(text);
    return toBase64url(bytes) === text ? bytes : undefined;
  } catch {
    return undefined; // what the decoder said of it may quote it
  }
}
