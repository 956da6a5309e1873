/**
 * The room as the port for programs sees it.
 *
 * @module
 */

import type { LogEntry } from "../../protocol/line.ts";
import type { ConnectionOptions } from "../connection.ts";

/** Entries from memory that are told at a time. */
const AT_ONCE = 64;

/** The room, and how to read what was said in it. */
export class HttpRoom {
  /** A room that these lead to, as they lead connections there. */
  constructor(readonly options: ConnectionOptions) {}

  /**
   * The entries with `after` < seq <= `upTo`, oldest first, in pieces: from memory, if all are there.
   * @throws {LogError} if a file can't be read.
   */
  async *lines(
    after: number,
    upTo: number,
  ): AsyncGenerator<readonly LogEntry[]> {
    const { history } = this.options;
    const recent = history.recent(after, upTo);
    if (!recent) return yield* history.past(after, upTo);
    for (let at = 0; at < recent.length; at += AT_ONCE) {
      yield recent.slice(at, at + AT_ONCE);
    }
  }
}
