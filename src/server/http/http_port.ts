/**
 * The port for programs: `POST /say` says something in the room, `GET /events` tells what is said there. One request a
 * connection; who asks says a token.
 *
 *     accept ──▶ the request, within its time ──▶ the desk: say ──▶ {"seq": 42}
 *        │              └── a wrong token: refused, after a pause     └── events, until one of both goes
 *        └── too many: refused
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { Notify } from "../../base/notify.ts";
import { within } from "../../base/timing.ts";
import { type Address, formatAddress } from "../../keys/invite.ts";
import { LOOPBACK } from "../../keys/key_file.ts";
import { GoneError } from "../../protocol/record_reader.ts";
import { WireError } from "../../protocol/records.ts";
import { AcceptFailures } from "../accept_failures.ts";
import { diagnostics } from "../diagnostics.ts";
import { type Peer, sendAtOnce } from "../entrance.ts";
import { Handshakes } from "../handshake_limits.ts";
import { close, linger } from "../linger.ts";
import { isLoopback, networkOf, Pauses, sourceAt } from "../rate_limits.ts";
import { httpError } from "../start_error.ts";
import { jsonAnswer, StalledError, writePatiently } from "./http_answer.ts";
import {
  type Answering,
  HttpDesk,
  type HttpPlace,
  TokenError,
} from "./http_desk.ts";
import { HeadError, readRequest } from "./http_head.ts";
import { RequestError } from "./request_error.ts";
import { TokenFile } from "./token_file.ts";

/** Requests at a time of which not all has come yet; the oldest gives way if it has had a second. */
const MAX_COMING = 128;
/** Wrong tokens from one network in ten minutes before pauses begin. */
const MAX_WRONG = 5;
/** Who may wait at a time for being told that a token is wrong; the others are told at once. */
const MAX_PAUSING = 32;
/** How long what is being said, and the answer to it, may take when the server stops, ms. */
const STOP_TIME = 1_000;
/** The pause between two looks at all that waits, ms. */
const TICK = 1_000;

const logger = diagnostics("http");

/** What a port for programs is. */
export interface HttpPortOptions {
  /** Where it listens. */
  readonly address: Address;
  /** The file of tokens; undefined where the room is sealed, and the port only says so. */
  readonly tokens: string | undefined;
  /** How long a request may take to come, ms. */
  readonly requestTime: number;
  /** Is told the file's path if it was made. */
  readonly onMade: (path: string) => void;
}

/** The port for programs. */
export class HttpPort implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #address: Address;
  #tokens: TokenFile | undefined;
  #desk: HttpDesk | undefined;
  readonly #coming: Handshakes;
  readonly #requestTime: number;
  readonly #wrong: Pauses;
  readonly #pausing = new Set<() => void>(); // ends each pause
  readonly #peers = new Set<Peer>();
  readonly #left = new Notify(); // whenever a connection ends
  #ticking: ReturnType<typeof setInterval> | undefined;
  #isClosing = false;

  private constructor(
    listener: Deno.TcpListener,
    { address: { host }, requestTime }: HttpPortOptions,
  ) {
    this.#listener = listener;
    this.#address = { host, port: listener.addr.port };
    this.#requestTime = requestTime;
    const now = () => performance.now();
    const unlimited = Number.MAX_SAFE_INTEGER;
    this.#coming = new Handshakes({
      max: MAX_COMING,
      maxPerNetwork: MAX_COMING,
      newPerNetwork: unlimited,
      countLoopback: false,
      failedPerNetwork: unlimited,
    }, now);
    this.#wrong = new Pauses(MAX_WRONG, now);
  }

  /**
   * Listens; those who come wait for `serve`.
   * @throws {AdvisedError} if nobody can listen there. @throws {FileError} for a file of tokens that can't be used.
   */
  static async open(options: HttpPortOptions): Promise<HttpPort> {
    const { address, tokens, onMade } = options;
    const { host: hostname, port } = address;
    let listener: Deno.TcpListener;
    try {
      listener = Deno.listen({ hostname, port });
    } catch (error) {
      throw httpError(address, error);
    }
    const opened = new HttpPort(listener, options);
    try {
      if (tokens === undefined) return opened;
      const changed = () => opened.#desk?.renew();
      opened.#tokens = await TokenFile.open(tokens, onMade, changed);
      return opened;
    } catch (error) {
      opened[Symbol.dispose]();
      throw error;
    }
  }

  /** Where it listens. */
  get listening(): string {
    return formatAddress(this.#address.host, this.#address.port);
  }

  /** What to say of it that its owner should know; undefined for nothing. */
  get warning(): string | undefined {
    if (!this.#tokens) {
      return "The room is sealed: every request by --http is refused";
    }
    const { host } = this.#address;
    if (isLoopback(host) || host === "localhost") return undefined;
    return `What programs say to ${this.listening} crosses the network as it is, with their tokens: put a proxy with TLS before it`;
  }

  /** The name of the first token, and the URL for programs on this machine; undefined where nothing can be said. */
  get example(): { readonly name: string; readonly url: string } | undefined {
    const [token] = this.#tokens?.tokens ?? [];
    const { host, port } = this.#address;
    const url = `http://${formatAddress(LOOPBACK[host] ?? host, port)}`;
    return token && { name: token.name.shown, url };
  }

  /** Programs that read what is said, by open streams. */
  get readers(): number {
    return this.#desk?.readers ?? 0;
  }

  /** Serves those who come, until `close`. */
  async serve(place: HttpPlace): Promise<void> {
    this.#desk = new HttpDesk(place, this.#address.host, this.#tokens);
    this.#ticking = setInterval(() => this.#tick(), TICK);
    using failures = new AcceptFailures();
    while (!this.#isClosing) {
      try {
        this.#serve(await this.#listener.accept(), this.#desk); // a task of its own, which never rejects
      } catch (error) {
        if (this.#isClosing) return;
        await failures.add(error);
      }
    }
  }

  /** Accepts nobody any more, lets what is being said be said, and ends all streams. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this[Symbol.dispose]();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#desk?.quiet().then(resolve);
    if (this.#desk) await within(STOP_TIME, promise);
    this.#desk?.close();
    await within(STOP_TIME, this.#empty());
    for (const peer of this.#peers) close(peer);
  }

  /** Accepts nobody any more. */
  [Symbol.dispose](): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#listener.close();
    this.#tokens?.[Symbol.dispose]();
    clearInterval(this.#ticking);
    this.#coming.clear();
    for (const end of this.#pausing) end();
  }

  async #empty(): Promise<void> {
    while (this.#peers.size > 0) await this.#left.wait();
  }

  #tick(): void {
    this.#coming.expire(this.#requestTime);
    this.#desk?.tick();
  }

  /** Serves one who has come. Never rejects. */
  async #serve(peer: Peer, desk: HttpDesk): Promise<void> {
    this.#peers.add(peer);
    try {
      sendAtOnce(peer);
      await this.#answer(peer, desk);
      await linger(peer);
    } catch (error) {
      const what = { address: peer.remoteAddr.hostname, why: messageOf(error) };
      const isPeers = error instanceof WireError ||
        error instanceof Deno.errors.BadResource ||
        isNetworkError(error);
      if (error instanceof StalledError) {
        logger.info("{address}: {why}", what);
      } else if (isPeers) logger.debug("{address}: {why}", what);
      else logger.error("{address}: the request failed: {why}", what);
    } finally {
      close(peer);
      this.#peers.delete(peer);
      this.#left.notify();
    }
  }

  /** Does what somebody has come for, or says why not. */
  async #answer(peer: Peer, desk: HttpDesk): Promise<void> {
    try {
      const answering = await this.#read(peer, desk);
      await answering();
    } catch (error) {
      if (error instanceof GoneError) return; // somebody has looked whether the port is open
      const request = error instanceof HeadError
        ? new RequestError(error.status, error.message)
        : error;
      if (!(request instanceof RequestError)) throw error;
      if (request instanceof TokenError) await this.#waitFor(peer, request);
      desk.count(request.status);
      await writePatiently(peer, answerOf(request));
    }
  }

  /** @returns What is to be done. */
  async #read(peer: Peer, desk: HttpDesk): Promise<Answering> {
    const stop = () => close(peer);
    const source = sourceAt(peer.remoteAddr.hostname);
    const coming = this.#coming.begin(source, stop);
    if (!coming) throw new RequestError(503, "Too many requests at a time", 1);
    try {
      const { head, rest } = await readRequest(peer);
      return await desk.take(peer, head, rest);
    } finally {
      this.#coming.end(coming);
    }
  }

  /** Keeps those waiting who try tokens; who has a right one never waits for them. */
  async #waitFor(peer: Peer, { message }: TokenError): Promise<void> {
    const { hostname: address } = peer.remoteAddr;
    logger.warn("{address}: {why}", { address, why: message });
    const network = networkOf(address);
    const wait = this.#wrong.of(network);
    this.#wrong.add(network);
    if (wait === 0 || this.#pausing.size >= MAX_PAUSING) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pausing.add(resolve);
    await within(wait, promise);
    this.#pausing.delete(resolve);
  }
}

function answerOf(error: RequestError): Uint8Array<ArrayBuffer> {
  const { status, message, reason, retryAfter, said } = error;
  const fields: Record<string, string> = { ...error.fields };
  if (status === 401) fields["www-authenticate"] = "Bearer";
  if (retryAfter !== undefined) fields["retry-after"] = String(retryAfter);
  return jsonAnswer(status, fields, {
    error: message,
    reason,
    said: said.length > 0 ? said : undefined,
  });
}

/** Whether a connection broke, which is nothing to its server's owner. */
function isNetworkError(error: unknown): boolean {
  const { ConnectionReset, BrokenPipe, Interrupted, ConnectionAborted } =
    Deno.errors;
  return error instanceof ConnectionReset || error instanceof BrokenPipe ||
    error instanceof Interrupted || error instanceof ConnectionAborted;
}
