/**
 * Tests of `src/server/diagnostics.ts`, by what a program of the test's own writes on standard error.
 *
 * @module
 */

import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { runToEnd } from "../../kit/command.ts";

const MODULE =
  new URL("../../../src/server/diagnostics.ts", import.meta.url).href;
const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** What a program that says something writes, without the times. */
async function written(level: string, statements: string): Promise<string[]> {
  await using folder = await Folder.make();
  const file = await folder.write(
    "program.ts",
    `import { diagnostics, startDiagnostics, stopDiagnostics } from "${MODULE}";
    await startDiagnostics("${level}");
    const gate = diagnostics("gate");
    const room = diagnostics("room");
    ${statements}
    await stopDiagnostics();`,
  );
  const words = ["run", "--no-prompt", "--quiet", "--config", CONFIG, file];
  const { code, stderr } = await runToEnd([Deno.execPath(), ...words]);
  assertEquals(code, 0, stderr);
  return stderr.trimEnd().split("\n").map((line) => line.slice(25));
}

Deno.test("diagnostics write ten records of a kind in a minute, and the number of the others", async () => {
  const lines = await written(
    "info",
    `for (let at = 0; at < 1_000; at++) {
      gate.warn("{address}: {why}", { address: at, why: "bad" });
    }
    gate.warn("All places are taken");
    room.error("{why}", { why: "no space" });`,
  );
  assertEquals(lines, [
    ...Array.from({ length: 10 }, (_, at) => `warning gate: ${at}: bad`),
    "warning gate: All places are taken",
    "error room: no space",
    "warning diagnostics: And 990 more like it from gate",
  ]);
});

Deno.test("diagnostics write every record for whoever looks for a fault", async () => {
  const lines = await written(
    "debug",
    `for (let at = 0; at < 100; at++) gate.debug("{at}", { at });`,
  );
  assertEquals(
    lines,
    Array.from({ length: 100 }, (_, at) => `debug gate: ${at}`),
  );
});
