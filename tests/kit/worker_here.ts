/**
 * The worker that shakes hands, in this thread: what it is sent and what it says pass as between two threads, by copies
 * and by handing over.
 *
 * @module
 */

import { type Bytes, copyOf } from "../../crypto_utils.ts";
import {
  type Fate,
  WorkerResponder,
} from "../../src/server/handshakes/worker_responder.ts";
import { replaced } from "./replaced.ts";

type Say = (data: unknown, options?: StructuredSerializeOptions) => void;

/** Stands for `Worker`. */
class WorkerHere {
  /** Of the module, which is there once and has one key. */
  static readonly #hearers: ((event: MessageEvent) => void)[] = [];
  /** What was sent, as the worker has it, and what it said, as it had that. */
  static readonly sent: unknown[] = [];
  static readonly said: unknown[] = [];
  onmessage: (event: { readonly data: unknown }) => void = () => {};
  readonly #say: Say = (data, options) => {
    WorkerHere.said.push(data);
    const copy = structuredClone(data, options);
    queueMicrotask(() => this.onmessage({ data: copy }));
  };

  postMessage(data: unknown, transfer: Transferable[]): void {
    const copy = structuredClone(data, { transfer });
    WorkerHere.sent.push(copy);
    queueMicrotask(() => this.#hear(copy));
  }

  #hear(data: unknown): void {
    Object.assign(globalThis, { postMessage: this.#say });
    using _ = WorkerHere.#hearing();
    const [begin, goOn] = WorkerHere.#hearers;
    const event = new MessageEvent("message", { data });
    if (goOn && !Array.isArray(data)) this.#say("ready"); // it has the key
    else (goOn ?? begin)?.(event);
  }

  terminate(): void {}

  /** Notes who listens meanwhile. */
  static #hearing(): Disposable {
    const add = (_kind: string, hear: (event: MessageEvent) => void) =>
      void WorkerHere.#hearers.push(hear);
    return replaced(globalThis, "addEventListener", add);
  }

  /** Loads the module. */
  static async load(): Promise<void> {
    if (WorkerHere.#hearers.length > 0) return;
    using _ = WorkerHere.#hearing();
    await import("../../src/server/handshakes/worker.ts");
  }
}

/** A worker in this thread. */
export interface WorkerInThread extends WorkerResponder, Disposable {
  /** All that was sent to it so far, as it has it by now, and all that it said. */
  readonly passed: () => readonly unknown[];
}

/** Starts one. @param privateKey 32 bytes, which stay: the same in all tests of a file. */
export async function startHere(privateKey: Bytes): Promise<WorkerInThread> {
  await WorkerHere.load();
  using _ = replaced(globalThis, "Worker", WorkerHere);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fate: Fate = {
    ready: resolve,
    failed: (why) => reject(new Error(why)),
  };
  const worker = new WorkerResponder(copyOf(privateKey), fate);
  await promise;
  const passed = [WorkerHere.sent, WorkerHere.said];
  for (const it of passed) it.length = 0;
  return Object.assign(worker, {
    [Symbol.dispose]: () => worker.end(),
    passed: () => passed.flat(2),
  });
}
