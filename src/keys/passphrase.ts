/**
 * Where a passphrase comes from: the terminal, standard input or a file. Never shown or logged.
 *
 * @module
 */

import { fileError } from "../base/private_file.ts";
import { promptSecret } from "../base/std.ts";
import { type Bytes, passphraseKey } from "../../crypto_utils.ts";

/** The fewest characters; shorter ones are soon guessed. */
const MIN_LENGTH = 8;
/** The longest, bytes: ends the reading of what has no line ends. */
const MAX_SIZE = 1_024;
const LINE_FEED = 0x0a;

/** What a line can be read from. */
interface Source {
  read(buffer: Uint8Array): Promise<number | null>;
}

/**
 * The key of a passphrase, 32 bytes.
 * @param source As for `passphraseFrom`. @param salt 16 bytes, the server's. @throws as `passphraseFrom`.
 */
export async function passphraseKeyFrom(
  source: string,
  salt: Bytes,
): Promise<Bytes> {
  return await passphraseKey(await passphraseFrom(source), salt);
}

/**
 * A passphrase.
 * @param source "" asks on the terminal without showing the answer, or reads the first line of standard
 * input if that is no terminal; "-" always reads the first line of standard input; anything else is the
 * name of a file whose first line it is. What follows that line on standard input is left for others.
 * @throws {RangeError} for one of fewer than 8 characters or more than 1,024 bytes, or that is no UTF-8.
 * @throws {FileError} if the file can't be read.
 */
export async function passphraseFrom(source: string): Promise<string> {
  const passphrase = source === "" && Deno.stdin.isTerminal()
    ? ask()
    : source === "" || source === "-"
    ? await firstLine(Deno.stdin)
    : await firstLineOf(source);
  if ([...passphrase].length < MIN_LENGTH) {
    throw new RangeError(
      `Cannot use the passphrase: it has fewer than ${MIN_LENGTH} characters`,
    );
  }
  return passphrase;
}

/** The question goes to standard output: elsewhere than on a terminal nobody would see it. */
function ask(): string {
  if (!Deno.stdout.isTerminal()) {
    throw new RangeError(
      "Cannot ask for the passphrase: standard output is not a terminal",
    );
  }
  return promptSecret("Passphrase:", { mask: "" }) ?? "";
}

async function firstLineOf(path: string): Promise<string> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  using opened = file;
  try {
    return await firstLine(opened);
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw fileError("read", path, cause);
  }
}

/** The first line without its end, read one byte at a time so that not a byte more is taken. */
async function firstLine(source: Source): Promise<string> {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  while (await source.read(byte) !== null) {
    const [value = 0] = byte;
    if (value === LINE_FEED) break;
    if (line.push(value) > MAX_SIZE) {
      throw new RangeError(
        `Cannot use the passphrase: it has more than ${MAX_SIZE} bytes`,
      );
    }
  }
  return decode(new Uint8Array(line)).replace(/\r$/, "");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError("Cannot use the passphrase: it is not UTF-8"); // all that the decoder can say
  }
}
