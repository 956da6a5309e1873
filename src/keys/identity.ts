/**
 * The client's static key and the folder it is kept in.
 *
 * @module
 */

import { KEY_SIZE, randomBytes, toBase64url } from "../../crypto_utils.ts";
import { readOrCreateDocument } from "../base/document.ts";
import { bytesField } from "./bytes_field.ts";
import { importKeyPair, type KeyPair } from "../crypto/x25519.ts";

const FOLDER = "encrypted-chat";

/**
 * The key pair in a file, created if it is missing; the file's folder must be there.
 * @throws {FileError} for a file that is damaged, that others can read, or that can't be made.
 */
export async function loadOrCreateIdentity(
  path: string,
): Promise<{ keyPair: KeyPair; created: boolean }> {
  const { document, created } = await readOrCreateDocument(path, () => ({
    privateKey: toBase64url(randomBytes(KEY_SIZE)),
  }));
  const privateKey = bytesField(path, document, "privateKey", KEY_SIZE);
  return { keyPair: await importKeyPair(privateKey), created };
}

/**
 * The folder for a person's own files: the system's place for them with "/encrypted-chat" added. Undefined
 * if the environment names none.
 * @param env Reads an environment variable.
 */
export function defaultConfigFolder(
  env: (name: string) => string | undefined,
): string | undefined {
  const base = Deno.build.os === "windows" ? env("APPDATA") : unixFolder(env);
  return base ? `${base}/${FOLDER}` : undefined;
}

/** As the XDG base directory specification has it, which lets only absolute paths count. */
function unixFolder(
  env: (name: string) => string | undefined,
): string | undefined {
  const named = env("XDG_CONFIG_HOME");
  if (named?.startsWith("/")) return named;
  const home = env("HOME");
  return home ? `${home}/.config` : undefined;
}
