/**
 * Which entries of the stream count: what was decided on what is no longer so does not, nor what somebody kept and adds again
 * to a stream that was made anew; and what a server does
 * that can add nothing, or looks for its stream.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { toBase64url } from "../../../../crypto_utils.ts";
import type { Item } from "../../../../src/server/batch.ts";
import {
  EntrySealer,
  type Proposal,
} from "../../../../src/server/cluster/entry.ts";
import { judge, type Verdict } from "../../../../src/server/cluster/judging.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";
import { MemoryNats } from "../../../kit/memory_wire.ts";
import { BEGUN, OrderedServer } from "../../../kit/ordered_server.ts";

const PERSON = toBase64url(new Uint8Array(32));
const BANNED: Item = {
  kind: "people",
  happenings: [{ kind: "banned", person: PERSON, until: null, by: "", at: 1 }],
};

/** Something that may be refused, and is about nobody. */
const COMES: Item = {
  kind: "server",
  id: toBase64url(new Uint8Array(16)),
  address: "c.example:5000",
};

for (
  const limit of [
    BANNED,
    { kind: "link", secret: new Uint8Array(32) },
  ] as const
) {
  Deno.test(`what was tried before a "${limit.kind}" is tried again after it`, async () => {
    const nats = new MemoryNats();
    const keys = await clusterKeys("room");
    await using a = await OrderedServer.open(nats, keys);
    await using b = await OrderedServer.open(nats, keys);
    await a.until(() => a.cluster.servers === 2);
    b.cluster.propose([limit]);
    await b.until(() => b.kinds.length === 1);
    // It has not come to `a` yet, which has tried this before.
    a.cluster.propose([COMES]);
    const { last } = nats.state;
    await b.until(() => nats.state.last > last && b.cluster.place > last);
    await a.until(() => a.cluster.place > last);
    assertEquals(b.cluster.servers, 2);
    assertEquals(a.cluster.servers, 2);
  });
}

Deno.test("a server that has come back isn't gone by what was said before that", async () => {
  const nats = new MemoryNats();
  const keys = await clusterKeys("room");
  await using a = await OrderedServer.open(nats, keys);
  await using b = await OrderedServer.open(nats, keys);
  await using c = await OrderedServer.open(nats, keys);
  await a.until(() => a.cluster.servers === 3);
  await b.until(() => b.cluster.servers === 3);
  const gone: Item = {
    kind: "gone",
    server: c.cluster.server,
    reason: "lost",
  };
  a.cluster.propose([gone]);
  const { last } = nats.state;
  await a.until(() => a.cluster.place === last + 1);
  assertEquals(a.cluster.servers, 2);
  await c.until(() => c.cluster.place === last + 2);
  b.cluster.propose([gone]); // which has seen nothing of that
  await a.until(() => a.cluster.place === last + 3);
  await b.until(() => b.cluster.place === last + 3);
  assertEquals([a.cluster.servers, b.cluster.servers], [3, 3]);
  assertEquals(b.rejected, []);
});

Deno.test("old entries of a server that is gone count for nothing in a stream that was made anew", async () => {
  const nats = new MemoryNats();
  const keys = await clusterKeys("room");
  {
    await using old = await OrderedServer.open(nats, keys);
    old.cluster.propose([BANNED]);
    await old.until(() => old.kinds.length === 1);
  }
  const kept = nats.entries.map(({ data }) => data);
  nats.makeAnew();
  await using b = await OrderedServer.open(nats, keys, {
    ...BEGUN,
    stream: "second",
  });
  nats.makeAnew();
  b.footing = { ...BEGUN, stream: "third" };
  for (const data of kept) nats.add(data);
  const { last } = nats.state;
  await b.until(() => b.cluster.place >= last);
  assertEquals(b.kinds, []);
});

Deno.test("a server stops, and says why, where an entry says what it doesn't understand", async () => {
  const nats = new MemoryNats();
  const keys = await clusterKeys("room");
  await using a = await OrderedServer.open(nats, keys);
  const sealer = new EntrySealer(keys);
  const say = async (...items: unknown[]) => {
    const { data } = await sealer.seal({
      kind: "proposal",
      stream: BEGUN.stream,
      base: nats.state.last,
      items,
    });
    nats.add(data);
  };
  await say(["server", sealer.server, "b.example:5000"]);
  await a.until(() => a.cluster.servers === 2);
  await say(["dance", 1]);
  await assertRejects(
    () => a.until(() => a.cluster.place === nats.state.last),
    AdvisedError,
    "entry 3 of the stream says what this server doesn't understand",
  );
});

Deno.test("a server stops that looks for its stream in vain", async () => {
  const nats = new MemoryNats();
  await using a = await OrderedServer.open(nats, await clusterKeys("room"));
  a.footing = undefined;
  nats.makeAnew();
  await a.until(() => !a.cluster.isUp);
});

Deno.test("a beginning that somebody has kept is none in a stream that was made anew", async () => {
  const nats = new MemoryNats();
  const keys = await clusterKeys("room");
  await using a = await OrderedServer.open(nats, keys, {
    ...BEGUN,
    stream: "second",
    earlier: ["first"],
  });
  const place = nats.state.last + 1;
  const { data } = await new EntrySealer(keys).seal({
    kind: "beginning",
    stream: "first",
    place,
    sealed: false,
    head: 0,
    chain: "",
    after: null,
    by: a.cluster.server,
  });
  nats.add(data);
  await a.until(() => a.cluster.place === place);
  assertEquals(a.cluster.isUp, true);
});

Deno.test("a stream that takes no entries can't be used until it does, and takes each once then", async () => {
  const nats = new MemoryNats();
  await using a = await OrderedServer.open(nats, await clusterKeys("room"));
  nats.fate = () => "lost";
  a.cluster.propose([BANNED]);
  await a.until(() => !a.cluster.isUp);
  nats.fate = () => "taken";
  await a.until(() => a.cluster.isUp);
  await a.until(() => a.cluster.isFree);
  assertEquals(a.kinds, ["people"]);
});

// ── judge() ────────────────────────────────────────────────────────────────────────────────────────────

const HELLO = ["server", "new", "n.example:5000"];
const RENAMED = ["rename", 3, "ben"];
const SAID = ["say", 3, [[1, "hello"]]];
const COUNTS = { kind: "counts", isBase: true };

type Case = readonly [
  name: string,
  server: string,
  k: number,
  content: Pick<Proposal, "base" | "items"> & { readonly stream?: string },
  verdict: Verdict["kind"] | Readonly<Record<string, unknown>>,
];

const CASES: readonly Case[] = [
  ["a line counts", "old", 5, { base: null, items: [SAID] }, {
    kind: "counts",
    isBase: false,
  }],
  ["a decision on what is so counts", "old", 5, {
    base: 7,
    items: [RENAMED],
  }, COUNTS],
  ["a decision on what was so is void", "old", 5, {
    base: 6,
    items: [RENAMED],
  }, { kind: "void", waits: "decider" }],
  ["a ban counts, and is a base", "old", 5, {
    base: null,
    items: [["people", []]],
  }, COUNTS],
  ["a server comes", "new", 0, { base: 7, items: [HELLO] }, COUNTS],
  ["a server comes too late", "new", 0, { base: 6, items: [HELLO] }, {
    kind: "void",
    waits: "comer",
  }],
  ["a server that isn't in says something", "new", 0, {
    base: null,
    items: [SAID],
  }, { kind: "void", waits: undefined }],
  ["an entry comes again", "old", 4, { base: null, items: [SAID] }, "repeated"],
  ["an entry is of another stream", "old", 5, {
    stream: "first",
    base: null,
    items: [SAID],
  }, "repeated"],
];

for (const [name, server, k, { stream = "second", ...rest }, is] of CASES) {
  Deno.test(`judge(): ${name}`, () => {
    const old = { id: "old", address: "o.example:5000", k: 4 };
    const before = {
      stream: "second",
      base: 7,
      servers: new Map([["old", old]]),
    };
    const content: Proposal = { kind: "proposal", stream, ...rest };
    const verdict = judge({ server, k, content }, before);
    if (typeof is === "string") assertEquals(verdict.kind, is);
    else assertEquals({ ...verdict }, is);
  });
}
