/**
 * Frames as a server sends them (RFC 6455, section 5): unmasked, each a whole message or a control frame.
 *
 * @module
 */

import { Opcode } from "./frame_reader.ts";

/** The most that goes into one message, bytes: a browser hands on nothing before its end. */
const MAX_MESSAGE_SIZE = 65_535;
/** Set in a frame's first byte: its message ends with it. */
const FINAL = 0x80;
/** The longest length that stands in a frame's second byte. */
const SHORT_LENGTH = 125;

/** How many bytes the message has that begins with some. */
export function messageSize({ length }: Uint8Array): number {
  return Math.min(length, MAX_MESSAGE_SIZE);
}

/** The size of its head, bytes. */
export function headSize({ length }: Uint8Array): number {
  return length > SHORT_LENGTH ? 4 : 2;
}

/** Makes messages. The last one is kept, since all are told the same bytes, one after another. */
export class Messages {
  #bytes: Uint8Array | undefined;
  #frame = new Uint8Array(0);

  /** The message that begins with some bytes, its frame's head before them; nobody may change it. @param bytes Not to be changed either. */
  of(bytes: Uint8Array): Uint8Array {
    if (bytes !== this.#bytes) {
      this.#frame = message(bytes);
      this.#bytes = bytes;
    }
    return this.#frame;
  }
}

/** A copy, so that it goes out in one system call: two cost a busy server twice as much. */
function message(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = messageSize(bytes);
  const head = headSize(bytes);
  const frame = new Uint8Array(head + size);
  frame[0] = FINAL | Opcode.binary;
  if (head === 2) frame[1] = size;
  else {
    frame[1] = SHORT_LENGTH + 1; // the length follows in two bytes
    frame[2] = size >>> 8;
    frame[3] = size;
  }
  frame.set(bytes.subarray(0, size), head);
  return frame;
}

/** A frame that has all of its payload, at most 125 bytes. */
export function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + payload.length);
  frame[0] = FINAL | opcode;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}
