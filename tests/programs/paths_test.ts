/**
 * Paths that a person gives to the programs from a sub-folder: `deno task` runs them in the repository's own.
 *
 * @module
 */

import { assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder, namesIn } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";

/** A folder in which the programs run, and one in it in which a person stands. */
async function standIn(folder: Folder) {
  const sub = folder.file("sub");
  await Deno.mkdir(sub);
  return { sub, prefix: ["env", `INIT_CWD=${sub}`] };
}

Deno.test("server's paths count from where deno task was called, and its defaults from the repository", async () => {
  await using folder = await Folder.make();
  const { sub, prefix } = await standIn(folder);
  await Deno.writeTextFile(`${sub}/motd.txt`, "Welcome here");
  const args = ["--log", "own.log", "--motd=motd.txt"];
  await using server = await Server.open(folder, { args, prefix });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.shows("note", { text: "Welcome here" });
  const own = ["own.log", "own.log.lock", "own.waiting"];
  assertEquals(await namesIn(sub), ["motd.txt", ...own]);
  assertEquals(await folder.names(), [
    "chat.key",
    "chat.key.lock",
    "chat.people",
    "chat.people.lock",
    "sub",
  ]);
});

Deno.test("client's paths count from where deno task was called, in flags as in requests", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using place = await Folder.make();
  const { sub, prefix } = await standIn(place);
  await Deno.writeTextFile(`${sub}/hut.txt`, "hut");
  const options = { invite, cwd: place.path, prefix };
  await using ana = await JsonClient.join({ ...options, name: "ana" });
  const args = ["--downloads", "taken", "--identity", "ben.identity"];
  await using ben = await JsonClient.join({ ...options, name: "ben", args });
  await ana.type('{"type":"send","path":"hut.txt"}');
  const { seq: offer } = await ben.shows("offered");
  await ben.type(JSON.stringify({ type: "get", offer }));
  await ben.until(
    "the file",
    () => ben.stdout.find((line) => line.includes('"state":"taken"')),
  );
  assertEquals(await namesIn(sub), ["ben.identity", "hut.txt", "taken"]);
  assertEquals(await namesIn(`${sub}/taken`), ["hut.txt"]);
});
