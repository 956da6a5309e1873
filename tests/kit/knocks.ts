/**
 * Strangers at a server's door: so many that it has a worker shake hands.
 *
 * @module
 */

import { firstRecord } from "../../bench/strangers/flood.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { assert } from "./assert.ts";

const ROUNDS = 10;
const AT_ONCE = 40;

/** Has strangers begin handshakes with the server at a port of this machine, forty at once; each waits for the answer. */
export async function knockOften(port: number): Promise<void> {
  const first = await firstRecord();
  const knock = async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, first);
    assert(await conn.read(new Uint8Array(9)));
  };
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(Array.from({ length: AT_ONCE }, knock));
  }
}
