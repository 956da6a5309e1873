/**
 * The head of an HTTP request. Browsers and proxies ask for the page or for a WebSocket, by HTTP/1.1 and without a body;
 * programs say something, with a body after the head.
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
export interface RequestHead {
  /** In capitals. */
  readonly method: string;
  /** The version of HTTP: `1.1`. */
  readonly version: string;
  /** The path, without what follows a "?". */
  readonly path: string;
  /** The server's name and port, as the one who asks knows them. */
  readonly host: string;
  /** The fields by their names in lower case; several of one name are joined by commas. */
  readonly fields: ReadonlyMap<string, string>;
}

/** What a browser asked for. */
export interface Head extends RequestHead {
  /** HEAD wants an answer without its body. */
  readonly method: "GET" | "HEAD";
}

/** A request that can't be answered. */
export class HeadError extends WireError {
  /** Says why. @param status The status to answer with. */
  constructor(readonly status: number, why: string) {
    super(`Cannot read the HTTP request: ${why}`);
  }
}

/**
 * Reads the head of a browser's request, and not a byte beyond it.
 * @throws as `readRequest`; @throws {HeadError} for what a browser has no business with here.
 */
export async function readHead(stream: Stream): Promise<Head> {
  const { bytes, rest } = await readBytes(stream);
  const head = parseHead(bytes);
  if (rest.length === 0) return head;
  throw new HeadError(400, "more follows its head");
}

/**
 * Reads the head of a request.
 * @returns It, and what came of the body together with it.
 * @throws {GoneError} for a peer that says nothing. @throws {WireError} if it stops within the head.
 * @throws {HeadError} for what is no head, or one that is too long.
 */
export async function readRequest(
  stream: Stream,
): Promise<{ head: RequestHead; rest: Bytes }> {
  const { bytes, rest } = await readBytes(stream);
  return { head: parseRequest(bytes), rest };
}

/** Reads up to the empty line that ends a head. */
async function readBytes(
  stream: Stream,
): Promise<{ bytes: Bytes; rest: Bytes }> {
  let buffer = new Uint8Array(USUAL_HEAD_SIZE);
  let size = 0;
  for (;;) {
    const read = await readSome(stream, buffer.subarray(size), size > 0);
    const end = endOf(buffer, size, size + read);
    size += read;
    if (end !== undefined) {
      return {
        bytes: buffer.subarray(0, end),
        rest: buffer.subarray(end, size),
      };
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
  // Byte by byte: to make a text of them would take some fifty times as long.
  for (let at = from; at < to; at++) {
    const ends = bytes[at] === LF && bytes[at - 1] === CR &&
      bytes[at - 2] === LF && bytes[at - 3] === CR;
    if (ends) return at + 1;
  }
  return undefined;
}

/**
 * Reads the head of a browser's request.
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
  const head = parseRequest(bytes);
  const { method, version, fields } = head;
  if (method !== "GET" && method !== "HEAD") {
    throw new HeadError(405, `its method is ${method}`);
  }
  if (version !== "1.1") throw new HeadError(505, "it is not HTTP/1.1");
  const isEmpty = (fields.get("content-length") ?? "0") === "0" &&
    !fields.has("transfer-encoding");
  if (!isEmpty) throw new HeadError(413, "it has a body");
  return { ...head, method };
}

/** Reads the head of a request, whoever sent it. @param bytes As for `parseHead`. @throws {HeadError} */
export function parseRequest(bytes: Bytes): RequestHead {
  const text = Array.from(bytes, (it) => String.fromCharCode(it)).join("");
  const [first = "", ...lines] = text.slice(0, -4).split("\r\n");
  const [, method = "", target = "", version = ""] =
    /^([A-Z]+) (\/[!-~]*) HTTP\/(\d\.\d)$/.exec(first) ?? [];
  if (method === "") throw new HeadError(400, "its first line is none");
  const fields = new Map<string, string>();
  for (const line of lines) addField(fields, line);
  const host = fields.get("host") ?? "";
  if (!/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host)) {
    throw new HeadError(400, "it names no host");
  }
  const [path = ""] = target.split("?", 1);
  return { method, version, path, host, fields };
}

function addField(fields: Map<string, string>, line: string): void {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon)).toLowerCase();
  const rest = line.slice(colon + 1);
  const isField = /^[!#$%&'*+.^_`|~\da-z-]+$/.test(name) &&
    /^[\t -~\x80-\xff]*$/.test(rest);
  if (!isField) throw new HeadError(400, "a field of it is none");
  const value = rest.trim();
  const before = fields.get(name);
  fields.set(name, before === undefined ? value : `${before}, ${value}`);
}

/** Whether a field is a list in which a word stands, in capitals or not. */
export function lists(head: RequestHead, field: string, word: string): boolean {
  const items = (head.fields.get(field) ?? "").toLowerCase().split(",");
  return items.some((item) => item.trim() === word);
}
