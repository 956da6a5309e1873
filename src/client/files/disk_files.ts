/**
 * Files on this machine's disk, for transfers.
 *
 * @module
 */

import { givenPath } from "../../base/paths.ts";
import type { Offer } from "../../protocol/offer.ts";
import type { FileSystem, Source, Target } from "./file_system.ts";
import { findSaved, PartialFile, SourceFile } from "./stored_file.ts";

/** Where files are on a disk. */
export interface DiskFilesOptions {
  /** Where files are saved; created if it is missing. */
  readonly folder: string;
  /** What `~/` stands for in a path. */
  readonly home?: string | undefined;
}

/** Files on a disk: what is offered is given by its path. */
export class DiskFiles implements FileSystem<string> {
  readonly #options: DiskFilesOptions;

  /** Opens nothing yet. */
  constructor(options: DiskFilesOptions) {
    this.#options = options;
  }

  /** As `FileSystem.source`. */
  source(path: string, most: number): Promise<Source> {
    return SourceFile.open(givenPath(path, this.#options.home), most);
  }

  /** As `FileSystem.find`. */
  find(offer: Offer): Promise<string | undefined> {
    return findSaved(this.#options.folder, offer);
  }

  /** As `FileSystem.target`. */
  target(offer: Offer): Promise<Target> {
    return PartialFile.open(this.#options.folder, offer);
  }
}
