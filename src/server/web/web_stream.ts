/**
 * A WebSocket (RFC 6455), after its opening, as the stream of bytes that a channel needs. What is read are the payloads of
 * the browser's binary messages; what is written goes out as binary messages, each begun and ended as the bytes come.
 *
 *     open ── closeWrite ──▶ says that it closes ── the browser says so, too ──▶ read returns null
 *       ├── the browser closes ──▶ it is answered, read returns null
 *       └── frames that break the rules ──▶ closed with their code, read throws
 *
 * Nothing is collected that comes: a frame's payload is handed on as it is read. What goes out is framed once for all who
 * are told the same; of a message that isn't written at once, the rest goes out from where the ring has it.
 *
 * @module
 */

import { pause, within } from "../../base/timing.ts";
import { writeAll } from "../../base/write_all.ts";
import { WireError } from "../../protocol/records.ts";
import { type HalfClosable, linger } from "../linger.ts";
import { TokenBucket } from "../rate_limits.ts";
import { CloseCode, FrameError, FrameReader, Opcode } from "./frame_reader.ts";
import {
  controlFrame,
  headSize,
  type Messages,
  messageSize,
} from "./frames.ts";

/**
 * Bytes without payload (heads, pings) that exceed the payload itself: what may come at once, and in a second. A client
 * has none of them to speak of; whoever floods with them is read more slowly.
 */
const IDLE_BURST = 65_536;
const IDLE_RATE = 8_192;
/** How long it may take to write why a WebSocket is closed, ms. */
const CLOSE_TIME = 1_000;

const now = () => performance.now(); // one for all
const NOTHING = new Uint8Array(0);

/** A WebSocket as a stream. */
export class WebStream implements HalfClosable {
  readonly #conn: HalfClosable;
  readonly #messages: Messages;
  readonly #frames = new FrameReader();
  #idle: TokenBucket | undefined; // most never need it
  #owed = 0; // bytes of the payload of the frame under way that are still to be written
  #headSize = 0; // bytes of its head that are still to be written
  #frame: Uint8Array = NOTHING; // what is still to be written of it, until some of its payload is
  #control: Uint8Array | undefined; // the control frame to be written next, where a frame ends
  #saying: Promise<void> | undefined; // while one is written
  #isClosed = false; // this side has said that it closes

  /** Takes over a connection after the opening handshake. @param messages What makes its messages. */
  constructor(conn: HalfClosable, messages: Messages) {
    this.#conn = conn;
    this.#messages = messages;
  }

  /** Reads payload into a buffer. @throws {FrameError} for frames that break the rules, when they were answered. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#frames.closed === undefined) {
      const size = await this.#conn.read(into);
      if (size === null) return null;
      const kept = await this.#take(into.subarray(0, size));
      if (kept > 0) return kept;
    }
    this.#close(CloseCode.normal);
    await this.#saying;
    return null;
  }

  async #take(bytes: Uint8Array): Promise<number> {
    let kept: number;
    try {
      kept = this.#frames.take(bytes);
    } catch (error) {
      if (error instanceof FrameError) await this.#fail(error.code);
      throw error;
    }
    const ping = this.#frames.takePing();
    if (ping && !this.#isClosed) {
      this.#say(controlFrame(Opcode.pong, ping));
      await this.#saying; // a flood of them waits for its own answers
    }
    const idle = bytes.length - 2 * kept;
    if (idle > 0) await pause(this.#wait(idle));
    return kept;
  }

  #wait(idle: number): number {
    this.#idle ??= new TokenBucket(IDLE_BURST, IDLE_RATE, now);
    return this.#idle.take(idle);
  }

  /** Says why it is closed, so that it can be heard. */
  async #fail(code: number): Promise<void> {
    this.#close(code);
    if (this.#saying) await within(CLOSE_TIME, this.#saying);
    await linger(this.#conn);
  }

  /** Writes some of the bytes: a message, or the rest of one. */
  write(bytes: Uint8Array): Promise<number> {
    // Not an async function: a thousand of these run for every broadcast, and each promise counts.
    if (this.#saying) return this.#saying.then(() => this.write(bytes));
    if (this.#isClosed) return Promise.reject(new WireError("It is closed"));
    if (this.#owed > 0) {
      // What was announced may come in other parts now, but the bytes are the same: those of one stream.
      this.#headSize = 0;
      const rest = bytes.subarray(0, this.#owed);
      return this.#conn.write(rest).then(this.#written);
    }
    const frame = this.#messages.of(bytes);
    this.#frame = frame;
    this.#headSize = headSize(bytes);
    this.#owed = messageSize(bytes);
    return this.#conn.write(frame).then(this.#written);
  }

  /** Counts what was written; after a failed write there is nothing to count. */
  readonly #written = (count: number): number | Promise<number> => {
    const head = this.#headSize;
    if (count <= head) { // without a byte of the payload
      this.#headSize -= count;
      this.#frame = this.#frame.subarray(count);
      return this.#conn.write(this.#frame).then(this.#written);
    }
    this.#frame = NOTHING;
    this.#owed -= count - head;
    this.#sayNext();
    return count - head;
  };

  /** Has a control frame written, where the frame under way ends; the next one takes the place of one that waits. */
  #say(frame: Uint8Array): void {
    this.#control = frame;
    this.#sayNext();
  }

  #sayNext(): void {
    const frame = this.#control;
    if (!frame || this.#saying || this.#owed > 0) return;
    this.#control = undefined;
    this.#saying = writeAll(this.#conn, frame)
      .catch(() => {}) // the connection has ended, which whoever reads or writes next is told
      .finally(() => {
        this.#saying = undefined;
        if (this.#control) this.#sayNext();
      });
  }

  #close(code: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const payload = new Uint8Array([code >>> 8, code & 0xff]);
    this.#say(controlFrame(Opcode.close, payload));
  }

  /** Says that this side closes; the browser then says so, too, which ends what is read. */
  async closeWrite(): Promise<void> {
    this.#close(CloseCode.normal);
    await this.#saying;
  }

  /** Ends the connection. */
  close(): void {
    this.#conn.close();
  }
}
