/**
 * Invites (`chat://` links) and `chat.key`, the file in which a server keeps its keys. Knows nothing of
 * sockets, and of members no more than what an invite says.
 *
 *     chat://HOST:PORT/#BASE64URL(server public key, 32 bytes ‖ id, u32 big-endian ‖ key, 32 bytes)
 *
 * No error of this file repeats a key, nor any text that could hold one.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  fromBase64url,
  importKeyPair,
  KEY_SIZE,
  type KeyPair,
  randomBytes,
  SALT_SIZE,
  toBase64url,
} from "../crypto_utils.ts";
import {
  bytesField,
  damaged,
  type Document,
  readDocument,
  readOrCreateDocument,
  writeDocument,
} from "./files.ts";

/** The id of the invite that carries the room key itself. */
export const ROOM_INVITE_ID = 0;
/** The id that stands for a passphrase; no invite has it. */
export const PASSPHRASE_ID = 0xffff_ffff;

/** An invite's id, bytes. */
const ID_SIZE = 4;
/** What follows the "#", bytes before base64url. */
const SECRET_SIZE = KEY_SIZE + ID_SIZE + KEY_SIZE;
/** The same in base64url, characters. */
const SECRET_LENGTH = Math.ceil(SECRET_SIZE * 8 / 6);
const MAX_PORT = 65_535;

/** Where a server is. */
export interface Address {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** What somebody needs to join. */
export interface Invite extends Address {
  /** The server's static public key, 32 bytes. */
  readonly serverKey: Bytes;
  /** 0 for the room's own invite, else a person's; 32 bits. */
  readonly id: number;
  /** 32 bytes: for id 0 the room key. */
  readonly key: Bytes;
}

// ── Addresses ──────────────────────────────────────────────────────────────────────────────────────────

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The host and the port of `HOST:PORT`, the host in its canonical form.
 * @throws {SyntaxError} which says what is wrong and doesn't repeat the text.
 */
export function parseAddress(text: string): Address {
  return readAddress(text, "address");
}

function readAddress(text: string, what: string): Address {
  const [, host = "", port] = text.match(/^(.*?)(?::(\d*))?$/s) ?? [];
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
  if (/[\s/?#@\\%]/.test(host)) return undefined; // to a URL these are its other parts
  const url = URL.parse(`http://${host}`);
  if (url === null || url.hostname === "") return undefined;
  const isShorthand = /^[\d.]+$/.test(url.hostname) && url.hostname !== host; // 127.1, 0x7f000001
  return isShorthand ? undefined : url.hostname.replace(/^\[(.*)\]$/, "$1");
}

// ── Invites ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An invite as a link.
 * @throws {RangeError} for an id or a key of another size.
 *
 * @example
 * ```ts
 * import { formatInvite, parseInvite } from "./invite.ts";
 * const keys = { serverKey: new Uint8Array(32), key: new Uint8Array(32) };
 * const link = formatInvite({ host: "::1", port: 5000, id: 0, ...keys });
 * if (!link.startsWith("chat://[::1]:5000/#")) throw new Error("not the same");
 * if (parseInvite(link).host !== "::1") throw new Error("not the same");
 * ```
 */
export function formatInvite(invite: Invite): string {
  const { host, port, serverKey, id, key } = invite;
  if (serverKey.length !== KEY_SIZE || key.length !== KEY_SIZE) {
    throw new RangeError(
      `Cannot write the invite: its keys are not ${KEY_SIZE} bytes each`,
    );
  }
  if (!Number.isInteger(id) || id < 0 || id > 0xffff_ffff) {
    throw new RangeError(`Cannot write the invite: its id is ${id}`);
  }
  const idBytes = new Uint8Array(ID_SIZE);
  new DataView(idBytes.buffer).setUint32(0, id);
  const secret = toBase64url(concat(serverKey, idBytes, key));
  return `chat://${formatAddress(host, port)}/#${secret}`;
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
  const address = link.slice("chat://".length, hash).replace(/\/$/, "");
  return {
    ...readAddress(address, "invite"),
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
  const secret = canonicalBytes(text);
  if (secret === undefined) {
    throw new SyntaxError(
      "Cannot read the invite: what follows the # is damaged",
    );
  }
  return {
    serverKey: secret.slice(0, KEY_SIZE),
    id: new DataView(secret.buffer).getUint32(KEY_SIZE),
    key: secret.slice(KEY_SIZE + ID_SIZE),
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

// ── chat.key ───────────────────────────────────────────────────────────────────────────────────────────

/** What a server keeps secret, and where it listens. */
export interface RoomKeys {
  /** The server's static key pair. */
  readonly keyPair: KeyPair;
  /** 32 bytes. */
  readonly roomKey: Bytes;
  /** 16 bytes; not secret. */
  readonly passphraseSalt: Bytes;
  /** Where the server last listened, undefined before its first time. */
  readonly listening: Address | undefined;
}

/** `chat.key`: a JSON document for the server's owner alone. */
export class KeyFile {
  readonly #path: string;
  #document: Document;
  #keys: RoomKeys;

  private constructor(path: string, document: Document, keys: RoomKeys) {
    this.#path = path;
    this.#document = document;
    this.#keys = keys;
  }

  /**
   * The keys in a file, undefined where there is none.
   * @throws {FileError} for a file that is damaged, of another version, or that others can read.
   */
  static async load(path: string): Promise<KeyFile | undefined> {
    const document = await readDocument(path);
    return document && await KeyFile.#of(path, document);
  }

  /**
   * The keys in a file, made where there is none.
   * @throws {FileError} as `load`, and where the file can't be made.
   */
  static async loadOrCreate(
    path: string,
  ): Promise<{ keyFile: KeyFile; created: boolean }> {
    const { document, created } = await readOrCreateDocument(path, freshKeys);
    return { keyFile: await KeyFile.#of(path, document), created };
  }

  static async #of(path: string, document: Document): Promise<KeyFile> {
    const privateKey = bytesField(path, document, "serverPrivateKey", KEY_SIZE);
    const keys = {
      keyPair: await importKeyPair(privateKey),
      roomKey: bytesField(path, document, "roomKey", KEY_SIZE),
      passphraseSalt: bytesField(path, document, "passphraseSalt", SALT_SIZE),
      listening: listeningAddress(path, document),
    };
    return new KeyFile(path, document, keys);
  }

  /** The keys. */
  get keys(): RoomKeys {
    return this.#keys;
  }

  /**
   * Notes in the file where the server listens, so that clients on this machine find it.
   * @throws {FileError} where the file can't be written.
   */
  async setListening(host: string, port: number): Promise<void> {
    const listening = formatAddress(host, port);
    const document = { ...this.#document, listening };
    await writeDocument(this.#path, document);
    this.#document = document;
    this.#keys = { ...this.#keys, listening: { host, port } };
  }

  /**
   * Makes another room key, so that invites from before lead nowhere. The server's own key stays.
   * @throws {FileError} where the file can't be written.
   */
  async rotate(): Promise<void> {
    const roomKey = randomBytes(KEY_SIZE);
    const document = { ...this.#document, roomKey: toBase64url(roomKey) };
    await writeDocument(this.#path, document);
    this.#document = document;
    this.#keys = { ...this.#keys, roomKey };
  }

  /** The room's own invite, to a server at this address. */
  inviteFor(host: string, port: number): string {
    return formatInvite(roomInvite(this.#keys, { host, port }));
  }
}

function freshKeys(): Document {
  return {
    serverPrivateKey: toBase64url(randomBytes(KEY_SIZE)),
    roomKey: toBase64url(randomBytes(KEY_SIZE)),
    passphraseSalt: toBase64url(randomBytes(SALT_SIZE)),
  };
}

function listeningAddress(
  path: string,
  { listening }: Document,
): Address | undefined {
  if (listening === undefined) return undefined;
  try {
    return parseAddress(String(listening));
  } catch {
    throw damaged(path, "listening is not an address"); // the sentence says all that the cause does
  }
}

function roomInvite(keys: RoomKeys, address: Address): Invite {
  return {
    ...address,
    serverKey: keys.keyPair.publicKey,
    id: ROOM_INVITE_ID,
    key: keys.roomKey,
  };
}

/** Where to find a server on this machine that listens on every address. */
const LOOPBACK: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

/**
 * The room invite to the server on this machine whose keys are in a file; undefined where there is no such
 * file, or its server has never listened.
 * @throws {FileError} for a file that can't be used.
 */
export async function findLocalInvite(
  path: string,
): Promise<Invite | undefined> {
  const keys = (await KeyFile.load(path))?.keys;
  if (keys?.listening === undefined) return undefined;
  const { host, port } = keys.listening;
  return roomInvite(keys, { host: LOOPBACK[host] ?? host, port });
}
