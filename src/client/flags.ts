/**
 * The client's flags: which there are, which go together, and what those print that only ask for something.
 *
 * @module
 */

import { completionScript, SHELLS } from "./shell_completions.ts";
import { type FlagValues, UsageError } from "../base/flags.ts";
import { helpText } from "../base/help.ts";
import { clientCommand, VERSION } from "../base/program.ts";

/** The client's flags. */
export const FLAGS = [
  {
    name: "name",
    kind: "string",
    value: "NAME",
    help: "Your name (default: asked for)",
  },
  {
    name: "passphrase",
    kind: "optional",
    value: "FILE",
    help:
      "Join by a passphrase: asked for, or the first line of FILE (-: standard input)",
  },
  {
    name: "host",
    kind: "string",
    value: "HOST",
    help: "Server to join by --passphrase (default 127.0.0.1)",
  },
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    min: 1,
    max: 65_535,
    help: "Its port (default 5000)",
  },
  {
    name: "identity",
    kind: "string",
    value: "FILE",
    help: "File of your key (default: identity, in that folder)",
  },
  {
    name: "known-servers",
    kind: "string",
    value: "FILE",
    help: "File of known servers (default: known_servers, there)",
  },
  {
    name: "downloads",
    kind: "string",
    value: "FOLDER",
    default: "chat-files",
    help: "Folder for downloaded files",
  },
  {
    name: "json",
    kind: "boolean",
    help: "Print each event as a line of JSON, for programs",
  },
  {
    name: "no-color",
    kind: "boolean",
    help: "No colours, as with NO_COLOR set",
  },
  {
    name: "completions",
    kind: "string",
    value: "SHELL",
    choices: SHELLS,
    help: "Print completions for a shell",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

/** The flags' values. */
export type Values = FlagValues<typeof FLAGS>;

/** What the client is, for its help. */
const ABOUT = [
  "An encrypted group chat: the client. An INVITE is the link that the server prints; in the server's own folder none is needed.",
  "On a pipe, every line is a message, the first one the name without --name.",
  "What you /set, and what you typed, is kept in ~/.config/encrypted-chat, in the files settings and history.",
].join("\n");

/** What --help, --version or --completions print; undefined if none of them is given. */
export function information(values: Values): string | undefined {
  if (values.help) {
    return helpText(`${clientCommand()} [INVITE] [FLAGS]`, ABOUT, FLAGS);
  }
  if (values.version) return `encrypted-chat ${VERSION}\n`;
  const shell = SHELLS.find((known) => known === values.completions);
  return shell && completionScript(shell, "chat-client", FLAGS);
}

/** Checks that what is given goes together. @throws {UsageError} if it doesn't. */
export function checkTogether(values: Values, invite?: string): void {
  const { host, port, passphrase } = values;
  if (passphrase === undefined && (host ?? port) !== undefined) {
    throw new UsageError("--host and --port belong to --passphrase");
  }
  if (passphrase !== undefined && invite !== undefined) {
    throw new UsageError("Give an invite or --passphrase, not both");
  }
}
