/**
 * Paths as people type and give them.
 *
 * @module
 */

import { givenPath, typedPath } from "../../../src/base/paths.ts";
import { assertEquals } from "../../kit/assert.ts";
import { runToEnd } from "../../kit/command.ts";
import { Folder } from "../../kit/folder.ts";

const isWindows = Deno.build.os === "windows";

Deno.test(
  "typedPath() reads what dragging a file into a terminal types, and what a person does",
  {
    ignore: isWindows,
  },
  () => {
    const table: [string, string][] = [
      ["/a/b.txt", "/a/b.txt"],
      ["/a b", "/a b"],
      ["/a\\ b", "/a b"],
      ["'/a b'", "/a b"],
      ['"/a b"', "/a b"],
      ["'/it'\\''s'", "/it's"],
      [String.raw`"/a\"b\$c\\d\e"`, String.raw`/a"b$c\d\e`],
      ["'/a'\\ b", "/a b"],
      ["it's", "it's"],
      ["'half", "'half"],
      ["'/a' '/b'", "'/a' '/b'"],
      ['"half\\"', '"half\\"'],
      ["\\'quoted\\'", "'quoted'"],
      ["a\\", "a\\"],
      ["file:///a%20b/%C3%A9", "/a b/é"],
      ["FILE://localhost/a", "/a"],
      ["file://elsewhere/a", "file://elsewhere/a"],
      ["file:///a%2Fb", "file:///a%2Fb"],
      ["~/x y", "~/x y"],
      ["", ""],
    ];
    for (const [typed, path] of table) assertEquals(typedPath(typed), path);
  },
);

Deno.test("givenPath() knows where ~ leads, and nothing else of that kind", () => {
  const table: [string, string][] = [
    ["~/x", "/home/ana/x"],
    ["~", "/home/ana"],
    ["~ben/x", "~ben/x"],
    ["a/~/x", "a/~/x"],
    ["/x", "/x"],
  ];
  for (const [path, whole] of table) {
    assertEquals(givenPath(path, "/home/ana"), whole);
  }
  assertEquals(givenPath("~/x"), "~/x");
});

Deno.test("givenPath() counts from where deno task was called, and else from the working folder", async () => {
  await using folder = await Folder.make();
  const module = new URL("../../../src/base/paths.ts", import.meta.url);
  const program = `import { givenPath } from "${module}";
    console.log(givenPath("a/../b.txt"), givenPath("/c"));`;
  const from = async (env: Record<string, string>) => {
    const words = [Deno.execPath(), "eval", program];
    return (await runToEnd(words, { cwd: folder.path, env })).stdout.trim();
  };
  const { path } = folder;
  const cwd = await Deno.realPath(path);
  assertEquals(await from({ INIT_CWD: "/sub" }), "/sub/b.txt /c");
  assertEquals(await from({ INIT_CWD: cwd }), "a/../b.txt /c");
});
