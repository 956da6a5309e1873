/**
 * What keeps a server from starting, each with what to do about it.
 *
 * @module
 */

import { targetOf } from "../base/file_target.ts";
import { UsageError } from "../base/flags.ts";
import { FileError } from "../base/private_file.ts";
import { complain, OutputError } from "../base/output.ts";
import { sentence, serverCommand, usageSentence } from "../base/program.ts";
import type { Address } from "../keys/invite.ts";
import { LogError } from "../log/file.ts";
import { LogLockedError, requireUnlocked } from "../log/lock.ts";

/** Something that keeps the server from running: what it is, and what to do. */
export class StartError extends Error {
  /** "StartError". */
  override readonly name = "StartError";
  /** Says what it is. @param advice What to do. */
  constructor(message: string, readonly advice: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** Why nobody can listen there, for the server's own port. @param log Its log, which names a server that runs already. */
export async function portError(
  address: Address,
  log: string,
  cause: unknown,
): Promise<StartError> {
  const { port } = address;
  const other = (port: number) => `${serverCommand()} --port ${port}`;
  const own = cause instanceof Deno.errors.AddrInUse && await holderOf(log);
  if (!own || !own.address?.endsWith(`:${port}`)) {
    return listenError(address, "--host", other, cause);
  }
  const whose = /[/\\]/.test(log)
    ? `the server that writes to ${log}`
    : "this folder's own server";
  const process = own.pid === undefined ? "" : ` (process ${own.pid})`;
  return new StartError(
    `Port ${port} is in use by ${whose}${process}`,
    "It serves already; to start it anew, stop that one first",
    cause,
  );
}

/** The server that uses a log, undefined if none does, or that can't be told. */
async function holderOf(log: string): Promise<LogLockedError | undefined> {
  try {
    await requireUnlocked(targetOf(log));
  } catch (error) {
    if (error instanceof LogLockedError) return error;
  }
  return undefined; // whatever else is wrong with the log is told when it is opened
}

/** Why nobody can listen there, for the address of `--metrics`. */
export function metricsError(address: Address, cause: unknown): StartError {
  const other = (port: number) => `--metrics ${address.host}:${port}`;
  return listenError(address, "--metrics", other, cause);
}

/** @param flag What names the address. @param other How to name another port. */
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

/** Says what to do about a log that another server uses. @throws {StartError}, or the error itself if it is another. */
export function explainLock(path: string, error: unknown): never {
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

/** Says on stderr why the server can't start or go on. @returns The exit code. */
export function explain(error: unknown): number {
  complain(`${sentences(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function sentences(error: unknown): string {
  if (error instanceof UsageError) return usageSentence(error.message);
  if (error instanceof StartError) {
    return `${sentence(error.message)}\n${sentence(error.advice)}`;
  }
  if (
    error instanceof FileError || error instanceof LogError ||
    error instanceof OutputError || error instanceof RangeError
  ) return sentence(error.message);
  return sentence(`The server has a fault and cannot go on: ${String(error)}`);
}
