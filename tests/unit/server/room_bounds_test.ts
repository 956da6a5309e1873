/**
 * The room where thousands do something at once: each batch fits the ring, whatever is in it, and nobody is dropped.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import type { Guest, Seat } from "../../../src/server/batch.ts";
import { Outlet } from "../../../src/server/outlet.ts";
import type { Room } from "../../../src/server/room.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { madeUp, newStay } from "../../kit/people.ts";
import { isIn, nameOf, RING_SIZE, Setup } from "../../kit/room_setup.ts";

/** Somebody who is in and reads nothing that is shown. @param drop Is called if it is too slow. */
function silentGuest({ broadcaster }: Setup, drop: () => void): Guest {
  const writer = { write: (bytes: Bytes) => Promise.resolve(bytes.length) };
  const options = { limit: RING_SIZE, tooSlow: drop };
  return {
    isHere: true,
    ended: undefined,
    outlet: new Outlet(broadcaster.ring, writer, options),
    tell: () => {},
    pass: () => {},
    share: () => {},
    dismiss: () => {},
  };
}

/** Three bytes a UTF-16 unit, as many as a text of that length can have. */
const LONG = "€".repeat(256);

const DEEDS: Readonly<
  Record<"left" | "absent" | "renamed", (room: Room, seat: Seat) => void>
> = {
  left: (room, seat) => room.leave(seat, LONG),
  absent: (room, seat) => room.away(seat, LONG),
  renamed(room, seat) {
    for (let time = 0; time < 9; time++) {
      room.rename(seat, nameOf(`${"字".repeat(20)}${seat.id}.${time}`));
    }
  },
};

for (const [kind, deed] of Object.entries(DEEDS)) {
  Deno.test(`Room drops nobody where 3,000 members do at once what is told as "${kind}"`, async () => {
    await using setup = await Setup.create({
      ring: 2 * RING_SIZE,
      maxMembers: 3_001,
    });
    const { guest } = await setup.join("ana");
    let dropped = 0;
    const drop = () => void dropped++;
    const seats = await Promise.all(
      Array.from({ length: 3_000 }, async (_, at) => {
        const admission = await setup.room.join({
          guest: silentGuest(setup, drop),
          name: nameOf(`o${at}`),
          n: 0,
          after: setup.history.head,
          from: 0,
          candidate: madeUp(`o${at}`),
          stay: newStay(),
        });
        assert(isIn(admission));
        return admission;
      }),
    );
    for (const seat of seats) deed(setup.room, seat);
    const last = seats.at(-1)?.id;
    const count = kind === "renamed" ? 27_000 : 3_000;
    const isLast = () => guest.events.filter((it) => it.kind === kind).length;
    await Promise.race([
      guest.until(
        kind as "left",
        ({ id }) => id === last && isLast() === count,
      ),
      setup.running,
    ]);
    assertEquals([guest.dropped, dropped, isLast()], [false, 0, count]);
  });
}
