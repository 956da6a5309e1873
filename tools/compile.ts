/**
 * Makes the two single executables: `deno compile` for each program, with the permissions of its task.
 *
 * @module
 */

import type { FlagValues } from "../src/base/flags.ts";
import { print } from "../src/base/output.ts";
import { taskRun } from "./run_flags.ts";
import { runTool } from "./run_tool.ts";

/** The systems that Deno can make executables for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

const FLAGS = [
  {
    name: "target",
    kind: "string",
    value: "TARGET",
    choices: TARGETS,
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

/** The programs that become executables. */
const PROGRAMS = ["server", "client"] as const;

/** What the server needs beside the modules that it imports: the page, and the module of its workers. */
const INCLUDED = [
  "dist/chat.html",
  "dist/chat.html.br",
  "src/server/handshakes/worker.ts",
].map((file) => new URL(`../${file}`, import.meta.url).pathname);

/** How `deno compile` is run for one of them. @param target Default: this system. */
function compiler(
  task: (typeof PROGRAMS)[number],
  folder: string,
  target: string | undefined,
  options: Deno.CommandOptions,
): Deno.Command {
  const { flags, file } = taskRun(task);
  const included = task === "server" ? INCLUDED : [];
  return new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      ...flags,
      ...(target === undefined ? [] : ["--target", target]),
      ...included.flatMap((file) => ["--include", file]),
      "--output",
      `${folder}/chat-${task}`,
      new URL(`../${file}`, import.meta.url).pathname,
    ],
    ...options,
  });
}

/** Makes both in a folder, for a system. @throws {Error} with what Deno says where it can't, as without its runtime. */
export async function compileBoth(
  folder: string,
  target: string,
): Promise<void> {
  for (const task of PROGRAMS) {
    const options = { env: { NO_COLOR: "1" } };
    const { success, stderr } = await compiler(task, folder, target, options)
      .output();
    if (!success) throw new Error(reasonIn(new TextDecoder().decode(stderr)));
  }
}

/**
 * Why Deno failed, of what it wrote: what it was doing comes first, then, below "Caused by:", what was in the way, each
 * line with the reason for the one above it. The second says enough: what couldn't be fetched, and why.
 */
function reasonIn(text: string): string {
  const [said = "", causes = ""] = text.split("\nCaused by:\n");
  const lines = causes.split("\n\n", 1).join("").split("\n");
  const reason = lines[1] ?? (lines[0] || said);
  return reason.trim().replace(/^(\d+|error): /, "").split("\n", 1).join("");
}

async function main(
  { output, target }: FlagValues<typeof FLAGS>,
): Promise<number> {
  const suffix = (target ?? Deno.build.os).includes("windows") ? ".exe" : "";
  for (const task of PROGRAMS) {
    const { code } = await compiler(task, output, target, {}).spawn().status;
    if (code !== 0) return code; // Deno has said itself what went wrong
    print(`Made ${output}/chat-${task}${suffix}\n`);
  }
  return 0;
}

const TOOL = { task: "compile", about: ABOUT, flags: FLAGS };
if (import.meta.main) Deno.exit(await runTool(TOOL, main));
