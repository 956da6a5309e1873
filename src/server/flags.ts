/**
 * The server's flags, and what they come to when nothing is said.
 *
 * @module
 */

import { FORMATS, LEVELS } from "./diagnostics.ts";
import type { FlagValues } from "../base/flags.ts";
import { inviteCommand } from "../base/program.ts";
import { UsageError } from "../base/usage_error.ts";
import { type Address, parseAddress } from "../keys/invite.ts";
import { besideLog } from "../log/beside.ts";

/** Where the keys are when nothing is said. */
export const DEFAULT_KEY_FILE = "chat.key";

/** Where members, names and invites are when nothing is said. */
export const DEFAULT_PEOPLE_FILE = "chat.people";

/** Where the conversation is when nothing is said. */
export const DEFAULT_LOG = "chat.log";

/** The server's flags. */
export const FLAGS = [
  {
    name: "host",
    kind: "string",
    value: "ADDRESS",
    default: "0.0.0.0",
    help: "Address to listen on",
  },
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    min: 0,
    max: 65_535,
    default: 5000,
    help: "Port to listen on; 0: any free one",
  },
  {
    name: "address",
    kind: "string",
    value: "HOST:PORT",
    help:
      "Where members find this server, for links (default: this machine's address and --port)",
  },
  {
    name: "web",
    kind: "string",
    value: "PORT",
    help:
      "Port to serve the web page on, and members who use it: PORT or HOST:PORT (default: none)",
  },
  {
    name: "web-cert",
    kind: "path",
    value: "FILE",
    help: "Certificate for --web, PEM: HTTPS instead of HTTP",
  },
  {
    name: "web-key",
    kind: "path",
    value: "FILE",
    help: "Private key of that certificate, PEM",
  },
  {
    name: "web-url",
    kind: "string",
    value: "URL",
    help:
      "What the page's links begin with, where a proxy serves it: https://chat.example.org",
  },
  {
    name: "proxy-protocol",
    kind: "string",
    value: "NETWORKS",
    help:
      "Addresses and networks of proxies that say whom they pass on, by the PROXY protocol, version 2: 127.0.0.2,10.0.0.0/8 (default: none)",
  },
  {
    name: "log",
    kind: "path",
    value: "FILE",
    default: DEFAULT_LOG,
    help: "File for the conversation",
  },
  {
    name: "key-file",
    kind: "path",
    value: "FILE",
    default: DEFAULT_KEY_FILE,
    help: "File for the room's keys, created if it is missing",
  },
  {
    name: "people",
    kind: "path",
    value: "FILE",
    default: DEFAULT_PEOPLE_FILE,
    help: "File for members, names, invites and bans, created if it is missing",
  },
  {
    name: "sealed",
    kind: "boolean",
    help:
      "A room whose words the server can't read: prints the link by which it is founded; implies --fsync",
  },
  {
    name: "control",
    kind: "path",
    value: "FILE",
    help:
      "File for a sealed room's members and sealed keys (default beside the log: chat.control)",
  },
  {
    name: "invite-only",
    kind: "boolean",
    help: "No link for everybody: newcomers need an invite each",
  },
  {
    name: "operator",
    kind: "string",
    value: "ID",
    help: "Make this person an operator for good; /who shows ids",
  },
  {
    name: "motd",
    kind: "path",
    value: "FILE",
    help: "Message of the day: a text that everybody sees on joining",
  },
  {
    name: "history",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 100_000,
    default: 50,
    help: "Past messages shown to newcomers",
  },
  {
    name: "max-clients",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 100_000,
    default: 10_000,
    help: "Maximum number of members",
  },
  {
    name: "fsync",
    kind: "boolean",
    help: "Wait for the disk before passing anything on; slower",
  },
  {
    name: "log-level",
    kind: "string",
    value: "LEVEL",
    choices: LEVELS,
    default: "info",
    help: "Lowest level to log on standard error",
  },
  {
    name: "log-format",
    kind: "string",
    value: "FORMAT",
    choices: FORMATS,
    default: "text",
    help: "Format of the lines on standard error",
  },
  {
    name: "log-size",
    kind: "integer",
    value: "MEGABYTES",
    min: 0,
    max: 1_000_000,
    default: 100,
    help:
      "Size at which a new log begins; the old ones are kept as chat.log.1 to chat.log.9; 0: never",
  },
  {
    name: "keep",
    kind: "string",
    value: "AGE|SIZE",
    help:
      "What is kept of the log: an age like 12h, 30d or 52w, or a size like 500MB or 1GB; older files are deleted (default: nine old files)",
  },
  {
    name: "archive",
    kind: "path",
    value: "FOLDER",
    help: "Folder to copy old logs to before --keep deletes them",
  },
  {
    name: "rate",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 1_000_000,
    default: 500,
    help: "Maximum messages per second and member; 0: no limit",
  },
  {
    name: "burst",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 10_000,
    help: "Messages a member may send at once before --rate applies",
  },
  {
    name: "bytes-per-message",
    kind: "integer",
    value: "COUNT",
    min: 64,
    max: 65_536,
    default: 1_024,
    help: "Bytes allowed for each message of --rate and --burst",
  },
  {
    name: "max-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    help:
      "Maximum connections per address (default 64; no limit from this machine)",
  },
  {
    name: "max-connections",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    help:
      "Maximum connections in all; others wait (default: --max-clients and 512 more)",
  },
  {
    name: "max-handshakes",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 512,
    help: "Maximum unfinished handshakes",
  },
  {
    name: "max-handshakes-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 64,
    help: "Maximum unfinished handshakes per address",
  },
  {
    name: "handshake-time",
    kind: "integer",
    value: "SECONDS",
    min: 1,
    max: 600,
    default: 10,
    help: "Time limit for a handshake",
  },
  {
    name: "new-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    help:
      "Handshakes per address in ten minutes before pauses begin (default 256; no limit from this machine)",
  },
  {
    name: "failed-per-address",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 5,
    help: "Failed handshakes per address in ten minutes before pauses begin",
  },
  {
    name: "ring-size",
    kind: "integer",
    value: "MEBIBYTES",
    min: 4,
    max: 1_024,
    default: 8,
    help: "How far behind a slow member may fall before it is disconnected",
  },
  {
    name: "max-file",
    kind: "integer",
    value: "MEBIBYTES",
    min: 0,
    max: 1_048_576,
    default: 16,
    help: "Maximum size of a file sent between members; 0: no files",
  },
  {
    name: "max-transfers",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 10_000,
    default: 32,
    help: "Maximum files sent between members at a time; more wait",
  },
  {
    name: "nats",
    kind: "string",
    value: "URL",
    help:
      "NATS by which several servers have one room: nats://HOST:PORT, or several with commas between them",
  },
  {
    name: "nats-creds",
    kind: "path",
    value: "FILE",
    help: "Credentials file for NATS, as nsc writes it",
  },
  {
    name: "nats-login",
    kind: "path",
    value: "FILE",
    help: "File with user:password for NATS, or with a token",
  },
  {
    name: "nats-ca",
    kind: "path",
    value: "FILE",
    help:
      "Certificates by which NATS is known, PEM (default: those that the system trusts)",
  },
  {
    name: "nats-cert",
    kind: "path",
    value: "FILE",
    help: "Certificate to show to NATS, PEM",
  },
  {
    name: "nats-key",
    kind: "path",
    value: "FILE",
    help: "Private key of that certificate, PEM",
  },
  {
    name: "nats-replicas",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 5,
    help:
      "Servers of NATS that keep what happens, 1, 3 or 5, where the first server makes the stream (default 1)",
  },
  {
    name: "metrics",
    kind: "string",
    value: "HOST:PORT",
    help: "Address to serve Prometheus metrics and /healthz on",
  },
  {
    name: "http",
    kind: "string",
    value: "PORT",
    help:
      "Port where programs say and read things over HTTP, for this machine alone unless it is HOST:PORT (default: none)",
  },
  {
    name: "http-tokens",
    kind: "path",
    value: "FILE",
    help:
      "File for the tokens of --http, created if it is missing (default beside the log: chat.tokens)",
  },
  {
    name: "check",
    kind: "boolean",
    help: "Check whether a server could start here, and exit; changes nothing",
  },
  {
    name: "link",
    kind: "boolean",
    help:
      "Print the link by which everybody can join, those for browsers below it, and exit",
  },
  {
    name: "rotate-key",
    kind: "boolean",
    help:
      "Make a new link, print it, and exit: the old one lets nobody in any more, and members stay members",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

/** Flags of earlier versions, and what took their place. */
export const GONE: Readonly<Record<string, string>> = {
  passphrase:
    `a spoken code lets somebody in without a link: ${inviteCommand()} --code`,
};

/** The flags' values. */
export type Values = FlagValues<typeof FLAGS>;

/** Where a sealed room's control lines and keys are: beside the log, since one server at a time uses a log. */
export function controlFile({ control, log }: Values): string {
  return control ?? besideLog(log, "control");
}

/** Where the tokens are by which programs speak: one server at a time uses a log. */
export function tokenFile({ "http-tokens": tokens, log }: Values): string {
  return tokens ?? besideLog(log, "tokens");
}

/**
 * Where programs come by HTTP; undefined where they can't.
 * @throws {UsageError} for what is no port, and for tokens without one.
 */
export function httpAddress(values: Values): Address | undefined {
  const { http, "http-tokens": tokens } = values;
  if (http !== undefined) return portAddress("http", http, "127.0.0.1");
  if (tokens === undefined) return undefined;
  throw new UsageError("--http-tokens needs --http, which is missing");
}

/**
 * Where a flag says, `PORT` or `HOST:PORT`.
 * @param host Where a port alone is. @throws {UsageError} for what is neither.
 */
export function portAddress(
  flag: string,
  text: string,
  host: string,
): Address {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) {
    return { host, port: Number(text) };
  }
  const what = "PORT or HOST:PORT, like 8080 or 127.0.0.1:8080";
  return addressOf(flag, text, what);
}

/**
 * Where the figures are served, undefined where nowhere.
 * @throws {UsageError} for what is no address.
 */
export function metricsAddress({ metrics }: Values): Address | undefined {
  return givenAddress("metrics", metrics, "127.0.0.1:9464");
}

/**
 * Where members find this server, as its owner says; undefined where that is not said.
 * @throws {UsageError} for what is no address.
 */
export function ownAddress({ address }: Values): Address | undefined {
  return givenAddress("address", address, "chat.example.org:5000");
}

function givenAddress(
  flag: string,
  text: string | undefined,
  example: string,
): Address | undefined {
  return text === undefined
    ? undefined
    : addressOf(flag, text, `HOST:PORT, like ${example}`);
}

/** @param what What it is, in words. @throws {UsageError} for what is none. */
function addressOf(flag: string, text: string, what: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `Cannot use --${flag} ${JSON.stringify(text)}: it is ${what}`,
    );
  }
}

/** Refuses flags for the web page where it isn't served. @throws {UsageError} */
export function requireWeb(values: Values): void {
  if (values.web !== undefined) return;
  const flags = ["web-cert", "web-key", "web-url"] as const;
  const stray = flags.find((flag) => values[flag] !== undefined);
  if (stray !== undefined) {
    throw new UsageError(`--${stray} needs --web, which is missing`);
  }
}
