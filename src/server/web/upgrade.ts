/**
 * The opening handshake of a WebSocket (RFC 6455, section 4.2). `Origin` is not looked at: who may come in is for the
 * chat's own handshake to say, and to somebody else's page an open WebSocket is worth nothing.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { answerHead, shortAnswer } from "../http/http_answer.ts";
import { type Head, lists } from "../http/http_head.ts";

/** What the digest is taken of, behind the client's key. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64. */
const KEY = /^[\dA-Za-z+/]{21}[AQgw]==$/;

/** What there is to say to a request for a WebSocket. */
export interface Reply {
  /** Whether it is one now. */
  readonly isOpen: boolean;
  /** The answer. */
  readonly answer: Bytes;
}

/** Answers a request for a WebSocket. */
export async function upgrade(head: Head): Promise<Reply> {
  const isAsked = lists(head, "connection", "upgrade") &&
    lists(head, "upgrade", "websocket");
  const isKnown = head.fields.get("sec-websocket-version") === "13";
  if (!isAsked || !isKnown) {
    const fields = { upgrade: "websocket", "sec-websocket-version": "13" };
    const text = "Here is a WebSocket, version 13";
    const answer = shortAnswer(426, fields, text, head.method);
    return { isOpen: false, answer };
  }
  const key = head.fields.get("sec-websocket-key") ?? "";
  if (head.method !== "GET" || !KEY.test(key)) {
    const answer = shortAnswer(400, {}, undefined, head.method);
    return { isOpen: false, answer };
  }
  const text = new TextEncoder().encode(key + GUID);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", text));
  const answer = answerHead(101, {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-accept": digest.toBase64(),
  });
  return { isOpen: true, answer };
}
