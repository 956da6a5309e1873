/**
 * A server from its start to its end: keys, log, listener, room and gate, put together. Knows the parts and
 * none of what they do.
 *
 * @module
 */

import { type Bytes, passphraseKey, toBase64url } from "../crypto_utils.ts";
import { Broadcaster } from "./broadcaster.ts";
import { ChatLog, LogLockedError } from "./chat_log.ts";
import { Courier } from "./courier.ts";
import { diagnostics, startDiagnostics } from "./diagnostics.ts";
import { FileError } from "./files.ts";
import { Gate } from "./gate.ts";
import { greeting, newLink } from "./greeting.ts";
import {
  formatAddress,
  KeyFile,
  parseAddress,
  PASSPHRASE_ID,
  ROOM_INVITE_ID,
} from "./invite.ts";
import { checkLog } from "./log_check.ts";
import { type Measures, UNMEASURED } from "./measures.ts";
import { passphraseFrom } from "./passphrase.ts";
import { mayStop, serverCommand, write } from "./program.ts";
import { reasonOf } from "./reason.ts";
import { Room } from "./room.ts";
import type { Values } from "./server_flags.ts";

/** The unit of the ring's size, bytes. */
const MEBIBYTE = 1_048_576;
/** Connections beyond the members: handshakes, and those who still look for a name. */
const SPARE_CONNECTIONS = 512;
/** Connections from one address where nothing is said: a household, or an office. */
const MAX_PER_ADDRESS = 64;
/** Handshakes from one address in ten minutes where nothing is said: that office after a few restarts. */
const NEW_PER_ADDRESS = 256;
/**
 * How long after an admission the next ones are gathered, so that all are announced at once, ms: at least, and
 * for each member who must be told. To tell one takes about 5 µs, so that a tenth of the time goes into it.
 */
const ADMISSION_PAUSE = 20;
const ADMISSION_PAUSE_PER_MEMBER = 0.05;
const MEGABYTE = 1_000_000;
/** How often the key file is looked at for a new room key, ms. */
const KEY_WATCH_PERIOD = 1_000;

/** Something that keeps the server from running: what it is, and what to do. */
export class StartError extends Error {
  /** "StartError". */
  override readonly name = "StartError";
  /** Says what it is. @param advice What to do. */
  constructor(message: string, readonly advice: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** Aborts at the first SIGINT or SIGTERM. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  return stopping.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve());
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

const logger = diagnostics("server");

async function openLog(values: Values, address: string): Promise<ChatLog> {
  const { log: path, fsync } = values;
  const opening = ChatLog.open(path, {
    address,
    fsync,
    maxSize: values["log-size"] * MEGABYTE,
    onNotice: (notice) => logger.warn("{notice}", { notice }),
  });
  return await opening.catch((error) => explainLock(path, error));
}

/** Says what to do about a log that another server uses. */
function explainLock(path: string, error: unknown): never {
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

/** Takes over a new room key from the key file, and tells the members, for when they come back. */
function watchKey(
  values: Values,
  keys: Map<number, Bytes>,
  gate: Gate,
): ReturnType<typeof setInterval> {
  let looking = false;
  let trouble: string | undefined; // said once, not every second
  const look = async () => {
    const path = values["key-file"];
    const fresh = (await KeyFile.load(path))?.keys.roomKey;
    if (!fresh) throw new FileError(`Cannot read "${path}": it is gone`);
    trouble = undefined;
    const old = keys.get(ROOM_INVITE_ID);
    if (!old || toBase64url(fresh) === toBase64url(old)) return;
    keys.set(ROOM_INVITE_ID, fresh);
    gate.tellAll({ kind: "rekeyed", key: toBase64url(fresh) });
    logger.info("The room has a new key; {file} has it", { file: path });
  };
  return setInterval(async () => {
    if (looking) return;
    looking = true;
    try {
      await look();
    } catch (error) {
      const why = reasonOf(error);
      const going = "The server goes on with the keys that it has";
      if (why !== trouble) logger.warn("{why}. {going}", { why, going });
      trouble = why;
    }
    looking = false;
  }, KEY_WATCH_PERIOD);
}

/** Reopens the log at SIGHUP, so that whoever rotates logs can move it away. */
function reopenAtHangup(log: ChatLog): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGHUP", () => {
    log.reopen().catch((error) => {
      const why = reasonOf(error);
      logger.error("{why}", { why });
    });
  });
}

/** Answers Ctrl-Z where it would do no more than have the whole room wait. */
function answerStop(): void {
  if (Deno.build.os === "windows" || mayStop()) return;
  let answered = false; // the task passes the signal on, so that it comes twice
  Deno.addSignalListener("SIGTSTP", () => {
    if (answered) return;
    answered = true;
    logger.warn(
      "Ctrl-Z cannot stop a server that deno task runs, only a compiled one",
    );
  });
}

/** Serves figures where that is asked for. Loaded then only: most servers don't need it. */
async function metricsFor(
  { metrics: where }: Values,
): Promise<{
  readonly measures: Measures;
  readonly serve: (
    room: Room,
    gate: Gate,
    lag: () => number,
    signal: AbortSignal,
  ) => Promise<void>;
}> {
  if (where === undefined) {
    return {
      measures: UNMEASURED,
      serve: (_room, _gate, _lag, signal) => aborted(signal),
    };
  }
  const { Metrics } = await import("./metrics.ts");
  const metrics = new Metrics();
  return {
    measures: metrics,
    serve(room, gate, ringLag, signal) {
      metrics.show({
        members: () => room.size,
        connections: () => gate.connections,
        handshakes: () => gate.handshakes,
        ringLag,
        sentBytes: () => gate.sentBytes,
        lastEvent: () => room.head,
      });
      return metrics.serve(parseAddress(where), () => room.healthy, signal);
    },
  };
}

/**
 * Runs a server until a signal stops it.
 * @throws {StartError} | {FileError} | {LogError} | {RangeError} for what keeps it from starting.
 */
export async function serve(values: Values): Promise<void> {
  const signal = stopSignal(); // first of all: without it, running out of descriptors ends the runtime
  await startDiagnostics(values["log-level"], values["log-format"]);
  const { keyFile, created } = await KeyFile.loadOrCreate(values["key-file"]);
  const keys = await inviteKeys(values, keyFile);
  using listener = listen(values);
  const { hostname, port } = listener.addr;
  await using log = await openLog(values, formatAddress(hostname, port));
  for (const notice of log.notices) logger.warn("{notice}", { notice });
  await keyFile.setListening(hostname, port);

  const { keyPair, passphraseSalt: salt } = keyFile.keys;
  const broadcaster = await Broadcaster.create(
    keyPair.publicKey,
    values["ring-size"] * MEBIBYTE,
  );
  const { measures, serve: serveMetrics } = await metricsFor(values);
  const { history, "max-clients": maxMembers } = values;
  const maxFileSize = values["max-file"] * MEBIBYTE;
  const maxTransfers = values["max-transfers"];
  const courier = new Courier({ maxFileSize, maxTransfers });
  const room = new Room({
    log,
    broadcaster,
    history,
    maxMembers,
    admissionPause: (members) =>
      Math.max(ADMISSION_PAUSE, members * ADMISSION_PAUSE_PER_MEMBER),
    expecting: (): boolean => gate.handshakes > 0,
    greeting: [{ kind: "limits", fileSize: maxFileSize }],
    measures,
  });
  const maxConnections = values["max-connections"] ??
    maxMembers + SPARE_CONNECTIONS;
  const gate = new Gate(listener, {
    handshake: { keyPair, salt, inviteKey: (id) => keys.get(id) },
    room,
    broadcastLog: broadcaster.log,
    courier,
    maxConnections,
    maxPerNetwork: values["max-per-address"] ?? MAX_PER_ADDRESS,
    maxFromLoopback: values["max-per-address"] ?? maxConnections,
    handshakes: {
      max: values["max-handshakes"],
      maxPerNetwork: values["max-handshakes-per-address"],
      newPerNetwork: values["new-per-address"] ?? NEW_PER_ADDRESS,
      countLoopback: values["new-per-address"] !== undefined,
      failedPerNetwork: values["failed-per-address"],
    },
    handshakeTime: values["handshake-time"] * 1_000,
    rates: {
      burst: values.burst,
      perSecond: values.rate,
      bytesPerMessage: values["bytes-per-message"],
    },
    measures,
  });
  const running = room.run();
  const open = gate.run();
  const metrics = serveMetrics(room, gate, () => broadcaster.log.lag, signal);
  const watching = watchKey(values, keys, gate);
  reopenAtHangup(log);
  answerStop();
  write(`${greeting(values, keyFile, created)}\n`);

  await Promise.race([aborted(signal), running, open, metrics]);
  clearInterval(watching);
  gate.stop();
  await open;
  room.stop();
  await running;
}

/** Sees whether a server could start: keys, port and log. Changes nothing. @throws as `serve`. */
export async function check(values: Values): Promise<void> {
  const keyFile = await KeyFile.load(values["key-file"]);
  write(
    keyFile
      ? `${values["key-file"]} can be used\n`
      : `${values["key-file"]} is not there yet; the server would make it\n`,
  );
  using listener = listen(values);
  const { hostname, port } = listener.addr;
  write(`${formatAddress(hostname, port)} is free\n`);
  const { log: path } = values;
  const { exists, last, broken } = await checkLog(path)
    .catch((error) => explainLock(path, error));
  const end = last === 0 ? "it is empty" : `it ends with event ${last}`;
  if (!exists) write(`${path} is not there yet; the server would make it\n`);
  else write(`${path} can be written; ${end}\n`);
  if (broken > 0) {
    write(
      `Its last line broke off after ${broken} bytes; the server would mend that\n`,
    );
  }
}

/** Makes a new room key and prints the link that holds it. @throws {StartError} | {FileError} */
export async function rotateKey(values: Values): Promise<void> {
  const keyFile = await KeyFile.load(values["key-file"]);
  if (!keyFile) {
    throw new StartError(
      `There is no ${values["key-file"]} to change`,
      `Start a server, which makes it: ${serverCommand()}`,
    );
  }
  await keyFile.rotate();
  write(newLink(keyFile));
}
