/**
 * The connection to NATS: it comes back by itself for ever, and what was asked fails when it is lost.
 *
 *     up ── nothing answers for 3 s, or the connection ends ──▶ away ── every 100 ms to 250 ms ──▶ up
 *
 * @module
 */

import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  errors,
  type NatsConnection,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { type Bytes, EMPTY } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { messageOf } from "../../base/error_reason.ts";
import { Notify } from "../../base/notify.ts";
import { readPrivateSync } from "../../base/private_file.ts";
import { within } from "../../base/timing.ts";
import { StreamError } from "../cluster/wire.ts";
import { diagnostics } from "../diagnostics.ts";
import { connectError } from "./nats_errors.ts";
import type { NatsLogin, NatsOptions } from "./nats_options.ts";
import { takeRefusal, watchSockets } from "./nats_sockets.ts";

/** The oldest nats-server that the tests use; the library's calls need 2.9.4. */
const LEAST_VERSION = "2.9.10";
/** The least that a message may have by NATS's `max_payload`, bytes: its default. Entries come close to it. */
const LEAST_PAYLOAD = 1_048_576;
/** How long NATS may take to answer, ms: then it may be stopped, or its cluster without a leader. */
export const ANSWER_TIME = 3_000;
/** The port of NATS where none is named. */
const DEFAULT_PORT = "4222";
/** How long connecting may take, ms. */
const CONNECT_TIME = 2_000;
/** Pings that find out whether NATS still lives, ms between them, and how many may be without an answer. */
const PING = { pingInterval: 1_000, maxPingOut: 2 } as const;
/** Pauses before it is tried to connect again, ms: the least, and what chance adds. */
const RECONNECT = { reconnectTimeWait: 100, reconnectJitter: 150 } as const;
/** What of a subject says what it is for: the rest is another one each time. */
const PURPOSE = /^(?:\$JS\.API\.\w+\.\w+|\$JS\.FC|_INBOX|\w+\.\w+\.\w+)/;

const logger = diagnostics("nats");

/** A connection, which is up or away. */
export class Connection {
  /** The library's, a `NatsConnection`, for those who make more of it. */
  readonly library: object;
  /** Is called with `isUp` whenever that changes. */
  changed: (isUp: boolean) => void = () => {};
  readonly #nats: NatsConnection;
  readonly #urls: readonly string[];
  readonly #changes = new Notify();
  readonly #asked = new Set<(error: StreamError) => void>();
  readonly #watching: Promise<void>;
  readonly #told = new Set<string>(); // what isn't allowed, since the connection is up
  #isUp = true;
  #isTrying = true;
  #refused: Error | undefined; // what was not allowed first

  private constructor(nats: NatsConnection, urls: readonly string[]) {
    this.#urls = urls;
    this.library = this.#nats = nats;
    this.#watching = this.#watch();
  }

  /** Connects to the first that answers. @throws {AdvisedError} which says why none can be used. */
  static async open(options: NatsOptions): Promise<Connection> {
    const { urls } = options;
    watchSockets();
    let failed: unknown;
    for (const url of urls) {
      try {
        await probe(url, options);
        // All of them, with that one first: a failure at the start would have the library forget the others.
        const servers = [url, ...urls.filter((it) => it !== url)];
        const nats = await connect({ ...connectionOptions(options), servers });
        return new Connection(nats, urls);
      } catch (error) {
        const refusal = takeRefusal();
        failed ??= error instanceof AdvisedError
          ? error
          : connectError(url, options, refusal ?? error);
      }
    }
    throw failed;
  }

  /** Whether NATS is there, as far as is known. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Where NATS is: the server of the present connection, as its owner has written it. */
  get url(): string {
    const server = this.#nats.getServer();
    const isIt = (url: string) => {
      const { hostname, port } = new URL(url);
      return `${hostname}:${port || DEFAULT_PORT}` === server;
    };
    return this.#urls.find(isIt) ?? `nats://${server}`; // which its cluster has named
  }

  /** The largest message that NATS takes, bytes. */
  get maxPayload(): number {
    return this.#nats.info?.max_payload ?? LEAST_PAYLOAD;
  }

  /** Whether there can be JetStream, at once or a little later: on that server of NATS, or on another of its cluster. */
  get mayHaveJetStream(): boolean {
    const { jetstream, cluster } = (this.#nats.info ?? {}) as {
      readonly jetstream?: boolean;
      readonly cluster?: string;
    };
    return jetstream === true || cluster !== undefined;
  }

  /**
   * Asks NATS for something, once it is there.
   * @param action What for a failure's message. @throws {StreamError} if it isn't there in time, or goes away meanwhile;
   * what `ask` rejects with else.
   */
  async ask<T>(action: string, ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + ANSWER_TIME;
    while (!this.#isUp) {
      const left = deadline - performance.now();
      if (left <= 0 || !await within(left, this.#changes.wait())) {
        throw new StreamError(`Cannot ${action}: NATS is away`);
      }
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#asked.add(reject);
    ask().then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#asked.delete(reject);
    }
  }

  /** Sends a message, unless NATS is away: the library would keep it, and send it at any time later. */
  send(subject: string, data: Bytes): void {
    if (this.#isUp) this.#nats.publish(subject, data);
  }

  /** Hears the messages of a subject until the signal. */
  hear(
    subject: string,
    heard: (data: Bytes) => void,
    signal: AbortSignal,
  ): void {
    if (signal.aborted) return;
    const messages = this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (!error) return heard(bytesOf(message));
        logger.error(
          "Cannot hear {subject} of NATS: {error}. What other servers say there is missed; look at the rights of this server's user",
          { subject, error: error.message },
        );
      },
    });
    signal.addEventListener("abort", () => messages.unsubscribe(), {
      once: true,
    });
  }

  /** Sends an empty message to nobody. @throws the library's error where NATS doesn't allow it. */
  async trySending(subject: string): Promise<void> {
    this.#nats.publish(subject, EMPTY);
    await this.#nats.flush();
    await new Promise((resolve) => setTimeout(resolve)); // a refusal has come before, and is passed on by now
    if (this.#refused) throw this.#refused;
  }

  /** Hears a message that it sends itself. @throws as `trySending`, for either. */
  async tryHearing(subject: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // it is waited for below, if at all
    const messages = this.#nats.subscribe(subject, {
      callback: (error) => error ? reject(error) : resolve(),
    });
    try {
      await this.trySending(subject);
      if (!await within(ANSWER_TIME, promise)) throw new errors.TimeoutError();
    } finally {
      messages.unsubscribe();
    }
  }

  /** All is tried: what NATS doesn't allow from now on is logged. */
  endTrying(): void {
    this.#isTrying = false;
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#nats.close();
    await this.#watching;
  }

  /** Keeps `isUp` right until the connection is closed. */
  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === "disconnect") this.#set(false);
      if (status.type === "reconnect") this.#set(true);
      // Nobody is woken for nothing else: this lets go of those who have waited in vain.
      if (status.type === "reconnecting") this.#changes.notify();
      if (status.type === "error") this.#complain(status.error);
    }
    this.#set(false);
    this.#changes.notify();
  }

  /** What isn't allowed is said once: it is tried again and again. */
  #complain(error: Error): void {
    if (!(error instanceof errors.PermissionViolationError)) {
      return logger.warn("NATS says: {error}", { error: messageOf(error) });
    }
    this.#refused ??= error;
    const { operation, subject } = error;
    const what = `${operation} ${PURPOSE.exec(subject)?.[0] ?? subject}`;
    if (this.#isTrying || this.#told.has(what)) return;
    this.#told.add(what);
    logger.error(
      "NATS doesn't allow {operation} {subject}: give this server's user that right again",
      { operation, subject },
    );
  }

  #set(isUp: boolean): void {
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    this.#told.clear();
    if (!isUp) {
      const error = new StreamError("The connection to NATS is lost");
      for (const reject of this.#asked) reject(error);
    }
    this.#changes.notify();
    this.changed(isUp);
  }
}

/** Looks whether there is a NATS that can be used. @throws {AdvisedError} or what the library says, if not. */
async function probe(url: string, options: NatsOptions): Promise<void> {
  const nats = await connect({
    ...connectionOptions(options),
    servers: [url],
    reconnect: false,
  });
  const { version = "", max_payload: payload = 0 } = nats.info ?? {};
  await nats.close();
  if (isOlder(version, LEAST_VERSION)) {
    throw new AdvisedError(
      `Cannot use NATS at "${url}": its version is ${version}`,
      `Run nats-server ${LEAST_VERSION} or a newer one`,
    );
  }
  if (payload < LEAST_PAYLOAD) {
    throw new AdvisedError(
      `Cannot use NATS at "${url}": a message may have at most ${payload} bytes there`,
      `Set max_payload to ${LEAST_PAYLOAD} or more in nats-server's configuration`,
    );
  }
}

/** Whether a version is an earlier one, by its numbers. */
export function isOlder(version: string, least: string): boolean {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).map(Number);
  const [given, wanted] = [numbers(version), numbers(least)];
  for (let at = 0; at < 3; at++) {
    const difference = (given[at] ?? 0) - (wanted[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function connectionOptions(
  { login, tls }: NatsOptions,
): ConnectionOptions {
  return {
    ...PING,
    ...RECONNECT,
    name: "encrypted-chat",
    timeout: CONNECT_TIME,
    noRandomize: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true, // an account may be set up anew while its servers run
    ...(login.kind === "none" ? {} : { authenticator: authenticator(login) }),
    ...(tls ? { tls } : {}),
  };
}

/** What shows NATS who this is. Never throws: that would end the connection for good. */
function authenticator(
  login: Exclude<NatsLogin, { kind: "none" }>,
): Authenticator {
  switch (login.kind) {
    case "token":
      return tokenAuthenticator(login.token);
    case "user":
      return usernamePasswordAuthenticator(login.user, login.password);
    case "creds":
      return renewed(login);
  }
}

/** Goes by what is in a credentials file now; by what was there last while it can't be used. */
function renewed(
  { path, text }: { readonly path: string; readonly text: string },
): Authenticator {
  const encoder = new TextEncoder();
  let usable = credsAuthenticator(encoder.encode(text));
  return (nonce) => {
    try {
      const fresh = credsAuthenticator(
        encoder.encode(readPrivateSync(path) ?? ""),
      );
      const auth = fresh(nonce);
      usable = fresh;
      return auth;
    } catch (error) {
      logger.warn(
        "Cannot use {path}: {error}. The server goes on with the login that it has",
        { path, error: messageOf(error) },
      );
      return usable(nonce);
    }
  };
}

/** The bytes of a message, which the library has as a `Buffer`: that one's methods do other things. */
export function bytesOf({ data }: { readonly data: Uint8Array }): Bytes {
  const { buffer, byteOffset, byteLength } = data;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
