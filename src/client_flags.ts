/**
 * The client's flags, and what its help says.
 *
 * @module
 */

import { SHELLS } from "./completions.ts";
import type { FlagValues } from "./flags.ts";

/** The client's flags. */
export const FLAGS = [
  {
    name: "name",
    kind: "string",
    value: "NAME",
    help: "Go by this name; asked for where it is not given",
  },
  {
    name: "passphrase",
    kind: "optional",
    value: "FILE",
    help:
      "Join by a passphrase instead of an invite: asked for, or the first line of FILE (- for standard input)",
  },
  {
    name: "host",
    kind: "string",
    value: "HOST",
    help: "With --passphrase: the server's address (default 127.0.0.1)",
  },
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    min: 1,
    max: 65_535,
    help: "With --passphrase: the server's port (default 5000)",
  },
  {
    name: "identity",
    kind: "string",
    value: "FILE",
    help:
      "Keep the key that members know you by in this file (default: identity in your configuration folder)",
  },
  {
    name: "known-servers",
    kind: "string",
    value: "FILE",
    help:
      "Keep the keys of servers joined by passphrase in this file (default: known_servers beside the identity)",
  },
  {
    name: "json",
    kind: "boolean",
    help: "Print one event a line, as JSON, for programs",
  },
  {
    name: "no-color",
    kind: "boolean",
    help: "Use no colours; setting NO_COLOR does the same",
  },
  {
    name: "completions",
    kind: "string",
    value: "SHELL",
    choices: SHELLS,
    help: "Print a script that completes these flags in your shell",
  },
  { name: "help", kind: "boolean", help: "Show this" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

/** The flags' values. */
export type Values = FlagValues<typeof FLAGS>;

/** What the client is, for its help. */
export const ABOUT: string = [
  "An encrypted group chat: the client. An INVITE is the link that the server prints; on the server's own machine, in its folder, none is needed.",
  "On a pipe, every line of standard input is a message, the first one the name where --name is not given.",
  "What you set with /set and what you typed is kept in your configuration folder: ~/.config/encrypted-chat, files settings and history.",
].join("\n");
