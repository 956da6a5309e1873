/**
 * Which kind of room a server has: by its flags, its files, and its log.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { parseFlags } from "../../../../src/base/flags.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { formatEntry } from "../../../../src/log/line_format.ts";
import type { NewEntry } from "../../../../src/protocol/line.ts";
import { FOUNDING_ID } from "../../../../src/sealed/membership.ts";
import { FLAGS } from "../../../../src/server/flags.ts";
import { People } from "../../../../src/server/people/people.ts";
import {
  ControlFile,
  type Kept,
  type RuledEntry,
} from "../../../../src/server/sealed/control_file.ts";
import {
  agreePeople,
  controlState,
  keepersIn,
  membershipIn,
  openSealed,
  requireKind,
  requireOpen,
} from "../../../../src/server/sealed/open_sealed.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { Folder } from "../../../kit/folder.ts";
import { openLog, said, saidUpTo, withMethod } from "../../../kit/log_kit.ts";
import { madeUpStay } from "../../../kit/people.ts";
import { SealedRoom } from "../../../kit/sealed_room.ts";

/** The files of a room. */
class Files implements AsyncDisposable {
  private constructor(readonly folder: Folder) {}

  static async make(): Promise<Files> {
    return new Files(await Folder.make());
  }

  get control(): string {
    return this.folder.file("chat.control");
  }

  get log(): string {
    return this.folder.file("chat.log");
  }

  /** Writes what a sealed room's server keeps, and its log. */
  async write({ rulings }: SealedRoom): Promise<void> {
    const by = { stay: madeUpStay("ana"), n: 0, to: null, name: "ana" };
    const entries = rulings.map(({ text, place }): RuledEntry => ({
      ...{ ...place, ...by },
      ...{ what: "ruled", text },
    }));
    using file = LineFile.open<Kept>(this.control);
    file.add(entries.map((entry) => ({ kind: "ruled", entry })));
    await this.say(entries);
  }

  /** Writes a log. */
  async say(entries: readonly NewEntry[]): Promise<void> {
    const text = entries.map((it) => `${formatEntry(it)}\n`).join("");
    await this.folder.write("chat.log", text);
  }

  /** Opens the sealed room. @returns What a test makes of it. */
  async opened<T>(
    use: (room: Awaited<ReturnType<typeof openSealed>>) => T,
    made: (path: string) => void = () => {},
  ): Promise<T> {
    const log = await openLog(this.log);
    try {
      const port = 5001;
      using room = await openSealed(this.control, ROOM_KEY, log, port, made);
      return use(room);
    } finally {
      await log.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.folder[Symbol.asyncDispose]();
  }
}

function test(name: string, fn: (files: Files) => Promise<void>): void {
  Deno.test(name, async () => {
    await using files = await Files.make();
    await fn(files);
  });
}

/** Why something is refused, and what is advised. */
async function refused(what: () => unknown): Promise<[string, string]> {
  const run = async () => await what();
  const { message, advice } = await assertRejects(run, AdvisedError);
  return [message, advice];
}

test("a server's flags are those of the room that is there", async (files) => {
  const { control, folder } = files;
  const kind = (...typed: string[]) => {
    const flags = ["--log", files.log, ...typed];
    return requireKind(parseFlags(flags, FLAGS, { positionals: 0 }).values);
  };
  const operator = ["--operator", "k3df 9q2m x7ta 41cz"];
  await kind();
  await kind("--invite-only", ...operator);
  await kind("--sealed");
  assertEquals(await refused(() => kind("--sealed", "--invite-only")), [
    "--invite-only is for open rooms: in a sealed room everybody needs an invite",
    "Leave it out",
  ]);
  assertEquals(await refused(() => kind("--sealed", ...operator)), [
    "--operator is for open rooms: a sealed room has keepers, whom its keepers name",
    "Leave it out; a keeper says /keeper NAME",
  ]);
  await folder.write("chat.control", "");
  await kind("--sealed");
  assertEquals(await refused(() => kind()), [
    `The room here is sealed: there is a ${control}`,
    "Start it with --sealed",
  ]);
});

test("a log that ends with a sealed room's lines is no open room's", async (files) => {
  const open = async () => {
    const log = await openLog(files.log);
    try {
      requireOpen(log, "chat.control");
    } finally {
      await log.close();
    }
  };
  await open();
  await files.say(saidUpTo(3));
  await open();
  for (const what of ["sealed", "ruled"] as const) {
    await files.say([...saidUpTo(3), { ...said(4), what }, said(5)]);
    assertEquals(await refused(open), [
      "The room here is sealed: the log has sealed lines, and chat.control is missing",
      "Start it with --sealed",
    ]);
  }
});

test("a sealed room begins beside an empty log, and not beside an open room's", async (files) => {
  const made: string[] = [];
  const isFounded = () =>
    files.opened((room) => room.isFounded, (path) => made.push(path));
  assertEquals(await isFounded(), false);
  assertEquals(await isFounded(), false);
  assertEquals(made, [files.control]);
  await files.say(saidUpTo(1));
  let closed = 0;
  const counting = (dispose: ControlFile[typeof Symbol.dispose]) =>
    function (this: ControlFile) {
      closed++;
      dispose.call(this);
    };
  await withMethod(
    ControlFile.prototype,
    Symbol.dispose,
    counting,
    () => refused(isFounded),
  );
  assertEquals(closed, 1);
  assertEquals(await refused(isFounded), [
    `Cannot seal the room here: the log has the lines of an open room, or ${files.control} is missing`,
    "Give it files of its own: mkdir room && deno task server --sealed --port 5001 --log room/chat.log --key-file room/chat.key --people room/chat.people",
  ]);
});

test("who is a member of a sealed room can come back, and who is barred is banned, and nobody else, whatever became of their file", async (files) => {
  const room = await SealedRoom.found();
  const [ana, ben, eve] = [
    room.founder,
    await room.join("Ben", 1),
    await room.join("eve", 2),
  ];
  await room.say(ben, { verb: "rename", name: "benny" });
  await room.change(ana, { removed: [eve.full], barred: [eve.full] });
  await files.write(room);
  const path = files.folder.file("chat.people");
  const agreed = (history: number) =>
    files.opened((opened) => {
      using people = People.open(path, { now: () => room.now });
      agreePeople(people, opened, history);
      const { persons, names } = people;
      return [ana, ben, eve].map(({ full }) => {
        const person = persons.find(full);
        if (!person) return undefined;
        const { from, invite, card, key } = person;
        assertEquals([card.length, key.length], [1_792, 43]);
        const isBanned = persons.isBanned(person);
        return [names.nameOf(person), from, invite, isBanned];
      });
    });
  const numbers = room.rulings.map(({ place: { seq } }) => seq);
  assertEquals(numbers, [1, 2, 3, 4, 5, 6, 7]);
  const { invite } = room.membership.members.get(ben.short) ?? {};
  assert(invite);
  const known = [
    ["ana", 0, FOUNDING_ID, false],
    ["benny", 1, invite, false],
    undefined,
  ];
  assertEquals(await agreed(1), known);
  assertEquals(await agreed(0), known); // as they were enrolled
  // A file in which eve has been, and ben is banned.
  {
    using people = People.open(path, { now: () => room.now });
    const { person } = people.enrol(
      { id: eve.full, key: "key", card: eve.cardText, invite: 7 },
      ...[3, 4] as const,
    );
    assert(person);
    const banned = people.persons.find(ben.full);
    assert(banned);
    people.ban(banned, null, "");
    people.journal.keep();
  }
  const again = () =>
    files.opened((opened) => {
      using people = People.open(path, { now: () => room.now });
      const before = Deno.statSync(path).size;
      agreePeople(people, opened, 0);
      const shorts = people.persons.banned.map(({ id }) => id);
      return [shorts, Deno.statSync(path).size > before];
    });
  assertEquals(await again(), [[eve.full], true]);
  assertEquals(await again(), [[eve.full], false]);
});

test("--check says of a sealed room's file whether it can be used, and who its keepers are", async (files) => {
  const { control } = files;
  const state = (isLogged: boolean) => controlState(control, isLogged);
  assertEquals(await keepersIn(control), undefined);
  assertEquals(
    await state(false),
    `${control} is not there yet; the server would make it\n`,
  );
  assertEquals(
    await state(true),
    `${control} is not there: the server would make it from the log, if that is a sealed room's, without the sealed keys\n`,
  );
  await files.folder.write("chat.control", "");
  assertEquals(
    await state(false),
    `${control} can be used; the room is not founded yet\n`,
  );
  assertEquals(await keepersIn(control), undefined);
  const room = await SealedRoom.found();
  const ben = await room.join("ben", 1);
  await room.change(room.founder, { made: [ben.full] });
  await files.write(room);
  assertEquals(
    await state(true),
    `${control} can be used; the room's keepers: ana, ben\n`,
  );
  // Another process is writing a line, and lines that can't be said count for nothing.
  const [first] = room.rulings;
  assert(first);
  {
    using file = LineFile.open<Kept>(control);
    const text = "rename {}";
    const by = { stay: madeUpStay("ana"), n: 0, to: null, name: "ana" };
    const entry: RuledEntry = { ...first.place, ...by, what: "ruled", text };
    file.add([
      { kind: "ruled", entry },
      { kind: "ruled", entry: { ...entry, text: first.text, seq: 99 } },
    ]);
  }
  await Deno.writeTextFile(control, '{"kind":"ru', { append: true });
  const text = await Deno.readTextFile(control);
  assertEquals(membershipIn(control).digest, room.membership.digest);
  assertEquals(await Deno.readTextFile(control), text);
});
