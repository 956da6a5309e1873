/**
 * Clients of a sealed room that are killed right after any event that leaves them: while they found the room, invite, come
 * in, and remove somebody with a change of the key. With the real programs.
 *
 * @module
 */

import type { Kind } from "../../src/protocol/events.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { SealedPersons } from "../kit/sealed_persons.ts";

/** What clients say on the way, in whichever order. */
const STEPS: ReadonlySet<Kind> = new Set([
  "follow",
  "wrap",
  "enter",
  "join",
  "admit",
  "rule",
]);

/**
 * Kills somebody's client right after so many of those events have left it; the server gets no more of them.
 * @param act Lets the client begin. @param done Resolves when it got through with fewer.
 * @returns Whether it was killed.
 */
async function killAfter(
  room: SealedPersons,
  name: string,
  count: number,
  act: () => Promise<unknown>,
  done: () => Promise<unknown>,
): Promise<boolean> {
  const reached = Promise.withResolvers<boolean>();
  let steps = 0;
  room.hostile.up.set(name, ({ event }) => {
    if (!STEPS.has(event.kind)) return [event];
    if (++steps === count) reached.resolve(true);
    return steps > count ? [] : [event];
  });
  await act();
  const through = done().then(() => false, () => true);
  const isKilled = await Promise.race([reached.promise, through]);
  if (isKilled) await room.person(name).kill();
  room.hostile.up.delete(name);
  return isKilled;
}

/** Members hear each other, and nothing is wrong. */
async function talk(
  room: SealedPersons,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const text = `${name} after ${room.client(name).shown.length}`;
    await room.say(name, text);
    for (const other of names) await room.client(other).shows("said", { text });
  }
  for (const name of names) {
    assertEquals(room.client(name).all("warning"), []);
  }
  assertEquals(room.hostile.faults, []);
}

Deno.test("a founder that is killed at any step founds the room by the same command again, and the others come by its link", async () => {
  let isKilled = true;
  let killed = 0;
  for (let count = 1; isKilled; count++) {
    const founds = async (room: SealedPersons) => {
      const ana = room.person("ana");
      const begin = () => ana.start(room.founding, "--found");
      const isIn = () => ana.here.isIn();
      isKilled = await killAfter(room, "ana", count, begin, isIn);
      if (!isKilled) return;
      killed++;
      await (await begin()).isIn();
    };
    await using room = await SealedPersons.found(["ana", "bob"], { founds });
    const invite = await room.client("ana").shows("invite");
    assert(invite.link !== undefined);
    await room.join("bob", invite.link);
    await talk(room, ["ana", "bob"]);
  }
  assert(killed >= 7, `killed ${killed} times`); // follow, wrap, enter, join; admit, wrap, rule
});

Deno.test("a keeper that is killed at any step of inviting invites again, and the link lets somebody in", async () => {
  await using room = await SealedPersons.of(["ana", "bob", "cy"]);
  await room.person("cy").kill();
  let count = 1;
  for (;; count++) {
    const ana = room.client("ana");
    const begin = () => ana.type(JSON.stringify({ type: "invite", id: count }));
    const isDone = () => ana.shows("invite", { id: count });
    if (!await killAfter(room, "ana", count, begin, isDone)) break;
    await (await room.person("ana").start()).isIn();
    await room.invite("ana");
    await talk(room, ["ana", "bob"]);
  }
  assert(count > 3, `${count} steps`); // admit, wrap, rule
  const link = await room.invite("ana");
  await room.join("cy", link);
  await talk(room, ["ana", "bob", "cy"]);
});

Deno.test("somebody who is killed at any step of coming in comes in by the same link, once", async () => {
  const names = Array.from({ length: 8 }, (_, at) => `p${at + 1}`);
  await using room = await SealedPersons.found(["ana", ...names]);
  let killed = 0;
  for (const name of names) {
    const person = room.person(name);
    const begin = () => person.start(room.link);
    const isIn = () => person.here.isIn();
    if (!await killAfter(room, name, killed + 1, begin, isIn)) break;
    killed++;
    await (await person.start()).isIn();
    await talk(room, ["ana", name]);
    await person.kill();
  }
  assert(killed >= 4 && killed < names.length, `killed ${killed} times`); // follow, wrap, enter, join
  const ana = room.client("ana");
  await ana.shows("ruled", { verb: "join", name: names[killed] ?? "" });
  const joins = ana.all("ruled")
    .filter(({ verb }) => verb === "join").map(({ name }) => name);
  assertEquals(joins, names.slice(0, killed + 1));
});

Deno.test("a keeper that is killed at any step of a removal has removed somebody or not, can do it again, and nobody else lacks the key", async () => {
  await using room = await SealedPersons.of(["ana", "bob", "cy"]);
  let count = 1;
  for (;; count++) {
    const ana = room.client("ana");
    const begin = () =>
      ana.type(JSON.stringify({ type: "kick", name: "cy", id: `k${count}` }));
    const isDone = () => ana.shows("done", { id: `k${count}` });
    const isKilled = await killAfter(room, "ana", count, begin, isDone);
    if (!isKilled) break;
    await (await room.person("ana").start()).isIn();
    await talk(room, ["ana", "bob"]);
    const [answer] = await room.ask("ana", { type: "kick", name: "cy" });
    assert(answer);
    assertEquals(await room.client("cy").finished(), 1); // it is out now, by whichever of the two
    await room.person("cy").kill();
    await talk(room, ["ana", "bob"]);
    await room.join("cy", await room.invite("ana"));
    await talk(room, ["ana", "bob", "cy"]);
  }
  assert(count > 3, `${count} steps`); // two wraps, rule
});
