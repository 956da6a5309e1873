/**
 * A server from its start to its end: keys, log, listener, room and gate, put together. Knows the parts and
 * none of what they do.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../crypto_utils.ts";
import { Broadcaster } from "./broadcaster.ts";
import type { ChatLog } from "../log/chat_log.ts";
import { FileRelay } from "./file_relay.ts";
import { diagnostics, startDiagnostics } from "./diagnostics.ts";
import { Gate } from "./gate.ts";
import { greeting, newLink } from "./join_instructions.ts";
import { formatAddress, ROOM_INVITE_ID } from "../keys/invite.ts";
import { KeyFile } from "../keys/key_file.ts";
import { KeyWatch } from "./key_watch.ts";
import { type Measures, UNMEASURED } from "./measures.ts";
import { mayStop, serverCommand, write } from "../base/program.ts";
import { reasonOf } from "../base/error_reason.ts";
import { Room } from "./room.ts";
import type { Values } from "./flags.ts";
import { Turns } from "../base/limiter.ts";
import {
  inviteKeys,
  listen,
  lookAtLog,
  metricsAddress,
  metricsError,
  openLog,
  StartError,
} from "./starting.ts";

/** The unit of the ring's size, and of files', bytes. */
const MEBIBYTE = 1_048_576;
/** Connections beyond the members: handshakes, and those who still look for a name. */
const SPARE_CONNECTIONS = 512;
/** Connections from one address where nothing is said: a household, or an office. */
const MAX_PER_ADDRESS = 64;
/** Handshakes from one address in ten minutes where nothing is said: that office after a few restarts. */
const NEW_PER_ADDRESS = 256;
/** Handshakes that are worked on at a time, so that hundreds at once don't keep members' messages waiting. */
const HANDSHAKES_AT_ONCE = 4;
/**
 * How long after an admission the next ones are gathered, so that all are announced at once, ms: at least, for
 * each member who must be told, and at most. To tell one takes about 5 µs, so that a twentieth of the time goes
 * into it, and more in a room of over 5,000.
 */
const ADMISSION_PAUSE = 20;
const ADMISSION_PAUSE_PER_MEMBER = 0.1;
const MAX_ADMISSION_PAUSE = 500;

const logger = diagnostics("server");

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

/** Where figures go, and how they are served. */
interface Figures {
  readonly measures: Measures;
  /** Serves them until the signal. @throws {StartError} where nobody can listen there. */
  serve(
    room: Room,
    gate: Gate,
    ringLag: () => number,
    signal: AbortSignal,
  ): Promise<void>;
}

/** The figures, where somebody wants them. Loaded then only: most servers don't need it. */
async function figuresFor(values: Values): Promise<Figures> {
  const address = metricsAddress(values);
  if (!address) {
    return {
      measures: UNMEASURED,
      serve: (_room, _gate, _ringLag, signal) => aborted(signal),
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
      try {
        return metrics.serve(address, () => room.healthy, signal);
      } catch (error) {
        throw metricsError(address, error);
      }
    },
  };
}

/** The largest file that may be offered, bytes. */
function fileSizeOf(values: Values): number {
  return values["max-file"] * MEBIBYTE;
}

/** @param expecting Whether somebody is on the way in. */
function roomFor(
  values: Values,
  log: ChatLog,
  broadcaster: Broadcaster,
  expecting: () => boolean,
  measures: Measures,
): Room {
  return new Room({
    log,
    broadcaster,
    history: values.history,
    maxMembers: values["max-clients"],
    admissionPause: (members) =>
      Math.min(
        Math.max(ADMISSION_PAUSE, members * ADMISSION_PAUSE_PER_MEMBER),
        MAX_ADMISSION_PAUSE,
      ),
    expecting,
    greeting: [{ kind: "limits", fileSize: fileSizeOf(values) }],
    measures,
  });
}

/** The limits of the gate, as the flags have them. */
function limitsFor(values: Values) {
  const maxConnections = values["max-connections"] ??
    values["max-clients"] + SPARE_CONNECTIONS;
  return {
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
  };
}

/**
 * Runs a server until a signal stops it.
 * @throws {StartError} | {UsageError} | {FileError} | {LogError} | {RangeError} for what keeps it from starting.
 */
export async function serve(values: Values): Promise<void> {
  const signal = stopSignal(); // first of all: without it, running out of descriptors ends the runtime
  await startDiagnostics(values["log-level"], values["log-format"]);
  const { measures, serve: serveFigures } = await figuresFor(values);
  const { keyFile, created } = await KeyFile.loadOrCreate(values["key-file"]);
  const keys = await inviteKeys(values, keyFile);
  using listener = listen(values);
  const { hostname, port } = listener.addr;
  await using log = await openLog(values, formatAddress(hostname, port));
  for (const notice of log.notices) logger.warn("{notice}", { notice });

  const { keyPair, passphraseSalt: salt, roomKey } = keyFile.keys;
  const broadcaster = await Broadcaster.create(
    keyPair.publicKey,
    values["ring-size"] * MEBIBYTE,
  );
  const expecting = (): boolean => gate.handshakes > 0;
  const room = roomFor(values, log, broadcaster, expecting, measures);
  const gate: Gate = new Gate(listener, {
    handshake: {
      keyPair,
      salt,
      inviteKey: (id) => keys.get(id),
      turns: new Turns(HANDSHAKES_AT_ONCE),
    },
    room,
    ring: broadcaster.ring,
    relay: new FileRelay({
      maxFileSize: fileSizeOf(values),
      maxTransfers: values["max-transfers"],
    }),
    ...limitsFor(values),
    measures,
  });
  const ringLag = () => broadcaster.ring.lag;
  const figures = serveFigures(room, gate, ringLag, signal);
  await keyFile.setListening(hostname, port);

  const running = room.run();
  const open = gate.run();
  using _watch = new KeyWatch(values["key-file"], roomKey, (fresh: Bytes) => {
    keys.set(ROOM_INVITE_ID, fresh);
    gate.tellAll({ kind: "rekeyed", key: toBase64url(fresh) });
  });
  reopenAtHangup(log);
  answerStop();
  write(`${greeting(values, keyFile, created)}\n`);

  await Promise.race([aborted(signal), running, open, figures]);
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
  checkMetrics(values);
  const { log: path } = values;
  const { exists, last, broken } = await lookAtLog(values);
  const end = last === 0 ? "it is empty" : `it ends with event ${last}`;
  if (!exists) write(`${path} is not there yet; the server would make it\n`);
  else write(`${path} can be written; ${end}\n`);
  if (broken > 0) {
    write(
      `Its last line broke off after ${broken} bytes; the server would mend that\n`,
    );
  }
}

function checkMetrics(values: Values): void {
  const address = metricsAddress(values);
  if (!address) return;
  const { host: hostname, port } = address;
  try {
    Deno.listen({ hostname, port }).close();
  } catch (error) {
    throw metricsError(address, error);
  }
  write(`${formatAddress(hostname, port)} is free\n`);
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
