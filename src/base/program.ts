/**
 * What both programs are, rather than do: their version, how they are called, what they say of a wrong command.
 *
 * Whatever tells people to type a command asks here, so that it is one that works as this program was started:
 *
 *     from a copy of the repository    deno task client     ./chat-client            a single executable, from its folder
 *     by npx                           npx encrypted-chat client     /opt/chat-client       from another folder
 *     installed globally by npm        encrypted-chat client         chat-server            the other executable there
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { sentence } from "./sentence.ts";
import { shellWord } from "./shell_word.ts";

/** The version of both programs. */
export const VERSION: string = config.version;

/** Defined in the npm package, where `tools/pack.ts` does it, and nowhere else. */
declare const IS_PACKED: boolean;

function isPacked(): boolean {
  return typeof IS_PACKED === "boolean" && IS_PACKED;
}

/** Whether something else than `deno task` runs the program: it is a single executable, or the npm package's. */
export function isInstalled(): boolean {
  return isPacked() || Deno.build.standalone;
}

/** The word by which the npm package's command is called. @param npm What npm does, as its `npm_command` says. */
export function packageCommand(npm: string | undefined): string {
  return npm === "exec" ? "npx encrypted-chat" : "encrypted-chat";
}

/** Where a single executable is, and from where it is run. */
export interface Executable {
  /** Its path. */
  readonly path: string;
  /** The working folder. */
  readonly cwd: string;
  /** Which it is. */
  readonly program: "server" | "client";
}

/** How people start a single executable, as they would type it. @param of The one that asks. */
export function executableCommand(
  wanted: Executable["program"],
  { path, cwd, program }: Executable,
): string {
  const [, folder = "", slash = "", own] = /^(.*)([/\\])(.*)$/.exec(path) ?? [];
  const isHere = folder === cwd;
  const name = wanted === program ? own : `chat-${wanted}`;
  if (isHere) return `.${slash}${name}`;
  return wanted === program ? shellWord(path) : `chat-${wanted}`;
}

function command(program: Executable["program"], verb = ""): string {
  if (isPacked()) {
    const packed = packageCommand(Deno.env.get("npm_command"));
    return `${packed} ${verb || program}`;
  }
  if (!Deno.build.standalone) return `deno task ${verb || program}`;
  const executable = executableCommand(program, {
    path: Deno.execPath(),
    cwd: Deno.cwd(),
    program: Deno.mainModule.endsWith("/client.ts") ? "client" : "server",
  });
  return `${executable} ${verb}`.trimEnd();
}

/** How people start the server, as they would type it. */
export function serverCommand(): string {
  return command("server");
}

/** How people make invites, as they would type it. */
export function inviteCommand(): string {
  return command("server", "invite");
}

/** How people look into a log, as they would type it. */
export function logCommand(): string {
  return command("server", "log");
}

/** How people start the client, as they would type it. */
export function clientCommand(): string {
  return command("client");
}

/**
 * Whether Ctrl-Z may stop the program: `deno task` doesn't stop with what it runs, so that the terminal would
 * be left without anybody who reads it.
 */
export function mayStop(): boolean {
  return isInstalled() || Deno.env.get("INIT_CWD") === undefined;
}

/** What Ctrl-Z is answered where it may not stop a program. */
export function notStopped(program: Executable["program"]): string {
  return `Ctrl-Z cannot stop a ${program} that deno task runs; it can where the program is installed, by npm or as an executable`;
}

/** What was wrong with a command, and where to look: in a line of its own behind a command, which is to be copied. */
export function usageSentence(text: string): string {
  const said = sentence(text);
  return `${said}${/[.?!…]$/.test(said) ? " " : "\n"}See --help.`;
}
