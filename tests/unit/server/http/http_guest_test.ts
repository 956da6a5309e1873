/**
 * A program's place in the room, and what becomes of what is said there when it ends.
 *
 * @module
 */

import { fullId } from "../../../../src/crypto/person_id.ts";
import { parseName } from "../../../../src/protocol/names.ts";
import {
  HttpGuest,
  numberAfter,
} from "../../../../src/server/http/http_guest.ts";
import { HttpRoom } from "../../../../src/server/http/http_room.ts";
import { identityFor } from "../../../../src/server/http/speaker.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { say } from "../../../kit/connection_setup.ts";
import { Desk } from "../../../kit/http_desk.ts";
import { SECRET } from "../../../kit/http_setup.ts";
import { withLateLog, withMethod } from "../../../kit/log_kit.ts";
import { until } from "../../../kit/turns.ts";

/** A place in the room, of which nobody else knows. */
async function guestIn({ place }: Desk): Promise<HttpGuest> {
  const name = parseName("quiet");
  assert(typeof name !== "string");
  const identity = await identityFor(SECRET.slice(), name);
  place.people.access.letIn(fullId(identity.id));
  return new HttpGuest(identity, new HttpRoom(place));
}

const MARKS = 2 ** 32;

Deno.test("numberAfter() is the next number, or the next one that stands for a mark", () => {
  const cases = [
    [0, undefined, 1],
    [41, undefined, 42],
    [0, 1, 1],
    [0, 7, 7],
    [7, 7, MARKS + 7],
    [8, 7, MARKS + 7],
    [0, 0, MARKS],
    [MARKS - 1, 0, MARKS],
    [MARKS, 0, 2 * MARKS],
    [5 * MARKS + 3, MARKS - 1, 6 * MARKS - 1],
  ] as const;
  for (const [n, mark, next] of cases) {
    assertEquals(numberAfter(n, mark), next, `${n}, ${mark}`);
  }
});

Deno.test("HttpGuest says lines where it is in, and tells what ended it of all that is said after that", async () => {
  await using desk = await Desk.create();
  const guest = await guestIn(desk);
  assertEquals(await guest.enter("quiet"), undefined);
  assertEquals([guest.ended, guest.isSpent, guest.isHere], [
    undefined,
    false,
    true,
  ]);
  const line = (text: string) => ({ text, mark: undefined });
  const said = await guest.say([line("one"), line("two")], 7);
  assertEquals(await Promise.all(said), [{ seq: 2 }, { seq: 3 }]);
  guest.outlet.drop();
  guest.dismiss("left"); // it has ended before
  assertEquals(guest.ended, "slow");
  await desk.clock.turn();
  const late = await guest.say([line("three")], 5);
  assertEquals(await Promise.all(late), [{ ended: "slow" }]);
  const ana = await desk.setup.connect();
  await ana.join("ana");
  assertEquals(desk.setup.room.size, 1, "it has left");
  assertEquals(
    (await desk.setup.logged()).map(([, what]) => what).slice(0, 3),
    ["joined", "said", "said"],
  );
});

Deno.test("HttpGuest is told why it isn't let in and why a line is refused, and says to members what it is", async () => {
  await using desk = await Desk.create();
  const ana = await desk.setup.connect();
  await ana.join("Quiet");
  const stranger = await guestIn(desk);
  assertEquals((await stranger.enter("quiet"))?.reason, "name-taken");
  assertEquals(stranger.ended, undefined);
  await ana.send({ kind: "rename", name: "ana" }, { kind: "release", id: 1 });
  await ana.until("answered");
  const guest = await guestIn(desk);
  assertEquals(await guest.enter("quiet"), undefined);
  await ana.until("absent");
  const words = ana.of("absent").map(({ text }) => text);
  assertEquals(words, ["a program, by HTTP"]);
  desk.setup.people.set({ slow: 30 });
  const line = { text: "one", mark: undefined };
  const saying = guest.say([line, line], 6);
  guest.tell({ kind: "privately", n: 1, state: "waiting" }); // is about no line
  assertEquals(await Promise.all(await saying), [
    { seq: 4 },
    { refused: { reason: "too-soon", detail: "" } },
  ]);
  guest.dismiss("left");
});

Deno.test("HttpGuest tells at once that something may have changed: a second, a line, its end", async () => {
  await using desk = await Desk.create();
  const ana = await desk.setup.connect();
  await ana.join("ana");
  const guest = await guestIn(desk);
  await guest.enter("quiet");
  await ana.until("absent"); // the last that is told of who has come in
  const signs = [
    () => guest.tick(),
    () => void guest.outlet.drop(),
  ];
  for (const sign of signs) {
    let hasChanged = false;
    void guest.changed().then(() => hasChanged = true);
    await desk.clock.turn();
    assertEquals(hasChanged, false);
    sign();
    await desk.clock.turn();
    assertEquals(hasChanged, true);
  }
  await ana.until("left");
  const other = await guestIn(desk);
  await other.enter("quiet");
  await until(() => ana.of("absent").length === 2);
  const changed = other.changed();
  await ana.send(say(1));
  await changed;
  other.dismiss("left");
});

Deno.test("HttpGuest looks through the log for what waits alone, from where that began, once at a time", async () => {
  await using desk = await Desk.create();
  const ana = await desk.setup.connect();
  await ana.join("ana");
  const guest = await guestIn(desk);
  await guest.enter("quiet");
  const { history } = desk.setup;
  const looked: number[] = [];
  let looking = 0;
  const more = async (n: number) => {
    await ana.send(say(n));
    await ana.until("said", (it) => it.n === n);
  };
  const counting =
    (lines: typeof history.lines) =>
    async (...[after, upTo]: Parameters<typeof lines>) => {
      looked.push(after);
      assertEquals(++looking, 1);
      if (looked.length === 1) await more(after); // comes while it looks
      looking--;
      return await lines.call(history, after, upTo);
    };
  await withMethod(history, "lines", counting, async () => {
    const line = { text: "own", mark: undefined };
    for (const head of [3, 7]) {
      const said = await guest.say([line, line], 3);
      assertEquals(await Promise.all(said), [{ seq: head }, { seq: head + 1 }]);
      await more(head);
      assertEquals(looked.splice(0), [head - 1]);
    }
  });
  guest.tell({ kind: "refused", n: 9, reason: "too-soon", detail: "" }); // which doesn't wait
  guest.dismiss("left");
  let hasChanged = false;
  void guest.changed().then(() => hasChanged = true);
  await ana.send(say(9));
  await ana.until("said", ({ n }) => n === 9);
  assertEquals(hasChanged, false); // nobody tells it anything any more
});

Deno.test("HttpGuest that is sent away tells what waits so, once it is known what of that is in the log", async () => {
  await using desk = await Desk.create();
  const guest = await guestIn(desk);
  await guest.enter("quiet");
  await withLateLog(desk.setup.log, async () => {
    const line = { text: "late", mark: undefined };
    const said = await guest.say([line, line], 9);
    guest.dismiss("removed");
    const ended = { ended: "removed" } as const;
    assertEquals(await Promise.all(said), [ended, ended]);
  });
});

Deno.test("HttpGuest counts the bytes of what is said with those that came", async () => {
  await using desk = await Desk.create();
  let received = 0;
  const { measures } = desk.place;
  assert(measures);
  const add = (size = 1) => void (received += size);
  Object.assign(measures, { receivedBytes: { add } });
  const guest = await guestIn(desk);
  await guest.enter("quiet");
  await Promise.all(await guest.say([{ text: "one", mark: 7 }], 123));
  assertEquals(received, 123);
  guest.dismiss("left");
});
