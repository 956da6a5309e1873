/**
 * `--export` and `--import`: an identity goes to another machine as a text, or as a QR code, under a passphrase.
 *
 * @module
 */

import { DecryptionError } from "../../crypto_utils.ts";
import { readDocument } from "../base/document.ts";
import { firstLine } from "../base/first_line.ts";
import { UsageError } from "../base/flags.ts";
import { write } from "../base/program.ts";
import { qrLines } from "../base/qr.ts";
import { quote } from "../base/safe_text.ts";
import { promptSecret } from "../base/std.ts";
import { fullId, shortId, spokenId } from "../crypto/person_id.ts";
import {
  exportIdentity,
  importIdentity,
  MIN_PASSPHRASE,
} from "../keys/exported_identity.ts";
import { IdentityFile } from "../keys/identity.ts";
import type { Values } from "./flags.ts";
import { findIdentity } from "./identities.ts";

/** Prints the identity that goes by --name, or that is in --identity. @throws {UsageError} | {RangeError} | {FileError} */
export async function carryOut(values: Values, folder: string): Promise<void> {
  const file = await chosen(values, folder);
  const passphrase = await ask(
    `Passphrase for it, at least ${MIN_PASSPHRASE} characters: `,
  );
  if (Deno.stdin.isTerminal() && await ask("Again: ") !== passphrase) {
    throw new RangeError("The passphrases are not the same");
  }
  const text = await exportIdentity(file.seed, passphrase);
  write(`${text}\n`);
  if (!Deno.stdout.isTerminal()) return;
  write([
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
export async function carryIn(values: Values, folder: string): Promise<void> {
  const text = Deno.stdin.isTerminal()
    ? prompt("Exported identity:") ?? ""
    : await firstLine("-");
  const seed = await importIdentity(text, await ask("Its passphrase: "))
    .catch((error) => {
      if (error instanceof SyntaxError) throw new UsageError(error.message);
      if (!(error instanceof DecryptionError)) throw error;
      throw new RangeError(
        "Cannot open the identity: the passphrase is wrong, or the text was altered",
      );
    });
  const file = await IdentityFile.create(folder, seed);
  if (values.name !== undefined) await file.setName(values.name);
  const id = spokenId(shortId(fullId(file.identity.id)));
  const where = values.name === undefined
    ? `use it by --identity ${file.path}, or import it again with --name`
    : `join as ${quote(values.name)} by a link of the room to use it`;
  write(`${id} is here now; ${where}\n`);
}

async function chosen(values: Values, folder: string): Promise<IdentityFile> {
  const { name, identity } = values;
  if (identity !== undefined) {
    if (await readDocument(identity)) return await IdentityFile.open(identity);
    throw new UsageError(`There is no identity in ${quote(identity)}`);
  }
  if (name === undefined) {
    throw new UsageError("Say which identity to export: --name or --identity");
  }
  const file = await findIdentity(folder, name);
  if (file) return file;
  throw new UsageError(`No identity here goes by ${quote(name)}`);
}

/** A passphrase, not shown; the next line of standard input where that is no terminal. */
async function ask(question: string): Promise<string> {
  return Deno.stdin.isTerminal()
    ? promptSecret(question, { mask: "" }) ?? ""
    : await firstLine("-");
}
