/**
 * The client's flags, and what its help says.
 *
 * @module
 */

import { SHELLS } from "./shell_completions.ts";
import type { FlagValues } from "../base/flags.ts";

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
      "Join by a passphrase: asked for, or the first line of FILE (- for standard input)",
  },
  {
    name: "host",
    kind: "string",
    value: "HOST",
    help: "With --passphrase: the server (default 127.0.0.1)",
  },
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    min: 1,
    max: 65_535,
    help: "With --passphrase: its port (default 5000)",
  },
  {
    name: "identity",
    kind: "string",
    value: "FILE",
    help: "Your key's file (default: identity, in that folder)",
  },
  {
    name: "known-servers",
    kind: "string",
    value: "FILE",
    help: "Known servers' file (default: known_servers, there)",
  },
  {
    name: "downloads",
    kind: "string",
    value: "FOLDER",
    default: "chat-files",
    help: "Save taken files here",
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
    help: "Print completions for a shell",
  },
  { name: "help", kind: "boolean", help: "Show this" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

/** The flags' values. */
export type Values = FlagValues<typeof FLAGS>;

/** What the client is, for its help. */
export const ABOUT: string = [
  "An encrypted group chat: the client. An INVITE is the link that the server prints; in the server's own folder none is needed.",
  "On a pipe, every line is a message, the first one the name without --name.",
  "What you /set, and what you typed, is kept in ~/.config/encrypted-chat, in the files settings and history.",
].join("\n");
