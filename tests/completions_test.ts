/**
 * Tests of the completion scripts: in the shells that are installed, else by their text.
 *
 * @module
 */

import { completionScript, SHELLS } from "../src/completions.ts";
import type { Flag } from "../src/flags.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";

const FLAGS: readonly Flag[] = [
  { name: "name", kind: "string", value: "NAME", help: "It's the [name]" },
  { name: "log", kind: "string", value: "FILE", help: "Write here" },
  {
    name: "level",
    kind: "string",
    value: "LEVEL",
    choices: ["info", "off"],
    help: "Tell this",
  },
  { name: "passphrase", kind: "optional", value: "FILE", help: "Ask for it" },
  { name: "json", kind: "boolean", help: "JSON" },
];

/** Whether a shell is installed. */
async function has(shell: string): Promise<boolean> {
  const command = new Deno.Command("sh", {
    args: ["-c", `command -v ${shell}`],
  });
  return (await command.output()).success;
}

/** What a shell writes for a script of its own. */
async function run(shell: string, args: string[], script: string) {
  const command = new Deno.Command(shell, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

Deno.test("completionScript() names every flag of the table for each shell", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, "chat-client", FLAGS);
    for (const { name } of FLAGS) {
      assertStringIncludes(
        script,
        shell === "fish" ? `-l ${name}` : `--${name}`,
      );
    }
  }
});

const hasBash = await has("bash");
Deno.test({
  name: `bash completes flags and choices${
    hasBash ? "" : " (ignored: no bash here)"
  }`,
  ignore: !hasBash,
  async fn() {
    const cases: [string[], string][] = [
      [["--n"], "--name"],
      [["--"], "--name --log --level --passphrase --json"],
      [["--level", "o"], "off"],
      [["--level", ""], "info off"],
      [["--name", "--"], ""],
    ];
    for (const [words, expected] of cases) {
      const script = completionScript("bash", "chat-client", FLAGS) +
        `COMP_WORDS=(chat-client ${words.map((w) => `'${w}'`).join(" ")})\n` +
        `COMP_CWORD=${words.length}\n_chat_client\necho "\${COMPREPLY[*]}"\n`;
      const { out, errors } = await run("bash", ["--norc"], script);
      assertEquals(errors, "");
      assertEquals(out.trim(), expected);
    }
  },
});

for (const shell of ["zsh", "fish"] as const) {
  const installed = await has(shell);
  const reason = installed ? "" : ` (ignored: no ${shell} here)`;
  Deno.test({
    name: `${shell} accepts its script${reason}`,
    ignore: !installed,
    async fn() {
      const script = completionScript(shell, "chat-client", FLAGS);
      const { errors } = await run(shell, ["-n"], script);
      assert(errors === "", errors);
    },
  });
}

Deno.test("completionScript() keeps quotes and brackets of the help harmless", () => {
  const zsh = completionScript("zsh", "chat-client", FLAGS);
  assertStringIncludes(zsh, String.raw`'--name=[It'\''s the \[name\]]:NAME:'`);
  const fish = completionScript("fish", "chat-client", FLAGS);
  assertStringIncludes(fish, String.raw`-l name -x -d 'It\'s the [name]'`);
});
