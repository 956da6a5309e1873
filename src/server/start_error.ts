/**
 * What keeps a server from starting, each with what to do about it.
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import { explanation } from "../base/explanation.ts";
import { UsageError } from "../base/usage_error.ts";
import { complain, isUnread } from "../base/output.ts";
import type { Address } from "../keys/invite.ts";
import { LockedError } from "../log/lock.ts";
import type { Values } from "./flags.ts";
import { requireUnheld } from "./held_files.ts";
import { anotherRoom, otherPort } from "./own_commands.ts";

/** Why nobody can listen where a server's own port is to be. */
export async function portError(
  values: Values,
  cause: unknown,
): Promise<AdvisedError> {
  const { host, port, sealed } = values;
  const other = (port: number) => `--port ${port}`;
  const own = cause instanceof Deno.errors.AddrInUse && await holderOf(values);
  if (!own || !own.address?.endsWith(`:${port}`)) {
    return listenError({ host, port }, "--host", other, cause);
  }
  const whose = /[/\\]/.test(own.path)
    ? `the server that uses ${own.path}`
    : "this folder's own server";
  const process = own.pid === undefined ? "" : ` (process ${own.pid})`;
  return new AdvisedError(
    `Port ${port} is in use by ${whose}${process}`,
    `It serves already. To start it anew, stop that one first; for another room: ${
      anotherRoom(otherPort(port), sealed)
    }`,
    cause,
  );
}

/** The server that uses a file of this one's, undefined if none does. */
async function holderOf(values: Values): Promise<LockedError | undefined> {
  try {
    await requireUnheld(values);
  } catch (error) {
    return error as LockedError;
  }
  return undefined;
}

/** Why nobody can listen there, for the address of `--metrics`. */
export function metricsError(address: Address, cause: unknown): AdvisedError {
  const other = (port: number) => `--metrics ${address.host}:${port}`;
  return listenError(address, "--metrics", other, cause);
}

/** Why nobody can listen there, for the port for browsers. */
export function webError(address: Address, cause: unknown): AdvisedError {
  const other = (port: number) => `--web ${address.host}:${port}`;
  return listenError(address, "--web", other, cause);
}

/** Why nobody can listen there, for the port for programs. */
export function httpError(address: Address, cause: unknown): AdvisedError {
  const other = (port: number) => `--http ${address.host}:${port}`;
  return listenError(address, "--http", other, cause);
}

/** @param flag What names the address. @param other How to name another port. */
function listenError(
  { host, port }: Address,
  flag: string,
  other: (port: number) => string,
  cause: unknown,
): AdvisedError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new AdvisedError(
      `Port ${port} is in use`,
      `Stop what uses it, or choose another: ${other(otherPort(port))}`,
      cause,
    );
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new AdvisedError(
      `Port ${port} may not be used by you`,
      `Choose one above 1023: ${other(5000)}`,
      cause,
    );
  }
  return new AdvisedError(
    `Cannot listen on ${JSON.stringify(host)}`,
    `Give ${flag} an address of this machine, like 0.0.0.0 or 127.0.0.1`,
    cause,
  );
}

/** Says what to do about a file that another server uses. @throws {AdvisedError}, or the error itself if it is another. */
export function explainLock(
  { port, sealed }: Values,
  error: unknown,
): never {
  if (!(error instanceof LockedError)) throw error;
  const pid = error.pid === undefined ? "" : ` (process ${error.pid})`;
  throw new AdvisedError(
    `${error.path} is in use by the server on ${
      error.address ?? "another port"
    }${pid}`,
    `Stop that server; or, for another room: ${anotherRoom(port, sealed)}`,
    error,
  );
}

/**
 * Says on stderr why the server can't start or go on, or a command can't be done.
 * @param isLooking Whether the command only shows what is there: then a reader that has enough is no fault.
 * @returns The exit code.
 */
export function explain(error: unknown, isLooking = false): number {
  if (isLooking && isUnread(error)) return 0;
  complain(`${explanation(error, "server")}\n`);
  return error instanceof UsageError ? 2 : 1;
}
