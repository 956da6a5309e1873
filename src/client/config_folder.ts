/**
 * The folder of a person's own files: identities, known rooms, settings, what was typed.
 *
 * @module
 */

import { UsageError } from "../base/usage_error.ts";
import { ensureFolder, FileError } from "../base/private_file.ts";
import { defaultConfigFolder } from "../keys/identity.ts";

/**
 * The folder, made if it isn't there.
 * @throws {UsageError} if the environment doesn't tell where it is. @throws {FileError} if it can't be made.
 */
export async function configFolder(): Promise<string> {
  const folder = defaultConfigFolder((name) => Deno.env.get(name));
  if (folder === undefined) {
    throw new UsageError(
      "Cannot find your home folder: set HOME, or give --identity FILE",
    );
  }
  await ensureFolder(folder);
  return folder;
}

/**
 * The folder for somebody whose identity is elsewhere, which therefore can do without: undefined where there is none.
 * @param note Told what can't be done then.
 */
export async function optionalConfigFolder(
  note: (text: string) => void,
): Promise<string | undefined> {
  try {
    return await configFolder();
  } catch (error) {
    if (error instanceof FileError) note(error.message);
    else if (!(error instanceof UsageError)) throw error;
    note("No home folder: settings, typed lines and known rooms are not kept");
    return undefined;
  }
}
