/**
 * The relay, with members that note what they are told.
 *
 * @module
 */

import type { Peer } from "../../../src/server/file_peer.ts";
import { FileRelay } from "../../../src/server/file_relay.ts";
import { type Event, EventError } from "../../../src/protocol/events.ts";
import { PIECE_SIZE } from "../../../src/protocol/offer.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

/** Seconds after which a holder is late: more than it is given. */
const TOO_LATE = 16;

/** Somebody who notes what it is told. */
class Member implements Peer {
  readonly told: Event[] = [];

  tell(...events: Event[]): void {
    this.told.push(...events);
  }

  of<K extends Event["kind"]>(kind: K): Event<K>[] {
    return this.told.filter((it) => it.kind === kind) as Event<K>[];
  }
}

function setUp(maxTransfers = 4) {
  const relay = new FileRelay({ maxFileSize: 2 ** 30, maxTransfers });
  const holder = new Member();
  const taker = new Member();
  relay.hold(holder, 7, 100 * PIECE_SIZE);
  return { relay, holder, taker };
}

function fetch(
  id: number,
  from = 0,
  size = PIECE_SIZE,
  offer = 7,
): Event<"fetch"> {
  return { kind: "fetch", id, offer, from, size };
}

/** As much base64url as so many bytes come to. */
function dataOf(size: number): string {
  return "A".repeat(Math.ceil(size * 4 / 3));
}

Deno.test("FileRelay.fetch() asks the holder, and its piece reaches who asked, under the number it was asked by", () => {
  const { relay, holder, taker } = setUp();
  relay.fetch(taker, fetch(31, 5, 9));
  const [asked] = holder.of("fetch");
  assert(asked);
  const { offer, from, size } = asked;
  assertEquals([offer, from, size], [7, 5, 9]);
  assertEquals([relay.transfers, relay.maxFileSize], [1, 2 ** 30]);
  assertEquals([relay.takerOf(asked.id), relay.takerOf(asked.id + 1)], [
    taker,
    undefined,
  ]);
  const piece = { kind: "piece", id: asked.id, data: dataOf(9) } as const;
  assertEquals(relay.piece(holder, piece), 12);
  assertEquals(taker.told, [{ kind: "piece", id: 31, data: dataOf(9) }]);
  assertEquals(relay.transfers, 0);
});

Deno.test("FileRelay.piece() takes a piece once, from who was asked for it, and of the size that was asked for", () => {
  const { relay, holder, taker } = setUp();
  relay.fetch(taker, fetch(1, 0, 9));
  const id = holder.of("fetch")[0]?.id ?? 0;
  const piece = { kind: "piece", id, data: dataOf(9) } as const;
  assertEquals(relay.piece(new Member(), piece), 0);
  assertEquals(relay.piece(holder, { ...piece, id: id + 1 }), 0);
  assertEquals(taker.told, []);
  assertThrows(
    () => relay.piece(holder, { ...piece, data: dataOf(8) }),
    EventError,
    "another size",
  );
  assertEquals(relay.piece(holder, piece), 12);
  assertEquals(relay.piece(holder, piece), 0);
  assertEquals(taker.told.length, 1);
});

Deno.test("FileRelay.fetch() tells at once that nobody holds a file", () => {
  const { relay, taker } = setUp();
  const answer = relay.fetch(taker, fetch(1, 0, 9, 8));
  assertEquals(answer, { kind: "missing", id: 1, reason: "gone" });
  assertEquals(taker.told, []);
});

Deno.test("FileRelay.fetch() refuses bytes that a file doesn't have, and more than a piece", () => {
  const { relay, taker } = setUp();
  const end = 100 * PIECE_SIZE;
  const wrong = [
    fetch(1, 0, 0),
    fetch(1, 0, PIECE_SIZE + 1),
    fetch(1, end, 1),
    fetch(1, end - 1, 2),
    fetch(1, Number.MAX_SAFE_INTEGER, 1),
  ];
  for (const it of wrong) {
    assertThrows(() => relay.fetch(taker, it), EventError, "Cannot fetch");
  }
  relay.fetch(taker, fetch(1, end - 1, 1));
  assertEquals(taker.told, []);
});

Deno.test("FileRelay.fetch() refuses more than 16 pieces at once, whatever the file", () => {
  const { relay, holder, taker } = setUp();
  relay.hold(holder, 8, PIECE_SIZE);
  for (let id = 0; id < 16; id++) {
    relay.fetch(taker, fetch(id, 0, 1, id % 2 ? 7 : 8));
  }
  assertThrows(
    () => relay.fetch(taker, fetch(16)),
    EventError,
    "Cannot fetch more than 16 pieces",
  );
});

Deno.test("FileRelay asks a holder for 8 pieces at a time, and for the next when one has come", () => {
  const { relay, holder, taker } = setUp();
  for (let id = 0; id < 12; id++) relay.fetch(taker, fetch(id, id, 1));
  const asked = holder.of("fetch");
  assertEquals(asked.map(({ from }) => from), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(asked.map(({ id }) => id), [1, 2, 3, 4, 5, 6, 7, 8]);
  relay.piece(holder, {
    kind: "piece",
    id: asked[3]?.id ?? 0,
    data: dataOf(1),
  });
  assertEquals(holder.of("fetch").map(({ from }) => from).slice(8), [8]);
});

Deno.test("FileRelay has 32 pieces under way in all, and serves who asked first", () => {
  const { relay } = setUp(99);
  const holders = Array.from({ length: 6 }, () => new Member());
  const takers = Array.from({ length: 6 }, () => new Member());
  for (const [at, holder] of holders.entries()) {
    relay.hold(holder, 100 + at, 100);
    const taker = takers[at] ?? holder;
    for (let id = 0; id < 8; id++) {
      relay.fetch(taker, fetch(id, 0, 1, 100 + at));
    }
  }
  const asked = () => holders.map((holder) => holder.of("fetch").length);
  assertEquals(asked(), [8, 8, 8, 8, 0, 0]);
  for (const { id } of holders[0]?.of("fetch").slice(0, 3) ?? []) {
    relay.piece(holders[0] ?? new Member(), {
      kind: "piece",
      id,
      data: "AA",
    });
  }
  assertEquals(asked(), [8, 8, 8, 8, 3, 0]);
});

Deno.test("FileRelay.fetch() has no place for one file more than it may pass on, until another is done", () => {
  const { relay, holder, taker } = setUp(1);
  const other = new Member();
  relay.fetch(taker, fetch(1));
  const busy = relay.fetch(other, fetch(2));
  assertEquals(busy, { kind: "missing", id: 2, reason: "busy" });
  relay.fetch(taker, fetch(3, PIECE_SIZE)); // of the file that has its place already
  assertEquals(taker.told, []);
  for (const { id } of holder.of("fetch")) {
    relay.missing(holder, { kind: "missing", id, reason: "changed" });
  }
  assertEquals(relay.fetch(other, fetch(4)), undefined);
  assertEquals(other.told, []);
});

Deno.test("FileRelay.missing() passes on why, once and from who was asked for it, and no word of its own", () => {
  const { relay, holder, taker } = setUp();
  const reasons = ["dropped", "\x1b[2J", "toString"];
  for (const id of reasons.keys()) relay.fetch(taker, fetch(id));
  for (const [at, { id }] of holder.of("fetch").entries()) {
    const missing = { kind: "missing", id, reason: reasons[at] ?? "" } as const;
    relay.missing(new Member(), missing);
    assertEquals(taker.told.length, at);
    relay.missing(holder, missing);
    relay.missing(holder, missing);
  }
  assertEquals(
    taker.of("missing").map(({ id, reason }) => [id, reason]),
    [[0, "dropped"], [1, "changed"], [2, "changed"]],
  );
});

Deno.test("FileRelay.release() tells those who wait for somebody that it is gone, also where nobody was asked yet", () => {
  const { relay, holder, taker } = setUp();
  for (let id = 0; id < 12; id++) relay.fetch(taker, fetch(id));
  relay.release(holder);
  assertEquals(
    taker.of("missing").map(({ id, reason }) => [id, reason]),
    Array.from({ length: 12 }, (_, id) => [id, "gone"]),
  );
  assertEquals(relay.transfers, 0);
});

Deno.test("FileRelay.release() forgets what one who goes had asked for, and makes its places free", () => {
  const { relay, holder, taker } = setUp(1);
  for (let id = 0; id < 12; id++) relay.fetch(taker, fetch(id));
  relay.release(taker);
  assertEquals(relay.transfers, 0);
  assertEquals(holder.of("fetch").length, 8);
  const [first] = holder.of("fetch");
  assertEquals(
    relay.piece(holder, {
      kind: "piece",
      id: first?.id ?? 0,
      data: dataOf(PIECE_SIZE),
    }),
    0,
  );
  assertEquals(taker.told, []);
  const other = new Member();
  relay.fetch(other, fetch(1));
  assertEquals(holder.of("fetch").length, 9);
});

Deno.test("FileRelay.release() of somebody ends nothing of what others take from each other", () => {
  const { relay, holder, taker } = setUp();
  const third = new Member();
  relay.hold(third, 8, 9);
  relay.fetch(taker, fetch(1, 0, 1));
  relay.fetch(taker, fetch(2, 0, 1, 8));
  relay.release(third);
  const gone = { kind: "missing", id: 2, reason: "gone" } as const;
  assertEquals([taker.told, relay.transfers], [[gone], 1]);
  const [{ id = 0 } = {}] = holder.of("fetch");
  assertEquals(relay.piece(holder, { kind: "piece", id, data: dataOf(1) }), 2);
});

Deno.test("FileRelay of a sealed room passes on pieces that are longer by what sealing takes", () => {
  const limits = { maxFileSize: 9, maxTransfers: 1, pieceOverhead: 24 };
  const relay = new FileRelay(limits);
  const [holder, taker] = [new Member(), new Member()];
  relay.hold(holder, 7, 9);
  relay.fetch(taker, fetch(1, 0, 9));
  const piece = (size: number) =>
    relay.piece(holder, { kind: "piece", id: 1, data: dataOf(size) });
  for (const size of [9, 32, 34]) {
    assertThrows(() => piece(size), EventError, "another size");
  }
  assertEquals(piece(33), 44);
});

Deno.test("FileRelay.release() of an old connection leaves what a new one holds", () => {
  const { relay, holder, taker } = setUp();
  const back = new Member();
  relay.hold(back, 7, 10);
  relay.release(holder);
  relay.fetch(taker, fetch(1, 0, 1));
  assertEquals(back.of("fetch").length, 1);
});

Deno.test("FileRelay.tick() gives up a holder that doesn't answer, and asks for the next piece", () => {
  const { relay, holder, taker } = setUp();
  for (let id = 0; id < 9; id++) relay.fetch(taker, fetch(id));
  for (let second = 1; second < TOO_LATE; second++) relay.tick();
  assertEquals(taker.told, []);
  relay.tick();
  assertEquals(
    taker.of("missing").map(({ reason }) => reason),
    Array.from({ length: 8 }, () => "late"),
  );
  assertEquals(holder.of("fetch").length, 9);
});

Deno.test("FileRelay.hold() keeps 256 files of one holder, the newest, and takes none from another", () => {
  const { relay, holder, taker } = setUp();
  relay.release(holder);
  relay.hold(taker, 6, 9);
  relay.hold(holder, 7, 9);
  for (let offer = 8; offer < 7 + 256; offer++) relay.hold(holder, offer, 9);
  assert(relay.holds(7));
  relay.hold(holder, 7 + 256, 9);
  assertEquals([6, 7, 8].map((it) => relay.holds(it)), [true, false, true]);
  const answer = relay.fetch(taker, fetch(1, 0, 1, 7));
  assertEquals(answer, { kind: "missing", id: 1, reason: "gone" });
  assertEquals(relay.fetch(taker, fetch(2, 0, 1, 8)), undefined);
});

Deno.test("FileRelay.taken() tells the holder of a file, once of each person, and nobody of one that nobody holds", () => {
  const { relay, holder, taker } = setUp();
  const ann = { name: "ann", person: "k3df9q2mx7ta41cz" };
  const ben = { name: "ben", person: "w3df9q2mx7ta41cz" };
  for (const who of [ann, ben, ann, { ...ann, name: "anna" }]) {
    relay.taken(7, who);
  }
  relay.taken(8, ann);
  const told = [ann, ben].map((who) => ({ kind: "took", offer: 7, ...who }));
  assertEquals(holder.told, told as Event[]);
  relay.hold(holder, 7, 100 * PIECE_SIZE); // again, as after a loss
  relay.taken(7, ben);
  assertEquals(holder.told.length, 2);
  relay.release(holder);
  relay.taken(7, { name: "cem", person: "x3df9q2mx7ta41cz" });
  assertEquals([holder.told.length, taker.told], [2, []]);
});
