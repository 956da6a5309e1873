/**
 * The keys that the servers of one room have in common. All of them are made of `chat.key`, so whoever runs NATS has none.
 *
 *     server's private key ── "servers" ──▶ secret ──┬─ "entry", server, k ──▶ AES key of one entry
 *                                                    ├─ "message", server, k ▶ AES key of one message
 *                                                    └─ "signing" ───────────▶ Ed25519 key of all entries
 *     server's public key ─── digest ──▶ the room's name, which anybody may see
 *
 * @module
 */

import {
  type Bytes,
  deriveKey,
  fromBase64url,
  KEY_SIZE,
  labelledDigest,
  randomBytes,
  requireSize,
  toBase64url,
  uint64,
} from "../../../crypto_utils.ts";
import {
  importSigningKeyPair,
  importVerifyKey,
  type SigningKeyPair,
} from "../../crypto/ed25519.ts";

/** The room's name, bytes. */
export const ROOM_NAME_SIZE = 16;
/** A server's id, bytes. */
export const SERVER_ID_SIZE = 16;

/** What servers seal for each other. */
export type SharedPurpose = "entry" | "message";

/** Which envelope it is. */
export interface EnvelopePlace {
  /** What it is for. */
  readonly purpose: SharedPurpose;
  /** The id of the server that has sealed it. */
  readonly server: string;
  /** Its number among those of its server and purpose, from 0 on. */
  readonly k: number;
}

/** A server's id for one run: 16 random bytes in base64url. None comes twice, so none of its keys does. */
export function freshServerId(): string {
  return toBase64url(randomBytes(SERVER_ID_SIZE));
}

/** Whether a text is a server's id: 22 characters that stand for 16 bytes, and in one way only. */
export function isServerId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{21}[AQgw]$/.test(value);
}

/** The keys of one room's servers. */
export class ClusterKeys {
  readonly #secret: Bytes;
  /** The room's name in bytes: 16 of them. */
  readonly roomBytes: Bytes;
  /** The room's name, for streams and subjects: 32 hexadecimal digits. */
  readonly room: string;
  /** Signs entries. */
  readonly signing: SigningKeyPair;
  /** Checks that. */
  readonly verifyKey: CryptoKey;

  private constructor(
    secret: Bytes,
    roomBytes: Bytes,
    signing: SigningKeyPair,
    verifyKey: CryptoKey,
  ) {
    this.#secret = secret;
    this.roomBytes = roomBytes;
    this.room = roomBytes.toHex();
    this.signing = signing;
    this.verifyKey = verifyKey;
  }

  /**
   * The keys of a room.
   * @param secret `KeyFile.clusterSecret`, 32 bytes. @param serverKey The server's static public key, 32 bytes.
   * @throws {RangeError} for another size.
   */
  static async create(secret: Bytes, serverKey: Bytes): Promise<ClusterKeys> {
    requireSize(secret, KEY_SIZE, "the servers' secret");
    requireSize(serverKey, KEY_SIZE, "a server's public key");
    const name = labelledDigest("servers", serverKey)
      .slice(0, ROOM_NAME_SIZE);
    const signing = await importSigningKeyPair(deriveKey(secret, "signing"));
    const verifyKey = await importVerifyKey(signing.verifyKey);
    return new ClusterKeys(secret, name, signing, verifyKey);
  }

  /** The AES key of one envelope, 32 bytes. */
  key({ purpose, server, k }: EnvelopePlace): Bytes {
    return deriveKey(this.#secret, purpose, fromBase64url(server), uint64(k));
  }
}
