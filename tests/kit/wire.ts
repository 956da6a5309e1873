/**
 * Wires of NATS for tests: entries that are numbered, added whatever happens, and followed.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { Notify } from "../../src/base/notify.ts";
import {
  type StreamEntry,
  StreamError,
  type StreamState,
  type Wire,
} from "../../src/server/cluster/wire.ts";
import { connectNats } from "../../src/server/nats/nats_wire.ts";
import type { NatsOptions } from "../../src/server/nats/nats_options.ts";
import { utf8 } from "./bytes.ts";

/** The room of all wires here. */
export const ROOM = "test";
/** Its stream in NATS. */
export const STREAM = "chat_test";

/** What flags come to that only say where NATS is. */
export function plainOptions(url: string, replicas = 1): NatsOptions {
  const urls = url.split(",");
  return { urls, login: { kind: "none" }, tls: undefined, replicas };
}

/** A wire that ends with its scope. */
export class TestWire implements AsyncDisposable {
  /** Its changes of `isUp`, in order. */
  readonly changes: boolean[] = [];
  readonly #ending = new AbortController();

  private constructor(readonly wire: Wire) {
    wire.changed = (isUp) => this.changes.push(isUp);
  }

  /** Connects. @param options Or where NATS is. */
  static async open(options: NatsOptions | string): Promise<TestWire> {
    const all = typeof options === "string" ? plainOptions(options) : options;
    return new TestWire(await connectNats(all, ROOM));
  }

  /** Ends what follows, listens and adds. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Adds entries, each again under the same id until the stream has it. @param texts Are ids as well. */
  async add(texts: Iterable<string>): Promise<void> {
    for (const text of texts) await this.#addOne(text);
  }

  async #addOne(text: string): Promise<void> {
    await this.#again(() => this.wire.publish(text, utf8(text)));
  }

  /** What the stream holds, once NATS can be reached. */
  async state(): Promise<StreamState> {
    return await this.#again(() => this.wire.state());
  }

  async #again<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof StreamError) || this.signal.aborted) throw error;
      }
    }
  }

  /** The next entries from a place on. @param made Default: the stream of now. */
  async take(
    count: number,
    from = 1,
    made?: string,
  ): Promise<StreamEntry[]> {
    return await this.#takeUntil((taken) => taken.length === count, from, made);
  }

  /** What all entries say, up to one that says `END`. */
  async takeAll(): Promise<string[]> {
    const taken = await this.#takeUntil((taken) =>
      textsOf(taken.slice(-1))[0] === END
    );
    return textsOf(taken);
  }

  async #takeUntil(
    isEnough: (taken: readonly StreamEntry[]) => boolean,
    from = 1,
    made?: string,
  ): Promise<StreamEntry[]> {
    const taken: StreamEntry[] = [];
    const stream = made ?? (await this.wire.state()).made;
    for await (const entry of this.wire.follow(from, stream, this.signal)) {
      taken.push(entry);
      if (isEnough(taken)) break;
    }
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.wire.close();
  }
}

/** Adds numbered entries to a stream, one after the other, until it is told to stop. */
export class Adding {
  readonly #added: string[] = [];
  readonly #changed = new Notify();
  readonly #running: Promise<void>;
  #isStopping = false;

  /** Begins. */
  constructor(wire: TestWire) {
    this.#running = this.#run(wire);
  }

  /** Resolves when the stream has some more than now. */
  async more(count: number): Promise<void> {
    const wanted = this.#added.length + count;
    while (this.#added.length < wanted) {
      await Promise.race([this.#changed.wait(), this.#running]);
    }
  }

  /** Adds `END`, and no more. @returns What all of them say. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true;
    await this.#running;
    return this.#added;
  }

  async #run(wire: TestWire): Promise<void> {
    while (this.#added.at(-1) !== END) {
      const text = this.#isStopping ? END : `${this.#added.length + 1}`;
      await wire.add([text]);
      this.#added.push(text);
      this.#changed.notify();
    }
  }
}

/** What the last entry says. */
const END = "end";

/** Texts that are numbered. */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at + 1}`);
}

/** What entries say. */
export function textsOf(entries: readonly { data: Bytes }[]): string[] {
  return entries.map(({ data }) => new TextDecoder().decode(data));
}
