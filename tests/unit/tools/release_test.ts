/**
 * What is released: an archive for each system, and their digests.
 *
 * @module
 */

import config from "../../../deno.json" with { type: "json" };
import { TARGETS } from "../../../tools/compile.ts";
import { type Compile, release } from "../../../tools/release.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { run, succeeds } from "../../kit/command.ts";
import { Folder } from "../../kit/folder.ts";
import { testUnless } from "../../kit/system.ts";

const obstacle = await succeeds("tar", "--version") &&
    await succeeds("sha256sum", "--version")
  ? undefined
  : "no tar, or no sha256sum";

/** In place of the compiler: Deno's site has no runtime for Apple's systems. */
const compile: Compile = async (folder, target) => {
  if (target.includes("apple")) throw new Error("error sending request");
  await Deno.writeTextFile(`${folder}/chat-server`, `server ${target}`);
  await Deno.writeTextFile(`${folder}/chat-client`, `client ${target}`);
};

testUnless(
  obstacle,
  "release() makes an archive with both programs for each system that can be had, their digests, and says which can't",
  async () => {
    await using folder = await Folder.make();
    await folder.write("encrypted-chat-0.0.1-vax.tar.gz", "");
    await folder.write("notes", "somebody else's");
    const made: string[] = [];
    const missing = await release(
      folder.path,
      compile,
      (path) => made.push(path),
    );
    const reason = "error sending request";
    const [apple, others] = [true, false].map((is) =>
      TARGETS.filter((it) => it.includes("apple") === is)
    );
    assertEquals(missing, apple?.map((target) => ({ target, reason })));
    const names = others?.map((it) => `encrypted-chat-${config.version}-${it}`)
      .sort() ?? [];
    const archives = names.map((it) => `${it}.tar.gz`);
    assertEquals(made.sort(), archives.map((it) => folder.file(it)));
    assertEquals((await folder.names()).sort(), [
      "SHA256SUMS",
      ...archives,
      "notes",
    ]);

    const check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"];
    const script = `cd "$0" && ${check.join(" ")}`;
    assertEquals(await run("sh", "-c", script, folder.path), "");
    const sums = await Deno.readTextFile(folder.file("SHA256SUMS"));
    assertEquals(sums.trim().split("\n").length, names.length);
    for (const name of names) {
      const archive = folder.file(`${name}.tar.gz`);
      const listed = (await run("tar", "-tzf", archive)).trim().split("\n");
      assertEquals(
        listed.sort(),
        [
          "",
          "CHANGELOG.md",
          "LICENSE",
          "LICENSES-of-others.txt",
          "chat-client",
          "chat-server",
        ].map((it) => `${name}/${it}`),
      );
    }
    await Deno.writeTextFile(folder.file(archives[0] ?? ""), "changed");
    await assertRejects(() => run("sh", "-c", script, folder.path), Error);
  },
);

Deno.test("CHANGELOG.md begins with the version of deno.json", async () => {
  const place = new URL("../../../CHANGELOG.md", import.meta.url);
  const [, version] = /^## (\S+?),? /m.exec(await Deno.readTextFile(place)) ??
    [];
  assertEquals(version, config.version);
});
