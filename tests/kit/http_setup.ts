/**
 * A room with a port for programs, in the test's own process.
 *
 * @module
 */

import { randomBytes } from "../../crypto_utils.ts";
import type { HttpPlace } from "../../src/server/http/http_desk.ts";
import { HttpPort } from "../../src/server/http/http_port.ts";
import { UNMEASURED } from "../../src/server/measures.ts";
import { Purses, type Rates } from "../../src/server/rate_limits.ts";
import { type Answered, ask, type Asked, EventStream } from "./http.ts";
import { Setup, UNLIMITED } from "./connection_setup.ts";

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

/** The room, and its port. */
export class HttpSetup implements AsyncDisposable {
  readonly #serving: Promise<void>;
  /** How many answers of each status were counted. */
  readonly answers: Record<string, number> = {};

  private constructor(
    readonly setup: Setup,
    readonly http: HttpPort,
    options: HttpOptions,
  ) {
    this.#serving = http.serve(placeIn(setup, options, this.answers));
  }

  static async create(options: HttpOptions = {}): Promise<HttpSetup> {
    const [setup, tokens] = await roomWithTokens(options);
    const http = await HttpPort.open({
      address: { host: "127.0.0.1", port: 0 },
      tokens: options.isSealed ? undefined : tokens,
      requestTime: 2_000,
      onMade: () => {},
    });
    return new HttpSetup(setup, http, options);
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
    await this.http.close();
    await this.#serving;
    await this.setup[Symbol.asyncDispose]();
  }
}
