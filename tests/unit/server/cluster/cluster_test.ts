/**
 * The order of a shared room: how a server comes into it, what comes out of the stream and what is skipped, and what a
 * server does that is away from the stream, or has lost it.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { Batch, type Item } from "../../../../src/server/batch.ts";
import { Cluster } from "../../../../src/server/cluster/cluster.ts";
import {
  type Content,
  EntrySealer,
} from "../../../../src/server/cluster/entry.ts";
import type { ClusterKeys } from "../../../../src/server/cluster/keys.ts";
import type { PositionFile } from "../../../../src/server/cluster/position.ts";
import { NOBODY } from "../../../../src/server/cluster/roster_record.ts";
import {
  StreamError,
  StreamLostError,
} from "../../../../src/server/cluster/wire.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { member, sit } from "../../../kit/made_up_seats.ts";
import { MemoryCompany } from "../../../kit/memory_siblings.ts";
import {
  BEGUN,
  type OrderedServer,
  type OrderedServers,
  orderedTest,
} from "../../../kit/ordered_server.ts";
import { overhear } from "../../../kit/overhear.ts";
import { madeUp, madeUpId } from "../../../kit/people.ts";
import { seat } from "../../../kit/shared_servers.ts";

const SETTINGS: Item = { kind: "settings" };
const GOT: Item = { kind: "got", person: madeUpId("ana"), id: 1 };
const [A, B] = ["a.example:5000", "b.example:5000"];

/** That a server is gone. */
function gone({ cluster: { server } }: OrderedServer): Item {
  return { kind: "gone", server, reason: "lost" };
}

/** An entry by some server of the room. */
async function add(
  { nats, keys }: OrderedServers,
  content: Content,
): Promise<number> {
  const { data } = await new EntrySealer(keys).seal(content);
  return nats.add(data);
}

/** A beginning of another stream. */
function beginning(place: number, stream = "another"): Content {
  return {
    kind: "beginning",
    stream,
    place,
    sealed: false,
    head: 0,
    chain: "",
    after: null,
    by: "A".repeat(22),
  };
}

/** Some bytes that no server has made, which come to a place of their own and happen nowhere. */
function noise({ nats }: OrderedServers, count = 1): void {
  for (let n = 0; n < count; n++) nats.add(new Uint8Array([9, n]));
}

/** What the owner is told meanwhile, without who says it. */
async function told(
  level: string,
  what: () => Promise<unknown>,
): Promise<string[]> {
  return (await overhear(level, what)).map((it) =>
    it.replace(/^\w+ cluster: /, "")
  );
}

// ── Who is there ───────────────────────────────────────────────────────────────────────────────────────

orderedTest(
  "a server that comes tells who is there, itself first, and so do those who are",
  async (room) => {
    const lines = await told("info", async () => {
      const a = await room.open();
      assertEquals([a.cluster.servers, a.cluster.hasOthers], [1, false]);
      assertEquals(a.changes, [[[A], undefined]]);
      const b = await room.open({ address: B });
      assertEquals(b.changes, [[[A], undefined], [[B, A], undefined]]);
      await a.until(() => a.cluster.servers === 2);
      assertEquals(a.changes.slice(1), [[[A, B], undefined]]);
      assertEquals([a.cluster.hasOthers, b.cluster.hasOthers], [true, true]);
      b.wire.cut();
      assertEquals(b.cluster.hasOthers, false);
    });
    assertEquals(lines, [
      `In the room: ${A} (this server)`,
      `In the room: ${A}, ${B} (this server)`,
      `The server at ${B} is in the room`,
    ]);
  },
);

orderedTest(
  "a server that is gone is so for the others, gives up what was under way, and comes back by itself",
  async (room) => {
    const a = await room.open();
    const b = await room.open({ address: B });
    await a.until(() => a.cluster.servers === 2);
    const lines = await told("info", async () => {
      room.nats.fate = (id) =>
        id.startsWith(b.cluster.server) ? "lost" : "taken";
      b.cluster.propose([GOT]);
      a.cluster.propose([gone(b)]);
      await a.until(() => a.cluster.servers === 1);
      assertEquals(a.changes.at(-1), [[A], b.cluster.server]);
      await b.until(() => b.cluster.servers === 1);
      assertEquals(b.changes.at(-1), [[A], b.cluster.server]);
      assertEquals(b.cluster.isFree, false);
      await b.until(() => b.rejected.length > 0);
      assertEquals(b.rejected, [GOT]);
      room.nats.fate = () => "taken";
      await b.until(() => b.cluster.servers === 2);
      await a.until(() => a.cluster.servers === 2);
    });
    assertEquals(lines, [
      `The server at ${B} is in the room no more`,
      "The others heard nothing of this server: its members were sent away, to come back by any server",
      `In the room: ${A}, ${B} (this server)`,
      `The server at ${B} is in the room`,
    ]);
    const { length } = a.changes;
    a.cluster.propose([{ ...SETTINGS }, {
      kind: "gone",
      server: "B".repeat(21) + "A",
      reason: "lost",
    }]);
    await a.until(() => a.changes.length > length);
    assertEquals(a.cluster.servers, 2); // that one was never there
  },
);

orderedTest(
  "a server's earlier run isn't told as another server",
  async (room) => {
    const lines = await told("info", async () => {
      const before = await room.open();
      const after = await room.open();
      after.cluster.propose([gone(before)]);
      await after.until(() => after.cluster.servers === 1);
    });
    assertEquals(lines.slice(1), [
      `In the room: ${A} (this server)`,
      "The earlier run of this server has ended",
    ]);
  },
);

orderedTest(
  "what happened to others before a server comes isn't told to its owner",
  async (room) => {
    const a = await room.open();
    const b = await room.open({ address: B });
    await a.until(() => a.cluster.servers === 2);
    a.cluster.propose([gone(b)]);
    await a.until(() => a.cluster.servers === 1);
    const lines = await told("info", () => room.open({ address: "c:1" }));
    assertEquals(lines, [`In the room: ${A}, c:1 (this server)`]);
  },
);

orderedTest(
  "a server that is silent is to be gone, once all is carried out, and one that stops has stopped",
  async (room) => {
    const company = new MemoryCompany();
    const a = await room.open({ company });
    const [b, c] = [await room.open({ company }), await room.open({ company })];
    const all = [a, b, c];
    for (const it of all) await it.until(() => it.cluster.servers === 3);
    await room.pass(6_000);
    assertEquals(all.map(({ submitted }) => submitted.length), [0, 0, 0]);
    c.cluster.leave();
    for (const it of [b, c]) it.siblings.isSilent = true;
    b.wire.cut();
    c.wire.cut();
    noise(room);
    await room.pass(7_000);
    assertEquals(a.submitted, []);
    a.carryOut();
    await room.pass(1_000);
    assertEquals(a.submitted, [
      gone(b),
      { ...gone(c), reason: "stopped" } as Item,
    ]);
    assertEquals([b.submitted, c.submitted], [[], []]); // which hear nobody themselves
  },
);

// ── Coming ─────────────────────────────────────────────────────────────────────────────────────────────

orderedTest(
  "a server comes once all is carried out that the stream had when it was found",
  async (room) => {
    noise(room, 3);
    const a = await room.launch();
    await room.pass(100);
    a.cluster.next();
    await room.pass(20); // its log is counted by then
    a.cluster.next();
    await room.pass(20);
    assertEquals([a.cluster.place, a.restored], [3, [NOBODY]]);
    assertEquals(room.nats.state.last, 4);
    await a.until(() => a.isIn);
    assertEquals(room.nats.state.last, 4); // it came once
    const b = await room.launch();
    const follow = b.wire.follow.bind(b.wire);
    b.wire.follow = (_, ...rest) => follow(5, ...rest); // nothing comes
    for (let i = 0; i < 3; i++) {
      await room.pass(20);
      b.cluster.next();
    }
    assertEquals([b.sought.length, room.nats.state.last], [1, 4]);
  },
);

orderedTest(
  "a server whose log goes on where the stream doesn't stays out, and says why",
  async (room) => {
    const footing = { ...BEGUN, head: 2 };
    const a = await room.launch({ footing, logHead: 3 });
    await assertRejects(
      () => a.until(() => a.isIn),
      AdvisedError,
      "the log here has event 3, and the room goes on without, after event 2",
    );
  },
);

orderedTest(
  "a server comes when its log is counted, and lets members in when another has looked at it",
  async (room) => {
    const a = await room.launch();
    const counted = Promise.withResolvers<void>();
    a.agreement.end = (done) => {
      void counted.promise.then(() => {
        a.agreement.end = () => ({});
        done();
      });
      return undefined;
    };
    const settled = Promise.withResolvers<void>();
    const hadOthers: boolean[] = [];
    a.agreement.settled = (hasOthers) => {
      hadOthers.push(hasOthers);
      return settled.promise;
    };
    await room.pass(20);
    a.carryOut();
    await room.pass(20);
    assertEquals(room.nats.entries, []);
    const { woken } = a;
    counted.resolve();
    await room.pass(20);
    assertEquals(a.woken, woken + 1);
    await a.until(() => a.cluster.servers === 1);
    await room.pass(20);
    assertEquals([a.isIn, hadOthers], [false, [false]]);
    settled.resolve();
    await a.until(() => a.isIn);
    const b = await room.launch({ address: B });
    b.agreement.settled = a.agreement.settled;
    await b.until(() => b.isIn);
    assertEquals(hadOthers, [false, true]);
  },
);

orderedTest(
  "a server can't be in a room where something else goes wrong than the way to NATS",
  async (room) => {
    const failures = [
      new TypeError("a defect"),
      new FileError("chat.cluster is broken"), // at a start
      new AdvisedError("It can't be", "Do something"),
    ];
    for (const error of failures) {
      const a = await room.launch({ failures: [error] });
      const thrown = await assertRejects(() => a.until(() => a.isIn));
      assertEquals(thrown, error);
      assertEquals(a.sought.length, 1);
    }
  },
);

// ── What happens ───────────────────────────────────────────────────────────────────────────────────────

orderedTest(
  "what is proposed happens on all servers, behind the lines of what came before, and at no earlier time",
  async (room) => {
    const times = [5_000, 4_000, 6_000];
    room.nats.now = () => times.shift() ?? 7_000;
    const footing = { ...BEGUN, time: 4_500, head: 20 };
    const a = await room.open({ footing });
    a.lines = 2;
    a.cluster.propose([GOT, SETTINGS]);
    assertEquals(a.cluster.isFree, false);
    await a.until(() => a.cluster.isFree);
    a.cluster.propose([GOT]);
    await a.until(() => a.cluster.isFree);
    assertEquals(a.kinds, ["got", "settings", "got"]);
    assertEquals(a.times, [5_000, 5_000, 6_000]);
    assertEquals(a.position.place?.head, 24);
    const { counted: { entries, proposing, skipped } } = a;
    assertEquals([entries, proposing.length, skipped], [3, 3, []]);
    a.cluster.propose([GOT]);
    await room.pass(100);
    a.carryOut();
    assertEquals(proposing.at(-1), 0.1); // s
    const { base, roster } = a.position.position ?? {};
    assertEquals([base, roster?.servers[0]?.k], [1, 3]); // its coming
    const b = await room.open({ address: B, footing });
    assertEquals(b.kinds, ["got", "settings", "got", "got"]);
    assertEquals([b.counted.entries, b.counted.proposing.length], [5, 1]);
  },
);

orderedTest(
  "an item may take all of a message but 16 KiB, and is measured as items are; what comes of it is shared",
  async (room) => {
    const { cluster } = await room.launch();
    assertEquals([cluster.isShared, cluster.now()], [true, Date.now()]);
    assertEquals(cluster.maxItemSize, 1_048_576 - 16_384);
    assertEquals(
      cluster.sizeOf(
        { kind: "leave", seat: {}, reason: "x".repeat(1_000) } as Item,
      ),
      1_512,
    );
  },
);

orderedTest(
  "nothing is proposed while a server isn't in, or is cut off, or more than 4 entries wait; and what was rejected comes first",
  async (room) => {
    const a = await room.launch();
    assertEquals(a.cluster.isFree, false);
    await a.until(() => a.isIn);
    assertEquals(a.cluster.isFree, true);
    a.wire.cut();
    assertEquals([a.cluster.isFree, a.cluster.isUp], [false, false]);
    a.wire.join();
    noise(room, 4);
    await room.pass(100);
    assertEquals([a.cluster.behind, a.cluster.hasNext], [4, true]);
    assertEquals(a.cluster.isFree, true);
    noise(room);
    await room.pass(100);
    assertEquals([a.cluster.behind, a.cluster.isFree], [5, false]);
    a.carryOut();
    assertEquals([a.cluster.hasNext, a.cluster.isFree], [false, true]);
  },
);

orderedTest(
  "no more than 64 entries wait to be carried out, and all of them are in the end",
  async (room) => {
    const a = await room.open();
    noise(room, 100);
    const { woken } = a;
    await room.pass(400);
    assertEquals([a.cluster.behind, a.woken], [64, woken + 64]);
    await a.until(() => a.cluster.place === 101);
    assertEquals(a.cluster.behind, 0);
    noise(room, 100);
    await room.pass(400);
    await a[Symbol.asyncDispose](); // though they wait
  },
);

orderedTest(
  "an entry that doesn't count is skipped, by its reason, and that is told once in 10 s",
  async (room) => {
    const a = await room.open();
    const entry = room.nats.entry(1);
    assert(entry);
    const lines = await told("warning", async () => {
      await add(room, beginning(7));
      await room.pass(100);
      a.carryOut();
      noise(room);
      room.nats.add(new Uint8Array([1, 2]));
      await add(room, beginning(room.nats.state.last + 1, "first"));
      const said = { kind: "proposal", stream: "first", base: null } as const;
      await add(room, { ...said, items: [["settings"]] });
      await add(room, { ...said, stream: "other", items: [["settings"]] });
      await add(room, { ...said, kind: "other" as never, items: [] });
      room.nats.add(entry.data);
      await room.pass(9_999);
      a.carryOut();
      assertEquals(a.cluster.place, 9);
      assert(a.cluster.mayDecide, "who isn't in has no turn");
      room.nats.add(entry.data);
      await room.pass(1);
      a.carryOut();
    });
    assertEquals(a.counted.skipped.toSorted(), [
      ...["foreign", "forged", "malformed"],
      ...["repeated", "repeated", "repeated", "repeated"],
      ...["void", "void"],
    ]);
    assertEquals(a.kinds, []);
    assertEquals(a.cluster.isUp, true);
    assertEquals(lines, [
      "Entry 2 of the stream is skipped: it begins the stream elsewhere. Since the start: 1",
      "Entry 10 of the stream is skipped: it comes again. Since the start: 8",
    ]);
  },
);

orderedTest(
  "that entries count for nothing is written down once a second, and when the stream is lost",
  async (room) => {
    const a = await room.open();
    a.room.nextId = 7;
    const written = async () => {
      noise(room);
      await room.pass(20);
      a.carryOut();
      return a.position.place?.place;
    };
    assertEquals([await written(), await written()], [2, 2]);
    const { woken } = a;
    await room.pass(1_000);
    assertEquals(a.woken, woken + 1);
    a.carryOut();
    assertEquals([a.position.place?.place, await written()], [3, 3]);
    room.nats.makeAnew();
    await a.until(() => a.sought.length === 2);
    assertEquals(a.soughtAt.at(-1), 4);
  },
);

orderedTest(
  "a server that has ended waits for nothing more, and that isn't told as a failure",
  async (room) => {
    const before = room.clock.pending;
    const a = await room.open();
    const { data } = await a.sealer.seal({
      kind: "proposal",
      stream: "first",
      base: 99,
      items: [["gone", "A".repeat(22), "lost"]],
    });
    for (const bytes of [data, data]) { // so that one's turn begins
      room.nats.add(bytes);
      await room.pass(20);
      a.carryOut();
    }
    a.footing = undefined;
    room.nats.makeAnew();
    await a.until(() => a.sought.length === 2);
    let hasFailed = false;
    a.cluster.failed.catch(() => hasFailed = true);
    await a[Symbol.asyncDispose]();
    await room.pass(20);
    assertEquals([room.clock.pending, hasFailed], [before, false]);
  },
);

orderedTest(
  "who was slower than another decides next, and a server that comes has its turn as well",
  async (room) => {
    const a = await room.open();
    const b = await room.open({ address: B });
    await a.until(() => a.cluster.servers === 2);
    const nobody: Item = {
      kind: "gone",
      server: "A".repeat(22),
      reason: "lost",
    };
    for (const it of [a, b]) it.cluster.propose([nobody, GOT]);
    const { last } = room.nats.state;
    const both = async (places: number) => {
      for (const it of [a, b]) {
        await it.until(() => it.cluster.place === last + places);
      }
      return [a, b].map(({ cluster }) => cluster.mayDecide);
    };
    assertEquals((await both(2)).filter((it) => it).length, 1);
    const [slower, faster] = a.cluster.mayDecide ? [a, b] : [b, a];
    assertEquals([slower.counted.skipped, slower.rejected], [["void"], [GOT]]);
    assertEquals([faster.counted.skipped, faster.rejected], [["void"], []]);
    slower.cluster.propose([GOT]); // which decides nothing
    await both(3);
    assertEquals(faster.cluster.mayDecide, false);
    slower.cluster.propose([nobody]);
    assertEquals(await both(4), [true, true]);
    // Before another one comes, something is decided that it hasn't seen.
    const late: Content = {
      kind: "proposal",
      stream: "first",
      base: last + 4,
      items: [["gone", "A".repeat(22), "lost"]],
    };
    const { data } = await a.sealer.seal(late);
    let isFirst = true;
    room.nats.fate = () => {
      if (isFirst) room.nats.add(data);
      isFirst = false;
      return "taken";
    };
    const c = await room.launch({ address: "c:1" });
    await c.until(() => room.nats.state.last === last + 6);
    await a.until(() => a.cluster.place === last + 6);
    assertEquals([a.cluster.mayDecide, a.cluster.servers], [false, 2]);
    await c.until(() => c.cluster.servers === 3);
    await a.until(() => a.cluster.servers === 3);
    assertEquals(a.cluster.mayDecide, true);
    // Whose turn it is is gone.
    room.nats.add((await b.sealer.seal({ ...late, base: last })).data);
    await room.pass(20);
    a.carryOut();
    assertEquals(a.cluster.mayDecide, false);
    a.cluster.propose([gone(b)]);
    await room.pass(20);
    a.carryOut();
    assertEquals([a.cluster.servers, a.cluster.mayDecide], [2, true]);
  },
);

orderedTest(
  "what another server proposes is its own, though it is the same number there, and about who is in here",
  async (room) => {
    const a = await room.open();
    const b = await room.open({ address: B });
    await a.until(() => a.cluster.servers === 2);
    room.nats.fate = (id) => id.startsWith(a.cluster.server) ? "lost" : "taken";
    a.cluster.propose([GOT]);
    const ana = sit(member("ana"), 3);
    a.room.seat = (id) => id === 3 ? ana : undefined;
    const { person: enrolled } = a.people.enrol(madeUp("ana"), 0, 1);
    b.cluster.propose([
      { kind: "away", seat: { ...ana }, text: "lunch" },
      { kind: "remove", person: enrolled, words: "x" },
      { kind: "away", seat: { ...ana, id: 4 }, text: "of nobody" },
    ]);
    await a.until(() => a.kinds.length > 0);
    assertEquals(a.kinds, ["away", "remove"]);
    const [, , away, remove] = a.happened;
    assert(away?.kind === "away" && away.seat === ana);
    assert(remove?.kind === "remove" && remove.person === enrolled);
    assertEquals([a.cluster.isFree, a.counted.proposing.length], [false, 1]);
    room.nats.fate = () => "taken";
    await a.until(() => a.cluster.isFree);
    assertEquals(a.kinds, ["away", "remove", "got"]);
  },
);

orderedTest(
  "what isn't under way can't be settled, and where there is no room nothing can be done",
  async (room) => {
    const a = await room.launch();
    const batch = new Batch(1, 1, true);
    const ordered = { items: [], at: 1 };
    assertThrows(
      () => a.cluster.settle(ordered, batch, true),
      TypeError,
      "isn't under way",
    );
    const find = () => Promise.resolve({ from: 1, made: "1", isFresh: false });
    const position = { ...a.position, position: undefined } as PositionFile;
    await using bare = new Cluster({ ...a.options, position, find });
    assertThrows(
      () => bare.between(() => {}),
      TypeError,
      "no room is attached",
    );
    a.wire.cut(); // which is told
    assertEquals(bare.isUp, false);
    a.wire.join();
    assertEquals(bare.isUp, true);
    bare.attach(a.room);
    await assertRejects(() => bare.enter(), TypeError, "it never began");
    await new Cluster(a.options)[Symbol.asyncDispose](); // which did nothing
  },
);

// ── Away ───────────────────────────────────────────────────────────────────────────────────────────────

orderedTest(
  "members are told where NATS is away for 2 s, or takes nothing, and when it is back, and the owner is told why",
  async (room) => {
    const a = await room.open();
    const lines = await told("warning", async () => {
      const { woken } = a;
      a.wire.cut();
      assertEquals([a.cluster.isUp, a.woken], [false, woken + 1]);
      await room.pass(1_999);
      assertEquals(a.waiting, []);
      await room.pass(1);
      a.wire.join();
      assertEquals([a.cluster.isUp, a.waiting], [true, [true, false]]);
      room.nats.fate = () => "lost";
      a.cluster.propose([GOT]);
      await a.until(() => !a.cluster.isUp); // once it is sealed
      await room.pass(2_000);
      assertEquals(a.waiting, [true, false, true]);
      room.nats.fate = () => "taken";
      await a.until(() => a.cluster.isUp);
    });
    const back = "NATS can be used again: what members said goes out";
    assertEquals(lines, [
      "NATS can't be reached: what members say waits",
      back,
      "NATS takes no entries, as when most of its servers are down: what members say waits",
      back,
    ]);
  },
);

orderedTest(
  "a server is up to date when all is carried out that the stream had, or while it can't know",
  async (room) => {
    const a = await room.open();
    await a.cluster.caughtUp();
    noise(room, 3);
    let isUpToDate = false;
    const asked = a.cluster.caughtUp().then(() => isUpToDate = true);
    await room.pass(100);
    assertEquals(isUpToDate, false);
    a.cluster.next();
    await room.pass(20);
    assertEquals([a.cluster.place, isUpToDate], [4, true]);
    await asked;
    a.cluster.propose([GOT]);
    await room.pass(100);
    isUpToDate = false;
    const carried = a.cluster.caughtUp().then(() => isUpToDate = true);
    await room.pass(20);
    a.carryOut();
    await room.pass(20);
    assertEquals([a.kinds, isUpToDate], [["got"], true]);
    await carried;
    noise(room);
    const next = a.cluster.caughtUp();
    await room.pass(100);
    a.wire.cut();
    await next;
    await a.cluster.caughtUp();
    a.wire.state = () => Promise.reject(new TypeError("a defect"));
    await assertRejects(() => a.cluster.caughtUp(), TypeError, "a defect");
  },
);

orderedTest(
  "a server that loses the stream carries out what it has, looks for it, and goes on with its members and with what was under way",
  async (room) => {
    const a = await room.open();
    noise(room, 2);
    await room.pass(100);
    room.nats.fate = () => "lost";
    a.cluster.propose([GOT]);
    await room.pass(100);
    a.isKept = false;
    const lines = await told("warning", async () => {
      room.nats.makeAnew();
      await room.pass(2_500);
      assertEquals([a.cluster.isUp, a.cluster.behind], [false, 2]);
      assertEquals([a.sought.length, a.waiting], [1, [true]]);
      a.carryOut();
      a.footing = { ...BEGUN, stream: "second" };
      await room.pass(0);
      await room.pass(249);
      assertEquals(a.sought.length, 1);
      await room.pass(1);
    });
    assertEquals([a.sought, a.soughtAt.at(-1)], [[undefined, undefined], 3]);
    assertMatch(lines[0] ?? "", /^Cannot follow the stream from place/);
    assertEquals([a.cluster.isUp, a.waiting], [true, [true, false]]);
    assertEquals(a.restored.length, 1); // at its start
    a.carryOut();
    assertEquals(a.rejected, [GOT]);
  },
);

orderedTest(
  "a server whose state was taken over from another one has others in, and comes anew; one that is further only goes on there",
  async (room) => {
    const a = await room.open();
    const roster = { nextId: 9, servers: [], seats: [seat(8)] };
    a.footing = { ...BEGUN, place: 0, stream: "second", roster };
    room.nats.makeAnew();
    await a.until(() => a.sought.length === 2 && a.cluster.isUp);
    assertEquals([a.restored.length, a.cluster.place], [1, 0]);
    assertEquals([a.cluster.isFree, room.nats.state.last], [true, 0]);
    a.isFresh = true;
    room.nats.makeAnew();
    await a.until(() => a.sought.length === 3 && a.cluster.isUp);
    assertEquals(a.restored.slice(1), [roster]);
    assertEquals(a.cluster.isFree, false);
    await a.until(() => a.cluster.isFree);
    assertEquals(room.nats.state.last, 1); // it has come
  },
);

orderedTest(
  "a stream that can't be found is looked for again, and so it is where the disk is full once a server is in",
  async (room) => {
    const start = [new StreamError("away"), new StreamLostError("lost")];
    const a = await room.open({ failures: start });
    assertEquals(a.sought.length, 3);
    a.failures.push(new FileError("The disk is full"));
    a.footing = { ...BEGUN, stream: "second" };
    const lines = await told("warning", async () => {
      room.nats.makeAnew();
      await a.until(() => a.sought.length === 5 && a.cluster.isUp);
    });
    assertEquals(lines.slice(1), ["The disk is full"]);
    const { journal } = a.people;
    const { keep } = journal;
    journal.keep = () => {
      journal.keep = keep;
      throw new FileError("The disk is still full");
    };
    a.footing = { ...BEGUN, stream: "third" };
    room.nats.makeAnew();
    await a.until(() => journal.keep === keep && a.cluster.isUp);
    assertEquals(a.sought.length, 6);
  },
);

orderedTest(
  "a beginning is met at once, whatever waits, and nothing that comes after it happens before",
  async (room) => {
    const a = await room.open();
    room.nats.fate = () => "lost";
    noise(room, 2);
    const place = await add(room, beginning(room.nats.state.last + 1));
    noise(room, 2);
    await room.pass(100);
    a.footing = { ...BEGUN, stream: "another", place, begun: place };
    const { woken } = a;
    assertEquals(a.cluster.next(), undefined);
    assertEquals([a.cluster.place, a.cluster.behind], [3, 0]);
    assertEquals(a.woken, woken + 1); // what waits is told so
    assertEquals([a.cluster.isUp, a.cluster.isFree], [false, false]);
    await a.until(() => a.cluster.isUp);
    const [, begun] = a.sought;
    assertEquals([begun?.entry.seq, begun?.beginning.stream], [
      place,
      "another",
    ]);
    await a.until(() => a.cluster.place === place + 2);
    assertEquals(a.sought.length, 2);
    assertEquals(a.restored.length, 1);
    room.nats.makeAnew();
    a.footing = BEGUN;
    await a.until(() => a.sought.length === 3);
    assertEquals(a.sought[2], undefined); // it was met once
  },
);

orderedTest(
  "what comes out of a stream that is being left doesn't happen",
  async (room) => {
    const a = await room.open();
    const b = await room.open({ address: B });
    await a.until(() => a.cluster.servers === 2);
    const place = await add(room, beginning(room.nats.state.last + 1));
    const { data } = await b.sealer.seal({
      kind: "proposal",
      stream: "first",
      base: null,
      items: [["settings"]],
    });
    await room.pass(100);
    a.footing = undefined;
    room.nats.add(data);
    for (let i = 0; i < 20; i++) await Promise.resolve(); // it is being opened
    assertEquals(a.cluster.next(), undefined);
    await room.pass(400);
    a.carryOut();
    assertEquals([a.kinds, a.cluster.place], [[], place - 1]);
  },
);

orderedTest(
  "a server that has lost the stream doesn't ask to be in, and can end whatever it has still to carry out",
  async (room) => {
    const a = await room.launch();
    await room.pass(50);
    a.carryOut();
    a.footing = undefined;
    room.nats.makeAnew();
    await room.pass(50);
    for (let i = 0; i < 3; i++) {
      a.carryOut();
      await room.pass(50);
    }
    assertEquals([room.nats.entries, a.cluster.isUp], [[], false]);
    const b = await room.open({ footing: { ...BEGUN, stream: "second" } });
    noise(room, 2);
    await room.pass(100);
    room.nats.makeAnew();
    await room.pass(100);
    assertEquals([b.cluster.isUp, b.cluster.behind], [false, 2]);
    await room.pass(2_000);
    assertEquals(b.waiting, [true]);
    await b[Symbol.asyncDispose]();
  },
);

orderedTest(
  "a server can't go on where its members can't be told, nothing can be proposed or opened, or its log differs",
  async (room) => {
    const defect = new TypeError("a defect");
    const fail = () => Promise.reject(defect);
    const faults: ((it: OrderedServer) => void)[] = [
      (it) => {
        it.room.tellWaiting = fail;
        it.wire.cut();
      },
      (it) => {
        it.wire.publish = fail;
        it.cluster.propose([GOT]);
      },
      (it) => it.agreement.differs(defect),
    ];
    for (const fault of faults) {
      const a = await room.open();
      fault(a);
      await room.pass(2_000);
      assertEquals(await assertRejects(() => a.until(() => false)), defect);
    }
    const a = await room.open();
    await using blind = new Cluster({ ...a.options, keys: {} as ClusterKeys });
    blind.attach(a.room);
    await assertRejects(() => blind.enter(), TypeError);
    await using before = new Cluster(a.options);
    a.agreement.differs(defect); // nobody waits for it yet
    await room.pass(20);
    assertEquals(await assertRejects(() => before.failed), defect);
  },
);

orderedTest(
  "a server follows a stream that begins anew, though something else came out of the old one meanwhile",
  async (room) => {
    const a = await room.open();
    const place = await add(room, beginning(room.nats.state.last + 1));
    const { data } = await new EntrySealer(room.keys).seal(beginning(99));
    await room.pass(100);
    a.footing = { ...BEGUN, stream: "another", place, begun: place };
    room.nats.add(data);
    for (let i = 0; i < 20; i++) await Promise.resolve(); // it is being opened
    assertEquals(a.cluster.next(), undefined); // the beginning
    await room.pass(400); // its room has something else to do
    await a.until(() => a.cluster.isUp);
    assertEquals(a.sought[1]?.beginning.stream, "another");
    await a.until(() => a.cluster.place === place + 1);
  },
);
