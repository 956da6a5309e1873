/**
 * One download, word by word: what it asks for when, what it makes of each answer, and what it shows.
 *
 * @module
 */

import { FileError } from "../../../../src/base/file_error.ts";
import {
  Download,
  type DownloadOptions,
} from "../../../../src/client/files/download.ts";
import type { OpenedPiece } from "../../../../src/client/file_room.ts";
import type { FileNews } from "../../../../src/client/view.ts";
import { PIECE_SIZE } from "../../../../src/protocol/offer.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";

const PAUSE = 3_000;

/** What was asked for: a number for the answer, where it begins, and its size, bytes. */
type Asked = readonly [id: number, from: number, size: number];

/** A download of a file of so many bytes, which is kept in memory. */
class Setup {
  #asked: Asked[] = [];
  #lastId = 0;
  readonly shown: FileNews[] = [];
  /** What is answered to who asks, but for a number. */
  denial: "later" | null | undefined;
  taken = 0;
  time = 0;
  readonly download: Download;
  readonly running: Promise<void>;
  #kept = 0;

  constructor(size: number, files: Partial<DownloadOptions["files"]> = {}) {
    const kept = () => this.#kept;
    const target = {
      get size() {
        return kept();
      },
      append: (bytes: Uint8Array) => {
        this.#kept += bytes.length;
        return Promise.resolve();
      },
      finish: () => Promise.resolve("/saved/hut.jpg"),
      [Symbol.dispose]() {},
    };
    this.download = new Download({
      seq: 7,
      offer: { name: "hut.jpg", size, digest: "0".repeat(64) },
      files: {
        find: () => Promise.resolve(undefined),
        target: () => Promise.resolve(target),
        ...files,
      },
      ask: (from, size) => {
        if (this.denial !== undefined) return this.denial;
        assert(++this.#lastId < 1_000, "it asks without end");
        this.#asked.push([this.#lastId, from, size]);
        return this.#lastId;
      },
      show: (news) => void this.shown.push(news),
      taken: () => void this.taken++,
      pause: PAUSE,
      now: () => this.time,
    });
    this.running = this.download.run();
  }

  /** What was asked for since the last call, once all that was told has been dealt with. */
  async asked(): Promise<Asked[]> {
    for (let step = 0; step < 50; step++) await Promise.resolve();
    return this.#asked.splice(0);
  }

  piece(id: number, piece: OpenedPiece | number): void {
    const opened = typeof piece === "number" ? new Uint8Array(piece) : piece;
    this.download.tell({ kind: "piece", id, piece: Promise.resolve(opened) });
  }

  missing(id: number, reason: string): void {
    this.download.tell({ kind: "missing", id, reason });
  }

  /** What was shown since the last call: the state and the reason. */
  get states(): string[] {
    return this.shown.splice(0).map(({ state, reason }) =>
      reason === "" ? state : `${state}: ${reason}`
    );
  }
}

/** A file of three pieces and a little, of which the first was asked for. */
async function begin(): Promise<Setup> {
  const setup = new Setup(3 * PIECE_SIZE + 7);
  assertEquals(await setup.asked(), [[1, 0, PIECE_SIZE]]);
  assertEquals(setup.states, ["begun"]);
  return setup;
}

const GONE = "waiting: its sender is not here";

Deno.test("Download asks for what is missing, in order, and for more at a time while pieces come fast: 8 at the most", async () => {
  const setup = new Setup(40 * PIECE_SIZE + 7);
  const asked: Asked[] = [];
  let greatest = 0;
  for (let next; (next = asked.shift() ?? (await setup.asked())[0]);) {
    asked.push(...await setup.asked());
    greatest = Math.max(greatest, asked.length + 1);
    const [id, from, size] = next;
    assertEquals(from, (id - 1) * PIECE_SIZE);
    assertEquals(size, id === 41 ? 7 : PIECE_SIZE);
    setup.piece(id, size);
    asked.push(...await setup.asked());
  }
  await setup.running;
  assertEquals(greatest, 8);
  assertEquals([setup.taken, setup.shown.at(-1)?.path], [1, "/saved/hut.jpg"]);
});

Deno.test("Download asks for as much at a time where a piece takes 100 to 300 ms, and for less where it takes longer", async () => {
  const setup = new Setup(40 * PIECE_SIZE);
  const open: (readonly [id: number, at: number])[] = [];
  const ask = async () => {
    for (const [id] of await setup.asked()) open.push([id, setup.time]);
  };
  await ask();
  const steps = [
    ...[[99, 2], [100, 2], [300, 2], [99, 3], [99, 4], [301, 3], [301, 2]],
    ...[[301, 1], [301, 1]],
  ];
  for (const [took = 0, most = 0] of steps) {
    const [id = 0, at = 0] = open.shift() ?? [];
    setup.time = at + took; // as if nothing else took any time
    setup.piece(id, PIECE_SIZE);
    await ask();
    assertEquals(open.length, most, `after ${took} ms`);
  }
  setup.download.tell({ kind: "closed" });
  await setup.running;
});

Deno.test("Download passes over answers to what it has not asked for, or not since the connection was lost", async () => {
  const setup = await begin();
  setup.missing(9, "dropped");
  setup.piece(9, PIECE_SIZE);
  assertEquals([await setup.asked(), setup.states], [[], []]);
  setup.download.tell({ kind: "parted" });
  setup.missing(1, "dropped");
  setup.piece(1, PIECE_SIZE);
  assertEquals(await setup.asked(), [[2, 0, PIECE_SIZE]]);
  setup.piece(2, PIECE_SIZE);
  assertEquals((await setup.asked())[0], [3, PIECE_SIZE, PIECE_SIZE]);
  assertEquals(setup.states, ["taking"]);
  setup.download.tell({ kind: "closed" });
  await setup.running;
});

Deno.test("Download waits after a piece that doesn't come, and asks for it again after a pause or when the client is back", async () => {
  using clock = new ManualClock();
  const setup = await begin();
  setup.missing(1, "gone");
  assertEquals([await setup.asked(), setup.states], [[], [GONE]]);
  assert(!setup.download.active);
  setup.piece(1, PIECE_SIZE); // is late
  clock.advance(PAUSE - 1);
  assertEquals(await setup.asked(), []);
  clock.advance(1);
  assertEquals(await setup.asked(), [[2, 0, PIECE_SIZE]]);
  setup.missing(2, "gone"); // the same as before is said once
  setup.download.tell({ kind: "joined" });
  assertEquals(await setup.asked(), [[3, 0, PIECE_SIZE]]);
  setup.missing(3, "late");
  setup.download.tell({ kind: "joined" });
  assertEquals(await setup.asked(), [[4, 0, PIECE_SIZE]]);
  setup.piece(4, "locked");
  assertEquals(await setup.asked(), []);
  clock.advance(PAUSE);
  assertEquals((await setup.asked()).map(([id]) => id), [5]);
  setup.piece(5, PIECE_SIZE);
  assertEquals((await setup.asked()).map(([id]) => id), [6, 7]);
  setup.missing(7, "late");
  assertEquals(setup.states, [
    "waiting: no answer",
    "waiting: the room's key has not come yet",
    "taking",
  ]);
  await setup.asked();
  assertEquals(setup.states, ["waiting: no answer"]);
  setup.download.tell({ kind: "joined" });
  assertEquals((await setup.asked()).map(([, from]) => from), [
    PIECE_SIZE,
    2 * PIECE_SIZE,
  ]);
  setup.download.tell({ kind: "closed" });
  await setup.running;
  assertEquals([setup.states, clock.pending], [[], 0]);
});

Deno.test("Download that gets a piece out of turn asks for that and all that are open anew, at once", async () => {
  const setup = await begin();
  setup.piece(1, PIECE_SIZE);
  assertEquals((await setup.asked()).map(([id]) => id), [2, 3]);
  setup.piece(3, PIECE_SIZE);
  assertEquals(await setup.asked(), [
    [4, PIECE_SIZE, PIECE_SIZE],
    [5, 2 * PIECE_SIZE, PIECE_SIZE],
  ]);
  setup.piece(2, PIECE_SIZE); // is late
  assertEquals([await setup.asked(), setup.states], [[], ["taking"]]);
  setup.download.tell({ kind: "closed" });
  await setup.running;
});

Deno.test("Download asks for nothing while nobody can be asked, and goes on where it was", async () => {
  const setup = await begin();
  setup.denial = "later";
  setup.piece(1, PIECE_SIZE);
  assertEquals([await setup.asked(), setup.states], [[], ["taking"]]);
  setup.denial = undefined;
  setup.download.tell({ kind: "free" });
  const ids = (await setup.asked()).map(([id]) => id);
  assertEquals(ids, [2, 3]);
  setup.denial = null;
  setup.download.tell({ kind: "parted" });
  assertEquals(await setup.asked(), []);
  assertEquals(setup.states, ["waiting: not connected"]);
  setup.denial = "later";
  setup.download.tell({ kind: "joined" });
  assertEquals([await setup.asked(), setup.states], [[], ["taking"]]);
  assert(setup.download.active);
  setup.denial = undefined;
  setup.download.tell({ kind: "free" });
  const from = (await setup.asked()).map(([, from]) => from);
  assertEquals(from, [PIECE_SIZE, 2 * PIECE_SIZE]);
  setup.download.tell({ kind: "closed" });
  await setup.running;
});

Deno.test("Download fails where the file or a piece of it isn't what was offered, and says whether asking again can help", async () => {
  const cases: [(setup: Setup) => void, string, boolean | undefined][] = [
    [
      (it) => it.missing(1, "changed"),
      "the file has changed, or cannot be read",
      false,
    ],
    [(it) => it.missing(1, "dropped"), "it is no longer offered", false],
    [
      (it) => it.piece(1, "wrong"),
      "a piece of it is not as its sender sent it",
      undefined,
    ],
    ...[-1, 1].map((more): typeof cases[number] => [
      (it) => it.piece(1, PIECE_SIZE + more),
      "a piece of it has the wrong size",
      undefined,
    ]),
  ];
  for (const [answer, reason, again] of cases) {
    const setup = await begin();
    answer(setup);
    await setup.asked(); // and doesn't wait for anything
    const [failed, ...more] = setup.shown;
    assertEquals([failed?.state, failed?.reason], ["failed", reason]);
    assertEquals([failed?.again, failed?.dropped, more], [
      again,
      undefined,
      [],
    ]);
    assertEquals([setup.taken, setup.download.active], [0, false]);
    await setup.running;
  }
});

Deno.test("Download that is dropped says so, and one that is closed says nothing, while it takes or waits", async () => {
  using clock = new ManualClock();
  for (const kind of ["dropped", "closed"] as const) {
    for (const waits of ["no", "for its sender", "for a key"]) {
      const setup = await begin();
      if (waits === "for its sender") setup.missing(1, "gone");
      if (waits === "for a key") setup.piece(1, "locked");
      await setup.asked();
      setup.shown.length = 0;
      setup.download.tell({ kind });
      await setup.running;
      const shown = setup.shown.map((it) => [it.state, it.reason, it.dropped]);
      const dropped = [["failed", "you dropped it", true]];
      assertEquals(shown, kind === "dropped" ? dropped : []);
    }
  }
  assertEquals(clock.pending, 0);
});

Deno.test("Download that comes whole and isn't what was offered is not told as taken", async () => {
  const setup = new Setup(0, {
    target: () =>
      Promise.resolve({
        size: 0,
        append: () => Promise.resolve(),
        finish: () => Promise.reject(new FileError("its checksum is wrong")),
        [Symbol.dispose]() {},
      }),
  });
  await setup.running;
  assertEquals(setup.states, ["begun", "failed: its checksum is wrong"]);
  assertEquals(setup.taken, 0);
});

Deno.test("Download tells each percent once", async () => {
  const setup = new Setup(250 * PIECE_SIZE);
  for (let asked; (asked = await setup.asked()).length > 0;) {
    for (const [id, , size] of asked) setup.piece(id, size);
  }
  await setup.running;
  const got = setup.shown.filter(({ state }) => state === "taking")
    .map((it) => Math.floor(it.got / it.size * 100));
  assertEquals(got, Array.from({ length: 101 }, (_, percent) => percent));
});

Deno.test("Download says that a file is here already, or can't be written, and takes nothing", async () => {
  const here = new Setup(9, { find: () => Promise.resolve("/here") });
  await here.running;
  const [{ state, got, path, reason } = {}] = here.shown;
  assertEquals([state, got, path], ["taken", 9, "/here"]);
  assertEquals(reason, "it was here already");
  const full = new Setup(9, {
    target: () => Promise.reject(new FileError("the disk is full")),
  });
  await full.running;
  assertEquals(full.states, ["failed: the disk is full"]);
  const broken = new Setup(9, {
    target: () => Promise.reject(new TypeError("a fault of ours")),
  });
  await assertRejects(() => broken.running, TypeError, "a fault of ours");
  for (const it of [here, full, broken]) {
    assertEquals([await it.asked(), it.taken], [[], 0]);
  }
});
