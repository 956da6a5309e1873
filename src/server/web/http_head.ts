/**
 * The head of an HTTP/1.1 request, as browsers and proxies send it to ask for the page or for a WebSocket. Anything
 * else is refused: nobody else has business here.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { GoneError, type Stream } from "../../protocol/record_reader.ts";
import { WireError } from "../../protocol/records.ts";

/** The longest head that is read, bytes: that of a browser, with the cookies of others on the same host. */
export const MAX_HEAD_SIZE = 8_192;
/** What a head takes mostly, bytes. */
const USUAL_HEAD_SIZE = 1_024;

const CR = 13;
const LF = 10;

/** What was asked for. */
export interface Head {
  /** HEAD wants an answer without its body. */
  readonly method: "GET" | "HEAD";
  /** The path, without what follows a "?". */
  readonly path: string;
  /** The server's name and port, as the one who asks knows them. */
  readonly host: string;
  /** The fields by their names in lower case; several of one name are joined by commas. */
  readonly fields: ReadonlyMap<string, string>;
}

/** A request that can't be answered. */
export class HeadError extends WireError {
  /** Says why. @param status The status to answer with. */
  constructor(readonly status: number, why: string) {
    super(`Cannot read the HTTP request: ${why}`);
  }
}

/**
 * Reads the head of a request, and not a byte beyond it.
 * @throws {GoneError} for a peer that says nothing. @throws {WireError} if it stops within the head.
 * @throws {HeadError} for what is no such head, or one that is too long.
 */
export async function readHead(stream: Stream): Promise<Head> {
  let buffer = new Uint8Array(USUAL_HEAD_SIZE);
  let size = 0;
  for (;;) {
    const read = await readSome(stream, buffer.subarray(size), size > 0);
    const end = endOf(buffer, size, size + read);
    size += read;
    if (end !== undefined) {
      const head = parseHead(buffer.subarray(0, end));
      if (end === size) return head;
      throw new HeadError(400, "more follows its head");
    }
    if (size === MAX_HEAD_SIZE) throw new HeadError(431, "it is too long");
    if (size < buffer.length) continue;
    const larger = new Uint8Array(2 * size);
    larger.set(buffer);
    buffer = larger;
  }
}

/** @param hasBegun Whether the peer has said something before. @returns How many bytes, at least one. */
async function readSome(
  stream: Stream,
  into: Uint8Array,
  hasBegun: boolean,
): Promise<number> {
  let read: number | null;
  try {
    read = await stream.read(into);
  } catch (error) {
    throw hasBegun ? error : new GoneError(false, error);
  }
  if (read !== null) return read;
  throw hasBegun
    ? new WireError("Cannot read the HTTP request: the connection ended")
    : new GoneError(false);
}

/** Where the empty line ends that ends a head; undefined if it is not there yet. @param from What is before has none. */
function endOf(
  bytes: Uint8Array,
  from: number,
  to: number,
): number | undefined {
  for (let at = Math.max(3, from); at < to; at++) {
    const ends = bytes[at] === LF && bytes[at - 1] === CR &&
      bytes[at - 2] === LF && bytes[at - 3] === CR;
    if (ends) return at + 1;
  }
  return undefined;
}

/**
 * Reads a head.
 * @param bytes All of it, with the empty line at its end. @throws {HeadError}
 *
 * @example
 * ```ts
 * import { parseHead } from "./http_head.ts";
 * const bytes = new TextEncoder().encode("GET /?a HTTP/1.1\r\nHost: a:80\r\n\r\n");
 * if (parseHead(bytes).path !== "/") throw new Error("not the same");
 * ```
 */
export function parseHead(bytes: Bytes): Head {
  const text = Array.from(bytes, (it) => String.fromCharCode(it)).join("");
  const [first = "", ...lines] = text.slice(0, -4).split("\r\n");
  const [, method = "", target = "", version = ""] =
    /^([A-Z]+) (\/[!-~]*) HTTP\/(\d\.\d)$/.exec(first) ?? [];
  if (method !== "GET" && method !== "HEAD") {
    if (method !== "") throw new HeadError(405, `its method is ${method}`);
    throw new HeadError(400, "its first line is none");
  }
  if (version !== "1.1") throw new HeadError(505, "it is not HTTP/1.1");
  const fields = new Map<string, string>();
  for (const line of lines) addField(fields, line);
  if ((fields.get("content-length") ?? "0") !== "0") {
    throw new HeadError(413, "it has a body");
  }
  if (fields.has("transfer-encoding")) {
    throw new HeadError(413, "it has a body");
  }
  const host = fields.get("host") ?? "";
  if (!/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host)) {
    throw new HeadError(400, "it names no host");
  }
  const [path = ""] = target.split("?", 1);
  return { method, path, host, fields };
}

function addField(fields: Map<string, string>, line: string): void {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon)).toLowerCase();
  const value = line.slice(colon + 1).trim();
  const isField = /^[!#$%&'*+.^_`|~\da-z-]+$/.test(name) &&
    /^[\t -~\x80-\xff]*$/.test(value);
  if (!isField) {
    throw new HeadError(400, "a field of it is none");
  }
  const before = fields.get(name);
  fields.set(name, before === undefined ? value : `${before}, ${value}`);
}

/** Whether a field is a list in which a word stands, in capitals or not. */
export function lists(head: Head, field: string, word: string): boolean {
  const items = (head.fields.get(field) ?? "").toLowerCase().split(",");
  return items.some((item) => item.trim() === word);
}
