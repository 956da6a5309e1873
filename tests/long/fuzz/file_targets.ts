/**
 * The files that the programs read: keys, identity, known servers. They are read from memory, since a disk would
 * take longer than the reading.
 *
 * @module
 */

import { randomBytes, toBase64url } from "../../../crypto_utils.ts";
import type { Bytes } from "../../../crypto_utils.ts";
import { FileError } from "../../../src/base/private_file.ts";
import { loadOrCreateIdentity } from "../../../src/keys/identity.ts";
import { parseAddress, parseInvite } from "../../../src/keys/invite.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { KnownServers } from "../../../src/keys/known_servers.ts";
import { bytesOf, hold, outcomeOf, same, type Target } from "./target.ts";

/** What an opened file is to its reader. */
function memoryFile(content: Bytes): unknown {
  return {
    stat: () =>
      Promise.resolve({ isFile: true, isDirectory: false, mode: 0o100600 }),
    readable: new Blob([content]).stream(),
    [Symbol.dispose]() {},
  };
}

/** Has `load` read a file that is in memory only. */
async function reading<T>(
  content: Bytes,
  load: (path: string) => Promise<T>,
): Promise<T> {
  const { open } = Deno;
  Object.assign(Deno, { open: () => Promise.resolve(memoryFile(content)) });
  try {
    return await load("memory");
  } finally {
    Object.assign(Deno, { open });
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
  const passphraseSalt = toBase64url(randomBytes(16));
  const keys = { version: 1, serverPrivateKey, roomKey, passphraseSalt };
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
      const { roomKey, passphraseSalt, listening } = file.keys;
      hold(roomKey.length === 32 && passphraseSalt.length === 16, "a size");
      const { host, port } = listening ?? parseAddress("127.0.0.1:1");
      const read = parseInvite(file.inviteFor(host, port));
      same(read.key, roomKey, "the invite has another key");
      return `keys ${listening !== undefined}`;
    },
  );
}

/** The client's own key. */
export function identity(): Target {
  const privateKey = secret();
  const seed = JSON.stringify({ version: 1, privateKey });
  return fileTarget("identity", [seed], [privateKey], async (path) => {
    const { keyPair, created } = await loadOrCreateIdentity(path);
    hold(!created && keyPair.publicKey.length === 32, "another identity");
    return "identity";
  });
}

/** Known servers. */
export function knownServers(): Target {
  const keys = [secret(), secret()];
  const lines = `# mine\n127.0.0.1:5000 ${keys[0]}\n\n[::1]:1 ${keys[1]}\r\n`;
  return fileTarget("known-servers", [lines], [], async (path) => {
    const known = await KnownServers.load(path);
    const key = known.lookup("127.0.0.1", 5000);
    hold(key === undefined || key.length === 32, "a key of another size");
    return `known ${key !== undefined}`;
  });
}
