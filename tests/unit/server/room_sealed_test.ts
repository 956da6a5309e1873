/**
 * A sealed room over an order that it shares with other servers, or by itself, while its log can't be written.
 *
 * @module
 */

import { ChatLog } from "../../../src/log/chat_log.ts";
import type { Admission, Seat } from "../../../src/server/batch.ts";
import type { Order } from "../../../src/server/order.ts";
import { SealedRoom } from "../../../src/server/sealed/sealed_room.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { ROOM_KEY } from "../../kit/connection_setup.ts";
import { Folder } from "../../kit/folder.ts";
import { ADDRESS } from "../../kit/log_kit.ts";
import { newStay } from "../../kit/people.ts";
import {
  isIn,
  nameOf,
  outcome,
  Setup,
  SharedOrder,
  TestGuest,
} from "../../kit/room_setup.ts";
import { NOTHING, parsed, SealedRoom as Model } from "../../kit/sealed_room.ts";
import { until } from "../../kit/turns.ts";

/** Who has asked to found the room, and what came of it. */
interface Founder {
  readonly guest: TestGuest;
  readonly admission: Admission;
}

/** A room that ana is about to found, and what its control lines come to. */
async function withFounder(
  run: (
    scene: { setup: Setup; model: Model; found: () => Promise<Founder> },
  ) => Promise<void>,
  order?: Order,
): Promise<void> {
  await using folder = await Folder.make();
  const path = folder.file("chat.log");
  await using log = await ChatLog.open(path, { address: ADDRESS }); // empty, as the room's is
  const control = folder.file("chat.control");
  using sealed = await SealedRoom.open(control, ROOM_KEY, log, () => {});
  await using setup = await Setup.create({ sealed, ...order && { order } });
  const model = await Model.found();
  const { full: id, cardText: card } = model.founder;
  const [founding] = model.rulings;
  assert(founding);
  const line = parsed(founding.text);
  const found = async () => {
    const candidate = { id, key: id, card, invite: 0 };
    const guest = new TestGuest(candidate, setup.broadcaster.ring);
    setup.guests.push(guest);
    const admission = await setup.room.join({
      ...{ guest, candidate, name: nameOf("ana"), stay: newStay() },
      ...{ n: 0, after: setup.log.head, from: 0 },
      entering: { line, invite: undefined, staged: NOTHING },
    });
    return { guest, admission };
  };
  await run({ setup, model, found });
}

/** Ana takes another name, by a control line of that count. */
async function rename(
  { setup, model }: { setup: Setup; model: Model },
  seat: Seat,
  name: string,
  [id, count]: readonly [number, number],
): Promise<void> {
  const said = { verb: "rename", name, count } as const;
  const { text } = await model.sign(model.founder, said);
  setup.room.rule({ seat, id, line: parsed(text), staged: NOTHING });
}

Deno.test("Room refuses a control line that can't be logged, and one who comes in by it, and takes the line once it can be", () =>
  withFounder(async ({ setup, model, found }) => {
    setup.breakLog();
    assertEquals(outcome((await found()).admission), "log-failed");
    assertEquals(setup.room.size, 0);
    setup.mend();
    const { guest, admission } = await found();
    assert(isIn(admission));
    setup.breakLog();
    await rename({ setup, model }, admission, "anna", [1, 2]);
    await until(() => guest.of("answered").length === 1);
    const failed = { kind: "refused", reason: "log-failed", detail: "" };
    assertEquals<unknown>(guest.events.slice(-2), [
      { ...failed, n: null },
      { kind: "answered", id: 1 },
    ]);
    setup.mend();
    await rename({ setup, model }, admission, "anna", [2, 2]);
    await until(() => guest.of("answered").length === 2);
    const kinds = (await setup.logged()).map(({ what }) => what);
    assertEquals(kinds, ["ruled", "joined", "ruled", "renamed"]);
  }));

Deno.test("Room has control lines wait while the log can't be written that shares its order, and refuses none of them", () => {
  const order = new SharedOrder();
  return withFounder(async ({ setup, model, found }) => {
    const { guest, admission } = await found();
    assert(isIn(admission));
    const seat = admission;
    order.head = () => setup.log.head;
    setup.breakLog();
    const rule = (name: string, id: number, count: number) =>
      rename({ setup, model }, seat, name, [id, count]);
    await rule("anna", 1, 2);
    const { clock } = setup;
    const untilTried = () => until(() => clock.pending === 1);
    await untilTried();
    await rule("annie", 2, 3);
    clock.advance(1_000);
    await untilTried();
    assertEquals(guest.of("answered"), []);
    setup.mend();
    clock.advance(1_000);
    await guest.until("answered", ({ id }) => id === 2);
    assertEquals(guest.of("answered").map(({ id }) => id), [1, 2]);
    assertEquals(guest.of("refused"), []);
    assertEquals(seat.member.name.shown, "annie");
  }, order);
});
