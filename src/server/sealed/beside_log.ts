/**
 * How the control lines of `chat.control` stand to those of the log beside it.
 *
 * @module
 */

import { AdvisedError } from "../../base/advised_error.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import type { LogEntry } from "../../protocol/line.ts";
import type { RuledEntry } from "./control_file.ts";

/**
 * The first control line that never came into the log: a crash came before, or the disk was full. Nobody was told of it,
 * nor of those after it.
 * @param logged The number of the last that did.
 */
export async function firstUnlogged(
  ruled: readonly RuledEntry[],
  logged: number,
  log: ChatLog,
): Promise<RuledEntry | undefined> {
  const unmarked = ruled.filter(({ seq }) => seq > logged);
  for (const entry of unmarked) {
    if (entry.seq <= log.start[0]) continue; // deleted with an old file
    if ((await lineOf(log, entry))?.text !== entry.text) return entry;
  }
  return undefined;
}

/** Looks whether a log is the one of control lines that are in it. @throws {AdvisedError} if not. */
export async function requireSame(
  path: string,
  ruled: readonly RuledEntry[],
  log: ChatLog,
): Promise<void> {
  const last = ruled.findLast(({ seq }) => seq <= log.head);
  const line = last && await lineOf(log, last);
  if (!line || line.text === last.text) return;
  throw new AdvisedError(
    `The log does not belong to ${path}: its event ${last.seq} is not the control line that members were told`,
    "Put the right log back. If it is lost, move this one away: the server begins another",
  );
}

/** The line of a log under the number of a control line; undefined where it is lost. */
async function lineOf(
  log: ChatLog,
  { seq }: RuledEntry,
): Promise<LogEntry | undefined> {
  if (seq > log.head) return undefined;
  for await (const [line] of log.past(seq - 1, seq)) return line;
  return undefined;
}
