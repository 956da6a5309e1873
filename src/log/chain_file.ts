/**
 * `chat.log.chain`: every 1,024th value of the chain, so that a server that starts need not go over its whole log
 * first. It can be deleted at any time, and is made again.
 *
 *     1024 4bTGVMkB2UyMskUKXFsUX8xU4yPQjHpvzXn4uPXQ5h0 f0mJ9sXk
 *
 * The last word tells a damaged line: six bytes of a digest of what stands before it.
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  labelledDigest,
  toBase64url,
} from "../../crypto_utils.ts";
import { requireOrdinary, targetOf } from "../base/file_target.ts";
import { PRIVATE_FILE } from "../base/private_file.ts";
import { writeAllSync } from "../base/write_all.ts";
import { makePrivate } from "./file.ts";

/** One value of so many is noted. */
export const MARK_EVERY = 1_024;
/** The start of a digest that tells a damaged line, bytes. */
const CHECK_SIZE = 6;

const line =
  /^(?<words>(?<seq>[1-9]\d{0,15}) (?<value>[\w-]{43})) (?<check>\S+)$/;
const encoder = new TextEncoder();

function checkOf(words: string): string {
  const digest = labelledDigest("chain file", encoder.encode(words));
  return toBase64url(digest.subarray(0, CHECK_SIZE));
}

function formatMark(seq: number, value: Bytes): string {
  const words = `${seq} ${toBase64url(value)}`;
  return `${words} ${checkOf(words)}\n`;
}

/** Values by their numbers, without gaps, in a file. */
export class ChainFile {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  readonly #marks = new Map<number, Bytes>();
  #isStale = false; // whether something else than the marks is in the file
  #hasFailed = false; // then nothing is written any more

  private constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /**
   * What a file has of the marks from `first` to `last`, up to the first that is missing or damaged.
   * @param failed Is told once why the file can't be used: then marks are kept in memory alone.
   */
  static async load(
    path: string,
    first: number,
    last: number,
    failed: (error: unknown) => void,
  ): Promise<ChainFile> {
    const file = new ChainFile(path, failed);
    try {
      requireOrdinary(path);
      await makePrivate(path, await Deno.stat(path));
      file.#read(await Deno.readTextFile(path), first, last);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) file.#fail(error);
    }
    return file;
  }

  #read(text: string, first: number, last: number): void {
    const lines = text.split("\n");
    this.#isStale = lines.pop() !== ""; // the last one broke off
    let next = Math.ceil(first / MARK_EVERY) * MARK_EVERY;
    for (const mark of lines) {
      const { words = "", seq, value = "", check } = line.exec(mark)?.groups ??
        {};
      const number = Number(seq);
      if (number < next) continue; // of lines that are no longer there
      if (number !== next || number > last || check !== checkOf(words)) {
        this.#isStale = true;
        return;
      }
      this.#marks.set(number, fromBase64url(value));
      next += MARK_EVERY;
    }
  }

  /** The value for a number that has a mark, 32 bytes; else undefined. */
  at(seq: number): Bytes | undefined {
    return this.#marks.get(seq);
  }

  /** The number of the last mark, 0 for none. */
  get last(): number {
    return Math.max(0, ...this.#marks.keys());
  }

  /** Notes a value. */
  add(seq: number, value: Bytes): void {
    this.#marks.set(seq, value);
    if (this.#hasFailed) return;
    try {
      this.#write(formatMark(seq, value));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Adds a line; where the file isn't as it was, writes all. */
  #write(mark: string): void {
    const path = targetOf(this.#path);
    requireOrdinary(path);
    using file = Deno.openSync(path, {
      append: true,
      create: true,
      mode: PRIVATE_FILE,
    });
    const isComplete = !this.#isStale && file.statSync().size > 0;
    if (!isComplete) file.truncateSync();
    const text = isComplete
      ? mark
      : [...this.#marks].map((it) => formatMark(...it)).join("");
    writeAllSync(file, encoder.encode(text));
    this.#isStale = false;
  }

  /** Forgets the marks from a number on. */
  cut(from: number): void {
    for (const seq of this.#marks.keys()) {
      if (seq >= from) this.#marks.delete(seq);
    }
    this.#isStale = true;
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#failed(error);
  }
}
