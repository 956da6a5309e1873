/**
 * One member of a room on another server: joins it over TLS, and holds what it gets to what was said.
 *
 * @module
 */

import { equalBytes } from "../../crypto_utils.ts";
import { Lines } from "./lines.ts";
import type { Audience, Voice } from "../load/audience.ts";
import type { Receiver } from "../load/socket.ts";
import { textOf } from "../load/opener.ts";
import { encode, type Protocol, protocol } from "./protocols.ts";
import { type OpenSsl, TlsClient } from "./tls.ts";
import { type PeerKind, TEXT_SIZE } from "../load/job.ts";

const ZERO = "0".charCodeAt(0);

/** What a member of a peer's room reports to. */
export interface PeerWarden extends Pick<Audience, "connect" | "fail"> {
  readonly openSsl: OpenSsl;
  /** A member has received the message with this number. */
  counted(n: number): void;
}

/** How a member is to behave. */
export interface PeerMemberOptions {
  readonly kind: PeerKind;
  readonly name: string;
  /** Whether it gets what is said. */
  readonly listens: boolean;
  /** Whether it compares every byte of it, rather than its number and size. */
  readonly compares: boolean;
}

/** One connection and what came of it. */
export class PeerMember implements Receiver, Voice {
  readonly options: PeerMemberOptions;
  /** The number of the last message that it received. */
  received = 0;
  /** How many messages it has said. */
  said = 0;
  onBack: (count: number) => void = () => {};
  readonly #warden: PeerWarden;
  readonly #protocol: Protocol;
  readonly #lines = new Lines((...line) => this.#read(...line));
  readonly #greeting = Promise.withResolvers<void>();
  #tls: TlsClient | undefined;
  #step = Promise.withResolvers<void>();

  /** A member that hasn't connected yet. */
  constructor(warden: PeerWarden, options: PeerMemberOptions) {
    const { kind, name, listens } = options;
    this.#warden = warden;
    this.options = options;
    this.#protocol = protocol(kind, name, listens);
  }

  /** Connects and joins; resolves when the server has said that it did. */
  async join(port: number): Promise<void> {
    const socket = await this.#warden.connect(port, {
      take: (bytes) => this.#tls ? this.#tls.take(bytes) : this.#greeted(),
      end: () => this.end(),
    });
    if (this.#protocol.greeted) await this.#greeting.promise;
    this.#tls = new TlsClient(this.#warden.openSsl, socket, this);
    await this.#tls.secured;
    for (const step of this.#protocol.steps) {
      this.#step = Promise.withResolvers();
      this.#send(step);
      await this.#step.promise;
    }
  }

  say(count: number): Promise<void> {
    const say = () => this.#protocol.say(textOf(++this.said));
    this.#send(Array.from({ length: count }, say).join(""));
    return Promise.resolve();
  }

  prepare(): Promise<() => void> {
    return Promise.resolve(() => void this.say(1));
  }

  take(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  end(): void {
    this.#fail("lost its connection");
  }

  #send(words: string): void {
    if (!this.#tls) throw new Error("Cannot send: not connected");
    this.#tls.send(encode(words));
  }

  /** The greeting fits into one segment, and what it says doesn't matter. */
  #greeted(): void {
    this.#greeting.resolve();
  }

  #fail(what: string): void {
    const { name } = this.options;
    this.#warden.fail(new Error(`Cannot go on: "${name}" ${what}`));
  }

  #read(bytes: Uint8Array, start: number, end: number): void {
    const meaning = this.#protocol.read(bytes, start, end);
    if (meaning === "message") this.#check(bytes, end - TEXT_SIZE, end);
    else if (meaning === "done") this.#step.resolve();
    else if (meaning === "ping") this.#send(this.#protocol.pong);
    else if (meaning === "error") {
      const words = new TextDecoder().decode(bytes.subarray(start, end));
      this.#fail(`was told "${words}"`);
    }
  }

  #check(bytes: Uint8Array, start: number, end: number): void {
    const n = this.received + 1;
    let found = 0;
    for (let at = start; at < end; at++) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      found = found * 10 + digit;
    }
    if (found !== n) return this.#fail(`got message ${found} instead of ${n}`);
    if (this.options.compares) {
      const same = equalBytes(bytes.subarray(start, end), encode(textOf(n)));
      if (!same) return this.#fail(`got another message ${n} than was said`);
    }
    this.received = n;
    this.#warden.counted(n);
  }
}
