/**
 * Files that are offered and taken, between two clients' transfers and a relay, or against a server that
 * says what the test wants.
 *
 * @module
 */

import { sha256Hex } from "../../../../crypto_utils.ts";
import type { Peer } from "../../../../src/server/file_peer.ts";
import { FileRelay } from "../../../../src/server/file_relay.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import type { NewsOf } from "../../../../src/client/sentences.ts";
import type { FileNews, News } from "../../../../src/client/view.ts";
import {
  formatOffer,
  MAX_ASKED,
  type Offer,
  PIECE_SIZE,
} from "../../../../src/protocol/offer.ts";
import {
  type FileEvent,
  type FileRequest,
  type FileRoom,
  openFileRoom,
  type PiecePlace,
} from "../../../../src/client/file_room.ts";
import { DiskFiles } from "../../../../src/client/files/disk_files.ts";
import { Transfers } from "../../../../src/client/files/transfers.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import { Folder, namesIn } from "../../../kit/folder.ts";
import { MemoryCompany } from "../../../kit/memory_siblings.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";

const SEQ = 12;
const BYTES = Uint8Array.from(
  { length: 5 * PIECE_SIZE + 7 },
  (_, at) => (at * 31) & 0xff,
);

async function digestOf(bytes: Uint8Array): Promise<string> {
  return await sha256Hex((async function* () {
    yield bytes;
  })());
}

/** What a client shows, kept. */
class Shown {
  readonly news: FileNews[] = [];
  readonly notes: string[] = [];
  readonly taken: NewsOf<"taken">[] = [];
  #more = Promise.withResolvers<void>();

  show(news: News): void {
    if (news.type === "taken") this.taken.push(news);
    else {
      assertEquals(news.type, "file");
      this.news.push(news as FileNews);
    }
    this.#wake();
  }

  note(text: string): void {
    this.notes.push(text);
    this.#wake();
  }

  /** Resolves when more is shown. */
  get more(): Promise<void> {
    return this.#more.promise;
  }

  async until(state: FileNews["state"]): Promise<FileNews> {
    for (;;) {
      const found = this.news.find((news) => news.state === state);
      if (found) return found;
      const ended = this.news.find((news) => news.state === "failed");
      assert(!ended, ended?.reason);
      await this.#more.promise;
    }
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }
}

/** A client's transfers, with a connection that can be cut. */
class Side implements Peer {
  readonly shown = new Shown();
  readonly transfers: Transfers;
  readonly room = openFileRoom((event) => this.ask(event));
  readonly said: string[] = [];
  readonly asked: Event[] = [];
  /** What the server does with a request; the request is dropped where it returns false. */
  before: (event: FileRequest) => boolean = () => true;
  #n = 0;

  /** @param relay The one of the server that it is connected to. */
  constructor(readonly folder: string, public relay: FileRelay, pause = 0) {
    this.transfers = new Transfers({
      view: this.shown,
      files: new DiskFiles({ folder }),
      pause,
      now: () => 0, // each piece is fast
    });
    this.transfers.joined(this.room);
  }

  // What the session is to the transfers.
  ask(event: FileRequest): void {
    assert(this.asked.push(event) < 1_000, "it asks without end");
    if (!this.before(event)) return;
    // As over a network: never while the asker is still asking.
    queueMicrotask(() => this.#carry(event));
  }

  offer(text: string): Promise<number> {
    this.said.push(text);
    return Promise.resolve(++this.#n);
  }

  // What the connection is to the relay.
  tell(...events: Event[]): void {
    for (const event of events) this.transfers.heard(event as FileEvent);
  }

  /** The room has logged an offer. */
  logged(offer: Offer, seq = SEQ, own = false): void {
    this.transfers.offered(entry(formatOffer(offer), seq, this.#n), own);
  }

  cut(): void {
    this.transfers.parted();
    this.relay.release(this);
  }

  /** @param relay Of another server, perhaps. */
  back(relay = this.relay): void {
    this.relay = relay;
    this.transfers.joined(this.room);
  }

  of<K extends Event["kind"]>(kind: K): Event<K>[] {
    return this.asked.filter((it) => it.kind === kind) as Event<K>[];
  }

  #carry(event: FileRequest): void {
    if (event.kind === "hold") this.relay.hold(this, event.offer, this.size);
    else if (event.kind === "fetch") this.#fetch(event);
    else if (event.kind === "piece") this.relay.piece(this, event);
    else if (event.kind === "missing") this.relay.missing(this, event);
    else this.relay.taken(event.offer, this.who);
  }

  #fetch(event: Event<"fetch">): void {
    const answer = this.relay.fetch(this, event);
    if (answer) this.tell(answer);
  }

  size = BYTES.length;
  who = { name: "Priyanka", person: "w3df9q2mx7ta41cz" };
}

function entry(text: string, seq: number, n: number): LogEntry {
  const who = {
    person: "k3df9q2mx7ta41cz",
    stay: "Yk3xQ0p1a2c",
    name: "Abhii",
  };
  return { seq, n, at: 0, what: "offered", to: null, text, ...who };
}

/** One who has offered a file of `BYTES`, and one who was told of it. */
async function setUp(maxTransfers = 4): Promise<
  AsyncDisposable & {
    holder: Side;
    taker: Side;
    folder: Folder;
    path: string;
    offer: Offer;
  }
> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const path = folder.file("hut.jpg");
  await Deno.writeFile(path, BYTES);
  const relay = new FileRelay({ maxFileSize: 2 ** 30, maxTransfers });
  const holder = new Side(folder.file("none"), relay);
  const taker = new Side(folder.file("taken"), relay);
  stack.defer(() => holder.transfers.close());
  stack.defer(() => taker.transfers.close());
  await holder.transfers.send(holder, path);
  const digest = await digestOf(BYTES);
  const offer = { name: "hut.jpg", size: BYTES.length, digest };
  assertEquals(holder.said, [formatOffer(offer)]);
  holder.logged(offer, SEQ, true);
  assertEquals(holder.of("hold").map(({ offer }) => offer), [SEQ]);
  taker.logged(offer);
  const all = stack.move();
  return {
    holder,
    taker,
    folder,
    path,
    offer,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

Deno.test("Transfers take an offered file, whole and in order, and say how far it is", async () => {
  await using setup = await setUp();
  const { taker, folder } = setup;
  taker.tell({ kind: "piece", id: 1, data: "AA" }); // which nobody asked for
  taker.transfers.get(SEQ);
  const { path, got } = await taker.shown.until("taken");
  assertEquals(path, `${folder.file("taken")}/hut.jpg`);
  assertEquals(got, BYTES.length);
  assertEquals(await Deno.readFile(path), BYTES);
  const pieces = [1, 2, 3, 4, 5].map((count) => count * PIECE_SIZE);
  assertEquals(taker.shown.news.map(({ state, got }) => [state, got]), [
    ["begun", 0],
    ...[...pieces, BYTES.length].map((got) => ["taking", got]),
    ["taken", BYTES.length],
  ]);
  const asked = taker.of("fetch").map(({ from, size }) => [from, size]);
  assertEquals(asked.slice(0, 2), [[0, PIECE_SIZE], [PIECE_SIZE, PIECE_SIZE]]);
  assertEquals(asked.at(-1), [5 * PIECE_SIZE, 7]);
  assertEquals(taker.of("fetch").map(({ id }) => id), [1, 2, 3, 4, 5, 6]);
});

Deno.test("Transfers tell which files can be downloaded, and which dropped, newest first", async () => {
  await using setup = await setUp();
  const { holder, taker, offer } = setup;
  taker.logged({ ...offer, name: "other.jpg" }, SEQ + 1);
  const numbers = ({ transfers }: Side) => [
    transfers.numbers("offered"),
    transfers.numbers("taking"),
  ];
  assertEquals(numbers(holder), [[], [SEQ]]);
  assertEquals(numbers(taker), [[SEQ + 1, SEQ], []]);
  taker.before = () => false; // its pieces don't come
  taker.transfers.get(SEQ);
  assertEquals(numbers(taker), [[SEQ + 1], [SEQ]]);
  taker.transfers.drop(SEQ);
  holder.transfers.drop(SEQ);
  await taker.transfers.close();
  assertEquals(numbers(taker), [[SEQ + 1, SEQ], []]);
  assertEquals(numbers(holder), [[], []]);
});

Deno.test("Transfers take an empty file without asking for anything", async () => {
  await using setup = await setUp();
  const { taker } = setup;
  const digest = await digestOf(new Uint8Array());
  taker.logged({ name: "empty", size: 0, digest }, 13);
  taker.transfers.get(13);
  const { path } = await taker.shown.until("taken");
  assertEquals((await Deno.stat(path)).size, 0);
  assertEquals(taker.of("fetch"), []);
});

Deno.test("Transfers go on with a file after the taker's connection was lost, from where it was", async () => {
  await using setup = await setUp();
  const { taker } = setup;
  const stuck = Promise.withResolvers<void>();
  taker.before = (event) => {
    if (event.kind !== "fetch" || event.from < 2 * PIECE_SIZE) return true;
    stuck.resolve();
    return false;
  };
  taker.transfers.get(SEQ);
  await stuck.promise;
  taker.before = () => true;
  taker.cut();
  await taker.shown.until("waiting");
  const before = taker.of("fetch").length;
  taker.back();
  const { path } = await taker.shown.until("taken");
  assertEquals(await Deno.readFile(path), BYTES);
  const again = taker.of("fetch").slice(before);
  assert(again.length > 0 && again.every(({ from }) => from >= PIECE_SIZE));
});

Deno.test("Transfers wait for a holder that has gone, and go on when it is back", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  holder.before = (event) => {
    if (event.kind === "piece" && holder.of("piece").length === 3) {
      holder.cut();
      return false;
    }
    return true;
  };
  taker.transfers.get(SEQ);
  let isSettled = false;
  taker.transfers.settled().then(() => isSettled = true);
  const { reason } = await taker.shown.until("waiting");
  assertEquals(reason, "its sender is not here");
  for (let step = 0; step < 9; step++) await Promise.resolve();
  assert(isSettled);
  holder.before = () => true;
  holder.back(); // and says by itself what it holds
  assertEquals(holder.of("hold").length, 2);
  const { path } = await taker.shown.until("taken");
  assertEquals(await Deno.readFile(path), BYTES);
});

Deno.test("Transfers that wait for a while go on at once when the taker is back, and end at once when they are closed", async () => {
  using _clock = new ManualClock(); // which nobody moves
  await using setup = await setUp();
  const { holder, folder, offer } = setup;
  const taker = new Side(folder.file("later"), holder.relay, 3_000);
  taker.logged(offer);
  holder.cut();
  taker.transfers.get(SEQ);
  await taker.shown.until("waiting");
  holder.back();
  taker.cut();
  taker.back();
  const { path } = await taker.shown.until("taken");
  assertEquals(await Deno.readFile(path), BYTES);
  await taker.transfers.settled();
  taker.before = () => false; // no piece comes
  await Deno.remove(path);
  taker.transfers.get(SEQ);
  const settled = taker.transfers.settled();
  await taker.transfers.close();
  await settled;
  assertEquals(taker.transfers.numbers("taking"), []);
});

Deno.test("Transfers go on when the holder, and then the taker, has moved to another server", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  const company = new MemoryCompany();
  const [a, b, c] = ["a", "b", "c"].map((own) => {
    const limits = { maxFileSize: 2 ** 30, maxTransfers: 4 };
    return new FileRelay({ ...limits, siblings: company.join(own) });
  });
  holder.cut();
  taker.cut();
  holder.back(a);
  assertEquals(holder.of("hold").length, 2); // and says by itself what it holds
  taker.back(b);
  const moving = Promise.withResolvers<void>();
  holder.before = ({ kind }) => {
    if (kind !== "piece" || holder.of("piece").length < 2) return true;
    holder.before = () => true;
    holder.cut(); // its server dies with a piece on the way
    moving.resolve();
    return false;
  };
  taker.transfers.get(SEQ);
  await moving.promise;
  const { reason } = await taker.shown.until("waiting");
  assertEquals(reason, "its sender is not here");
  const moved = Promise.withResolvers<void>();
  taker.before = ({ kind }) => {
    if (kind !== "fetch" || holder.of("piece").length < 4) return true;
    taker.before = () => true;
    taker.cut();
    moved.resolve();
    return false;
  };
  holder.back(c);
  await moved.promise;
  taker.back(a);
  const { path } = await taker.shown.until("taken");
  assertEquals(await Deno.readFile(path), BYTES);
  await taker.transfers.settled();
  assertEquals(holder.shown.taken.length, 1); // it is told there
});

Deno.test("Transfers of a later run go on with what an earlier one has left", async () => {
  await using setup = await setUp();
  const { taker, offer, folder } = setup;
  const part = `${folder.file("taken")}/hut.jpg.${
    offer.digest.slice(0, 8)
  }.part`;
  await Deno.mkdir(folder.file("taken"));
  await Deno.writeFile(part, BYTES.subarray(0, 40_000));
  taker.transfers.get(SEQ);
  const { path } = await taker.shown.until("taken");
  assertEquals(await Deno.readFile(path), BYTES);
  assertEquals(taker.of("fetch")[0]?.from, 40_000);
  assertEquals(taker.shown.news[0]?.got, 40_000);
});

Deno.test("Transfers ask for no more pieces at a time than they may, however many files are taken", async () => {
  const files = 20;
  await using setup = await setUp(files);
  const { holder, taker, path, offer } = setup;
  let open = 0;
  let greatest = 0;
  taker.before = ({ kind }) => {
    if (kind === "fetch") greatest = Math.max(greatest, ++open);
    return true;
  };
  const { tell } = taker;
  taker.tell = (...events) => {
    open -= events.length;
    tell.apply(taker, events);
  };
  for (let seq = SEQ + 1; seq <= SEQ + files; seq++) {
    await holder.transfers.send(holder, path);
    holder.logged(offer, seq, true);
    taker.logged({ ...offer, name: `${seq}.jpg` }, seq);
    taker.transfers.get(seq);
  }
  await taker.transfers.settled();
  const taken = taker.shown.news.filter(({ state }) => state === "taken");
  assertEquals(taken.length, files);
  for (const { path } of taken) assertEquals(await Deno.readFile(path), BYTES);
  assertEquals(greatest, MAX_ASKED);
});

Deno.test("Transfers give up a file that was changed since it was offered", async () => {
  await using setup = await setUp();
  const { taker, path } = setup;
  await Deno.writeFile(path, BYTES.subarray(1));
  taker.transfers.get(SEQ);
  await taker.transfers.settled();
  const { state, reason } = taker.shown.news.at(-1) ?? {};
  assertEquals(state, "failed");
  assertEquals(reason, "the file has changed, or cannot be read");
});

Deno.test("Transfers keep nothing of a file that isn't what was offered", async () => {
  await using setup = await setUp();
  const { taker, offer, folder } = setup;
  taker.logged({ ...offer, digest: "0".repeat(64) });
  taker.transfers.get(SEQ);
  await taker.transfers.settled();
  assertEquals(taker.shown.news.at(-1)?.state, "failed");
  assertEquals(taker.shown.news.at(-1)?.reason, "its checksum is wrong");
  assertEquals(await namesIn(folder.file("taken")), []);
});

Deno.test("Transfers open each piece as the one of its place in its offer's file, in the epoch of then", async () => {
  await using setup = await setUp();
  const { taker } = setup;
  const opened: unknown[] = [];
  taker.transfers.joined({
    ...taker.room,
    epoch: 7,
    open: (data, place, epoch) => {
      opened.push([place, epoch]);
      return taker.room.open(data, place, epoch);
    },
  });
  taker.transfers.get(SEQ);
  await taker.shown.until("taken");
  const { person, stay } = entry("", SEQ, 0);
  const line = { seq: SEQ, person, stay, n: 0 };
  assertEquals(opened.slice(0, 2), [
    [{ line, from: 0 }, 7],
    [{ line, from: PIECE_SIZE }, 7],
  ]);
});

Deno.test("Transfers give up a piece that is no base64url", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  const { tell } = taker;
  taker.tell = (...events) =>
    tell.apply(
      taker,
      events.map((it) => it.kind === "piece" ? { ...it, data: "A" } : it),
    );
  taker.transfers.get(SEQ);
  await taker.transfers.settled();
  const { state, reason } = taker.shown.news.at(-1) ?? {};
  assertEquals(state, "failed");
  assertEquals(reason, "a piece of it is not as its sender sent it");
  assertEquals(holder.of("piece").length > 0, true);
});

Deno.test("Transfers answer at most 64 fetches at a time, and none for more than a piece", async () => {
  await using setup = await setUp();
  const { holder } = setup;
  const gate = Promise.withResolvers<string>();
  const places: PiecePlace[] = [];
  const seal: FileRoom["seal"] = (_, place) => {
    places.push(place);
    return gate.promise;
  };
  holder.transfers.joined({ ...holder.room, seal });
  const size = PIECE_SIZE + 1;
  holder.tell({ kind: "fetch", id: 999, offer: SEQ, from: 0, size });
  for (let id = 0; id < 100; id++) {
    holder.tell({ kind: "fetch", id, offer: SEQ, from: 0, size: 7 });
  }
  gate.resolve("AAAAAAAAAA");
  await holder.transfers.close();
  assertEquals(holder.of("missing").map(({ id }) => id), [999]);
  assertEquals(
    holder.of("piece").map(({ id }) => id),
    Array.from({ length: 63 }, (_, id) => id),
  );
  const { person, stay } = entry("", SEQ, 1);
  const line = { seq: SEQ, person, stay, n: 1 };
  assertEquals(places[0], { line, from: 0 });
});

Deno.test("Transfers answer nobody once the connection is lost, and ask anew for all that was asked for", async () => {
  await using setup = await setUp();
  const { holder, taker, offer } = setup;
  const gate = Promise.withResolvers<string>();
  for (const sealed of [Promise.resolve(undefined), gate.promise]) {
    const sealing = Promise.withResolvers<void>();
    const seal = () => {
      sealing.resolve();
      return sealed;
    };
    holder.transfers.joined({ ...holder.room, seal });
    holder.tell({ kind: "fetch", id: 1, offer: SEQ, from: 0, size: 7 });
    await sealing.promise;
    if (sealed !== gate.promise) await holder.transfers.close();
  }
  holder.tell({ kind: "fetch", id: 2, offer: SEQ, from: 0, size: 7 });
  holder.transfers.parted();
  gate.resolve("AAAAAAAAAA");
  await holder.transfers.close();
  assertEquals([holder.of("piece"), holder.of("missing")], [[], []]);

  const asked = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  taker.before = ({ kind }) => {
    const { length } = taker.of("fetch");
    if (kind === "fetch" && length === MAX_ASKED) asked.resolve();
    if (kind === "fetch" && length === 2 * MAX_ASKED) again.resolve();
    return false;
  };
  for (let seq = SEQ + 1; seq <= SEQ + MAX_ASKED; seq++) {
    taker.logged({ ...offer, name: `${seq}.jpg` }, seq);
    taker.transfers.get(seq);
  }
  await asked.promise;
  taker.cut();
  taker.back();
  await again.promise;
});

Deno.test("Transfers answer nothing over a connection that was asked for over the one before", async () => {
  await using setup = await setUp();
  const { holder } = setup;
  const gate = Promise.withResolvers<string>();
  const sealing = Promise.withResolvers<void>();
  const seal = () => {
    sealing.resolve();
    return gate.promise;
  };
  holder.transfers.joined({ ...holder.room, seal });
  const fetch = { kind: "fetch", offer: SEQ, from: 0 } as const;
  for (const id of [1, 2]) holder.tell({ ...fetch, id, size: 7 });
  holder.tell({ ...fetch, id: 3, size: PIECE_SIZE + 1 });
  await sealing.promise; // the others wait behind it
  holder.transfers.parted();
  holder.transfers.joined({ ...holder.room });
  gate.resolve("AAAAAAAAAA");
  await holder.transfers.close();
  assertEquals([holder.of("piece"), holder.of("missing")], [[], []]);
});

Deno.test("Transfers hold the file of an offer by their own line alone, and know the last 1,000 offers", async () => {
  await using setup = await setUp();
  const { holder, taker, path, offer } = setup;
  await holder.transfers.send(holder, path);
  holder.logged(offer, 20, false); // another's, that has the same number
  holder.logged(offer, 21, true);
  holder.logged(offer, 22, true); // once more by the same number
  assertEquals(holder.of("hold").map(({ offer }) => offer), [SEQ, 21]);
  await holder.transfers.send(holder, path);
  holder.cut();
  holder.logged(offer, 23, true); // as it finds when it comes back
  holder.back();
  assertEquals(holder.of("hold").map(({ offer }) => offer), [
    ...[SEQ, 21],
    ...[SEQ, 21, 23],
  ]);
  taker.transfers.offered(entry("no offer", 30, 1), false);
  for (let seq = 1; seq < 1_000; seq++) taker.logged(offer, 1_000 + seq);
  assertEquals(taker.transfers.numbers("offered").at(-1), SEQ);
  taker.logged(offer, 2_000);
  assertEquals(taker.transfers.numbers("offered").at(-1), 1_001);
});

Deno.test("Transfers.drop() stops taking a file, and keeps what is there for another time", async () => {
  await using setup = await setUp();
  const { holder, taker, folder } = setup;
  holder.before = (event) =>
    event.kind !== "piece" || holder.of("piece").length < 3;
  taker.transfers.get(SEQ);
  await taker.shown.until("taking");
  taker.transfers.drop(SEQ);
  await taker.transfers.settled();
  assertEquals(taker.shown.news.at(-1)?.reason, "you dropped it");
  const [left = ""] = await namesIn(folder.file("taken"));
  assertMatch(left, /^hut\.jpg\.[0-9a-f]{8}\.part$/);
});

Deno.test("Transfers.drop() of an own offer ends it for everybody", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  holder.transfers.drop(99);
  holder.transfers.drop(SEQ);
  assertEquals(holder.shown.notes, [
    "No file 99 is offered or downloaded here",
    'No longer offered: "hut.jpg"',
  ]);
  taker.transfers.get(SEQ);
  await taker.transfers.settled();
  assertEquals(taker.shown.news.at(-1)?.reason, "it is no longer offered");
});

Deno.test("Transfers ask anew where pieces come out of turn", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  let held: FileRequest | undefined;
  holder.before = (event) => {
    if (event.kind !== "piece" || holder.of("piece").length !== 3) return true;
    held = event;
    return false;
  };
  const { tell } = taker;
  taker.tell = (...events) => {
    tell.apply(taker, events);
    const late = held;
    held = undefined;
    if (late?.kind === "piece") setup.holder.relay.piece(holder, late);
  };
  taker.transfers.get(SEQ);
  const { path } = await taker.shown.until("taken");
  const asked = taker.of("fetch").map(({ from }) => from);
  assert(asked.length > new Set(asked).size, `${asked}`);
  assertEquals(await Deno.readFile(path), BYTES);
});

Deno.test("Transfers.get() says why there is nothing to take", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  taker.transfers.get(99);
  assertMatch(
    taker.shown.notes[0] ?? "",
    /^No offer 99 seen here; try \/history$/,
  );
  holder.transfers.get(SEQ);
  assertEquals(holder.shown.notes, ["That is your own file"]);
  holder.before = (event) => event.kind !== "piece";
  taker.transfers.get(SEQ);
  taker.transfers.get(SEQ);
  assertEquals(taker.shown.notes[1], 'Already downloading "hut.jpg"');
  const large = { name: "film.mp4", size: 2_000_000, digest: "0".repeat(64) };
  taker.logged(large, SEQ + 1);
  taker.logged({ ...large, size: 1_000_000 }, SEQ + 2);
  taker.tell({ kind: "limits", fileSize: 1_000_000 });
  taker.transfers.get(SEQ + 1);
  assertEquals(
    taker.shown.notes[2],
    'Cannot download "film.mp4" of 2.0 MB: this server allows at most 1.0 MB',
  );
  taker.transfers.get(SEQ + 2);
  assertEquals(taker.shown.notes.length, 3);
});

Deno.test("Transfers.send() says why a file can't be offered, and offers nothing", async () => {
  await using setup = await setUp();
  const { holder, folder, path } = setup;
  holder.said.length = 0;
  await holder.transfers.send(holder, folder.file("none.txt"));
  await holder.transfers.send(holder, folder.path);
  holder.tell({ kind: "limits", fileSize: 1_000 });
  await holder.transfers.send(holder, path);
  assertEquals(holder.said, []);
  const [none = "", inFolder = "", large = ""] = holder.shown.notes;
  for (const name of ["chat.key", "chat.people", "a\x01b"]) {
    await folder.write(name, "the room's");
    await holder.transfers.send(holder, folder.file(name));
  }
  const [key = "", people = "", strange = ""] = holder.shown.notes.slice(3);
  assertMatch(key, /chat\.key": who has it has the room; /);
  assertMatch(people, /chat\.people": who has it has the room; /);
  assertMatch(strange, /b": others could not save it under that name; /);
  assertEquals(holder.said, []);
  const broken = new Transfers<string>({
    view: holder.shown,
    files: {
      ...new DiskFiles({ folder: folder.path }),
      source: () => Promise.reject(new TypeError("a fault of ours")),
    } as unknown as DiskFiles,
  });
  await assertRejects(() => broken.send(holder, path), TypeError, "of ours");
  assertMatch(none, /none\.txt": there is no such file or folder$/);
  assertMatch(inFolder, /^Cannot send ".*": it is a folder$/);
  assertMatch(large, /this server allows at most 1\.0 kB$/);
});

Deno.test("Transfers.send() knows where ~ leads", async () => {
  await using setup = await setUp();
  const { folder } = setup;
  const side = new Side(
    folder.path,
    new FileRelay({ maxFileSize: 0, maxTransfers: 1 }),
  );
  const home = folder.path;
  const transfers = new Transfers({
    view: side.shown,
    files: new DiskFiles({ folder: home, home }),
  });
  await transfers.send(side, "~/hut.jpg");
  assertMatch(side.said[0] ?? "", /^hut\.jpg \(/);
});

Deno.test("Transfers ask for one piece at a time where pieces are slow, and for more where they are fast", async () => {
  for (const [latency, most] of [[1_000, 1], [1, 3]] as const) {
    await using setup = await setUp();
    const { holder, folder } = setup;
    let time = 0;
    const side = new Side(folder.file(`at ${latency}`), holder.relay);
    const options = {
      view: side.shown,
      files: new DiskFiles({ folder: side.folder }),
      pause: 0,
    };
    const transfers = new Transfers({ ...options, now: () => time });
    const { shown } = side;
    let open = 0;
    let greatest = 0;
    const room = openFileRoom((event) => {
      greatest = Math.max(greatest, ++open);
      side.relay.fetch(peer, event as Event<"fetch">);
    });
    const peer: Peer = {
      tell(event) {
        open--;
        time += latency;
        transfers.heard(event as FileEvent);
      },
    };
    transfers.joined(room);
    transfers.offered(entry(holder.said[0] ?? "", SEQ, 0), false);
    transfers.get(SEQ);
    await shown.until("taken");
    if (most === 1) assertEquals(greatest, 1);
    else assert(greatest >= most, `at most ${greatest} at a time`);
    await transfers.close();
  }
});

Deno.test("Transfers tell who offered a file that it was taken, once of each person, and after a loss what they could tell nobody", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  taker.transfers.get(SEQ);
  await taker.shown.until("taken");
  await taker.transfers.settled();
  const priyanka = {
    type: "taken",
    offer: SEQ,
    file: "hut.jpg",
    ...taker.who,
    own: false,
  };
  assertEquals(holder.shown.taken, [priyanka]);
  // Whatever a taker says again, and however often a server passes it on.
  for (let times = 0; times < 100; times++) {
    taker.relay.taken(SEQ, taker.who);
    holder.tell({ kind: "took", offer: SEQ, ...taker.who });
  }
  holder.tell({ kind: "took", offer: 99, ...taker.who });
  assertEquals(holder.shown.taken, [priyanka]);

  // What is taken while nobody can be told is told when somebody can.
  const empty = await digestOf(new Uint8Array());
  taker.logged({ name: "empty", size: 0, digest: empty }, 13);
  taker.cut();
  taker.transfers.get(13);
  await taker.transfers.settled();
  assertEquals(taker.of("taken").map(({ offer }) => offer), [SEQ]);
  taker.back();
  assertEquals(taker.of("taken").map(({ offer }) => offer), [SEQ, 13]);
});

Deno.test("Transfers.get() of a file that is here says where, and takes it anew once it has changed", async () => {
  await using setup = await setUp();
  const { taker, folder } = setup;
  taker.transfers.get(SEQ);
  const { path } = await taker.shown.until("taken");
  await taker.transfers.settled();
  taker.shown.news.length = 0;
  const asked = taker.asked.length;
  taker.transfers.get(SEQ, 7);
  await taker.transfers.settled();
  const [here, ...more] = taker.shown.news;
  assertEquals(more, []);
  assertEquals(
    [here?.state, here?.path, here?.reason, here?.id],
    ["taken", path, "it was here already", 7],
  );
  assertEquals(taker.asked.length, asked);
  await Deno.writeFile(path, BYTES.toReversed());
  taker.transfers.get(SEQ);
  await taker.transfers.settled();
  assertEquals(
    taker.shown.news.at(-1)?.path,
    `${folder.file("taken")}/hut (2).jpg`,
  );
  taker.transfers.get(SEQ);
  await taker.transfers.settled();
  assertEquals(taker.shown.news.at(-1)?.reason, "it was here already");
});

Deno.test("Transfers.get() can be called again as soon as it is told that a file is here, or can't be had", async () => {
  await using setup = await setUp();
  const { taker, offer } = setup;
  const { shown, transfers } = taker;
  const asksAgain = { failed: false, taken: false };
  const show = shown.show.bind(shown);
  shown.show = (news) => {
    show(news);
    const { state = "begun" } = news as FileNews;
    if (state !== "failed" && state !== "taken" || asksAgain[state]) return;
    asksAgain[state] = true;
    taker.before = () => state === "taken"; // after a failure nothing comes
    transfers.get(SEQ);
  };
  taker.logged({ ...offer, digest: "0".repeat(64) });
  transfers.get(SEQ);
  const begun = () => shown.news.filter(({ state }) => state === "begun");
  while (begun().length < 2) await shown.more;
  await digestOf(BYTES);
  assertEquals([transfers.numbers("taking"), shown.notes], [[SEQ], []]);
  transfers.drop(SEQ);
  await transfers.settled();

  taker.before = () => true;
  taker.logged(offer);
  transfers.get(SEQ);
  await transfers.settled();
  const reasons = shown.news.filter(({ state }) => state === "taken")
    .map(({ reason }) => reason);
  assertEquals([reasons, shown.notes], [["", "it was here already"], []]);
});

Deno.test("Transfers say whether asking again can help, and which request it is about", async () => {
  await using setup = await setUp();
  const { holder, taker } = setup;
  holder.before = (event) => event.kind !== "piece";
  taker.transfers.get(SEQ, "a");
  await taker.shown.until("begun");
  taker.transfers.drop(SEQ);
  await taker.transfers.settled();
  const dropped = taker.shown.news.at(-1);
  assertEquals([dropped?.again ?? true, dropped?.id], [true, "a"]);
  holder.before = () => true;
  holder.transfers.drop(SEQ);
  taker.transfers.get(SEQ, "b");
  await taker.transfers.settled();
  const gone = taker.shown.news.at(-1);
  assertEquals([gone?.state, gone?.again, gone?.id], ["failed", false, "b"]);
});
