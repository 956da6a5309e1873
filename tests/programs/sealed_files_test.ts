/**
 * Files of a sealed room with the real programs, beyond what files_test.ts tries in both kinds of room: what the server
 * has of them, removed members, and persons with several machines.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import {
  ask,
  FileCompany,
  files,
  LARGE,
  LARGE_ENOUGH,
  MARK,
  reaches,
} from "../kit/file_company.ts";
import { Folder, modeOf } from "../kit/folder.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { typeClient } from "../kit/stage.ts";

/** Somebody else comes, who saves files in a folder of its own. */
async function bring(room: FileCompany, name: string): Promise<JsonClient> {
  const { invite, folder, offer } = room;
  const args = ["--downloads", folder.file(name)];
  const client = await JsonClient.join({ invite, name, args });
  await client.shows("offered", { seq: offer });
  return client;
}

Deno.test("a file in a sealed room reaches who takes it as it is, and the server's files hold nothing of it", async () => {
  await using room = await FileCompany.gather("sealed", 100_000);
  const { folder, ana, ben, offer, bytes } = room;
  await ask(ben, { type: "get", offer });
  const { path = "" } = await reaches(ben, "taken");
  assertEquals(path, folder.file("taken/hut.jpg"));
  assertEquals(await Deno.readFile(path), bytes);
  assertEquals(await modeOf(path), 0o600);
  const taken = await ana.until("a taker", () => ana.all("taken")[0]);
  assertEquals([taken.name, taken.key], ["ben", ben.entrances[0]?.key]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  for (const name of await folder.names()) {
    if (!name.startsWith("chat.")) continue;
    const text = await Deno.readTextFile(folder.file(name));
    for (const word of ["hut.jpg", MARK, digest.toHex()]) {
      assert(!text.includes(word), `"${word}" in ${name}`);
    }
  }
});

Deno.test("a file goes on while the room's key is changed, for those who stay; who is removed gets no more of it", async () => {
  await using room = await FileCompany.gather("sealed", LARGE);
  const { ana, ben, offer, bytes } = room;
  await using cem = await bring(room, "cem");
  await room.held.hold();
  for (const client of [ben, cem]) await ask(client, { type: "get", offer });
  for (const client of [ben, cem]) {
    await reaches(client, "taking", LARGE_ENOUGH);
  }
  await ask(ana, { type: "kick", name: "cem" });
  await ben.until(
    "the removal",
    () =>
      ben.all("ruled").find(({ text = "" }) =>
        text.startsWith("ana removed cem")
      ),
  );
  assertEquals(await cem.finished(), 1);
  await room.held.release();
  const { path = "" } = await reaches(ben, "taken");
  assertEquals(await Deno.readFile(path), bytes);
  assert(!files(cem).some(({ state }) => state === "taken"));
  const { got = 0 } = files(cem).at(-1) ?? {};
  assert(got < LARGE);
});

Deno.test("several members take a file of a sealed room at once", async () => {
  await using room = await FileCompany.gather("sealed", LARGE_ENOUGH);
  const { ana, ben, offer, bytes } = room;
  await using cem = await bring(room, "cem");
  await using dan = await bring(room, "dan");
  const takers = [ben, cem, dan];
  for (const taker of takers) await ask(taker, { type: "get", offer });
  for (const taker of takers) {
    const { path = "" } = await reaches(taker, "taken");
    assertEquals(await Deno.readFile(path), bytes);
  }
  await ana.until("all takers", () => ana.all("taken")[2]);
  const names = ana.all("taken").map(({ name }) => name);
  assertEquals(names.toSorted(), ["ben", "cem", "dan"]);
});

Deno.test("a file of a person with two machines in a sealed room is had from the one that offers it", async () => {
  await using folder = await Folder.make();
  const home = folder.file("home");
  const second = folder.file("second");
  await Deno.mkdir(home);
  await Deno.mkdir(second);
  await using room = await SealedPrograms.found(folder, "ana", {}, { home });
  const { link } = room;
  const downloads = (name: string) => ["--downloads", folder.file(name)];
  await using ben = await JsonClient.join({
    invite: link,
    name: "ben",
    args: downloads("ben"),
  });
  await using beside = await JsonClient.join({
    invite: link,
    name: "ana",
    home,
    args: downloads("beside"),
  });
  assertEquals(beside.entrances[0]?.key, room.keeper.entrances[0]?.key);
  const path = folder.file("hut.jpg");
  await Deno.writeTextFile(path, MARK);
  await ask(room.keeper, { type: "send", path });
  const { seq: offer = 0 } = await ben.shows("offered");
  await beside.shows("offered", { seq: offer });
  for (const client of [ben, beside]) {
    await ask(client, { type: "get", offer });
    const { path = "" } = await reaches(client, "taken");
    assertEquals(await Deno.readTextFile(path), MARK);
  }
  await room.keeper.until("both takers", () => room.keeper.all("taken")[1]);
});

Deno.test("an offer in a sealed room ends when it is dropped or deleted, and what is no ordinary file isn't offered", async () => {
  await using room = await FileCompany.gather("sealed", 1_000);
  const { ana, ben, offer, folder } = room;
  for (const path of ["/dev/null", folder.path, folder.file("none")]) {
    await ask(ana, { type: "send", path, id: path });
  }
  await ana.until("three errors", () => ana.all("error")[2]);
  for (const { message } of ana.all("error")) {
    assertMatch(message ?? "", /^Cannot send ".*": /);
  }
  await ask(ana, { type: "drop", offer });
  await ana.shows("note");
  await ask(ben, { type: "get", offer });
  const { reason } = await reaches(ben, "failed");
  assertEquals(reason, "it is no longer offered");
  await ask(ana, { type: "send", path: folder.file("hut.jpg") });
  const { seq = 0 } = await ben.until(
    "a second offer",
    () => ben.all("offered")[1],
  );
  await ana.shows("offered", { seq });
  await ask(ana, { type: "delete", to: seq });
  await ben.shows("deleted", { to: seq });
  await ask(ben, { type: "get", offer: seq });
  const { message = "" } = await ben.shows("error");
  assertMatch(message, new RegExp(`^No offer ${seq} seen here`));
});

Deno.test("an offer of a sealed room that is too old to be told on joining is found by its history, and can be taken", async () => {
  await using folder = await Folder.make();
  const home = folder.file("home");
  await Deno.mkdir(home);
  const args = ["--history", "2"];
  await using room = await SealedPrograms.found(folder, "ana", { args });
  const { keeper } = room;
  const ben = await room.bring("ben", { home });
  await ben.endInput();
  await ben.finished();
  const path = folder.file("hut.jpg");
  await Deno.writeTextFile(path, MARK);
  await ask(keeper, { type: "send", path });
  const { seq: offer = 0 } = await keeper.shows("offered");
  await keeper.type("one", "two", "three");
  await keeper.showsTexts(3);
  const again = await room.bring("ben", {
    home,
    args: ["--downloads", folder.file("taken")],
  });
  await ask(again, { type: "get", offer });
  const { message = "" } = await again.shows("error");
  assertMatch(message, /^No offer \d+ seen here; try \/history$/);
  await ask(again, { type: "history", count: 20 });
  await again.shows("found");
  await ask(again, { type: "get", offer });
  const { path: saved = "" } = await reaches(again, "taken");
  assertEquals(await Deno.readTextFile(saved), MARK);
});

terminalTest(
  "a person offers and takes files in a sealed room as in an open one",
  async () => {
    await using room = await FileCompany.gather("sealed", 100_000);
    const { invite, ana, bytes, offer } = room;
    await using terminal = await Terminal.open(90, 30);
    const { folder } = terminal;
    await typeClient(terminal, `'${invite}' --name cem --no-color`);
    await terminal.prompts("cem (sealed, 3 here)>");
    const offered = `${offer}  * ana offers hut.jpg (100 kB)`;
    await terminal.shows(`${offered}; /get ${offer} downloads it`);
    await terminal.line(`/get ${offer}`);
    await terminal.shows("✓ Saved chat-files/hut.jpg; checksum verified");
    await ana.until("a taker", () => ana.all("taken")[0]);
    assertEquals(await Deno.readFile(folder.file("chat-files/hut.jpg")), bytes);
    await Deno.writeTextFile(folder.file("note.txt"), MARK);
    await terminal.line("/send note.txt");
    const { seq } = await ana.shows("offered", { name: "cem" });
    await terminal.shows(`${seq}  * cem offers note.txt (16 bytes)`);
    await ask(ana, { type: "get", offer: seq });
    await reaches(ana, "taken");
    await terminal.shows("ana took note.txt");
  },
);
