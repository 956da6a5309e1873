/**
 * `chat.key`, the file in which a server keeps its keys, and the invites that it stands for.
 *
 * No error of this file repeats a key, nor any text that could hold one.
 *
 * @module
 */

import {
  type Bytes,
  deriveKey,
  KEY_SIZE,
  randomBytes,
  sha256,
  toBase64url,
} from "../../crypto_utils.ts";
import {
  type Address,
  formatAddress,
  formatInvite,
  type Invite,
  parseAddress,
  type Place,
  placeAt,
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
  /** Where members find the server, as its owner says; undefined where that is not said. */
  readonly address: Address | undefined;
  /** Where members find the room's servers, as far as this one knows; none for a server alone. */
  readonly servers: readonly Address[];
  /** What links to its web page begin with, as `http://0.0.0.0:8080`; undefined where it last served none. */
  readonly web: string | undefined;
  /** The number of the room's own link: `ROOM_INVITE_ID`, or a sealed room's founding link. */
  readonly inviteId: number;
}

/** Where a server listens, and by which link one comes in. */
export type Listening =
  & Pick<RoomKeys, "inviteId" | "web">
  & { readonly listening: Address; readonly address?: Address | undefined };

/** `chat.key`: a JSON document for the server's owner alone. */
export class KeyFile {
  readonly #path: string;
  #document: Document;
  #keys: RoomKeys;
  #written = Promise.resolve(); // once all changes so far have been written, or couldn't be

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
      listening: addressIn(path, document, "listening"),
      address: addressIn(path, document, "address"),
      servers: serversIn(path, document),
      web: webOrigin(document),
      inviteId: Number(document["invite"] ?? ROOM_INVITE_ID),
    };
    return new KeyFile(path, document, keys);
  }

  /** The keys. */
  get keys(): RoomKeys {
    return this.#keys;
  }

  /** The private half of `keyPair`, 32 bytes, for those who shake hands with it; to be wiped by them. */
  privateKey(): Bytes {
    const key = "serverPrivateKey";
    return bytesField(this.#path, this.#document, key, KEY_SIZE);
  }

  /**
   * What the keys are made of that servers with the same file have in common, 32 bytes: the server's private key itself goes
   * to none of them.
   */
  get clusterSecret(): Bytes {
    return deriveKey(this.privateKey(), "servers");
  }

  /**
   * Notes in the file where the server listens, so that clients on this machine find it, where others find it, and by which
   * link; the room's other servers are to be noted anew. Writes nothing if that stands there already.
   * @throws {FileError} if the file can't be written; `keys` has it all the same.
   */
  async setListening(place: Listening): Promise<void> {
    const { listening, inviteId: invite, web, address } = place;
    this.#keys = { ...this.#keys, ...place, address, servers: [] };
    await this.#change({
      listening: textOf(listening),
      address: address && textOf(address),
      servers: undefined,
      web,
      invite: invite === ROOM_INVITE_ID ? undefined : invite,
    });
  }

  /**
   * Notes in the file where members find the room's servers, for the links that are made there. Writes nothing if that
   * stands there already.
   * @throws {FileError} if the file can't be written; `keys` has it all the same.
   */
  async setServers(servers: readonly Address[]): Promise<void> {
    this.#keys = { ...this.#keys, servers };
    const texts = servers.map(textOf);
    await this.#change({ servers: texts.length === 0 ? undefined : texts });
  }

  /** Gives fields of the document other values; undefined: takes them out. What others have written meanwhile stays. */
  #change(fields: Document): Promise<void> {
    const changing = this.#written.then(async () => {
      const now = await readDocument(this.#path) ?? this.#document;
      const document = { ...now, ...fields }; // JSON leaves out what is undefined
      if (JSON.stringify(document) === JSON.stringify(now)) return;
      await writeDocument(this.#path, document);
      this.#document = document;
    });
    this.#written = changing.catch(() => {}); // which its caller is told
    return changing;
  }

  /**
   * Makes another room key, so that standing links from before open the room to nobody. The server's own key stays.
   * @throws {FileError} if the file can't be written.
   */
  async rotate(): Promise<void> {
    await this.setRoomKey(randomBytes(KEY_SIZE));
  }

  /**
   * Takes a room key, 32 bytes. @param isAgreed Whether all servers that share the room have it.
   * @throws {FileError} if the file can't be written; `keys` has it all the same.
   */
  async setRoomKey(roomKey: Bytes, isAgreed = false): Promise<void> {
    this.#keys = { ...this.#keys, roomKey };
    const agreed = isAgreed ? { agreed: digestOf(roomKey) } : {};
    await this.#change({ roomKey: toBase64url(roomKey), ...agreed });
  }

  /** Whether the room key is the one on which the servers of the room agreed last; undefined where they never have. */
  get isAgreed(): boolean | undefined {
    const { agreed } = this.#document;
    return agreed === undefined
      ? undefined
      : agreed === digestOf(this.#keys.roomKey);
  }

  /** The room's own invite, to a server at this address. @param others Those of the room's other servers. */
  inviteFor(
    host: string,
    port: number,
    others: readonly Address[] = [],
  ): string {
    return formatInvite(
      roomInvite(this.#keys, placeAt({ host, port }, others)),
    );
  }
}

function digestOf(roomKey: Bytes): string {
  return toBase64url(sha256(roomKey));
}

function freshKeys(): Document {
  return {
    serverPrivateKey: toBase64url(randomBytes(KEY_SIZE)),
    roomKey: toBase64url(randomBytes(KEY_SIZE)),
  };
}

function textOf({ host, port }: Address): string {
  return formatAddress(host, port);
}

function addressIn(
  path: string,
  document: Document,
  field: string,
): Address | undefined {
  const text = document[field];
  if (text === undefined) return undefined;
  try {
    return parseAddress(String(text));
  } catch {
    throw damaged(path, `${field} is not an address`); // the sentence says all that the cause does
  }
}

function serversIn(path: string, { servers = [] }: Document): Address[] {
  try {
    return (servers as unknown[]).map((text) => parseAddress(String(text)));
  } catch {
    throw damaged(path, "servers are not addresses");
  }
}

function webOrigin({ web }: Document): string | undefined {
  const url = URL.parse(String(web));
  return url && /^https?:/.test(url.protocol) ? url.origin : undefined;
}

function roomInvite(keys: RoomKeys, place: Place): Invite {
  return {
    ...place,
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
 * The room invite to the server on this machine whose keys are in a file, and to the room's others; undefined if there is no such
 * file, or its server has never listened.
 * @throws {FileError} for a file that can't be used.
 */
export async function findLocalInvite(
  path: string,
): Promise<Invite | undefined> {
  const keys = (await KeyFile.load(path))?.keys;
  if (keys?.listening === undefined) return undefined;
  const { host, port } = keys.listening;
  const own = keys.address && textOf(keys.address);
  const others = keys.servers.filter((it) => textOf(it) !== own);
  return roomInvite(
    keys,
    placeAt({ host: LOOPBACK[host] ?? host, port }, others),
  );
}
