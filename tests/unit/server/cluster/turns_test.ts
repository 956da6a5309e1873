import { Turns } from "../../../../src/server/cluster/turns.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";

/** Whether it is the turn of each of some servers, all of which have seen the same. */
function turnsOf(ids: readonly string[], seen: (turns: Turns) => void) {
  const all = ids.map((id) => {
    const turns = new Turns(id, () => {});
    seen(turns);
    turns.stop();
    return [id, turns.isOwn] as const;
  });
  return all.flatMap(([id, isOwn]) => isOwn ? [id] : []);
}

const SERVERS = ["ana", "bo", "cy"];

Deno.test("Turns lets everybody decide while nobody waits", () => {
  assertEquals(turnsOf(SERVERS, () => {}), SERVERS);
});

Deno.test("Turns lets one decide at a time, in the order in which they lost", () => {
  const lost = (turns: Turns) =>
    ["cy", "ana", "cy"].forEach((it) => turns.lost(it));
  assertEquals(turnsOf(SERVERS, lost), ["cy"]);
  assertEquals(
    turnsOf(SERVERS, (turns) => {
      lost(turns);
      turns.done("cy");
    }),
    ["ana"],
  );
  assertEquals(
    turnsOf(SERVERS, (turns) => {
      lost(turns);
      turns.done("cy");
      turns.done("ana");
    }),
    SERVERS, // cy waits once, however often it lost
  );
});

Deno.test("Turns goes on without one that is gone while it waits", () => {
  const seen = (turns: Turns) => {
    ["cy", "ana", "bo"].forEach((it) => turns.lost(it));
    turns.done("ana");
    turns.done("cy");
  };
  assertEquals(turnsOf(SERVERS, seen), ["bo"]);
});

Deno.test("Turns lets a server that comes wait for its turn once, however often that is said", () => {
  const seen = (turns: Turns) => {
    turns.comes("ana");
    turns.comes("bo");
    turns.comes("ana");
    turns.done("ana");
    turns.comes("ana");
    turns.done("bo");
    turns.comes("bo");
  };
  assertEquals(turnsOf(SERVERS, seen), SERVERS);
  const once = (turns: Turns) => turns.comes("bo");
  assertEquals(turnsOf(SERVERS, once), ["bo"]);
});

Deno.test("Turns wakes its server when nobody waits any more, and when another has had its 250 ms", () => {
  using clock = new ManualClock();
  let woken = 0;
  const turns = new Turns("ana", () => void woken++);
  turns.lost("bo"); // and never has anything decided
  turns.lost("ana");
  clock.advance(249);
  turns.lost("cy"); // who comes later, and changes nothing
  assertEquals([woken, turns.isOwn], [0, false]);
  clock.advance(1);
  assertEquals([woken, turns.isOwn], [1, true]);
  clock.advance(100);
  turns.done("nobody");
  turns.done("cy"); // whose turn it wasn't
  clock.advance(149);
  assertEquals(woken, 1);
  clock.advance(1);
  assertEquals(woken, 2); // its own time is over
  assertEquals([turns.isOwn, woken, clock.pending], [true, 3, 0]);
  clock.advance(250);
  assertEquals([turns.isOwn, woken], [true, 3]);
  turns.lost("cy");
  turns.done("cy");
  assertEquals([turns.isOwn, woken], [true, 4]);
  turns.lost("bo");
  turns.stop();
  assertEquals(clock.pending, 0);
});

Deno.test("Turns gives each of those who wait 250 ms, though nobody looks meanwhile", () => {
  using clock = new ManualClock();
  const turns = new Turns("ana", () => {});
  for (const it of ["bo", "cy", "ana"]) turns.lost(it);
  clock.advance(250);
  assert(!turns.isOwn); // cy's begins
  clock.advance(249);
  assert(!turns.isOwn);
  clock.advance(1);
  assert(turns.isOwn);
  clock.advance(1_000);
  assert(turns.isOwn); // nobody waits
  turns.stop();
});
