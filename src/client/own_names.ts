/**
 * What the person at this machine is called, and was called before `/nick`: who comes by a name of before is told the
 * present one, as nobody else is.
 *
 * @module
 */

import { CHOOSE_NAME, JoinError } from "./join_error.ts";
import { clientCommand } from "../base/program.ts";
import { quote } from "../base/safe_text.ts";
import type { OwnNames } from "../keys/identity.ts";
import { foldedName } from "../protocol/names.ts";
import { HandshakeRefusal } from "../protocol/reasons.ts";
import { RefusedError } from "../protocol/record_reader.ts";

/** Somebody who had another name before. */
export interface Renamed {
  /** The name of before. */
  readonly old: string;
  /** The present one. */
  readonly now: string;
}

/**
 * Who went by a name before, and is called otherwise now; undefined where that is nobody.
 * @param all What this machine's identities are called, the latest first.
 */
export function renamedFrom(
  old: string,
  all: readonly OwnNames[],
): Renamed | undefined {
  const folded = foldedName(old);
  const isOld = (name: string) => foldedName(name) === folded;
  const now = all.find(({ earlier }) => earlier.some(isOld))?.name;
  return now === undefined || all.some(({ name }) => isOld(name))
    ? undefined
    : { old, now };
}

/** That a name is another by now: `On this machine "ana" goes by "anna" now`. */
export function renamedSentence({ old, now }: Renamed): string {
  return `On this machine ${quote(old)} goes by ${quote(now)} now`;
}

/**
 * What to say of an error by which a client couldn't join under a name that it had before: the command that comes in.
 * @param renamed Undefined where the name is none of before.
 * @param place Where the room is, HOST:PORT, if the client was in it before; else undefined. @returns The error, where it isn't about the name.
 */
export function withPresentName(
  error: unknown,
  renamed: Renamed | undefined,
  place: string | undefined,
): unknown {
  const isAbout = error instanceof JoinError && isAboutName(error);
  if (!renamed || !isAbout) return error;
  const flag = `--name ${renamed.now}`;
  const command = place === undefined
    ? flag
    : `${clientCommand()} ${place} ${flag}`;
  const advice = `${renamedSentence(renamed)}: ${command}`;
  return new JoinError(error.message, advice, error);
}

/** Whether the room takes nobody by the name, or doesn't know who comes by it. */
function isAboutName({ advice, cause }: JoinError): boolean {
  return advice === CHOOSE_NAME ||
    cause instanceof RefusedError && cause.code === HandshakeRefusal.key;
}
