/**
 * One connection as a client sees it, with a channel of the test's own: what is asked for, and what is reported when.
 *
 * @module
 */

import { randomBytes } from "../../../crypto_utils.ts";
import { Link, type LinkListener } from "../../../src/client/link.ts";
import { Epoch } from "../../../src/crypto/epoch.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import { epochFields } from "../../../src/protocol/epoch_event.ts";
import {
  encodeEvent,
  type Event,
  EventError,
  packEvents,
} from "../../../src/protocol/events.ts";
import {
  broadcastHeader,
  RecordType,
  type SealedRecord,
  WireError,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { madeUpId, madeUpPerson, madeUpStay } from "../../kit/people.ts";

const SERVER_KEY = randomBytes(32);
const SELF = {
  id: madeUpId("ana"),
  person: madeUpPerson("ana"),
  card: "CARD",
  stay: madeUpStay("ana"),
};

/** A channel over which the test says what comes. */
class TestChannel {
  readonly remoteKey = SERVER_KEY;
  readonly sent: Event[] = [];
  closed = 0;
  readonly #events = new Map<SealedRecord, Event[]>();
  #waiting: (SealedRecord[] | null | Error)[] = [];
  #more = Promise.withResolvers<void>();

  async read(): Promise<SealedRecord[] | null> {
    while (this.#waiting.length === 0) await this.#more.promise;
    const next = this.#waiting.shift() ?? null;
    if (next instanceof Error) throw next;
    return next;
  }

  open(record: SealedRecord): Promise<Event[]> {
    return Promise.resolve(this.#events.get(record) ?? []);
  }

  send(...events: Event[]): Promise<void> {
    this.sent.push(...events);
    return Promise.resolve();
  }

  close(): void {
    this.closed++;
    this.arrive(null);
  }

  arrive(what: SealedRecord[] | null | Error): void {
    this.#waiting.push(what);
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  /** The server tells this client something. */
  tell(...events: Event[]): void {
    const record = { type: RecordType.direct } as SealedRecord;
    this.#events.set(record, events);
    this.arrive([record]);
  }
}

/** A connection, what it reports, and the server at its other end. */
class Setup implements AsyncDisposable {
  readonly clock = new ManualClock(); // so that nothing comes by itself
  readonly channel = new TestChannel();
  readonly link: Link;
  readonly running: ReturnType<Link["run"]>;
  /** What was reported: which, and with what. */
  readonly told: unknown[][] = [];
  /** What the listener has that it needn't. */
  readonly more: Partial<LinkListener>;
  #epoch: Epoch | undefined;

  constructor(more: Partial<LinkListener> = {}) {
    this.more = more;
    const listener = new Proxy(more, {
      get: (target, name: keyof LinkListener) =>
        name === "ready" || name === "sealed"
          ? target[name]
          : (...told: unknown[]) => void this.told.push([name, ...told]),
    }) as LinkListener;
    const channel = this.channel as unknown as Channel;
    this.link = new Link(channel, SELF, listener);
    this.running = this.link.run();
    this.running.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.close();
    await this.running.catch(() => {});
    this.clock[Symbol.dispose]();
  }

  /** One whose client is in, of which that was reported. */
  static async inside(): Promise<Setup> {
    const setup = new Setup();
    await setup.admit();
    await setup.reports();
    return setup;
  }

  /** Lets all that has come be taken. */
  async turns(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) await Promise.resolve();
  }

  /** What was reported since the last call, of some kinds. */
  async reports(...kinds: (keyof LinkListener)[]): Promise<unknown[][]> {
    await this.turns();
    const isWanted = ([kind]: unknown[]) =>
      kinds.length === 0 || kinds.includes(kind as keyof LinkListener);
    return this.told.splice(0).filter(isWanted);
  }

  /** Lets the client in, as connection 1 beside Ben, behind line `seq`. */
  async admit(seq = 4, ...before: Event[]): Promise<void> {
    this.#epoch = await Epoch.fresh(SERVER_KEY, 1);
    this.channel.tell(
      here(1, "ana"),
      here(2, "ben"),
      { kind: "epoch", ...epochFields(this.#epoch) },
      ...before,
      { kind: "welcome", id: 1, seq, at: 9, name: "ana" },
    );
    for (let at = 0; !this.told.some(([it]) => it === "entered"); at++) {
      assert(at < 1_000);
      await crypto.subtle.digest("SHA-256", new Uint8Array(1));
    }
  }

  /** Tells everybody something, in one record. */
  async broadcast(...events: Event[]): Promise<void> {
    const [plaintext] = packEvents(events.map(encodeEvent));
    assert(plaintext && this.#epoch);
    const header = broadcastHeader(plaintext.length);
    const body = await this.#epoch.seal(plaintext, header);
    const type = RecordType.broadcast;
    this.channel.arrive([{ type, header, body } as unknown as SealedRecord]);
  }

  /** Has all go on with the next key. */
  async ratchet(): Promise<void> {
    await this.broadcast({ kind: "ratchet" });
    this.#epoch = await this.#epoch?.ratchet();
  }

  /** The reports, once there is one of a kind. */
  async until(kind: keyof LinkListener): Promise<unknown[][]> {
    for (let at = 0; !this.told.some(([it]) => it === kind); at++) {
      assert(at < 1_000, `"${kind}" is never reported`);
      await crypto.subtle.digest("SHA-256", new Uint8Array(1));
    }
    return await this.reports();
  }
}

function here(id: number, name: string): Event<"here"> {
  const who = { name, person: madeUpId(name), stay: madeUpStay(name) };
  return { kind: "here", id, ...who, since: 1, active: 1, away: "" };
}

/** A past line, which is by itself told as the line without its kind. */
function past(seq: number, name: string, more: Partial<Event<"past">> = {}) {
  const who = { name, person: madeUpPerson(name), stay: madeUpStay(name) };
  const line = { seq, at: 1, n: 0, to: null, text: `${seq}`, ...who };
  return { kind: "past", what: "said", ...line, ...more } as Event<"past">;
}

const chain = (seq: number): Event<"chain"> => ({
  kind: "chain",
  seq,
  value: "",
});
const batch = (seq: number): Event => ({ kind: "batch", seq, at: 7 });
const said = (id: number, text: string): Event => ({
  kind: "said",
  id,
  n: 1,
  text,
});
const seqs = (lines: unknown) =>
  (lines as { seq: number }[]).map(({ seq }) => seq);

// ── Coming in ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Link.join() asks to be let in, and tells why not, or that the client is in or the connection has ended", async () => {
  await using setup = new Setup();
  const { channel, link } = setup;
  const refused = {
    kind: "refused",
    n: null,
    reason: "name-taken",
    detail: "x",
  } as const;
  const first = link.join("ana", 3, null);
  const { stay, card } = SELF;
  assertEquals(channel.sent, [
    { kind: "join", name: "ana", stay, n: 3, after: null, card },
  ]);
  channel.tell({ ...refused, n: 7 }); // a line of before
  assertEquals(await setup.reports(), [["refused", 7, "name-taken", "x"]]);
  channel.tell(chain(1), past(2, "ben"), refused);
  assertEquals(await first, { reason: "name-taken", detail: "x" });
  const second = link.join("anna", 3, 9);
  await setup.admit();
  assertEquals(await second, undefined);
  const [entered] = await setup.reports("entered");
  assertEquals(entered?.slice(3), [[], null, { start: undefined, lines: [] }]);
  channel.tell(refused); // for what is asked for inside
  assertEquals(await setup.reports(), [["refused", null, "name-taken", "x"]]);
  await using other = new Setup();
  const third = other.link.join("ana", 0, null);
  other.channel.arrive(null);
  assertEquals(await third, undefined);
});

Deno.test("Link reports with its coming in the lines that it was owed but its own joining, and which they follow", async () => {
  await using setup = new Setup();
  const lines = [
    past(3, "ana", { what: "joined" }),
    past(4, "ana"),
    past(5, "ana", { what: "joined", stay: madeUpStay("other") }),
    past(6, "ben", { what: "joined", stay: SELF.stay }),
  ];
  await setup.admit(7, past(1, "ben"), chain(2), ...lines);
  const [entered] = await setup.reports("entered");
  const [, link, welcome, missed, joining, along] = entered ?? [];
  assertEquals([link, joining], [setup.link, 3]);
  assertEquals((welcome as Event<"welcome">).seq, 7);
  assertEquals(seqs(missed), [1, 4, 5, 6]);
  const { start, lines: all } = along as { start: unknown; lines: unknown };
  assertEquals([start, seqs(all)], [chain(2), [3, 4, 5, 6]]);
  assertEquals(setup.link.present.map(({ name }) => name), ["ana", "ben"]);
  assertEquals([setup.link.count, setup.link.serverKey], [2, SERVER_KEY]);
});

// ── What the server tells ──────────────────────────────────────────────────────────────────────────────

Deno.test("Link reports what was found and each page with the lines that were told for it, and nothing twice", async () => {
  await using setup = await Setup.inside();
  const { channel } = setup;
  channel.tell(past(1, "ben"), past(2, "ben"), {
    kind: "found",
    id: 5,
    more: true,
  });
  channel.tell(past(9, "ben"), chain(2), past(3, "ben"), {
    kind: "paged",
    id: 6,
    more: false,
  });
  channel.tell({ kind: "paged", id: 7, more: true }, {
    kind: "found",
    id: 8,
    more: false,
  });
  const [found, page, ...rest] = await setup.reports();
  assertEquals([found?.[0], found?.[1], seqs(found?.[2]), found?.[3]], [
    "found",
    5,
    [1, 2],
    true,
  ]);
  const { start, lines } = page?.[2] as { start: unknown; lines: unknown };
  assertEquals([page?.[1], start, seqs(lines), page?.[3]], [
    6,
    chain(2),
    [9, 3],
    false,
  ]);
  const nothing = { start: undefined, lines: [] };
  assertEquals(rest, [["paged", 7, nothing, true], ["found", 8, [], false]]);
});

Deno.test("Link reports each thing that the server tells to who deals with it", async () => {
  await using setup = await Setup.inside();
  const events: [keyof LinkListener, Event][] = [
    ["agreed", { kind: "agreed", id: 1, seq: 2, value: "" }],
    ["file", { kind: "fetch", id: 1, offer: 2, from: 0, size: 1 }],
    ["file", { kind: "limits", fileSize: 9 }],
    ["file", { kind: "missing", id: 1, reason: "gone" }],
    ["file", { kind: "piece", id: 1, data: "AA" }],
    ["file", {
      kind: "took",
      offer: 1,
      name: "ben",
      person: madeUpPerson("ben"),
    }],
    ["mail", { kind: "nobody", id: 1 }],
    ["mail", { kind: "privately", n: 1, state: "delivered" }],
    ["mail", { kind: "card", id: 1, name: "", card: "" }],
    ["told", { kind: "motd", text: "hi" }],
    ["told", { kind: "room", topic: "t", slow: 0 }],
    ["told", { kind: "servers", list: "a:1" }],
    ["told", { kind: "waiting", is: true }],
  ];
  setup.channel.tell(...events.map(([, event]) => event), { kind: "slowed" });
  assertEquals(await setup.reports(), [...events, ["slowed"]]);
  setup.channel.tell({ kind: "ping" });
  await setup.turns();
  assertEquals(setup.channel.sent, [{ kind: "pong" }]);
});

Deno.test("Link reports what an operator asked for when the answer is complete, and refused lines and names at once", async () => {
  await using setup = await Setup.inside();
  const notice = { kind: "notice", text: "one" } as const;
  const refuse = (n: number | null, reason: string) =>
    ({ kind: "refused", n, reason, detail: "" }) as const;
  setup.channel.tell(past(3, "ben"), refuse(7, "log-failed"), {
    kind: "found",
    id: 1,
    more: false,
  });
  setup.channel.tell(notice, refuse(null, "not-operator"));
  const [line, found, ...early] = await setup.reports();
  assertEquals([line, early], [["refused", 7, "log-failed", ""], []]);
  assertEquals(seqs(found?.[2]), [3]); // which the refusal of a line leaves
  setup.channel.tell({ kind: "answered", id: 5 }, { kind: "answered", id: 6 });
  assertEquals(await setup.reports(), [
    ["answered", 5, [notice, refuse(null, "not-operator")]],
    ["answered", 6, []],
  ]);
  setup.channel.tell(past(3, "ben"), chain(2), refuse(null, "log-unreadable"), {
    kind: "paged",
    id: 1,
    more: false,
  });
  assertEquals(await setup.reports(), [
    ["refused", null, "log-unreadable", ""],
    ["paged", 1, { start: undefined, lines: [] }, false],
  ]);
});

Deno.test("Link takes nothing of sealed rooms in an open one, and in a sealed one with the lines that it follows", async () => {
  const followed = {
    kind: "followed",
    seq: 1,
    more: false,
  } as unknown as Event<"followed">;
  await using open = new Setup();
  open.channel.tell(followed);
  await assertRejects(
    () => open.running,
    EventError,
    'Cannot take "followed" in an open room',
  );
  const news: unknown[][] = [];
  await using sealed = new Setup({
    sealed: (it, lines) => void news.push([it.kind, seqs(lines)]),
  });
  const needed = { kind: "needed" } as unknown as Event<"needed">;
  const wrapped = { kind: "wrapped" } as unknown as Event<"wrapped">;
  sealed.channel.tell(
    past(1, "ben"),
    followed,
    past(2, "ben"),
    wrapped,
    needed,
    followed,
  );
  await sealed.turns();
  assertEquals(news, [
    ["followed", [1]],
    ["wrapped", []],
    ["needed", []],
    ["followed", [2]],
  ]);
});

Deno.test("Link takes each record when its listener has place for it", async () => {
  const gate = Promise.withResolvers<void>();
  await using setup = new Setup({ ready: () => gate.promise });
  setup.channel.tell({ kind: "slowed" });
  assertEquals(await setup.reports(), []);
  gate.resolve();
  assertEquals(await setup.reports(), [["slowed"]]);
});

// ── What all are told ──────────────────────────────────────────────────────────────────────────────────

Deno.test("Link reports lines in their order, as they stand in the log and then what they say, and who is there", async () => {
  await using setup = await Setup.inside();
  await setup.broadcast(
    batch(5),
    said(2, "hi"),
    { kind: "beside", id: 3, of: 1, stay: madeUpStay("other") },
    said(3, "own"),
    { kind: "absent", id: 2, text: "tea" },
    { kind: "parted", id: 3 },
    { kind: "room", topic: "t", slow: 0 },
    { kind: "servers", list: "a:1" },
    { kind: "waiting", is: true },
    { kind: "left", id: 2, n: 2, reason: "lost" },
  );
  const all = await setup.until("told");
  const lines = all.filter(([kind]) => kind === "took" || kind === "happened");
  assertEquals(
    lines.map(([kind, line, own, member]) => {
      const { seq, at, text } = line as {
        seq: number;
        at: number;
        text: string;
      };
      const { name } = (member ?? {}) as { name?: string };
      return [kind, seq, at, text, own, name];
    }),
    [
      ["took", 5, 7, "hi", undefined, undefined],
      ["happened", 5, 7, "hi", false, "ben"],
      ["took", 6, 7, "own", undefined, undefined],
      ["happened", 6, 7, "own", true, "ana"],
      ["took", 7, 7, "lost", undefined, undefined],
      ["happened", 7, 7, "lost", false, undefined],
    ] as unknown[],
  );
  const [absent] = all.filter(([kind]) => kind === "absent");
  assertEquals([
    (absent?.[1] as { name: string }).name,
    absent?.[2],
    absent?.[3],
  ], ["ben", "tea", false]);
  const told = all.flatMap(([kind, event]) =>
    kind === "told" ? [(event as Event).kind] : []
  );
  assertEquals(told, ["room", "servers", "waiting"]);
  const [ana, ...others] = setup.link.present;
  assertEquals([ana?.connections, others], [1, []]);
});

Deno.test("Link goes on with the next key where it is told to, and ends a connection that goes on with the last one", async () => {
  await using setup = await Setup.inside();
  await setup.ratchet();
  await setup.broadcast(batch(5), said(2, "hi"));
  assertEquals((await setup.until("happened")).length, 2);
  await setup.broadcast({ kind: "ratchet" }); // and nothing follows from that here
  await setup.broadcast(batch(6), said(2, "hi"));
  await assertRejects(() => setup.running, Error, "Cannot open");
});

Deno.test("Link ends a connection on which lines come without their numbers, or before their key", async () => {
  await using setup = new Setup();
  await setup.admit();
  await setup.broadcast({ kind: "absent", id: 2, text: "" });
  await assertRejects(
    () => setup.running,
    EventError,
    "Cannot read lines unnumbered",
  );
  await using again = new Setup();
  await again.admit();
  await again.broadcast(batch(5), said(2, "hi"));
  await again.broadcast(said(2, "without a heading of its own"));
  await assertRejects(() => again.running, EventError, "unnumbered");
  await using early = new Setup();
  const types = [RecordType.broadcast, RecordType.shared];
  for (const type of types) {
    early.channel.arrive([{ type } as SealedRecord]);
    await assertRejects(() => early.running, WireError, "it has no key");
  }
});

// ── Signs of life, and the end ─────────────────────────────────────────────────────────────────────────

Deno.test("Link.fence() resolves when all that was asked for before is answered, or when that can't be any more", async () => {
  await using setup = new Setup();
  const { channel, link } = setup;
  let done = 0;
  const fences = [1, 2, 3].map(() => {
    const fence = link.fence();
    fence.then(() => done++);
    return fence;
  });
  assertEquals(channel.sent, Array(3).fill({ kind: "ping" }));
  channel.tell({ kind: "pong" });
  await setup.turns();
  assertEquals(done, 1);
  channel.tell({ kind: "pong" });
  await setup.turns();
  assertEquals(done, 2);
  channel.arrive(null);
  assertEquals(await Promise.all(fences), [true, true, false]);
  assertEquals([await link.fence(), channel.sent.length], [false, 3]);
});

Deno.test("Link pings after 20 s in which it said nothing, and ends after 35 in which nothing came for it", async () => {
  await using setup = new Setup();
  const { channel, clock, link } = setup;
  const pings = () =>
    channel.sent.splice(0).filter(({ kind }) => kind === "ping").length;
  clock.advance(19_000);
  assertEquals([pings(), setup.told.length], [0, 19]);
  await link.ask({ kind: "page", id: 1, before: 1, count: 1 });
  clock.advance(15_000);
  assertEquals([pings(), channel.closed], [0, 0]);
  clock.advance(1_000);
  assertEquals(channel.closed, 1);
  assertEquals(await setup.running, "silent");
  assertEquals(clock.pending, 0);

  await using other = new Setup();
  other.channel.tell({ kind: "pong" });
  other.clock.advance(20_000);
  assertEquals(other.channel.sent, [{ kind: "ping" }]);
  other.clock.advance(10_000);
  other.channel.tell({ kind: "pong" }); // a sign of life
  await other.turns();
  other.clock.advance(34_000);
  assertEquals(other.channel.closed, 0);
  other.clock.advance(1_000);
  assertEquals(await other.running, "silent");
});

Deno.test("Link.hurry() asks for a sign of life within 10 s, once, and not where that is asked for already", async () => {
  await using setup = new Setup();
  const { channel, clock, link } = setup;
  await link.hurry();
  await link.hurry();
  assertEquals(channel.sent, [{ kind: "ping" }]);
  clock.advance(9_000);
  channel.tell({ kind: "pong" });
  await setup.turns();
  clock.advance(2_000);
  assertEquals(channel.closed, 0);
  clock.advance(33_000);
  assertEquals([channel.closed, await setup.running], [1, "silent"]); // nobody looked
  await using dead = new Setup();
  await dead.link.hurry();
  dead.clock.advance(10_000);
  assertEquals(await dead.running, "lost");
  await dead.link.hurry();
  assertEquals(dead.channel.sent.length, 1);
});

Deno.test("Link.run() ends with the reason that the server gave, or as lost, and closes", async () => {
  const gone = new Deno.errors.ConnectionReset();
  const cases: [
    end: null | Error,
    reason: string | undefined,
    goodbye: string,
  ][] = [
    [null, undefined, "lost"],
    [null, "stopped", "stopped"],
    [null, "\x1b[2J", "lost"],
    [gone, undefined, "lost"],
    [gone, "slow", "slow"],
  ];
  for (const [end, reason, goodbye] of cases) {
    await using setup = new Setup();
    if (reason !== undefined) setup.channel.tell({ kind: "bye", reason });
    setup.channel.arrive(end);
    assertEquals(await setup.running, goodbye);
    assertEquals(setup.channel.closed, 1);
  }
  for (const wrong of [{ kind: "pang" }, { kind: "said" }, { kind: "join" }]) {
    await using broken = new Setup();
    broken.channel.tell(wrong as Event);
    await assertRejects(
      () => broken.running,
      EventError,
      "outside a broadcast",
    );
    assertEquals(broken.channel.closed, 1);
  }
});

Deno.test("Link.bye() says goodbye and waits a second for the end, and says nothing over what has ended", async () => {
  await using setup = new Setup();
  const { channel, clock, link } = setup;
  await link.bye();
  assertEquals(channel.sent, [{ kind: "bye", reason: "left" }]);
  clock.advance(999);
  assertEquals(channel.closed, 0);
  clock.advance(1);
  assertEquals(channel.closed, 1);
  assertEquals(await setup.running, "lost");
  await link.bye();
  assertEquals([channel.sent.length, clock.pending], [1, 0]);
  await using other = new Setup();
  await other.link.bye("good night");
  assertEquals(other.channel.sent, [{ kind: "bye", reason: "good night" }]);
  other.link.close();
  await other.running;
  assertEquals(other.clock.pending, 0);
});
