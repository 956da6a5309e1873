/**
 * Where files of the log are copied before they are deleted.
 *
 * @module
 */

import { isSameFile, kindOf } from "../base/file_target.ts";
import { PRIVATE_FILE } from "../base/private_file.ts";
import { writeAll } from "../base/write_all.ts";
import { fill, LogError, syncFolder } from "./file.ts";

/** How much is copied at a time, bytes. */
const COPY_SIZE = 1_048_576;

/**
 * Copies an open file, whose position moves. It is on the disk under its name only once it is whole; what an earlier attempt
 * left is removed. Nothing is written through a link: others may be able to write into the folder.
 * @throws {LogError} if that fails, or something else has that name.
 */
export async function archiveTo(
  source: Deno.FsFile,
  path: string,
): Promise<void> {
  try {
    if (await hasSame(source, path)) return await syncFolder(path);
    const draft = `${path}.part`;
    await removeIfThere(draft);
    {
      const options = { write: true, createNew: true, mode: PRIVATE_FILE };
      using target = await Deno.open(draft, options);
      await source.seek(0, Deno.SeekMode.Start);
      const buffer = new Uint8Array(COPY_SIZE);
      let count: number;
      do {
        count = await fill(source, buffer);
        await writeAll(target, buffer.subarray(0, count));
      } while (count === COPY_SIZE);
      await target.sync();
    }
    await Deno.rename(draft, path);
    await syncFolder(path);
  } catch (cause) {
    throw new LogError("archive to", path, cause);
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Whether a path has what a file has. @throws {Error} if it has something else, or is a link: one to that very file, say,
 * which would have nothing once that is deleted.
 */
async function hasSame(source: Deno.FsFile, path: string): Promise<boolean> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  if (info.isSymlink) throw new Error("it is a link");
  if (!info.isFile) throw new Error(`it is ${kindOf(info)}`);
  using other = await Deno.open(path);
  if (!isSameFile(info, await other.stat())) throw new Error("it has changed");
  await source.seek(0, Deno.SeekMode.Start);
  const [a, b] = [new Uint8Array(COPY_SIZE), new Uint8Array(COPY_SIZE)];
  let count: number;
  do {
    count = await fill(source, a);
    const isSame = await fill(other, b) === count &&
      a.subarray(0, count).every((byte, at) => byte === b[at]);
    if (!isSame) throw new Error("another file has that name");
  } while (count === COPY_SIZE);
  return true;
}
