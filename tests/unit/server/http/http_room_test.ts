/**
 * The room as programs read it: in which pieces.
 *
 * @module
 */

import type { ConnectionOptions } from "../../../../src/server/connection.ts";
import { HttpRoom } from "../../../../src/server/http/http_room.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

Deno.test("HttpRoom.lines() reads 16 numbers at a time, no more than it is to, and leaves out where no lines are", async () => {
  const asked: (readonly [number, number])[] = [];
  const history = {
    lines: (after: number, upTo: number) => {
      asked.push([after, upTo]);
      assert(asked.length < 9, "there is no end to it");
      return Promise.resolve(after === 16 ? [] : [{ seq: upTo }]);
    },
  };
  const room = new HttpRoom({ history } as unknown as ConnectionOptions);
  const read = async (after: number, upTo: number) => {
    const pieces = await Array.fromAsync(room.lines(after, upTo));
    return pieces.map((lines) => lines.map(({ seq }) => seq));
  };
  assertEquals(await read(0, 40), [[16], [40]]);
  assertEquals(await read(3, 19), [[19]]);
  assertEquals(await read(5, 5), []);
  assertEquals(asked, [[0, 16], [16, 32], [32, 40], [3, 19]]);
});
