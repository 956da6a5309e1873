/**
 * The server's side of one worker that shakes hands.
 *
 *     starting ── ready ──▶ standing ── end ──▶ ended
 *        └───────── it fails ─┴───────────────────┘   what it has in hand fails as a lost connection does
 *
 * @module
 */

import type { Secured } from "../../crypto/noise.ts";
import { GoneError } from "../../protocol/record_reader.ts";
import { WireError } from "../../protocol/records.ts";
import type {
  Answer,
  PasswordOf,
  Responder,
} from "../../protocol/responder.ts";
import { type Bytes, HandshakeError } from "../../../crypto_utils.ts";
import { type Fault, Posting, type Reply, type Request } from "./messages.ts";

/** What is asked of the worker. */
interface Asked {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  /** While the first message is worked on. */
  readonly passwordOf?: PasswordOf;
}

/** What becomes of a worker. */
export interface Fate {
  /** It stands. */
  readonly ready: () => void;
  /** It could not be started, or something went wrong in it: it has ended. */
  readonly failed: (why: string) => void;
}

/** Has a worker do it. */
export class WorkerResponder implements Responder {
  readonly #worker: Worker;
  readonly #fate: Fate;
  readonly #posting: Posting<Request>;
  readonly #asked = new Map<number, Asked>();
  readonly #halfway = new Set<number>();
  #nextId = 0;
  #hasEnded = false;

  /** Starts it. @param privateKey The server's static one, 32 bytes: handed over, so that it is gone here. */
  constructor(privateKey: Bytes, fate: Fate) {
    this.#fate = fate;
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: "handshakes",
      deno: { permissions: "none" }, // it computes, and needs none
    });
    worker.onmessage = ({ data }: MessageEvent<"ready" | readonly Reply[]>) => {
      if (data === "ready") fate.ready();
      else for (const reply of data) this.#hear(reply);
    };
    worker.onerror = (event) => {
      event.preventDefault(); // else the server would end, too
      this.#fail(event.message);
    };
    worker.onmessageerror = () => this.#fail("a message can't be read");
    worker.postMessage(privateKey, [privateKey.buffer]);
    this.#worker = worker;
    this.#posting = new Posting((requests, handed) => {
      if (!this.#hasEnded) worker.postMessage(requests, handed);
    });
  }

  /** Handshakes that it knows of. */
  get held(): number {
    return this.#asked.size + this.#halfway.size;
  }

  async answer(first: Bytes, passwordOf: PasswordOf): Promise<Answer> {
    const id = this.#nextId++;
    const copy = first.slice(); // a record's bytes lie in a buffer with others
    const { reply, inviteId } = await this.#ask<"answered">(
      { kind: "answer", id, first: copy },
      [copy],
      passwordOf,
    );
    this.#halfway.add(id);
    const finish = (third: Bytes, key: Bytes | undefined) =>
      this.#finish(id, third.slice(), key?.slice());
    const forget = () => this.#forget(id);
    return { reply, halfway: { inviteId, finish, [Symbol.dispose]: forget } };
  }

  async #finish(
    id: number,
    third: Bytes,
    key: Bytes | undefined,
  ): Promise<Secured> {
    this.#halfway.delete(id);
    const { secured } = await this.#ask<"finished">(
      { kind: "finish", id, third, key },
      key ? [third, key] : [third],
    );
    return secured;
  }

  #forget(id: number): void {
    if (this.#halfway.delete(id)) this.#posting.add({ kind: "forget", id });
  }

  #ask<K extends Reply["kind"]>(
    request: Request,
    handed: readonly Bytes[],
    passwordOf?: PasswordOf,
  ): Promise<Extract<Reply, { kind: K }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const asked = { resolve, reject, ...passwordOf && { passwordOf } };
    if (this.#hasEnded) reject(lost(asked));
    else {
      this.#asked.set(request.id, asked);
      this.#posting.add(request, ...handed);
    }
    return promise as Promise<Extract<Reply, { kind: K }>>;
  }

  #hear(reply: Reply): void {
    const { id } = reply;
    const asked = this.#asked.get(id);
    if (reply.kind === "code") this.#tell(id, reply.number, asked?.passwordOf);
    else {
      this.#asked.delete(id);
      if (reply.kind === "failed") asked?.reject(errorOf(reply));
      else asked?.resolve(reply);
    }
  }

  /** Tells the worker the words of a spoken code. */
  async #tell(
    id: number,
    number: number,
    passwordOf: PasswordOf | undefined,
  ): Promise<void> {
    try {
      const password = (await passwordOf?.(number))?.slice();
      if (!password) return;
      this.#posting.add({ kind: "password", id, password }, password);
    } catch (error) {
      this.#asked.get(id)?.reject(error);
      this.#asked.delete(id);
      this.#posting.add({ kind: "forget", id });
    }
  }

  #fail(why: string): void {
    if (this.#hasEnded) return;
    this.end();
    this.#fate.failed(why);
  }

  /** Ends it, and with it whatever it has in hand. */
  end(): void {
    this.#hasEnded = true;
    this.#worker.terminate();
    for (const asked of this.#asked.values()) asked.reject(lost(asked));
    this.#asked.clear();
    this.#halfway.clear();
  }
}

/** What a handshake fails with whose worker is gone: to the client it is a connection that broke, not a wrong key. */
function lost({ passwordOf }: Pick<Asked, "passwordOf">): GoneError {
  return new GoneError(!passwordOf, new Error("The worker has ended"));
}

function errorOf({ fault, why }: { fault: Fault; why: string }): Error {
  if (fault === "handshake") return new HandshakeError(why);
  return fault === "wire" ? new WireError(why) : new Error(why);
}
