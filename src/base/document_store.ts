/**
 * Where a document is kept that several programs, or several tabs of a browser, may change.
 *
 * @module
 */

import type { Document } from "./document.ts";

/** A place for one document. */
export interface DocumentStore {
  /** The document, undefined if there is none. @throws {Error} for one that can't be used, with a sentence that says why. */
  read(): Promise<Document | undefined>;
  /**
   * Puts another in its place, made at once of the one that is there now; one that can't be used is left alone.
   * @throws {Error} as `read`, and where it can't be kept.
   */
  change(how: (now: Document | undefined) => Document): Promise<void>;
}
