/**
 * Private messages in the order of the room: who may have one kept, what comes of it, and what needs no log.
 *
 * @module
 */

import { OTHERS_GUEST } from "../../../src/server/cluster/items.ts";
import type { Item, Seat } from "../../../src/server/batch.ts";
import { LETTER_KEPT } from "../../../src/server/letters.ts";
import { Mailbox, type Posted } from "../../../src/server/mailbox.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUp, madeUpId, newStay } from "../../kit/people.ts";
import { GivenOrder, nameOf, Setup } from "../../kit/room_setup.ts";

/** A room with a mailbox. */
async function setUp(stack: AsyncDisposableStack) {
  const folder = stack.use(await Folder.make());
  const mailbox = stack.use(Mailbox.open(folder.file("chat.waiting")));
  const order = new GivenOrder();
  const setup = stack.use(await Setup.create({ mailbox, order }));
  return { mailbox, order, setup };
}

/** Has a message to bo kept. @returns What comes of it. */
function post({ room }: Setup, seat: Seat, n = 1): Promise<Posted> {
  const { member: { person: { id: from } }, stay } = seat;
  const to = madeUpId("bo");
  const words = { data: `m${n}`, own: `c${n}` };
  return new Promise((posted) =>
    room.post(seat, { from, to, stay, n, ...words }, posted)
  );
}

/** What is kept for bo. */
function kept(mailbox: Mailbox): string[] {
  return mailbox.state().flatMap((it) =>
    it.kind === "letter" && it.to === madeUpId("bo") ? [it.data] : []
  );
}

Deno.test("Room.post() keeps a message before its sender leaves, and none of who has left", async () => {
  await using stack = new AsyncDisposableStack();
  const { mailbox, setup } = await setUp(stack);
  const { seat } = await setup.join("ana");
  const first = post(setup, seat, 1);
  setup.room.leave(seat, "left");
  const second = post(setup, seat, 2);
  assertEquals(await Promise.all([first, second]), [
    "waiting",
    "mailbox-failed",
  ]);
  assertEquals(kept(mailbox), ["m1"]);
});

Deno.test("Room.post() keeps a message to one who is in by the same server, and doesn't collect, waiting", async () => {
  await using stack = new AsyncDisposableStack();
  const { mailbox, setup } = await setUp(stack);
  const { seat } = await setup.join("ana");
  await setup.join("bo", { key: "bo" });
  assertEquals(await post(setup, seat), "waiting");
  assertEquals(kept(mailbox), ["m1"]);
});

Deno.test("Room.post() drops what an old connection still had when its stay came back by a new one, which says it again", async () => {
  await using stack = new AsyncDisposableStack();
  const { mailbox, setup } = await setUp(stack);
  const stay = newStay();
  const { seat: old } = await setup.join("ana", { key: "ana", stay });
  const { seat } = await setup.join("ana", { key: "ana", stay });
  assertEquals(await post(setup, old), "mailbox-failed");
  assertEquals(await post(setup, seat), "waiting");
  assertEquals(await post(setup, seat), "waiting");
  assertEquals(kept(mailbox), ["m1"]);
});

Deno.test("Room.post() and Room.got() need no log", async () => {
  await using stack = new AsyncDisposableStack();
  const { mailbox, setup } = await setUp(stack);
  const { seat, guest } = await setup.join("ana");
  setup.breakLog();
  const posted = post(setup, seat);
  setup.say(seat, { n: 1, text: "not now" }); // in the same batch
  await guest.until("refused", ({ reason }) => reason === "log-failed");
  assertEquals(await posted, "waiting");
  const told = { tell() {} };
  assertEquals(mailbox.collect(madeUpId("bo"), told, null, Date.now()), 2);
  setup.room.got(madeUpId("bo"), Number.MAX_SAFE_INTEGER);
  assertEquals(await post(setup, seat), "delivered"); // for bo has it
  setup.mend();
});

Deno.test("Room.got() drops all messages that have been kept for seven days by the time of the order", async () => {
  await using stack = new AsyncDisposableStack();
  const { mailbox, order, setup } = await setUp(stack);
  const { seat, guest } = await setup.join("ana");
  assertEquals(await post(setup, seat), "waiting");
  const at = Date.now() + LETTER_KEPT;
  const got: Item = { kind: "got", person: madeUpId("eve"), id: 0 };
  const cases: [number, string[]][] = [[at - 60_000, ["m1"]], [at, []]];
  for (const [time, left] of cases) {
    order.given.push({ items: [got], at: time, behind: setup.log.head });
    setup.room.away(seat, `${time}`);
    await guest.until("absent", ({ text }) => text === `${time}`);
    assertEquals(kept(mailbox), left);
  }
});

Deno.test("a message to who is in by another server is delivered; one that was sent there is kept, at the time of its entry", async () => {
  await using stack = new AsyncDisposableStack();
  const { mailbox, order, setup } = await setUp(stack);
  const { seat } = await setup.join("ana");
  const bo = Promise.withResolvers<Seat>();
  const { head: after } = setup.history;
  const coming: Item = {
    kind: "join",
    server: "b",
    request: {
      guest: OTHERS_GUEST,
      candidate: madeUp("bo"),
      name: nameOf("bo"),
      stay: newStay(),
      n: 0,
      after,
      from: after,
    },
    answer: (admission) => {
      if (typeof admission === "object" && "member" in admission) {
        bo.resolve(admission);
      }
    },
  };
  const at = Date.now() + 86_400_000; // the clocks differ
  order.given.push({ items: [coming], at, behind: setup.log.head });
  setup.room.away(seat, "lunch");
  await setup.guests[0]?.until("joined", ({ name }) => name === "bo");
  assertEquals(await post(setup, seat), "delivered");

  const from = madeUpId("eve");
  const words = { to: madeUpId("ana"), data: "m9", own: "c9" };
  const posting = { from, stay: newStay(), n: 9, ...words };
  const posted = Promise.withResolvers<Posted>();
  const item = { kind: "post", posting, posted: posted.resolve } as const;
  const items = [{ ...item, seat }];
  order.given.push({ items, at, behind: setup.log.head });
  setup.room.away(seat, "");
  assertEquals(await posted.promise, "waiting"); // ana doesn't collect
  const letters = mailbox.state().filter((it) => it.kind === "letter");
  assertEquals(letters.filter((it) => it.at === at).length, 2);
});
