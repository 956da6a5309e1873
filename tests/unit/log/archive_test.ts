/**
 * Copying a file of the log into the archive: whole, on the disk, and in place of nothing else.
 *
 * @module
 */

import { equalBytes } from "../../../crypto_utils.ts";
import { archiveTo } from "../../../src/log/archive.ts";
import { LogError } from "../../../src/log/file.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { FileInMemory } from "../../kit/file_in_memory.ts";
import {
  happeningsOf,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";

const MIB = 1_048_576;
const SIZES = [0, 9, MIB, MIB + 9];

const bytesOf = (size: number) => new Uint8Array(size).fill(120);

/** Says of a difference only that there is one: to show it in so many bytes takes minutes. */
async function assertHas(path: string, bytes: Uint8Array): Promise<void> {
  assert(equalBytes(await Deno.readFile(path), bytes), path);
}

/** Archives bytes under a path. */
function archive(path: string, bytes: Uint8Array): Promise<void> {
  return archiveTo(new FileInMemory(bytes, MIB - 1).file, path);
}

testWithPath(
  "archiveTo() copies a file of any size whole, and once",
  async (path) => {
    for (const size of SIZES) {
      const bytes = bytesOf(size);
      const first = await happeningsOf(path, () => archive(path, bytes));
      assertEquals(first, [
        "no chat.log.part",
        "a file",
        "chat.log.part to chat.log",
        "the folder",
      ]);
      await assertHas(path, bytes);
      const again = await happeningsOf(path, () => archive(path, bytes));
      assertEquals(again, ["the folder"]);
      await Deno.remove(path);
    }
  },
  windows,
);

testWithPath("archiveTo() replaces no folder", async (path) => {
  await Deno.mkdir(path);
  await assertRejects(
    () => archive(path, bytesOf(9)),
    LogError,
    `Cannot archive to "${path}": it is a folder`,
  );
});

testWithPath(
  "archiveTo() replaces no other file, however little of it is another",
  async (path) => {
    for (const size of SIZES) {
      const bytes = bytesOf(size);
      const changed = size === 0
        ? []
        : [bytes.subarray(0, -1), bytes.with(-1, 255), bytes.with(0, 255)];
      for (const other of [bytesOf(size + 1), ...changed]) {
        await Deno.writeFile(path, other);
        await assertRejects(
          () => archive(path, bytes),
          LogError,
          `Cannot archive to "${path}": another file has that name`,
        );
        await assertHas(path, other);
      }
    }
  },
);

testWithPath(
  "archiveTo() says why it can't, and leaves what is there",
  async (path) => {
    const why = (reason: string) =>
      assertRejects(
        () => archive(path, bytesOf(9)),
        LogError,
        `Cannot archive to "${path}": ${reason}`,
      );
    await Deno.mkdir(`${path}.part/mine`, { recursive: true });
    await why("Directory not empty");
    assertEquals((await Deno.stat(`${path}.part/mine`)).isDirectory, true);
    await Deno.remove(`${path}.part`, { recursive: true });
    const fail = () => () => Promise.reject(new Error("Input/output error"));
    await withMethod(
      Deno,
      "lstat",
      fail,
      () => why("Input/output").then(() => {}),
    );
    // Somebody puts another in its place while it is looked at.
    await Deno.writeFile(path, bytesOf(9));
    const replacing =
      (open: typeof Deno.open): typeof Deno.open => async (name, options) => {
        if (name === path) {
          await Deno.writeFile(`${path}.2`, bytesOf(9));
          await Deno.rename(`${path}.2`, path);
        }
        return await open(name, options);
      };
    await withMethod(
      Deno,
      "open",
      replacing,
      () => why("it has changed").then(() => {}),
    );
    await assertHas(path, bytesOf(9));
  },
  windows,
);
