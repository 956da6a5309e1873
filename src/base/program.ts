/**
 * What both programs are, rather than do: their version, how they are called, what they say of a wrong command.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { sentence } from "./sentence.ts";

/** The version of both programs. */
export const VERSION: string = config.version;

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
  return Deno.build.standalone || Deno.env.get("INIT_CWD") === undefined;
}

/** What was wrong with a command, and where to look, in one line. */
export function usageSentence(text: string): string {
  const said = sentence(text);
  return /[.?!…]$/.test(said) ? `${said} See --help.` : `${said} (See --help.)`;
}
