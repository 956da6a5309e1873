/**
 * CPace (draft-irtf-cfrg-cpace), cipher suite CPACE-RISTR255-SHA512, with an initiator and a responder: two sides
 * that know the same short password agree on a key, and whoever doesn't know it gets one guess for each run.
 *
 *     fresh ── share ──▶ sent ── key() of the other's share ──▶ used up
 *
 * The names are the draft's: PRS (the password), CI, sid, g, y, Y, K, ISK.
 *
 * @module
 */

import { ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  concat,
  copyOf,
  EMPTY,
  HandshakeError,
  randomBytes,
  requireSize,
} from "../../crypto_utils.ts";
import type { Role } from "./noise.ts";

/** A public share Ya or Yb, bytes: an encoded ristretto255 element (RFC 9496 section 4.3.2). */
export const CPACE_SHARE_SIZE = 32;
/** A secret scalar, bytes, little-endian (section 7.3). */
export const CPACE_SCALAR_SIZE = 32;
/** The key ISK, bytes: what SHA-512 gives. */
export const CPACE_KEY_SIZE = 64;

/** What SHA-512 takes in one step, bytes: H.s_in_bytes (section 5.2). */
const HASH_BLOCK_SIZE = 128;

const utf8 = new TextEncoder();
/** G.DSI (section 7.3). */
const DSI = utf8.encode("CPaceRistretto255");
const DSI_ISK = utf8.encode("CPaceRistretto255_ISK");

const { Point } = ristretto255;
const { Fn } = Point;
type Element = InstanceType<typeof Point>;
/** The library's type leaves `deriveToCurve` optional because other groups lack it; this one has it. */
const hasher = ristretto255_hasher as Required<typeof ristretto255_hasher>;

/** What both sides put in; the keys are the same only if all three are. */
export interface CpaceInput {
  /** PRS: the secret, of few bits; any length. */
  readonly password: Uint8Array;
  /** CI: what the key is for and who talks, any length. */
  readonly ci: Uint8Array;
  /** A name for this run, fresh and known to both; any length. */
  readonly sid: Uint8Array;
}

/** ADa and ADb: what each side sends beside its share, in clear. Both keys are bound to it. */
export interface CpaceAssociatedData {
  /** What this side sent, any length; none by default. */
  readonly ours?: Uint8Array;
  /** What the other side sent, any length; none by default. */
  readonly theirs?: Uint8Array;
}

/**
 * One side of one run (section 6.2).
 *
 * @example
 * ```ts
 * import { Cpace } from "./cpace.ts";
 * const utf8 = new TextEncoder();
 * const password = utf8.encode("crossover-clockwork");
 * const input = { password, ci: utf8.encode("a chat"), sid: utf8.encode("run 1") };
 * const a = new Cpace(input);
 * const b = new Cpace(input);
 * const key = a.key("initiator", b.share);
 * if (key.toHex() !== b.key("responder", a.share).toHex()) throw new Error("not the same");
 * ```
 */
export class Cpace {
  readonly #sid: Bytes;
  #scalar: Bytes | undefined;
  /** Ya or Yb: what the other side is sent, 32 bytes. */
  readonly share: Bytes;

  /**
   * Makes this side's share.
   * @param scalar 32 bytes, little-endian, not 0 and less than the group's order; wiped by `key`. Only known-answer
   * tests give one.
   * @throws {RangeError} for another scalar.
   */
  constructor({ password, ci, sid }: CpaceInput, scalar = sampleScalar()) {
    this.#sid = copyOf(sid);
    this.#scalar = scalar;
    this.share = multiply(scalar, generatorOf(password, ci, sid));
  }

  /**
   * The key ISK, 64 bytes. The other side has the same only if it put in the same; nothing here tells whether it
   * has, so the two must show each other that they have it before they trust it (section 9.4).
   *
   * Works once, whatever comes of it: one scalar serves one guess of one stranger.
   * @param role Who this side is: one is the initiator, the other the responder.
   * @param theirShare 32 bytes.
   * @throws {HandshakeError} for a share that is no element or the neutral one, and the second time.
   */
  key(
    role: Role,
    theirShare: Uint8Array,
    { ours = EMPTY, theirs = EMPTY }: CpaceAssociatedData = {},
  ): Bytes {
    const y = this.#scalar;
    if (!y) {
      throw new HandshakeError(
        "Cannot make a CPace key: this run has made one",
      );
    }
    this.#scalar = undefined;
    try {
      const secret = cpaceSecret(y, theirShare);
      const script = role === "initiator"
        ? cpaceTranscript(this.share, ours, theirShare, theirs)
        : cpaceTranscript(theirShare, theirs, this.share, ours);
      return hash(concat(lvCat(DSI_ISK, this.#sid, secret), script));
    } finally {
      y.fill(0);
    }
  }
}

/** G.sample_scalar(): 252 random bits (section 7.3). */
function sampleScalar(): Bytes {
  const scalar = randomBytes(CPACE_SCALAR_SIZE);
  const last = CPACE_SCALAR_SIZE - 1;
  scalar[last] = (scalar[last] ?? 0) & 0x0f;
  return scalar;
}

/** G.scalar_mult(y, g), encoded: 32 bytes. @throws {RangeError} for 0 or a scalar not below the group's order. */
function multiply(scalar: Bytes, element: Element): Bytes {
  requireSize(scalar, CPACE_SCALAR_SIZE, "a CPace scalar");
  const y = Fn.fromBytes(scalar, true); // checked in the next line, with a sentence of ours
  if (!Fn.isValidNot0(y)) {
    throw new RangeError(
      "Cannot use a CPace scalar: it is 0 or not below the group's order",
    );
  }
  return copyOf(element.multiply(y).toBytes());
}

/** SHA-512 (FIPS 180-4), 64 bytes. */
function hash(bytes: Uint8Array): Bytes {
  return copyOf(sha512(bytes));
}

/** generator_string(), which fills the first block with what is secret and padding (section 7.1). */
export function cpaceGeneratorString(
  password: Uint8Array,
  ci: Uint8Array,
  sid: Uint8Array,
): Bytes {
  const start = prependLength(DSI).length + prependLength(password).length;
  const padding = new Uint8Array(Math.max(0, HASH_BLOCK_SIZE - 1 - start));
  return lvCat(DSI, password, padding, ci, sid);
}

/** G.calculate_generator(): the group element g that the inputs stand for (section 7.3). */
function generatorOf(
  password: Uint8Array,
  ci: Uint8Array,
  sid: Uint8Array,
): Element {
  const uniform = hash(cpaceGeneratorString(password, ci, sid));
  return hasher.deriveToCurve(uniform);
}

/**
 * The shared secret K, 32 bytes: G.scalar_mult_vfy() (section 7.3), which throws instead of giving the neutral
 * element. For `Cpace.key` and known-answer tests alone: who learns K can try passwords at leisure (section 9.3).
 * @param scalar 32 bytes. @param share The other side's, 32 bytes.
 * @throws {HandshakeError} for a share that is no element or the neutral one.
 */
export function cpaceSecret(scalar: Bytes, share: Uint8Array): Bytes {
  const element = decode(share);
  // The group's order is prime: only the neutral element has a neutral multiple.
  if (element.is0()) {
    throw new HandshakeError(
      "Cannot make a CPace key: the other side's share is not a proper one",
    );
  }
  return multiply(scalar, element);
}

/** The element of an encoding (RFC 9496 section 4.3.1); the neutral one, which nobody may use, if it is none's. */
function decode(share: Uint8Array): Element {
  try {
    return Point.fromBytes(share);
  } catch {
    return Point.ZERO; // of another size, or no element's encoding; no caller is told which
  }
}

/** transcript_ir(Ya, ADa, Yb, ADb): what went over the line, the initiator's first (section 5.3). */
export function cpaceTranscript(
  shareA: Uint8Array,
  dataA: Uint8Array,
  shareB: Uint8Array,
  dataB: Uint8Array,
): Bytes {
  return concat(lvCat(shareA, dataA), lvCat(shareB, dataB));
}

/** lv_cat(): the parts, each behind its length (section 5.3). */
function lvCat(...parts: readonly Uint8Array[]): Bytes {
  return concat(...parts.map(prependLength));
}

/** prepend_len(): the bytes behind their number in LEB128, seven bits to a byte, the lowest first (section 5.3). */
function prependLength(bytes: Uint8Array): Bytes {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest >>= 7) length.push(rest & 0x7f | 0x80);
  length.push(rest);
  return concat(new Uint8Array(length), bytes);
}
