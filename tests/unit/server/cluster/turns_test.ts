import { Turns } from "../../../../src/server/cluster/turns.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

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
});

Deno.test("Turns wakes its server when nobody waits any more, and when another has had its time", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let woken = 0;
  const turns = new Turns("ana", () => {
    woken++;
    if (turns.isOwn) resolve();
  });
  turns.lost("bo"); // and never has anything decided
  assert(!turns.isOwn);
  await promise;
  assert(woken > 0);
  turns.lost("cy");
  const before = woken;
  turns.done("cy");
  assertEquals(woken, before + 1);
  assert(turns.isOwn);
  turns.stop();
});
