/**
 * Tests of who is remembered of a room.
 *
 * @module
 */

import { DocumentFile } from "../../../src/base/document_file.ts";
import { Known, verification } from "../../../src/client/known.ts";
import {
  type Bytes,
  fromBase64url,
  labelledDigest,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import type { Document } from "../../../src/base/document.ts";
import type { DocumentStore } from "../../../src/base/document_store.ts";
import { spokenId } from "../../../src/crypto/person_id.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUpId, madeUpPerson } from "../../kit/people.ts";

Deno.test("Known.find() finds who was in the room before by name or id, and nobody of another room", async () => {
  await using folder = await Folder.make();
  const known = await Known.load(
    new DocumentFile(folder.file("known")),
    () => {},
  );
  assertEquals(known.find("ben"), undefined);
  known.entered(randomBytes(32), "192.0.2.7:5000");
  const [id, person] = [madeUpId("ben"), madeUpPerson("ben")];
  known.met({ name: "Ben", id });
  assertEquals(known.find("BEN"), { id, person, name: "BEN" });
  assertEquals(known.find(spokenId(person).toUpperCase())?.id, id);
  assertEquals(known.find("eve"), undefined);
  known.entered(randomBytes(32), "192.0.2.8:5000");
  assertEquals(known.find("ben"), undefined);
});

Deno.test("Known keeps what was seen of each room's history, and nothing that can't be", async () => {
  await using folder = await Folder.make();
  const path = folder.file("known");
  const keys = [randomBytes(32), randomBytes(32)] as const;
  const seen = { seq: 42, value: randomBytes(32) };
  const known = await Known.load(new DocumentFile(path), () => {});
  known.entered(keys[0], "192.0.2.7:5000");
  known.saw(seen);
  known.entered(keys[1], "192.0.2.8:5000");
  assertEquals(known.seen, undefined);
  known.saw({ ...seen, seq: 7 });
  known.keep();
  await known.kept;
  const again = await Known.load(new DocumentFile(path), () => {});
  again.entered(keys[0], "192.0.2.7:5000");
  assertEquals(again.seen, seen);
  again.entered(keys[1], "192.0.2.8:5000");
  assertEquals(again.seen, { ...seen, seq: 7 });
  const text = await Deno.readTextFile(path);
  for (const wrong of ["-1", "0.5", '"7"', "null"]) {
    const changed = text.replace(/"seq": ?7/, `"seq":${wrong}`);
    assert(changed !== text);
    await Deno.writeTextFile(path, changed);
    const other = await Known.load(new DocumentFile(path), () => {});
    other.entered(keys[1], "192.0.2.8:5000");
    assertEquals(other.seen, undefined);
  }
});

/** A store in memory, of which a test can say that it takes nothing. */
class Store implements DocumentStore {
  document: Document | undefined;
  isFull = false;
  writes = 0;
  /** Resolves when it takes something. */
  gate: Promise<void> | undefined;
  read() {
    return Promise.resolve(this.document);
  }
  change(how: (now: Document | undefined) => Document) {
    if (this.isFull) return Promise.reject(new Error("the disk is full"));
    this.document = JSON.parse(JSON.stringify(how(this.document)));
    this.writes++;
    return this.gate ?? Promise.resolve();
  }
}

const [KEY, OTHER_KEY] = [randomBytes(32), randomBytes(32)];
const BEN = { name: "ben", id: madeUpId("ben") };
const EVE = { name: "eve", id: madeUpId("eve") };

/** Writes down what a client knows. */
async function keep(known: Known): Promise<void> {
  known.keep();
  await known.kept;
}

Deno.test("Known of two clients in two rooms remembers all that either found out, whichever writes last", async () => {
  await using folder = await Folder.make();
  const file = new DocumentFile(folder.file("known"));
  const load = () => Known.load(file, () => {});
  const [one, other] = [await load(), await load()];
  one.entered(KEY, "192.0.2.7:5000");
  one.met(BEN);
  one.verify(BEN);
  one.saw({ seq: 42, value: randomBytes(32) });
  other.entered(OTHER_KEY, "192.0.2.8:5000");
  other.met(EVE);
  await keep(one);
  await keep(other);
  one.met(EVE);
  await keep(one);
  const again = await load();
  assertEquals(again.serverAt("192.0.2.7:5000"), KEY);
  assertEquals(again.serverAt("192.0.2.8:5000"), OTHER_KEY);
  again.entered(OTHER_KEY, "192.0.2.8:5000");
  assertEquals(again.find("eve")?.id, EVE.id);
  assertEquals(again.find("ben"), undefined);
  again.entered(KEY, "192.0.2.7:5000");
  assertEquals(again.find("eve")?.id, EVE.id);
  assert(again.isVerified(BEN));
  assertEquals(again.seen?.seq, 42);
});

Deno.test("Known of two clients in one room undoes nothing of what the other found out there", async () => {
  const store = new Store();
  const load = () => Known.load(store, () => {});
  const [one, other] = [await load(), await load()];
  for (const known of [one, other]) {
    known.entered(KEY, "192.0.2.7:5000");
    known.met(BEN);
    await keep(known);
  }
  one.verify(BEN);
  one.seal("ROOM");
  await keep(one);
  other.met(EVE);
  await keep(other);
  assertEquals(other.sealedRoom(KEY), "ROOM");
  const again = await load();
  again.entered(KEY, "192.0.2.7:5000");
  assert(again.isVerified(BEN));
  assertEquals(again.find("eve")?.id, EVE.id);
  assertEquals(again.sealedRoom(KEY), "ROOM");
});

Deno.test("Known warns in each client of somebody who is somebody else than before", async () => {
  const store = new Store();
  const warnings: string[] = [];
  const load = () => Known.load(store, (text) => warnings.push(text));
  const first = await load();
  first.entered(KEY, "192.0.2.7:5000");
  first.met(BEN);
  await keep(first);
  const second = await load();
  second.entered(KEY, "192.0.2.7:5000");
  for (const known of [first, second]) {
    known.saw({ seq: 1, value: randomBytes(32) });
    await keep(known); // and takes over what the other wrote
    known.met({ ...EVE, name: "ben" });
    await keep(known);
  }
  assertEquals(warnings.length, 2);
  for (const warning of warnings) {
    assertStringIncludes(warning, '"ben" is somebody else than before');
  }
});

Deno.test("Known.roomAt() finds a room on several servers by each of its addresses", async () => {
  const store = new Store();
  const load = () => Known.load(store, () => {});
  const [a, b, c, d] = ["a:1", "b:2", "c:3", "d:4"];
  const first = await load();
  first.entered(OTHER_KEY, c);
  first.entered(KEY, b, [a, b]);
  await keep(first);
  const again = await load();
  const room = { serverKey: KEY, addresses: [b, a] };
  for (const address of [a, b]) assertEquals(again.roomAt(address), room);
  assertEquals(again.roomAt(d), undefined);
  assertEquals(again.rooms[0]?.address, b);
  again.entered(KEY, a); // by heart, which takes none away
  assertEquals(again.roomAt(b)?.addresses, [a, b]);
  again.entered(KEY, d, [a, d]); // by a newer link
  await keep(again);
  const third = await load();
  assertEquals(third.roomAt(a)?.addresses, [d, a, b]);
  assertEquals(third.roomAt(b)?.addresses, [d, a, b]);
  assertEquals(third.roomAt(c)?.addresses, [c]);
  third.entered(KEY, d, [d]); // nor does a link with fewer
  assertEquals(third.roomAt(d)?.addresses, [d, a, b]);
  for (let port = 1; port <= 20; port++) third.entered(KEY, `e:${port}`);
  assertEquals(third.roomAt("e:20")?.addresses.length, 16);
  assertEquals(third.roomAt(d), undefined); // of many, the oldest are forgotten
});

Deno.test("Known.rooms has the rooms of all clients, the latest first, each place once", async () => {
  const store = new Store();
  const load = () => Known.load(store, () => {});
  const [one, other] = [await load(), await load()];
  assertEquals(one.rooms, []);
  const replaced = randomBytes(32);
  for (const key of [replaced, KEY]) one.entered(key, "http://h:8080");
  one.isHere(3_600_000);
  await keep(one);
  other.entered(OTHER_KEY, "https://chat.example");
  other.seal("ROOM");
  await keep(other);
  const rooms = [
    { address: "https://chat.example", last: undefined, sealed: true },
    { address: "http://h:8080", last: 3_600_000, sealed: false },
  ];
  assertEquals(other.rooms, rooms);
  assertEquals((await load()).rooms, rooms);
  one.met(BEN);
  await keep(one);
  assertEquals(one.rooms, rooms);
  one.entered(KEY, "http://h:8080");
  assertEquals(one.rooms, rooms.toReversed());
});

Deno.test("Known writes down later what it couldn't at first, and what came meanwhile", async () => {
  const store = new Store();
  const notes: string[] = [];
  const known = await Known.load(store, (text) => notes.push(text));
  known.entered(KEY, "192.0.2.7:5000");
  await keep(known);
  known.met(BEN);
  store.isFull = true;
  known.keep();
  known.met(EVE);
  await known.kept;
  assertEquals(notes, ["the disk is full"]);
  known.keep();
  await known.kept;
  store.isFull = false;
  known.keep(); // nothing new: it waits for something to write
  known.isHere(3_600_000);
  await keep(known);
  const again = await Known.load(store, () => {});
  again.entered(KEY, "192.0.2.7:5000");
  assertEquals([again.find("ben")?.id, again.find("eve")?.id], [
    BEN.id,
    EVE.id,
  ]);
});

Deno.test("Known leaves alone a file that it can't use, says so once, and does without", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("known", "{");
  await Deno.chmod(path, 0o600);
  const notes: string[] = [];
  const file = new DocumentFile(path);
  const known = await Known.load(file, (text) => notes.push(text));
  known.entered(KEY, "192.0.2.7:5000");
  known.met(BEN);
  await keep(known);
  known.met(EVE);
  await keep(known);
  assertEquals(known.find("ben")?.id, BEN.id);
  assertEquals(await Deno.readTextFile(path), "{");
  assertEquals(notes.length, 1);
  assertStringIncludes(
    notes[0] ?? "",
    "What you find out of rooms is not saved",
  );
});

Deno.test("Known keeps a room sealed that a file has as open again", async () => {
  const store = new Store();
  const known = await Known.load(store, () => {});
  known.entered(KEY, "192.0.2.7:5000");
  known.seal("ROOM");
  await keep(known);
  const open = { address: "192.0.2.7:5000", people: {} };
  store.document = { rooms: { [toBase64url(KEY)]: open } };
  known.met(BEN);
  await keep(known);
  const again = await Known.load(store, () => {});
  assertEquals(again.sealedRoom(KEY), "ROOM");
});

Deno.test("Known writes down what is new, and nothing that it knew already", async () => {
  const store = new Store();
  const known = await Known.load(store, () => {});
  const [value, other] = [randomBytes(32), randomBytes(32)];
  const deeds: [wasNew: boolean, deed: () => void][] = [
    // Outside of any room there is nothing to find out.
    [false, () => known.met(BEN)],
    [false, () => known.verify(BEN)],
    [false, () => known.seal("ROOM")],
    [false, () => known.saw({ seq: 1, value })],
    [false, () => known.isHere(9_000_000)],
    [true, () => known.entered(KEY, "a:1", ["b:2"])],
    [true, () => known.entered(KEY, "b:2", ["a:1"])],
    [true, () => known.entered(KEY, "b:2", ["c:3", "a:1"])],
    [false, () => known.entered(KEY, "b:2")],
    [true, () => known.met(BEN)],
    [true, () => known.met({ ...BEN, id: EVE.id })],
    [true, () => known.seal("ROOM")],
    [true, () => known.saw({ seq: 1, value })],
    [true, () => known.saw({ seq: 1, value: other })],
    [true, () => known.saw({ seq: 2, value })],
    [true, () => known.isHere(9_000_000)],
    [false, () => known.isHere(9_000_000 + 3_599_999)],
    [false, () => known.isHere(9_000_000 - 3_599_999)],
    [true, () => known.isHere(9_000_000 + 3_600_000)],
    [true, () => known.isHere(9_000_000)],
    [true, () => known.entered(OTHER_KEY, "d:4")],
    [true, () => known.entered(KEY, "b:2")], // it is the latest now
  ];
  for (const [at, [wasNew, deed]] of deeds.entries()) {
    store.writes = 0;
    deed();
    await keep(known);
    assertEquals(store.writes, wasNew ? 1 : 0, `deed ${at}`);
    deed();
    await keep(known);
    assertEquals(store.writes, wasNew ? 1 : 0, `deed ${at} again`);
  }
});

Deno.test("Known.isHere() tells for how long the client was not there", async () => {
  const known = await Known.load(undefined, () => {});
  const day = 86_400_000;
  assertEquals(known.isHere(day), 0); // in no room
  known.entered(KEY, "a:1");
  const absences = [day, day, 9 * day, 9 * day + 5, day, 2 * day]
    .map((now) => known.isHere(now));
  assertEquals(absences, [0, 0, 8 * day, 5, 0, day]);
});

Deno.test("Known says nothing of rooms and people that it doesn't know", async () => {
  const notes: string[] = [];
  const known = await Known.load(undefined, (text) => notes.push(text));
  known.met(BEN);
  assertEquals([known.find("ben"), known.seen], [undefined, undefined]);
  assertEquals(known.isVerified(BEN), false);
  known.entered(KEY, "a:1", ["b:2"]);
  known.met(BEN);
  known.met(EVE);
  assertEquals([known.isVerified(BEN), known.isVerified(EVE)], [false, false]);
  known.verify(BEN);
  known.met(BEN);
  assertEquals(known.isVerified(BEN), true);
  assertEquals(known.isVerified({ ...BEN, id: EVE.id }), false);
  assertEquals(known.isVerified({ name: "cem", id: BEN.id }), false);
  assertEquals(known.find(madeUpPerson("eve"))?.name, "eve");
  assertEquals(known.find(madeUpPerson("cem")), undefined);
  assertEquals(known.sealedRoom(OTHER_KEY), undefined);
  assertEquals(known.serverAt("c:3"), undefined);
  assertEquals(known.moved(OTHER_KEY, "c:3").length, 0);
  for (const address of ["a:1", "b:2"]) {
    assertEquals(known.moved(KEY, address), KEY);
  }
  assertEquals(notes, []);
  assertEquals(known.moved(KEY, "c:3"), KEY);
  assertEquals(notes, ["The room was at a:1 before"]);
});

Deno.test("Known remembers the 5,000 names of a room that were new last", async () => {
  const known = await Known.load(undefined, () => {});
  known.entered(KEY, "a:1");
  const meet = (name: string, id = EVE.id) => known.met({ name, id });
  for (let at = 1; at <= 5_000; at++) meet(`name${at}`);
  meet("name1", BEN.id); // somebody else by now
  meet("more");
  assertEquals(
    ["name1", "name2", "name3", "more"].map((name) => known.find(name)?.id),
    [BEN.id, undefined, EVE.id, EVE.id],
  );
});

Deno.test("Known forgets nothing that others don't have written, nor what it finds out while it writes", async () => {
  const store = new Store();
  const load = () => Known.load(store, () => {});
  const known = await load();
  known.entered(OTHER_KEY, "b:2");
  known.seal("OTHER");
  known.entered(KEY, "a:1");
  known.met(BEN);
  await keep(known);
  store.document = { later: 1 }; // somebody has taken all out
  known.met(EVE);
  const writing = Promise.withResolvers<void>();
  store.gate = writing.promise;
  known.keep();
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  assertEquals(store.writes, 2);
  const third: Bytes = randomBytes(32);
  known.entered(third, "c:3");
  known.entered(KEY, "a:1");
  writing.resolve();
  await known.kept;
  const places = () => known.rooms.map(({ address }) => address);
  assertEquals(places(), ["a:1", "c:3", "b:2"]);
  await keep(known);
  const again = await load();
  assertEquals(again.rooms, known.rooms);
  assertEquals(again.sealedRoom(OTHER_KEY), "OTHER");
  again.entered(KEY, "a:1");
  assertEquals([again.find("ben")?.id, again.find("eve")?.id], [
    BEN.id,
    EVE.id,
  ]);
  assertEquals(store.document.later, 1);
});

Deno.test("verification() is six groups of five digits for each of two ids, the same for both persons", () => {
  const expected = [BEN.id, EVE.id].toSorted().map((id) => {
    const digest = [...labelledDigest("verify", fromBase64url(id))];
    const groups = [0, 4, 8, 12, 16, 20].map((at) =>
      digest.slice(at, at + 4).reduce((sum, byte) => sum * 256 + byte, 0) %
      100_000
    );
    return groups.map((group) => `${group}`.padStart(5, "0")).join(" ");
  });
  assertEquals(verification(BEN.id, EVE.id), expected);
  assertEquals(verification(EVE.id, BEN.id), expected);
});
