/**
 * The files that only one server may have besides its log.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { LockedError } from "../../../src/log/lock.ts";
import { FLAGS, type Values } from "../../../src/server/flags.ts";
import { holdFiles, requireUnheld } from "../../../src/server/held_files.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";

const ADDRESS = "192.0.2.7:5000";

/** The flags of a server with these files. */
function flagsOf(folder: Folder, names: string[], more: string[] = []): Values {
  const [log = "", key = "", people = ""] = names.map((it) => folder.file(it));
  const files = ["--log", log, "--key-file", key, "--people", people];
  return parseFlags([...files, ...more], FLAGS, { positionals: 0 }).values;
}

/** For where every lock can be had, or isn't there. */
function noNote(notice: string): void {
  throw new Error(notice);
}

const OWN = ["chat.log", "chat.key", "chat.people"];

/** Asserts that a file is another's, to a start as to a check. */
async function assertHeld(values: Values, path: string): Promise<void> {
  for (
    const step of [
      () => holdFiles(values, "192.0.2.8:5000", () => {}, noNote),
      () => requireUnheld(values),
    ]
  ) {
    const error = await assertRejects(
      step,
      LockedError,
      `Cannot use "${path}": the server on ${ADDRESS} (process ${Deno.pid}) uses it`,
    );
    assertEquals(error.path, path);
  }
}

Deno.test("holdFiles() holds the key and the persons until its end, and whoever comes meanwhile has none of them", async () => {
  await using folder = await Folder.make();
  const made: string[] = [];
  {
    const values = flagsOf(folder, OWN);
    const add = (path: string) => void made.push(path);
    await using _held = await holdFiles(values, ADDRESS, add, noNote);
    const [key, people] = [folder.file("chat.key"), folder.file("chat.people")];
    assertEquals(made, [`${key}.lock`, `${people}.lock`]);
    await assertHeld(flagsOf(folder, ["b.log", "chat.key", "b.people"]), key);
    await assertHeld(
      flagsOf(folder, ["b.log", "b.key", "chat.people"]),
      people,
    );
    // What the second had before it was refused is free again.
    const free = flagsOf(folder, ["b.log", "b.key", "b.people"]);
    await requireUnheld(free);
    await using _other = await holdFiles(free, ADDRESS, () => {}, noNote);
  }
  await requireUnheld(flagsOf(folder, OWN));
  for (const path of made) assertEquals(await Deno.readTextFile(path), "");
});

Deno.test("holdFiles() leaves the key to servers that share a room, and not the persons", async () => {
  await using folder = await Folder.make();
  const nats = ["--nats", "nats://127.0.0.1:4222"];
  await using _held = await holdFiles(
    flagsOf(folder, OWN, nats),
    ADDRESS,
    () => {},
    noNote,
  );
  const sibling = flagsOf(folder, ["b.log", "chat.key", "b.people"], nats);
  await requireUnheld(sibling);
  await using _other = await holdFiles(sibling, ADDRESS, () => {}, noNote);
  await assertHeld(
    flagsOf(folder, ["c.log", "chat.key", "chat.people"], nats),
    folder.file("chat.people"),
  );
});

Deno.test("holdFiles() goes on where a file can't be locked: who opens it says what is wrong", async () => {
  await using folder = await Folder.make();
  const values = flagsOf(folder, ["chat.log", "none/chat.key", "chat.people"]);
  await using _held = await holdFiles(values, ADDRESS, () => {}, noNote);
  await assertHeld(
    flagsOf(folder, ["b.log", "none/chat.key", "chat.people"]),
    folder.file("chat.people"),
  );
  assertEquals(await folder.names(), ["chat.people.lock"]);
});

Deno.test("holdFiles() holds a sealed room's file that was named, and says which lock is there and can't be had", async () => {
  await using folder = await Folder.make();
  const control = folder.file("c.control");
  const sealed = ["--sealed", "--control", control];
  await Deno.mkdir(folder.file("chat.people.lock")); // no server's
  const notes: string[] = [];
  const note = (notice: string) => void notes.push(notice);
  const values = flagsOf(folder, OWN, sealed);
  await using _held = await holdFiles(values, ADDRESS, () => {}, note);
  const [told = "", ...more] = notes;
  const people = folder.file("chat.people");
  const sentence =
    `Nothing keeps another server from using "${people}" as well: `;
  assertEquals([told.startsWith(sentence), more], [true, []]);
  await assertHeld(
    flagsOf(folder, ["b.log", "b.key", "b.people"], sealed),
    control,
  );
});
