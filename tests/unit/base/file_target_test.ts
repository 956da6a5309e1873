/**
 * What a path leads to.
 *
 * @module
 */

import {
  isSameFile,
  requireOrdinary,
  targetOf,
} from "../../../src/base/file_target.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";

const ignore = Deno.build.os === "windows"; // links need rights there

Deno.test({
  name:
    "targetOf() follows the links at a path's end to where they lead, over 40 of them and none that form a loop",
  ignore,
  fn: async () => {
    await using folder = await Folder.make();
    const at = (name: string) => folder.file(name);
    const end = await folder.write("end", "x");
    await Deno.mkdir(at("inner"));
    await Deno.symlink("../end", at("inner/up"));
    await Deno.symlink(at("inner/up"), at("absolute"));
    await Deno.symlink("none", at("dangling"));
    await Deno.symlink("loop", at("loop"));
    assertEquals(targetOf(end), end);
    assertEquals(targetOf(at("none")), at("none"));
    assertEquals(targetOf(at("dangling")), at("none"));
    assertEquals(targetOf(at("absolute")), at("inner/../end"));
    assertThrows(() => targetOf(at("loop")), Error, "its links form a loop");
    for (let count = 1; count <= 41; count++) {
      await Deno.symlink(count === 1 ? "end" : `${count - 1}`, at(`${count}`));
    }
    assertEquals(targetOf(at("40")), end);
    assertThrows(() => targetOf(at("41")), Error, "its links form a loop");
    assertThrows(() => targetOf(at("end/below"))); // what the system says
  },
});

Deno.test({
  name:
    "requireOrdinary() takes a file and nothing, and says what else it is; isSameFile() knows a file by another name",
  ignore,
  fn: async () => {
    await using folder = await Folder.make();
    const end = await folder.write("end", "x");
    requireOrdinary(end);
    requireOrdinary(folder.file("none"));
    const all = [
      [folder.path, "it is a folder"],
      ["/dev/null", "it is a device, not an ordinary file"],
      [`${end}/below`, ""],
    ] as const;
    for (const [path, why] of all) {
      assertThrows(() => requireOrdinary(path), Error, why);
    }
    const other = await folder.write("other", "x");
    await Deno.link(end, folder.file("link"));
    const a = await Deno.stat(end);
    const b = await Deno.stat(folder.file("link"));
    const c = await Deno.stat(other);
    assertEquals([isSameFile(a, b), isSameFile(a, c)], [true, false]);
    assert(!isSameFile(a, { ...a, dev: a.dev + 1 }));
  },
});
