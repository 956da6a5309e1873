/**
 * How servers that share a room come to the stream: alone and together, when it is lost, older, or another one, and when it
 * no longer has what one of them lacks.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import type { Beginning } from "../../../../src/server/cluster/entry.ts";
import type { Position } from "../../../../src/server/cluster/position.ts";
import type { Kept } from "../../../../src/server/sealed/control_file.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import type { DrivenClock } from "../../../kit/driven_clock.ts";
import { said } from "../../../kit/log_kit.ts";
import {
  seat,
  type SharedServer,
  type SharedServers,
  sharedTest,
} from "../../../kit/shared_servers.ts";

/** All have the same lines, the same chain, the same place and the same people in. */
async function assertSame(...servers: SharedServer[]): Promise<void> {
  const [first, ...rest] = servers;
  assert(first);
  const { own: _own, ...place } = first.position;
  for (const it of rest) {
    const { own: _others, ...other } = it.position;
    assertEquals(other, place);
    assertEquals(await it.texts(), await first.texts());
    assertEquals(await it.value(), await first.value());
  }
}

/** How long something takes, ms. */
async function timeOf(
  clock: DrivenClock,
  what: Promise<unknown>,
): Promise<number> {
  const start = clock.now;
  await what;
  return clock.now - start;
}

/** What an entry says. */
function contentOf(room: SharedServers, seq: number): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(room.nats.entry(seq)?.data));
}

/** A beginning after an empty log. */
const BEGINNING: Beginning = {
  kind: "beginning",
  stream: "another",
  place: 1,
  sealed: false,
  head: 0,
  chain: "",
  after: null,
  by: "b",
};

// ── The first ──────────────────────────────────────────────────────────────────────────────────────────

sharedTest(
  "a server alone begins an empty stream, and goes on in it after a restart",
  async (room, clock) => {
    const a = await room.start("a");
    a.has.log.goOnAfter = () => Promise.reject(new Error("nothing is lost"));
    assertEquals(await a.find(), { from: 2, made: "1", isFresh: false });
    assertEquals([clock.now, clock.pending], [1_500, 0]); // others are asked for
    assertEquals(contentOf(room, 1)["chain"], "");
    assertMatch(a.notes.join("\n"), /stream is empty: begins it anew/);
    assertEquals(a.isNew, [true, true]);
    room.say("one", "two");
    await a.follow();
    await room.stop(a);
    const again = await room.start("a", { id: "a2" });
    assertEquals(await again.find(), { from: 3, made: "1", isFresh: false });
    assertEquals(again.notes, []);
    assertEquals(room.nats.entries.length, 2);
  },
);

sharedTest(
  "the log of a server that was alone so far is what the stream begins with, and others get it whole",
  async (room, clock) => {
    const a = await room.start("a");
    await a.has.log.append([1, 2, 3].map((n) => ({
      at: n,
      person: "k3df9q2mx7ta41cz",
      stay: "Yk3xQ0p1a2c",
      n,
      what: "said" as const,
      name: "Abhii",
      text: `text ${n}`,
    })));
    a.has.people.set({ topic: "stamps", slow: 7 });
    await a.find();
    room.seat(seat(1));
    await a.follow();

    const b = await room.start("b");
    const start = clock.now;
    const footing = await b.find();
    assert(clock.now - start < 1_500); // one that is in the stream is enough
    assertEquals(footing, { from: 3, made: "1", isFresh: true });
    await assertSame(a, b);
    assertEquals(b.position.roster.seats, [seat(1)]);
    assertEquals(b.has.people.settings, { topic: "stamps", slow: 7 });
    assertEquals(b.secret, a.secret);
  },
);

sharedTest(
  "of servers that start at the same time one begins the stream, and the others take over",
  async (room) => {
    const servers = await Promise.all(
      ["a", "b", "c"].map((it) => room.start(it)),
    );
    await Promise.all(servers.map((it) => it.find()));
    room.say("hello");
    await Promise.all(servers.map((it) => it.follow()));
    await assertSame(...servers);
  },
);

sharedTest(
  "a server that is new waits for one that is in the stream, and says so",
  async (room, clock) => {
    const a = await room.start("a");
    await a.find();
    await room.stop(a);
    const b = await room.start("b");
    const start = clock.now = 1_000_000;
    const error = await assertRejects(() => b.find(), AdvisedError);
    assertEquals(clock.now - start, 23_500); // the first time after 20 s
    assertMatch(
      error.message,
      /new in the room, and no other server .* answers/,
    );
    assertEquals(b.notes.length, 1);
    assertMatch(b.notes.join("\n"), /waits for another server/);
    assertEquals(b.has.position.position, undefined);
  },
);

// ── Away ───────────────────────────────────────────────────────────────────────────────────────────────

sharedTest(
  "a crash between log and chat.cluster leaves lines that the entry finds there",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    room.say("one", "two");
    await a.crashAfterLogging();
    await room.stop(a);
    const again = await room.start("a");
    assertEquals(again.has.log.head, 2);
    assertEquals((await again.find()).from, 2);
    await again.follow();
    assertEquals(await again.texts(), ["one", "two"]);
    assertEquals(again.position.head, 2);
  },
);

sharedTest(
  "a server that was away for longer than the stream reaches back takes over what it lacks",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    await room.stop(b);
    a.has.people.set({ topic: "later", slow: 0 });
    for (let n = 1; n <= 600; n++) room.say(`text ${n}`);
    room.seat(seat(4));
    await a.follow();
    room.nats.discard(400);
    const again = await room.start("b", { id: "b2" });
    const footing = await again.find();
    assertEquals(footing, { from: 603, made: "1", isFresh: true });
    assertMatch(again.notes.join("\n"), /no longer has entries 2 to 399/);
    await assertSame(a, again);
    assertEquals(again.has.people.settings.topic, "later");
  },
);

sharedTest(
  "what nobody else has any more is said, with the entries that are missing, and nothing is left out",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    for (let n = 1; n <= 9; n++) room.say(`text ${n}`);
    room.nats.discard(8);
    await room.stop(a);
    const again = await room.start("a");
    const error = await assertRejects(() => again.find(), AdvisedError);
    assertMatch(error.message, /no longer has entries 2 to 7/);
    assertEquals(again.position.place, 1);
    assertEquals(room.nats.entries.length, 3);
  },
);

sharedTest(
  "a server of which only its own last entry is gone from the stream goes on",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    room.say("one");
    await a.follow();
    room.nats.discard(3);
    assertEquals(await a.find(), { from: 3, made: "1", isFresh: false });
  },
);

// ── The stream is lost ─────────────────────────────────────────────────────────────────────────────────

sharedTest(
  "servers that all have the same go on with their members when the stream was emptied",
  async (room) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await a.find();
    await b.find();
    room.seat(seat(1));
    room.say("one");
    for (const it of [a, b]) await it.follow();
    room.nats.makeAnew();
    const footings = await Promise.all([a.find(), b.find()]);
    const went = { from: 2, made: "2", isFresh: false };
    assertEquals(footings, [went, went]);
    assertMatch(
      a.notes.join("\n"),
      /stream is empty: it was emptied or made anew/,
    );
    assertMatch(b.notes.join("\n"), /begins anew with entry 1, after event 2/);
    room.say("two");
    for (const it of [a, b]) await it.follow();
    await assertSame(a, b);
    assertEquals(a.position.roster.seats, [seat(1)]);
    assertEquals(await a.texts(), ["Name1 comes", "one", "two"]);
  },
);

sharedTest(
  "a server that finds the stream begun anew by another goes on with its members, if it has all before",
  async (room) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await a.find();
    await b.find();
    room.seat(seat(1));
    for (const it of [a, b]) await it.follow();
    room.nats.makeAnew();
    await a.find(); // b notices later
    room.say("one");
    await a.follow();
    assertEquals(await b.find(), { from: 2, made: "2", isFresh: false });
    await b.follow();
    await assertSame(a, b);
  },
);

sharedTest(
  "the longest log begins a lost stream, and the others take over what they lack",
  async (room) => {
    const servers = [];
    for (const name of ["a", "b", "c"]) {
      const server = await room.start(name);
      await server.find();
      servers.push(server);
    }
    const [a, b, c] = servers;
    assert(a && b && c);
    room.say("one");
    await a.follow();
    await b.follow();
    room.say("two");
    await b.follow();
    room.nats.makeAnew();
    const footings = await Promise.all(servers.map((it) => it.find()));
    assertEquals(footings.map(({ isFresh }) => isFresh), [true, false, true]);
    for (const it of [a, c]) {
      assertMatch(
        it.notes.join("\n"),
        /: waits for the server with the longest log to begin it anew$/m,
      );
    }
    await assertSame(a, b, c);
    assertEquals(await c.texts(), ["one", "two"]);
  },
);

sharedTest(
  "one that has carried out more begins a lost stream, where the logs are equally long",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    room.say(); // an entry without a line
    await b.follow();
    room.nats.makeAnew();
    const footings = await Promise.all([a.find(), b.find()]);
    assertEquals(footings.map(({ isFresh }) => isFresh), [true, false]);
    await assertSame(a, b);
  },
);

sharedTest(
  "an older stream that was put back is recognised by the servers that were further, and none loses a line",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    const old = room.nats.entries.slice();
    room.say("one");
    await a.follow();
    room.nats.makeAnew(old);
    const footings = await Promise.all([a.find(), b.find()]);
    assertEquals(footings.map(({ from }) => from).includes(3), true);
    assertMatch(
      a.notes.join("\n"),
      /ends with entry 1, .* has carried out entry 2/,
    );
    await b.follow();
    await a.follow();
    await assertSame(a, b);
    assertEquals(await b.texts(), ["one"]);
  },
);

sharedTest(
  "a server that comes back after the stream was made anew follows the others",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    room.say("one");
    await a.follow();
    await room.stop(b);
    room.nats.makeAnew();
    await a.find();
    room.say("two", "three");
    await a.follow();
    const again = await room.start("b", { id: "b2" });
    assertEquals((await again.find()).isFresh, true);
    assertMatch(again.notes.join("\n"), /: takes over what others have$/m);
    await assertSame(a, again);
  },
);

sharedTest(
  "a server whose log has lines that the room lacks stops, says which, and changes nothing",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    room.say("one");
    room.say("two");
    await b.follow();
    await room.stop(b);
    room.nats.makeAnew();
    await a.find(); // without what b has
    room.say("other");
    await a.follow();
    const again = await room.start("b", { id: "b2" });
    const error = await assertRejects(() => again.find(), AdvisedError);
    assertMatch(error.message, /event 1 of the log here isn't the one/);
    assertMatch(error.advice, /Nothing was changed/);
    assertEquals(await again.texts(), ["one", "two"]);
    assertEquals(again.position.place, 3);
  },
);

sharedTest(
  "a server whose log is longer than what the stream has begun with stops, and keeps its lines",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    room.say("one", "two");
    await b.follow();
    await room.stop(b);
    room.nats.makeAnew();
    await a.find(); // without what b has
    const again = await room.start("b", { id: "b2" });
    const error = await assertRejects(() => again.find(), AdvisedError);
    assertMatch(
      error.message,
      /has events 1 to 2, .* goes on without, after event 0/,
    );
    assertEquals(await again.texts(), ["one", "two"]);
  },
);

sharedTest(
  "a server that meets a beginning which lacks lines of its log stops, and keeps them",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    room.say("one");
    await a.follow();
    const { stream, place, digest } = a.position;
    const after = { stream, place, digest };
    room.begin({ ...BEGINNING, place: 3, after });
    const error = await assertRejects(() => a.follow(), AdvisedError);
    assertMatch(error.message, /has event 1, and the room goes on without/);
    const asked = await room.company.join("x").ask("state", {}, { to: "a" });
    assertEquals(asked, undefined); // it isn't in the room any more
    assertEquals(await a.texts(), ["one"]);
    assertEquals(a.position.place, 2);
  },
);

sharedTest(
  "a server that finds the stream empty waits for those that were there, which may have more",
  async (room) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await a.find();
    await b.find();
    for (const id of ["a", "b"]) room.come(id);
    for (const it of [a, b]) await it.follow();
    room.say("one");
    await b.follow();
    await room.stop(b);
    room.nats.makeAnew();
    const asked = Promise.withResolvers<void>();
    let count = 0;
    room.company.join("watcher").hear("heads", () => {
      if (++count === 20) asked.resolve(); // longer than it waits for strangers
      return undefined;
    });
    const finding = a.find();
    await asked.promise;
    assertEquals(room.nats.entries, []);
    const again = await room.start("b", { id: "b2" });
    await Promise.all([finding, again.find()]);
    await assertSame(a, again);
    assertEquals(await a.texts(), ["one"]);
  },
);

sharedTest(
  "a beginning that something came before is void, and that shows at once",
  async (room, clock) => {
    const a = await room.start("a");
    await a.find();
    await room.stop(a);
    const again = await room.start("a", { id: "a2" });
    await again.find();
    room.nats.makeAnew();
    let isLate = true;
    room.nats.fate = () => {
      if (isLate) {
        room.nats.add(new TextEncoder().encode('{"kind":"lines","texts":[]}'));
      }
      isLate = false;
      return "taken";
    };
    const start = clock.now;
    const { from } = await again.find();
    assertEquals(clock.now - start, 3_000); // others are asked for twice
    assertEquals(from, room.nats.entries.length + 1);
    assertEquals(again.position.place, room.nats.entries.length);
  },
);

sharedTest(
  "a stream that was put back whole is gone on with, as another one",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    room.say("one");
    await a.follow();
    const before = a.position;
    room.nats.makeAnew(room.nats.entries.slice());
    const { length } = a.notes;
    assertEquals(await a.find(), { from: 3, made: "2", isFresh: false });
    assertEquals(a.position, { ...before, made: "2" });
    assertEquals(a.notes.length, length);
    a.has.position.replace = () => {
      throw new Error("nothing is other");
    };
    await a.find();
  },
);

sharedTest(
  "a server remembers the streams that were before, and the latest time of any",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const { stream: first } = a.position;
    const { time } = a.position;
    assertEquals(time, room.nats.entry(1)?.at);
    room.nats.now = () => time - 5;
    room.nats.makeAnew();
    await a.find();
    const { stream: second } = a.position;
    assertEquals([a.position.earlier, a.position.time], [[first], time]);
    room.nats.now = () => time + 5;
    room.nats.makeAnew();
    await a.find();
    const { earlier, stream: third, begun, base, place } = a.position;
    assertEquals([earlier, a.position.time], [[first, second], time + 5]);
    assertEquals(new Set([first, second, third]).size, 3);
    assertEquals([begun, base, place], [1, 1, 1]);
    const all = Array.from({ length: 256 }, (_, n) => `s-${n}`);
    a.has.position.replace({ ...a.position, earlier: all });
    room.nats.makeAnew();
    await a.find();
    assertEquals(a.position.earlier, [...all.slice(1), third]);
    assertEquals(a.isNew.slice(2).some((it) => it), false);
  },
);

sharedTest(
  "a beginning of an earlier stream, or for another place, isn't met again",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const { stream } = a.position;
    room.nats.makeAnew();
    await a.find();
    const kept = { ...BEGINNING, by: "a" };
    room.nats.makeAnew();
    let added = 0;
    room.nats.fate = () => {
      if (added++ === 0) {
        room.begin({ ...kept, stream, place: 1 });
        room.begin({ ...kept, stream: "other", place: 9 });
      }
      return "taken";
    };
    await a.find();
    assert(!["other", stream].includes(a.position.stream));
    assertEquals(a.position.place, room.nats.state.last);
  },
);

/** Puts a server into a room of another kind than it was started for. */
function seal({ has: { position } }: SharedServer): void {
  const { position: at } = position;
  assert(at);
  position.replace({ ...at, sealed: true });
}

sharedTest(
  "a server that was started for another kind of room stops, where it goes on and where the stream begins anew",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const { stream, place, digest } = a.position;
    room.begin({
      ...BEGINNING,
      place: 2,
      sealed: true,
      after: { stream, place, digest },
    });
    await assertRejects(() => a.follow(), AdvisedError, "it is a sealed one");
    assertEquals(a.position.place, 1);
    seal(a);
    await assertRejects(() => a.find(), AdvisedError, "it is a sealed one");
  },
);

sharedTest(
  "a server that meets a beginning after lines which it lacks takes all over from one that is in that stream",
  async (room) => {
    const all = [];
    for (const id of ["a", "c", "d", "b"]) all.push(await room.start(id));
    const [a, , d, b] = all; // c isn't in a stream, and d in the same one as a
    assert(a && b && d);
    for (const it of [a, b, d]) await it.find();
    room.say("one");
    await b.follow();
    const { stream, place, digest } = b.position;
    const anew = {
      ...BEGINNING,
      place: 3,
      head: 1,
      chain: await b.value(),
      after: { stream, place, digest },
      by: "b",
    };
    room.begin(anew);
    await b.follow();
    assertEquals(b.position.stream, "another");
    room.say("two");
    await b.follow();
    const entry = room.nats.entry(3);
    assert(entry);
    let lost = 0;
    room.company.loses = ({ topic }) => topic === "state" && ++lost <= 3;
    const { isFresh, from } = await a.standing.meet(entry, anew);
    assertEquals([isFresh, from], [true, 5]);
    await assertSame(a, b);
    assertMatch(a.notes.join("\n"), /begins anew with entry 3, after event 1/);
  },
);

sharedTest(
  "a server that meets a beginning with other lines stops, and names the first of them where that can be told",
  async (room) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await b.has.log.append([said(1, "other"), said(2)]);
    await a.has.log.append([said(1), said(2)]);
    await a.find();
    const begin = async (stream: string) => {
      const place = room.nats.state.last + 1;
      room.begin({
        ...BEGINNING,
        stream,
        place,
        head: 2,
        chain: await b.value(),
        by: "b",
      });
      return await assertRejects(() => a.follow(), AdvisedError);
    };
    assertMatch((await begin("x")).message, /event 1 of the log here isn't/);
    b.has.siblings.isSilent = true;
    assertMatch((await begin("y")).message, /event 2 of the log here isn't/);
    assertEquals(await a.texts(), ["text 1", "text 2"]);
  },
);

sharedTest(
  "the number of a sealed room's last control line isn't given again where the log lacks it",
  async (room) => {
    const a = await room.start("a");
    await a.has.log.append([said(1)]);
    const marks: Kept[] = [
      { kind: "logged", seq: 3 },
      { kind: "dropped", seq: 4 },
    ];
    const sealed = { state: () => marks.slice(0, 1), takeOver() {} };
    Object.assign(a.parts, { sealed });
    await a.find();
    assertEquals([a.position.head, a.position.sealed], [3, true]);
    sealed.state = () => marks;
    marks[0] = { kind: "logged", seq: 9 };
    room.nats.makeAnew();
    await a.find();
    assertEquals(a.position.head, 3);
  },
);

sharedTest(
  "a server with too short a log waits for those that were there, and takes the lines over when one runs",
  async (room) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await a.find();
    await b.find();
    for (const id of ["a", "b"]) room.come(id);
    room.say("one", "two");
    for (const it of [a, b]) await it.follow();
    for (const it of [a, b]) await room.stop(it);
    await Deno.remove(room.file("a", "chat.log"));
    const again = await room.start("a");
    const error = await assertRejects(() => again.find(), AdvisedError);
    assertMatch(
      error.message,
      /: the log ends with event 0, and this server has carried out all up to event 2, and no other server/,
    );
    assertMatch(error.advice, /^Start a server that has it first/);
    const other = await room.start("b");
    assertEquals((await again.find()).isFresh, false);
    await assertSame(again, other);
  },
);

sharedTest(
  "a server's own earlier run, and one of another's, isn't waited for",
  async (room, clock) => {
    const a = await room.start("a");
    await a.find();
    for (const id of ["a", "a", "b", "b"]) room.come(id);
    await a.follow();
    const address = (id: string) => ({ id, address: "x.example:1", k: 0 });
    const { position } = a;
    const servers = [address("a"), address("a-before")];
    a.has.position.replace({
      ...position,
      roster: { ...position.roster, servers },
    });
    room.nats.makeAnew();
    assertEquals(await timeOf(clock, a.find()), 1_500);
    const others = ["b", "b-before"].map((id) => ({
      ...address(id),
      address: "y:1",
    }));
    const roster = { ...position.roster, servers: [...servers, ...others] };
    a.has.position.replace({ ...a.position, roster });
    room.nats.makeAnew();
    assertEquals(await timeOf(clock, a.find()), 10_000); // as long as is waited for one
    a.has.position.replace({ ...a.position, roster });
    room.nats.makeAnew();
    const b = await room.start("b");
    const finding = Promise.all([a.find(), b.find()]);
    assert(await timeOf(clock, finding) < 10_000); // as long as who was there is waited for
    await assertSame(a, b);
  },
);

sharedTest(
  "a server that is silent meanwhile is asked again, and a stream that is lost meanwhile looked at anew",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    let isFirst = true;
    room.nats.fate = () => {
      if (isFirst) room.nats.makeAnew();
      isFirst = false;
      return "taken";
    };
    room.nats.makeAnew();
    const { made } = await a.find();
    assertEquals([made, room.nats.state.made], ["3", "3"]);
    const b = await room.start("b");
    let lost = 0;
    room.company.loses = ({ topic }) => topic === "state" && ++lost <= 3;
    assertEquals((await b.find()).isFresh, true);
    assertEquals(lost, 4);
    await assertSame(a, b);
  },
);

sharedTest(
  "where the beginning that another server names is gone, isn't one, or is another's, and where something before it is lacking, all is taken over",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    const named = (more: Partial<Position>) =>
      a.has.position.replace({ ...a.position, ...more });
    const cases: (() => Promise<void> | void)[] = [
      async () => {
        for (let n = 0; n < 3; n++) room.say();
        await a.follow();
        room.nats.discard(3);
      },
      async () => {
        room.say();
        await a.follow();
        named({ begun: 2 });
      },
      () => named({ stream: "another" }),
      () => {
        const again = contentOf(room, 1) as unknown as Beginning;
        named({ begun: room.begin(again) });
      },
    ];
    for (const change of cases) {
      room.nats.makeAnew();
      await a.find();
      await change();
      assertEquals((await b.find()).isFresh, true, `${change}`);
      await assertSame(a, b);
    }
    room.say(); // which b lacks
    await a.follow();
    room.nats.makeAnew();
    await a.find();
    assertEquals((await b.find()).isFresh, true);
    await assertSame(a, b);
  },
);

sharedTest(
  "who hasn't noticed yet that the stream is lost is asked again, since it may carry out more",
  async (room) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await a.find();
    await b.find();
    for (const id of ["a", "b"]) room.come(id);
    for (const it of [a, b]) await it.follow();
    room.say("one");
    const old = room.nats.entries.slice();
    room.nats.makeAnew();
    const asked = Promise.withResolvers<void>();
    room.company.join("watcher").hear("heads", () => {
      asked.resolve();
      return undefined;
    });
    const finding = a.find();
    await asked.promise;
    const { wire } = b.has;
    Object.assign(wire, {
      entry: (seq: number) => Promise.resolve(old[seq - 1]),
    });
    await b.follow();
    Reflect.deleteProperty(wire, "entry");
    const both = await Promise.all([finding, b.find()]);
    assertEquals(both.map(({ isFresh }) => isFresh), [true, false]);
    await assertSame(a, b);
    assertEquals(await a.texts(), ["one"]);
  },
);

sharedTest(
  "a server that was to begin the stream and never does is waited for 10 s, and then another one begins it",
  async (room, clock) => {
    const [a, b] = [await room.start("a"), await room.start("b")];
    await a.find();
    await b.find();
    room.say("one");
    await b.follow();
    room.nats.makeAnew();
    const start = clock.now;
    const finding = a.find();
    room.company.loses = () => a.notes.join().includes("longest log");
    assertEquals((await finding).isFresh, false);
    assertEquals(clock.now - start, 13_000); // and others are asked for, before and after
    assertEquals(room.nats.state.last, 1);
  },
);

// ── The log ────────────────────────────────────────────────────────────────────────────────────────────

sharedTest(
  "lines that an older log lacks come from another server",
  async (room) => {
    for (const id of ["other", "short"]) room.company.join(id); // who answer first
    const a = await room.start("a");
    await a.find();
    const other = await room.start("other"); // in no stream
    await other.has.log.append([1, 2, 3, 4].map((n) => said(n, "other")));
    await (await room.start("short")).find();
    const b = await room.start("b");
    await b.find();
    room.say("one", "two", "three");
    for (const it of [a, b]) await it.follow();
    await room.stop(b);
    const path = room.file("b", "chat.log");
    const [first] = (await Deno.readTextFile(path)).split("\n");
    await Deno.writeTextFile(path, `${first}\n`);
    const again = await room.start("b", { id: "b2" });
    assertEquals((await again.find()).isFresh, false);
    assertMatch(
      again.notes.join("\n"),
      /log ends with event 1, .* up to event 3: takes the lines over/,
    );
    await assertSame(a, again);
  },
);

sharedTest(
  "alone, a server whose log was deleted goes on without giving a number twice",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    room.say("one", "two");
    await a.follow();
    await room.stop(a);
    await Deno.remove(room.file("a", "chat.log"));
    const again = await room.start("a", { id: "a2" });
    await again.find();
    assertMatch(again.notes.join("\n"), /goes on with event 3 in another file/);
    room.say("three");
    await again.follow();
    assertEquals(again.has.log.head, 3);
    assertEquals(await again.texts(), ["three"]);
  },
);

sharedTest(
  "where chat.cluster is missing, a server takes over if its log is a part of the room's",
  async (room) => {
    const a = await room.start("a");
    await a.find();
    const b = await room.start("b");
    await b.find();
    room.say("one");
    await b.follow();
    await room.stop(b);
    room.say("two");
    await a.follow();
    await Deno.remove(room.file("b", "chat.cluster"));
    const again = await room.start("b", { id: "b2" });
    assertEquals((await again.find()).isFresh, true);
    assertMatch(again.notes.join("\n"), /its chat.cluster is lost/);
    await assertSame(a, again);
  },
);
