/**
 * The chain's value for a line of a log as its files have it now, whether or not a server runs. Nothing is written, and
 * what a server has noted of values isn't believed: all lines are counted.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { targetOf } from "../base/file_target.ts";
import { Chain } from "../protocol/chain.ts";
import { countTo } from "./chain_values.ts";
import { LogError, LogFile } from "./file.ts";
import { LogFiles } from "./files.ts";

/** The value for a line, or why there is none. */
export interface Agreement {
  /** The first line that is there, and the last. */
  readonly range: readonly [number, number];
  /** The value, 32 bytes; undefined for a line that isn't there. */
  readonly value: Bytes | undefined;
  /** The files that begin with another value than the lines before them come to, by their paths. */
  readonly broken: readonly string[];
}

/**
 * Counts the lines of a log, and of the older files beside it, up to one.
 * @throws {LogError} if there is no log, or it can't be read.
 */
export async function agreementOf(
  path: string,
  seq: number,
): Promise<Agreement> {
  try {
    const files = new LogFiles(targetOf(path));
    const last = await open(path, files);
    const [first, start] = files.start;
    const broken: string[] = [];
    const range = [first + 1, last] as const;
    if (seq < first || seq > last) return { range, value: undefined, broken };
    const chain = new Chain(first, start);
    for (const file of files.list) {
      const before = file.first - 1;
      if (before > seq) break;
      const value = await countTo(chain, files, before);
      const told = file.valueBefore;
      if (told && !equalBytes(told, value)) broken.push(file.path);
    }
    return { range, value: await countTo(chain, files, seq), broken };
  } catch (cause) {
    throw cause instanceof LogError ? cause : new LogError("read", path, cause);
  }
}

/** Finds the files. @returns The number of the last line. */
async function open(path: string, files: LogFiles): Promise<number> {
  using file = await Deno.open(targetOf(path));
  const newest = await LogFile.read(targetOf(path), file);
  if (!newest) return await files.lastBefore();
  await newest.count(file);
  await files.adopt(newest);
  return newest.index.last;
}
