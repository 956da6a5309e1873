/**
 * The files that a page has whole, those that are being taken, and the small pictures of those that are pictures; all by
 * their digests, until the page is closed.
 *
 * @module
 */

import type { Offer } from "../../protocol/offer.ts";
import type { Picture } from "../stage.ts";
import { GrowingFile } from "./files.ts";
import { drawPicture } from "./pictures.ts";

/** What whole files may take together, bytes; the one that came last stays in any case. */
const MAX_KEPT = 268_435_456;
/** How many small pictures are kept; an older one is made again when it is looked at. */
const MAX_PICTURES = 100;

/** The files. */
export class FileShelf {
  readonly #whole = new Map<string, Blob>();
  readonly #parts = new Map<string, GrowingFile>();
  readonly #pictures = new Map<string, Promise<Picture | undefined>>();
  readonly #draw: typeof drawPicture;
  #drawing: Promise<unknown> = Promise.resolve(); // one after the other: each needs much memory

  /** Empty. @param draw Makes a picture, and never rejects. Default: the browser. */
  constructor(draw: typeof drawPicture = drawPicture) {
    this.#draw = draw;
  }

  /** A file that is here whole. */
  find({ digest }: Offer): Blob | undefined {
    return this.#whole.get(digest);
  }

  /** Puts a file there: one that was taken, or chosen to be offered. */
  put({ digest }: Offer, file: Blob): void {
    this.#parts.delete(digest);
    this.#whole.delete(digest);
    this.#whole.set(digest, file);
    let size = 0;
    for (const { size: one } of this.#whole.values()) size += one;
    for (const [oldest, { size: one }] of this.#whole) {
      if (size <= MAX_KEPT || oldest === digest) return;
      this.#whole.delete(oldest);
      size -= one;
    }
  }

  /** Takes from the shelf what has come of a file: it is for one download at a time. */
  takePart({ digest }: Offer): GrowingFile {
    const part = this.#parts.get(digest) ?? new GrowingFile();
    this.#parts.delete(digest);
    return part;
  }

  /** Puts there what has come of a file that is no longer being taken. */
  putPart({ digest }: Offer, part: GrowingFile): void {
    if (!this.#whole.has(digest)) this.#parts.set(digest, part);
  }

  /** The small picture of a file; undefined for one that isn't here, or is none. */
  async picture(offer: Offer): Promise<Picture | undefined> {
    const file = this.find(offer);
    const { digest } = offer;
    const known = this.#pictures.get(digest);
    if (known || !file) return await known;
    const drawing = this.#drawNext(file, false);
    this.#pictures.set(digest, drawing);
    this.#dropOldest();
    return await drawing;
  }

  /** The large picture of a file; who asks for it revokes its URL. Undefined as for the small one. */
  async largePicture(offer: Offer): Promise<Picture | undefined> {
    const file = this.find(offer);
    return file && await this.#drawNext(file, true);
  }

  #drawNext(file: Blob, isLarge: boolean): Promise<Picture | undefined> {
    const drawing = this.#drawing.then(() => this.#draw(file, isLarge));
    this.#drawing = drawing;
    return drawing;
  }

  #dropOldest(): void {
    for (const [digest, picture] of this.#pictures) {
      if (this.#pictures.size <= MAX_PICTURES) return;
      this.#pictures.delete(digest);
      picture.then((it) => it && URL.revokeObjectURL(it.url));
    }
  }
}
