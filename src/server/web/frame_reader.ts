/**
 * Takes apart the frames that a browser sends over a WebSocket (RFC 6455, section 5). The payloads of binary messages,
 * one after the other, are the bytes of the stream; where a frame or a message ends means nothing. Nothing is collected:
 * the payload is unmasked where it lies, and however long a message is, it costs no memory.
 *
 *     first byte ──▶ mask and length ──▶ longer length ──▶ mask ──▶ payload ──┐
 *         ▲                    └───────────────────────────▲                  │
 *         └───────────────────────────────────────────────────────────────────┘
 *
 * @module
 */

import { WireError } from "../../protocol/records.ts";

/** The longest frame that is taken, bytes of payload. None is ever collected; a longer one is a mistake. */
export const MAX_FRAME_SIZE = 1_048_576;
/** The longest payload of a control frame, bytes (RFC 6455, 5.5). */
const MAX_CONTROL_SIZE = 125;
/** Lengths that say how many bytes of a longer one follow. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** What a frame is (RFC 6455, 11.8). */
export const Opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** Why a WebSocket is closed (RFC 6455, 7.4.1). */
export const CloseCode = {
  normal: 1000,
  /** None was given; never sent. */
  none: 1005,
  protocol: 1002,
  unsupported: 1003,
  tooBig: 1009,
} as const;

/** What comes next in a frame. */
const Part = { first: 0, second: 1, length: 2, mask: 3, payload: 4 } as const;

/** Frames that break the rules. */
export class FrameError extends WireError {
  /** Says which. @param code The code to close with, one of `CloseCode`. */
  constructor(readonly code: number, what: string) {
    super(`Cannot go on with the WebSocket: ${what}`);
  }
}

/** Takes frames apart, however their bytes come. */
export class FrameReader {
  #part: typeof Part[keyof typeof Part] = Part.first;
  #opcode: number = Opcode.binary;
  #inMessage = false; // one has begun, and its last frame has not come
  #left = 0; // bytes of this part that are still to come
  #size = 0; // of the payload
  #least = 0; // that a length may be, by how it is written
  #mask = 0; // 32 bits; its highest byte is for the next byte of the payload
  #control: Uint8Array | undefined; // where the payload of a control frame goes
  #ping: Uint8Array | undefined;
  #closed: number | undefined;

  /** The code with which the other side has closed, 1005 for none; undefined until then. */
  get closed(): number | undefined {
    return this.#closed;
  }

  /** The payload of the last ping that came, once. */
  takePing(): Uint8Array | undefined {
    const ping = this.#ping;
    this.#ping = undefined;
    return ping;
  }

  /**
   * Takes bytes as they have come, and moves the payload among them to their beginning.
   * @returns How many bytes of payload stand there.
   * @throws {FrameError} for what is no such frame; nothing may be taken after that.
   */
  take(bytes: Uint8Array): number {
    let kept = 0;
    for (let at = 0; at < bytes.length && this.#closed === undefined;) {
      if (this.#part !== Part.payload) {
        this.#takeHead(bytes[at++] ?? 0);
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      const into = this.#control;
      if (into) {
        this.#unmask(bytes, at, end, into, into.length - this.#left);
      } else {
        this.#unmask(bytes, at, end, bytes, kept);
        kept += end - at;
      }
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) this.#endFrame();
    }
    return kept;
  }

  #unmask(
    from: Uint8Array,
    start: number,
    end: number,
    into: Uint8Array,
    at: number,
  ): void {
    let mask = this.#mask;
    for (let index = start; index < end; index++) {
      into[at++] = (from[index] ?? 0) ^ (mask >>> 24);
      mask = mask << 8 | mask >>> 24;
    }
    this.#mask = mask;
  }

  /** The next byte of what stands before a payload. */
  #takeHead(byte: number): void {
    if (this.#part === Part.first) {
      this.#begin(byte);
    } else if (this.#part === Part.second) {
      this.#measure(byte);
    } else if (this.#part === Part.length) {
      this.#size = this.#size * 256 + byte;
      if (this.#size > MAX_FRAME_SIZE) {
        throw new FrameError(CloseCode.tooBig, "a frame is too long");
      }
      if (--this.#left === 0) this.#endLength();
    } else {
      this.#mask = this.#mask << 8 | byte;
      if (--this.#left === 0) this.#beginPayload();
    }
  }

  #begin(byte: number): void {
    const isFinal = byte >= 0x80;
    const opcode = byte & 0x0f;
    if ((byte & 0x70) !== 0) throw broken("a reserved bit is set");
    if (opcode === Opcode.text) {
      throw new FrameError(CloseCode.unsupported, "it is text, not binary");
    }
    if (opcode === Opcode.binary || opcode === Opcode.continuation) {
      const goesOn = opcode === Opcode.continuation;
      if (goesOn && !this.#inMessage) throw broken("nothing is to go on");
      if (!goesOn && this.#inMessage) {
        throw broken("a message is within another");
      }
      this.#inMessage = !isFinal;
    } else if (opcode < Opcode.close || opcode > Opcode.pong) {
      throw broken(`frames of type ${opcode} are unknown`);
    } else if (!isFinal) throw broken("a control frame is in parts");
    this.#opcode = opcode;
    this.#part = Part.second;
  }

  #measure(byte: number): void {
    const length = byte & 0x7f;
    if (byte < 0x80) throw broken("a frame is not masked");
    if (this.#opcode >= Opcode.close && length > MAX_CONTROL_SIZE) {
      throw broken("a control frame is too long");
    }
    if (length < LENGTH_16) {
      this.#size = length;
      return this.#awaitMask();
    }
    this.#size = 0;
    this.#least = length === LENGTH_64 ? 0x1_0000 : LENGTH_16;
    this.#left = length === LENGTH_64 ? 8 : 2;
    this.#part = Part.length;
  }

  #endLength(): void {
    if (this.#size < this.#least) throw broken("a length is not the shortest");
    this.#awaitMask();
  }

  #awaitMask(): void {
    this.#left = 4;
    this.#part = Part.mask;
  }

  #beginPayload(): void {
    this.#part = Part.payload;
    this.#left = this.#size;
    this.#control = this.#opcode >= Opcode.close
      ? new Uint8Array(this.#size)
      : undefined;
    if (this.#left === 0) this.#endFrame();
  }

  #endFrame(): void {
    const control = this.#control;
    this.#part = Part.first;
    this.#control = undefined;
    if (!control) return;
    if (this.#opcode === Opcode.ping) this.#ping = control;
    if (this.#opcode === Opcode.close) this.#closed = closeCode(control);
  }
}

function broken(what: string): FrameError {
  return new FrameError(CloseCode.protocol, what);
}

/** What a close frame says (RFC 6455, 5.5.1). @throws {FrameError} for what must not stand there. */
function closeCode(payload: Uint8Array): number {
  if (payload.length === 0) return CloseCode.none;
  const [high = 0, low] = payload;
  const code = low === undefined ? 0 : high * 256 + low;
  const isKnown = code >= 1000 && code <= 1014 &&
    ![1004, 1005, 1006].includes(code);
  const isOwn = code >= 3000 && code < 5000;
  if (!isKnown && !isOwn) throw broken("it is closed with no proper code");
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(payload.subarray(2));
  } catch {
    throw broken("it is closed with words that are not UTF-8");
  }
  return code;
}
