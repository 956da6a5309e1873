/**
 * A client's stay across connections: what is sent, what is sent again and what isn't, and how it ends. The
 * server is the test's own, word by word, and once a real room behind a network that keeps failing.
 *
 * @module
 */

import {
  concat,
  fingerprint,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { Broadcaster, type Shared } from "../../../src/server/broadcaster.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import { Connection } from "../../../src/server/connection.ts";
import { FileRelay } from "../../../src/server/file_relay.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../../src/protocol/events.ts";
import { ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import type { News, Standing, View } from "../../../src/client/view.ts";
import { Room } from "../../../src/server/room.ts";
import { JoinError } from "../../../src/client/join_error.ts";
import { Session, type SessionOptions } from "../../../src/client/session.ts";
import { broadcastHeader } from "../../../src/protocol/records.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import {
  ManualClock,
  type MemoryStream,
  seededRandom,
  streamPair,
} from "../../kit/memory_stream.ts";
import {
  type Goodbye,
  HandshakeRefusal,
  REFUSALS,
} from "../../../src/protocol/reasons.ts";
import { History } from "../../../src/server/history.ts";
import { importKeyPair } from "../../../src/crypto/x25519.ts";
import { Epoch } from "../../../src/crypto/epoch.ts";
import type { Stream } from "../../../src/protocol/record_reader.ts";
import { acceptChannel, refuse } from "../../../src/protocol/handshake.ts";
import { writeAll } from "../../../src/base/write_all.ts";

const SERVER = await importKeyPair(randomBytes(32));
const CLIENT = await importKeyPair(randomBytes(32));
const CLIENT_KEY = fingerprint(CLIENT.publicKey);
const INVITE_KEY = randomBytes(32);
const ACCEPT = {
  keyPair: SERVER,
  salt: new Uint8Array(16),
  inviteKey: () => INVITE_KEY,
};

type NewsOf<T extends News["type"], N extends News = News> = N extends News
  ? T extends N["type"] ? N : never
  : never;

/** What a session shows, kept. */
class TestView implements View {
  readonly news: News[] = [];
  readonly notes: string[] = [];
  standing: Standing | undefined;
  #more = Promise.withResolvers<void>();

  show(news: News): void {
    this.news.push(news);
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }

  stand(standing: Standing): void {
    this.standing = standing;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  ask(): Promise<null> {
    return Promise.resolve(null);
  }

  async *lines(): AsyncGenerator<string> {}

  close(): void {}

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
class Visit {
  readonly #channel: Channel;
  readonly #stream: MemoryStream;
  readonly #epoch: Epoch;
  readonly #events: Event[] = [];

  private constructor(channel: Channel, stream: MemoryStream, epoch: Epoch) {
    this.#channel = channel;
    this.#stream = stream;
    this.#epoch = epoch;
  }

  static async accept(stream: MemoryStream): Promise<Visit> {
    const [channel, epoch] = await Promise.all([
      acceptChannel(stream, ACCEPT),
      Epoch.fresh(SERVER.publicKey, 1),
    ]);
    return new Visit(channel, stream, epoch);
  }

  get stream(): MemoryStream {
    return this.#stream;
  }

  /** The next thing that the client says. */
  async next<K extends Event["kind"]>(kind: K): Promise<Event<K>> {
    while (this.#events.length === 0) {
      const records = await this.#channel.read();
      assert(records, `the client ended the connection before any "${kind}"`);
      const opened = records.map((record) => this.#channel.open(record));
      this.#events.push(...(await Promise.all(opened)).flat());
    }
    const event = this.#events.shift();
    assertEquals(event?.kind, kind);
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

  tell(...events: Event[]): Promise<void> {
    return this.#channel.send(...events);
  }

  /** Lets the client in, as member 1. */
  async admit(seq: number, ...earlier: Event<"past">[]): Promise<void> {
    await this.share(
      hereEvent(2, "ben", "bbbbbbbbbbbb"),
      hereEvent(1, "ana", CLIENT_KEY),
    );
    const { number, counter, key, verifyKey } = this.#epoch.describe();
    await this.tell(
      {
        kind: "epoch",
        number,
        counter,
        key: toBase64url(key),
        verifyKey: toBase64url(verifyKey),
      },
      ...[...earlier, { ...past(seq, 0, ""), what: "joined" }]
        .toSorted((a, b) => a.seq - b.seq),
      { kind: "welcome", id: 1, seq, at: 1_000 },
    );
  }

  /** Tells what a server seals once for several newcomers. */
  async share(...events: Event[]): Promise<void> {
    const { key, records } = await shared(...events);
    await this.tell(key);
    for (const record of records) await writeAll(this.#stream, record);
  }

  /** Says something to everybody, from number `seq` on. */
  async broadcast(seq: number, ...events: Event[]): Promise<void> {
    const heading = () => encodeEvent({ kind: "batch", seq, at: 2_000 });
    for (const plaintext of packEvents(events.map(encodeEvent), heading)) {
      const header = broadcastHeader(plaintext.length);
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

/** A session, and the server that it dials. */
class Setup implements Disposable {
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
      name: "ana",
      dial: () => this.dial(),
      handshake: {
        keyPair: CLIENT,
        inviteId: 0,
        checkServer: () => {},
        inviteKey: () => INVITE_KEY,
      },
      view: this.view,
      askName: (sentence) => {
        this.questions.push(sentence);
        return Promise.resolve(this.names.shift() ?? null);
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

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
  }
}

/** What a server seals once for several newcomers. */
async function shared(...events: Event[]): Promise<Shared> {
  const broadcaster = await Broadcaster.create(SERVER.publicKey, 1);
  return await broadcaster.share(packEvents(events.map(encodeEvent)));
}

/** Somebody who has been there for some time. */
function hereEvent(id: number, name: string, key: string): Event<"here"> {
  return { kind: "here", id, name, key, since: 0, active: 0, away: "" };
}

/** A past line of the client's own, or of somebody else. */
function past(
  seq: number,
  n: number,
  text: string,
  key = CLIENT_KEY,
): Event<"past"> {
  const name = key === CLIENT_KEY ? "ana" : "ben";
  const line = { seq, at: 500, key, n, what: "said", to: null, name, text };
  return { kind: "past", ...line };
}

const texts = (events: readonly { text: string }[]) =>
  events.map(({ text }) => text);

// ── Inside ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session.run() enters, tells what happens, and ends with leave()", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const running = session.run();
  const visit = await setup.accept();
  const join = await visit.next("join");
  assertEquals([join.name, join.after], ["ana", null]);
  assertEquals([session.present, view.standing?.connected], [[], false]);
  await visit.admit(7, past(5, 1, "earlier", "bbbbbbbbbbbb"));
  const entered = await view.until("entered");
  assertEquals(
    [entered.seq, entered.others, entered.again, entered.earlier],
    [7, 1, false, 1],
  );
  await visit.broadcast(8, {
    kind: "joined",
    id: 3,
    name: "carla",
    key: "cccccccccccc",
    n: 0,
  }, { kind: "said", id: 2, n: 1, text: "hello" });
  await view.until("said", 1);
  const present = session.present.map(({ name }) => name);
  assertEquals(present.toSorted(), ["ana", "ben", "carla"]);
  assertEquals(view.standing?.members, 3);
  await visit.broadcast(10, { kind: "left", id: 2, n: 2, reason: "lost" });
  await view.until("left");
  assertEquals(view.standing?.members, 2);
  // What was missed comes first, then what happens now.
  const kinds = view.news.map(({ type }) => type);
  assertEquals(kinds.slice(0, 4), ["entered", "said", "current", "joined"]);
  const lines = view.news.flatMap((it) =>
    it.type === "joined" || it.type === "left" || it.type === "said"
      ? [[it.seq, it.type, it.name, it.text, it.own, it.past]]
      : []
  );
  assertEquals(lines, [
    [5, "said", "ben", "earlier", false, true],
    [8, "joined", "carla", "", false, false],
    [9, "said", "ben", "hello", false, false],
    [10, "left", "ben", "lost", false, false],
  ]);
  await setup.leave(visit, running);
  assertEquals(session.present, []);
});

Deno.test("Session.say() counts a line as waiting until it comes back in the log's order", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("one");
  await session.say("two");
  const says = await visit.says(2);
  assertEquals(texts(says), ["one", "two"]);
  const [first = 0, second = 0] = says.map(({ n }) => n);
  assertEquals(second, first + 1);
  assertEquals([session.waiting, view.standing?.waiting], [2, 2]);
  let settled = false;
  const settling = session.settled().then(() => settled = true);
  await visit.echo(2, says.slice(0, 1));
  await view.until("said");
  assertEquals([session.waiting, settled], [1, false]);
  await visit.echo(3, says.slice(1));
  await settling;
  assertEquals(view.of("said").map(({ own }) => own), [true, true]);
  assertEquals(session.waiting, 0);
  await setup.leave(visit, running);
});

Deno.test("Session.say() keeps what is typed before the client is in, and sends it once it is", async () => {
  using setup = new Setup();
  const { session } = setup;
  await session.say("early");
  const running = session.run();
  const visit = await setup.accept();
  await session.say("meanwhile");
  const { n } = await visit.next("join");
  await visit.admit(1);
  const says = await visit.says(2);
  assertEquals(texts(says), ["early", "meanwhile"]);
  assertEquals(says.map((it) => it.n), [n + 1, n + 2]);
  await visit.echo(2, says);
  await session.settled();
  await setup.leave(visit, running);
});

Deno.test("Session.say() shows a refused line, and forgets it", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("one");
  await session.say("two");
  assertEquals(session.failedAny, false);
  const [one, two] = await visit.says(2);
  assert(one && two);
  await visit.tell({ kind: "refused", n: one.n, reason: "log-failed" });
  const refused = await view.until("refused");
  assertEquals([refused.text, refused.reason], ["one", "log-failed"]);
  assertEquals([session.failedAny, session.waiting], [true, 1]);
  await visit.tell({ kind: "refused", n: one.n, reason: "log-failed" });
  await visit.echo(2, [two]);
  await session.settled();
  assertEquals(view.of("refused").length, 1);
  // And after a loss it doesn't come back either.
  visit.end();
  const again = await setup.acceptAgain();
  const join = await again.next("join");
  assertEquals(join.after, 2);
  await again.admit(4);
  await view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session.say() doesn't send what the server would refuse anyway", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("");
  await session.say("x".repeat(4_097));
  const reasons = view.of("refused").map(({ reason }) => reason);
  assertEquals(reasons, ["text-empty", "text-too-long"]);
  assertEquals([session.waiting, session.failedAny], [0, true]);
  await setup.leave(visit, running); // its goodbye is the next thing that the server hears
});

Deno.test("Session.say() sends a text with half a character so that the server takes it", async () => {
  using setup = new Setup();
  const { session } = setup;
  const [visit, running] = await setup.enter();
  await session.say("broken \ud83d emoji");
  const says = await visit.says(1); // opens only what is well formed
  assertEquals(texts(says), ["broken \ufffd emoji"]);
  await visit.echo(2, says);
  await session.settled();
  await setup.leave(visit, running);
});

Deno.test("Session.say() makes its caller wait while 1,024 lines are unsettled", async () => {
  using setup = new Setup();
  const { session } = setup;
  const [visit, running] = await setup.enter();
  for (let count = 1; count <= 1_024; count++) await session.say(`${count}`);
  let taken = 0;
  const waiting = [1, 2, 3].map((extra) =>
    session.say(`extra ${extra}`).then(() => taken++)
  );
  const says = await visit.says(1_024);
  assertEquals(texts(says), says.map((_, at) => `${at + 1}`));
  assertEquals([taken, session.waiting], [0, 1_024]);
  await visit.echo(2, says.slice(0, 2));
  says.push(...await visit.says(2));
  assertEquals(texts(says.slice(-2)), ["extra 1", "extra 2"]);
  assertEquals([taken, session.waiting], [2, 1_024]);
  await visit.echo(4, says.slice(2, 3));
  says.push(...await visit.says(1));
  assertEquals(texts(says.slice(-1)), ["extra 3"]);
  await Promise.all(waiting);
  await visit.echo(5, says.slice(3));
  await session.settled();
  await setup.leave(visit, running);
});

Deno.test("Session.leave() lets whoever waits to say something go on", async () => {
  using setup = new Setup();
  const { session } = setup;
  const [visit, running] = await setup.enter();
  for (let count = 1; count <= 1_024; count++) await session.say(`${count}`);
  const waiting = session.say("one too many");
  const settled = session.settled();
  await visit.says(1_024);
  session.leave();
  await Promise.all([waiting, settled]);
  assertEquals(texts(await visit.says(1)), ["one too many"]);
  setup.clock.advance(1_000);
  await visit.next("bye");
  await visit.dismiss("left");
  await running;
});

// ── Away and back ──────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session.say() sends what was typed while away when it is back, once", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(4);
  visit.end();
  const { reason } = await view.until("disconnected");
  assertEquals(reason, "connection lost");
  for (const text of ["one", "two", "three"]) await session.say(text);
  assertEquals(session.waiting, 3);
  assertEquals(view.standing, {
    name: "ana",
    connected: false,
    members: 0,
    waiting: 3,
  });
  const again = await setup.acceptAgain();
  const join = await again.next("join");
  assertEquals([join.name, join.after], ["ana", 4]);
  await again.admit(6, past(5, 9, "meanwhile", "bbbbbbbbbbbb"));
  const says = await again.says(3);
  assertEquals(texts(says), ["one", "two", "three"]);
  assertEquals(says[0]?.n, join.n + 1);
  const entered = await view.until("entered", 1);
  assertEquals([entered.again, entered.waiting], [true, 3]);
  await again.echo(7, says);
  await session.settled();
  await setup.leave(again, running);
});

Deno.test("Session doesn't send again what it finds in the log, and sends again what it doesn't", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(1);
  for (const text of ["a", "b", "c", "d"]) await session.say(text);
  const [a, b, c, d] = await visit.says(4);
  assert(a && b && c && d);
  visit.end(); // before it has told of any
  const again = await setup.acceptAgain();
  const join = await again.next("join");
  assertEquals([join.n, join.after], [a.n - 1, 1]);
  // The first two were logged; another member happens to have the number of the third.
  await again.admit(
    6,
    past(2, a.n, "a"),
    past(3, b.n, "b"),
    past(4, c.n, "c", "bbbbbbbbbbbb"),
    { ...past(5, c.n, "lost"), what: "left" }, // its own leaving counts on, and is no line
  );
  assertEquals(await again.says(2), [c, d]);
  const entered = await view.until("entered", 1);
  assertEquals(entered.waiting, 2);
  const own = view.of("said").filter((it) => it.own).map(({ text }) => text);
  assertEquals(own, ["a", "b"]);
  await again.echo(7, [c, d]);
  await session.settled();
  assertEquals(texts(view.of("said").filter((it) => it.own)), [
    "a",
    "b",
    "c",
    "d",
  ]);
  await setup.leave(again, running);
});

Deno.test("Session comes back by the last line that it saw, whoever said it", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter(4);
  await visit.broadcast(5, { kind: "said", id: 2, n: 1, text: "x" }, {
    kind: "said",
    id: 2,
    n: 2,
    text: "y",
  });
  await setup.view.until("said", 1);
  await visit.dismiss("stopped");
  const { reason } = await setup.view.until("disconnected");
  assertEquals(reason, "server stopped");
  const again = await setup.acceptAgain();
  assertEquals((await again.next("join")).after, 6);
  await again.admit(9);
  await setup.view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session waits longer after each failed attempt, half a minute at most, and less after a good one", async () => {
  let refusing = false;
  using setup: Setup = new Setup({
    dial: () =>
      refusing
        ? Promise.reject(new Deno.errors.ConnectionRefused())
        : setup.dial(),
  });
  const { view } = setup;
  const [visit, running] = await setup.enter();
  refusing = true;
  visit.end();
  for (let attempt = 0; attempt < 8; attempt++) {
    const { seconds, reason } = await view.until("disconnected", attempt);
    const longest = Math.min(30, 2 ** attempt);
    assert(seconds <= longest && seconds >= Math.floor(longest / 2));
    if (attempt > 0) assertEquals(reason, "connection refused");
    if (attempt === 7) refusing = false;
    setup.clock.advance(longest * 1_000);
  }
  const again = await setup.accept();
  await again.next("join");
  await again.admit(3);
  await view.until("entered", 1);
  again.end();
  assertEquals((await view.until("disconnected", 8)).seconds, 1);
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session gives a connection up that said nothing for 90 s, and asks after 30", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  setup.clock.advance(29_000);
  await visit.tell({ kind: "ping" });
  await visit.next("pong");
  setup.clock.advance(29_000);
  await visit.tell({ kind: "pong" }, { kind: "ping" });
  await visit.next("pong");
  setup.clock.advance(30_000);
  await visit.next("ping");
  setup.clock.advance(60_000);
  const { reason } = await setup.view.until("disconnected");
  assertEquals(reason, "no sign of life for 90 s");
  await visit.untilEnd();
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session comes back from a server that lost its mind", async () => {
  using setup = new Setup();
  const cases: ((visit: Visit) => Promise<void>)[] = [
    (visit) => visit.broadcast(99, { kind: "said", id: 2, n: 1, text: "x" }),
    (visit) => visit.broadcast(2, { kind: "said", id: 77, n: 1, text: "x" }),
    (visit) => visit.broadcast(2, { kind: "pong" }),
    (visit) => visit.tell({ kind: "say", n: 1, text: "x" }),
    (visit) => {
      visit.stream.outgoing.inject(new Uint8Array(1_000));
      return Promise.resolve();
    },
  ];
  const running = setup.session.run();
  let visit = await setup.accept();
  for (const [at, confuse] of cases.entries()) {
    await visit.next("join");
    await visit.admit(1);
    await setup.view.until("entered", at);
    await confuse(visit);
    visit = await setup.acceptAgain(at);
  }
  assertEquals(setup.view.of("said"), []);
  await visit.next("join");
  await visit.admit(1);
  await setup.view.until("entered", cases.length);
  await setup.leave(visit, running);
});

// ── Not let in ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session asks for another name on the same connection, as often as it takes", async () => {
  using setup = new Setup();
  setup.names.push("ben", "carla");
  const running = setup.session.run();
  const visit = await setup.accept();
  await setup.session.say("hello");
  const names: string[] = [];
  for (let asked = 0; asked < 2; asked++) {
    names.push((await visit.next("join")).name);
    await visit.tell({ kind: "refused", n: null, reason: "name-taken" });
  }
  const last = await visit.next("join");
  assertEquals([...names, last.name], ["ana", "ben", "carla"]);
  const sentence = REFUSALS["name-taken"];
  assertEquals(setup.questions, [sentence, sentence]);
  await visit.admit(1);
  assertEquals((await setup.view.until("entered")).name, "carla");
  assertEquals(setup.view.standing?.name, "carla");
  const says = await visit.says(1);
  assertEquals(says[0]?.n, last.n + 1);
  await visit.echo(2, says);
  await setup.leave(visit, running);
  assertEquals(setup.dialled.length, 1);
});

Deno.test("Session shows what it was told of the past once, though it had to ask twice", async () => {
  using setup = new Setup();
  setup.names.push("ben");
  const running = setup.session.run();
  const visit = await setup.accept();
  const earlier = past(1, 1, "earlier", "bbbbbbbbbbbb");
  await visit.next("join");
  await visit.tell(earlier, { kind: "refused", n: null, reason: "name-taken" });
  await visit.next("join");
  await visit.admit(2, earlier);
  await setup.view.until("entered");
  await setup.session.say("x"); // goes out after the past was shown
  const says = await visit.says(1);
  assertEquals(setup.view.of("said").length, 1);
  await visit.echo(3, says);
  await setup.leave(visit, running);
});

for (const reason of ["name-taken", "room-full", "log-failed"] as const) {
  Deno.test(`Session.run() rejects where the first joining is refused with "${reason}"`, async () => {
    using setup = new Setup();
    setup.names.push(null);
    const running = setup.session.run();
    const visit = await setup.accept();
    await visit.next("join");
    await visit.tell({ kind: "refused", n: null, reason });
    const error = await assertRejects(
      () => running,
      JoinError,
      REFUSALS[reason],
    );
    assert(error.advice.length > 0);
    assertEquals(setup.questions.length, reason === "name-taken" ? 1 : 0);
    setup.assertAllClosed();
  });
}

Deno.test("Session tries again where a later joining is refused for want of place", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  const second = await setup.acceptAgain(0);
  await second.next("join");
  await second.tell({ kind: "refused", n: null, reason: "room-full" });
  const third = await setup.acceptAgain(1);
  await third.next("join");
  await third.admit(5);
  await setup.view.until("entered", 1);
  await setup.leave(third, running);
});

for (const reason of ["replaced", "misused"] as const) {
  Deno.test(`Session.run() rejects where the server ends the connection as "${reason}"`, async () => {
    using setup = new Setup();
    const [visit, running] = await setup.enter();
    await visit.dismiss(reason);
    await assertRejects(
      () => running,
      JoinError,
      "The server ended the connection",
    );
    assertEquals(setup.view.of("disconnected"), []);
    setup.assertAllClosed();
  });
}

for (const reason of ["slow", "silent", "stopped", "lost"] as const) {
  Deno.test(`Session comes back where the server ends the connection as "${reason}"`, async () => {
    using setup = new Setup();
    const [visit, running] = await setup.enter();
    await visit.dismiss(reason);
    const again = await setup.acceptAgain();
    await again.next("join");
    await again.admit(2);
    await setup.view.until("entered", 1);
    await setup.leave(again, running);
  });
}

const words: Event = { kind: "said", id: 2, n: 1, text: "hello" };
const eve = hereEvent(3, "eve", "eeeeeeeeeeee");

for (
  const [what, { event, keyFirst, flip }, reason] of [
    [
      "says what it may not",
      { event: words, keyFirst: true, flip: 0 },
      '"said"',
    ],
    [
      "comes before its key",
      { event: eve, keyFirst: false, flip: 0 },
      "no key",
    ],
    ["was altered", { event: eve, keyFirst: true, flip: 1 }, "Cannot open"],
  ] as const
) {
  Deno.test(`Session comes back where a shared record ${what}`, async () => {
    using setup = new Setup();
    const [visit, running] = await setup.enter();
    const { key, records } = await shared(event);
    if (keyFirst) await visit.tell(key);
    for (const record of records) {
      const last = (record.at(-1) ?? 0) ^ flip;
      await writeAll(visit.stream, record.with(-1, last));
    }
    assertStringIncludes(
      (await setup.view.until("disconnected")).reason,
      reason,
    );
    assertEquals(setup.view.of("said"), []);
    const again = await setup.acceptAgain();
    await again.next("join");
    await again.admit(2);
    await setup.view.until("entered", 1);
    await setup.leave(again, running);
  });
}

Deno.test("Session.run() rejects where the first connection comes to nothing", async () => {
  const message = "Cannot join chat.example:5000: ";
  const refused = new Deno.errors.ConnectionRefused();
  using unreachable = new Setup({ dial: () => Promise.reject(refused) });
  await assertRejects(
    () => unreachable.session.run(),
    JoinError,
    `${message}connection refused`,
  );
  unreachable.assertAllClosed();

  using silent = new Setup();
  const running = silent.session.run();
  const stream = await silent.arrival();
  await stream.read(new Uint8Array(2_048));
  stream.close();
  await assertRejects(
    () => running,
    JoinError,
    `${message}Cannot shake hands: the connection ended`,
  );
  silent.assertAllClosed();

  using early = new Setup();
  const entering = early.session.run();
  const visit = await early.accept();
  await visit.next("join");
  visit.end();
  await assertRejects(
    () => entering,
    JoinError,
    `${message}connection lost`,
  );
  early.assertAllClosed();
});

Deno.test("Session.run() rejects with what checkServer says of a wrong server", async () => {
  const wrong = new JoinError("not the server that you mean", "Go home");
  using setup = new Setup({
    handshake: {
      keyPair: CLIENT,
      inviteId: 0,
      inviteKey: () => INVITE_KEY,
      checkServer: () => Promise.reject(wrong),
    },
  });
  const running = setup.session.run();
  const accepting = assertRejects(() => setup.accept());
  assertEquals(await assertRejects(() => running, JoinError), wrong);
  await accepting;
  setup.assertAllClosed();
});

for (const code of Object.values(HandshakeRefusal)) {
  Deno.test(`Session.run() rejects where its first handshake is refused with code ${code}`, async () => {
    using setup = new Setup();
    const running = setup.session.run();
    await refuse(await setup.arrival(), code);
    const error = await assertRejects(() => running, JoinError);
    assert(error.advice.length > 0);
    setup.assertAllClosed();
  });
}

Deno.test("Session comes back after a refusal, which anybody on the way could have sent", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  await setup.view.until("disconnected");
  setup.clock.advance(30_000);
  await refuse(await setup.arrival(), HandshakeRefusal.busy);
  const { reason } = await setup.view.until("disconnected", 1);
  assert(reason.includes("no place"));
  setup.clock.advance(30_000);
  await refuse(await setup.arrival(), HandshakeRefusal.key);
  const { reason: key } = await setup.view.until("disconnected", 2);
  assert(key.includes("key does not open"));
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.run() gives up on a connection that isn't there after 12 s, and closes it", async () => {
  const message = "Cannot join chat.example:5000: no answer from the server";
  using mute = new Setup();
  const running = mute.session.run();
  const stream = await mute.arrival(); // and then nothing
  mute.clock.advance(11_999);
  assertEquals(stream.closed, false);
  mute.clock.advance(1);
  await assertRejects(() => running, JoinError, message);
  mute.assertAllClosed();
  await mute.dialled[0]?.whenUsedLate; // the handshake notices

  const { promise, resolve } = Promise.withResolvers<Stream>();
  const dialling = Promise.withResolvers<void>();
  using slow = new Setup({
    dial: () => {
      dialling.resolve();
      return promise;
    },
  });
  const waiting = slow.session.run();
  await dialling.promise;
  slow.clock.advance(12_000);
  await assertRejects(() => waiting, JoinError, message);
  const [near] = streamPair();
  resolve(near); // too late
  await near.whenClosed;
});

// ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session.leave() before run() keeps it from dialling", async () => {
  using setup = new Setup();
  setup.session.leave();
  await setup.session.run();
  assertEquals(setup.dialled, []);
});

Deno.test("Session.leave() while dialling ends at once, and closes what comes of it", async () => {
  const dialled = Promise.withResolvers<Stream>();
  const dialling = Promise.withResolvers<void>();
  using setup = new Setup({
    dial: () => {
      dialling.resolve();
      return dialled.promise;
    },
  });
  const running = setup.session.run();
  await dialling.promise;
  setup.session.leave();
  await running;
  assertEquals(setup.clock.pending, 0);
  const [near] = streamPair();
  dialled.resolve(near);
  await near.whenClosed;
});

Deno.test("Session.leave() during the handshake ends at once, and closes the connection", async () => {
  using setup = new Setup();
  const running = setup.session.run();
  await setup.arrival();
  setup.session.leave();
  await running;
  setup.assertAllClosed();
  await setup.dialled[0]?.whenUsedLate; // the handshake notices
});

Deno.test("Session.leave() ends the stay wherever in the handshake's last steps it comes", async () => {
  for (let steps = 0; steps < 30; steps++) {
    using setup = new Setup();
    const running = setup.session.run();
    const far = await setup.arrival();
    const [near] = setup.dialled;
    assert(near);
    near.outgoing.alter = (record, at) => {
      if (at === 1) void leaveAfter(setup.session, steps);
      return [record];
    };
    const visiting = Visit.accept(far);
    const done = running.then(() => "left");
    const visit = await visiting;
    // Whatever it says before its end, a server that answers nothing doesn't keep it.
    for (let second = 0; second < 10 && !near.closed; second++) {
      setup.clock.advance(1_000);
      await digest();
    }
    assert(near.closed, `after ${steps} steps`);
    assertEquals(await done, "left");
    visit.end();
    setup.assertAllClosed();
  }
});

async function leaveAfter(session: Session, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await Promise.resolve();
  session.leave();
}

/** Lets everything happen that takes no longer than a little cryptography. */
async function digest(): Promise<void> {
  for (let times = 0; times < 5; times++) {
    await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  }
}

Deno.test("Session.leave() while asking to be let in says goodbye", async () => {
  using setup = new Setup();
  const running = setup.session.run();
  const visit = await setup.accept();
  await visit.next("join");
  await setup.leave(visit, running);
  assertEquals(setup.view.of("entered"), []);
});

Deno.test("Session.leave() while away ends at once", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  await setup.view.until("disconnected");
  setup.session.leave();
  await running;
  setup.assertAllClosed();
  assertEquals(setup.dialled.length, 1);
});

Deno.test("Session.leave() inside sends what was said before, then its goodbye", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.stream.incoming.capacity = 100;
  for (let at = 0; at < 300; at++) await setup.session.say(`line ${at}`);
  setup.session.leave();
  setup.session.leave();
  const says = await visit.says(300);
  assertEquals(says.length, 300);
  await visit.echo(2, says);
  await visit.next("bye");
  await visit.dismiss("left");
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() waits until what was said is in the log: a second, and no longer", async () => {
  for (const isTaken of [true, false]) {
    using setup = new Setup();
    const { session, view } = setup;
    const [visit, running] = await setup.enter();
    await session.say("last words");
    const says = await visit.says(1);
    session.leave();
    setup.clock.advance(999);
    const bye = visit.next("bye");
    let left = false;
    bye.then(() => left = true);
    if (isTaken) await visit.echo(2, says);
    else await visit.broadcast(2, { kind: "said", id: 2, n: 1, text: "x" });
    await view.until("said");
    if (!isTaken) {
      assertEquals(left, false);
      setup.clock.advance(1);
    }
    await bye;
    await visit.dismiss("left");
    await running;
    assertEquals(texts(view.of("lost")), isTaken ? [] : ["last words"]);
    setup.assertAllClosed();
  }
});

Deno.test("Session.leave() waits a second for the server's goodbye, and no longer", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  setup.session.leave();
  await visit.next("bye"); // and no answer
  setup.clock.advance(999);
  assertEquals(setup.dialled[0]?.closed, false);
  setup.clock.advance(1);
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() doesn't wait for a connection that takes nothing more", async () => {
  using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.stream.incoming.capacity = 0;
  await setup.session.say("stuck");
  setup.session.leave();
  setup.clock.advance(10_000); // long before it would count as silent
  await running;
  setup.assertAllClosed();
});

Deno.test("Session closes a connection over which it couldn't even ask to be let in", async () => {
  using setup = new Setup();
  const running = setup.session.run();
  const far = await setup.arrival();
  const [near] = setup.dialled;
  assert(near);
  near.outgoing.alter = (record, at) => {
    if (at === 1) near.outgoing.fail(new Deno.errors.BrokenPipe("gone"));
    return [record];
  };
  const accepting = assertRejects(() => Visit.accept(far));
  await assertRejects(() => running, JoinError, "gone");
  await accepting;
  setup.assertAllClosed();
});

// ── All together ───────────────────────────────────────────────────────────────────────────────────────

/** A real room, to which connections break after a random number of writes. @returns How many did. */
async function stay(seed: number): Promise<number> {
  using clock = new ManualClock();
  const random = seededRandom(seed);
  const folder = await Deno.makeTempDir();
  const log = await ChatLog.open(`${folder}/chat.log`, { address: "x:1" });
  const broadcaster = await Broadcaster.create(SERVER.publicKey, 262_144);
  const room = new Room({ log, broadcaster, maxMembers: 2 });
  const open = room.run();
  const served: Promise<void>[] = [];
  let breaks = 0;

  const serve = async (near: MemoryStream, far: MemoryStream) => {
    try {
      const channel = await acceptChannel(far, ACCEPT);
      const connection = new Connection(far, channel, {
        room,
        history: new History(log, 0),
        ring: broadcaster.ring,
        rates: { burst: 1, perSecond: 0, bytesPerMessage: 1 },
        relay: new FileRelay({ maxFileSize: 0, maxTransfers: 1 }),
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
    name: "ana",
    dial,
    handshake: {
      keyPair: CLIENT,
      inviteId: 0,
      checkServer: () => {},
      inviteKey: () => INVITE_KEY,
    },
    view,
    askName: () => Promise.resolve(null),
  });
  const running = session.run();
  const said = Array.from({ length: 400 }, (_, at) => `line ${at}`);
  for (const text of said) {
    await session.say(text);
    if (random(4) === 0) await digest();
  }
  await session.settled();
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

Deno.test("Session brings every line into the log once and in order, over connections that keep breaking", async () => {
  let breaks = 0;
  for (let seed = 1; seed <= 12; seed++) {
    breaks += await stay(seed).catch((cause) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
  assert(breaks > 30, `${breaks} breaks`);
});

// ── What else a member may ask ─────────────────────────────────────────────────────────────────────────

Deno.test("Session.rename() asks for another name, and goes by it once it is told so", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  session.rename("anna");
  assertEquals((await visit.next("rename")).name, "anna");
  assertEquals(view.standing?.name, "ana");
  await visit.broadcast(2, { kind: "renamed", id: 1, n: 0, name: "anna" });
  const renamed = await view.until("renamed");
  assertEquals([renamed.name, renamed.text, renamed.own], [
    "ana",
    "anna",
    true,
  ]);
  assertEquals(view.standing?.name, "anna");
  visit.end();
  const again = await setup.acceptAgain();
  assertEquals((await again.next("join")).name, "anna");
  await again.admit(3);
  await view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session.away() is said again after a lost connection, until the member is back", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  session.away("lunch");
  assertEquals((await visit.next("away")).text, "lunch");
  await visit.broadcast(2, { kind: "absent", id: 1, text: "lunch" });
  const told = await view.until("away-message");
  assertEquals([told.name, told.text, told.own], ["ana", "lunch", true]);
  visit.end();
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(3);
  assertEquals((await again.next("away")).text, "lunch");
  session.away("");
  assertEquals((await again.next("away")).text, "");
  again.end();
  const third = await setup.acceptAgain(1);
  await third.next("join");
  await third.admit(5);
  await view.until("entered", 2);
  await setup.leave(third, running); // says nothing before its goodbye
});

Deno.test("Session.search() shows what was found apart from the lines of the room", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  session.search("red", 5);
  const { id, words, before, count } = await visit.next("find");
  assertEquals([words, before, count], ["red", null, 5]);
  await visit.tell(past(3, 1, "red"), { kind: "found", id, more: true });
  const found = await view.until("found");
  assertEquals([found.words, found.more], ["red", true]);
  assertEquals(found.lines.map(({ seq, text }) => [seq, text]), [[3, "red"]]);
  assertEquals(view.of("said"), []);
  await visit.broadcast(10, { kind: "said", id: 2, n: 1, text: "next" });
  await view.until("said");
  await setup.leave(visit, running);
});

Deno.test("Session.search() asks again for what wasn't answered, once it is back", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  session.search("red", 5);
  assertEquals((await visit.next("find")).words, "red");
  visit.end();
  await view.until("disconnected");
  session.search("blue", 5);
  assertEquals(view.notes, [
    "Not connected: the server is asked when it is back",
  ]);
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(10);
  const finds = [await again.next("find"), await again.next("find")];
  assertEquals(finds.map(({ words }) => words), ["red", "blue"]);
  for (const { id } of finds) {
    await again.tell({ kind: "found", id, more: false });
  }
  await view.until("found", 1);
  assertEquals(view.of("found").map(({ words }) => words), ["red", "blue"]);
  await setup.leave(again, running);
});

Deno.test("Session.search() says so where too many answers are waited for", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  for (let n = 0; n < 17; n++) session.search(`${n}`, 5);
  assertEquals(view.notes, [
    "Cannot search: too many answers are waited for",
  ]);
  for (let n = 0; n < 16; n++) {
    assertEquals((await visit.next("find")).words, `${n}`);
  }
  await setup.leave(visit, running);
});

Deno.test("Session.run() tells of each line that may be lost when it ends", async () => {
  using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  for (const text of ["one", "two"]) await session.say(text);
  const says = await visit.says(2);
  await visit.echo(2, says.slice(0, 1));
  await view.until("said");
  visit.end();
  await view.until("disconnected");
  await session.say("three");
  assertEquals([view.of("lost"), session.failedAny], [[], false]);
  session.leave();
  await running;
  assertEquals(texts(view.of("lost")), ["two", "three"]);
  assertEquals(session.failedAny, true);
});

Deno.test("Session comes back with the room's new key where it was told of one", async () => {
  using setup = new Setup();
  const { view } = setup;
  const [visit, running] = await setup.enter();
  const key = randomBytes(32);
  await visit.tell({ kind: "rekeyed", key: toBase64url(key) });
  await visit.broadcast(2, { kind: "said", id: 2, n: 1, text: "x" });
  await view.until("said");
  visit.end();
  await view.until("disconnected");
  setup.clock.advance(30_000);
  const stream = await setup.arrival();
  const asked: number[] = [];
  const channel = await acceptChannel(stream, {
    ...ACCEPT,
    inviteKey: (id) => {
      asked.push(id);
      return key;
    },
  });
  assertEquals(asked, [ROOM_INVITE_ID]);
  setup.session.leave();
  channel.close();
  await running;
});
