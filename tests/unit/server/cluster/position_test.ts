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
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { fileTest, modeOf } from "../../../kit/folder.ts";
import { windows, withMethod } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";
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
      roster: { nextId: 9, servers: [], seats: [seat(8)] },
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
  "an entry in which a member says something takes one short line",
  async (path) => {
    using file = PositionFile.open(path);
    file.replace({
      ...BEGUN,
      roster: { ...NOBODY, seats: [seat(1), seat(2)] },
    });
    const { size } = await Deno.stat(path);
    file.carriedOut(step(2, { changes: changes({ ...seat(1), n: 1 }) }));
    const text = await Deno.readTextFile(path);
    const line = JSON.parse(text.slice(size));
    assertEquals(line.seats, [{ id: 1, n: 1 }]);
    assert(text.length - size < 200);
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
      assertEquals(found(path)?.place, 2);
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
    const add = Deno.FsFile.prototype.writeSync;
    Deno.FsFile.prototype.writeSync = () => {
      throw new Deno.errors.NotCapable("no place is left");
    };
    try {
      assertThrows(() => file.carriedOut(next), FileError);
    } finally {
      Deno.FsFile.prototype.writeSync = add;
    }
    assertEquals(file.position, BEGUN);
    file.carriedOut(next);
    await Promise.resolve();
    assertEquals(found(path)?.roster.seats, [seat(1)]);
  },
);

clusterTest(
  "the file stays small, however many entries there are, or grows where it can only be added to, which is said once",
  async (path) => {
    const next = (place: number) =>
      step(place, { changes: changes(seat(1, { n: place })) });
    const other = `${path}.other`;
    {
      using file = PositionFile.open(path);
      file.replace(BEGUN);
      for (let place = 2; place <= 19_990; place++) {
        file.carriedOut(next(place));
      }
      await Deno.copyFile(path, other);
      for (let place = 19_991; place <= 20_020; place++) {
        file.carriedOut(next(place));
      }
    }
    assert((await Deno.stat(path)).size < 20_000);
    const notes = await overhear("warning", async () => {
      using file = PositionFile.open(other);
      const fail = () => () => {
        throw new Deno.errors.PermissionDenied("read-only");
      };
      await withMethod(Deno, "renameSync", fail, () => {
        for (let place = 19_991; place <= 20_020; place++) {
          file.carriedOut(next(place));
        }
        return Promise.resolve();
      });
      file.carriedOut(next(20_021)); // and isn't tried again
    });
    assertEquals(notes.length, 1);
    assert((await Deno.stat(other)).size > 1_000_000);
    assertEquals([found(path)?.place, found(other)?.place], [20_020, 20_021]);
    for (const at of [path, other]) {
      const n = found(at)?.place ?? 0;
      assertEquals(found(at)?.roster.seats, [seat(1, { n })]);
    }
  },
);

clusterTest(
  "what a connection's person is stays with it, and goes with it",
  (path) => {
    using file = PositionFile.open(path);
    assertThrows(() => file.carriedOut(step(2)), TypeError, "no place yet");
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
