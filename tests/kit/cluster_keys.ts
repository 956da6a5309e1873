/**
 * Keys of servers that share a room, for tests.
 *
 * @module
 */

import { sha256 } from "../../crypto_utils.ts";
import { ClusterKeys } from "../../src/server/cluster/keys.ts";

const encoder = new TextEncoder();

/** The keys of a made-up room. @param secret Another word: another secret under the same public key. */
export function clusterKeys(room: string, secret = room): Promise<ClusterKeys> {
  return ClusterKeys.create(
    sha256(encoder.encode(`secret of ${secret}`)),
    sha256(encoder.encode(`key of ${room}`)),
  );
}
