/**
 * The server program: flags in, exit code out.
 *
 *     deno task server [--port PORT] [--passphrase] …
 *
 * Exit codes: 0 stopped by a signal, 1 could not start or go on, 2 wrong usage.
 *
 * @module
 */

import { type Bytes, passphraseKey } from "./crypto_utils.ts";
import { Broadcaster } from "./src/broadcaster.ts";
import { ChatLog, LogError, LogLockedError } from "./src/chat_log.ts";
import {
  diagnostics,
  LEVELS,
  startDiagnostics,
  stopDiagnostics,
} from "./src/diagnostics.ts";
import { FileError } from "./src/files.ts";
import { type FlagValues, helpText, parseFlags } from "./src/flags.ts";
import { UsageError } from "./src/flags.ts";
import { Gate } from "./src/gate.ts";
import {
  formatAddress,
  KeyFile,
  PASSPHRASE_ID,
  ROOM_INVITE_ID,
} from "./src/invite.ts";
import { passphraseFrom } from "./src/passphrase.ts";
import {
  clientCommand,
  sentence,
  serverCommand,
  VERSION,
  write,
} from "./src/program.ts";
import { Room } from "./src/room.ts";

/** Bytes that slow readers may be behind: some 70,000 messages. */
const RING_SIZE = 8 * 1_048_576;
/** Connections beyond the members: handshakes, and those who still look for a name. */
const SPARE_CONNECTIONS = 512;
const DEFAULT_KEY_FILE = "chat.key";

const FLAGS = [
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
  { name: "help", kind: "boolean", help: "Show this" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

type Values = FlagValues<typeof FLAGS>;

/** Something that keeps the server from running: what it is, and what to do. */
class StartError extends Error {
  override readonly name = "StartError";
  constructor(message: string, readonly advice: string, cause?: unknown) {
    super(message, { cause });
  }
}

const ABOUT =
  "An encrypted group chat: the server. Needs no flags; prints what others need to join.";

/** Resolves at the first SIGINT or SIGTERM. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  return promise;
}

function listen({ host: hostname, port }: Values): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) {
      throw new StartError(
        `Port ${port} is in use`,
        `Stop what uses it, or choose another: ${serverCommand()} --port ${
          port + 1
        }`,
        cause,
      );
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new StartError(
        `Port ${port} may not be used by you`,
        `Choose one above 1023: ${serverCommand()} --port 5000`,
        cause,
      );
    }
    throw new StartError(
      `Cannot listen on "${host(hostname)}"`,
      "Give --host an address of this machine, like 0.0.0.0 or 127.0.0.1",
      cause,
    );
  }
}

function host(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}

async function openLog(values: Values, address: string): Promise<ChatLog> {
  const { log: path, fsync } = values;
  try {
    return await ChatLog.open(path, { address, fsync });
  } catch (error) {
    if (!(error instanceof LogLockedError)) throw error;
    const pid = error.pid === undefined ? "" : ` (process ${error.pid})`;
    throw new StartError(
      `${path} is in use by the server on ${
        error.address ?? "another port"
      }${pid}`,
      "Stop that server, or give this one its own: --log other.log",
      error,
    );
  }
}

/** The key that each invite stands for. */
async function inviteKeys(
  { passphrase: source }: Values,
  { keys: { roomKey, passphraseSalt } }: KeyFile,
): Promise<Map<number, Bytes>> {
  const keys = new Map([[ROOM_INVITE_ID, roomKey]]);
  if (source !== undefined) {
    const passphrase = await passphraseFrom(source);
    keys.set(PASSPHRASE_ID, await passphraseKey(passphrase, passphraseSalt));
  }
  return keys;
}

/** An address under which other machines may find this one, undefined where it has none. */
function outsideAddress(): string | undefined {
  const addresses = Deno.networkInterfaces();
  return addresses.find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.") &&
    !address.startsWith("169.254.")
  )?.address;
}

/** What whoever started the server needs to know. */
function greeting(values: Values, keyFile: KeyFile, created: boolean): string {
  const { host, port } = keyFile.keys.listening ?? { host: "", port: 0 };
  const everywhere = host === "0.0.0.0" || host === "::";
  const local = everywhere ? "127.0.0.1" : host;
  const outside = everywhere ? outsideAddress() : host;
  const isDefault = values["key-file"] === DEFAULT_KEY_FILE;
  const here = isDefault ? "" : ` '${keyFile.inviteFor(local, port)}'`;
  const lines = [
    `Listening on ${formatAddress(host, port)}, writing to ${values.log}`,
    "",
    `To join on this machine:   ${clientCommand()}${here}`,
    `To join from elsewhere:    ${clientCommand()} '${
      keyFile.inviteFor(outside ?? local, port)
    }'`,
  ];
  if (values.passphrase !== undefined) {
    const where = `--host ${outside ?? local} --port ${port}`;
    lines.push(
      `To join by passphrase:     ${clientCommand()} ${where} --passphrase`,
    );
  }
  lines.push(
    "",
    "Whoever has that link is in the room: send it as you would a password.",
    "Ctrl-C stops the server.",
  );
  const made = `Made a room key: ${values["key-file"]} (readable by you alone)`;
  return (created ? [made, ...lines] : lines).join("\n");
}

/** Runs a server until a signal stops it. */
async function serve(values: Values): Promise<void> {
  const stopped = stopSignal(); // first of all: without it, running out of descriptors ends the runtime
  await startDiagnostics(values["log-level"]);
  const logger = diagnostics("server");
  const { keyFile, created } = await KeyFile.loadOrCreate(values["key-file"]);
  const keys = await inviteKeys(values, keyFile);
  using listener = listen(values);
  const { hostname, port } = listener.addr;
  await using log = await openLog(values, formatAddress(hostname, port));
  for (const notice of log.notices) logger.warn("{notice}", { notice });
  await keyFile.setListening(hostname, port);

  const { keyPair, passphraseSalt: salt } = keyFile.keys;
  const broadcaster = await Broadcaster.create(keyPair.publicKey, RING_SIZE);
  const room = new Room({
    log,
    broadcaster,
    history: values.history,
    maxMembers: values["max-clients"],
  });
  const gate = new Gate(listener, {
    handshake: { keyPair, salt, inviteKey: (id) => keys.get(id) },
    room,
    broadcastLog: broadcaster.log,
    maxConnections: values["max-clients"] + SPARE_CONNECTIONS,
  });
  const running = room.run();
  const open = gate.run();
  write(`${greeting(values, keyFile, created)}\n`);

  await Promise.race([stopped, running, open]);
  gate.stop();
  await open;
  room.stop();
  await running;
}

/** One sentence on what went wrong, and, where there is one, one on what to do. */
function explain(error: unknown): string {
  if (error instanceof StartError) {
    return `${sentence(error.message)}\n${sentence(error.advice)}`;
  }
  if (
    error instanceof FileError || error instanceof LogError ||
    error instanceof RangeError
  ) return sentence(error.message);
  throw error;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseFlags(args, FLAGS, { positionals: 0 });
    if (values.help) {
      write(helpText(`${serverCommand()} [FLAGS]`, ABOUT, FLAGS));
    } else if (values.version) write(`encrypted-chat ${VERSION}\n`);
    else await serve(values);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      write(`${sentence(error.message)} See --help.\n`, Deno.stderr);
      return 2;
    }
    write(`${explain(error)}\n`, Deno.stderr);
    return 1;
  } finally {
    await stopDiagnostics();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
