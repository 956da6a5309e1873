/**
 * The strangers: connect to a server of this machine from many of its addresses, and do what somebody does who has no
 * key. They say that the first has come, and that all have come as far as they go, where they stay there.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { type Bytes, concat, randomBytes } from "../../crypto_utils.ts";
import type { Dialogue, Flood } from "../load/job.ts";
import { encodeHeader, RecordType } from "../../src/protocol/records.ts";
import { importKeyPair } from "../../src/crypto/x25519.ts";
import {
  connectChannel,
  type ConnectOptions,
} from "../../src/protocol/handshake.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";

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
  const ending = connectChannel(stream, await wrongKey());
  await ending.catch(() => {}); // nobody answers
  return concat(...written);
}

/** A key that opens nothing. */
async function wrongKey(): Promise<ConnectOptions> {
  return {
    keyPair: await importKeyPair(randomBytes(32)),
    inviteId: 0,
    inviteKey: randomBytes(32),
    checkServer: () => {},
  };
}

/** Shakes hands to the end with a key that opens nothing. @throws {Error} if the server lets it in. */
async function shakeHands(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const channel = await connectChannel(conn, await wrongKey());
    await channel.read();
  } catch (error) {
    if (error instanceof RefusedError) return;
    throw error;
  }
  throw new Error("Cannot go on: the server let a stranger in");
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
  readonly #dialogue: Dialogue;
  #begun = 0;
  #waiting = 0;

  constructor(flood: Flood, first: Uint8Array, dialogue: Dialogue) {
    this.#flood = flood;
    this.#dialogue = dialogue;
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
    if (kind === "wrong-key") return shakeHands(port);
    const at = number % addresses;
    const localAddress = `127.0.${1 + (at >> 7)}.${1 + (at & 127)}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    let answered = false;
    socket.setNoDelay(true);
    socket.on("connect", () => {
      if (this.connected++ === 0) this.#dialogue.tell({ kind: "begun" });
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
    if (++this.#waiting !== this.#flood.atOnce) return;
    this.#dialogue.tell({ kind: "waiting" });
  }
}

/**
 * Lets strangers come until all have come to their end, or no more is said to them.
 * @returns How many connections stood at some time.
 */
export async function flood(job: Flood, dialogue: Dialogue): Promise<number> {
  // One for all: making it isn't what is measured.
  const strangers = new Strangers(job, await firstRecord(), dialogue);
  await Promise.race([strangers.run(), dialogue.hear()]);
  return strangers.connected;
}
