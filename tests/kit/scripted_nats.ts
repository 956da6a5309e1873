/**
 * A NATS in this process, of which a test says how it answers: what a nats-server does, as far as a room's server notices,
 * and what no nats-server does on demand. What a real one does is tested in `tests/cluster`.
 *
 *     await using nats = ScriptedNats.start();
 *     const wire = await connectNats(nats.options, ROOM);
 *     nats.refuse("STREAM.CREATE", 10_047);      // an error of JetStream
 *     nats.silent.add("STREAM.INFO");            // no answer at all
 *     nats.denied.add("$JS.API.STREAM.CREATE");  // a subject that isn't allowed
 *     nats.drop();                               // all connections end
 *
 * @module
 */

import { concat } from "../../crypto_utils.ts";
import type { NatsOptions } from "../../src/server/nats/nats_options.ts";
import { utf8 } from "./bytes.ts";
import { plainOptions } from "./wire.ts";

const decoder = new TextDecoder();
const NO_RESPONDERS = "NATS/1.0 503\r\n\r\n";

/** What somebody publishes. */
interface Published {
  readonly subject: string;
  readonly reply: string;
  readonly headers: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What the stream has. */
interface Held {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly time: string;
}

/** To where entries are pushed, and how many were. */
interface Pushing {
  readonly subject: string;
  count: number;
}

/** One connection. */
class Client {
  readonly #nats: ScriptedNats;
  readonly #connection: Deno.TcpConn;
  readonly #subscriptions = new Map<string, string>(); // subjects by their ids
  #unread: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #writing: Promise<unknown> = Promise.resolve();

  constructor(nats: ScriptedNats, connection: Deno.TcpConn) {
    this.#nats = nats;
    this.#connection = connection;
  }

  async serve(): Promise<void> {
    this.say(`INFO ${JSON.stringify(this.#nats.info)}\r\n`);
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await this.#connection.read(buffer)) !== null;) {
        this.#unread = concat(this.#unread, buffer.subarray(0, count));
        while (this.#take());
      }
    } catch {
      // it is cut off
    }
    this.end();
  }

  end(): void {
    try {
      this.#connection.close();
    } catch {
      // it is closed
    }
  }

  /** Once all is said. */
  endLater(): void {
    this.#writing = this.#writing.then(() => this.end());
  }

  say(text: string, ...more: Uint8Array[]): void {
    const bytes = concat(utf8(text), ...more);
    const write = async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(bytes.subarray(at));
      }
    };
    this.#writing = this.#writing.then(write).catch(() => {});
  }

  /** Takes a message of the client's. @returns Whether it was there whole. */
  #take(): boolean {
    const end = this.#unread.indexOf(10);
    if (end < 0) return false;
    const line = decoder.decode(this.#unread.subarray(0, end)).trimEnd();
    const [verb = "", ...words] = line.split(" ");
    const isPublished = verb === "PUB" || verb === "HPUB";
    const size = isPublished ? Number(words.at(-1)) : -2;
    if (this.#unread.length < end + 1 + size + 2) return false;
    const body = this.#unread.slice(end + 1, end + 1 + size);
    this.#unread = this.#unread.slice(end + 1 + size + 2);
    const [subject = "", second = ""] = words;
    if (verb === "CONNECT") this.#nats.come(this, JSON.parse(line.slice(8)));
    else if (verb === "PING") this.#nats.pinged(this);
    else if (verb === "SUB") this.#subscribe(subject, words.at(-1) ?? "");
    else if (verb === "UNSUB") this.#subscriptions.delete(subject);
    else if (isPublished) {
      const isHeaded = verb === "HPUB";
      const reply = words.length > (isHeaded ? 3 : 2) ? second : "";
      const head = isHeaded ? Number(words.at(-2)) : 0;
      const headers = decoder.decode(body.subarray(0, head));
      const data = body.slice(head);
      if (this.#nats.allows(this, "Publish", subject)) {
        this.#nats.publish({ subject, reply, headers, data });
      }
    }
    return true;
  }

  #subscribe(subject: string, id: string): void {
    if (!this.#nats.allows(this, "Subscription", subject)) return;
    this.#subscriptions.set(id, subject);
  }

  /** Passes something on. @returns Whether the client wants it. */
  pass({ subject, reply, headers, data }: Published): boolean {
    for (const [id, wanted] of this.#subscriptions) {
      if (!fits(subject, wanted)) continue;
      const head = utf8(headers);
      const size = head.length + data.length;
      const sizes = headers === "" ? `${size}` : `${head.length} ${size}`;
      const verb = headers === "" ? "MSG" : "HMSG";
      const to = [verb, subject, id, ...reply ? [reply] : [], sizes].join(" ");
      this.say(`${to}\r\n`, head, data, utf8("\r\n"));
      return true;
    }
    return false;
  }
}

function fits(subject: string, wanted: string): boolean {
  const [parts, pattern] = [subject.split("."), wanted.split(".")];
  return parts.length === pattern.length &&
    pattern.every((it, at) => it === "*" || it === parts[at]);
}

/** A NATS, with one stream. */
export class ScriptedNats implements AsyncDisposable {
  /** What it says of itself. */
  info: Record<string, unknown> = {
    server_id: "S",
    version: "2.10.0",
    proto: 1,
    headers: true,
    max_payload: 1_048_576,
    jetstream: true,
  };
  /** What clients have said of themselves. */
  readonly connects: Record<string, unknown>[] = [];
  /** What JetStream was asked for, without "$JS.API.", in order, with what was said to it. */
  readonly asked: { readonly what: string; readonly json: Json }[] = [];
  /** All else that was published. */
  readonly published: Published[] = [];
  /** Beginnings of what JetStream was asked for that it doesn't answer. */
  readonly silent = new Set<string>();
  /** Beginnings of subjects that aren't allowed, and of others that nobody hears. */
  readonly denied = new Set<string>();
  readonly unheard = new Set<string>();
  /** Beginnings of subjects of which messages get lost. */
  readonly lost = new Set<string>();
  /** Whether it answers pings. */
  isAlive = true;
  /** Whether it refuses all who come. */
  isClosed = false;
  /** What else it says of what the stream holds. */
  state: Json = {};
  /** The stream: what it was made as, and what it holds; undefined for none. */
  stream: { readonly config: Json; readonly entries: Held[] } | undefined;
  readonly #refused = new Map<string, { code: number; times: number }>();
  readonly #clients = new Set<Client>();
  readonly #serving = new Set<Promise<void>>();
  #listener: Deno.TcpListener;
  #consumers = 0;
  readonly #pushing = new Map<string, Pushing>();
  readonly port: number;

  private constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    void this.#accept(this.#listener);
  }

  static start(): ScriptedNats {
    return new ScriptedNats();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const connection of listener) {
      const client = new Client(this, connection);
      this.#clients.add(client);
      const serving = client.serve().then(() => {
        this.#clients.delete(client);
        this.#serving.delete(serving);
      });
      this.#serving.add(serving);
    }
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get options(): NatsOptions {
    return plainOptions(this.url);
  }

  /** Refuses what JetStream is asked for, by its error's number. @param times How often. */
  refuse(what: string, code: number, times = Infinity): void {
    this.#refused.set(what, { code, times });
  }

  /** All connections end. */
  drop(): void {
    for (const it of this.#clients) it.end();
  }

  /** Nobody is let in any more. */
  shut(): void {
    this.#listener.close();
    this.drop();
  }

  /** Somebody is let in again. */
  reopen(): void {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    void this.#accept(this.#listener);
  }

  /** A client says who it is. */
  come(client: Client, it: Record<string, unknown>): void {
    this.connects.push(it);
    if (!this.isClosed) return;
    client.say("-ERR 'Authorization Violation'\r\n");
    client.endLater();
  }

  /** A client wants to know whether it lives. */
  pinged(client: Client): void {
    if (this.isAlive) client.say("PONG\r\n");
  }

  /** Tells all clients an error. */
  complain(text: string): void {
    for (const it of this.#clients) it.say(`-ERR '${text}'\r\n`);
  }

  /** Whether something is allowed; else that is said. */
  allows(client: Client, operation: string, subject: string): boolean {
    if (!begins(subject, this.denied)) return true;
    const what = `Permissions Violation for ${operation} to "${subject}"`;
    client.say(`-ERR '${what}'\r\n`);
    return false;
  }

  /** Somebody publishes something. */
  publish(given: Published): void {
    const api = /^\$JS\.API\.(.*)$/.exec(given.subject)?.[1];
    if (api !== undefined) return this.#ask(api, given);
    this.published.push(given);
    if (begins(given.subject, this.lost)) return;
    const isEntry = this.stream && given.subject.endsWith(".entries");
    if (isEntry) return this.#add(given);
    let isHeard = false;
    for (const it of this.#clients) isHeard = it.pass(given) || isHeard;
    if (!isHeard) this.#tellUnheard(given);
  }

  #tellUnheard({ reply }: Published): void {
    if (reply === "") return;
    const data = new Uint8Array(0);
    this.publish({ subject: reply, reply: "", headers: NO_RESPONDERS, data });
  }

  #ask(what: string, given: Published): void {
    const text = decoder.decode(given.data);
    const json = (text === "" ? {} : JSON.parse(text)) as Json;
    this.asked.push({ what, json });
    if (begins(what, this.silent)) return;
    if (begins(what, this.unheard)) return this.#tellUnheard(given);
    this.#answer(given, this.#refusalOf(what) ?? this.#answerTo(what, json));
  }

  #refusalOf(what: string): Json | undefined {
    for (const [start, refused] of this.#refused) {
      if (!what.startsWith(start) || refused.times-- <= 0) continue;
      return failure(refused.code);
    }
    return undefined;
  }

  #answer({ reply }: Published, answer: Json): void {
    const data = utf8(JSON.stringify(answer));
    this.publish({ subject: reply, reply: "", headers: "", data });
  }

  #answerTo(what: string, json: Json): Json {
    const { stream } = this;
    if (what === "INFO") return { memory: 0, storage: 0, streams: 0 };
    if (what.startsWith("STREAM.CREATE.")) {
      if (json["name"] === undefined) return failure(10_025); // as it refuses an empty request
      this.stream = { config: json, entries: [] };
      return this.#info;
    }
    if (!stream) return failure(10_059);
    if (what.startsWith("STREAM.INFO.")) return this.#info;
    if (what.startsWith("STREAM.MSG.GET.")) {
      const seq = Number(json["seq"]);
      const held = stream.entries[seq - 1];
      if (!held) return failure(10_037);
      const { data, time } = held;
      return { message: { subject: "s", seq, data: data.toBase64(), time } };
    }
    if (what.startsWith("CONSUMER.CREATE.")) {
      const config = json["config"] as Json;
      const name = `c${++this.#consumers}`;
      const from = Number(config["opt_start_seq"] ?? Infinity);
      const subject = String(config["deliver_subject"]);
      this.#pushing.set(name, { subject, count: 0 });
      const { entries } = stream;
      for (let seq = from; seq <= entries.length; seq++) this.#push(name, seq);
      return { stream_name: "chat_test", name, config };
    }
    if (what.startsWith("CONSUMER.DELETE.")) {
      this.#pushing.delete(what.split(".").at(-1) ?? "");
    }
    return { success: true };
  }

  get #info(): Json {
    const { config, entries } = this.stream ?? { config: {}, entries: [] };
    const count = entries.length;
    return {
      config,
      created: "2026-11-23T00:00:00.000000001Z",
      state: { messages: count, first_seq: 1, last_seq: count, ...this.state },
    };
  }

  /** An entry goes to who follows the stream. */
  #push(name: string, seq: number): void {
    const it = this.#pushing.get(name);
    const held = this.stream?.entries[seq - 1];
    if (!it || !held) return;
    const nanos = `${Date.parse(held.time)}000000`;
    const reply = `$JS.ACK.chat_test.${name}.1.${seq}.${++it.count}.${nanos}.0`;
    this.publish({ subject: it.subject, reply, headers: "", data: held.data });
  }

  /** An entry comes. */
  #add(given: Published): void {
    const entries = this.stream?.entries ?? [];
    if (given.headers.includes("Nats-Expected-Last-Sequence")) {
      const refused = this.#refusalOf("entries");
      return this.#answer(given, refused ?? failure(10_071));
    }
    if (this.silent.has("entries")) return;
    entries.push({ data: given.data, time: "2026-11-23T00:00:01.5Z" });
    this.#answer(given, { stream: "chat_test", seq: entries.length });
    for (const name of this.#pushing.keys()) this.#push(name, entries.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#listener.close();
    } catch {
      // it is closed
    }
    this.drop();
    await Promise.all(this.#serving);
  }
}

type Json = Readonly<Record<string, unknown>>;

function failure(code: number): Json {
  return { error: { code: 400, err_code: code, description: `no ${code}` } };
}

function begins(text: string, starts: Iterable<string>): boolean {
  return [...starts].some((it) => text.startsWith(it));
}
