/**
 * A session with a server of the test's own at the other end, and a clock.
 *
 * @module
 */

import { concat, randomBytes } from "../../crypto_utils.ts";
import { Broadcaster, type Shared } from "../../src/server/broadcaster.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import { ChatLog } from "../../src/log/chat_log.ts";
import { Connection } from "../../src/server/connection.ts";
import { Mailbox } from "../../src/server/mailbox.ts";
import { FileRelay } from "../../src/server/file_relay.ts";
import { epochFields } from "../../src/protocol/epoch_event.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../src/protocol/events.ts";
import type { News, Standing, View } from "../../src/client/view.ts";
import { Room } from "../../src/server/room.ts";
import { Session, type SessionOptions } from "../../src/client/session.ts";
import { broadcastHeader, NO_RECORDS } from "../../src/protocol/records.ts";
import { assert, assertEquals } from "./assert.ts";
import {
  ManualClock,
  type MemoryStream,
  seededRandom,
  streamPair,
} from "./memory_stream.ts";
import type { Goodbye } from "../../src/protocol/reasons.ts";
import { History } from "../../src/server/history.ts";
import { Purses } from "../../src/server/rate_limits.ts";
import { fullId, shortId } from "../../src/crypto/person_id.ts";
import {
  madeUpId,
  madeUpStay,
  newIdentity,
  newStay,
  openPeople,
} from "./people.ts";
import { importKeyPair } from "../../src/crypto/x25519.ts";
import { Epoch } from "../../src/crypto/epoch.ts";
import type { Stream } from "../../src/protocol/record_reader.ts";
import {
  acceptChannel,
  type AcceptOptions,
  type ConnectOptions,
} from "../../src/protocol/handshake.ts";
import { LocalResponder } from "../../src/protocol/responder.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { cryptoIdle } from "./crypto_idle.ts";

export const SERVER = await importKeyPair(randomBytes(32));

export const CLIENT = await newIdentity();

/** The client's full id. */
export const CLIENT_ID = fullId(CLIENT.id);

/** The client's short id. */
export const CLIENT_PERSON = shortId(CLIENT_ID);

export const INVITE_KEY = randomBytes(32);

export const ACCEPT = {
  responder: new LocalResponder(SERVER),
  inviteKey: () => INVITE_KEY,
};

export type NewsOf<T extends News["type"], N extends News = News> = N extends
  News ? T extends N["type"] ? N : never
  : never;

/** Losses that a view takes: more come only from a session that tries on and on. */
const MAX_LOSSES = 500;

/** What a session shows, kept. */
export class TestView implements View {
  readonly news: News[] = [];
  readonly notes: string[] = [];
  standing: Standing | undefined;
  #more = Promise.withResolvers<void>();
  #losses = 0;

  show(news: News): void {
    if (news.type === "disconnected" && ++this.#losses > MAX_LOSSES) {
      throw new Error("it never ends");
    }
    this.news.push(news);
    this.#tell();
  }

  #tell(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }

  stand(standing: Standing): void {
    this.standing = standing;
  }

  note(text: string): void {
    this.notes.push(text);
    this.#tell();
  }

  /** Waits for the note that is number `at` of them. */
  async untilNote(at = 0): Promise<string> {
    for (;;) {
      const note = this.notes[at];
      if (note !== undefined) return note;
      await this.#more.promise;
    }
  }

  ask(): Promise<null> {
    return Promise.resolve(null);
  }

  of<T extends News["type"]>(type: T): NewsOf<T>[] {
    return this.news.filter((it) => it.type === type) as NewsOf<T>[];
  }

  /** Waits for the news of one type that is number `at` of them. */
  async until<T extends News["type"]>(type: T, at = 0): Promise<NewsOf<T>> {
    for (;;) {
      const news = this.of(type)[at];
      if (news) return news;
      await this.#more.promise;
    }
  }
}

/** A server's end of one connection, that says what the test wants. */
export class Visit<S extends Stream = MemoryStream> {
  readonly #channel: Channel;
  readonly #stream: S;
  readonly #epoch: Epoch;
  readonly #events: Event[] = [];
  #stay = newStay(); // the client's, once it has said which
  #before = NO_RECORDS;
  /** Why the client's person is away already, when it comes. */
  away = "";
  /** The full id of that person. */
  person = CLIENT_ID;

  private constructor(channel: Channel, stream: S, epoch: Epoch) {
    this.#channel = channel;
    this.#stream = stream;
    this.#epoch = epoch;
  }

  static async accept<S extends Stream>(
    stream: S,
    options: AcceptOptions = ACCEPT,
  ): Promise<Visit<S>> {
    const [channel, epoch] = await Promise.all([
      acceptChannel(stream, options),
      Epoch.fresh(SERVER.publicKey, 1),
    ]);
    return new Visit(channel, stream, epoch);
  }

  get stream(): S {
    return this.#stream;
  }

  /**
   * The next thing that the client says; that it wants its letters is passed over, but for who waits for that.
   * @param wanted What it must be: a kind of event, or one of some.
   */
  async next<K extends Event["kind"]>(
    wanted: K | readonly K[],
  ): Promise<Event<K>> {
    const kinds: readonly string[] = [wanted].flat();
    const isOfUse = ({ kind }: Event) =>
      kind !== "collect" || kinds.includes(kind);
    while (this.#events.length === 0) {
      const records = await this.#channel.read();
      assert(records, `the client ended the connection before any "${wanted}"`);
      const opened = records.map((record) => this.#channel.open(record));
      this.#events.push(...(await Promise.all(opened)).flat().filter(isOfUse));
    }
    const event = this.#events.shift();
    assert(
      event && kinds.includes(event.kind),
      `${event?.kind} in place of ${wanted}`,
    );
    if (event?.kind === "join") this.#stay = event.stay;
    return event as Event<K>;
  }

  async says(count: number): Promise<Event<"say">[]> {
    const events: Event<"say">[] = [];
    while (events.length < count) events.push(await this.next("say"));
    return events;
  }

  /** Waits until the client has closed, having said nothing more. */
  async untilEnd(): Promise<void> {
    assertEquals(this.#events, []);
    assertEquals(await this.#channel.read(), null);
  }

  async tell(...events: Event[]): Promise<void> {
    const sealing = packEvents(events.map(encodeEvent)).map((plaintext) =>
      this.#channel.seal(plaintext, this.#before)
    );
    const records = await Promise.all(sealing);
    await writeAll(this.#stream, concat(...records));
  }

  /** What the client has said in its stay before. */
  past(seq: number, n: number, text: string): Event<"past"> {
    const person = shortId(this.person);
    return { ...past(seq, n, text), person, stay: this.#stay };
  }

  /** Lets the client in, as connection 1. */
  async admit(seq: number, ...earlier: Event<"past">[]): Promise<void> {
    await this.share(
      hereEvent(2, "ben", madeUpId("ben")),
      {
        ...hereEvent(1, "ana", this.person),
        stay: this.#stay,
        away: this.away,
      },
    );
    await this.tell(
      { kind: "epoch", ...epochFields(this.#epoch) },
      ...[...earlier, { ...this.past(seq, 0, ""), what: "joined" }]
        .toSorted((a, b) => a.seq - b.seq),
      {
        kind: "welcome",
        id: 1,
        seq: Math.max(seq, ...earlier.map((it) => it.seq)),
        at: 1_000,
        name: "ana",
      },
    );
  }

  /** Tells what a server seals once for several newcomers. */
  async share(...events: Event[]): Promise<void> {
    const { key, bytes, count } = await shared(...events);
    await this.tell(key);
    const { shared: before } = this.#before;
    this.#before = { ...this.#before, shared: before + count };
    await writeAll(this.#stream, bytes);
  }

  /** Says something to everybody, from number `seq` on. */
  async broadcast(seq: number, ...events: Event[]): Promise<void> {
    const heading = () => encodeEvent({ kind: "batch", seq, at: 2_000 });
    for (const plaintext of packEvents(events.map(encodeEvent), heading)) {
      const header = broadcastHeader(plaintext.length);
      const { broadcast: before } = this.#before;
      this.#before = { ...this.#before, broadcast: before + 1 };
      const sealed = await this.#epoch.seal(plaintext, header);
      await writeAll(this.#stream, concat(header, sealed));
    }
  }

  /** Takes the next lines as the log does: tells everybody, the client included. */
  async echo(seq: number, says: readonly Event<"say">[]): Promise<void> {
    const said = says.map(({ n, text }): Event => ({
      kind: "said",
      id: 1,
      n,
      text,
    }));
    await this.broadcast(seq, ...said);
  }

  async dismiss(reason: Goodbye): Promise<void> {
    await this.tell({ kind: "bye", reason });
    this.end();
  }

  end(): void {
    this.#channel.close();
  }
}

/** How a session shakes hands. */
export const HANDSHAKE: Omit<ConnectOptions, "keyPair"> = {
  inviteId: 0,
  checkServer: () => {},
  inviteKey: INVITE_KEY,
};

/** A session, and the server that it dials. */
export class Setup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly view = new TestView();
  readonly session: Session;
  /** The client's ends of all connections. */
  readonly dialled: MemoryStream[] = [];
  /** What `askName` was asked, and what it answers. */
  readonly questions: string[] = [];
  readonly names: (string | null)[] = [];
  #arrivals: MemoryStream[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new Session({
      address: "chat.example:5000",
      who: { identity: CLIENT, name: "ana" },
      dial: () => this.dial(),
      handshake: HANDSHAKE,
      view: this.view,
      askName: (sentence) => {
        this.questions.push(sentence);
        const name = this.names.shift() ?? null;
        return Promise.resolve(
          name === null ? null : { identity: CLIENT, name },
        );
      },
      ...options,
    });
  }

  dial(): Promise<Stream> {
    const [near, far] = streamPair();
    this.dialled.push(near);
    this.#arrivals.push(far);
    this.#arrived.resolve();
    return Promise.resolve(near);
  }

  /** The server's end of the next connection. */
  async arrival(): Promise<MemoryStream> {
    for (;;) {
      const stream = this.#arrivals.shift();
      if (stream) return stream;
      this.#arrived = Promise.withResolvers<void>();
      await this.#arrived.promise;
    }
  }

  async accept(): Promise<Visit> {
    return await Visit.accept(await this.arrival());
  }

  /** Waits out the pause before the next attempt, and accepts that. */
  async acceptAgain(times = 0): Promise<Visit> {
    await this.view.until("disconnected", times);
    this.clock.advance(30_000);
    return await this.accept();
  }

  /** Begins, and is let in at once, as the event `seq`. */
  async enter(seq = 1): Promise<[Visit, Promise<void>]> {
    const running = this.session.run();
    const visit = await this.accept();
    await visit.next("join");
    await visit.admit(seq);
    await this.view.until("entered");
    return [visit, running];
  }

  /** Leaves, with the server's answer. */
  async leave(visit: Visit, running: Promise<void>): Promise<void> {
    this.session.leave();
    assertEquals(await visit.next("bye"), { kind: "bye", reason: "left" });
    await visit.dismiss("left");
    await running;
    this.assertAllClosed();
  }

  /** Checks that no connection and no timer of the session is left. */
  assertAllClosed(): void {
    for (const { closed } of this.dialled) assert(closed, "a stream is open");
    assertEquals(this.clock.pending, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await cryptoIdle(); // what is under way may still look at the clock
    this.clock[Symbol.dispose]();
  }
}

/** What a server seals once for several newcomers. */
export async function shared(...events: Event[]): Promise<Shared> {
  const broadcaster = await Broadcaster.create(SERVER.publicKey, 1);
  return await broadcaster.share(packEvents(events.map(encodeEvent)));
}

/** Somebody who has been there for some time. */
export function hereEvent(
  id: number,
  name: string,
  person: string,
): Event<"here"> {
  const times = { since: 0, active: 0, away: "" };
  return { kind: "here", id, name, person, stay: madeUpStay(name), ...times };
}

/** A past line of the client's person in another stay, or of somebody else. */
export function past(
  seq: number,
  n: number,
  text: string,
  person = CLIENT_PERSON,
): Event<"past"> {
  const name = person === CLIENT_PERSON ? "ana" : "ben";
  const stay = madeUpStay(name);
  const line = { seq, at: 500, person, stay, n, to: null, name, text };
  return { kind: "past", what: "said", ...line };
}

export const texts = (events: readonly { text: string }[]) =>
  events.map(({ text }) => text);

export const words: Event = { kind: "said", id: 2, n: 1, text: "hello" };

export const eve = hereEvent(3, "eve", madeUpId("eve"));

export async function leaveAfter(
  session: Session,
  steps: number,
): Promise<void> {
  for (let step = 0; step < steps; step++) await Promise.resolve();
  session.leave();
}

/** Lets everything happen that takes no longer than a little cryptography. */
export async function digest(): Promise<void> {
  for (let times = 0; times < 5; times++) {
    await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  }
}

// ── All together ───────────────────────────────────────────────────────────────────────────────────────

/** A real room, to which connections break after a random number of writes. @returns How many did. */
export async function stay(seed: number): Promise<number> {
  using clock = new ManualClock();
  const random = seededRandom(seed);
  const folder = await Deno.makeTempDir();
  const log = await ChatLog.open(`${folder}/chat.log`, { address: "x:1" });
  const broadcaster = await Broadcaster.create(SERVER.publicKey, 262_144);
  using people = openPeople(`${folder}/chat.people`);
  using mailbox = Mailbox.open(`${folder}/chat.waiting`);
  const main = { log, broadcaster, people, mailbox };
  const room = new Room({ ...main, maxMembers: 2 });
  const rates = { burst: 1, perSecond: 0, bytesPerMessage: 1 };
  const open = room.run();
  const served: Promise<void>[] = [];
  let breaks = 0;

  const serve = async (near: MemoryStream, far: MemoryStream) => {
    try {
      const channel = await acceptChannel(far, ACCEPT);
      const connection = new Connection(far, channel, {
        room,
        people,
        purses: new Purses(),
        history: new History(log, 0),
        ring: broadcaster.ring,
        rates,
        relay: new FileRelay({ maxFileSize: 0, maxTransfers: 1 }),
        mailbox,
      });
      await connection.run();
    } catch {
      // The connection broke during the handshake.
    }
    if (!far.closed) far.close();
    near.incoming.end();
  };
  const dial = (): Promise<Stream> => {
    const [near, far] = streamPair();
    const flow = random(2) === 0 ? near.outgoing : far.outgoing;
    // The first connection is to come about; the last ones are to hold.
    const life = breaks === 0 ? 5 + random(6) : random(12);
    flow.alter = (bytes, at) => {
      if (at < life || breaks >= 6) return [bytes];
      breaks++;
      const reset = new Deno.errors.ConnectionReset();
      for (const each of [near.outgoing, far.outgoing]) each.fail(reset);
      return random(2) === 0 ? [bytes] : [];
    };
    near.incoming.pieceSize = near.outgoing.pieceSize = 1 + random(2_000);
    served.push(serve(near, far));
    return Promise.resolve(near);
  };

  const view = new TestView();
  const { show } = view;
  view.show = (news) => {
    show.call(view, news);
    if (news.type === "disconnected") {
      queueMicrotask(() => clock.advance(30_000));
    }
  };
  const session = new Session({
    address: "chat.example:5000",
    who: { identity: CLIENT, name: "ana" },
    dial,
    handshake: HANDSHAKE,
    view,
    askName: () => Promise.resolve(null),
  });
  const running = session.run();
  const said = Array.from({ length: 400 }, (_, at) => `line ${at}`);
  for (const text of said) {
    await session.say(text);
    if (random(4) === 0) await digest();
  }
  await session.conversation.settled();
  session.leave();
  await running;
  await Promise.all(served);
  room.stop();
  await open;
  const lines: string[] = [];
  for await (const piece of log.past(0, log.head)) {
    for (const { what, text } of piece) if (what === "said") lines.push(text);
  }
  assertEquals(lines, said);
  assertEquals(texts(view.of("said")), said);
  await log.close();
  await Deno.remove(folder, { recursive: true });
  return breaks;
}
