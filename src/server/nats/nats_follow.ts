/**
 * Following a stream: its entries in order, none left out, whatever becomes of connections and servers of NATS.
 *
 *     is it the same stream, and does it hold what is next? ──▶ a consumer ──▶ entries, each the next one ─┐
 *                 ▲                                                                                      │
 *                 └── the connection is lost, the consumer is silent, an entry is not the next one ◀─────┘
 *
 * NATS pushes, and pauses until what it has pushed is consumed (its flow control). While there is nothing, it says so
 * twice a second, with the number of what it has pushed: so whatever gets lost shows, the last entry as well.
 *
 * @module
 */

import {
  createInbox,
  type Msg,
  type NatsConnection,
  type Subscription,
} from "@nats-io/transport-node";
import { EMPTY } from "../../../crypto_utils.ts";
import { messageOf } from "../../base/error_reason.ts";
import { pause } from "../../base/timing.ts";
import {
  type StreamEntry,
  StreamError,
  StreamLostError,
} from "../cluster/wire.ts";
import { diagnostics } from "../diagnostics.ts";
import { bytesOf } from "./nats_connection.ts";
import type { RoomStream } from "./nats_stream.ts";

/** How often NATS says that there is nothing, ms. */
const HEARTBEAT = 500;
/** How many of its heartbeats may be missing before there is another consumer. */
const MAX_MISSING = 4;
/** The pause before it is tried again, ms. */
const RETRY = 100;
/**
 * How often it is looked whether a stream really lacks what is missing in it: a cluster that has just changed its leader
 * may not know yet. And the pause between, ms.
 */
const LOOKS = 8;
const LOOK_PAUSE = 250;

const logger = diagnostics("nats");

/** An entry, and when the stream took it, ns since 1970. */
type TimedEntry = StreamEntry & { readonly nanos: string };

/** The entries from a place on. @param made As for `Wire`. @throws {StreamLostError} */
export async function* follow(
  stream: RoomStream,
  from: number,
  made: string,
  signal: AbortSignal,
): AsyncGenerator<StreamEntry> {
  let next = from;
  let before: TimedEntry | undefined; // the one before `next`, by which a stream that went back is recognised
  while (!signal.aborted) {
    try {
      const first = await startOf(stream, next, made, before);
      if (signal.aborted) return;
      for await (const entry of consume(stream, first, signal)) {
        if (entry.seq < next) {
          requireSame(entry, before);
          continue;
        }
        if (entry.seq > next) {
          await requireHeld(stream, next);
          break; // it was lost on the way
        }
        next++;
        before = { ...entry, data: EMPTY };
        yield entry;
      }
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      logger.debug("Following the stream anew: {error}", {
        error: error.message,
      });
    }
    if (!signal.aborted) await pause(RETRY);
  }
}

/**
 * Where to begin so that what is next comes: one before it, where it is known what that one was.
 * @throws {StreamLostError} if it will never come. {StreamError}
 */
async function startOf(
  stream: RoomStream,
  next: number,
  made: string,
  before: TimedEntry | undefined,
): Promise<number> {
  for (let look = 1;; look++) {
    const state = await stream.look();
    if (state && state.made !== made) {
      throw new StreamLostError("The stream in NATS was made anew");
    }
    if (state && state.first > next) {
      throw new StreamLostError(
        `The stream in NATS begins with entry ${state.first}; ${next} is wanted`,
      );
    }
    if (state && next <= state.last + 1) {
      return before && before.seq >= state.first ? before.seq : next;
    }
    if (look === LOOKS) {
      throw new StreamLostError(
        state
          ? `The stream in NATS ends with entry ${state.last}; ${next} is wanted`
          : "The stream in NATS is gone",
      );
    }
    await pause(LOOK_PAUSE);
  }
}

/** @throws {StreamLostError} if an entry was taken out of the stream. {StreamError} */
async function requireHeld(stream: RoomStream, seq: number): Promise<void> {
  if (await stream.entry(seq)) return;
  throw new StreamLostError(`The stream in NATS lacks entry ${seq}`);
}

/** @throws {StreamLostError} if another entry has the place of one that was there. */
function requireSame(entry: TimedEntry, before: TimedEntry | undefined): void {
  if (entry.seq === before?.seq && entry.nanos === before.nanos) return;
  throw new StreamLostError(
    `The stream in NATS was set back: it has another entry ${entry.seq} than before`,
  );
}

/** What one consumer gives, until something is wrong with it. @throws {StreamError} */
async function* consume(
  stream: RoomStream,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<TimedEntry> {
  const { connection } = stream;
  const nats = connection.library as NatsConnection;
  const subject = createInbox();
  const messages = nats.subscribe(subject);
  const stop = () => messages.unsubscribe();
  const watch = watchOver(messages, () => connection.isUp, stop);
  signal.addEventListener("abort", stop);
  let consumer: string | undefined;
  try {
    consumer = await stream.push(subject, first, HEARTBEAT);
    yield* entriesOf(messages, (subject) => nats.publish(subject));
  } catch (error) {
    if (error instanceof StreamError) throw error;
    throw new StreamError(`Cannot follow the stream: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", stop);
    clearInterval(watch);
    stop();
    if (consumer !== undefined) stream.endPush(consumer);
  }
}

/** Stops a consumer that is silent, or whose connection is lost: what it had still to say may be lost as well. */
function watchOver(
  messages: Subscription,
  isUp: () => boolean,
  stop: () => void,
): ReturnType<typeof setInterval> {
  let received = -1;
  let missing = 0;
  return setInterval(() => {
    const now = messages.getReceived();
    missing = now === received ? missing + 1 : 0;
    received = now;
    if (missing >= MAX_MISSING || !isUp()) stop();
  }, HEARTBEAT);
}

/**
 * Entries among what a consumer pushes; ends where something of it got lost.
 * @param answer Lets NATS go on whose question whether it may got lost.
 */
async function* entriesOf(
  messages: Subscription,
  answer: (subject: string) => void,
): AsyncGenerator<TimedEntry> {
  let pushed = 0;
  for await (const message of messages) {
    const place = placeOf(message);
    if (place) {
      if (place.pushed !== ++pushed) return;
      yield place.entry;
    } else if (message.reply) {
      message.respond(); // NATS goes on when all before it is consumed
    } else {
      const last = message.headers?.get("Nats-Last-Consumer");
      if (last && Number(last) !== pushed) return;
      const stalled = message.headers?.get("Nats-Consumer-Stalled");
      if (stalled) answer(stalled);
    }
  }
}

/** The entry in a message, and which of its consumer's it is; undefined for what NATS says about the consumer. */
function placeOf(
  message: Msg,
): { readonly pushed: number; readonly entry: TimedEntry } | undefined {
  const { reply = "" } = message;
  if (!reply.startsWith("$JS.ACK.")) return undefined;
  // $JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.DELIVERED.SEQ.PUSHED.NANOS.PENDING[.RANDOM]
  const parts = reply.split(".");
  const [seq = "", pushed = "", nanos = ""] = parts.slice(
    parts.length < 11 ? 5 : 7,
  );
  return {
    pushed: Number(pushed),
    entry: {
      seq: Number(seq),
      at: Number(BigInt(nanos) / 1_000_000n),
      nanos,
      data: bytesOf(message),
    },
  };
}
