/**
 * A disk that takes nothing more for a while.
 *
 * @module
 */

import { replaced } from "./replaced.ts";

/** Does something while the disk is full. */
export async function withFullDisk(step: () => unknown): Promise<void> {
  const full = () => {
    throw Object.assign(new Error("x"), { code: "ENOSPC" });
  };
  using _ = replaced(Deno.FsFile.prototype, "writeSync", full);
  await step();
}
