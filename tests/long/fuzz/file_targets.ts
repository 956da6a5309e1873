/**
 * The files that the programs read: keys and identities. They are read from memory, since a disk would
 * take longer than the reading.
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { FileError } from "../../../src/base/private_file.ts";
import { IdentityFile } from "../../../src/keys/identity.ts";
import { parseAddress, parseInvite } from "../../../src/keys/invite.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { bytesOf, hold, outcomeOf, same, type Target } from "./target.ts";

/** An opened file, as its reader sees it. */
class MemoryFile implements Disposable {
  readonly #content: Bytes;
  #at = 0;

  constructor(content: Bytes) {
    this.#content = content;
  }

  statSync(): unknown {
    const size = this.#content.length;
    return { isFile: true, isDirectory: false, mode: 0o100600, size };
  }

  readSync(buffer: Uint8Array): number | null {
    const piece = this.#content.subarray(this.#at, this.#at + buffer.length);
    buffer.set(piece);
    this.#at += piece.length;
    return piece.length > 0 ? piece.length : null;
  }

  [Symbol.dispose](): void {}
}

/** Has `load` read a file that is in memory only. */
async function reading<T>(
  content: Bytes,
  load: (path: string) => Promise<T>,
): Promise<T> {
  const { openSync, statSync } = Deno;
  const open = () => new MemoryFile(content);
  Object.assign(Deno, { openSync: open, statSync: () => open().statSync() });
  try {
    return await load("memory");
  } finally {
    Object.assign(Deno, { openSync, statSync });
  }
}

const secret = () => toBase64url(randomBytes(32));

/** A reading of a file; an error may not tell what it says. */
function fileTarget(
  name: string,
  seeds: readonly string[],
  secrets: readonly string[],
  load: (path: string) => Promise<string>,
): Target {
  const words = [
    "null",
    "{}",
    "[]",
    '"',
    ":",
    ",",
    "\n",
    "#",
    "\u2028",
    "1e999",
  ];
  return {
    name,
    share: 1,
    seeds: seeds.map(bytesOf),
    words: [...words, '"__proto__":', '"version":', '"listening":', "="],
    async check(input) {
      try {
        return await reading(input, load);
      } catch (error) {
        const { message } = error as Error;
        const told = secrets.some((key) => message.includes(key.slice(0, 20)));
        hold(!told, `the error tells a key: ${message}`);
        return outcomeOf(error, FileError);
      }
    },
    properties: [],
  };
}

/** `chat.key`. */
export function keyFile(): Target {
  const secrets = [secret(), secret()];
  const [serverPrivateKey, roomKey] = secrets;
  const keys = { version: 1, serverPrivateKey, roomKey };
  const seeds = [keys, { ...keys, listening: "0.0.0.0:5000" }, {
    listening: "[::]:1",
    ...keys,
  }];
  return fileTarget(
    "key-file",
    seeds.map((it) => JSON.stringify(it, null, 2)),
    secrets,
    async (path) => {
      const file = await KeyFile.load(path);
      hold(file !== undefined, "no key file");
      const { roomKey, listening } = file.keys;
      hold(roomKey.length === 32, "a size");
      const { host, port } = listening ?? parseAddress("127.0.0.1:1");
      const read = parseInvite(file.inviteFor(host, port));
      same(read.secret, roomKey, "the invite has another secret");
      return `keys ${listening !== undefined}`;
    },
  );
}

/** The client's own keys. */
export function identity(): Target {
  const seed = secret();
  const texts = [{ version: 1, seed }, { version: 1, seed, name: "ana", at: 1 }]
    .map((it) => JSON.stringify(it));
  return fileTarget("identity", texts, [seed], async (path) => {
    const file = await IdentityFile.open(path);
    hold(!file.created && file.identity.id.length === 32, "another identity");
    return `identity ${file.name !== undefined}`;
  });
}
