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
import { MAX_HEAD_SIZE, readHead } from "../../../src/server/web/http_head.ts";
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
