/**
 * What a server that runs writes to its key file. It goes on, and says what follows, where that can't be written: a
 * container may have mounted it read-only.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { FileError } from "../base/private_file.ts";
import { formatAddress } from "../keys/invite.ts";
import type { KeyFile, Listening } from "../keys/key_file.ts";
import { diagnostics } from "./diagnostics.ts";
import type { StandingLink } from "./people/standing_link.ts";

const logger = diagnostics("server");

/** Has clients in this folder find the server. */
export async function noteAddress(
  keyFile: KeyFile,
  place: Listening,
): Promise<void> {
  const { host, port } = place.listening;
  await keyFile.setListening(place).catch((error) =>
    warnUnwritten(
      error,
      `Clients and invites have the address that stands there, not ${
        formatAddress(host, port)
      }`,
    )
  );
}

/** Gives the standing link another secret. @returns It, 32 bytes. */
export async function replaceLink(
  keyFile: KeyFile,
  link: StandingLink,
): Promise<Bytes> {
  await keyFile.rotate().catch((error) =>
    warnUnwritten(error, "The old link opens the room after a restart")
  );
  const { roomKey } = keyFile.keys;
  link.set(roomKey);
  return roomKey;
}

/** Says that the key file can't be written, which the server can do without. @throws whatever else is wrong. */
function warnUnwritten(error: unknown, effect: string): void {
  if (!(error instanceof FileError)) throw error;
  logger.warn("{why}. {effect}", { why: error.message, effect });
}
