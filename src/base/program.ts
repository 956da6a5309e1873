/**
 * What both programs are, rather than do: their version, how they are called, what they say of a wrong command.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { sentence } from "./sentence.ts";

/** The version of both programs. */
export const VERSION: string = config.version;

/** Defined in the npm package, where `tools/pack.ts` does it and has commands read as there, and nowhere else. */
declare const IS_PACKED: boolean;

/** Whether something else than `deno task` runs the program: it is a single executable, or the npm package's. */
export function isInstalled(): boolean {
  return typeof IS_PACKED === "boolean" || Deno.build.standalone;
}

/** How people start the server, as they would type it. */
export function serverCommand(): string {
  return Deno.build.standalone ? "./chat-server" : "deno task server";
}

/** How people make invites, as they would type it. */
export function inviteCommand(): string {
  return Deno.build.standalone ? "./chat-server invite" : "deno task invite";
}

/** How people look into a log, as they would type it. */
export function logCommand(): string {
  return Deno.build.standalone ? "./chat-server log" : "deno task log";
}

/** How people start the client, as they would type it. */
export function clientCommand(): string {
  return Deno.build.standalone ? "./chat-client" : "deno task client";
}

/**
 * Whether Ctrl-Z may stop the program: `deno task` doesn't stop with what it runs, so that the terminal would
 * be left without anybody who reads it.
 */
export function mayStop(): boolean {
  return isInstalled() || Deno.env.get("INIT_CWD") === undefined;
}

/** What was wrong with a command, and where to look, in one line. */
export function usageSentence(text: string): string {
  const said = sentence(text);
  return /[.?!…]$/.test(said) ? `${said} See --help.` : `${said} (See --help.)`;
}
