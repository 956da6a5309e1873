/**
 * The load's sockets as WebSockets, over those of another network: what a browser's members cost the server. Frames are
 * masked with zeros, which costs the server what any mask does, and the load nothing.
 *
 * @module
 */

import { concat } from "../../crypto_utils.ts";
import type { Network, Patience, Receiver, Socket } from "./network.ts";

const REQUEST = new TextEncoder().encode([
  "GET /chat HTTP/1.1",
  "Host: 127.0.0.1",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n"));
const [CR, LF] = [13, 10];

/** WebSockets to the server's port for browsers. */
export class WebNetwork implements Network {
  readonly kind: string;
  readonly #network: Network;

  /** Over sockets of another network. */
  constructor(network: Network) {
    this.#network = network;
    this.kind = `${network.kind}, as WebSockets`;
  }

  /** @inheritDoc */
  get lastArrival(): number {
    return this.#network.lastArrival;
  }

  /** @inheritDoc */
  async connect(port: number, receiver: Receiver): Promise<Socket> {
    const frames = new FrameReceiver(receiver);
    const socket = await this.#network.connect(port, frames);
    socket.send(REQUEST);
    return new WebSocketSender(socket, frames.opened);
  }

  /** @inheritDoc */
  until(done: () => boolean, patience: Patience): Promise<void> {
    return this.#network.until(done, patience);
  }
}

/** Sends binary frames, from when the server has agreed. */
class WebSocketSender implements Socket {
  readonly #socket: Socket;
  #isOpen = false;
  #waiting: Uint8Array<ArrayBuffer>[] = [];

  constructor(socket: Socket, opened: Promise<void>) {
    this.#socket = socket;
    opened.then(() => {
      this.#isOpen = true;
      for (const frame of this.#waiting) socket.send(frame);
      this.#waiting = [];
    });
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    const length = bytes.length < 126
      ? [0x80 | bytes.length]
      : [0x80 | 126, bytes.length >> 8, bytes.length & 255];
    const frame = concat(Uint8Array.of(0x82, ...length, 0, 0, 0, 0), bytes);
    if (this.#isOpen) this.#socket.send(frame);
    else this.#waiting.push(frame);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Takes a server's answer and its frames apart, and hands on what they carry. */
class FrameReceiver implements Receiver {
  readonly #receiver: Receiver;
  readonly #opened = Promise.withResolvers<void>();
  #ends = 0; // of the four characters that end the answer's head, so many
  #head: number[] = [];
  #left = 0; // bytes of the payload

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** Resolves when the server has agreed to a WebSocket. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  take(bytes: Uint8Array<ArrayBuffer>): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#ends < 4) this.#takeAnswer(bytes[at++] ?? 0);
      else if (this.#left === 0) this.#takeHead(bytes[at++] ?? 0);
      else {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        this.#receiver.take(bytes.subarray(at, end));
        at = end;
      }
    }
  }

  #takeAnswer(byte: number): void {
    const expected = this.#ends % 2 === 0 ? CR : LF;
    this.#ends = byte === expected ? this.#ends + 1 : byte === CR ? 1 : 0;
    if (this.#ends === 4) this.#opened.resolve();
  }

  #takeHead(byte: number): void {
    this.#head.push(byte);
    const [first, length = 0, high = 0, low = 0] = this.#head;
    if (this.#head.length < 2) return;
    if (length === 126 && this.#head.length < 4) return;
    if (first !== 0x82) throw new Error("Cannot go on: a frame isn't binary");
    this.#left = length === 126 ? high << 8 | low : length;
    this.#head = [];
  }

  end(): void {
    this.#receiver.end();
  }
}
