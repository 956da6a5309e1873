/**
 * Documents in the browser's database, which all tabs share.
 *
 * @module
 */

import type { Document } from "../../base/document.ts";
import type { DocumentStore } from "../../base/document_store.ts";
import type { Database } from "./database.ts";

/** The place of a document in a database; it need not be there. */
export function documentIn(database: Database, name: string): DocumentStore {
  return {
    read: () =>
      database.read<Document | undefined>(
        "documents",
        (table) => table.get(name),
      ),
    async change(how) {
      await database.change("documents", name, how);
    },
  };
}
