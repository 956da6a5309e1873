/**
 * The room as the port for programs sees it.
 *
 * @module
 */

import type { LogEntry } from "../../protocol/line.ts";
import type { ConnectionOptions } from "../connection.ts";

/** Entries that are read at a time, and kept while somebody is told them: as text they are some 24 KiB each at most. */
const AT_ONCE = 16;

/** The room, and how to read what was said in it. */
export class HttpRoom {
  /** A room that these lead to, as they lead connections there. */
  constructor(readonly options: ConnectionOptions) {}

  /**
   * The entries with `after` < seq <= `upTo`, oldest first, in pieces of 1 to 16: from memory, if all of a piece are there.
   * No file is open meanwhile, however long it takes to use a piece.
   * @throws {LogError} if a file can't be read.
   */
  async *lines(
    after: number,
    upTo: number,
  ): AsyncGenerator<readonly LogEntry[]> {
    const { history } = this.options;
    for (let at = after; at < upTo; at += AT_ONCE) {
      const some = await history.lines(at, Math.min(upTo, at + AT_ONCE));
      if (some.length > 0) yield some;
    }
  }
}
