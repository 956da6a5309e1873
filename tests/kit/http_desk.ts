/**
 * A desk for programs that ask over connections in memory, in a room without a port for them, and without any real clock.
 *
 * @module
 */

import { concat } from "../../crypto_utils.ts";
import type { Peer } from "../../src/server/entrance.ts";
import { HttpDesk, type HttpPlace } from "../../src/server/http/http_desk.ts";
import { readRequest } from "../../src/server/http/http_head.ts";
import { RequestError } from "../../src/server/http/request_error.ts";
import { TokenFile } from "../../src/server/http/token_file.ts";
import { assert, assertRejects } from "./assert.ts";
import {
  type Answered,
  answerIn,
  type Asked,
  eventsRequest,
  EventStream,
  requestBytes,
} from "./http.ts";
import type { Setup } from "./connection_setup.ts";
import {
  type HttpOptions,
  placeIn,
  roomWithTokens,
  TOKEN,
} from "./http_setup.ts";
import { ManualClock, type MemoryStream, streamPair } from "./memory_stream.ts";

/** A request that is being answered. */
export interface Asking {
  /** The program's end of its connection. */
  readonly near: MemoryStream;
  /** The server's. */
  readonly far: MemoryStream;
  /** Resolves when it has been answered. */
  readonly done: Promise<void>;
}

/** The desk, whose clock is the test's. */
export class Desk implements AsyncDisposable {
  private constructor(
    readonly setup: Setup,
    readonly place: HttpPlace,
    readonly desk: HttpDesk,
    readonly clock: ManualClock,
    readonly tokens: TokenFile,
  ) {
    setInterval(() => desk.tick(), 1_000); // as its port does it
  }

  /** @param host What its port listens on. */
  static async create(
    options: HttpOptions = {},
    host = "127.0.0.1",
  ): Promise<Desk> {
    using doubles = new DisposableStack();
    const clock = doubles.use(new ManualClock());
    const [setup, path] = await roomWithTokens(options);
    const place = placeIn(setup, options, {});
    const { history } = setup;
    const recall = history.recall.bind(history);
    history.recall = (seq) => {
      assert(seq <= history.head, "there is no end to what is looked for");
      return recall(seq);
    };
    const changed = () => desk.renew();
    const tokens = await TokenFile.open(path, () => {}, changed);
    const desk = new HttpDesk(place, host, tokens);
    doubles.move(); // they are the desk's now
    return new Desk(setup, place, desk, clock, tokens);
  }

  /** Asks for something, with a right token unless the test has another. @throws {RequestError} for what isn't taken. */
  async ask(asked: Asked, capacity = Infinity): Promise<Asking> {
    const [near, far] = streamPair();
    far.outgoing.capacity = capacity;
    if (asked.path !== "/events") far.outgoing.alter = noStream;
    near.outgoing.inject(requestBytes({ token: TOKEN, ...asked }));
    const { head, rest } = await readRequest(far);
    const peer = far as unknown as Peer; // it is read from, written to and closed, no more
    const answering = await this.desk.take(peer, head, rest);
    return { near, far, done: answering() };
  }

  /** What is answered to that. @throws {RequestError} for what can't be done. */
  async answer(asked: Asked): Promise<Answered> {
    const { far, done } = await this.ask(asked);
    await done;
    return answerIn(new TextDecoder().decode(concat(...far.outgoing.written)));
  }

  /** Opens a stream, and waits until it has begun. @throws {RequestError} for what can't be done. */
  async events(after?: number | string, token = TOKEN): Promise<EventStream> {
    const { near, done } = await this.ask(eventsRequest(token, after));
    const begun = EventStream.over(near);
    begun.catch(() => {}); // as with `done`
    await Promise.race([begun, done]);
    done.catch(() => {}); // the stream ends
    return await begun;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _clock = this.clock;
    this.desk.close();
    this.tokens[Symbol.dispose]();
    await this.setup[Symbol.asyncDispose]();
  }
}

/** What is answered to other requests comes to an end. */
function noStream(bytes: Uint8Array): Uint8Array[] {
  const text = new TextDecoder().decode(bytes);
  assert(!text.includes("text/event-stream"), "a stream has begun");
  return [bytes];
}

/** How a request is refused: the status, why, and when it may be tried again. */
export async function refusal(answered: Promise<unknown>) {
  const error = await assertRejects(() => answered, RequestError);
  const { status, message, retryAfter } = error as RequestError;
  return { status, message, retryAfter };
}
