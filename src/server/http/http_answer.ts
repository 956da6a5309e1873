/**
 * The answers to HTTP requests, each of which ends its connection.
 *
 * @module
 */

import { type Bytes, concat } from "../../../crypto_utils.ts";
import { WireError } from "../../protocol/records.ts";
import type { Peer } from "../entrance.ts";
import { close } from "../linger.ts";

/** How long a write of an answer may stand still until its reader is given up, ms. */
const STALL_TIME = 10_000;
const STALLED = `Too slow to follow: it took nothing for ${
  STALL_TIME / 1_000
} s`;

/** What the statuses say that are answered with. */
const REASONS: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

const encoder = new TextEncoder();

/** The head of an answer. @param fields By name. */
export function answerHead(
  status: number,
  fields: Readonly<Record<string, string>>,
): Bytes {
  const lines = Object.entries(fields).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return encoder.encode(
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`,
  );
}

/** A whole answer, after which the connection ends. @param text What it says; the status's own words if left out. @param method HEAD is answered without that. */
export function shortAnswer(
  status: number,
  fields: Readonly<Record<string, string>> = {},
  text: string = REASONS[status] ?? "",
  method: "GET" | "HEAD" = "GET",
): Bytes {
  const type = "text/plain; charset=utf-8";
  const { head, body } = wholeAnswer(status, fields, type, text);
  return method === "HEAD" ? head : concat(head, body);
}

/** A whole answer that a program reads, after which the connection ends. @param value Is said as JSON. */
export function jsonAnswer(
  status: number,
  fields: Readonly<Record<string, string>>,
  value: unknown,
): Bytes {
  const text = JSON.stringify(value);
  const { head, body } = wholeAnswer(status, fields, "application/json", text);
  return concat(head, body);
}

function wholeAnswer(
  status: number,
  fields: Readonly<Record<string, string>>,
  type: string,
  text: string,
): { head: Bytes; body: Bytes } {
  const body = encoder.encode(`${text}\n`);
  const head = answerHead(status, {
    ...fields,
    "content-type": type,
    "content-length": String(body.length),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    connection: "close",
  });
  return { head, body };
}

/** The one who asked takes nothing of the answer. */
export class StalledError extends WireError {}

/**
 * Writes all, as long as the reader takes something now and then; else the connection is closed.
 * @throws {StalledError} then; and as `peer`.
 */
export async function writePatiently(peer: Peer, bytes: Bytes): Promise<void> {
  let hasStalled = false;
  for (let written = 0; written < bytes.length;) {
    const timer = setTimeout(() => {
      hasStalled = true;
      close(peer);
    }, STALL_TIME);
    try {
      written += await peer.write(bytes.subarray(written));
    } catch (error) {
      throw hasStalled ? new StalledError(STALLED) : error;
    } finally {
      clearTimeout(timer);
    }
  }
}
