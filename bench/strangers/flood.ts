/**
 * The strangers' process: connects to a server of this machine from many of its addresses, and does what
 * somebody does who has no key. Takes what to do as JSON, and writes, a line of JSON each, that it has begun, that
 * all have come as far as they go, where they stay there, and what came of it when its input ends.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { type Bytes, concat, randomBytes } from "../../crypto_utils.ts";
import { print } from "../../src/base/output.ts";
import { encodeHeader, RecordType } from "../../src/protocol/records.ts";
import { importKeyPair } from "../../src/crypto/x25519.ts";
import { connectChannel } from "../../src/protocol/handshake.ts";

/** What strangers do once they are connected. */
export const KINDS = ["leave", "wait", "garbage", "hello", "bad"] as const;

/** What a process of strangers says. */
export type Word =
  /** The first connection stands. */
  | { readonly kind: "begun" }
  /** All stand where they stop: at their connection, or at the server's answer to their first message. */
  | { readonly kind: "waiting" }
  /** It is over; so many connections stood at some time. */
  | { readonly kind: "over"; readonly connected: number };

/** What a process of strangers is to do. */
export interface Flood {
  /** The server's. */
  readonly port: number;
  /**
   * "leave" closes at once, "wait" says nothing, "garbage" says what is no handshake, "hello" begins a
   * handshake and goes no further, and "bad" takes it to the end, with a key that opens nothing.
   */
  readonly kind: typeof KINDS[number];
  /** Connections at a time. */
  readonly atOnce: number;
  /** Connections in all; 0 for as many as there are until the end. */
  readonly total: number;
  /** Addresses that they come from, 127.0.1.1 and so on. */
  readonly addresses: number;
}

/** The first record of a proper client, which then hears nothing more. */
export async function firstRecord(): Promise<Bytes> {
  const written: Uint8Array[] = [];
  const stream = {
    write: (bytes: Uint8Array) => {
      written.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
    read: () => Promise.resolve(null),
    close: () => {},
  };
  const ending = connectChannel(stream, {
    keyPair: await importKeyPair(randomBytes(32)),
    inviteId: 0,
    inviteKey: randomBytes(32),
    checkServer: () => {},
  });
  await ending.catch(() => {}); // nobody answers
  return concat(...written);
}

/** A third message of the right length: the server finds out at the last step. */
const THIRD_SIZE = 64;
const thirdRecord = concat(
  encodeHeader(RecordType.handshake, THIRD_SIZE),
  randomBytes(THIRD_SIZE),
);

/** Can't be a record: its length is too great. */
const GARBAGE = new Uint8Array(100).fill(0xff);

class Strangers {
  /** Those that stood at some time. */
  connected = 0;
  readonly #flood: Flood;
  readonly #first: Uint8Array;
  #begun = 0;
  #waiting = 0;

  constructor(flood: Flood, first: Uint8Array) {
    this.#flood = flood;
    this.#first = first;
  }

  /** Resolves when all have come to their end; never where there is no end. */
  async run(): Promise<void> {
    const { atOnce, total } = this.#flood;
    const work = async () => {
      while (total === 0 || this.#begun < total) await this.#one(this.#begun++);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  #one(number: number): Promise<void> {
    const { port, kind, addresses } = this.#flood;
    const at = number % addresses;
    const localAddress = `127.0.${1 + (at >> 7)}.${1 + (at & 127)}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    let answered = false;
    socket.setNoDelay(true);
    socket.on("connect", () => {
      if (this.connected++ === 0) say({ kind: "begun" });
      this.#begin(kind, socket);
    });
    socket.on("data", () => {
      if (kind === "hello" && !answered) this.#wait();
      if (kind === "bad" && !answered) socket.write(thirdRecord);
      answered = true;
    });
    socket.on("end", () => socket.destroy());
    // A server that has no place resets connections: that is one way to their end.
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    return promise;
  }

  #begin(kind: Flood["kind"], socket: Socket): void {
    if (kind === "leave") socket.destroy();
    if (kind === "wait") this.#wait();
    if (kind === "garbage") socket.write(GARBAGE);
    if (kind === "hello" || kind === "bad") socket.write(this.#first);
  }

  #wait(): void {
    if (++this.#waiting === this.#flood.atOnce) say({ kind: "waiting" });
  }
}

function say(word: Word): void {
  print(`${JSON.stringify(word)}\n`);
}

if (import.meta.main) {
  const flood: Flood = JSON.parse(Deno.args[0] ?? "");
  // One for all: making it isn't what is measured.
  const strangers = new Strangers(flood, await firstRecord());
  const stopped = (async () => {
    for await (const _ of Deno.stdin.readable) { /* until its end */ }
  })();
  await Promise.race([strangers.run(), stopped]);
  say({ kind: "over", connected: strangers.connected });
  Deno.exit(0); // those that are open would keep it
}
