/**
 * The seam between transfers and where files are: a disk, or a browser.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { formatSize, type Offer } from "../../protocol/offer.ts";

/** A file that is offered, as it was when it was offered. */
export interface Source {
  /** What is said of it. */
  readonly offer: Offer;
  /** How the one who offers it knows it: its path, or its name. */
  readonly path: string;
  /** Some of its bytes; null if the file isn't any more what was offered, or can't be read. */
  read(from: number, size: number): Promise<Bytes | null>;
}

/** A file that is being taken. What has come of it stays when it is closed, for when it is taken again. */
export interface Target extends Disposable {
  /** How much of it is here, bytes. */
  readonly size: number;
  /** Adds the next bytes. @throws {FileError} if they can't be kept. */
  append(bytes: Bytes): Promise<void>;
  /**
   * Has the whole file be where its taker finds it.
   * @returns Where that is. @throws {FileError} if its digest isn't the one that was offered, after which nothing is left
   * of it; and if it can't be kept.
   */
  finish(): Promise<string>;
}

/** Where files are. @typeParam Given How somebody names a file that is to be offered. */
export interface FileSystem<Given> {
  /**
   * A file that is to be offered, read to its end for its digest.
   * @param most Bytes that it may have. @throws {FileError} for what can't be read or offered, or is larger.
   */
  source(given: Given, most: number): Promise<Source>;
  /** Where an offered file is that is here whole and unchanged; undefined if it isn't. */
  find(offer: Offer): Promise<string | undefined>;
  /** Goes on with what is here of a file, or begins it. @throws {FileError} if it can't be kept. */
  target(offer: Offer): Promise<Target>;
}

/** What is wrong with a file that has come whole, and isn't what was offered. */
export const WRONG_DIGEST = "its checksum is wrong";

/** Why a file can't be sent or downloaded. @param size Bytes. @param most Bytes that the server passes on. */
export function tooLarge(
  deed: "send" | "download",
  name: string,
  size: number,
  most: number,
): string {
  return `Cannot ${deed} "${name}" of ${
    formatSize(size)
  }: this server allows at most ${formatSize(most)}`;
}
