/**
 * Where a client goes that was read a spoken code. Apart from the other ways, since the page has no part in it.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { passwordOf, type SpokenCode } from "../keys/spoken_code.ts";
import { CODE_ID, MEMBER_KEY } from "../protocol/hello.ts";
import { type Destination, requireServer } from "./destination.ts";

/** By a spoken code: who knows it is the server, and from then on only who has the same key. */
export function byCode(
  code: SpokenCode,
  address: string,
  others: readonly string[] = [],
): Destination {
  let shown: Bytes | undefined;
  let pinned: Bytes | undefined;
  const { number } = code;
  return {
    address,
    others,
    handshake: {
      inviteId: CODE_ID,
      inviteKey: MEMBER_KEY, // has no part in it
      code: { number, password: passwordOf(code) },
      checkServer: (key, at) => {
        shown = key;
        if (pinned) requireServer(key, pinned, at);
      },
    },
    proven: () => pinned ??= shown,
  };
}
