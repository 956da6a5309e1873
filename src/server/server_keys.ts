/**
 * What a server that runs writes to its key file. It goes on, and says what follows, where that can't be written: a
 * container may have mounted it read-only.
 *
 * @module
 */

import { FileError } from "../base/private_file.ts";
import { type Address, formatAddress } from "../keys/invite.ts";
import type { KeyFile, Listening } from "../keys/key_file.ts";
import { diagnostics } from "./diagnostics.ts";

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

/** Has links lead to these servers of the room, too. @param servers Where members find them. */
export async function noteServers(
  keyFile: KeyFile,
  servers: readonly Address[],
): Promise<void> {
  await keyFile.setServers(servers).catch((error) =>
    warnUnwritten(
      error,
      "Links that are made by commands here lack the room's other servers",
    )
  );
}

/** Says that the key file can't be written, which the server can do without. @throws whatever else is wrong. */
export function warnUnwritten(error: unknown, effect: string): void {
  if (!(error instanceof FileError)) throw error;
  logger.warn("{why}. {effect}", { why: error.message, effect });
}
