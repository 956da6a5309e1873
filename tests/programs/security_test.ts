/**
 * What SECURITY.md says is shown by tests: that there are such tests.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { assert, assertEquals } from "../kit/assert.ts";
import { filesBelow } from "../kit/folder.ts";

const folder = new URL("../", import.meta.url);

/** What a test's name has at least that isn't worked out, characters. */
const LEAST = 20;

/** Every text in a test's source that can be a name; where it has parts that are worked out, they can be any. */
function namesIn(source: string): RegExp[] {
  const texts = source.matchAll(/"((?:[^"\\\n]|\\.)+)"|`([^`\\\n]+)`/g);
  return Array.from(texts, ([, plain, template]) => {
    const parts = plain === undefined ? template?.split(/\$\{.*?\}/) : [plain];
    return parts ?? [];
  })
    .filter((parts) => parts.join("").length >= LEAST)
    .map((parts) => new RegExp(`^${parts.map(RegExp.escape).join(".+")}$`));
}

/** What stands in a document behind "Shown by:", each in backticks. */
function shownBy(document: string): string[] {
  const text = document.replace(/\s+/g, " ");
  const lists = text.matchAll(/Shown by: ((?:`[^`]+`(?:; )?)+)/g);
  return Array.from(lists).flatMap(([, list = ""]) =>
    Array.from(list.matchAll(/`([^`]+)`/g), ([, name = ""]) => name)
  );
}

async function exists(name: string, names: readonly RegExp[]) {
  const [, task] = /^deno task (\w+)$/.exec(name) ?? [];
  if (task) return task in config.tasks;
  if (!name.endsWith(".ts")) return names.some((it) => it.test(name));
  return (await Deno.stat(new URL(name, folder))).isFile;
}

Deno.test("SECURITY.md names tests that there are", async () => {
  const names: RegExp[] = [];
  for await (const url of filesBelow(folder)) {
    if (!url.pathname.endsWith("_test.ts")) continue;
    if (url.href === import.meta.url) continue;
    names.push(...namesIn(await Deno.readTextFile(url)));
  }
  const url = new URL("../SECURITY.md", folder);
  const said = shownBy(await Deno.readTextFile(url));
  assert(said.length > 60);
  const missing: string[] = [];
  for (const name of said) {
    if (!await exists(name, names)) missing.push(name);
  }
  assertEquals(missing, []);
});
