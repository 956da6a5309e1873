/**
 * A person: three key pairs that come from one seed, and the card with their public halves.
 *
 *     seed ──┬── KDF "noise" ──▶ X25519, the static key of handshakes
 *            ├── KDF "sign" ───▶ Ed25519, which signs the card
 *            └── KDF "seal" ───▶ X-Wing, to which others seal
 *
 *     card = X25519 key, 32 bytes ‖ Ed25519 key, 32 ‖ X-Wing key, 1,216 ‖ signature, 64
 *     id   = digest "id" of the three keys, 32 bytes
 *
 * @module
 */

import {
  type Bytes,
  concat,
  deriveKey,
  KEY_SIZE,
  labelled,
  labelledDigest,
  requireSize,
  SIGNATURE_SIZE,
} from "../../crypto_utils.ts";
import {
  importSigningKeyPair,
  importVerifyKey,
  sign,
  type SigningKeyPair,
  verify,
} from "./ed25519.ts";
import { importKeyPair, type KeyPair } from "./x25519.ts";
import { XWING_KEY_SIZE, xwingKey } from "./xwing.ts";

/** The three public keys of a card, bytes. */
const KEYS_SIZE = 2 * KEY_SIZE + XWING_KEY_SIZE;
/** A card, bytes. */
export const CARD_SIZE: number = KEYS_SIZE + SIGNATURE_SIZE;

/** Somebody's own keys. */
export interface Identity {
  /** The static key of its handshakes. */
  readonly keyPair: KeyPair;
  /** What it signs with. */
  readonly signing: SigningKeyPair;
  /** The seed of its X-Wing key pair, 32 bytes. */
  readonly sealSeed: Bytes;
  /** 1,344 bytes. */
  readonly card: Bytes;
  /** 32 bytes. */
  readonly id: Bytes;
}

/** What a card says. */
export interface Card {
  /** The X25519 key, 32 bytes. */
  readonly noiseKey: Bytes;
  /** The Ed25519 key, 32 bytes. */
  readonly verifyKey: Bytes;
  /** The X-Wing key, 1,216 bytes. */
  readonly sealKey: Bytes;
  /** 32 bytes. */
  readonly id: Bytes;
}

/** The keys of a seed. @param seed 32 bytes. @throws {RangeError} for another size. */
export async function identityOf(seed: Bytes): Promise<Identity> {
  requireSize(seed, KEY_SIZE, "a seed");
  const sealSeed = deriveKey(seed, "seal");
  const [keyPair, signing, { publicKey: sealKey }] = await Promise.all([
    importKeyPair(deriveKey(seed, "noise")),
    importSigningKeyPair(deriveKey(seed, "sign")),
    xwingKey(sealSeed),
  ]);
  const card = await signCard({
    noiseKey: keyPair.publicKey,
    signing,
    sealKey,
  });
  return { keyPair, signing, sealSeed, card, id: readCard(card).id };
}

/** The card of these keys, 1,344 bytes. */
export async function signCard(
  { noiseKey, signing, sealKey }: {
    /** 32 bytes. */
    readonly noiseKey: Bytes;
    readonly signing: SigningKeyPair;
    /** 1,216 bytes. */
    readonly sealKey: Bytes;
  },
): Promise<Bytes> {
  const keys = concat(noiseKey, signing.verifyKey, sealKey);
  return concat(keys, await sign(signing, labelled("card", keys)));
}

/**
 * What a card says; its signature is for `checkCard` to look at.
 * @param card 1,344 bytes. @throws {RangeError} for another size.
 */
export function readCard(card: Bytes): Card {
  requireSize(card, CARD_SIZE, "a card");
  return {
    noiseKey: card.slice(0, KEY_SIZE),
    verifyKey: card.slice(KEY_SIZE, 2 * KEY_SIZE),
    get sealKey() {
      return card.slice(2 * KEY_SIZE, KEYS_SIZE); // copied only where it is wanted
    },
    id: labelledDigest("id", card.subarray(0, KEYS_SIZE)),
  };
}

/**
 * Checks that who holds a card's Ed25519 key has signed it.
 * @param card 1,344 bytes. @throws {RangeError} if not, or for another size.
 */
export async function checkCard(card: Bytes): Promise<void> {
  requireSize(card, CARD_SIZE, "a card");
  const keys = card.subarray(0, KEYS_SIZE);
  const key = await importVerifyKey(card.subarray(KEY_SIZE, 2 * KEY_SIZE));
  const signature = card.subarray(KEYS_SIZE);
  if (await verify(key, signature, labelled("card", keys))) return;
  throw new RangeError("Cannot use a card: its signature is not its owner's");
}
