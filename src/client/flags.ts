/**
 * The client's flags: which there are, which go together, and what those print that only ask for something.
 *
 * @module
 */

import { completionScript, SHELLS } from "./shell_completions.ts";
import type { FlagValues } from "../base/flags.ts";
import { UsageError } from "../base/usage_error.ts";
import { helpText } from "../base/help.ts";
import { clientCommand, inviteCommand, VERSION } from "../base/program.ts";

/** The client's flags. */
export const FLAGS = [
  {
    name: "name",
    kind: "string",
    value: "NAME",
    help: "Your name (default: asked for)",
  },
  {
    name: "link",
    kind: "path",
    value: "FILE",
    help: "Read the link from FILE's first line (-: standard input)",
  },
  {
    name: "identity",
    kind: "path",
    value: "FILE",
    help: "Who you are (default: chosen by your name)",
  },
  {
    name: "export",
    kind: "boolean",
    help: "Print --name's identity, sealed under a passphrase",
  },
  {
    name: "import",
    kind: "boolean",
    help: "Take over an identity that was printed elsewhere",
  },
  {
    name: "found",
    kind: "boolean",
    help: "Create a sealed room without being asked",
  },
  {
    name: "proxy",
    kind: "string",
    value: "URL",
    help: "SOCKS5 proxy: socks5://HOST:PORT (default: ALL_PROXY)",
  },
  {
    name: "downloads",
    kind: "path",
    value: "FOLDER",
    default: "chat-files",
    help: "Folder for downloaded files",
  },
  {
    name: "history",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 100_000,
    help: "Earlier lines shown on joining (on a pipe none)",
  },
  { name: "no-history", kind: "boolean", help: "The same as --history 0" },
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
  "An encrypted group chat. A LINK is what the server prints; in its folder none is needed. " +
  "On a pipe, lines are messages, the first one the name without --name.",
  "Identity, /set and what you typed are kept in ~/.config/encrypted-chat.",
].join("\n");

/** What --help, --version or --completions print; undefined if none of them is given. */
export function information(values: Values): string | undefined {
  if (values.help) {
    return helpText(
      `${clientCommand()} [LINK | HOST:PORT [CODE]] [FLAGS]`,
      ABOUT,
      FLAGS,
    );
  }
  if (values.version) return `encrypted-chat ${VERSION}\n`;
  const shell = SHELLS.find((known) => known === values.completions);
  return shell && completionScript(shell, "chat-client", FLAGS);
}

/**
 * How many earlier lines are shown on joining.
 * @param isInteractive Whether a person reads them: a program is told what happens from then on.
 * @throws {UsageError} if the flags contradict each other.
 */
export function shownHistory(values: Values, isInteractive: boolean): number {
  const { history, "no-history": none } = values;
  if (none && history !== undefined) {
    throw new UsageError("Give --history or --no-history, not both");
  }
  return none ? 0 : history ?? (isInteractive ? Infinity : 0);
}

/** Flags of earlier versions, and what took their place. */
export const GONE: Readonly<Record<string, string>> = {
  "passphrase":
    `a spoken code lets somebody in without a link: ${inviteCommand()} --code`,
  "host": "give the server's link, or HOST:PORT and a spoken code",
  "port": "give the server's link, or HOST:PORT and a spoken code",
  "known-servers": "a link, or a spoken code, proves which server it is",
};
