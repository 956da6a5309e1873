/**
 * Passphrases from files, and from the standard input of a real process.
 *
 * @module
 */

import { FileError } from "../../../src/base/private_file.ts";
import { passphraseFrom } from "../../../src/keys/passphrase.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { type Ended, runToEnd } from "../../kit/command.ts";

async function withFile(test: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/words.ts`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SHORT = "Cannot use the passphrase: it has fewer than 8 characters";
const LONG = "Cannot use the passphrase: it has more than 1024 bytes";
const NOT_TEXT = "Cannot use the passphrase: it is not UTF-8";

Deno.test("passphraseFrom() takes the first line of a file without its end", () =>
  withFile(async (path) => {
    const cases = [
      ["eight ch", "eight ch"],
      ["correct horse\n", "correct horse"],
      ["correct horse\r\nbattery\r\n", "correct horse"],
      ["  spaces stay  \n", "  spaces stay  "],
      ["🙂🙂🙂🙂🙂🙂🙂🙂\n", "🙂🙂🙂🙂🙂🙂🙂🙂"],
      ["x".repeat(1_024) + "\n", "x".repeat(1_024)],
    ] as const;
    for (const [text, passphrase] of cases) {
      await Deno.writeTextFile(path, text);
      assertEquals(await passphraseFrom(path), passphrase);
    }
  }));

Deno.test("passphraseFrom() refuses what is no passphrase, and doesn't show it", () =>
  withFile(async (path) => {
    const utf8 = new TextEncoder();
    const cases: [Uint8Array, string][] = [
      [utf8.encode(""), SHORT],
      [utf8.encode("\neight characters\n"), SHORT],
      [utf8.encode("seven c\n"), SHORT],
      [utf8.encode("🙂🙂🙂🙂🙂🙂🙂\n"), SHORT],
      [utf8.encode("x".repeat(1_025)), LONG],
      [new Uint8Array(20).fill(0xff), NOT_TEXT],
    ];
    for (const [bytes, message] of cases) {
      await Deno.writeFile(path, bytes);
      const error = await assertRejects(() => passphraseFrom(path), RangeError);
      assertEquals(error.message, message);
    }
  }));

Deno.test("passphraseFrom() names a file that can't be read", () =>
  withFile(async (path) => {
    const error = await assertRejects(() => passphraseFrom(path), FileError);
    assertEquals(
      error.message,
      `Cannot read "${path}": there is no such file or folder`,
    );
    const folder = path.slice(0, path.lastIndexOf("/"));
    const other = await assertRejects(() => passphraseFrom(folder), FileError);
    assertEquals(other.message, `Cannot read "${folder}": it is a folder`);
  }));

/** Runs a process that reads a passphrase and then the rest of its standard input, and prints both. */
async function runReader(
  path: string,
  source: string,
  input: string,
): Promise<Ended> {
  const subject = import.meta.resolve("../../../src/keys/passphrase.ts");
  await Deno.writeTextFile(
    path,
    `import { passphraseFrom } from ${JSON.stringify(subject)};
const passphrase = await passphraseFrom(${JSON.stringify(source)});
const rest = await new Response(Deno.stdin.readable).text();
const output = new TextEncoder().encode(JSON.stringify({ passphrase, rest }));
await Deno.stdout.write(output);
`,
  );
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const words = ["run", "--quiet", "--no-lock", "--config", config, path];
  return await runToEnd([Deno.execPath(), ...words], { input });
}

Deno.test("passphraseFrom() leaves the rest of standard input to others", () =>
  withFile(async (path) => {
    for (const source of ["-", ""]) {
      const input = "correct horse\nhello\nworld\n";
      const { stdout } = await runReader(path, source, input);
      assertEquals(JSON.parse(stdout), {
        passphrase: "correct horse",
        rest: "hello\nworld\n",
      });
    }
  }));

Deno.test("passphraseFrom() refuses a short line of standard input", () =>
  withFile(async (path) => {
    const { code, stderr: shown } = await runReader(path, "-", "secret\n");
    assertEquals(code, 1);
    assertStringIncludes(shown, SHORT);
    assertEquals(shown.includes("secret"), false);
  }));
