/**
 * ML-KEM-768 (FIPS 203): the part of a handshake that a quantum computer doesn't open. By the runtime if it
 * has it, else by a library; the bytes are the same.
 *
 * @module
 */

import {
  type Bytes,
  copyOf,
  hkdf,
  KEY_SIZE,
  PROTOCOL_BYTES,
  requireSize,
} from "../../crypto_utils.ts";

/** An ML-KEM-768 encapsulation key, bytes (FIPS 203 table 3). */
export const KEM_KEY_SIZE = 1_184;
/** An ML-KEM-768 ciphertext, bytes (FIPS 203 table 3). */
export const KEM_CIPHERTEXT_SIZE = 1_088;

const { subtle } = crypto;

/** One side's fresh ML-KEM key. */
export interface KemKey {
  /** What the other side encapsulates to: 1,184 bytes. */
  readonly encapsulationKey: Bytes;
  /** The secret inside a ciphertext of 1,088 bytes: 32 bytes. @throws {RangeError} for another size. */
  decapsulate(ciphertext: Uint8Array): Promise<Bytes>;
}

/** A secret and the ciphertext that carries it. */
export interface Encapsulation {
  /** 1,088 bytes. */
  readonly ciphertext: Bytes;
  /** 32 bytes. */
  readonly secret: Bytes;
}

/** An implementation of ML-KEM-768. */
export interface Kem {
  /** A key pair; from a 64-byte seed (d ‖ z), which only known-answer tests give, or fresh. */
  generate(seed?: Bytes): Promise<KemKey>;
  /** A fresh secret for the owner of a key. @throws {RangeError} for a key that isn't a proper one. */
  encapsulate(encapsulationKey: Uint8Array): Promise<Encapsulation>;
}

/** The part of Web Cryptography's ML-KEM that is used here, and that TypeScript's library doesn't list yet. */
interface SubtleKem {
  importKey(
    format: "raw-public" | "raw-seed",
    data: Bytes,
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: ("encapsulateBits" | "decapsulateBits")[],
  ): Promise<CryptoKey>;
  generateKey(
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: ("encapsulateBits" | "decapsulateBits")[],
  ): Promise<CryptoKeyPair>;
  getPublicKey(key: CryptoKey, usages: "encapsulateBits"[]): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: "ML-KEM-768",
    key: CryptoKey,
  ): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(
    algorithm: "ML-KEM-768",
    key: CryptoKey,
    ciphertext: Bytes,
  ): Promise<ArrayBuffer>;
}

const subtleKem = subtle as unknown as SubtleKem;

/** ML-KEM by `crypto.subtle`: from Deno 2.8 on. */
export const nativeKem: Kem = {
  async generate(seed) {
    const name = "ML-KEM-768";
    let privateKey: CryptoKey;
    let publicKey: CryptoKey;
    if (seed) {
      privateKey = await subtleKem.importKey("raw-seed", seed, name, false, [
        "decapsulateBits",
      ]);
      publicKey = await subtleKem.getPublicKey(privateKey, ["encapsulateBits"]);
    } else {
      ({ privateKey, publicKey } = await subtleKem.generateKey(name, false, [
        "encapsulateBits",
        "decapsulateBits",
      ]));
    }
    return {
      encapsulationKey: new Uint8Array(
        await subtleKem.exportKey("raw-public", publicKey),
      ),
      async decapsulate(ciphertext) {
        requireSize(ciphertext, KEM_CIPHERTEXT_SIZE, "an ML-KEM ciphertext");
        return new Uint8Array(
          await subtleKem.decapsulateBits(name, privateKey, copyOf(ciphertext)),
        );
      },
    };
  },
  async encapsulate(encapsulationKey) {
    requireSize(encapsulationKey, KEM_KEY_SIZE, "an ML-KEM key");
    try {
      const name = "ML-KEM-768";
      const key = await subtleKem.importKey(
        "raw-public",
        copyOf(encapsulationKey),
        name,
        false,
        [
          "encapsulateBits",
        ],
      );
      const { ciphertext, sharedKey } = await subtleKem.encapsulateBits(
        name,
        key,
      );
      return {
        ciphertext: new Uint8Array(ciphertext),
        secret: new Uint8Array(sharedKey),
      };
    } catch (cause) {
      throw new RangeError("Cannot use an ML-KEM key: it is not a proper one", {
        cause,
      });
    }
  },
};

// Loaded when first needed, so that a runtime that has ML-KEM never pays for it.
const library = () => import("@noble/post-quantum/ml-kem.js");

/** ML-KEM by the library `@noble/post-quantum`: on every runtime. */
export const libraryKem: Kem = {
  async generate(seed) {
    const { ml_kem768 } = await library();
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    return {
      encapsulationKey: copyOf(publicKey),
      // deno-lint-ignore require-await -- the interface is asynchronous for the native one's sake
      async decapsulate(ciphertext) {
        requireSize(ciphertext, KEM_CIPHERTEXT_SIZE, "an ML-KEM ciphertext");
        return copyOf(ml_kem768.decapsulate(ciphertext, secretKey));
      },
    };
  },
  async encapsulate(encapsulationKey) {
    requireSize(encapsulationKey, KEM_KEY_SIZE, "an ML-KEM key");
    const { ml_kem768 } = await library();
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(
        encapsulationKey,
      );
      return { ciphertext: copyOf(cipherText), secret: copyOf(sharedSecret) };
    } catch (cause) {
      throw new RangeError("Cannot use an ML-KEM key: it is not a proper one", {
        cause,
      });
    }
  },
};

/** The native implementation if the runtime has one, else the library's; the bytes are the same. */
export const kem: Kem = hasNativeKem() ? nativeKem : libraryKem;

/** Whether this runtime has it. A page by plain HTTP has no `subtle` at all, and must still be able to say so. */
function hasNativeKem(): boolean {
  return subtle !== undefined && "encapsulateBits" in subtle;
}

/**
 * The psk of the hybrid handshake: safe as long as the invite's key, or ML-KEM, or X25519 is.
 * @param inviteKey 32 bytes.
 * @param kemSecret 32 bytes.
 * @returns 32 bytes.
 */
export function hybridPsk(inviteKey: Bytes, kemSecret: Bytes): Bytes {
  return hkdf(kemSecret, inviteKey, PROTOCOL_BYTES, KEY_SIZE);
}
