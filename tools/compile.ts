/**
 * Makes the two single executables: `deno compile` for each program, with the permissions of its task.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { parseFlags } from "../src/base/flags.ts";
import { UsageError } from "../src/base/usage_error.ts";
import { helpText } from "../src/base/help.ts";
import { complain, print } from "../src/base/output.ts";
import { usageSentence } from "../src/base/program.ts";

const FLAGS = [
  {
    name: "target",
    kind: "string",
    value: "TARGET",
    choices: [
      "x86_64-unknown-linux-gnu",
      "aarch64-unknown-linux-gnu",
      "x86_64-apple-darwin",
      "aarch64-apple-darwin",
      "x86_64-pc-windows-msvc",
    ],
    help: "Make them for this system instead of the one at hand",
  },
  {
    name: "output",
    kind: "string",
    value: "FOLDER",
    default: "dist",
    help: "Put them there",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

const ABOUT = "Makes chat-server and chat-client, which run without Deno.";

/** The flags with which a task runs its program: quiet, and with its permissions. */
function runFlags(task: "server" | "client"): string[] {
  const [, , ...words] = config.tasks[task].command.split(" "); // deno run
  return words.filter((word) => word.startsWith("-"));
}

/** What the server needs beside the modules that it imports: the page, and the module of its workers. */
const INCLUDED = [
  "dist/chat.html",
  "dist/chat.html.br",
  "src/server/handshakes/worker.ts",
].map((file) => new URL(`../${file}`, import.meta.url).pathname);

/** Makes one of them, and says so. @returns Deno's exit code; it has said itself what went wrong. */
async function compile(
  task: "server" | "client",
  folder: string,
  target: string | undefined,
): Promise<number> {
  const program = new URL(`../${task}.ts`, import.meta.url).pathname;
  const included = task === "server" ? INCLUDED : [];
  const path = `${folder}/chat-${task}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      ...runFlags(task),
      ...(target === undefined ? [] : ["--target", target]),
      ...included.flatMap((file) => ["--include", file]),
      "--output",
      path,
      program,
    ],
  }).spawn();
  const { code } = await child.status;
  const suffix = (target ?? Deno.build.os).includes("windows") ? ".exe" : "";
  if (code === 0) print(`Made ${path}${suffix}\n`);
  return code;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseFlags(args, FLAGS, { positionals: 0 });
    if (values.help) {
      print(helpText("deno task compile [FLAGS]", ABOUT, FLAGS));
      return 0;
    }
    const { output, target } = values;
    return await compile("server", output, target) ||
      await compile("client", output, target);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${usageSentence(error.message)}\n`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
