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
import {
  isConditional,
  itemsOf,
  judge,
  type Verdict,
} from "../../../../src/server/cluster/judging.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { BEGUN, orderedTest } from "../../../kit/ordered_server.ts";

const PERSON = toBase64url(new Uint8Array(32));
const BANNED: Item = {
  kind: "people",
  happenings: [{ kind: "banned", person: PERSON, until: null, by: "", at: 1 }],
};

const SETTINGS: Item = { kind: "settings" };

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
  orderedTest(
    `what was tried before a "${limit.kind}" is tried again after it`,
    async (room) => {
      const [a, b] = [await room.open(), await room.open()];
      await a.until(() => a.cluster.servers === 2);
      b.cluster.propose([limit]);
      await b.until(() => b.kinds.length === 1);
      // It has not come to `a` yet, which has tried this before.
      a.cluster.propose([COMES]);
      const { last } = room.nats.state;
      await b.until(() =>
        room.nats.state.last > last && b.cluster.place > last
      );
      await a.until(() => a.cluster.place > last);
      assertEquals(b.cluster.servers, 2);
      assertEquals(a.cluster.servers, 2);
    },
  );
}

orderedTest(
  "a server that has come back isn't gone by what was said before that",
  async (room) => {
    const a = await room.open();
    const b = await room.open();
    const c = await room.open();
    await a.until(() => a.cluster.servers === 3);
    await b.until(() => b.cluster.servers === 3);
    const gone: Item = {
      kind: "gone",
      server: c.cluster.server,
      reason: "lost",
    };
    a.cluster.propose([gone]);
    const { last } = room.nats.state;
    await a.until(() => a.cluster.place === last + 1);
    assertEquals(a.cluster.servers, 2);
    await c.until(() => c.cluster.place === last + 2);
    b.cluster.propose([gone]); // which has seen nothing of that
    await a.until(() => a.cluster.place === last + 3);
    await b.until(() => b.cluster.place === last + 3);
    assertEquals([a.cluster.servers, b.cluster.servers], [3, 3]);
    assertEquals(b.rejected, []);
  },
);

orderedTest(
  "old entries of a server that is gone count for nothing in a stream that was made anew",
  async (room) => {
    const old = await room.open();
    old.cluster.propose([BANNED]);
    await old.until(() => old.kinds.length === 1);
    await old[Symbol.asyncDispose]();
    const kept = room.nats.entries.map(({ data }) => data);
    room.nats.makeAnew();
    const footing = { ...BEGUN, stream: "second" };
    const b = await room.open({ footing });
    room.nats.makeAnew();
    b.footing = { ...BEGUN, stream: "third" };
    for (const data of kept) room.nats.add(data);
    const { last } = room.nats.state;
    await b.until(() => b.cluster.place >= last);
    assertEquals(b.kinds, []);
  },
);

orderedTest(
  "a server stops, and says why, where an entry says what it doesn't understand",
  async (room) => {
    const a = await room.open();
    const sealer = new EntrySealer(room.keys);
    const say = async (...items: unknown[]) => {
      const { data } = await sealer.seal({
        kind: "proposal",
        stream: BEGUN.stream,
        base: room.nats.state.last,
        items,
      });
      room.nats.add(data);
    };
    await say(["server", sealer.server, "b.example:5000"]);
    await a.until(() => a.cluster.servers === 2);
    await say(["dance", 1]);
    await assertRejects(
      () => a.until(() => a.cluster.place === room.nats.state.last),
      AdvisedError,
      "entry 3 of the stream says what this server doesn't understand",
    );
  },
);

orderedTest(
  "a server stops that looks for its stream in vain",
  async (room) => {
    const a = await room.open();
    a.footing = undefined;
    room.nats.makeAnew();
    await a.until(() => !a.cluster.isUp);
  },
);

orderedTest(
  "a beginning that somebody has kept is none in a stream that was made anew",
  async (room) => {
    const a = await room.open({
      footing: { ...BEGUN, stream: "second", earlier: ["first"] },
    });
    const place = room.nats.state.last + 1;
    const { data } = await new EntrySealer(room.keys).seal({
      kind: "beginning",
      stream: "first",
      place,
      sealed: false,
      head: 0,
      chain: "",
      after: null,
      by: a.cluster.server,
    });
    room.nats.add(data);
    await a.until(() => a.cluster.place === place);
    assertEquals(a.cluster.isUp, true);
  },
);

orderedTest(
  "a stream that takes no entries can't be used until it does, and takes each once then",
  async (room) => {
    const a = await room.open();
    room.nats.fate = () => "lost";
    a.cluster.propose([BANNED]);
    await a.until(() => !a.cluster.isUp);
    room.nats.fate = () => "taken";
    await a.until(() => a.cluster.isUp);
    await a.until(() => a.cluster.isFree);
    assertEquals(a.kinds, ["people"]);
  },
);

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
  ["a server that isn't in says what is no item", "new", 0, {
    base: null,
    items: [null, "server", { 0: "server" }, ["say", "server"]],
  }, { kind: "void", waits: undefined }],
  ["what is no item is no base", "old", 5, {
    base: null,
    items: [null, "people", { 0: "people" }, ["say", "link"]],
  }, { kind: "counts", isBase: false }],
  ["a new link is a base, whatever else is there", "old", 5, {
    base: null,
    items: [SAID, ["link", "x"]],
  }, COUNTS],
  ["a server comes among other things", "new", 0, {
    base: 7,
    items: [SAID, HELLO],
  }, COUNTS],
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

// ── itemsOf() ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("itemsOf() leaves out what is about nobody, and lets a defect be one", () => {
  const content = { kind: "proposal", stream: "s", base: null } as const;
  const items = [["away", 3, "x"], ["settings"]];
  const context = { server: "s", person: () => undefined };
  const seat = () => undefined;
  assertEquals(itemsOf(1, { ...content, items }, { ...context, seat }), [
    { kind: "settings" },
  ]);
  const broken = () => {
    throw new TypeError("a defect");
  };
  assertThrows(
    () => itemsOf(1, { ...content, items }, { ...context, seat: broken }),
    TypeError,
    "a defect",
  );
});

Deno.test("isConditional() holds for what may be refused, and must be the first of its server", () => {
  const kinds = ["join", "rename", "release", "rule", "server", "gone"];
  const others = ["say", "away", "remove", "settings", "need", "give", "leave"];
  const isOne = (kind: string) => isConditional([{ kind } as Item]);
  assert(kinds.every(isOne));
  assert(![...others, "people", "link", "post", "got"].some(isOne));
  assert(isConditional([SETTINGS, COMES]));
  assert(!isConditional([]));
});
