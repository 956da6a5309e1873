/**
 * `chat.key`, the file in which a server keeps its keys, and the invites that it stands for.
 *
 * No error of this file repeats a key, nor any text that could hold one.
 *
 * @module
 */

import {
  type Bytes,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import {
  type Address,
  formatAddress,
  formatInvite,
  type Invite,
  parseAddress,
  ROOM_INVITE_ID,
} from "./invite.ts";
import {
  damaged,
  type Document,
  readDocument,
  readDocumentSync,
  readOrCreateDocument,
  writeDocument,
} from "../base/document.ts";
import { bytesField } from "./bytes_field.ts";
import { importKeyPair, type KeyPair } from "../crypto/x25519.ts";

/** What a server keeps secret, and where it listens. */
export interface RoomKeys {
  /** The server's static key pair. */
  readonly keyPair: KeyPair;
  /** 32 bytes. */
  readonly roomKey: Bytes;
  /** Where the server last listened, undefined before its first time. */
  readonly listening: Address | undefined;
  /** What links to its web page begin with, as `http://0.0.0.0:8080`; undefined where it last served none. */
  readonly web: string | undefined;
  /** The number of the room's own link: `ROOM_INVITE_ID`, or a sealed room's founding link. */
  readonly inviteId: number;
}

/** Where a server listens, and by which link one comes in. */
export type Listening =
  & Pick<RoomKeys, "inviteId" | "web">
  & { readonly listening: Address };

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
   * The keys in a file, undefined if there is none.
   * @throws {FileError} for a file that is damaged, of another version, or that others can read.
   */
  static async load(path: string): Promise<KeyFile | undefined> {
    const document = await readDocument(path);
    return document && await KeyFile.#of(path, document);
  }

  /**
   * The keys in a file, created if it is missing.
   * @throws {FileError} as `load`, and where the file can't be made.
   */
  static async loadOrCreate(
    path: string,
  ): Promise<{ keyFile: KeyFile; created: boolean }> {
    const { document, created } = await readOrCreateDocument(path, freshKeys);
    return { keyFile: await KeyFile.#of(path, document), created };
  }

  /**
   * The room key that a file has now, 32 bytes; undefined if there is no file.
   * @throws {FileError} as `load`.
   */
  static roomKey(path: string): Bytes | undefined {
    const document = readDocumentSync(path);
    return document && bytesField(path, document, "roomKey", KEY_SIZE);
  }

  static async #of(path: string, document: Document): Promise<KeyFile> {
    const privateKey = bytesField(path, document, "serverPrivateKey", KEY_SIZE);
    const keys = {
      keyPair: await importKeyPair(privateKey),
      roomKey: bytesField(path, document, "roomKey", KEY_SIZE),
      listening: listeningAddress(path, document),
      web: webOrigin(document),
      inviteId: Number(document["invite"] ?? ROOM_INVITE_ID),
    };
    return new KeyFile(path, document, keys);
  }

  /** The keys. */
  get keys(): RoomKeys {
    return this.#keys;
  }

  /**
   * Notes in the file where the server listens, so that clients on this machine find it, and by which link. Writes nothing
   * if that stands there already.
   * @throws {FileError} if the file can't be written; `keys` has it all the same.
   */
  async setListening(place: Listening): Promise<void> {
    this.#keys = { ...this.#keys, ...place };
    const { listening: _1, invite: _2, web: _3, ...others } = this.#document;
    const { listening: { host, port }, inviteId: invite, web } = place;
    const document = {
      ...others,
      listening: formatAddress(host, port),
      ...(web === undefined ? {} : { web }),
      ...(invite === ROOM_INVITE_ID ? {} : { invite }),
    };
    const keys = ["listening", "web", "invite"] as const;
    if (keys.every((key) => document[key] === this.#document[key])) return;
    await writeDocument(this.#path, document);
    this.#document = document;
  }

  /**
   * Makes another room key, so that standing links from before open the room to nobody. The server's own key stays.
   * @throws {FileError} if the file can't be written.
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

function webOrigin({ web }: Document): string | undefined {
  const url = web === undefined ? null : URL.parse(String(web));
  return url && /^https?:$/.test(url.protocol) ? url.origin : undefined;
}

function roomInvite(keys: RoomKeys, address: Address): Invite {
  return {
    ...address,
    serverKey: keys.keyPair.publicKey,
    id: keys.inviteId,
    secret: keys.roomKey,
  };
}

/** Where to find a server on this machine that listens on every address. */
export const LOOPBACK: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

/**
 * The room invite to the server on this machine whose keys are in a file; undefined if there is no such
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
