/**
 * What a server needs before it can run: a port, a log, keys, a place for its figures. Each failure comes with
 * what to do about it. Knows nothing of what they are for.
 *
 * @module
 */

import { type Bytes, passphraseKey } from "../../crypto_utils.ts";
import { ChatLog } from "../log/chat_log.ts";
import { diagnostics } from "./diagnostics.ts";
import { UsageError } from "../base/flags.ts";
import {
  type Address,
  parseAddress,
  PASSPHRASE_ID,
  ROOM_INVITE_ID,
} from "../keys/invite.ts";
import type { KeyFile } from "../keys/key_file.ts";
import { checkLog, type LogState } from "../log/check.ts";
import { passphraseFrom } from "../keys/passphrase.ts";
import { serverCommand } from "../base/program.ts";
import type { Values } from "./flags.ts";
import { LogLockedError } from "../log/lock.ts";

/** The unit of `--log-size`, bytes. */
const MEGABYTE = 1_000_000;

const logger = diagnostics("server");

/** Something that keeps the server from running: what it is, and what to do. */
export class StartError extends Error {
  /** "StartError". */
  override readonly name = "StartError";
  /** Says what it is. @param advice What to do. */
  constructor(message: string, readonly advice: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** The port for clients. @throws {StartError} where it can't be had. */
export function listen({ host: hostname, port }: Values): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    const other = (port: number) => `${serverCommand()} --port ${port}`;
    throw listenError({ host: hostname, port }, "--host", other, error);
  }
}

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

/** Why nobody can listen there, for the address of `--metrics`. */
export function metricsError(address: Address, error: unknown): StartError {
  const other = (port: number) => `--metrics ${address.host}:${port}`;
  return listenError(address, "--metrics", other, error);
}

/**
 * Why nobody can listen there.
 * @param flag What names the address. @param other How to name another port.
 */
function listenError(
  { host, port }: Address,
  flag: string,
  other: (port: number) => string,
  cause: unknown,
): StartError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new StartError(
      `Port ${port} is in use`,
      `Stop what uses it, or choose another: ${other(port + 1)}`,
      cause,
    );
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new StartError(
      `Port ${port} may not be used by you`,
      `Choose one above 1023: ${other(5000)}`,
      cause,
    );
  }
  return new StartError(
    `Cannot listen on ${JSON.stringify(host)}`,
    `Give ${flag} an address of this machine, like 0.0.0.0 or 127.0.0.1`,
    cause,
  );
}

/**
 * The log, open and locked.
 * @param address Where the server listens. @throws {StartError} | {LogError}
 */
export function openLog(values: Values, address: string): Promise<ChatLog> {
  const { log: path, fsync } = values;
  const opening = ChatLog.open(path, {
    address,
    fsync,
    maxSize: values["log-size"] * MEGABYTE,
    onNotice: (notice) => logger.warn("{notice}", { notice }),
  });
  return opening.catch((error) => explainLock(path, error));
}

/** What there is of the log, untouched. @throws as `openLog`. */
export function lookAtLog({ log: path }: Values): Promise<LogState> {
  return checkLog(path).catch((error) => explainLock(path, error));
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

/** The key that each invite stands for. @throws {RangeError} | {FileError} for a passphrase that can't be had. */
export async function inviteKeys(
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
