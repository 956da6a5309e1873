/**
 * Offered files that a person wants among the browser's downloads: taken first, where they aren't here yet.
 *
 * @module
 */

import type { Actions } from "../client/actions.ts";
import type { FileNews } from "../client/view.ts";
import type { Offer } from "../protocol/offer.ts";
import type { FileShelf } from "./platform/file_shelf.ts";

/** What saves files. */
export interface SavingOptions {
  /** What takes them. */
  readonly actions: Pick<Actions<File>, "get">;
  /** Where they are once they are taken. */
  readonly shelf: FileShelf;
  /** Saves a file among the downloads. */
  readonly save: (file: Blob, name: string) => void;
}

/** The files that are wanted. */
export class Saving {
  readonly #options: SavingOptions;
  readonly #wanted = new Map<number, Offer>(); // by the number of their offers

  /** None yet. */
  constructor(options: SavingOptions) {
    this.#options = options;
  }

  /** Saves a file, now or once it has come. @param offer What is known of it, if anything is. */
  want(seq: number, offer: Offer | undefined): void {
    const { actions } = this.#options;
    if (offer && this.#save(offer)) return;
    if (offer) this.#wanted.set(seq, offer);
    actions.get(seq); // which tells what is wrong with it
  }

  /** How it goes with a file. */
  heard({ offer: seq, state }: FileNews): void {
    if (state !== "taken" && state !== "failed") return;
    const offer = this.#wanted.get(seq);
    this.#wanted.delete(seq);
    if (offer && state === "taken") this.#save(offer);
  }

  /** @returns Whether it is here. */
  #save(offer: Offer): boolean {
    const { shelf, save } = this.#options;
    const file = shelf.find(offer);
    if (file) save(file, offer.name);
    return file !== undefined;
  }
}
