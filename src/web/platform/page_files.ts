/**
 * Files of a page, for transfers: what is offered is a file that the person has chosen, and what is taken grows in the
 * browser.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { FileError } from "../../base/file_error.ts";
import {
  type FileSystem,
  type Source,
  type Target,
  WRONG_DIGEST,
} from "../../client/files/file_system.ts";
import { type Offer, safeFileName } from "../../protocol/offer.ts";
import type { FileShelf } from "./file_shelf.ts";
import { ChosenFile } from "./files.ts";

/** The files. */
export class PageFiles implements FileSystem<File> {
  readonly #shelf: FileShelf;

  /** Knows no files yet. @param shelf Where they are put. */
  constructor(shelf: FileShelf) {
    this.#shelf = shelf;
  }

  /** As `FileSystem.source`. */
  async source(file: File, most: number): Promise<Source> {
    const source = await ChosenFile.open(file, most);
    this.#shelf.put(source.offer, file);
    return source;
  }

  /** As `FileSystem.find`. */
  find(offer: Offer): Promise<string | undefined> {
    const isHere = this.#shelf.find(offer) !== undefined;
    return Promise.resolve(isHere ? safeFileName(offer.name) : undefined);
  }

  /** As `FileSystem.target`. */
  target(offer: Offer): Promise<Target> {
    const shelf = this.#shelf;
    const growing = shelf.takePart(offer);
    let isOver = false;
    return Promise.resolve({
      get size() {
        return growing.size;
      },
      append: (bytes: Bytes) => Promise.resolve(growing.append(bytes)),
      finish: () => {
        const whole = growing.finish(offer.digest);
        isOver = true;
        if (!whole) return Promise.reject(new FileError(WRONG_DIGEST));
        shelf.put(offer, whole);
        return Promise.resolve(safeFileName(offer.name));
      },
      [Symbol.dispose]: () => {
        if (!isOver) shelf.putPart(offer, growing);
      },
    });
  }
}
