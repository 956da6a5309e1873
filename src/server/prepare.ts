/**
 * What flags name that must be there, the message of the day and an operator: looked at before anything is made or
 * opened, so that a mistake in one shows first, whatever else is in the way.
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import {
  fileError,
  isThere,
  requireWritableFolder,
} from "../base/private_file.ts";
import type { Event } from "../protocol/events.ts";
import { positionFile } from "./cluster/position.ts";
import { requireWeb, type Values } from "./flags.ts";
import { greeting } from "./greeting.ts";
import { limitsOf } from "./limits.ts";
import { requireKind } from "./sealed/open_sealed.ts";
import { findPerson, People, shownPerson } from "./people/people.ts";

/**
 * Looks at what flags name. @returns What every newcomer is told first.
 * @throws {FileError} | {RangeError} | {AdvisedError} for a message of the day or an operator that can't be.
 */
export async function prepare(values: Values): Promise<Event[]> {
  const { people: path, operator, motd } = values;
  requireWeb(values);
  await requireKind(values);
  await requireNats(values);
  const limits = limitsOf(values);
  await requireArchive(values);
  const events = await greeting(limits.maxFileSize, motd);
  if (operator === undefined) return events;
  if (!await isThere(path)) throw unknownPerson(operator);
  using people = People.open(path, { mend: false });
  if (!findPerson(people, operator)) throw unknownPerson(operator);
  return events;
}

/** Looks whether the room here is one that servers share. @throws {AdvisedError} if it is, and there is no --nats. */
async function requireNats({ nats, log }: Values): Promise<void> {
  const path = positionFile(log);
  if (nats !== undefined || !await isThere(path)) return;
  throw new AdvisedError(
    `The room here is shared with other servers: there is a ${path}`,
    "Start it with --nats; or, for a server that goes on alone, remove that file first",
  );
}

/** Looks whether old logs can be copied where they shall. @throws {FileError} if not. */
async function requireArchive({ archive }: Values): Promise<void> {
  if (archive === undefined) return;
  try {
    await requireWritableFolder(`${archive}/chat.log`);
  } catch (cause) {
    throw fileError("write to the folder", archive, cause);
  }
}

/** Makes the person of an id an operator. @returns What its owner is told. @throws {AdvisedError} for nobody's id. */
export function makeOperator(people: People, id: string): string {
  const person = findPerson(people, id);
  if (!person) throw unknownPerson(id);
  people.setOperator(person, true);
  people.journal.keep();
  return `${shownPerson(people, person)} is an operator`;
}

function unknownPerson(id: string): AdvisedError {
  return new AdvisedError(
    `Nobody of the id "${id}" has been in the room`,
    "/who in a client shows the ids",
  );
}
