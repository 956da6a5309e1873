/**
 * The servers that a client has met, each with its key, as ssh's `known_hosts`: a client that joins by passphrase
 * has nothing else to tell the server by.
 *
 *     HOST:PORT BASE64URL      one line a server; blank lines and lines that begin with "#" are comments
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  fromBase64url,
  KEY_SIZE,
  toBase64url,
} from "../../crypto_utils.ts";
import { FileError, readPrivate, writePrivate } from "../base/private_file.ts";
import { formatAddress, parseAddress } from "./invite.ts";

/** A file of known servers, as it was read or last written. */
export class KnownServers {
  readonly #path: string;
  readonly #keys: Map<string, Bytes>;

  private constructor(path: string, keys: Map<string, Bytes>) {
    this.#path = path;
    this.#keys = keys;
  }

  /**
   * The servers in a file; none if there is no file.
   * @throws {FileError} for a malformed line, and for a file that can't be read or that others can.
   */
  static async load(path: string): Promise<KnownServers> {
    return new KnownServers(path, parse(path, await readPrivate(path) ?? ""));
  }

  /** The server's public key, 32 bytes; undefined for one that isn't known. */
  lookup(host: string, port: number): Bytes | undefined {
    return this.#keys.get(entryName(host, port));
  }

  /**
   * Notes a server's public key, and keeps all that stands in the file, also what others added meanwhile.
   * @param key 32 bytes.
   * @throws {RangeError} if another key is known for it: only a person may change that.
   * @throws {FileError} if the file can't be read or written.
   */
  async add(host: string, port: number, key: Bytes): Promise<void> {
    if (key.length !== KEY_SIZE) {
      throw new RangeError(`Cannot note a key of ${key.length} bytes`);
    }
    const text = await readPrivate(this.#path) ?? "";
    const name = entryName(host, port);
    const known = parse(this.#path, text).get(name);
    if (known && !equalBytes(known, key)) {
      throw new RangeError(
        `Cannot note the key of "${name}": another is known for it`,
      );
    }
    if (!known) {
      const end = text === "" || text.endsWith("\n") ? "" : "\n";
      const line = `${name} ${toBase64url(key)}\n`;
      await writePrivate(this.#path, text + end + line);
    }
    this.#keys.set(name, key);
  }
}

/** How a server is named in the file: host names are the same in capitals. */
function entryName(host: string, port: number): string {
  return formatAddress(host.toLowerCase(), port);
}

function parse(path: string, text: string): Map<string, Bytes> {
  const keys = new Map<string, Bytes>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const entry = parseLine(line);
    if (!entry || keys.has(entry.name)) {
      const wrong = entry
        ? "names a server for the second time"
        : "is not HOST:PORT and a key";
      throw new FileError(`Cannot use "${path}": line ${index + 1} ${wrong}`);
    }
    keys.set(entry.name, entry.key);
  }
  return keys;
}

function parseLine(line: string): { name: string; key: Bytes } | undefined {
  const [address = "", text = "", ...rest] = line.trim().split(/\s+/);
  try {
    const { host, port } = parseAddress(address);
    const key = fromBase64url(text);
    if (key.length !== KEY_SIZE || rest.length > 0) return undefined;
    return { name: entryName(host, port), key };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
