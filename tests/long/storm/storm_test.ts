/**
 * The storm's short form: a server that ends in the midst of what real clients say, some times by each way to
 * end. `deno task storm` does it a hundred times, and stops processes for minutes.
 *
 * @module
 */

import { assert, assertEquals } from "../../kit/assert.ts";
import { storm } from "./storm.ts";
import { Folder } from "../../kit/folder.ts";

Deno.test("20 clients lose and double nothing when the server is killed in a storm, again and again", async () => {
  await using folder = await Folder.make();
  const kills = 10;
  const { faults, typed, lines, interrupted, losses } = await storm({
    folder,
    clients: 20,
    kills,
    signal: "SIGKILL",
  });
  assertEquals(faults, []);
  assert(interrupted > 0, "no line was under way at any kill");
  assert(lines > typed && losses > kills * 5, `${lines} ${typed} ${losses}`);
});

Deno.test("server that is told to stop in a storm tells everybody, leaves a whole log, and loses nothing", async () => {
  await using folder = await Folder.make();
  const { faults, interrupted } = await storm({
    folder,
    clients: 20,
    kills: 3,
    signal: "SIGTERM",
  });
  assertEquals(faults, []);
  assert(interrupted > 0, "no line was under way at any end");
});
