/**
 * Which kind of room a server has: an open room doesn't become a sealed one, nor a sealed one open.
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  toBase64url,
} from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { LineFile } from "../../base/line_file.ts";
import { isThere } from "../../base/private_file.ts";
import { readCard } from "../../crypto/identity.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import { parseName } from "../../protocol/names.ts";
import { parseControl } from "../../sealed/control_line.ts";
import { FOUNDING_ID, Membership } from "../../sealed/membership.ts";
import { controlFile, type Values } from "../flags.ts";
import { anotherRoom } from "../own_commands.ts";
import type { People } from "../people/people.ts";
import { CONTROL_KINDS, ControlFile } from "./control_file.ts";
import { keeperNames, SealedRoom } from "./sealed_room.ts";

/** Looks whether the flags are those of the room that is here. @throws {AdvisedError} if not. */
export async function requireKind(
  values: Values,
): Promise<void> {
  const { sealed, operator, "invite-only": inviteOnly } = values;
  const control = controlFile(values);
  if (sealed && inviteOnly) {
    throw new AdvisedError(
      "--invite-only is for open rooms: in a sealed room everybody needs an invite",
      "Leave it out",
    );
  }
  if (sealed && operator !== undefined) {
    throw new AdvisedError(
      "--operator is for open rooms: a sealed room has keepers, whom its keepers name",
      "Leave it out; a keeper says /keeper NAME",
    );
  }
  if (!sealed && await isThere(control)) {
    throw isSealed(`there is a ${control}`);
  }
}

/** Looks whether a log can be an open room's. @throws {AdvisedError} for one that ends with a sealed room's lines. */
export function requireOpen(log: ChatLog, control: string): void {
  const last = log.recent(log.oldest).findLast(({ what }) =>
    what === "sealed" || what === "ruled"
  );
  if (!last) return;
  throw isSealed(`the log has sealed lines, and ${control} is missing`);
}

function isSealed(why: string): AdvisedError {
  return new AdvisedError(
    `The room here is sealed: ${why}`,
    "Start it with --sealed",
  );
}

/**
 * The sealed room of a file, made if it is missing.
 * @param roomKey The founding link's secret, 32 bytes. @param port A free one, for advice.
 * @param made Is told the path of what was made. @param now As of `SealedRoom.open`.
 * @throws {AdvisedError} beside the log of an open room. @throws {FileError} | {LogError}
 */
export async function openSealed(
  path: string,
  roomKey: Bytes,
  log: ChatLog,
  port: number,
  made: (path: string) => void,
  now?: () => number,
): Promise<SealedRoom> {
  const room = await SealedRoom.open(path, roomKey, log, made, now);
  if (room.isFounded || log.head === 0) return room;
  room[Symbol.dispose]();
  throw new AdvisedError(
    `Cannot seal the room here: the log has the lines of an open room, or ${path} is missing`,
    `Give it files of its own: ${anotherRoom(port, true)}`,
  );
}

/**
 * Has the people agree with the control lines, whatever became of their file: who is a member can come back by its key,
 * and who is barred, and nobody else, is banned.
 * @param history Lines before its coming that somebody may read of whom nothing else is known.
 * @throws {FileError} if that can't be written down.
 */
export function agreePeople(
  people: People,
  room: SealedRoom,
  history: number,
): void {
  const { persons } = people;
  const { members, barred } = room.membership;
  for (const { seq, at, person } of room.lines) {
    const member = members.get(person);
    if (!member || persons.find(member.id)) continue; // the first line of each is the one by which it came
    const { id, card, name } = member;
    const key = toBase64url(readCard(fromBase64url(card)).noiseKey);
    const invite = member.invite ?? FOUNDING_ID;
    const candidate = { id, key, card, invite };
    const from = Math.max(0, seq - 1 - history);
    const enrolled = people.enrol(candidate, from, at);
    const parsed = parseName(name);
    if (typeof parsed === "object") people.claim(enrolled.person, parsed, at);
  }
  for (const person of persons.banned) {
    if (!barred.has(person.id)) people.free(person);
  }
  for (const id of barred) {
    const person = persons.find(id);
    if (person && !persons.isBanned(person)) people.bar(person, people.now());
  }
  people.journal.keep();
}

/** What `--check` says of a sealed room's file. @param isLogged Whether the log has lines. @throws {FileError} */
export async function controlState(
  path: string,
  isLogged: boolean,
): Promise<string> {
  if (!await LineFile.check(path, CONTROL_KINDS)) {
    return isLogged
      ? `${path} is not there: the server would make it from the log, if that is a sealed room's, without the sealed keys\n`
      : `${path} is not there yet; the server would make it\n`;
  }
  const keepers = await keepersIn(path);
  const state = keepers === undefined
    ? "the room is not founded yet"
    : `the room's keepers: ${keepers}`;
  return `${path} can be used; ${state}\n`;
}

/**
 * The names of the keepers of the sealed room in a file, for people; undefined where there is no such file, or the room
 * isn't founded.
 * @throws {FileError} for a file that can't be used.
 */
export async function keepersIn(path: string): Promise<string | undefined> {
  if (!await isThere(path)) return undefined;
  const membership = membershipIn(path);
  return membership.room ? keeperNames(membership) : undefined;
}

/** What the control lines in a file come to, whose signatures are taken as checked. @throws {FileError} */
export function membershipIn(path: string): Membership {
  using file = ControlFile.open(path, () => {});
  let membership = Membership.NONE;
  for (const it of file.load(false).kept) {
    const line = it.kind === "ruled" ? parseControl(it.entry.text) : undefined;
    if (it.kind !== "ruled" || !line) continue;
    const next = membership.after(line, it.entry);
    if (typeof next !== "string") membership = next;
  }
  return membership;
}
