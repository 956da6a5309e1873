/**
 * The server's cryptography in a handshake, by this thread and by a worker, for tests that both must pass.
 *
 * @module
 */

import { type Bytes, copyOf } from "../../crypto_utils.ts";
import type { Responder } from "../../src/protocol/responder.ts";
import { nodeResponder } from "../../src/server/handshakes/node_key_pair.ts";
import { WorkerResponder } from "../../src/server/handshakes/worker_responder.ts";

/** One that ends with the test. */
export interface Ending extends Responder, Disposable {}

/** A worker that stands. @param privateKey 32 bytes, which stay. */
export async function startWorker(
  privateKey: Bytes,
): Promise<WorkerResponder & Disposable> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new WorkerResponder(copyOf(privateKey), {
    ready: resolve,
    failed: (why) => reject(new Error(why)),
  });
  await promise;
  return Object.assign(worker, { [Symbol.dispose]: () => worker.end() });
}

/** What begins one of each kind for a server's private key, 32 bytes, by what a test's name has at its end. */
export const RESPONDERS: readonly (readonly [
  string,
  (privateKey: Bytes) => Promise<Ending>,
])[] = [
  ["", (privateKey) => {
    const responder = nodeResponder(copyOf(privateKey));
    const ending = Object.assign(responder, { [Symbol.dispose]: () => {} });
    return Promise.resolve(ending);
  }],
  [", by a worker", startWorker],
];
