/**
 * Where files of the log are copied before they are deleted.
 *
 * @module
 */

import { PRIVATE_FILE } from "../base/private_file.ts";
import { writeAll } from "../base/write_all.ts";
import { fill, LogError, syncFolder } from "./file.ts";

/** How much is copied at a time, bytes. */
const COPY_SIZE = 1_048_576;

/**
 * Copies an open file, whose position moves. It is on the disk under its name only once it is whole; what an earlier attempt
 * left is written over.
 * @throws {LogError} if that fails, or another file has that name.
 */
export async function archiveTo(
  source: Deno.FsFile,
  path: string,
): Promise<void> {
  try {
    if (await hasSame(source, path)) return;
    const draft = `${path}.part`;
    {
      using target = await Deno.open(draft, {
        write: true,
        create: true,
        truncate: true,
        mode: PRIVATE_FILE,
      });
      await source.seek(0, Deno.SeekMode.Start);
      const buffer = new Uint8Array(COPY_SIZE);
      for (;;) {
        const count = await source.read(buffer);
        if (count === null) break;
        await writeAll(target, buffer.subarray(0, count));
      }
      await target.sync();
    }
    await Deno.rename(draft, path);
    await syncFolder(path);
  } catch (cause) {
    throw new LogError("archive to", path, cause);
  }
}

/** Whether a path has what a file has. @throws {Error} if it has something else. */
async function hasSame(source: Deno.FsFile, path: string): Promise<boolean> {
  let other: Deno.FsFile;
  try {
    other = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  using _ = other;
  await source.seek(0, Deno.SeekMode.Start);
  const [a, b] = [new Uint8Array(COPY_SIZE), new Uint8Array(COPY_SIZE)];
  for (;;) {
    const [had, has] = [await fill(source, a), await fill(other, b)];
    const isSame = had === has &&
      a.subarray(0, had).every((byte, at) => byte === b[at]);
    if (!isSame) throw new Error("another file has that name");
    if (had === 0) return true;
  }
}
