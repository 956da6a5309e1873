/**
 * Files between members of different servers: relays that are joined, with members that note what they are told.
 *
 * @module
 */

import { Notify } from "../../../../src/base/notify.ts";
import { type Event, EventError } from "../../../../src/protocol/events.ts";
import { PIECE_SIZE } from "../../../../src/protocol/offer.ts";
import { FarFiles } from "../../../../src/server/cluster/far_files.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import type { Passing, Peer } from "../../../../src/server/file_peer.ts";
import {
  FileRelay,
  type FileRelayOptions,
} from "../../../../src/server/file_relay.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { MemoryCompany } from "../../../kit/memory_siblings.ts";

const OFFER = 7;

/** Somebody who notes what it is told. */
class Member implements Peer {
  readonly told: Event[] = [];
  readonly #changed = new Notify();

  tell(...events: Event[]): void {
    this.told.push(...events);
    this.#changed.notify();
  }

  /** Waits until it was told so many of a kind. */
  async until<K extends Event["kind"]>(
    kind: K,
    count = 1,
  ): Promise<Event<K>[]> {
    for (;;) {
      const found = this.told.filter((it) => it.kind === kind) as Event<K>[];
      if (found.length >= count) return found;
      await this.#changed.wait();
    }
  }
}

/** A member who answers each fetch with the piece, as its client does. */
class Holder extends Member {
  /** Characters for which it was excused. */
  excused = 0;

  constructor(readonly relay: FileRelay) {
    super();
  }

  override tell(...events: Event[]): void {
    super.tell(...events);
    for (const { kind, ...event } of events) {
      if (kind !== "fetch") continue;
      const { id, from, size } = event as Event<"fetch">;
      const data = dataOf(size, from);
      this.excused += this.relay.piece(this, { kind: "piece", id, data });
    }
  }
}

/** Servers a, b and c of a room. */
function setUp(options: Partial<FileRelayOptions> = {}) {
  const company = new MemoryCompany();
  const [a, b, c] = ["a", "b", "c"].map((own) => {
    const siblings = company.join(own);
    const limits = { maxFileSize: 2 ** 30, maxTransfers: 4, ...options };
    return { siblings, relay: new FileRelay({ ...limits, siblings }) };
  });
  assert(a && b && c);
  return { company, a, b, c };
}

function fetch(id: number, from = 0, size = 9, offer = OFFER): Event<"fetch"> {
  return { kind: "fetch", id, offer, from, size };
}

/** As much base64url as so many bytes come to; of other places, other ones. */
function dataOf(size: number, from = 0): string {
  return String.fromCharCode(65 + from % 26).repeat(Math.ceil(size * 4 / 3));
}

const reasons = (all: Event<"missing">[]) => all.map(({ reason }) => reason);

Deno.test("a piece of a file that is held at another server reaches who asked for it", async () => {
  const { a, b } = setUp();
  const holder = new Holder(b.relay);
  b.relay.hold(holder, OFFER, 100);
  const taker = new Member();
  assertEquals(a.relay.fetch(taker, fetch(31, 5, 9)), undefined);
  const [piece] = await taker.until("piece");
  assertEquals(piece, { kind: "piece", id: 31, data: dataOf(9, 5) });
  const [asked] = await holder.until("fetch");
  assertEquals([asked?.offer, asked?.from, asked?.size], [OFFER, 5, 9]);
  assertEquals(holder.excused, 12); // as much as was ordered
  assertEquals([a.relay.transfers, b.relay.transfers], [0, 0]);
});

Deno.test("all servers are asked for a file once, and then the one alone that has it", async () => {
  const { company, a, b, c } = setUp();
  b.relay.hold(new Holder(b.relay), OFFER, 100);
  const taker = new Member();
  for (let id = 0; id < 4; id++) a.relay.fetch(taker, fetch(id, id));
  await taker.until("piece", 4);
  a.relay.fetch(taker, fetch(4, 4));
  await taker.until("piece", 5);
  const asked = { topic: "fetch", from: "a", to: "b" };
  assertEquals(company.sent, [
    { topic: "held", from: "a", to: undefined },
    ...Array.from({ length: 5 }, () => asked),
  ]);
  assertEquals(c.relay.holds(OFFER), false);
});

Deno.test("a file that nobody holds anywhere is gone, and there when somebody holds it", async () => {
  const { company, a, c } = setUp();
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  assertEquals(reasons(await taker.until("missing")), ["gone"]);
  assertEquals(company.sent.map(({ topic }) => topic), ["held"]);
  c.relay.hold(new Holder(c.relay), OFFER, 100);
  a.relay.fetch(taker, fetch(2));
  assertEquals((await taker.until("piece")).map(({ id }) => id), [2]);
});

Deno.test("a holder that moves to another server is found there, without a piece missing", async () => {
  const { a, b, c } = setUp();
  const before = new Holder(b.relay);
  b.relay.hold(before, OFFER, 100);
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  await taker.until("piece");
  b.relay.release(before);
  const after = new Holder(c.relay);
  c.relay.hold(after, OFFER, 100);
  a.relay.fetch(taker, fetch(2, 9));
  await taker.until("piece", 2);
  a.relay.release(taker);
  const here = new Holder(a.relay);
  c.relay.release(after);
  a.relay.hold(here, OFFER, 100);
  a.relay.fetch(taker, fetch(3, 18));
  await taker.until("piece", 3);
  assertEquals(taker.told.map(({ kind }) => kind), ["piece", "piece", "piece"]);
  assertEquals([after.told.length, here.told.length], [1, 1]);
});

Deno.test("a server that falls silent is late, and others are asked for what it had", async () => {
  const { a, b, c } = setUp();
  b.relay.hold(new Holder(b.relay), OFFER, 100);
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  await taker.until("piece");
  b.siblings.isSilent = true;
  a.relay.fetch(taker, fetch(2));
  assertEquals(reasons(await taker.until("missing")), ["late"]);
  c.relay.hold(new Holder(c.relay), OFFER, 100);
  a.relay.fetch(taker, fetch(3));
  await taker.until("piece", 2);
});

Deno.test("FileRelay.forget() ends what waits for a server, and what its members had asked for", async () => {
  const { a, b } = setUp();
  const holder = new Member(); // who doesn't answer
  b.relay.hold(holder, OFFER, 100);
  const taker = new Member();
  for (let id = 0; id < 12; id++) a.relay.fetch(taker, fetch(id, id));
  const asked = await holder.until("fetch", 8);
  assertEquals([a.relay.transfers, b.relay.transfers], [1, 1]);
  b.siblings.isSilent = true;
  a.relay.forget("b");
  assertEquals(
    reasons(await taker.until("missing", 12)),
    Array.from({ length: 12 }, () => "gone"),
  );
  b.relay.forget("a");
  assertEquals([a.relay.transfers, b.relay.transfers], [0, 0]);
  const [first] = asked;
  const piece = { kind: "piece", id: first?.id ?? 0, data: "AA" } as const;
  assertEquals(b.relay.piece(holder, piece), 0); // nobody waits for it
});

Deno.test("takers at other servers have the same limits as those who are here, each by itself", async () => {
  const { a, b, c } = setUp({ maxTransfers: 2 });
  const holder = new Member();
  b.relay.hold(holder, OFFER, 100);
  const [first, second, third] = [new Member(), new Member(), new Member()];
  for (let id = 0; id < 6; id++) a.relay.fetch(first, fetch(id, id));
  await holder.until("fetch", 6);
  for (let id = 0; id < 6; id++) c.relay.fetch(second, fetch(id, id));
  await holder.until("fetch", 8); // at a time, of one holder
  c.relay.fetch(third, fetch(1));
  assertEquals(reasons(await third.until("missing")), ["busy"]);
  assertEquals(holder.told.length, 8);
  for (const { id } of await holder.until("fetch")) {
    b.relay.piece(holder, { kind: "piece", id, data: dataOf(9) });
  }
  assertEquals((await holder.until("fetch", 12)).length, 12);
});

Deno.test("who holds a file at another server is told who has it, once of each person", async () => {
  const { company, a, b } = setUp();
  const holder = new Holder(b.relay);
  b.relay.hold(holder, OFFER, 100);
  const ann = { name: "ann", person: "k3df9q2mx7ta41cz" };
  const ben = { name: "ben", person: "w3df9q2mx7ta41cz" };
  a.relay.taken(OFFER, ann);
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  await taker.until("piece");
  for (const who of [ann, ben, ben]) a.relay.taken(OFFER, who);
  const told = await holder.until("took", 2);
  const kind = "took" as const;
  assertEquals(told, [ann, ben].map((who) => ({ kind, offer: OFFER, ...who })));
  assertEquals(company.sent.at(-1)?.to, "b");
});

Deno.test("why a holder at another server doesn't give a piece is passed on, and so is that it is late", async () => {
  const { a, b } = setUp();
  const holder = new Member();
  b.relay.hold(holder, OFFER, 100);
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  a.relay.fetch(taker, fetch(2));
  const [first] = await holder.until("fetch", 2);
  const id = first?.id ?? 0;
  b.relay.missing(holder, { kind: "missing", id, reason: "dropped" });
  await taker.until("missing");
  for (let second = 0; second < 16; second++) b.relay.tick();
  const answers = await taker.until("missing", 2);
  assertEquals(answers.map(({ id, reason }) => [id, reason]), [
    [1, "dropped"],
    [2, "late"],
  ]);
  assertEquals(a.relay.transfers, 0);
});

Deno.test("a member that asks for bytes beyond the end of a file at another server doesn't get them", async () => {
  const { a, b } = setUp();
  b.relay.hold(new Holder(b.relay), OFFER, 100);
  const taker = new Member();
  a.relay.fetch(taker, fetch(1, 99, 2));
  await taker.until("missing");
  a.relay.fetch(taker, fetch(2, 100 - 2, 2));
  await taker.until("piece");
});

Deno.test("a piece of another size than a room's pieces have is none, whatever another server says", async () => {
  const { a, company } = setUp();
  const d = company.join("d");
  d.hear("held", () => ({}));
  const answers = [{ data: "AA" }, { data: 5 }, { missing: "\x1b[2J" }, {}];
  d.hear("fetch", () => answers.shift());
  const taker = new Member();
  for (let id = 0; id < 4; id++) {
    a.relay.fetch(taker, fetch(id));
    await taker.until("missing", id + 1);
  }
  const all = await taker.until("missing", 4);
  assertEquals(reasons(all), ["changed", "late", "changed", "late"]);
});

Deno.test("a file passes through three servers' limits whole, in an order that each taker chose", async () => {
  const { a, b, c } = setUp();
  const size = 40 * PIECE_SIZE;
  b.relay.hold(new Holder(b.relay), OFFER, size);
  const takers = [a, a, b, c].map(({ relay }) => ({
    relay,
    taker: new Member(),
  }));
  await Promise.all(takers.map(async ({ relay, taker }) => {
    for (let piece = 0; piece < 40; piece++) {
      const from = piece * PIECE_SIZE;
      const answer = relay.fetch(taker, fetch(piece, from, PIECE_SIZE));
      assertEquals(answer, undefined);
      if (piece >= 7) await taker.until("piece", piece - 6);
    }
    const pieces = await taker.until("piece", 40);
    assertEquals(pieces.map(({ id }) => id), pieces.map((_, id) => id));
    for (const { id, data } of pieces) {
      assert(data === dataOf(PIECE_SIZE, id * PIECE_SIZE), `piece ${id}`);
    }
    assertEquals(taker.told.length, 40);
  }));
});

// ── By itself ──────────────────────────────────────────────────────────────────────────────────────────

/** What is asked of a relay that has one file, and who has asked. */
function standIn(): Passing & {
  readonly fetched: { readonly taker: Peer; readonly wanted: Event<"fetch"> }[];
  readonly released: Peer[];
  readonly took: unknown[];
} {
  const fetched: { taker: Peer; wanted: Event<"fetch"> }[] = [];
  const released: Peer[] = [];
  const took: unknown[] = [];
  return {
    fetched,
    released,
    took,
    holds: (offer) => offer === OFFER,
    takerOf: () => undefined,
    fetch: (taker, wanted) => void fetched.push({ taker, wanted }),
    piece: () => 0,
    missing() {},
    tellTaken: (...what) => void took.push(what),
    release: (peer) => void released.push(peer),
  };
}

/** Files of server "a" over a stand-in for its relay, and "b", which asks for what "a" holds. */
function alone() {
  const company = new MemoryCompany();
  const relay = standIn();
  const far = new FarFiles(relay, company.join("a"));
  const b = company.join("b");
  const ask = async (message: Message, by = b) =>
    (await by.ask("fetch", message, { to: "a" }))?.message;
  return { company, relay, far, b, ask };
}

Deno.test("it is remembered of 1,024 files where they are", () => {
  const { far } = alone();
  const first = far.holder(1);
  for (let offer = 2; offer <= 1_024; offer++) far.holder(offer);
  assert(far.holder(1) === first);
  const second = far.holder(2);
  far.holder(1_025); // the oldest gives way
  assert(far.holder(2) === second);
  assert(far.holder(1) !== first);
});

Deno.test("what another server asks for is a number of bytes of a file, for one of its takers, or isn't answered", async () => {
  const { relay, ask } = alone();
  const right = { offer: OFFER, from: 0, size: 9, taker: 1 };
  for (const name of ["offer", "from", "size"]) {
    for (const wrong of ["1", -1, 1.5, 2 ** 53, null, undefined]) {
      assertEquals(await ask({ ...right, [name]: wrong }), undefined);
    }
  }
  for (const wrong of ["1", null, undefined]) {
    assertEquals(await ask({ ...right, taker: wrong }), undefined);
  }
  assertEquals(await ask({ ...right, offer: 8 }), { missing: "gone" });
  assertEquals(relay.fetched, []);
  void ask(right);
  await Promise.resolve();
  const [{ wanted } = { wanted: undefined }] = relay.fetched;
  assertEquals(wanted, {
    kind: "fetch",
    id: 1,
    offer: OFFER,
    from: 0,
    size: 9,
  });
});

Deno.test("a taker at another server is one here while it waits for something, whatever else it is told", async () => {
  const { relay, ask, company } = alone();
  const right = { offer: OFFER, from: 0, size: 9 };
  const answers = [1, 1, 2].map((taker) => ask({ ...right, taker }));
  const others = ask({ ...right, taker: 1 }, company.join("c"));
  await Promise.resolve();
  const [one, again, two, other] = relay.fetched;
  assert(one && again && two && other);
  assert(one.taker === again.taker);
  assertEquals(new Set([one, two, other].map(({ taker }) => taker)).size, 3);
  assertEquals([one.wanted.id, again.wanted.id, two.wanted.id], [1, 2, 1]);
  one.taker.tell({ kind: "ping" }, { kind: "piece", id: 9, data: "AA" });
  one.taker.tell({ ...fetch(1), id: 1 });
  one.taker.tell(
    { kind: "missing", id: 2, reason: "dropped" },
    { kind: "piece", id: 2, data: "late" },
  );
  assertEquals(await answers[1], { missing: "dropped" });
  const third = ask({ ...right, taker: 1 });
  await Promise.resolve();
  const last = relay.fetched.at(-1);
  assert(last?.taker === one.taker && last.wanted.id === 3); // it still waits
  one.taker.tell(
    { kind: "piece", id: 1, data: "AA" },
    { kind: "piece", id: 3, data: "DD" },
  );
  assertEquals([await answers[0], await third], [{ data: "AA" }, {
    data: "DD",
  }]);
  void ask({ ...right, taker: 1 });
  await Promise.resolve();
  assert(relay.fetched.at(-1)?.taker !== one.taker); // which waited for nothing any more
  two.taker.tell({ kind: "piece", id: 1, data: "BB" });
  other.taker.tell({ kind: "piece", id: 1, data: "CC" });
  assertEquals([await answers[2], await others], [
    { data: "BB" },
    { data: "CC" },
  ]);
});

Deno.test("who takes files at a server that is gone is forgotten, and nobody at a server whose id begins alike", async () => {
  const { relay, far, ask, company } = alone();
  const right = { offer: OFFER, from: 0, size: 9, taker: 1 };
  const answer = ask(right);
  const other = ask(right, company.join("bb"));
  await Promise.resolve();
  far.forget("b");
  const [first, second] = relay.fetched;
  assertEquals(await answer, { missing: "gone" });
  assert(relay.released.length === 1 && relay.released[0] === first?.taker);
  second?.taker.tell({ kind: "piece", id: 1, data: "AA" });
  assertEquals(await other, { data: "AA" });
  void ask(right);
  await Promise.resolve();
  assert(relay.fetched.at(-1)?.taker !== first?.taker);
});

Deno.test("a taker that asks for too much at once is told so at its own server", async () => {
  const { relay, ask } = alone();
  const right = { offer: OFFER, from: 0, size: 9, taker: 1 };
  relay.fetch = () => {
    throw new EventError("limit");
  };
  assertEquals(await ask(right), { missing: "busy" });
  relay.fetch = () => {
    throw new TypeError("a defect");
  };
  assertEquals(await ask(right), undefined);
  relay.fetch = (_, { id }) => ({ kind: "missing", id, reason: "late" });
  assertEquals(await ask(right), { missing: "late" });
});

Deno.test("that somebody has a file is heard from other servers as two texts, of a file that is held here", () => {
  const { relay, b } = alone();
  const right = { offer: OFFER, name: "ann", person: "p" };
  for (const name of ["name", "person"]) {
    for (const wrong of [1, null, undefined]) {
      b.tell("taken", { ...right, [name]: wrong });
    }
  }
  assertEquals(relay.took, []);
  b.tell("taken", right);
  assertEquals(relay.took, [[OFFER, { name: "ann", person: "p" }]]);
});

Deno.test("a server that holds a file no more is asked where it is, twice for each piece at most", async () => {
  const { company, a } = setUp();
  const d = company.join("d");
  let asked = 0;
  d.hear("held", () => (asked++, {}));
  d.hear("fetch", () => ({ missing: "gone" }));
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  assertEquals(reasons(await taker.until("missing")), ["gone"]);
  assertEquals(asked, 2);
  assertEquals(company.sent.filter(({ topic }) => topic === "fetch").length, 2);
});

Deno.test("a file that is looked for in vain is remembered no more, and nothing but a fetch is asked for", async () => {
  const { company, far } = alone();
  const first = far.holder(1);
  first.tell({ kind: "ping" });
  assertEquals(company.sent, []);
  for (let offer = 2; offer <= 1_025; offer++) far.holder(offer);
  const again = far.holder(1); // the first one gave way
  assert(again !== first);
  first.tell(fetch(1));
  await new Promise((resolve) => setTimeout(resolve));
  assert(far.holder(1) === again);
  again.tell(fetch(1));
  await new Promise((resolve) => setTimeout(resolve));
  assert(far.holder(1) !== again);
});

Deno.test("a server is forgotten by itself: files that are held at others stay where they are", async () => {
  const { company, a, b, c } = setUp();
  b.relay.hold(new Holder(b.relay), OFFER, 100);
  c.relay.hold(new Holder(c.relay), 8, 100);
  const taker = new Member();
  a.relay.fetch(taker, fetch(1));
  a.relay.fetch(taker, fetch(2, 0, 9, 8));
  await taker.until("piece", 2);
  a.relay.forget("c");
  a.relay.fetch(taker, fetch(3));
  await taker.until("piece", 3);
  const held = () =>
    company.sent.filter(({ topic }) => topic === "held").length;
  assertEquals(held(), 2);
  a.relay.fetch(taker, fetch(4, 0, 9, 8));
  await taker.until("piece", 4);
  assertEquals(held(), 3);
});

Deno.test("what a server says late of a file that was found elsewhere since changes nothing", async () => {
  for (const late of [{ missing: "gone" }, undefined]) {
    const { company, a } = setUp();
    const [d, e] = [company.join("d"), company.join("e")];
    const waiting: ((answer: Message | undefined) => void)[] = [];
    let isAtD = true;
    d.hear("held", () => isAtD ? {} : undefined);
    e.hear("held", () => isAtD ? undefined : {});
    d.hear("fetch", () => new Promise((resolve) => waiting.push(resolve)));
    e.hear("fetch", () => ({ missing: "dropped" }));
    const taker = new Member();
    a.relay.fetch(taker, fetch(1));
    a.relay.fetch(taker, fetch(2));
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(waiting.length, 2);
    isAtD = false;
    waiting[0]?.({ missing: "gone" });
    await taker.until("missing");
    waiting[1]?.(late);
    const both = reasons(await taker.until("missing", 2));
    assertEquals(both, ["dropped", late ? "dropped" : "late"]);
    a.relay.fetch(taker, fetch(3));
    await taker.until("missing", 3);
    const held = company.sent.filter(({ topic }) => topic === "held");
    assertEquals(held.length, 2);
  }
});

Deno.test("others have 2 s to say that they hold a file, and 20 s for a piece", async () => {
  const asked: unknown[] = [];
  const far = new FarFiles(standIn(), {
    own: "a",
    tell() {},
    hear() {},
    ask(topic, _, { time, to }) {
      asked.push([topic, time, to]);
      const answer = { from: "b", message: {} };
      return Promise.resolve(topic === "held" ? answer : undefined);
    },
  });
  far.holder(OFFER).tell(fetch(1));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(asked, [["held", 2_000, undefined], ["fetch", 20_000, "b"]]);
});
