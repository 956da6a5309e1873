/**
 * Messages between the servers of a room, sealed, over subjects of a wire that is the room's alone: TOPIC for all, and
 * to.SERVER for one.
 *
 *     tell     {"topic", "body"}                    and "to", the server it is for, unless it is for all
 *     ask      {"topic", "body", "ask": id}         the same
 *     answer   {"to", "answers": id, "body"}        where nobody waits for it, it is dropped
 *     meet     {"topic": "meet", "body", "to", "ask": id}
 *                                                   "Are you there?": see `Freshness`; the answer is {"from"}
 *
 * What is sent again does no harm: a tell or an ask is taken once, and of a server that isn't known yet not before that has
 * shown that it is there; an answer names a random id that is used once; and `meet` only leads to an answer. What is sent to
 * another server than it was meant for, or under another topic, does none either, since both stand inside.
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { messageOf } from "../../base/error_reason.ts";
import { isCount } from "../../protocol/events.ts";
import { diagnostics } from "../diagnostics.ts";
import {
  EntryError,
  type Opened,
  openEnvelope,
  sealEnvelope,
} from "./envelope.ts";
import { Freshness, Recent } from "./freshness.ts";
import { type ClusterKeys, isServerId } from "./keys.ts";
import type { Message, Siblings } from "./siblings.ts";
import type { Wire } from "./wire.ts";

/** The longest message, bytes of JSON: NATS passes on 1 MiB unless it is told otherwise. */
export const MAX_MESSAGE = 900_000;
/** What may have come and not be open yet, bytes; more is dropped. */
const MAX_OPENING = 32 * 1_048_576;
/** What is held of servers that aren't known yet, bytes, and how many such servers there may be; more is dropped. */
const MAX_HELD = 4 * 1_048_576;
const MAX_STRANGERS = 32;
/** What each message counts for beside its length, bytes. */
const OVERHEAD = 512;
/** How long a server that isn't known yet has to show that it is there, ms. */
const MEETING_TIME = 3_000;
/** The topic by which servers get to know each other. */
const MEET = "meet";

/** An answer, and from whom it is. */
export type Answer = { readonly from: string; readonly message: Message };
/** Hears messages of a topic. */
export type Hear = Parameters<Siblings["hear"]>[1];

/** What a message says. */
interface Said {
  readonly body: Message;
  readonly topic?: string;
  readonly to?: string | undefined;
  readonly ask?: string;
  readonly answers?: string;
}

/** A message that has come. */
interface Come extends Said {
  readonly from: string;
  readonly k: number;
  /** What it counts for, bytes. */
  readonly size: number;
}

const logger = diagnostics("servers");
const encoder = new TextEncoder();

/** The other servers of a room, over a wire. */
export class Messages implements Siblings, AsyncDisposable {
  readonly #wire: Wire;
  readonly #keys: ClusterKeys;
  readonly #hear = new Map<string, Hear>(); // by topic
  readonly #asked = new Map<string, (answer: Answer | undefined) => void>();
  readonly #freshness = new Freshness();
  readonly #strangers = new Map<string, Come[]>(); // what is held of each, in order
  readonly #ended = new AbortController();
  readonly #recent = new Recent();
  #k = 0;
  #opening = 0; // bytes
  #held = 0; // bytes
  // One after the other, though several are sealed and opened at once.
  #sending: Promise<void> = Promise.resolve();
  #hearing: Promise<void> = Promise.resolve();

  /** Hears what is for this server. @param own This server's id: a fresh one, with which no other object seals messages. */
  constructor(wire: Wire, keys: ClusterKeys, readonly own: string) {
    this.#wire = wire;
    this.#keys = keys;
    this.#listen(`to.${own}`);
  }

  /** Hears and says nothing any more; who waits for an answer gets none. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    for (const resolve of this.#asked.values()) resolve(undefined);
    await Promise.all([this.#sending, this.#hearing]);
  }

  /** See `Siblings.tell`. @throws {RangeError} for a message of more than `MAX_MESSAGE` bytes. */
  tell(topic: string, body: Message, to?: string): void {
    this.#send({ topic, body, to });
  }

  /** See `Siblings.ask`. @throws {RangeError} for a message of more than `MAX_MESSAGE` bytes. */
  async ask(
    topic: string,
    body: Message,
    { time, to }: { readonly time: number; readonly to?: string },
  ): Promise<Answer | undefined> {
    if (this.#ended.signal.aborted) return undefined;
    const ask = toBase64url(randomBytes(16));
    const answer = Promise.withResolvers<Answer | undefined>();
    this.#asked.set(ask, answer.resolve);
    const timer = setTimeout(answer.resolve, time, undefined);
    try {
      this.#send({ topic, body, ask, to });
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(ask);
    }
  }

  /** See `Siblings.hear`. A topic is heard by one. */
  hear(topic: string, heard: Hear): void {
    this.#hear.set(topic, heard);
    this.#listen(topic);
  }

  #listen(subject: string): void {
    const heard = (data: Bytes) => this.#receive(data);
    this.#wire.listen(subject, heard, this.#ended.signal);
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────────

  #send(said: Said): void {
    const content = encoder.encode(JSON.stringify(said));
    if (content.length > MAX_MESSAGE) {
      throw new RangeError(
        `Cannot send a message of ${content.length} bytes to other servers: the most is ${MAX_MESSAGE}`,
      );
    }
    if (!this.#wire.isUp || this.#ended.signal.aborted) return;
    const { to, topic } = said;
    const subject = to === undefined ? `${topic}` : `to.${to}`;
    const k = this.#k++;
    this.#recent.sent(k, performance.now());
    const place = { purpose: "message", server: this.own, k } as const;
    const sealing = sealEnvelope(this.#keys, place, content);
    this.#sending = Promise.allSettled([sealing, this.#sending])
      .then(([sealed]) => {
        if (sealed.status === "rejected") throw sealed.reason;
        this.#wire.send(subject, sealed.value);
      })
      .catch((error) => {
        logger.error("Cannot send a message to other servers: {why}", {
          why: messageOf(error),
        });
      });
  }

  // ── Hearing ────────────────────────────────────────────────────────────────────────────────────────

  #receive(data: Bytes): void {
    const size = data.length + OVERHEAD;
    if (this.#opening + size > MAX_OPENING) {
      const why = "too many come at once";
      return logger.warn("Dropped a message from another server: {why}", {
        why,
      });
    }
    this.#opening += size;
    const opening = openEnvelope(this.#keys, "message", data);
    this.#hearing = Promise.allSettled([opening, this.#hearing])
      .then(([opened]) => {
        this.#opening -= size;
        if (opened.status === "rejected") throw opened.reason;
        if (!this.#ended.signal.aborted) {
          this.#take({ ...saidIn(opened.value), size });
        }
      })
      .catch((error) => {
        const why = messageOf(error);
        if (error instanceof EntryError) logger.warn("{why}", { why });
        else logger.error("{why}", { why });
      });
  }

  #take(come: Come): void {
    const { from, k, to, topic, answers, ask } = come;
    if (from === this.own) return;
    if (to !== undefined && to !== this.own) throw old("it is for another");
    if (answers !== undefined) return this.#answered(come, answers);
    if (topic === MEET && ask !== undefined) {
      const first = this.#recent.from(this.#k, performance.now());
      return this.#send({ to: from, answers: ask, body: { from: first } });
    }
    if (!this.#freshness.knows(from)) return this.#hold(come);
    if (!this.#freshness.take(from, k)) throw old("it came before");
    this.#deliver(come);
  }

  #answered({ from, body }: Come, answers: string): void {
    this.#asked.get(answers)?.({ from, message: body });
  }

  /** Keeps the message of a server that isn't known until that has shown that it is there. */
  #hold(come: Come): void {
    const { from, size } = come;
    const held = this.#strangers.get(from);
    const isFull = this.#held + size > MAX_HELD ||
      !held && this.#strangers.size >= MAX_STRANGERS;
    if (isFull) throw old("too much comes from servers that don't answer");
    this.#held += size;
    if (held) held.push(come);
    else {
      this.#strangers.set(from, [come]);
      this.#meet(from).catch((error) => {
        logger.error("{why}", { why: messageOf(error) });
      });
    }
  }

  async #meet(server: string): Promise<void> {
    const options = { time: MEETING_TIME, to: server };
    const answer = await this.ask(MEET, {}, options);
    const held = this.#strangers.get(server) ?? [];
    this.#strangers.delete(server);
    if (this.#ended.signal.aborted) return;
    const first = answer?.from === server ? answer.message["from"] : undefined;
    if (isCount(first)) this.#freshness.meet(server, first);
    for (const come of held) {
      this.#held -= come.size;
      if (this.#freshness.take(server, come.k)) this.#deliver(come);
      else {
        logger.warn("{why}", { why: old("it is an old one").message });
      }
    }
  }

  #deliver({ topic = "", body, from, ask }: Come): void {
    this.#carryOut(topic, body, from, ask).catch((error) => {
      logger.error('Cannot do what another server asks ("{topic}"): {why}', {
        topic,
        why: messageOf(error),
      });
    });
  }

  async #carryOut(
    topic: string,
    body: Message,
    from: string,
    ask: string | undefined,
  ): Promise<void> {
    const answer = await this.#hear.get(topic)?.(body, from);
    if (ask === undefined || answer === undefined) return;
    this.#send({ to: from, answers: ask, body: answer });
  }
}

/** What doesn't count, though a server of the room has made it. */
function old(why: string): EntryError {
  return new EntryError("repeated", why, "message");
}

const isId = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string" && value.length <= 64;

/** What a message says. @throws {EntryError} for what no server writes. */
function saidIn({ server, k, value }: Opened): Omit<Come, "size"> {
  const { topic, body, to, ask, answers } = value;
  const isRight = isId(topic) && isId(ask) && isId(answers) &&
    (to === undefined || isServerId(to)) &&
    typeof body === "object" && body !== null && !Array.isArray(body) &&
    (topic === undefined) === (answers !== undefined);
  if (isRight) return { ...value as unknown as Said, from: server, k };
  throw new EntryError("malformed", "it says nothing", "message");
}
