/**
 * A WebSocket (RFC 6455) over a connection that is there already, as a stream of bytes. The runtime's own WebSocket has
 * SOCKS5, too, but it looks names up before it asks the proxy: who listens to DNS would know where the client goes.
 *
 *     GET … Upgrade: websocket ──▶ 101, Sec-WebSocket-Accept ──▶ frames: what is written goes out masked, in binary ones;
 *     what is read are the payloads of binary ones; a ping is answered; a close, or what breaks the rules, is the end
 *
 * @module
 */

import { type Bytes, concat, randomBytes } from "../../../crypto_utils.ts";
import { writeAll } from "../../base/write_all.ts";
import type { Stream } from "../../protocol/record_reader.ts";

/** What the server's digest is taken of, behind the client's key (section 1.3). */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** The client's key, bytes (section 4.1), and a frame's mask (section 5.3). */
const KEY_SIZE = 16;
const MASK_SIZE = 4;
/** The longest head of an answer that is read, bytes: more than any server of ours has. */
const MAX_HEAD = 8_192;
/** What is read at a time, bytes. */
const BUFFER_SIZE = 16_384;
/** The most that is written in one frame, bytes. */
const MAX_WRITTEN = 65_536;
/** Kinds of frames (section 5.2), and the bit of a message's last one. */
const Opcode = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const LAST = 0x80;
const MASKED = 0x80;
/** The longest payload of a frame that is no data, and of any whose length is one byte (sections 5.5 and 5.2). */
const MAX_CONTROL = 125;

/**
 * Opens a WebSocket.
 * @param conn To the server, which has said nothing yet. @param url `ws:` or `wss:`; TLS is there already.
 * @param key Section 4.1; 16 bytes that were never used before. Default: random ones.
 * @throws {Error} if the server opens none.
 */
export async function openTunnelled(
  conn: Stream,
  url: URL,
  key: Bytes = randomBytes(KEY_SIZE),
): Promise<Stream> {
  const text = key.toBase64();
  const request = [
    `GET ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${text}`,
    "Sec-WebSocket-Version: 13",
  ];
  await writeAll(conn, encoder.encode(`${request.join("\r\n")}\r\n\r\n`));
  const { head, rest } = await readHead(conn);
  const digest = await crypto.subtle.digest(
    "SHA-1",
    encoder.encode(text + GUID),
  );
  requireOpen(head, new Uint8Array(digest).toBase64());
  return new TunnelledSocket(conn, rest);
}

const encoder = new TextEncoder();

/** The head of the answer, without the empty line at its end, and what has come behind it. */
async function readHead(conn: Stream): Promise<{ head: string; rest: Bytes }> {
  const buffer = new Uint8Array(MAX_HEAD);
  for (let size = 0; size < MAX_HEAD;) {
    const count = await conn.read(buffer.subarray(size));
    if (count === null) break;
    size += count;
    const text = String.fromCharCode(...buffer.subarray(0, size));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    return { head: text.slice(0, end), rest: buffer.slice(end + 4, size) };
  }
  throw noSocket("");
}

/** @param head What the server answered instead; of its words none is shown. */
function noSocket(head: string): Error {
  const [, status] = /^HTTP\/1\.\d (\d{3})\b/.exec(head) ?? [];
  const answer = status === undefined ? "" : `, and answers ${status}`;
  return new Error(`the server opens no WebSocket${answer}`);
}

/** @throws {Error} for an answer that opens no WebSocket (section 4.1, what the client does with the response). */
function requireOpen(head: string, accept: string): void {
  const [status = "", ...lines] = head.split("\r\n");
  const fields = new Map(lines.map((line) => {
    const [, name = "", value = ""] = /^([^:]*):\s*(.*?)\s*$/.exec(line) ?? [];
    return [name.toLowerCase(), value];
  }));
  const isOpen = /^HTTP\/1\.1 101( |$)/.test(status) &&
    fields.get("upgrade")?.toLowerCase() === "websocket" &&
    /\bupgrade\b/i.test(fields.get("connection") ?? "") &&
    fields.get("sec-websocket-accept") === accept &&
    !fields.has("sec-websocket-extensions") &&
    !fields.has("sec-websocket-protocol");
  if (!isOpen) throw noSocket(head);
}

/** One that is open. */
class TunnelledSocket implements Stream {
  readonly #conn: Stream;
  readonly #buffer = new Uint8Array(BUFFER_SIZE); // for one read
  #unread: Bytes; // of what came
  #owed = 0; // bytes of the payload of the frame under way that are still to be read
  #isWithin = false; // a message whose last frame hasn't come
  #isEnded = false;
  #sending = Promise.resolve(); // what is written, frame after frame

  constructor(conn: Stream, unread: Bytes) {
    this.#conn = conn;
    this.#unread = unread;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (!this.#isEnded) {
      if (this.#owed > 0) return await this.#readPayload(into);
      const first = await this.#take(1);
      if (!first) break; // between two frames: as if it had been closed
      await this.#begin(first[0] ?? 0);
    }
    return null;
  }

  async #readPayload(into: Uint8Array): Promise<number | null> {
    if (this.#unread.length === 0 && !await this.#readMore()) return null;
    const part = this.#unread.subarray(0, Math.min(this.#owed, into.length));
    into.set(part);
    this.#unread = this.#unread.subarray(part.length);
    this.#owed -= part.length;
    return part.length;
  }

  /** So many bytes; undefined where the connection ends before. */
  async #take(size: number): Promise<Bytes | undefined> {
    while (this.#unread.length < size) {
      if (!await this.#readMore()) return undefined;
    }
    const taken = this.#unread.subarray(0, size);
    this.#unread = this.#unread.subarray(size);
    return taken;
  }

  /** Whether there is more. */
  async #readMore(): Promise<boolean> {
    const size = await this.#conn.read(this.#buffer);
    if (size === null) this.#isEnded = true;
    else this.#unread = concat(this.#unread, this.#buffer.subarray(0, size));
    return !this.#isEnded;
  }

  /** Reads what comes before a frame's payload; of a frame that is no data all of it, and does what it asks for. */
  async #begin(first: number): Promise<void> {
    const opcode = first & 0x0f;
    const isLast = (first & LAST) !== 0;
    if ((first & 0x70) !== 0) throw this.#broken("a frame has unknown bits");
    const [second = 0] = await this.#take(1) ?? [];
    if ((second & MASKED) !== 0) throw this.#broken("a frame is masked");
    if (opcode >= Opcode.close) {
      if (!isLast || second > MAX_CONTROL) {
        throw this.#broken("a frame of control is too long");
      }
      const payload = await this.#take(second);
      return payload && await this.#control(opcode, payload);
    }
    if (opcode === Opcode.text) {
      throw this.#broken("the server sent text instead of bytes");
    }
    if (opcode !== (this.#isWithin ? Opcode.more : Opcode.binary)) {
      throw this.#broken("a frame is out of turn");
    }
    this.#isWithin = !isLast;
    this.#owed = await this.#length(second);
  }

  async #length(second: number): Promise<number> {
    if (second <= MAX_CONTROL) return second;
    const bytes = await this.#take(second === MAX_CONTROL + 1 ? 2 : 8);
    const size = bytes?.reduce((all, byte) => all * 256 + byte, 0) ?? 0;
    if (size > Number.MAX_SAFE_INTEGER) {
      throw this.#broken("a frame is too long");
    }
    return size;
  }

  async #control(opcode: number, payload: Bytes): Promise<void> {
    if (opcode === Opcode.ping) await this.#send(Opcode.pong, payload);
    else if (opcode === Opcode.close) {
      this.#isEnded = true;
      await this.#send(Opcode.close, payload.subarray(0, 2)).catch(() => {}); // it may be gone already
    } else if (opcode !== Opcode.pong) {
      throw this.#broken("a frame's kind is unknown");
    }
  }

  #broken(why: string): Error {
    this.close();
    return new Error(why);
  }

  async write(bytes: Uint8Array): Promise<number> {
    const part = bytes.slice(0, MAX_WRITTEN);
    await this.#send(Opcode.binary, part);
    return part.length;
  }

  /** Writes a frame, after those before it. @param payload Is changed. */
  #send(opcode: number, payload: Bytes): Promise<void> {
    const frame = maskedFrame(opcode, payload, randomBytes(MASK_SIZE));
    const sending = this.#sending.then(() => writeAll(this.#conn, frame));
    this.#sending = sending.catch(() => {}); // the caller is told
    return sending;
  }

  close(): void {
    this.#isEnded = true;
    this.#conn.close();
  }
}

/** A whole message of a client's in one frame (sections 5.2 and 5.3). @param mask 4 bytes. */
export function maskedFrame(
  opcode: number,
  payload: Uint8Array,
  mask: Bytes,
): Bytes {
  const { length } = payload;
  const size = length <= MAX_CONTROL
    ? [length]
    : length < 65_536
    ? [126, length >> 8, length & 255]
    : [
      127,
      0,
      0,
      0,
      0,
      length >>> 24,
      length >> 16 & 255,
      length >> 8 & 255,
      length & 255,
    ];
  const [first = 0, ...rest] = size;
  const head = Uint8Array.of(LAST | opcode, MASKED | first, ...rest);
  const masked = payload.map((byte, at) => byte ^ (mask[at % MASK_SIZE] ?? 0));
  return concat(head, mask, masked);
}
