/**
 * The answers to HTTP requests, each of which ends its connection.
 *
 * @module
 */

import { type Bytes, concat } from "../../../crypto_utils.ts";

/** What the statuses say that are answered with. */
const REASONS: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  304: "Not Modified",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
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
  const body = encoder.encode(`${text}\n`);
  const head = answerHead(status, {
    ...fields,
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    connection: "close",
  });
  return method === "HEAD" ? head : concat(head, body);
}
