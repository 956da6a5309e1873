/**
 * The room as the port for programs sees it.
 *
 * @module
 */

import type { LogEntry } from "../../protocol/line.ts";
import type { ConnectionOptions } from "../connection.ts";

/** Entries that are told at a time: as text they are some 24 KiB each at most. */
const AT_ONCE = 64;

/** The room, and how to read what was said in it. */
export class HttpRoom {
  /** A room that these lead to, as they lead connections there. */
  constructor(readonly options: ConnectionOptions) {}

  /**
   * The entries with `after` < seq <= `upTo`, oldest first, in pieces of 1 to 64: from memory, if all are there.
   * @throws {LogError} if a file can't be read.
   */
  async *lines(
    after: number,
    upTo: number,
  ): AsyncGenerator<readonly LogEntry[]> {
    const { history } = this.options;
    const recent = history.recent(after, upTo);
    for await (const some of recent ? [recent] : history.past(after, upTo)) {
      for (let at = 0; at < some.length; at += AT_ONCE) {
        yield some.slice(at, at + AT_ONCE);
      }
    }
  }
}
