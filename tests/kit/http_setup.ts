/**
 * A room with a port for programs, in the test's own process: without any socket, and without any real clock.
 *
 * @module
 */

import { randomBytes } from "../../crypto_utils.ts";
import { Notify } from "../../src/base/notify.ts";
import { close } from "../../src/server/linger.ts";
import type { HttpPlace } from "../../src/server/http/http_desk.ts";
import { HttpPort } from "../../src/server/http/http_port.ts";
import { UNMEASURED } from "../../src/server/measures.ts";
import { Purses, type Rates } from "../../src/server/rate_limits.ts";
import { type Answered, ask, type Asked, EventStream } from "./http.ts";
import { Setup, UNLIMITED } from "./connection_setup.ts";
import { ManualClock, type MemoryStream, streamPair } from "./memory_stream.ts";
import { replaced } from "./replaced.ts";

/** What tests ask with. */
export const TOKEN = "a-token-for-tests-with-43-letters-and-digits";
export const OTHER_TOKEN = "other-token-for-tests-with-44-letters-digits";
const TOKENS = `http ${TOKEN}\nbackup ${OTHER_TOKEN}\n`;

/** The server's private key. */
export const SECRET = randomBytes(32);

/** How a room is made for programs. */
export interface HttpOptions {
  /** Lines that a newcomer is shown. */
  readonly history?: number;
  /** Lines that the log has in memory. */
  readonly window?: number;
  readonly isSealed?: boolean;
  /** What each name may say. */
  readonly rates?: Rates;
}

/** A room with a file of tokens beside its log. @returns It, and the file's path. */
export async function roomWithTokens(
  { history = 0, window = 1_024, isSealed = false }: HttpOptions,
): Promise<[Setup, string]> {
  const setup = await Setup.create(history, window, isSealed);
  const tokens = `${setup.folder}/chat.tokens`;
  await Deno.writeTextFile(tokens, TOKENS, { mode: 0o600 });
  return [setup, tokens];
}

/** Has a room's file say other tokens. */
export async function replaceTokens(
  { folder }: Setup,
  text: string,
): Promise<void> {
  const path = `${folder}/chat.tokens`;
  await Deno.writeTextFile(`${path}.new`, text, { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
}

/** Where programs come into a room. @param answers Is told how many of each status there were. */
export function placeIn(
  { room, people, history, relay, mailbox, sealed, broadcaster }: Setup,
  { rates = UNLIMITED }: HttpOptions,
  answers: Record<string, number>,
): HttpPlace {
  return {
    privateKey: () => SECRET.slice(),
    room,
    people,
    history,
    relay,
    mailbox,
    sealed,
    ring: broadcaster.ring,
    purses: new Purses(),
    rates,
    measures: {
      ...UNMEASURED,
      httpAnswers: {
        add: (amount = 1, status = "") => {
          answers[status] = (answers[status] ?? 0) + amount;
        },
      },
    },
  };
}

/** A port in memory. */
class MemoryPort {
  readonly addr = { transport: "tcp", hostname: "127.0.0.1", port: 8090 };
  readonly #waiting: MemoryStream[] = [];
  readonly #changed = new Notify();
  #isClosed = false;

  /** @param errors Why those can't be accepted who come first. */
  constructor(readonly errors: Error[]) {}

  async accept(): Promise<MemoryStream> {
    while (!this.#isClosed) {
      const error = this.errors.shift();
      if (error) throw error;
      const next = this.#waiting.shift();
      if (next) return next;
      await this.#changed.wait();
    }
    throw new Deno.errors.BadResource("It is closed");
  }

  /** Somebody comes. @returns Its end of the connection. */
  connect(): MemoryStream & Disposable {
    const [near, far] = streamPair();
    this.#waiting.push(Object.assign(far, { remoteAddr: this.addr }));
    this.#changed.notify();
    return Object.assign(near, {
      [Symbol.dispose]: () => close(near),
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#changed.notify();
  }
}

/** The room, and its port. While it is there, all connections of this process are to it. */
export class HttpSetup implements AsyncDisposable {
  readonly #serving: Promise<void>;
  readonly #connect: Disposable;
  /** How many answers of each status were counted. */
  readonly answers: Record<string, number> = {};

  private constructor(
    readonly setup: Setup,
    readonly http: HttpPort,
    readonly clock: ManualClock,
    port: MemoryPort,
    options: HttpOptions,
  ) {
    const connect = () => Promise.resolve(port.connect());
    this.#connect = replaced(Deno, "connect", connect);
    this.#serving = http.serve(placeIn(setup, options, this.answers));
  }

  /** @param errors Why those can't be accepted who come first. */
  static async create(
    options: HttpOptions = {},
    errors: Error[] = [],
  ): Promise<HttpSetup> {
    using doubles = new DisposableStack();
    const clock = doubles.use(new ManualClock());
    const [setup, tokens] = await roomWithTokens(options);
    const port = new MemoryPort(errors);
    using _listen = replaced(Deno, "listen", () => port);
    const http = await HttpPort.open({
      address: { host: "127.0.0.1", port: 0 },
      tokens: options.isSealed ? undefined : tokens,
      requestTime: 2_000,
      onMade: () => {},
    });
    doubles.move(); // they are the setup's now
    return new HttpSetup(setup, http, clock, port, options);
  }

  /** Where it listens. */
  get port(): number {
    return Number(this.http.listening.split(":").at(-1));
  }

  /** Asks for something, with a right token unless the test has another. */
  ask(asked: Asked): Promise<Answered> {
    return ask(this.port, { token: TOKEN, ...asked });
  }

  /** Opens a stream. */
  events(after?: number, token = TOKEN): Promise<EventStream> {
    return EventStream.open(this.port, token, after);
  }

  /** Gives the port other tokens. */
  replaceTokens(text: string): Promise<void> {
    return replaceTokens(this.setup, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _clock = this.clock;
    using _connect = this.#connect;
    await this.http.close();
    await this.#serving;
    await this.setup[Symbol.asyncDispose]();
  }
}
