import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { Tabs } from "../../../kit/indexed_database.ts";
import { madeUpId, madeUpPerson } from "../../../kit/people.ts";
import { Ignored } from "../../../../src/client/ignored.ts";
import { Known } from "../../../../src/client/known.ts";
import { MAX_AGE } from "../../../../src/client/mail/seen.ts";
import { Database } from "../../../../src/web/platform/database.ts";
import { documentIn } from "../../../../src/web/platform/document_table.ts";
import { IdentityTable } from "../../../../src/web/platform/identity_table.ts";
import { roomTable } from "../../../../src/web/platform/room_table.ts";
import { SeenTable } from "../../../../src/web/platform/seen_table.ts";

Deno.test("changes of several tabs at once are all kept", async () => {
  using tabs = new Tabs();
  const [one, other] = [await tabs.open(), await tabs.open()];
  const add = (database: Database) =>
    database.change<number>("documents", "count", (now = 0) => now + 1);
  await Promise.all([one, other, one, other, other].map(add));
  const kept = await one.read("documents", (table) => table.get("count"));
  assertEquals(kept, 5);
});

Deno.test("a change that fails leaves what was there, and says so", async () => {
  using tabs = new Tabs();
  const database = await tabs.open();
  await database.change("documents", "a", () => 1);
  await assertRejects(() =>
    database.change("documents", "a", () => (() => {}) as unknown)
  ); // functions can't be kept
  assertEquals(await database.read("documents", (it) => it.get("a")), 1);
});

Deno.test("where the browser has no database, opening one says so", async () => {
  await assertRejects(
    () => Database.open(undefined),
    Error,
    "this browser has no storage for pages",
  );
});

Deno.test("what is known of a sealed room comes back in its order, and apart from others", async () => {
  using tabs = new Tabs();
  const stores = roomTable(await tabs.open());
  const [room, other] = [stores("room"), stores("other")];
  assertEquals(await room.read(), undefined);
  for (const line of ["a\n", "b\n", "c\n"]) await room.append(line);
  await other.append("z\n");
  assertEquals(await room.read(), "a\nb\nc\n");
  await room.write("A\n");
  for (let count = 0; count < 12; count++) await room.append(`${count}\n`);
  const again = roomTable(await tabs.open())("room");
  assertEquals(
    await again.read(),
    "A\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n",
  );
  assertEquals(await other.read(), "z\n");
});

Deno.test("what is known of a sealed room and can't be read is told to who asked, and to nobody else", async () => {
  using tabs = new Tabs();
  const database = await tabs.open();
  database.read = () => Promise.reject(new Error("the disk is damaged"));
  const room = roomTable(database)("room");
  await assertRejects(() => room.read(), Error, "the disk is damaged");
});

Deno.test("a tab that writes what it knows of a room anew keeps the lines that another tab has added", async () => {
  using tabs = new Tabs();
  const [one, other] = [
    roomTable(await tabs.open())("room"),
    roomTable(await tabs.open())("room"),
  ];
  await one.append("a\n");
  assertEquals(await other.read(), "a\n");
  await other.append("of the other\n");
  await one.append("b\n");
  await one.write("all of one\n");
  const kept = await other.read();
  assertEquals(kept, "all of one\nof the other\nb\n");
});

Deno.test("private messages that were seen are remembered in later visits, for as long as they could be shown", async () => {
  using tabs = new Tabs();
  const note = (text: string) => assert(false, text);
  const now = Date.now();
  const database = await tabs.open();
  const seen = await SeenTable.load(database, note, now);
  seen.add("old", now - MAX_AGE - 1);
  seen.add("new", now);
  assert(seen.isKept && seen.has("old") && seen.has("new"));
  const later = await SeenTable.load(await tabs.open(), note, now);
  assert(later.has("new") && !later.has("old"));
});

Deno.test("private messages that can't be remembered are told of once", async () => {
  using tabs = new Tabs();
  const database = await tabs.open();
  const notes: string[] = [];
  const told = Promise.withResolvers<void>();
  const seen = await SeenTable.load(database, (text) => {
    notes.push(text);
    told.resolve();
  });
  database.close();
  seen.add("a", 1);
  seen.add("b", 1);
  await told.promise;
  assert(seen.has("a") && !seen.isKept);
  assertEquals(notes.length, 1);
  assert(notes[0]?.endsWith("Private messages may come twice"));
});

for (const isKept of [true, false]) {
  const where = isKept ? "in a database" : "until the page is closed";
  Deno.test(`identities are kept ${where}, and found by the name that they went by last`, async () => {
    using tabs = new Tabs();
    const database = isKept ? await tabs.open() : undefined;
    const table = new IdentityTable(database);
    const ana = await table.create();
    await ana.setName("ana");
    const bob = await table.create();
    await bob.setName("bob");
    assert(ana.created && ana.name === "ana");
    const found = await table.find((name) => name === "ana");
    assertEquals(found?.identity.id, ana.identity.id);
    assertEquals(await table.find((name) => name === "eve"), undefined);
    await ana.setName("anna");
    assertEquals(await table.find((name) => name === "ana"), undefined);
    const all = await table.all();
    assertEquals(all.map(({ name }) => name).sort(), ["anna", "bob"]);
    const again = await table.create(ana.seed);
    assert(!again.created && again.name === "anna");
    const [first] = all.filter(({ name }) => name === "anna");
    const same = await table.of(first?.person ?? "");
    assertEquals(same?.seed, ana.seed);
  });
}

Deno.test("two tabs that are in two rooms both are remembered, and whom either ignores", async () => {
  using tabs = new Tabs();
  const fail = (text: string) => {
    throw new Error(text);
  };
  const open = async () => {
    const database = await tabs.open();
    return {
      known: await Known.load(documentIn(database, "known"), fail),
      ignored: await Ignored.load(documentIn(database, "ignored"), fail),
    };
  };
  const both = [await open(), await open()];
  for (const [index, { known, ignored }] of both.entries()) {
    known.entered(new Uint8Array(32).fill(index), `http://h${index}`);
    known.keep();
    const name = ["ann", "eve"][index] ?? "";
    ignored.add({ id: madeUpId(name), person: madeUpPerson(name), name });
  }
  for (const { known, ignored } of both) {
    await known.kept;
    await ignored.kept;
  }
  const { known, ignored } = await open();
  assertEquals(known.rooms.map(({ address }) => address).sort(), [
    "http://h0",
    "http://h1",
  ]);
  const names = ignored.members().map(({ name }) => name);
  assertEquals(names.sort(), ["ann", "eve"]);
});
