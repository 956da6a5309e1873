/**
 * A disk that takes nothing more for a while, or lets nothing be renamed.
 *
 * @module
 */

import { replaced } from "./replaced.ts";

/** What the system says of a disk that is full, or can only be read. */
export function diskError(code: "ENOSPC" | "EROFS"): Error {
  return Object.assign(new Error("x"), { code });
}

/** Does something while the disk is full. */
export async function withFullDisk(step: () => unknown): Promise<void> {
  const full = () => {
    throw diskError("ENOSPC");
  };
  using _ = replaced(Deno.FsFile.prototype, "writeSync", full);
  await step();
}

/** Does something while nothing can be renamed. @returns How often that is tried. */
export function refusedRenames(step: () => void): number {
  let tries = 0;
  const refuse = () => {
    tries++;
    throw diskError("EROFS");
  };
  using _ = replaced(Deno, "renameSync", refuse);
  step();
  return tries;
}
