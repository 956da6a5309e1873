/**
 * What requests of programs come to: who may ask for what, under which name, and the streams that are open.
 *
 * A program is on this machine, or behind a proxy. No web page has business here: a request from one, which has an
 * `Origin`, is refused, and so is one that calls this machine by a name which isn't its own (DNS rebinding).
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import type { Name } from "../../protocol/names.ts";
import type { ConnectionOptions } from "../connection.ts";
import type { Peer } from "../entrance.ts";
import { close } from "../linger.ts";
import { UNMEASURED } from "../measures.ts";
import { answerHead, jsonAnswer, writePatiently } from "./http_answer.ts";
import type { RequestHead } from "./http_head.ts";
import { HttpRoom } from "./http_room.ts";
import { lineStream } from "./line_stream.ts";
import { refusedError, RequestError } from "./request_error.ts";
import { readSaid } from "./say_request.ts";
import { identityFor, Speaker } from "./speaker.ts";
import { digestOfToken, type Token, type TokenFile } from "./token_file.ts";

/** Streams of one name at a time. */
const MAX_STREAMS = 16;
/** The head of a stream, which proxies are to pass on as it comes. */
const STREAM_HEAD = answerHead(200, {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-accel-buffering": "no",
  connection: "close",
});

const UNKNOWN_TOKEN = "That token is not one of this server's";
const encoder = new TextEncoder();

/** Where programs come into the room. */
export interface HttpPlace extends ConnectionOptions {
  /** The server's private key, 32 bytes; each copy is wiped. */
  readonly privateKey: () => Bytes;
}

/** A request with a token that opens nothing, or with none. */
export class TokenError extends RequestError {}

/** Does what was asked for, and says so to the one who asked. */
export type Answering = () => Promise<void>;

/** An open stream. */
interface Stream {
  readonly speaker: Speaker;
  readonly token: Token;
  isOver: boolean;
}

/** What programs ask for. */
export class HttpDesk {
  readonly #place: HttpPlace;
  readonly #room: HttpRoom;
  readonly #host: string;
  readonly #tokens: TokenFile | undefined;
  readonly #speakers = new Map<string, Promise<Speaker>>(); // by folded name
  readonly #known = new Set<Speaker>(); // the same, once they are there
  readonly #streams = new Set<Stream>();

  /** Nobody is in yet. @param host What the port listens on. @param tokens Undefined where the room is sealed, and nobody may ask for anything. */
  constructor(place: HttpPlace, host: string, tokens: TokenFile | undefined) {
    this.#place = place;
    this.#room = new HttpRoom(place);
    this.#host = host;
    this.#tokens = tokens;
  }

  /**
   * Reads the rest of a request.
   * @param rest What came of its body with the head. @returns What is to be done.
   * @throws {RequestError} if it can't be done; a `TokenError` before anything of the body is read.
   */
  async take(peer: Peer, head: RequestHead, rest: Bytes): Promise<Answering> {
    this.#requireProgram(head);
    if (!this.#tokens) {
      const why =
        "The room is sealed: only its members' clients can say and read anything there";
      throw new RequestError(409, why);
    }
    const method = METHODS.get(head.path);
    if (method === undefined) {
      throw new RequestError(404, "There are POST /say and GET /events here");
    }
    if (head.method !== method) {
      const error = new RequestError(405, `${head.path} is for ${method}`);
      error.fields = { allow: method };
      throw error;
    }
    const token = this.#tokenOf(head, this.#tokens);
    if (method === "POST") {
      const said = await readSaid(peer, head, rest);
      return async () => {
        const speaker = await this.#speaker(token);
        const all = await speaker.say(said);
        const seq = all.at(-1);
        const value = all.length > 1 ? { seq, all } : { seq };
        this.count(200);
        await writePatiently(peer, jsonAnswer(200, {}, value));
      };
    }
    const after = lastEventOf(head);
    return () => this.#tell(peer, token, after);
  }

  /** Streams that are open. */
  get readers(): number {
    return this.#streams.size;
  }

  /** Counts an answer. @param status As HTTP has it. */
  count(status: number): void {
    const { httpAnswers } = this.#place.measures ?? UNMEASURED;
    httpAnswers.add(1, String(status));
  }

  /** To be called once a second. */
  tick(): void {
    for (const speaker of this.#known) speaker.tick();
  }

  /** Other tokens count now: what was opened by one that doesn't ends. */
  renew(): void {
    for (const stream of this.#streams) {
      if (!this.#counts(stream.token)) this.#end(stream);
    }
    const names = new Set(this.#tokens?.tokens.map((it) => it.name.folded));
    for (const [folded, speaker] of this.#speakers) {
      if (names.has(folded)) continue;
      this.#speakers.delete(folded);
      speaker.then((it) => this.#dismiss(it), () => {});
    }
  }

  #dismiss(speaker: Speaker): void {
    this.#known.delete(speaker);
    speaker.end("left");
  }

  /** Whether a token counts still, for the same name. */
  #counts({ digest, name }: Token): boolean {
    return this.#tokens?.find(digest)?.name.folded === name.folded;
  }

  /** Resolves when nothing is being said any more. */
  async quiet(): Promise<void> {
    await Promise.all([...this.#known].map((it) => it.quiet()));
  }

  /** The server stops. */
  close(): void {
    for (const speaker of this.#known) speaker.end("stopped"); // and with it its streams
  }

  #end(stream: Stream): void {
    stream.isOver = true;
    stream.speaker.tick();
  }

  /** @throws {RequestError} for what a web page sends, or by another's name. */
  #requireProgram({ fields, host }: RequestHead): void {
    if (fields.has("origin")) {
      throw new RequestError(
        403,
        "This port is for programs, not for web pages",
      );
    }
    const name = host.replace(/:\d+$/, "").toLowerCase();
    const isOwn = name === "localhost" || name === this.#host ||
      /^([\d.]+|\[.*\])$/.test(name);
    if (isOwn) return;
    throw new RequestError(
      421,
      `The Host of the request is not this server's: call it by its address, or by ${this.#host}`,
    );
  }

  /** @throws {TokenError} */
  #tokenOf({ fields }: RequestHead, tokens: TokenFile): Token {
    const given = fields.get("authorization") ?? "";
    const [, text] = /^bearer +(\S+)$/i.exec(given) ?? [];
    if (text === undefined) {
      throw new TokenError(
        401,
        "The request needs a header: Authorization: Bearer TOKEN",
      );
    }
    tokens.look(); // it may have been given or taken back a moment ago
    const token = tokens.find(digestOfToken(text));
    if (token) return token;
    throw new TokenError(401, UNKNOWN_TOKEN);
  }

  /** Who speaks by a token. @throws {TokenError} if it counts no longer, since its request took its time. */
  async #speaker(token: Token): Promise<Speaker> {
    if (!this.#counts(token)) throw new TokenError(401, UNKNOWN_TOKEN);
    const { name } = token;
    const { folded } = name;
    const speaker = this.#speakers.get(folded) ?? this.#open(name);
    this.#speakers.set(folded, speaker);
    return await speaker;
  }

  async #open(name: Name): Promise<Speaker> {
    const secret = this.#place.privateKey();
    const identity = await identityFor(secret, name).finally(() =>
      void secret.fill(0)
    );
    const speaker = new Speaker(name, identity, this.#room);
    this.#known.add(speaker);
    return speaker;
  }

  /** Tells lines until the reader goes, or may read no longer. */
  async #tell(peer: Peer, token: Token, after: number | null): Promise<void> {
    const speaker = await this.#speaker(token);
    const others = [...this.#streams].filter((it) => it.speaker === speaker);
    if (others.length >= MAX_STREAMS) {
      throw refusedError({ reason: "too-often-here", detail: "" }, 0);
    }
    const stream: Stream = { speaker, token, isOver: false };
    this.#streams.add(stream);
    let going: Promise<void> | undefined;
    try {
      const guest = await speaker.enter();
      this.count(200);
      await writePatiently(peer, STREAM_HEAD);
      going = gone(peer).then(() => this.#end(stream));
      const isOver = () => stream.isOver;
      const lines = lineStream(this.#room, speaker, guest, { after, isOver });
      for await (const text of lines) {
        await writePatiently(peer, encoder.encode(text));
      }
    } finally {
      this.#streams.delete(stream);
      if (going) close(peer); // or it would be read until its peer closes it
      await going;
    }
  }
}

/** What there is, and how it is asked for. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ["/say", "POST"],
  ["/events", "GET"],
]);

/** The number after which a stream is to begin; null for none. @throws {RequestError} */
function lastEventOf({ fields }: RequestHead): number | null {
  const text = fields.get("last-event-id") ?? "";
  if (text === "") return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestError(400, "The Last-Event-ID is not a message's number");
}

/** Resolves when a peer has closed its connection, or this side has. What it still says is nothing to anybody. */
async function gone(peer: Peer): Promise<void> {
  const discarded = new Uint8Array(512);
  try {
    while (await peer.read(discarded) !== null) {
      /* until it closes */
    }
  } catch {
    // It is closed.
  }
}
