/**
 * What a web page needs of the program runs in a browser as it is: crypto_utils.ts, `src/crypto/`, `src/protocol/`,
 * `src/sealed/`, bundled for one, and the page itself.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { Folder } from "../kit/folder.ts";
import { runToEnd } from "../kit/command.ts";

const root = new URL("../../", import.meta.url);

/** The modules of a folder, as paths from the root. */
async function modulesIn(folder: string): Promise<string[]> {
  const modules: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
    if (isFile && name.endsWith(".ts")) modules.push(folder + name);
  }
  return modules;
}

/** A bundle for a browser of all that these modules export, not minified. */
async function bundle(modules: readonly string[]): Promise<string> {
  await using folder = await Folder.make();
  const lines = modules.map((path, index) =>
    `export * as m${index} from ${JSON.stringify(new URL(path, root).href)};`
  );
  const entry = await folder.write("entry.ts", `${lines.join("\n")}\n`);
  const output = `${folder.path}/bundle.js`;
  const config = new URL("deno.json", root).pathname;
  const { code, stderr } = await runToEnd([
    ...[Deno.execPath(), "bundle", "--quiet", "--config", config],
    ...["--platform", "browser", "--output", output, entry],
  ], { cwd: root });
  assertEquals(code, 0, stderr);
  return await Deno.readTextFile(output);
}

/** What no browser has. */
function foreign(source: string): string[] {
  return Array.from(
    source.matchAll(/\bnode:\w+|\bDeno\.\w+|\bprocess\.\w+/g),
    ([found]) => found,
  );
}

Deno.test("crypto, protocol and sealed rooms are bundled for a browser, and use nothing of Deno's or Node's", async () => {
  const source = await bundle([
    "crypto_utils.ts",
    ...await modulesIn("src/crypto/"),
    ...await modulesIn("src/protocol/"),
    ...await modulesIn("src/sealed/"),
  ]);
  for (const name of ["encryptMessage", "createHandshake"]) {
    assert(source.includes(name), name);
  }
  assertEquals(foreign(source), []);
});

Deno.test("the page, as it is built, uses nothing of Deno's or Node's", async () => {
  const page = await Deno.readTextFile(new URL("dist/chat.html", root));
  assert(page.includes("deno task"), "what stands in the place of Deno's");
  assertEquals(foreign(page), []);
});

Deno.test("a module that is bound to Deno is noticed in its bundle", async () => {
  const modules = ["src/client/terminal/tty.ts", "src/base/paths.ts"];
  const found = foreign(await bundle(modules));
  assert(found.includes("node:path") && found.includes("Deno.stdin"));
});
