/**
 * Where a client goes and how it knows that it is there: by an invite, which names the server's key, or by
 * a passphrase, with a key that was accepted before. Knows nothing of names or of what is said.
 *
 * @module
 */

import { equalBytes, passphraseKey } from "../../crypto_utils.ts";
import { spokenFingerprint } from "../../crypto_utils.ts";
import type { Bytes } from "../../crypto_utils.ts";
import { type Address, formatAddress, type Invite } from "../keys/invite.ts";
import { PASSPHRASE_ID } from "../keys/invite.ts";
import { KnownServers } from "../keys/known_servers.ts";
import { reasonOf } from "../base/error_reason.ts";
import { JoinError } from "./join_error.ts";
import type { KeyPair } from "../crypto/x25519.ts";
import { connectChannel, type ConnectOptions } from "../protocol/handshake.ts";

/** Where to go and how to get in. */
export interface Destination extends Address {
  /** What of the handshake is known before there is an identity. */
  readonly handshake: Omit<ConnectOptions, "keyPair">;
}

/** Asks a person whether a server's fingerprint is the right one; undefined where there is nobody to ask. */
export type Accept =
  | ((address: string, fingerprint: string) => Promise<boolean>)
  | undefined;

/** The server that an invite names. */
export function byInvite(
  { host, port, serverKey, id, key }: Invite,
): Destination {
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

/** Opens a connection to a server. */
export async function dial(
  { host, port }: Address,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: host, port });
  conn.setNoDelay(true);
  return conn;
}

/** The key that a server shows in its handshake, which goes no further. */
async function presentedKey(
  address: Address,
  keyPair: KeyPair,
): Promise<Bytes> {
  let presented: Bytes | undefined;
  const enough = new Error("enough");
  using conn = await dial(address);
  try {
    await connectChannel(conn, {
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
  }
  if (!presented) throw new Error("Cannot see the server's key");
  return presented;
}

/** As ssh does: a server's key is asked about once, and must be the same ever after. */
async function pinnedKey(
  address: Address,
  known: KnownServers,
  keyPair: KeyPair,
  accept: Accept,
): Promise<Bytes> {
  const { host, port } = address;
  const pinned = known.lookup(host, port);
  if (pinned) return pinned;
  const where = formatAddress(host, port);
  const key = await presentedKey(address, keyPair).catch((cause) => {
    throw new JoinError(
      `Cannot join ${where}: ${reasonOf(cause)}`,
      "Check that the server runs and can be reached from here",
      cause,
    );
  });
  if (!accept) {
    throw new JoinError(
      `${where} is not among the servers that you know`,
      "Join once from a terminal, where you can check its fingerprint, or use an invite",
    );
  }
  if (!await accept(where, spokenFingerprint(key))) {
    throw new JoinError(
      "The server's key was not accepted",
      "Ask whoever runs the server for its fingerprint",
    );
  }
  await known.add(host, port, key);
  return key;
}

/**
 * The server at an address, if its key is known or somebody accepts it.
 * @param path The file of known servers.
 * @throws {JoinError} where it can't be reached, or its key isn't accepted. @throws {FileError}
 */
export async function byPassphrase(
  address: Address,
  passphrase: string,
  keyPair: KeyPair,
  path: string,
  accept: Accept,
): Promise<Destination> {
  const known = await KnownServers.load(path);
  const pinned = await pinnedKey(address, known, keyPair, accept);
  const checkServer = (presented: Bytes) => {
    if (equalBytes(presented, pinned)) return;
    throw new JoinError(
      `${
        formatAddress(address.host, address.port)
      } is not the server that you joined before`,
      `Somebody may be between you and it. Nothing was sent. If the server was set up anew, remove its line from ${path}`,
    );
  };
  const inviteKey = (salt: Bytes) => passphraseKey(passphrase, salt);
  const handshake = { inviteId: PASSPHRASE_ID, inviteKey, checkServer };
  return { ...address, handshake };
}
