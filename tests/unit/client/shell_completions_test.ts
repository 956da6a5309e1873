/**
 * Tests of the completion scripts: in the shells that are installed, else by their text.
 *
 * @module
 */

import {
  completionScript,
  SHELLS,
} from "../../../src/client/shell_completions.ts";
import type { Flag } from "../../../src/base/flags.ts";
import { assertEquals, assertStringIncludes } from "../../kit/assert.ts";
import { hasTmux, Terminal } from "../../kit/pty.ts";
import { Folder } from "../../kit/folder.ts";
import { runToEnd, succeeds } from "../../kit/command.ts";

const FLAGS: readonly Flag[] = [
  { name: "name", kind: "string", value: "NAME", help: "It's the [name]" },
  { name: "log", kind: "path", value: "FILE", help: "Write here" },
  {
    name: "level",
    kind: "string",
    value: "LEVEL",
    choices: ["info", "off"],
    help: "Tell this",
  },
  { name: "json", kind: "boolean", help: "JSON" },
];

/** Whether a shell is installed. */
async function has(shell: string): Promise<boolean> {
  return await succeeds("sh", "-c", `command -v ${shell}`);
}

/** What a shell writes for a script of its own. */
async function run(shell: string, args: string[], script: string) {
  const { stdout, stderr } = await runToEnd([shell, ...args], {
    input: script,
  });
  return { out: stdout, errors: stderr };
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
      [["--"], "--name --log --level --json"],
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

const hasFish = await has("fish");
Deno.test({
  name: `fish completes flags, choices and files${
    hasFish ? "" : " (ignored: no fish here)"
  }`,
  ignore: !hasFish,
  async fn() {
    await using folder = await Folder.make();
    const file = await folder.write("file", "");
    const cases: [string, string[]][] = [
      ["--n", ["--name\tIt's the [name]"]],
      ["--level ", ["info\tTell this", "off\tTell this"]],
      ["--level o", ["off\tTell this"]],
      [`--log ${folder.path}/f`, [file]],
      ["--name ", []],
    ];
    const script = completionScript("fish", "chat-client", FLAGS);
    for (const [typed, expected] of cases) {
      const line = `chat-client ${typed}`;
      const asked = `${script}complete -C '${line}'\n`;
      const { out, errors } = await run("fish", ["--no-config"], asked);
      assertEquals(errors, "");
      assertEquals(out.split("\n").slice(0, -1), expected, typed);
    }
  },
});

// Only with a terminal does zsh complete anything.
const hasZsh = hasTmux && await has("zsh");
Deno.test({
  name: `zsh completes flags, choices and files${
    hasZsh ? "" : " (ignored: no zsh, or no tmux)"
  }`,
  ignore: !hasZsh,
  async fn() {
    await using terminal = await Terminal.open(80);
    const { folder } = terminal;
    await folder.write("file", "");
    const script = completionScript("zsh", "chat-client", FLAGS);
    await folder.write("script", script);
    await terminal.line("PS1='%% ' exec zsh -f");
    await terminal.ends("%");
    await terminal.line(
      "clear; autoload -U compinit; compinit -u -D; source ./script",
    );
    await terminal.ends("%");
    const cases = [
      ["--na", "--name="],
      ["--level o", "--level off"],
      ["--log fi", "--log file"],
      ["--js", "--json"],
    ];
    for (const [typed, completed] of cases) {
      await terminal.type(`chat-client ${typed}`);
      await terminal.key("Tab");
      await terminal.ends(`% chat-client ${completed}`);
      await terminal.key("C-u");
      await terminal.ends("%");
    }
  },
});

Deno.test("completionScript() keeps quotes and brackets of the help harmless", () => {
  const zsh = completionScript("zsh", "chat-client", FLAGS);
  assertStringIncludes(zsh, String.raw`'--name=[It'\''s the \[name\]]:NAME:'`);
  const fish = completionScript("fish", "chat-client", FLAGS);
  assertStringIncludes(fish, String.raw`-l name -x -d 'It\'s the [name]'`);
});
