/**
 * With which key a client seals over a connection, and how it asks for the one that it lacks.
 *
 * @module
 */

import { Sealing } from "../../../../src/client/sealed/sealing.ts";
import type { SealedRoom } from "../../../../src/client/sealed/sealed_room.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { TestView } from "../../../kit/session_setup.ts";
import { isDone } from "../../../kit/turns.ts";

const ROOM = new Uint8Array(32).fill(1);
const KEY = new Uint8Array(32).fill(2);

/** A connection to a room that has some keys. */
function setUp(keys: (Uint8Array<ArrayBuffer> | undefined)[]) {
  const asked: number[] = [];
  const view = new TestView();
  const it = {
    epoch: 0,
    resent: 0,
    isGone: false,
    id: ROOM as Uint8Array<ArrayBuffer> | undefined,
  };
  const room = {
    get membership() {
      return { room: it.id, epoch: it.epoch };
    },
    keys: { get: (e: number) => Promise.resolve(keys[e]) },
  } as unknown as SealedRoom;
  const sealing = new Sealing({
    room,
    view,
    ask: ({ e }) => {
      asked.push(e);
      return it.isGone ? Promise.reject(new Error("gone")) : Promise.resolve();
    },
    resend: () => void it.resent++,
  });
  return { sealing, asked, view, it };
}

Deno.test("Sealing gives the key of now once it is here, and nothing once the connection has ended", async () => {
  const { sealing, it, asked } = setUp([KEY, undefined, ROOM]);
  const first = sealing.key();
  assertEquals([await isDone(first), sealing.isReady], [false, false]);
  await sealing.begin();
  assertEquals(await first, { room: ROOM, e: 0, key: KEY });
  assertEquals([sealing.isReady, sealing.round, it.resent], [true, 0, 0]);
  it.epoch = 1; // whose key isn't here
  await sealing.renew();
  assertEquals([sealing.isReady, asked, it.resent], [false, [1], 0]);
  const second = sealing.key();
  it.epoch = 2;
  await sealing.renew();
  assertEquals(await second, { room: ROOM, e: 2, key: ROOM });
  assertEquals([sealing.isReady, sealing.round, it.resent], [true, 1, 1]);
  it.epoch = 1;
  await sealing.renew();
  const last = sealing.key();
  sealing.close();
  assertEquals([await last, await sealing.key()], [undefined, undefined]);
});

Deno.test("Sealing has no key for a room that isn't founded", async () => {
  const { sealing, it } = setUp([KEY]);
  it.id = undefined;
  await sealing.begin();
  assertEquals(sealing.isReady, false);
});

Deno.test("Sealing asks for each key that doesn't come once, and says so, also where the connection has just gone", async () => {
  const { sealing, it, asked, view } = setUp([]);
  for (const epoch of [0, 1]) {
    it.epoch = epoch;
    it.isGone = epoch === 1;
    await sealing.need();
    await sealing.need();
    await sealing.renew();
  }
  assertEquals([asked, view.notes.length], [[0, 1], 2]);
});
