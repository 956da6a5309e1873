/**
 * What a request says: the body of `POST /say`, as text with a message on each line, or as JSON.
 *
 * @module
 */

import { type Bytes, concat } from "../../../crypto_utils.ts";
import { writeAll } from "../../base/write_all.ts";
import { isBlank } from "../../protocol/reasons.ts";
import { WireError } from "../../protocol/records.ts";
import type { Peer } from "../entrance.ts";
import type { RequestHead } from "./http_head.ts";
import { RequestError } from "./request_error.ts";
import type { Said } from "./speaker.ts";

/** The longest body, bytes. */
const MAX_BODY_SIZE = 65_536;
/** The most messages of one request. */
const MAX_MESSAGES = 100;
/** The longest `Idempotency-Key`, UTF-16 units. */
const MAX_KEY_LENGTH = 255;
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");
const TYPES = 'text/plain, or application/json with {"text": …}';

/**
 * Reads what a request says.
 * @param rest What came of the body together with the head.
 * @throws {RequestError} for what says nothing that can be said. @throws {WireError} if the body breaks off.
 */
export async function readSaid(
  peer: Pick<Peer, "read" | "write">,
  head: RequestHead,
  rest: Bytes,
): Promise<Said> {
  const key = head.fields.get("idempotency-key");
  if (key !== undefined && (key === "" || key.length > MAX_KEY_LENGTH)) {
    throw new RequestError(400, "An Idempotency-Key has 1 to 255 characters");
  }
  const isJson = hasJson(head);
  const body = await readBody(peer, head, rest);
  const text = textIn(body);
  const texts = isJson ? [textOf(text)] : linesOf(text);
  return { texts, key, size: body.length };
}

/** Whether it is JSON. What `curl --data` sends is text, whatever it is called. @throws {RequestError} for what is neither. */
function hasJson({ fields }: RequestHead): boolean {
  const type = fields.get("content-type") ?? "text/plain";
  const [essence = "", ...parameters] = type.toLowerCase().split(";")
    .map((it) => it.trim());
  const charset = parameters.find((it) => it.startsWith("charset="));
  const isUnicode = charset === undefined ||
    /^charset="?(utf-?8|us-ascii)"?$/.test(charset);
  if (!isUnicode) throw new RequestError(415, "The text must be UTF-8");
  if (essence === "application/json") return true;
  if (/^(text\/plain|application\/x-www-form-urlencoded)$/.test(essence)) {
    return false;
  }
  throw new RequestError(415, `The body must be ${TYPES}`);
}

async function readBody(
  peer: Pick<Peer, "read" | "write">,
  { fields }: RequestHead,
  rest: Bytes,
): Promise<Bytes> {
  const length = fields.get("content-length") ?? "";
  if (fields.has("transfer-encoding") || !/^\d{1,15}$/.test(length)) {
    throw new RequestError(411, "The request must have a Content-Length");
  }
  const size = Number(length);
  if (size > MAX_BODY_SIZE) {
    throw new RequestError(
      413,
      `A request has at most ${MAX_BODY_SIZE} bytes`,
    );
  }
  if (rest.length > size) {
    throw new RequestError(400, "More follows the body than it should have");
  }
  if (rest.length < size && fields.get("expect") === "100-continue") {
    await writeAll(peer, CONTINUE);
  }
  const body = new Uint8Array(size - rest.length);
  let read: number | null;
  for (let at = 0; at < body.length; at += read) {
    read = await peer.read(body.subarray(at));
    if (read === null) throw new WireError("The body of a request broke off");
  }
  return concat(rest, body);
}

/** @throws {RequestError} */
function textIn(body: Bytes): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new RequestError(400, "The text must be UTF-8");
  }
}

/** The text of a JSON body. @throws {RequestError} */
function textOf(json: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new RequestError(400, "The body is not JSON");
  }
  const text = typeof value === "object" && value !== null && "text" in value
    ? value.text
    : undefined;
  if (typeof text === "string") return text;
  throw new RequestError(400, 'The body must be {"text": "…"}');
}

/** The messages of a text: its lines, but for those with nothing to be seen. @throws {RequestError} */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((it) => !isBlank(it));
  if (lines.length > MAX_MESSAGES) {
    const why = `A request has at most ${MAX_MESSAGES} lines`;
    throw new RequestError(413, why);
  }
  return lines.length === 0 ? [""] : lines;
}
