/**
 * The first line of a file or of standard input, for what shall not stand on a command line.
 *
 * @module
 */

import { reasonOf } from "./error_reason.ts";
import { FileError, fileError } from "./private_file.ts";

/** The longest, bytes: ends the reading of what has no line ends. */
const MAX_SIZE = 4_096;
const LINE_FEED = 0x0a;

/** What a line can be read from. */
interface Source {
  read(buffer: Uint8Array): Promise<number | null>;
}

/**
 * The first line without its end; what follows it on standard input is left for others.
 * @param source The name of a file; "-" for standard input.
 * @throws {RangeError} for one of more than 4,096 bytes, or that is no UTF-8. @throws {FileError} if it can't be read.
 */
export async function firstLine(source: string): Promise<string> {
  try {
    if (source === "-") return await readLine(Deno.stdin);
    using file = await Deno.open(source);
    return await readLine(file);
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    if (source !== "-") throw fileError("read", source, cause);
    throw inputError(cause);
  }
}

/** Why standard input can't be read. */
export function inputError(cause: unknown): FileError {
  const why = reasonOf(cause);
  return new FileError(`Cannot read standard input: ${why}`, { cause });
}

/** Reads one byte at a time, so that not a byte more is taken. */
async function readLine(source: Source): Promise<string> {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  while (await source.read(byte) !== null) {
    const [value = 0] = byte;
    if (value === LINE_FEED) break;
    if (line.push(value) > MAX_SIZE) {
      throw new RangeError(
        `Cannot use the first line: it has more than ${MAX_SIZE} bytes`,
      );
    }
  }
  return decode(new Uint8Array(line)).replace(/\r$/, "");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError("Cannot use the first line: it is not UTF-8"); // all that the decoder can say
  }
}
