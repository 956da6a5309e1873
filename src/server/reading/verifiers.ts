/**
 * Checks the signatures of a log in threads beside this one: in one thread that takes as long as all else together.
 *
 *     verify ──▶ waiting ── all that came in one go ──▶ the thread with least to do ──▶ right or not, in order
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { importVerifyKey, verify } from "../../crypto/ed25519.ts";
import type { Verifier } from "../../sealed/opener.ts";
import type { Answer } from "./verify_worker.ts";

/** Signatures that are checked here, before threads are started: a short log needs none. */
const FEW = 1_024;
/** The most threads. */
const MOST = 4;

/** A signature that is to be checked. */
interface Check {
  readonly key: Bytes;
  readonly signature: Bytes;
  readonly bytes: Bytes;
  readonly done: PromiseWithResolvers<boolean>;
}

/** A thread. */
interface Thread {
  readonly worker: Worker;
  readonly keys: Map<Bytes, number>; // those that it has, by their objects
  readonly batches: Map<number, readonly Check[]>; // that it has not answered, by number
}

/** Threads that check signatures. */
export class Verifiers implements Verifier, Disposable {
  #count = 0;
  #nextId = 0;
  #waiting: Check[] = [];
  #threads: Thread[] | undefined;
  readonly #keys = new Map<Bytes, Promise<CryptoKey>>(); // for this thread

  /** Whether a signature, 64 bytes, is a key's. @param key 32 bytes; the same object for the same key. */
  verify(key: Bytes, signature: Bytes, bytes: Bytes): Promise<boolean> {
    const done = Promise.withResolvers<boolean>();
    const check = { key, signature, bytes, done };
    if (this.#count++ < FEW) this.#here(check);
    else {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#send());
      this.#waiting.push(check);
    }
    return done.promise;
  }

  #here({ key, signature, bytes, done }: Check): void {
    const imported = this.#keys.get(key) ?? importVerifyKey(key);
    this.#keys.set(key, imported);
    imported.then((it) => verify(it, signature, bytes))
      .then(done.resolve, done.reject);
  }

  #send(): void {
    const checks = this.#waiting;
    this.#waiting = [];
    this.#threads ??= this.#start();
    const [thread] = this.#threads.toSorted((a, b) =>
      a.batches.size - b.batches.size
    );
    if (!thread) return checks.forEach((check) => this.#here(check));
    const id = this.#nextId++;
    thread.batches.set(id, checks);
    const batch = { id, ...batchOf(checks, thread.keys) };
    thread.worker.postMessage(batch, [batch.data.buffer]);
  }

  #start(): Thread[] {
    const count = Math.min(
      MOST,
      Math.max(1, navigator.hardwareConcurrency - 1),
    );
    return Array.from({ length: count }, () => this.#thread());
  }

  #thread(): Thread {
    const { href } = new URL("./verify_worker.ts", import.meta.url);
    const worker = new Worker(href, { type: "module" });
    const thread: Thread = { worker, keys: new Map(), batches: new Map() };
    worker.onmessage = ({ data: { id, isRight } }: MessageEvent<Answer>) => {
      const checks = thread.batches.get(id) ?? [];
      thread.batches.delete(id);
      checks.forEach(({ done }, at) => done.resolve(isRight[at] === true));
    };
    worker.onerror = (event) => {
      event.preventDefault(); // what it can't do is done here
      this.#threads = this.#threads?.filter((it) => it !== thread);
      const checks = [...thread.batches.values()].flat();
      checks.forEach((check) => this.#here(check));
    };
    return thread;
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    for (const { worker } of this.#threads ?? []) worker.terminate();
  }
}

/** Signatures for a thread. @param keys Those that it has; takes those that it is given. */
function batchOf(checks: readonly Check[], keys: Map<Bytes, number>) {
  const fresh: Bytes[] = [];
  const by: number[] = [];
  const sizes = checks.map(({ bytes }) => bytes.length);
  const size = checks.reduce(
    (sum, { signature, bytes }) => sum + signature.length + bytes.length,
    0,
  );
  const data = new Uint8Array(size);
  let at = 0;
  for (const { key, signature, bytes } of checks) {
    let number = keys.get(key);
    if (number === undefined) {
      number = keys.size;
      keys.set(key, number);
      fresh.push(key);
    }
    by.push(number);
    data.set(signature, at);
    data.set(bytes, at + signature.length);
    at += signature.length + bytes.length;
  }
  return { keys: fresh, by, sizes, data };
}
