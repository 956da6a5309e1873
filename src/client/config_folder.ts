/**
 * The folder of a person's own files: identities, known rooms, settings, what was typed.
 *
 * @module
 */

import { UsageError } from "../base/flags.ts";
import { ensureFolder } from "../base/private_file.ts";
import { defaultConfigFolder } from "../keys/identity.ts";

/**
 * The folder, made if it isn't there.
 * @throws {UsageError} if the environment doesn't tell where it is. @throws {FileError} if it can't be made.
 */
export async function configFolder(): Promise<string> {
  const folder = defaultConfigFolder((name) => Deno.env.get(name));
  if (folder === undefined) {
    throw new UsageError("Cannot find your home folder: set HOME");
  }
  await ensureFolder(folder);
  return folder;
}
