/**
 * What the thread of the server and a worker that shakes hands say to each other: first the server's static private
 * key, 32 bytes, which "ready" answers; then lists of messages. Bytes are handed over, so that no key stays behind.
 *
 *     answer ──▶ (code ◀──▶ password) ──▶ answered ──▶ finish ──▶ finished
 *                                             └─────▶ forget            failed, instead of any answer
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Secured } from "../../crypto/noise.ts";
import type { Bytes } from "../../../crypto_utils.ts";

/** What a worker is asked. `id` numbers the handshakes of one worker. */
export type Request =
  & { readonly id: number }
  & (
    /** As `Responder.answer`. */
    | { readonly kind: "answer"; readonly first: Bytes }
    /** The words that the worker wanted. */
    | { readonly kind: "password"; readonly password: Bytes }
    /** As `Halfway.finish`. */
    | {
      readonly kind: "finish";
      readonly third: Bytes;
      readonly key: Bytes | undefined;
    }
    /** The client goes no further, or its words can't be had. */
    | { readonly kind: "forget" }
  );

/** What a worker says. */
export type Reply =
  & { readonly id: number }
  & (
    | {
      readonly kind: "answered";
      readonly reply: Bytes;
      readonly inviteId: number;
    }
    /** It needs the words of the spoken code of that number. */
    | { readonly kind: "code"; readonly number: number }
    | { readonly kind: "finished"; readonly secured: Secured }
    | { readonly kind: "failed"; readonly fault: Fault; readonly why: string }
  );

/** What went wrong: a `HandshakeError`, a `WireError`, or something that shouldn't. */
export type Fault = "handshake" | "wire" | "other";

/** Posts messages, all of one turn of the event loop together. */
export class Posting<T> {
  readonly #post: (messages: readonly T[], handed: ArrayBuffer[]) => void;
  #messages: T[] = [];
  #handed: ArrayBuffer[] = [];

  /** Nothing waits. @param post Posts messages, and hands buffers over. */
  constructor(
    post: (messages: readonly T[], handed: ArrayBuffer[]) => void,
  ) {
    this.#post = post;
  }

  /**
   * Posts a message with the others of this turn.
   * @param handed Bytes of it that alone have their buffers: they are gone here once it is posted.
   */
  add(message: T, ...handed: readonly Bytes[]): void {
    if (this.#messages.push(message) === 1) {
      setImmediate(() => this.#flush());
    }
    for (const { buffer } of handed) this.#handed.push(buffer);
  }

  #flush(): void {
    const [messages, handed] = [this.#messages, this.#handed];
    this.#messages = [];
    this.#handed = [];
    this.#post(messages, handed);
  }
}
