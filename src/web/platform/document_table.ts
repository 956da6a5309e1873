/**
 * Documents in the browser's database, by their names.
 *
 * @module
 */

import type { Document } from "../../base/document.ts";
import type { Database } from "./database.ts";

/** A document. */
export function documentIn(database: Database, name: string) {
  return {
    read: () =>
      database.read<Document | undefined>(
        "documents",
        (table) => table.get(name),
      ),
    async change(
      how: (now: Document | undefined) => Document,
    ): Promise<void> {
      await database.change<Document>("documents", name, how);
    },
  };
}
