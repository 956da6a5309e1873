/**
 * A document in a private file.
 *
 * @module
 */

import { type Document, readDocument, writeDocument } from "./document.ts";
import type { DocumentStore } from "./document_store.ts";

/** A file as a place for a document; it need not be there. */
export class DocumentFile implements DocumentStore {
  readonly #path: string;

  /** The file at a path. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The document in it, undefined if there is no file. @throws {FileError} */
  async read(): Promise<Document | undefined> {
    return await readDocument(this.#path);
  }

  /** Puts another document in place of the one that is there now. @throws {FileError} */
  async change(how: (now: Document | undefined) => Document): Promise<void> {
    await writeDocument(this.#path, how(await this.read()));
  }
}
