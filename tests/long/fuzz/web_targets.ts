/**
 * What browsers send before the chat's own bytes: heads of requests, and frames.
 *
 * @module
 */

import fc from "fast-check";
import { type Bytes, concat } from "../../../crypto_utils.ts";
import { GoneError } from "../../../src/protocol/record_reader.ts";
import { WireError } from "../../../src/protocol/records.ts";
import {
  FrameError,
  FrameReader,
} from "../../../src/server/web/frame_reader.ts";
import {
  MAX_HEAD_SIZE,
  readHead,
  readRequest,
} from "../../../src/server/http/http_head.ts";
import { RequestError } from "../../../src/server/http/request_error.ts";
import { readSaid } from "../../../src/server/http/say_request.ts";
import { streamPair } from "../../kit/memory_stream.ts";
import { frame, TYPE, upgradeRequest } from "../../kit/web_socket.ts";
import {
  bytesOf,
  hold,
  outcomeOf,
  property,
  same,
  type Target,
} from "./target.ts";

/** What comes of a head whose bytes come in pieces of a size. */
async function headOutcome(input: Bytes, pieceSize: number): Promise<string> {
  const [client, server] = streamPair();
  client.outgoing.pieceSize = pieceSize;
  client.outgoing.inject(input);
  client.outgoing.end();
  try {
    const { method, path, host, fields } = await readHead(server);
    hold(/^\/[!-~]*$/.test(path), "a path with strange characters");
    hold(/^[\w.:[\]-]+$/.test(host), "a host with strange characters");
    for (const [name, value] of fields) {
      hold(/^[^\s:A-Z]+$/.test(name), "a field's name");
      hold(!/[\r\n\0]/.test(value), "a field's value");
    }
    hold(input.length <= MAX_HEAD_SIZE, "too long a head");
    return `${method}, ${Math.min(fields.size, 4)} fields`;
  } catch (error) {
    return outcomeOf(error, GoneError, WireError);
  }
}

/** `readHead`: a request's head says the same, however its bytes come. */
export function requestHeads(): Target {
  return {
    name: "heads",
    share: 1,
    seeds: [
      upgradeRequest(),
      upgradeRequest({ cookie: "a=1" }, "HEAD /chat.html?x HTTP/1.1"),
      bytesOf("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    ],
    words: [
      "\r\n\r\n",
      "\r\n",
      "\n",
      "\0",
      ": ",
      " ",
      "GET ",
      " HTTP/1.1",
      "Host: a\r\n",
      "Content-Length: 1\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Upgrade",
    ],
    check: async (input) => {
      const whole = await headOutcome(input, Number.POSITIVE_INFINITY);
      // What comes behind a head is only noticed where it comes with it.
      const isSurplus = whole.includes("more follows");
      if (!isSurplus && input.length < 2 * MAX_HEAD_SIZE) {
        same(await headOutcome(input, 1), whole, "byte by byte it says else");
      }
      return whole;
    },
    properties: [],
  };
}

/** What comes of a program's request whose bytes come in pieces of a size. */
async function saidOutcome(input: Bytes, pieceSize: number): Promise<string> {
  const [client, server] = streamPair();
  client.outgoing.pieceSize = pieceSize;
  client.outgoing.inject(input);
  client.outgoing.end();
  try {
    const { head, rest } = await readRequest(server);
    const { texts, key = "", size } = await readSaid(server, head, rest);
    hold(texts.length >= 1 && texts.length <= 100, "no messages, or too many");
    hold(size <= 65_536 && key.length <= 255, "too much");
    hold(texts.join("").length <= size, "more text than bytes");
    const type = head.fields.get("content-type")?.toLowerCase() ?? "";
    const isJson = type.includes("json");
    const hasBreak = texts.some((text) => text.includes("\n"));
    hold(isJson || !hasBreak, "a line break in a line");
    return `${Math.min(texts.length, 3)} messages, ${
      key !== "" ? "a" : "no"
    } key`;
  } catch (error) {
    return outcomeOf(error, GoneError, WireError, RequestError);
  }
}

/** `readRequest` and `readSaid`: what a program says is the same, however its bytes come. */
export function programRequests(): Target {
  const request = (fields: string, body: string) =>
    bytesOf(
      `POST /say HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${
        bytesOf(body).length
      }\r\n\r\n${body}`,
    );
  return {
    name: "says",
    share: 1,
    seeds: [
      request("", "hello"),
      request("Content-Type: text/plain\r\n", "one\r\n\ntwo\n"),
      request("Content-Type: application/json\r\n", '{"text":"a\\nb"}'),
      request("Idempotency-Key: k\r\nExpect: 100-continue\r\n", "🔐"),
    ],
    words: [
      "\r\n\r\n",
      "\r\n",
      "\n",
      "Content-Type: ",
      "application/json",
      "; charset=utf-8",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Idempotency-Key: ",
      '{"text":',
      "\xff",
    ],
    check: async (input) => {
      const whole = await saidOutcome(input, Number.POSITIVE_INFINITY);
      // What comes behind a body is only noticed where it comes with the head.
      const isSurplus = whole.includes("More follows");
      if (!isSurplus && input.length < 2 * MAX_HEAD_SIZE) {
        const apart = await saidOutcome(input, 1);
        same(apart, whole, "byte by byte it says else");
      }
      return whole;
    },
    properties: [],
  };
}

interface Taken {
  readonly payload: string;
  readonly outcome: string;
}

function takeFrames(input: Bytes, pieceSize: number): Taken {
  const reader = new FrameReader();
  const payload = new Uint8Array(input.length);
  let length = 0;
  let pings = 0;
  try {
    for (let at = 0; at < input.length; at += pieceSize) {
      const piece = input.slice(at, at + pieceSize);
      const kept = reader.take(piece);
      hold(kept <= piece.length, "more payload than bytes");
      payload.set(piece.subarray(0, kept), length);
      length += kept;
      const ping = reader.takePing();
      if (ping) pings++;
      hold((ping?.length ?? 0) <= 125, "a long ping");
    }
    const closed = reader.closed === undefined ? "open" : "closed";
    const outcome = `${closed}, ${pings > 0 ? "pinged" : "not pinged"}`;
    return { payload: payload.slice(0, length).toHex(), outcome };
  } catch (error) {
    // What came with the mistake is lost with it.
    return { payload: "", outcome: outcomeOf(error, FrameError) };
  }
}

/** `FrameReader`: frames carry the same, however their bytes come. */
export function browserFrames(): Target {
  const text = bytesOf("hello, world");
  return {
    name: "frames",
    share: 2,
    seeds: [
      frame(TYPE.binary, text),
      frame(TYPE.ping, text),
      frame(TYPE.close, Uint8Array.of(0x03, 0xe8)),
      concat(
        frame(TYPE.binary, text, { goesOn: true }),
        frame(TYPE.pong),
        frame(TYPE.more, new Uint8Array(300)),
      ),
      frame(TYPE.binary, new Uint8Array(70_000)),
    ],
    words: [],
    check: (input) => {
      const whole = takeFrames(input, input.length || 1);
      for (const size of [1, 7]) {
        const { payload, outcome } = takeFrames(input, size);
        same(payload, whole.payload, `other payload in pieces of ${size}`);
        same(outcome, whole.outcome, `another end in pieces of ${size}`);
      }
      return whole.outcome;
    },
    properties: [
      property(
        "frames carry what was put into them, however they are cut",
        [
          fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }),
          fc.integer({ min: 1, max: 500 }),
        ],
        (payloads: Uint8Array[], size: number) => {
          const frames = payloads.map((it) => frame(TYPE.binary, it));
          const all = concat(...payloads.map((it) => new Uint8Array(it)));
          const { payload } = takeFrames(concat(...frames), size);
          same(payload, all.toHex(), "the payload");
        },
      ),
    ],
  };
}
