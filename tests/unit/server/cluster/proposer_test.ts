/**
 * What a server proposes: published again until it is known what comes of it, one entry at a time.
 *
 * @module
 */

import type { Item } from "../../../../src/server/batch.ts";
import {
  EntrySealer,
  openEntry,
} from "../../../../src/server/cluster/entry.ts";
import { Proposer } from "../../../../src/server/cluster/proposer.ts";
import { StreamError } from "../../../../src/server/cluster/wire.ts";
import type { Bytes } from "../../../../crypto_utils.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";
import { DrivenClock } from "../../../kit/driven_clock.ts";
import { cryptoIdle } from "../../../kit/crypto_idle.ts";
import { withMethod } from "../../../kit/log_kit.ts";

const keys = await clusterKeys("room");
const BEFORE = { stream: "s", base: 7 };
const SETTINGS: Item = { kind: "settings" };
const GOT: Item = { kind: "got", person: "A".repeat(43), id: 1 };
const COMES: Item = { kind: "server", id: "b", address: "b.example:5000" };
const GONE: Item = { kind: "gone", server: "b", reason: "lost" };

/** What becomes of an entry that is published. */
type Fate = "taken" | "lost" | "waits" | "broken";

/** A server that proposes. @param fates What becomes of each, in order. Default: it is taken. */
function setUp(...fates: Fate[]) {
  const published: { readonly id: string; readonly data: Bytes }[] = [];
  const changes: boolean[] = [];
  const ending = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  /** What becomes of the entry that waits. */
  let end: (error: Error) => void = () => {};
  const sealer = new EntrySealer(keys);
  const proposer = new Proposer({
    wire: {
      async publish(id, data) {
        published.push({ id, data });
        const fate = fates.shift();
        if (fate === "lost") throw new StreamError("no answer came in time");
        if (fate === "broken") throw new TypeError("a defect");
        if (fate === "waits") await new Promise((_, reject) => end = reject);
        return published.length;
      },
    },
    sealer,
    changed: () => void changes.push(proposer.isStuck),
    failed: failed.reject,
    signal: ending.signal,
  });
  return {
    proposer,
    sealer,
    published,
    changes,
    ending,
    failed: failed.promise,
    end: (error: Error) => end(error),
    /** The last one that was published, opened. */
    async content() {
      const { data } = published.at(-1) ?? {};
      return (await openEntry(keys, data ?? new Uint8Array())).content;
    },
  };
}

Deno.test("an entry says for which stream it is, and what was the base of what may be refused", async () => {
  const it = setUp();
  const end = { head: 3, chain: "A".repeat(43) };
  for (
    const [items, base, more] of [
      [[SETTINGS, GOT], null, {}],
      [[SETTINGS, GONE], 7, {}],
      [[COMES], 7, end],
    ] as const
  ) {
    it.proposer.propose(items, BEFORE, more);
    assertEquals([it.proposer.isIdle, it.proposer.isFree], [false, false]);
    await cryptoIdle();
    const said = items.map(({ kind, ...fields }) => [
      kind,
      ...Object.values(fields),
    ]);
    assertEquals(await it.content(), {
      kind: "proposal",
      stream: "s",
      base,
      items: said,
      ...more,
    });
    it.proposer.arrived(it.published.length - 1, 0);
    assertEquals([it.proposer.isIdle, it.proposer.isFree], [true, true]);
  }
  assertEquals(it.changes, []);
});

Deno.test("an entry is under way until that one comes out of the stream, once", async () => {
  const it = setUp();
  it.proposer.propose([GOT], BEFORE);
  assertEquals(it.proposer.arrived(0, 0), undefined); // isn't sealed yet
  await cryptoIdle();
  assertEquals(it.proposer.arrived(1, 0), undefined);
  assertEquals(it.proposer.isIdle, false);
  assertEquals(it.proposer.arrived(0, 0)?.items, [GOT]);
  assertEquals(it.proposer.arrived(0, 0), undefined);
  assertEquals(it.proposer.isIdle, true);
  it.proposer.giveUp();
  assertEquals(it.proposer.rejected(), []);
});

Deno.test("an entry that isn't taken is published again as it is, each 250 ms, and says once that it is stuck", () =>
  DrivenClock.with(async (clock) => {
    const it = setUp("lost", "lost", "taken");
    it.proposer.propose([GOT], BEFORE);
    await cryptoIdle();
    assertEquals([it.published.length, it.changes], [1, [true]]);
    await clock.step();
    assertEquals([it.published.length, it.changes, clock.now], [
      2,
      [true],
      250,
    ]);
    await clock.step();
    assertEquals([it.published.length, it.changes], [3, [true, false]]);
    assertEquals(await clock.step(), false);
    const [first] = it.published;
    assertEquals(it.published, [first, first, first]);
  }));

Deno.test("an entry that has come, or was given up, isn't published again, nor is it stuck", () =>
  DrivenClock.with(async (clock) => {
    for (const how of ["arrived", "giveUp"] as const) {
      const it = setUp("lost");
      it.proposer.propose([GOT], BEFORE);
      await cryptoIdle();
      it.proposer[how](0, 0);
      assertEquals(it.changes, [true, false]);
      await clock.step();
      assertEquals([it.published.length, it.proposer.isStuck], [1, false]);
    }
    const it = setUp("waits");
    it.proposer.propose([GOT], BEFORE);
    await cryptoIdle();
    it.proposer.arrived(0, 0);
    it.end(new StreamError("no answer came in time"));
    await clock.step();
    assertEquals([it.published.length, it.changes], [1, []]);
  }));

Deno.test("an entry that is given up before it is sealed isn't published, and the next one is", async () => {
  const it = setUp();
  it.proposer.propose([GOT], BEFORE);
  it.proposer.giveUp();
  it.proposer.propose([SETTINGS], BEFORE);
  await cryptoIdle();
  assertEquals(it.published.length, 1);
  assertEquals(it.proposer.arrived(0, 0), undefined);
  assertEquals(it.proposer.arrived(1, 0)?.items, [SETTINGS]);
});

Deno.test("an entry that is sealed when it was given up isn't taken for the next one", async () => {
  const it = setUp();
  const seal = it.sealer.seal.bind(it.sealer);
  const later = Promise.withResolvers<void>();
  it.sealer.seal = async (content) => {
    it.sealer.seal = seal;
    const sealed = await seal(content);
    await later.promise;
    return sealed;
  };
  it.proposer.propose([GOT], BEFORE);
  it.proposer.giveUp();
  it.proposer.propose([SETTINGS], BEFORE);
  await cryptoIdle();
  later.resolve();
  await cryptoIdle();
  assertEquals(it.proposer.arrived(0, 0), undefined);
  assertEquals(it.proposer.arrived(1, 0)?.items, [SETTINGS]);
});

Deno.test("what came to nothing is to be proposed again, before anything else is, but for who comes and goes", async () => {
  const it = setUp();
  it.proposer.propose([GOT, COMES, GONE], BEFORE);
  await cryptoIdle();
  it.proposer.giveUp();
  it.proposer.reject({ items: [SETTINGS], at: 0 });
  assertEquals([it.proposer.isIdle, it.proposer.isFree], [true, false]);
  assertEquals(it.proposer.rejected(), [GOT, SETTINGS]);
  assertEquals(it.proposer.rejected(), []);
  assertEquals(it.proposer.isFree, true);
});

Deno.test("nothing is published after a server's end, and what nobody expects is told", () =>
  DrivenClock.with(async (clock) => {
    const it = setUp("broken", "waits");
    it.proposer.propose([GOT], BEFORE);
    await assertRejects(() => it.failed, TypeError, "a defect");
    it.proposer.propose([GOT], BEFORE);
    await cryptoIdle();
    it.ending.abort();
    it.end(new StreamError("no answer came in time"));
    await clock.step();
    it.proposer.propose([SETTINGS], BEFORE);
    await cryptoIdle();
    assertEquals(it.published.length, 2);
  }));

Deno.test("the stream's clock is that of an entry which came within a second, half of its way ago, in whole milliseconds", () =>
  DrivenClock.with((clock) =>
    withMethod(Date, "now", () => () => 50_000 + clock.now, async () => {
      const it = setUp();
      assertEquals(it.proposer.now(), 50_000);
      for (
        const [k, delay, now] of [
          [0, 101, 90_051],
          [1, 999, 90_500],
          [2, 1_000, 91_500],
        ] as const
      ) {
        it.proposer.propose([GOT], BEFORE);
        await cryptoIdle();
        clock.now += delay;
        it.proposer.arrived(k, 90_000);
        assertEquals(it.proposer.now(), now);
      }
    })
  ));
