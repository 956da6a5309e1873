/**
 * `--export` and `--import`: an identity goes to another machine as a text, or as a QR code, under a passphrase.
 *
 * @module
 */

import { readDocument } from "../base/document.ts";
import { UsageError } from "../base/usage_error.ts";
import { print } from "../base/output.ts";
import { qrLines } from "../base/qr.ts";
import { quote } from "../base/safe_text.ts";
import { fullId, shortId, spokenId } from "../crypto/person_id.ts";
import {
  exportIdentity,
  importIdentity,
  isExportedIdentity,
  MIN_PASSPHRASE,
} from "../keys/exported_identity.ts";
import { identitiesIn, IdentityFile, namesIn } from "../keys/identity.ts";
import { askLine, askSecret } from "./ask_secret.ts";
import { configFolder } from "./config_folder.ts";
import type { Values } from "./flags.ts";
import { requireName } from "./ask.ts";
import { findIdentity, type IdentityEntry } from "./identities.ts";
import { renamedFrom } from "./own_names.ts";

/** Prints the identity that goes by --name, or that is in --identity. @throws {UsageError} | {RangeError} | {FileError} */
export async function carryOut(values: Values): Promise<void> {
  const file = await chosen(values);
  const passphrase = await askSecret(
    `Passphrase for it, at least ${MIN_PASSPHRASE} characters: `,
  );
  if (Deno.stdin.isTerminal() && await askSecret("Again: ") !== passphrase) {
    throw new RangeError("The passphrases are not the same");
  }
  const text = await exportIdentity(file.seed, passphrase);
  print(`${text}\n`);
  if (!Deno.stdout.isTerminal()) return;
  print([
    "",
    ...qrLines(text),
    "",
    "Whoever has this text and the passphrase is you. On the other machine: --import",
    "",
  ].join("\n"));
}

/**
 * Takes an identity over: its text and its passphrase are asked for, or are the first two lines of standard input.
 * @throws {UsageError} | {RangeError} | {FileError}
 */
export async function carryIn(values: Values): Promise<void> {
  const name = values.name === undefined ? undefined : requireName(values.name);
  const text = await askLine("Exported identity: ");
  if (!isExportedIdentity(text)) {
    throw new UsageError(
      "Cannot read the identity: it is the line that --export printed on the other machine, whole",
    );
  }
  const seed = await importIdentity(text, await askSecret("Its passphrase: "));
  const folder = `${await configFolder()}/identities`;
  const file = await IdentityFile.create(folder, seed);
  if (name !== undefined) await file.setName(name);
  const id = spokenId(shortId(fullId(file.identity.id)));
  const where = name === undefined
    ? `use it by --identity ${file.path}, or import it again with --name`
    : `join as ${quote(name)} by a link of the room to use it`;
  print(`${id} is here now; ${where}\n`);
}

async function chosen(values: Values): Promise<IdentityEntry> {
  const { name, identity } = values;
  if (identity !== undefined) {
    if (await readDocument(identity)) return await IdentityFile.open(identity);
    throw new UsageError(`There is no identity in ${quote(identity)}`);
  }
  if (name === undefined) {
    throw new UsageError("Say which identity to export: --name or --identity");
  }
  const folder = `${await configFolder()}/identities`;
  const found = await findIdentity(identitiesIn(folder), name);
  if (found) return found;
  const renamed = renamedFrom(name, await namesIn(folder));
  const now = renamed ? `: it is ${quote(renamed.now)} by now` : "";
  throw new UsageError(`No identity here goes by ${quote(name)}${now}`);
}
