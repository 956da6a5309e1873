/**
 * `chat.cluster`: what a server writes down of its place in the stream, and what it finds after a restart, a crash, or a
 * write that failed.
 *
 * @module
 */

import { FileError } from "../../../../src/base/private_file.ts";
import {
  digestOf,
  type Position,
  PositionFile,
  positionFile,
  type Step,
} from "../../../../src/server/cluster/position.ts";
import {
  NOBODY,
  type RosterChanges,
  type SeatRecord,
} from "../../../../src/server/cluster/roster_record.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../../kit/assert.ts";
import { fileTest, modeOf } from "../../../kit/folder.ts";
import { refusedRenames, withFullDisk } from "../../../kit/full_disk.ts";
import { closings, windows } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";
import { replaced } from "../../../kit/replaced.ts";
import { madeUpDigest, seat } from "../../../kit/shared_servers.ts";

const clusterTest = fileTest("chat.cluster");

const BEGUN: Position = {
  stream: "stream",
  made: "1",
  sealed: false,
  earlier: [],
  begun: 1,
  place: 1,
  digest: madeUpDigest("1"),
  head: 0,
  base: 1,
  time: 1_000,
  own: "",
  roster: NOBODY,
};

function step(place: number, more: Partial<Step> = {}): Step {
  return {
    place,
    digest: madeUpDigest(String(place)),
    head: place,
    base: 1,
    time: 1_000 + place,
    nextId: 1,
    changes: new Map(),
    ...more,
  };
}

/** Of each person, all connections that are in now. */
function changes(...seats: SeatRecord[]): RosterChanges {
  return Map.groupBy(seats, ({ person }) => person);
}

/** What a start finds. */
function found(path: string): Position | undefined {
  using file = PositionFile.open(path);
  return file.position;
}

clusterTest(
  "a server that was in no stream has no position, and its file is for its owner alone",
  async (path) => {
    assertEquals(found(path), undefined);
    if (!windows) assertEquals(await modeOf(path), 0o600);
    assertEquals(positionFile("/srv/chat.log"), "/srv/chat.cluster");
  },
);

clusterTest(
  "what was carried out is found again: place, servers, and who is in",
  (path) => {
    {
      using file = PositionFile.open(path);
      file.replace(BEGUN);
      const [one, two, three] = [
        seat(1),
        seat(2),
        seat(3, { person: "person-1" }),
      ];
      const a = { id: "a", address: "a.example:5000", k: 0 };
      const b = { id: "b", address: "b.example:5000", k: 0 };
      file.carriedOut(step(2, { own: "a", servers: [a], nextId: 1 }));
      file.carriedOut(step(3, { servers: [b, { ...a, k: 1 }] }));
      file.carriedOut(step(4, { nextId: 3, changes: changes(one, two) }));
      file.carriedOut(step(5, { nextId: 4, changes: changes(one, three) }));
      file.carriedOut(step(6, {
        nextId: 4,
        changes: changes({ ...one, n: 7, away: "lunch" }, three),
      }));
      file.carriedOut(step(7, {
        base: 7,
        nextId: 4,
        gone: ["b"],
        changes: new Map([["person-2", []]]),
      }));
      file.carriedOut(step(8, {
        base: 7,
        nextId: 4,
        servers: [{ ...a, k: 2 }],
        changes: changes({ ...three, name: "Other" }),
      }));
    }
    assertEquals(found(path), {
      ...BEGUN,
      place: 8,
      digest: madeUpDigest("8"),
      head: 8,
      base: 7,
      time: 1_008,
      own: "a",
      roster: {
        nextId: 4,
        servers: [{ id: "a", address: "a.example:5000", k: 2 }],
        seats: [seat(3, { person: "person-1", name: "Other" })],
      },
    });
  },
);

clusterTest(
  "a position that was taken over takes the place of all before",
  (path) => {
    const taken: Position = {
      ...BEGUN,
      stream: "other",
      place: 50,
      roster: {
        nextId: 9,
        servers: [{ id: "a", address: "a.example:5000", k: 0 }],
        seats: [seat(8)],
      },
    };
    {
      using file = PositionFile.open(path);
      file.replace(BEGUN);
      file.carriedOut(step(2, { nextId: 2, changes: changes(seat(1)) }));
      file.replace(taken);
    }
    assertEquals(found(path), taken);
  },
);

clusterTest(
  "an entry takes one short line, with what it changes of connections and nothing else",
  async (path) => {
    using file = PositionFile.open(path);
    file.replace({
      ...BEGUN,
      roster: { ...NOBODY, seats: [seat(1), seat(2)] },
    });
    const none = { person: "person-1" };
    const written: readonly (readonly [RosterChanges, object])[] = [
      [new Map(), {}],
      [changes({ ...seat(1), n: 1 }), { seats: [{ id: 1, n: 1 }] }],
      [changes({ ...seat(1), n: 1 }), {}],
      [changes(seat(4, { person: "new" })), {
        seats: [seat(4, { person: "new" })],
      }],
      [changes(seat(3, none)), { seats: [seat(3, none)], out: [1] }],
      [new Map([["person-1", []], ["person-9", []]]), { out: [3] }],
    ];
    for (const [changes, more] of written) {
      const { size } = await Deno.stat(path);
      file.carriedOut(step(2, { changes }));
      const added = (await Deno.readTextFile(path)).slice(size);
      const { changes: _, ...entry } = step(2);
      const { sum: _sum, ...line } = JSON.parse(added);
      assertEquals(line, { kind: "step", ...entry, ...more });
      assert(added.length < 400);
    }
    assertEquals(file.position?.roster, {
      ...NOBODY,
      seats: [seat(2), seat(4, { person: "new" })],
    });
  },
);

clusterTest(
  "who is in stands in the order of their connections' ids, whoever came into the file first",
  (path) => {
    using file = PositionFile.open(path);
    const [one, two, three] = [seat(1), seat(2), seat(3)];
    file.replace({ ...BEGUN, roster: { ...NOBODY, seats: [three, one] } });
    file.carriedOut(step(2, { changes: changes(two) }));
    assertEquals(file.position?.roster.seats, [one, two, three]);
  },
);

clusterTest(
  "the file is closed in the end, and where it is damaged; whether it waits for the disk is said when it is opened",
  async (path) => {
    const { prototype } = Deno.FsFile;
    let waits = 0;
    using _ = replaced(prototype, "syncDataSync", () => void waits++);
    for (const options of [{}, { fsync: true }]) {
      const file = PositionFile.open(path, options);
      file.replace(BEGUN);
      file.carriedOut(step(2));
      assertEquals(waits, Object.keys(options).length);
      assertEquals(closings(() => file[Symbol.dispose]()), 1);
    }
    using file = PositionFile.open(path);
    assertEquals([file.place?.place, file.notice], [2, undefined]);
    await Deno.writeTextFile(path, "broken\n", { append: true });
    const fail = () => assertThrows(() => found(path), FileError, "line 3 is");
    assertEquals(closings(fail), 1);
  },
);

clusterTest(
  "after a crash at any byte of a line, it is where it was one entry before",
  async (path) => {
    {
      using file = PositionFile.open(path);
      file.replace(BEGUN);
      file.carriedOut(step(2));
      file.carriedOut(step(3, { nextId: 2, changes: changes(seat(1)) }));
    }
    const text = await Deno.readTextFile(path);
    const start = text.trimEnd().lastIndexOf("\n") + 1;
    for (let end = start; end < text.length - 1; end++) {
      await Deno.writeTextFile(path, text.slice(0, end));
      using file = PositionFile.open(path);
      assertEquals(file.place?.place, 2);
      assertEquals(file.notice !== undefined, end > start);
    }
    await Deno.writeTextFile(path, text.slice(0, -1)); // whole, but for its break
    assertEquals(found(path)?.place, 3);
  },
);

clusterTest("a damaged line is named", async (path) => {
  {
    using file = PositionFile.open(path);
    file.replace(BEGUN);
    file.carriedOut(step(2));
  }
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"head":2', '"head":3'));
  assertThrows(() => found(path), FileError, "line 2 is damaged");
});

clusterTest(
  "what can't be written down hasn't changed, and is written when it is tried again",
  async (path) => {
    using file = PositionFile.open(path);
    file.replace(BEGUN);
    const next = step(2, { nextId: 2, changes: changes(seat(1)) });
    await withFullDisk(() =>
      assertThrows(() => file.carriedOut(next), FileError)
    );
    assertEquals(file.position, BEGUN);
    file.carriedOut(next);
    assertEquals(found(path)?.roster.seats, [seat(1)]);
  },
);

/** Has a file have so many lines; where the next ones are added it is at an entry's place. */
async function fill(path: string, lines: number): Promise<void> {
  {
    using file = PositionFile.open(path);
    file.replace(BEGUN);
    file.carriedOut(step(2, { changes: changes(seat(1)) }));
  }
  const [begun = "", again = ""] = (await Deno.readTextFile(path)).split("\n");
  const text = `${begun}\n${`${again}\n`.repeat(lines - 1)}`;
  await Deno.writeTextFile(path, text);
}

/** Carries entries out, each of which changes the same connection, until a file has so many lines. */
function carryOut(file: PositionFile, from: number, upTo: number): void {
  for (let n = from + 1; n <= upTo; n++) {
    file.carriedOut(step(n, { changes: changes(seat(1, { n })) }));
  }
}

clusterTest(
  "the file is written anew once it has more than 20,000 lines, or grows where it can only be added to, which is said once",
  async (path) => {
    const size = async () => (await Deno.stat(path)).size;
    await fill(path, 19_999);
    const before = await Deno.readFile(path);
    {
      using file = PositionFile.open(path);
      carryOut(file, 19_999, 20_000);
      assert(await size() > before.length);
      carryOut(file, 20_000, 20_001);
      assert(await size() < 1_000);
    }
    assertEquals(found(path)?.place, 20_001);
    assertEquals(found(path)?.roster.seats, [seat(1, { n: 20_001 })]);
    await Deno.writeFile(path, before);
    const notes = await overhear("warning", () => {
      using file = PositionFile.open(path);
      assertEquals(refusedRenames(() => carryOut(file, 19_999, 20_010)), 1);
      carryOut(file, 20_010, 20_011); // and isn't tried again
      assertEquals(file.position?.place, 20_011);
      return Promise.resolve();
    });
    assertEquals(notes.length, 1);
    assertMatch(notes[0] ?? "", /Cannot write ".*goes on adding to it/);
    assert(await size() > before.length);
  },
);

clusterTest(
  "what a connection's person is stays with it, and goes with it",
  (path) => {
    using file = PositionFile.open(path);
    assertThrows(() => file.carriedOut(step(2)), TypeError, "no place yet");
    assertEquals([file.place, file.hasMet("stream")], [undefined, false]);
    const same = { person: "person-1" };
    const [one, two] = [seat(1), seat(2, same)];
    file.replace({ ...BEGUN, roster: { ...NOBODY, seats: [one, two] } });
    assertEquals([file.hasMet("stream"), file.hasMet("other")], [true, false]);
    const three = seat(3, same);
    file.carriedOut(step(2, { changes: changes(two, three) })); // one is out
    const seats = () => file.position?.roster.seats;
    assertEquals(seats(), [two, three]);
    file.carriedOut(step(3, { changes: changes(two, three) })); // nothing is other
    file.carriedOut(step(4, { changes: new Map([["person-1", []]]) }));
    assertEquals(seats(), []);
    file.carriedOut(step(5, { changes: changes(one) }));
    assertEquals(seats(), [one]);
    file.replace({ ...BEGUN, earlier: ["other"] });
    assertEquals([seats(), file.hasMet("other")], [[], true]);
  },
);

Deno.test("digestOf() is SHA-256, in base64url", async () => {
  assertEquals(
    await digestOf(new TextEncoder().encode("abc")),
    "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
  );
});
