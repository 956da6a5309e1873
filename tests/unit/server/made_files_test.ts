/**
 * The files that a start has made, and that are gone again if it fails.
 *
 * @module
 */

import { MadeFiles } from "../../../src/server/made_files.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";

Deno.test("MadeFiles removes what a start has made that fails, but for what somebody else has added to or removed", async () => {
  await using folder = await Folder.make();
  const paths = new Map<string, string>();
  for (const name of ["mine", "changed", "added", "gone", "other"]) {
    paths.set(name, await folder.write(name, name));
  }
  const path = (name: string) => paths.get(name) ?? "";
  {
    using made = new MadeFiles();
    for (const name of ["gone", "added", "changed", "mine"]) {
      made.add(path(name));
    }
    await folder.write("changed", "by its maker");
    made.add(path("changed"));
    await folder.write("added", "by somebody else");
    await Deno.remove(path("gone"));
  }
  assertEquals((await folder.names()).sort(), ["added", "other"]);
});

Deno.test("MadeFiles leaves what a start has made that succeeds, and goes on to take what is made later", async () => {
  await using folder = await Folder.make();
  {
    using made = new MadeFiles();
    made.add(await folder.write("kept", "x"));
    made.keep();
    made.add(await folder.write("later", "x"));
  }
  assertEquals(await folder.names(), ["kept"]);
});
