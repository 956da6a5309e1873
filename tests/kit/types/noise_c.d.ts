/**
 * The part of `noise-c.wasm` that the tests use; the package has no types. Declares and runs nothing.
 *
 * @module
 */

/** Noise's CipherState. */
export interface NoiseCipherState {
  /** Ciphertext ‖ tag. */
  EncryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Throws for what doesn't open. */
  DecryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /** Gives its memory back. */
  free(): void;
}

/** Noise's HandshakeState. */
export interface NoiseHandshakeState {
  /** To be called first. */
  Initialize(
    prologue?: Uint8Array | null,
    s?: Uint8Array | null,
    rs?: Uint8Array | null,
    psk?: Uint8Array | null,
  ): void;
  /** The next message. */
  WriteMessage(payload?: Uint8Array | null): Uint8Array;
  /** The payload, null unless it was asked for. */
  ReadMessage(message: Uint8Array, payloadNeeded?: boolean): Uint8Array | null;
  /** 32 bytes. */
  GetHandshakeHash(): Uint8Array;
  /** 32 bytes, null if there is none yet. */
  GetRemotePublicKey(): Uint8Array | null;
  /** To send with and to receive with. Gives the state's own memory back. */
  Split(): [NoiseCipherState, NoiseCipherState];
  /** Gives its memory back. */
  free(): void;
}

/** The library, once its WebAssembly is there. */
export interface Noise {
  /** Numbers of roles, curves and so on. */
  readonly constants: Readonly<
    Record<
      "NOISE_ROLE_INITIATOR" | "NOISE_ROLE_RESPONDER" | "NOISE_DH_CURVE25519",
      number
    >
  >;
  /** Makes a side of a handshake. */
  readonly HandshakeState: new (
    protocolName: string,
    role: number,
  ) => NoiseHandshakeState;
  /** Private and public key. */
  CreateKeyPair(curve: number): [Uint8Array, Uint8Array];
}

/** Loads the library. */
export default function createNoise(
  options: { readonly printErr: (text: string) => void },
  callback: (noise: Noise) => void,
): void;
