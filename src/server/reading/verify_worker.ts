/**
 * Checks signatures for `verifiers.ts`, in a thread of its own.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { importVerifyKey, verify } from "../../crypto/ed25519.ts";

/** Signatures that are to be checked. */
export interface Batch {
  /** Its number, for the answer. */
  readonly id: number;
  /** Keys that this thread hasn't had, 32 bytes each; they are numbered from 0 on. */
  readonly keys: readonly Bytes[];
  /** The number of the key for each signature. */
  readonly by: readonly number[];
  /** The size of what each covers, bytes. */
  readonly sizes: readonly number[];
  /** Each signature, 64 bytes, before what it covers. */
  readonly data: Bytes;
}

/** Which signatures of a batch are right, in order. */
export interface Answer {
  /** The batch's number. */
  readonly id: number;
  /** Whether each is. */
  readonly isRight: readonly boolean[];
}

/** A signature, bytes. */
const SIZE = 64;

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Batch>) => void;
  postMessage(answer: Answer): void;
};
const known: Promise<CryptoKey>[] = [];

scope.onmessage = async ({ data: { id, keys, by, sizes, data } }) => {
  known.push(...keys.map(importVerifyKey));
  let at = 0;
  const checks = by.map(async (number, index) => {
    const start = at + SIZE;
    const end = at = start + (sizes[index] ?? 0);
    const signature = data.subarray(start - SIZE, start);
    const key = await known[number];
    return key !== undefined &&
      await verify(key, signature, data.subarray(start, end));
  });
  scope.postMessage({ id, isRight: await Promise.all(checks) }); // a short batch may overtake a long one
};
