/**
 * The file of known servers: what it keeps, what it refuses.
 *
 * @module
 */

import { FileError } from "../../../src/base/private_file.ts";
import { KnownServers } from "../../../src/keys/known_servers.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";

const ONES = new Uint8Array(32).fill(1);
const TWOS = new Uint8Array(32).fill(2);
const ONES_TEXT = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const TWOS_TEXT = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

async function withFile(test: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/known_servers`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("KnownServers knows nobody where there is no file", () =>
  withFile(async (path) => {
    const known = await KnownServers.load(path);
    assertEquals(known.lookup("a", 1), undefined);
  }));

Deno.test("KnownServers finds what was added, now and later", () =>
  withFile(async (path) => {
    const known = await KnownServers.load(path);
    await known.add("Chat.Example", 5000, ONES);
    await known.add("::1", 5000, TWOS);
    for (const servers of [known, await KnownServers.load(path)]) {
      assertEquals(servers.lookup("chat.example", 5000), ONES);
      assertEquals(servers.lookup("CHAT.example", 5000), ONES);
      assertEquals(servers.lookup("::1", 5000), TWOS);
      assertEquals(servers.lookup("chat.example", 5001), undefined);
    }
    assertEquals(
      await Deno.readTextFile(path),
      `chat.example:5000 ${ONES_TEXT}\n[::1]:5000 ${TWOS_TEXT}\n`,
    );
    if (Deno.build.os !== "windows") {
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
  }));

Deno.test("KnownServers.add() keeps other lines, comments and what came meanwhile", () =>
  withFile(async (path) => {
    const text = `# mine\r\n\r\n  a:1   ${ONES_TEXT}  `;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    const one = await KnownServers.load(path);
    const other = await KnownServers.load(path);
    assertEquals(one.lookup("a", 1), ONES);
    await other.add("b", 2, TWOS);
    await one.add("c", 3, ONES);
    assertEquals(
      await Deno.readTextFile(path),
      `${text}\nb:2 ${TWOS_TEXT}\nc:3 ${ONES_TEXT}\n`,
    );
  }));

Deno.test("KnownServers.add() never changes a key", () =>
  withFile(async (path) => {
    const known = await KnownServers.load(path);
    await known.add("a", 1, ONES);
    await known.add("a", 1, ONES);
    const error = await assertRejects(
      () => known.add("A", 1, TWOS),
      RangeError,
    );
    assertEquals(
      error.message,
      'Cannot note the key of "a:1": another is known for it',
    );
    assertEquals(known.lookup("a", 1), ONES);
    assertEquals(await Deno.readTextFile(path), `a:1 ${ONES_TEXT}\n`);
    await assertRejects(
      () => known.add("b", 2, new Uint8Array(31)),
      RangeError,
      "Cannot note a key of 31 bytes",
    );
  }));

Deno.test("KnownServers names the line that is malformed", () =>
  withFile(async (path) => {
    const malformed = "is not HOST:PORT and a key";
    const cases = [
      ["a:1", malformed],
      [`a ${ONES_TEXT}`, malformed],
      [`a:0 ${ONES_TEXT}`, malformed],
      [`::1:5000 ${ONES_TEXT}`, malformed],
      [`a:1 ${ONES_TEXT} x`, malformed],
      [`a:1 ${ONES_TEXT.slice(1)}`, malformed],
      [`a:1 ${ONES_TEXT}AA`, malformed],
      [`a:1 ${ONES_TEXT.replace("E", "!")}`, malformed],
      [`OK:5000 ${TWOS_TEXT}`, "names a server for the second time"],
    ] as const;
    for (const [line, wrong] of cases) {
      const text = `# mine\n\nok:5000 ${ONES_TEXT}\n${line}\n`;
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      const error = await assertRejects(
        () => KnownServers.load(path),
        FileError,
      );
      assertEquals(error.message, `Cannot use "${path}": line 4 ${wrong}`);
    }
  }));
