/**
 * The journal by itself: what it writes, takes over and tells, and in which order.
 *
 * @module
 */

import { LineFile } from "../../../../src/base/line_file.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import type { Happening } from "../../../../src/server/people/happening.ts";
import {
  Journal,
  type Recorded,
  type Written,
} from "../../../../src/server/people/journal.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { fileTest } from "../../../kit/folder.ts";
import { refusedRenames, withFullDisk } from "../../../kit/full_disk.ts";
import { closings, withMethod } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";

/** A happening that happens by itself. */
function topic(text: string): Happening {
  return { kind: "room", topic: text };
}

/** One that follows from what members do. */
function named(name: string): Happening {
  return { kind: "name", person: "ana", name, since: 1 };
}

/** What a journal is about: all that was applied, in order. */
class Everything implements Recorded {
  all: Happening[] = [];
  count = 1_000_000;

  apply(happening: Happening): void {
    this.all.push(happening);
  }

  clear(): void {
    this.all = [];
  }

  summary(all: readonly Happening[]): Happening[] {
    return [topic(`of ${all.length}`)];
  }

  lines(): number {
    return this.count;
  }
}

/** A journal in a file. */
class Setup implements Disposable {
  readonly recorded = new Everything();
  readonly journal: Journal;
  readonly told: (readonly Happening[])[] = [];

  constructor(readonly path: string, isShared = false) {
    this.journal = new Journal(LineFile.open(path), this.recorded, isShared);
    this.journal.load(true);
  }

  /** What the file says. */
  get file(): Written[] {
    using file = LineFile.open<Written>(this.path);
    return file.added();
  }

  /** What was applied since the last look. */
  get applied(): Happening[] {
    return this.recorded.all.splice(0);
  }

  /** What another process adds. */
  add(...written: Written[]): void {
    using file = LineFile.open<Written>(this.path);
    file.add(written);
  }

  /** What is done to the file by a step, in its order. */
  async done(step: () => void): Promise<string[]> {
    const done: string[] = [];
    const { prototype } = LineFile;
    const noting = (name: string) => (method: (...args: never[]) => unknown) =>
      function (this: unknown, ...args: never[]) {
        done.push(name);
        return method.apply(this, args);
      };
    using stack = new DisposableStack();
    for (const name of ["lock", "added", "add", "rewrite", "unlock"] as const) {
      const method = prototype[name];
      stack.defer(() => void Object.assign(prototype, { [name]: method }));
      Object.assign(prototype, { [name]: noting(name)(method) });
    }
    await Promise.resolve(step());
    return done;
  }

  share(): void {
    this.journal.share((it) => assert(this.told.push(it) < 99));
  }

  [Symbol.dispose](): void {
    this.journal[Symbol.dispose]();
  }
}

const test = fileTest("chat.people");

test("Journal applies what happens at once, writes it down with keep(), and applies it no second time", (path) => {
  using setup = new Setup(path);
  const { journal } = setup;
  assertEquals(journal.isKept, true);
  journal.record(topic("tea"));
  journal.add(named("ana"), named("bob"));
  journal.remove(named("ana")); // another object than the one that was added
  assertEquals([setup.applied, journal.isKept], [[topic("tea")], false]);
  assertEquals(setup.file, []);
  journal.keep();
  const all = [topic("tea"), named("ana"), named("bob")];
  assertEquals([setup.file, journal.isKept], [all, true]);
  journal.look();
  assertEquals(setup.applied, []);
  const taken = named("cy");
  journal.add(taken, named("dan"));
  journal.remove(taken);
  journal.keep();
  assertEquals(setup.file, [...all, named("dan")]);
  using again = new Setup(path);
  assertEquals(again.applied, setup.file);
});

test("Journal takes over what others add before its own, of which the last word is", (path) => {
  using setup = new Setup(path);
  const { journal } = setup;
  journal.record(topic("mine"));
  setup.add(topic("theirs"));
  setup.recorded.clear();
  journal.keep();
  assertEquals(setup.applied, [topic("theirs"), topic("mine")]);
  assertEquals(setup.file, [topic("theirs"), topic("mine")]);
  setup.add(topic("theirs again"));
  assertEquals(journal.catchUp(), []);
  assertEquals(setup.applied, [topic("theirs again")]);
  assertEquals(journal.state(), [topic("of 3")]);
  journal.add(named("ana"));
  setup.add(topic("more"));
  assertEquals(journal.state(), [topic("of 5")]);
  assertEquals(setup.applied.at(-1), named("ana"));
});

test("Journal holds other processes off while it reads and writes, and no longer", async (path) => {
  using setup = new Setup(path);
  const { journal, recorded } = setup;
  assertEquals(await setup.done(() => journal.keep()), []);
  journal.record(topic("tea"));
  const written = ["lock", "added", "add", "unlock"];
  assertEquals(await setup.done(() => journal.keep()), written);
  const anew = ["lock", "added", "added", "rewrite", "unlock"];
  assertEquals(await setup.done(() => journal.rewrite()), anew);
  const read = ["lock", "added", "added", "unlock"];
  assertEquals(await setup.done(() => void journal.state()), read);
  const put = ["lock", "added", "rewrite", "unlock"];
  assertEquals(await setup.done(() => journal.replace([topic("a")])), put);
  assertEquals(recorded.all, [topic("a")]);
});

test("Journal writes nothing between begin() and settle()", (path) => {
  using setup = new Setup(path);
  const { journal } = setup;
  journal.begin();
  journal.record(topic("tea"));
  journal.keep();
  journal.look();
  assertEquals([setup.file, journal.isKept], [[], false]);
  journal.settle();
  assertEquals([setup.file, journal.isKept], [[topic("tea")], true]);
  journal.record(topic("cake"));
  journal.tryToKeep();
  assertEquals(setup.file.length, 2);
});

test("servers that share a room tell each other what happens by itself, at once, and note what comes back with a mark", (path) => {
  using setup = new Setup(path, true);
  const { journal, told } = setup;
  journal.record(topic("early"));
  assertEquals(told, []); // nobody listens yet
  setup.share();
  assertEquals(told.splice(0), [[topic("early")]]);
  journal.record(topic("tea"));
  journal.record(named("ana"));
  assertEquals(told.splice(0), [[topic("tea")]]);
  journal.note(topic("early"));
  journal.note(named("bob"));
  journal.keep();
  const marked: Written = { ...topic("early"), shared: true };
  assertEquals(setup.file, [
    topic("early"),
    topic("tea"),
    named("ana"),
    marked,
    named("bob"),
  ]);
  assertEquals(setup.applied, [
    topic("early"),
    topic("tea"),
    named("ana"),
    topic("early"),
    named("bob"),
  ]);
  setup.share();
  assertEquals(told.splice(0), [[topic("tea")]]);
  using again = new Setup(path, true);
  assert(again.applied.every((it) => !("shared" in it)));
  again.share();
  assertEquals(again.told, [[topic("tea")]]);
});

test("a server alone tells nobody, and marks nothing", (path) => {
  using setup = new Setup(path);
  setup.share();
  setup.journal.record(topic("tea"));
  setup.journal.note(topic("tea"));
  setup.add(topic("cake"));
  setup.journal.look();
  assertEquals(setup.told, []);
  assertEquals(setup.file, [topic("cake"), topic("tea"), topic("tea")]);
});

test("what another process adds is told to the other servers once, in the order of what was said last", (path) => {
  using setup = new Setup(path, true);
  const { journal, told } = setup;
  setup.add(topic("a"));
  assertEquals(journal.catchUp(), []); // nobody listens yet
  setup.share();
  assertEquals(told.splice(0), [[topic("a")]]);
  setup.add({ ...topic("a"), shared: true });
  journal.look();
  setup.add(topic("a"), named("ana"), topic("b"), topic("a"));
  journal.look();
  assertEquals(told.splice(0), [[topic("a"), topic("b")]]);
  journal.look();
  assertEquals(told, []);
  // Whatever the order of their fields, and what others know is told no more.
  setup.add({ topic: "b", kind: "room" }, { ...topic("a"), shared: true });
  journal.look();
  assertEquals(told, []);
  setup.share();
  assertEquals<unknown>(told, [[{ topic: "b", kind: "room" }]]);
  setup.add(topic("a"), topic("b"));
  told.length = 0;
  journal.look();
  assertEquals(told.splice(0), [[topic("a")]]);
  setup.share();
  assertEquals(told, [[topic("a"), topic("b")]]);
});

test("no more than 256 happenings are told at a time", (path) => {
  using setup = new Setup(path, true);
  setup.add(...Array.from({ length: 513 }, (_, at) => topic(`${at}`)));
  setup.share();
  setup.journal.look();
  assertEquals(setup.told.map(({ length }) => length), [256, 256, 1]);
  assertEquals(setup.told[1]?.[0], topic("256"));
});

test("a file of which most no longer counts is written anew, with what others are still to be told", (path) => {
  using setup = new Setup(path, true);
  const { journal, recorded } = setup;
  const long = "x".repeat(65_536);
  recorded.count = 1;
  journal.record(topic(long));
  journal.keep();
  assertEquals(setup.file.length, 1); // one line for one that counts
  journal.note(topic(long));
  journal.record(topic("untold"));
  journal.keep();
  assertEquals(setup.file, [
    { ...topic("of 3"), shared: true },
    topic("untold"),
  ]);
  journal.note(topic("untold"));
  journal.rewrite();
  assertEquals<unknown>(setup.file, [{ ...topic("of 2"), shared: true }]);
});

test("replace() has another state in the place of all but what others don't know yet", (path) => {
  using setup = new Setup(path, true);
  const { journal, recorded } = setup;
  journal.record(topic("untold"));
  journal.note(topic("told"));
  setup.add(named("ana"), topic("another's"));
  journal.replace([topic("state"), named("bob")]);
  const untold = [topic("untold"), topic("another's")];
  assertEquals(recorded.all, [topic("state"), named("bob"), ...untold]);
  assertEquals(journal.isKept, true);
  assertEquals(setup.file, [
    { ...topic("state"), shared: true },
    named("bob"),
    ...untold,
  ]);
  recorded.clear();
  journal.look();
  assertEquals(recorded.all, []);
});

test("what can't be written down is said, once as long as the server only looks, and anew after it could be", async (path) => {
  using setup = new Setup(path);
  const { journal } = setup;
  const said = await overhear("warning", async () => {
    for (const word of ["tea", "cake"]) {
      journal.record(topic(word));
      await withFullDisk(() => {
        journal.look();
        journal.look();
        assertThrows(() => journal.keep(), FileError, "the disk is full");
      });
      journal.look();
      journal.look();
      assertEquals(journal.isKept, true);
    }
    journal.record(topic("soup"));
    await withFullDisk(() => {
      for (const _ of [1, 2]) journal.tryToKeep();
    });
  });
  assertEquals(said.length, 4);
  for (const it of said) {
    assertEquals(
      it,
      `error people: Cannot write "${path}": the disk is full. Until it can be used, changes of members, names, invites and bans are not kept, or not seen`,
    );
  }
  journal.keep();
  assertEquals(setup.file.length, 3);
});

test("what is wrong with the file as others leave it is said, and what goes wrong otherwise is thrown", async (path) => {
  using setup = new Setup(path);
  const { journal } = setup;
  const said = await overhear("warning", async () => {
    journal.record(topic("tea"));
    const wrong = () => () => {
      throw new TypeError("x");
    };
    const { prototype } = LineFile;
    await withMethod(prototype, "add", wrong, () => {
      assertThrows(() => journal.tryToKeep(), TypeError);
      return Promise.resolve();
    });
    await withMethod(prototype, "rewrite", wrong, () => {
      assertThrows(() => journal.rewrite(), TypeError);
      return Promise.resolve();
    });
    journal.keep(); // which was not given up
    await Deno.writeTextFile(path, "damaged\n", { append: true });
    const why = `Cannot use "${path}": line 2 is damaged`;
    assertEquals([journal.catchUp(), journal.catchUp()], [[why], [why]]);
    journal.look();
    const state = () =>
      void assertThrows(() => journal.state(), FileError, why);
    assertEquals(await setup.done(state), ["lock", "added", "unlock"]);
  });
  assertEquals(said.length, 1);
});

test("a file that can't be written anew is said once to grow, and gone on with", async (path) => {
  using setup = new Setup(path);
  const { journal } = setup;
  let tries = 0;
  const said = await overhear("warning", () => {
    tries = refusedRenames(() => {
      journal.rewrite();
      journal.rewrite();
      journal.record(topic("tea"));
      journal.keep();
    });
  });
  assertEquals([tries, said.length, setup.file], [1, 1, [topic("tea")]]);
  assert(said[0]?.startsWith("warning people: Cannot write"), said[0]);
  assert(
    said[0]?.includes("The server goes on adding to it, so that it grows"),
  );
});

test("Journal closes its file, and says what was mended in it", async (path) => {
  {
    using setup = new Setup(path);
    setup.journal.record(topic("tea"));
    setup.journal.keep();
    assertEquals(setup.journal.notice, undefined);
  }
  await Deno.writeTextFile(path, '{"kind', { append: true });
  const setup = new Setup(path);
  assert(setup.journal.notice?.startsWith("Dropped the last line"));
  assertEquals(closings(() => setup[Symbol.dispose]()), 1);
});
