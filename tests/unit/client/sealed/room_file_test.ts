/**
 * What a client keeps of a sealed room: whole after a crash at any byte, and fetched again where it is damaged.
 *
 * @module
 */

import { roomFolder } from "../../../../src/client/sealed/room_folder.ts";
import {
  RoomFile,
  type RoomStore,
} from "../../../../src/client/sealed/room_file.ts";
import { sha256, toBase64url } from "../../../../crypto_utils.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { madeUpPerson, madeUpStay } from "../../../kit/people.ts";
import { SealedRoom } from "../../../kit/sealed_room.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { Folder, modeOf } from "../../../kit/folder.ts";
import { roomOf, SealedSetup } from "../../../kit/sealed_setup.ts";

/** A room with some members, as a keeper's client has kept it. */
async function kept(folder: string) {
  await using setup = new SealedSetup();
  const sealing = { stores: roomFolder(folder) };
  const ana = await setup.found("ana", sealing);
  await setup.bring(ana, "bob");
  await ana.operate("invite", "7", "Rahul", 2);
  await ana.say("hello");
  await ana.view.until("said");
  await ana.leave();
  const room = roomOf(setup.server);
  const { membership } = setup.server;
  return { room, path: `${folder}/${room}`, membership };
}

/** The number of the last control line that stands whole in a file's text; 0 for none. */
function lastControl(text: string): number {
  const lines = text.split("\n").slice(0, -1)
    .filter((line) => line.includes('"control":{'));
  const [, json = '{"control":{"seq":0}}'] = lines.at(-1)?.split(/ (.*)/) ?? [];
  return JSON.parse(json).control.seq;
}

const fail = (text: string) => {
  throw new Error(text);
};

Deno.test("a room's file has the control lines, the last numbers and the notes of invites, for its owner alone", async () => {
  await using folder = await Folder.make();
  const { room, path, membership } = await kept(folder.path);
  assertEquals(await modeOf(path), 0o600);
  const file = await RoomFile.load(roomFolder(folder.path), room, fail);
  const { seq, digest, members } = file.record.membership;
  assertEquals(
    [seq, toBase64url(digest)],
    [membership.seq, toBase64url(membership.digest)],
  );
  assertEquals([...members.keys()], [...membership.members.keys()]);
  assertEquals(file.stays.all.length, 1);
  const notes = membership.openInvites(Date.now())
    .map(({ number }) => file.noteOf(number));
  assertEquals(notes, ["", "Rahul"]);
});

Deno.test("a room's file that a crash cut off at any byte is whole up to there", async () => {
  await using folder = await Folder.make();
  const { room, path, membership } = await kept(folder.path);
  const text = await Deno.readTextFile(path);
  assertEquals(lastControl(text), membership.seq);
  for (let size = 0; size < text.length; size += 211) {
    const left = text.slice(0, size);
    await Deno.writeTextFile(path, left);
    const file = await RoomFile.load(roomFolder(folder.path), room, fail);
    const { seq } = file.record.membership;
    assertEquals(seq, lastControl(left), `${size} bytes`);
    // What is written then is read the next time.
    const again = await RoomFile.load(roomFolder(folder.path), room, fail);
    assertEquals(again.record.membership.seq, seq);
  }
});

Deno.test("what follows a damaged line of a room's file doesn't count where it leads elsewhere", async () => {
  await using folder = await Folder.make();
  const { room, path } = await kept(folder.path);
  const lines = (await Deno.readTextFile(path)).split("\n");
  const [, second] = lines.filter((line) => line.includes('"control":{'));
  const broken = lines.map((line) =>
    line === second ? line.replace('"seq"', '"sea"') : line
  );
  await Deno.writeTextFile(path, broken.join("\n"));
  const file = await RoomFile.load(roomFolder(folder.path), room, fail);
  assertEquals(file.record.entries.map(({ seq }) => seq), [1]);
  assertEquals(file.stays.all.length, 1);
  assert(file.last < lastControl(`${second}\n`)); // what was seen counts with its control lines alone
});

Deno.test("a room's file that can't be read is told of, and nothing is kept", async () => {
  await using folder = await Folder.make();
  const { room, path } = await kept(folder.path);
  const text = await Deno.readTextFile(path);
  await Deno.chmod(path, 0o644);
  const notes: string[] = [];
  const file = await RoomFile.load(
    roomFolder(folder.path),
    room,
    (text) => notes.push(text),
  );
  file.rekeyed(1);
  await file.kept;
  assertEquals([file.record.membership.seq, notes.length], [0, 1]);
  assertEquals(await Deno.readTextFile(path), text);
});

Deno.test("a damaged line of a room's file doesn't count, though it still says something", async () => {
  await using folder = await Folder.make();
  const { room, path, membership } = await kept(folder.path);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"Rahul"', '"Raoul"'));
  const file = await RoomFile.load(roomFolder(folder.path), room, fail);
  assertEquals(file.record.membership.seq, membership.seq);
  const notes = membership.openInvites(Date.now())
    .map(({ number }) => file.noteOf(number));
  assertEquals(notes, ["", undefined]);
});

// ── Line by line ───────────────────────────────────────────────────────────────────────────────────────

/** A place in memory, and what was done there. */
class Place implements RoomStore {
  /** What was put there or added, or why it couldn't be. */
  readonly deeds: string[] = [];
  /** Why nothing can be written. */
  broken: Error | undefined;

  constructor(public text?: string) {}

  read(): Promise<string | undefined> {
    return Promise.resolve(this.text);
  }

  async write(text: string): Promise<void> {
    await this.#deed("write");
    this.text = text;
  }

  async append(line: string): Promise<void> {
    await this.#deed("append");
    this.text = (this.text ?? "") + line;
  }

  async #deed(what: string): Promise<void> {
    this.deeds.push(what);
    await Promise.resolve();
    if (this.broken) throw this.broken;
  }

  /** What the file says, without the checksums. */
  get notes(): unknown[] {
    const lines = (this.text ?? "").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line.slice(17)));
  }
}

/** A line of the file. */
function lineOf(note: unknown): string {
  const json = JSON.stringify(note);
  return `${toBase64url(sha256(utf8(json))).slice(0, 16)} ${json}\n`;
}

const load = (place: Place, note = fail as (text: string) => void) =>
  RoomFile.load(() => place, "room", note);

/** A room of three control lines. */
async function entries() {
  const room = await SealedRoom.found();
  await room.join("bob", 1);
  return room.entries;
}

/** Follows control lines. */
async function followAll(
  file: RoomFile,
  lines: Awaited<ReturnType<typeof entries>>,
): Promise<void> {
  for (const line of lines) {
    assert(await file.record.follow(line));
    file.followed(line);
  }
}

const ends = (...all: [name: string, seq: number, n: number][]) =>
  all.map(([name, seq, n]) => [
    `${madeUpPerson(name)}.${madeUpStay(name)}`,
    { seq, n },
  ]);
const line = (name: string, seq: number, n: number) => ({
  person: madeUpPerson(name),
  stay: madeUpStay(name),
  seq,
  n,
});
const KEYS = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
const [FIRST, SECOND, THIRD] = KEYS as [
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
];

Deno.test("what a room's file was told it says at the next start, and nothing twice", async () => {
  const place = new Place();
  const file = await load(place);
  await followAll(file, await entries());
  file.hadKey({ e: 0, key: FIRST });
  file.hadKey({ e: 0, key: FIRST });
  file.hadKey({ e: 1, key: SECOND });
  file.hadKey({ e: 0, key: THIRD }); // of a history that was given up
  for (const n of [4, 5]) file.stays.note(line("ana", n, n));
  file.saw(7);
  file.saw(6);
  file.keep();
  file.keep();
  file.invited(8, "Rahul");
  file.rekeyed(99);
  await file.kept;
  assertEquals(place.deeds, Array(10).fill("append"));
  assertEquals(place.notes.slice(3), [
    { epoch: 0, key: toBase64url(FIRST) },
    { epoch: 1, key: toBase64url(SECOND) },
    { epoch: 0, key: toBase64url(THIRD) },
    { stays: ends(["ana", 5, 5]) },
    { last: 7, control: 3 },
    { invite: 8, note: "Rahul" },
    { rekeyed: 99 },
  ]);
  const again = await load(place);
  await again.kept;
  assertEquals(place.deeds.length, 10);
  const facts = ({ record, keys, stays, last, rekeyedAt }: RoomFile) => ({
    entries: record.entries,
    digest: record.membership.digest,
    stays: stays.all,
    ...{ keys, last, rekeyedAt },
  });
  assertEquals(facts(again), facts(file));
  assertEquals(again.keys, [{ e: 0, key: THIRD }, { e: 1, key: SECOND }]);
  assertEquals([again.noteOf(8), again.noteOf(9)], ["Rahul", undefined]);
});

Deno.test("a room's file that is cut off, damaged or twice as long as it need be is written anew", async () => {
  const known = await entries();
  const place = new Place();
  const file = await load(place);
  await followAll(file, known);
  file.saw(4);
  file.keep();
  await file.kept;
  const text = place.text ?? "";
  const [control] = place.notes as [{ control: object; digest: string }];
  const cases: [more: string, isNew: boolean][] = [
    ["", true],
    ["x", false],
    [lineOf({ rekeyed: 1 }).slice(0, -1), false],
    [lineOf({ rekeyed: 1 }).replace("1", "2"), false],
    ...[
      ...[{}, 5, null, { rekeyed: "1" }, { last: 1.5, control: 0 }],
      ...[{ last: 1, control: "0" }, { epoch: 0, key: "short" }],
      ...[{ epoch: 0.5, key: toBase64url(FIRST) }, { epoch: 0, key: 7 }],
      ...["x", "-"].flatMap((more) => [
        { epoch: 0, key: toBase64url(FIRST) + more },
        { epoch: 0, key: more + toBase64url(FIRST) },
      ]),
      ...[{ invite: "8", note: "x" }, { invite: 8, note: 8 }, { stays: {} }],
      ...[{ stays: [5] }, { stays: [[5, { seq: 1, n: 1 }]] }],
      ...[{ stays: [["x.y", { seq: 1 }]] }, { stays: [["x.y", { n: 1 }]] }],
      ...[{ stays: [["x.y", null]] }, { ...control, digest: 1 }],
      ...["seq", "at", "person", "text"].map((field) => ({
        ...control,
        control: { ...control.control, [field]: null },
      })),
      { ...control, control: { ...control.control, seq: 9 } }, // which doesn't fit
    ].map((note): [string, boolean] => [lineOf(note), false]),
    ...[
      ...[control, { last: 9, control: 9 }, { rekeyed: 1 }, { stays: [] }],
      { invite: 8, note: "" },
    ].map((note): [string, boolean] => [lineOf(note), true]),
    // It says 3 control lines, the last one that was seen, the stays and the time: 6 in all.
    [lineOf({ rekeyed: 0 }).repeat(16), true],
    [lineOf({ rekeyed: 0 }).repeat(17), false],
  ];
  for (const [more, isNew] of cases) {
    const other = new Place(text + more);
    const again = await load(other);
    assertEquals(other.deeds, isNew ? [] : ["write"], more);
    assertEquals([again.record.membership.seq, again.last], [3, 4]);
    if (isNew) continue;
    assertEquals(other.text?.startsWith(text.slice(0, -20)), true);
    const third = await load(other);
    assertEquals([third.record.entries.length, other.deeds.length], [3, 1]);
  }
});

Deno.test("of what two clients of a machine wrote into a room's file in turn, the later counts", async () => {
  const known = await entries();
  const place = new Place();
  const first = await load(place);
  await followAll(first, known);
  await first.kept;
  const notes = [
    ...[{ last: 9, control: 3 }, { last: 8, control: 3 }],
    { last: 99, control: 4 }, // whose control lines aren't in the file
    ...[{ rekeyed: 7 }, { rekeyed: 5 }, { invite: 8, note: "one" }],
    { invite: 8, note: "two" },
    { stays: ends(["ana", 5, 6], ["ben", 7, 1]) },
    { stays: ends(["ana", 4, 4], ["ben", 9, 2]) },
  ];
  place.text += notes.map(lineOf).join("");
  const file = await load(place);
  assertEquals([file.last, file.rekeyedAt, file.noteOf(8)], [9, 7, "two"]);
  assertEquals(
    Object.fromEntries(file.stays.all),
    Object.fromEntries(ends(["ana", 5, 6], ["ben", 9, 2])),
  );
  assertEquals(file.stays.takeChanged(), []);
});

Deno.test("a room's file has its place once the client is in, and says all there that was known before", async () => {
  const file = new RoomFile(fail);
  await followAll(file, await entries());
  file.hadKey({ e: 0, key: FIRST });
  file.stays.note(line("ana", 5, 5));
  file.saw(7);
  file.invited(8, "Rahul");
  file.keepIn(undefined, "room");
  file.rekeyed(99);
  const [place, other] = [new Place(), new Place()];
  file.keepIn((room) => room === "room" ? place : other, "room");
  file.keepIn(() => other, "room");
  file.rekeyed(100);
  await file.kept;
  assertEquals([place.deeds, other.deeds], [["write", "append"], []]);
  assertEquals(place.notes.slice(3), [
    { last: 7, control: 3 },
    { epoch: 0, key: toBase64url(FIRST) },
    { stays: ends(["ana", 5, 5]) },
    { invite: 8, note: "Rahul" },
    ...[{ rekeyed: 99 }, { rekeyed: 100 }],
  ]);
});

Deno.test("a room's file that is forgotten begins anew in its place, and one that begins again at a line says so at once", async () => {
  const place = new Place();
  const file = await load(place);
  await followAll(file, await entries());
  file.saw(20);
  file.restart(12);
  assertEquals(file.last, 12);
  file.keep(); // which says nothing new
  await file.kept;
  assertEquals(place.deeds.slice(3), ["write"]);
  assertEquals(place.notes.at(3), { last: 12, control: 3 });
  file.saw(13);
  file.keep();
  const fresh = await file.forget();
  assertEquals(place.deeds.slice(4), ["append", "write"]);
  assertEquals([fresh.last, fresh.record.entries], [0, []]);
  assertEquals(place.notes, [
    ...[{ last: 0, control: 0 }, { stays: [] }, { rekeyed: 0 }],
  ]);
  fresh.rekeyed(1);
  await fresh.kept;
  assertEquals(place.deeds.slice(6), ["append"]);
});

Deno.test("a room's file that can't be written says so once, and isn't written any more", async () => {
  const words =
    "the disk is full. What this client knows of the room is not saved";
  const told: string[] = [];
  const note = (text: string) => void told.push(text);
  const place = new Place("x");
  place.broken = new Error("the disk is full");
  const file = await load(place, note); // which is damaged
  for (const at of [1, 2]) file.rekeyed(at);
  await file.kept;
  assertEquals([told, place.deeds], [[words], ["write"]]);
  const other = new Place();
  const full = await load(other, note);
  other.broken = place.broken;
  for (const at of [1, 2]) full.rekeyed(at);
  await full.kept;
  assertEquals([told, other.deeds], [[words, words], ["append"]]);
  const nowhere = await RoomFile.load(undefined, "room", fail);
  nowhere.rekeyed(3);
  await nowhere.kept;
  assertEquals(nowhere.rekeyedAt, 3);
});
