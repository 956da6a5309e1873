/**
 * Where a client goes and how it knows that it is there: by an invite, which names the server's key, or by a
 * passphrase, with a key that was accepted before.
 *
 * @module
 */

import { JoinError } from "./join_error.ts";
import type { View } from "./view.ts";
import {
  type Bytes,
  equalBytes,
  passphraseKey,
  spokenFingerprint,
} from "../../crypto_utils.ts";
import { reasonOf } from "../base/error_reason.ts";
import { UsageError } from "../base/flags.ts";
import { clientCommand } from "../base/program.ts";
import {
  type Address,
  formatAddress,
  type Invite,
  parseInvite,
  PASSPHRASE_ID,
} from "../keys/invite.ts";
import { findLocalInvite } from "../keys/key_file.ts";
import { KnownServers } from "../keys/known_servers.ts";
import type { KeyPair } from "../crypto/x25519.ts";
import type { Stream } from "../protocol/record_reader.ts";
import { connectChannel, type ConnectOptions } from "../protocol/handshake.ts";

/** Where a server keeps its key: in its folder no invite is needed. */
const KEY_FILE = "chat.key";

/** Where to go and how to get in. */
export interface Destination extends Address {
  /** What of the handshake is known before there is an identity. */
  readonly handshake: Omit<ConnectOptions, "keyPair">;
}

/** Opens a connection to a server. */
export type Dial = (address: Address) => Promise<Stream>;

/**
 * The server that an invite names: the one given, or that of a server in this folder.
 * @throws {UsageError} if there is none, or none that can be read. @throws {FileError}
 */
export async function findInvited(invite?: string): Promise<Destination> {
  if (invite !== undefined) {
    try {
      return byInvite(parseInvite(invite));
    } catch (error) {
      if (error instanceof SyntaxError) throw new UsageError(error.message);
      throw error;
    }
  }
  const local = await findLocalInvite(KEY_FILE);
  if (local) return byInvite(local);
  throw new UsageError(
    `No link was given, and no server's ${KEY_FILE} is here: ${clientCommand()} 'chat://…'`,
  );
}

function byInvite({ host, port, serverKey, id, key }: Invite): Destination {
  const address = formatAddress(host, port);
  const checkServer = (presented: Bytes) => {
    if (equalBytes(presented, serverKey)) return;
    throw new JoinError(
      `${address} is not the server that your link names`,
      "Somebody may be between you and it. Nothing was sent. If the server was set up anew, ask for a new link",
    );
  };
  const handshake = { inviteId: id, inviteKey: () => key, checkServer };
  return { host, port, handshake };
}

/** What it takes to join by a passphrase. */
export interface PassphraseOptions {
  /** Where the server is. */
  readonly address: Address;
  /** The passphrase. */
  readonly passphrase: string;
  /** The client's key. */
  readonly keyPair: KeyPair;
  /** The file of known servers. */
  readonly path: string;
  /** Where a person is asked whether a fingerprint is the right one; left out if there is nobody to ask. */
  readonly view?: View;
  /** Opens a connection to the server, to see its key. */
  readonly dial: Dial;
}

/**
 * The server at an address, if its key is known or somebody accepts it.
 * @throws {JoinError} if it can't be reached, or its key isn't accepted. @throws {FileError}
 */
export async function byPassphrase(
  options: PassphraseOptions,
): Promise<Destination> {
  const { address, passphrase, path } = options;
  const pinned = await pinnedKey(options);
  const checkServer = (presented: Bytes) => {
    if (equalBytes(presented, pinned)) return;
    const { host, port } = address;
    throw new JoinError(
      `${formatAddress(host, port)} is not the server that you joined before`,
      `Somebody may be between you and it. Nothing was sent. If the server was set up anew, remove its line from ${path}`,
    );
  };
  const inviteKey = (salt: Bytes) => passphraseKey(passphrase, salt);
  const handshake = { inviteId: PASSPHRASE_ID, inviteKey, checkServer };
  return { ...address, handshake };
}

/** As ssh does: a server's key is asked about once, and must be the same ever after. */
async function pinnedKey(options: PassphraseOptions): Promise<Bytes> {
  const { address: { host, port }, path, view } = options;
  const known = await KnownServers.load(path);
  const pinned = known.lookup(host, port);
  if (pinned) return pinned;
  const where = formatAddress(host, port);
  const key = await presentedKey(options).catch((cause) => {
    throw new JoinError(
      `Cannot join ${where}: ${reasonOf(cause)}`,
      "Check that the server runs and can be reached from here",
      cause,
    );
  });
  if (!view) {
    throw new JoinError(
      `${where} is not a known server`,
      "Join once from a terminal, where you can check its fingerprint, or use an invite",
    );
  }
  if (!await isAccepted(view, where, spokenFingerprint(key))) {
    throw new JoinError(
      "The server's key was not accepted",
      "Ask the server's owner for its fingerprint",
    );
  }
  await known.add(host, port, key);
  return key;
}

async function isAccepted(
  view: View,
  where: string,
  fingerprint: string,
): Promise<boolean> {
  view.note(`You have not joined ${where} before. Its fingerprint:`);
  view.note(`    ${fingerprint}`);
  const answer = await view.ask("Is that the server you mean? (yes/no) ");
  return answer?.trim().toLowerCase() === "yes";
}

/** The key that a server shows in its handshake, which goes no further. */
async function presentedKey(
  { address, keyPair, dial }: PassphraseOptions,
): Promise<Bytes> {
  let presented: Bytes | undefined;
  const enough = new Error("enough");
  const stream = await dial(address);
  try {
    await connectChannel(stream, {
      keyPair,
      inviteId: PASSPHRASE_ID,
      inviteKey: () => Promise.reject(enough),
      checkServer: (key) => {
        presented = key;
        throw enough;
      },
    });
  } catch (error) {
    if (error !== enough) throw error;
  } finally {
    stream.close();
  }
  if (!presented) throw new Error("Cannot see the server's key");
  return presented;
}
