/**
 * How a server gives a newcomer its state and the lines of its log, piece by piece, and for how long.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { formatEntry } from "../../../../src/log/line_format.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { numbered, said, saidUpTo } from "../../../kit/log_kit.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import { madeUpId } from "../../../kit/people.ts";
import {
  seat,
  type SharedServer,
  type SharedServers,
  sharedTest,
} from "../../../kit/shared_servers.ts";

/** Asks server "a" for something. */
type Ask = (topic: string, message: Message) => Promise<Message | undefined>;

/** A server "a" with some lines in its log, which is in the stream, and one who asks it. */
async function start(
  room: SharedServers,
  lines = saidUpTo(3),
): Promise<{ a: SharedServer; ask: Ask }> {
  const a = await room.start("a");
  await a.has.log.append(lines);
  await a.find();
  const asking = room.company.join("asker");
  const ask: Ask = async (topic, message) =>
    (await asking.ask(topic, message, { to: "a" }))?.message;
  return { a, ask };
}

/** The records of a state, of each piece. */
async function pieces(ask: Ask, first: Message): Promise<unknown[][]> {
  const all: unknown[][] = [];
  const { id } = first;
  let piece: Message | undefined = first;
  for (let count = 0; piece && count < 20; count++) {
    all.push(piece["records"] as unknown[]);
    const from: unknown = piece["next"];
    if (from === null) break;
    piece = await ask("state", { id, from });
  }
  return all;
}

sharedTest(
  "a state comes in pieces of some 200,000 characters, each of which can be asked for again",
  async (room) => {
    const { a, ask } = await start(room, []);
    const data = "d".repeat(30_000);
    const [from, to] = [madeUpId("ana"), madeUpId("bo")];
    const posting = { from, to, stay: "Yk3xQ0p1a2c", data, own: "" };
    const by = { tell() {} };
    for (let n = 1; n <= 20; n++) a.has.mailbox.post({ ...posting, n }, by, n);
    room.seat(seat(1));
    await a.follow();
    const first = await ask("state", {});
    assert(first);
    const { position } = a.has.position;
    assert(position);
    const { roster } = position;
    assertEquals(first["position"], {
      ...position,
      roster: { ...roster, seats: [] }, // they are among the records
    });
    const all = await pieces(ask, first);
    const whole = [
      { of: "seat", it: seat(1) },
      ...a.has.people.state().map((it) => ({ of: "people", it })),
      ...a.has.mailbox.state().map((it) => ({ of: "mailbox", it })),
    ];
    assertEquals(all.flat(), whole);
    const sizes = (piece: unknown[]) =>
      piece.map((it) => JSON.stringify(it).length);
    const sum = (sizes: number[]) => sizes.reduce((a, b) => a + b, 0);
    assert(all.length > 2);
    for (const piece of all.slice(0, -1)) {
      assert(sum(sizes(piece)) >= 200_000);
      assert(sum(sizes(piece).slice(0, -1)) < 200_000);
    }
    const [one, two] = all;
    assert(one && two);
    const { id } = first;
    const from2 = one.length;
    assertEquals((await ask("state", { id, from: from2 }))?.["records"], two);
    assertEquals(await ask("state", { id, from: whole.length }), {
      records: [],
      next: null,
    });
    assertEquals(await ask("state", { id: "another", from: 0 }), undefined);
    // A number is no state's name: it asks for a new one.
    assert((await ask("state", { id: 5 }))?.["id"] !== id);
  },
);

sharedTest(
  "a server gives its state while it is in the stream, and not while it looks for it",
  async (room) => {
    const a = await room.start("a");
    const asking = room.company.join("asker");
    const ask = () => asking.ask("state", {}, { to: "a" });
    assertEquals(await ask(), undefined);
    await a.find();
    assert(await ask());
    const looked = Promise.withResolvers<unknown>();
    asking.hear("heads", () => void looked.resolve(ask()));
    room.nats.makeAnew();
    const finding = a.find();
    assertEquals(await looked.promise, undefined);
    await finding;
    assert(await ask());
  },
);

sharedTest(
  "eight newcomers are given a state at a time, each for as long as it asks once a minute",
  async (room) => {
    const { ask } = await start(room);
    using clock = new ManualClock();
    const ids: unknown[] = [];
    const begin = async () => void ids.push((await ask("state", {}))?.["id"]);
    const given = async () => {
      const all = await Promise.all(
        ids.map((id) => ask("state", { id, from: 0 })),
      );
      return all.map((it) => it !== undefined);
    };
    for (let n = 0; n < 8; n++) await begin();
    assertEquals(await given(), new Array(8).fill(true));
    await begin();
    assertEquals(await given(), [false, ...new Array(8).fill(true)]);
    clock.advance(60_000);
    await ask("state", { id: ids[8], from: 0 });
    await begin(); // eight of which none is too old: the second gives way
    assertEquals(await given(), [false, false, ...new Array(8).fill(true)]);
    clock.advance(30_000);
    await ask("state", { id: ids[9], from: 0 });
    clock.advance(30_001);
    await begin();
    assertEquals(await given(), [...new Array(9).fill(false), true, true]);
  },
);

sharedTest(
  "lines are given as they stand in the log, in pieces, with the chain's value before them",
  async (room) => {
    const long = Array.from(
      { length: 10 },
      (_, at) => said(at + 1, "x".repeat(4_000)),
    );
    const entries = [...saidUpTo(3), ...Array(6).fill(long).flat()];
    const { a, ask } = await start(room, entries);
    const lines = async (after: number, upTo: number) => {
      const { first, value, lines, last } =
        await ask("lines", { after, upTo }) ??
          {};
      return { first, value, last, lines: lines as [number, string][] };
    };
    const all = numbered(entries).map((it): [number, string] => [
      it.seq,
      formatEntry(it),
    ]);
    const chain = async (seq: number) => {
      const value = await a.has.log.chainAt(seq);
      return value && toBase64url(value);
    };
    assertEquals(await lines(0, 2), {
      first: 0,
      value: await chain(0),
      last: 2,
      lines: all.slice(0, 2),
    });
    assertEquals(await lines(1, 3), {
      first: 1,
      value: await chain(1),
      last: 3,
      lines: all.slice(1, 3),
    });
    const piece = await lines(3, 99);
    const last = piece.last as number;
    assertEquals([piece.first, piece.lines], [3, all.slice(3, last)]);
    const length = (lines: [number, string][]) =>
      lines.reduce((sum, [, line]) => sum + JSON.stringify(line).length, 0);
    assert(length(piece.lines) >= 200_000);
    assert(length(piece.lines.slice(0, -1)) < 200_000);
    assertEquals((await lines(last, 99)).last, 63);
    assertEquals(await lines(63, 99), {
      first: 63,
      value: await chain(63),
      last: 63,
      lines: [],
    });
    const none = await lines(70, 99);
    assertEquals([none.lines, none.value], [[], ""]);
  },
);

sharedTest(
  "lines that are deleted while they are read aren't told as lines that aren't ours",
  async (room) => {
    const { a, ask } = await start(room);
    const { log } = a.has;
    const wholes = [0, 2, 2];
    log.whole = (after) => Promise.resolve(wholes.shift() ?? after);
    const piece = await ask("lines", { after: 0, upTo: 3 });
    assertEquals([piece?.["first"], piece?.["last"]], [2, 3]);
    assertEquals((piece?.["lines"] as unknown[]).length, 1);
  },
);
