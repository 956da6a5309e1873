/**
 * Which kind of room a server has: an open room doesn't become a sealed one, nor a sealed one open.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { isThere } from "../../base/private_file.ts";
import { serverCommand } from "../../base/program.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import { parseControl } from "../../sealed/control_line.ts";
import { Membership } from "../../sealed/membership.ts";
import type { Values } from "../flags.ts";
import { ControlFile } from "./control_file.ts";
import { keeperNames, SealedRoom } from "./sealed_room.ts";

/** Looks whether the flags are those of the room that is here. @throws {AdvisedError} if not. */
export async function requireKind(
  { sealed, control }: Pick<Values, "sealed" | "control">,
): Promise<void> {
  if (sealed || !await isThere(control)) return;
  throw new AdvisedError(
    `The room here is sealed: there is a ${control}`,
    `Start it with ${serverCommand()} --sealed`,
  );
}

/**
 * The sealed room of a file, made if it is missing.
 * @param roomKey The founding link's secret, 32 bytes. @param made Is told the path of what was made.
 * @throws {AdvisedError} beside the log of an open room. @throws {FileError} | {LogError}
 */
export async function openSealed(
  path: string,
  roomKey: Bytes,
  log: ChatLog,
  made: (path: string) => void,
): Promise<SealedRoom> {
  const room = await SealedRoom.open(path, roomKey, log, made);
  if (room.isFounded || log.head === 0) return room;
  room[Symbol.dispose]();
  throw new AdvisedError(
    `Cannot seal the room here: the log has the lines of an open room, or ${path} is missing`,
    "Start a sealed room in a folder of its own",
  );
}

/**
 * The names of the keepers of the sealed room in a file, for people; undefined where there is no such file, or the room
 * isn't founded.
 * @throws {FileError} for a file that can't be used.
 */
export async function keepersIn(path: string): Promise<string | undefined> {
  if (!await isThere(path)) return undefined;
  using file = ControlFile.open(path, () => {});
  let membership = Membership.NONE;
  for (const it of file.load(false)) {
    const line = it.kind === "ruled" ? parseControl(it.entry.text) : undefined;
    if (it.kind !== "ruled" || !line) continue;
    const next = membership.after(line, it.entry);
    if (typeof next !== "string") membership = next;
  }
  if (membership.room === undefined) return undefined;
  return keeperNames(membership);
}
