/**
 * A room with a port for programs, in the test's own process.
 *
 * @module
 */

import { randomBytes } from "../../crypto_utils.ts";
import { HttpPort } from "../../src/server/http/http_port.ts";
import { UNMEASURED } from "../../src/server/measures.ts";
import { Purses, type Rates } from "../../src/server/rate_limits.ts";
import { type Answered, ask, type Asked, EventStream } from "./http.ts";
import { Setup, UNLIMITED } from "./connection_setup.ts";

/** What tests ask with. */
export const TOKEN = "a-token-for-tests-with-43-letters-and-digits";
export const OTHER_TOKEN = "other-token-for-tests-with-44-letters-digits";
const TOKENS = `http ${TOKEN}\nbackup ${OTHER_TOKEN}\n`;

/** The room, and its port. */
export class HttpSetup implements AsyncDisposable {
  readonly #serving: Promise<void>;
  /** The server's private key. */
  static readonly secret = randomBytes(32);
  /** How many answers of each status were counted. */
  readonly answers: Record<string, number> = {};

  private constructor(
    readonly setup: Setup,
    readonly http: HttpPort,
    rates: Rates,
  ) {
    const { room, people, history, relay, mailbox, sealed } = setup;
    this.#serving = http.serve({
      privateKey: () => HttpSetup.secret.slice(),
      room,
      people,
      history,
      relay,
      mailbox,
      sealed,
      ring: setup.broadcaster.ring,
      purses: new Purses(),
      rates,
      measures: {
        ...UNMEASURED,
        httpAnswers: {
          add: (amount = 1, status = "") => {
            this.answers[status] = (this.answers[status] ?? 0) + amount;
          },
        },
      },
    });
  }

  /** @param history Lines that a newcomer is shown. */
  static async create(
    { history = 0, window = 1_024, isSealed = false, rates = UNLIMITED } = {},
  ): Promise<HttpSetup> {
    const setup = await Setup.create(history, window, isSealed);
    const tokens = `${setup.folder}/chat.tokens`;
    await Deno.writeTextFile(tokens, TOKENS, { mode: 0o600 });
    const http = await HttpPort.open({
      address: { host: "127.0.0.1", port: 0 },
      tokens: isSealed ? undefined : tokens,
      requestTime: 2_000,
      onMade: () => {},
    });
    return new HttpSetup(setup, http, rates);
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
  async replaceTokens(text: string): Promise<void> {
    const path = `${this.setup.folder}/chat.tokens`;
    await Deno.writeTextFile(`${path}.new`, text, { mode: 0o600 });
    await Deno.rename(`${path}.new`, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http.close();
    await this.#serving;
    await this.setup[Symbol.asyncDispose]();
  }
}
