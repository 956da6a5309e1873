/**
 * What every newcomer is told first: the server's limits, and the message of the day.
 *
 * @module
 */

import { readText } from "../base/private_file.ts";
import type { Event } from "../protocol/events.ts";
import { MAX_TEXT_SIZE } from "../protocol/reasons.ts";

/**
 * The first events for every newcomer.
 * @param fileSize The largest file that is passed on, bytes. @param motd The file with the message of the day.
 * @throws {FileError} for a message of the day that can't be used.
 */
export async function greeting(
  fileSize: number,
  motd?: string,
): Promise<Event[]> {
  const limits: Event = { kind: "limits", fileSize };
  if (motd === undefined) return [limits];
  const text = await readText(motd, MAX_TEXT_SIZE);
  return [limits, { kind: "motd", text: text.trimEnd() }];
}
