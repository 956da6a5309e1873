/**
 * The server's flags, and what they come to when nothing is said.
 *
 * @module
 */

import { FORMATS, LEVELS } from "./diagnostics.ts";
import { type FlagValues, UsageError } from "../base/flags.ts";
import { type Address, parseAddress } from "../keys/invite.ts";

/** Where the keys are when nothing is said. */
export const DEFAULT_KEY_FILE = "chat.key";

/** The server's flags. */
export const FLAGS = [
  {
    name: "host",
    kind: "string",
    value: "ADDRESS",
    default: "0.0.0.0",
    help: "Listen on this address",
  },
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    min: 0,
    max: 65_535,
    default: 5000,
    help: "Listen on this port; 0 takes a free one",
  },
  {
    name: "log",
    kind: "string",
    value: "FILE",
    default: "chat.log",
    help: "Write the conversation to this file",
  },
  {
    name: "key-file",
    kind: "string",
    value: "FILE",
    default: DEFAULT_KEY_FILE,
    help: "Keep the room's keys in this file; it is made where there is none",
  },
  {
    name: "passphrase",
    kind: "optional",
    value: "FILE",
    help:
      "Let people join by a passphrase, too: asked for, or the first line of FILE (- for standard input)",
  },
  {
    name: "history",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 100_000,
    default: 50,
    help: "Show newcomers so many past events",
  },
  {
    name: "max-clients",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 100_000,
    default: 10_000,
    help: "Let in so many members at a time",
  },
  {
    name: "fsync",
    kind: "boolean",
    help: "Pass nothing on before the disk has it; slower",
  },
  {
    name: "log-level",
    kind: "string",
    value: "LEVEL",
    choices: LEVELS,
    default: "info",
    help: "Tell at least this on standard error",
  },
  {
    name: "log-format",
    kind: "string",
    value: "FORMAT",
    choices: FORMATS,
    default: "text",
    help: "Write what is told on standard error like this",
  },
  {
    name: "log-size",
    kind: "integer",
    value: "MEGABYTES",
    min: 0,
    max: 1_000_000,
    default: 100,
    help:
      "Begin a new log when it is larger, and keep the old as chat.log.1 to chat.log.9; 0 never does",
  },
  {
    name: "rate",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 1_000_000,
    default: 500,
    help: "Take so many messages a second from a member; 0 takes all",
  },
  {
    name: "burst",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 10_000,
    help: "Take so many at once before --rate counts",
  },
  {
    name: "bytes-per-message",
    kind: "integer",
    value: "COUNT",
    min: 64,
    max: 65_536,
    default: 1_024,
    help: "Let each message of --rate and --burst come to so many bytes",
  },
  {
    name: "max-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    help:
      "Serve so many connections from one address (default 64, and any number from this machine)",
  },
  {
    name: "max-connections",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    help:
      "Serve so many connections in all (default 512 more than --max-clients); others wait",
  },
  {
    name: "max-handshakes",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 512,
    help: "Let so many handshakes be unfinished in all",
  },
  {
    name: "max-handshakes-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 64,
    help: "Let so many handshakes from one address be unfinished",
  },
  {
    name: "handshake-time",
    kind: "integer",
    value: "SECONDS",
    min: 1,
    max: 600,
    default: 10,
    help: "Give a handshake so long",
  },
  {
    name: "new-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    help:
      "Take so many handshakes from one address in ten minutes before pauses begin (default 256, and any number from this machine)",
  },
  {
    name: "failed-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 5,
    help: "The same for those that fail",
  },
  {
    name: "ring-size",
    kind: "integer",
    value: "MEBIBYTES",
    min: 4,
    max: 1_024,
    default: 8,
    help: "Let slow members be so far behind",
  },
  {
    name: "max-file",
    kind: "integer",
    value: "MEBIBYTES",
    min: 0,
    max: 1_048_576,
    default: 16,
    help: "Pass on files up to this size from member to member; 0 for none",
  },
  {
    name: "max-transfers",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 10_000,
    default: 32,
    help: "Pass on so many files at a time; more wait",
  },
  {
    name: "metrics",
    kind: "string",
    value: "HOST:PORT",
    help: "Serve figures for Prometheus there, and /healthz",
  },
  {
    name: "check",
    kind: "boolean",
    help: "See whether a server could start here, and stop; changes nothing",
  },
  {
    name: "rotate-key",
    kind: "boolean",
    help:
      "Make a new room key, print the new link, and stop; a server that runs takes it over, and its members stay",
  },
  { name: "help", kind: "boolean", help: "Show this" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

/** The flags' values. */
export type Values = FlagValues<typeof FLAGS>;

/**
 * Where the figures are served, undefined where nowhere.
 * @throws {UsageError} for what is no address.
 */
export function metricsAddress({ metrics }: Values): Address | undefined {
  if (metrics === undefined) return undefined;
  try {
    return parseAddress(metrics);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `Cannot use --metrics ${
        JSON.stringify(metrics)
      }: it is HOST:PORT, like 127.0.0.1:9464`,
    );
  }
}
