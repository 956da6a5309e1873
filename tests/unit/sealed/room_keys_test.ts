/**
 * The content keys that a client of a sealed room has: which wraps it takes, which keys count, and what leads back.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import {
  commitment,
  freshContentKey,
  sealBack,
} from "../../../src/sealed/content_key.ts";
import { Membership } from "../../../src/sealed/membership.ts";
import { type HadKey, RoomKeys } from "../../../src/sealed/room_keys.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import "../../kit/crypto_idle.ts";
import { SealedRoom, somebody } from "../../kit/sealed_room.ts";

const bob = await somebody("bob");
const OTHER = new Uint8Array(32).fill(9);

/** A room in which the key was changed so often. */
async function roomOf(changes: number): Promise<SealedRoom> {
  const room = await SealedRoom.found();
  for (let e = 1; e <= changes; e++) await room.change(room.founder);
  return room;
}

/** Bob's keys, and which of them he may have to keep. */
function keysOfBob(): [RoomKeys, HadKey[]] {
  const had: HadKey[] = [];
  const keys = new RoomKeys((key) => void had.push(key));
  keys.addRecipient(bob);
  return [keys, had];
}

Deno.test("RoomKeys take a wrap for whom they know, by the room's commitment, and find what was before by that key", async () => {
  const room = await roomOf(2);
  const { membership, keys: [zero, one] } = room;
  const [keys, had] = keysOfBob();
  assertEquals([keys.highest, await keys.latest(membership)], [-1, undefined]);
  const others = await room.wrapFor(await somebody("cy"), { e: 1 });
  assertEquals(await keys.take(others, membership), "another's");
  const false1 = await room.wrapFor(bob, { e: 1, key: OTHER });
  assertEquals(await keys.take(false1, membership), "wrong");
  assertEquals(had, []);
  const right = await room.wrapFor(bob, { e: 1 });
  assertEquals(await keys.take(right, membership), "opened");
  assertEquals(await keys.take(false1, membership), "opened"); // nothing new is in it
  assertEquals(had, [{ e: 1, key: one }]);
  assertEquals([keys.highest, await keys.latest(membership)], [1, one]);
  assertEquals(await keys.get(0, membership), zero);
  assertEquals(await keys.get(2, membership), undefined);
  assertEquals(await keys.get(-1, membership), undefined);
  assertEquals(await keys.get(0, Membership.NONE), undefined);
  // Once it has come, it is found, also where it was looked for before.
  assertEquals(
    await keys.take(await room.wrapFor(bob, { e: 2 }), membership),
    "opened",
  );
  assertEquals(await keys.get(2, membership), room.keys[2]);
});

Deno.test("RoomKeys keep wraps that come early, of the newest four epochs, until their epochs begin", async () => {
  const room = await roomOf(5);
  const [keys, had] = keysOfBob();
  assertEquals(
    await keys.take(await room.wrapFor(bob, { e: 0 }), Membership.NONE),
    "early",
  );
  for (const e of [1, 2, 3, 4]) {
    assertEquals(
      await keys.take(await room.wrapFor(bob, { e }), Membership.NONE),
      "early",
    );
  }
  const { membership } = room;
  for (const e of [0, 1]) {
    assertEquals(await keys.begun(e, membership), undefined);
  }
  assertEquals(had.map(({ e }) => e), [1]); // the first was one too many
  const wrong = await room.wrapFor(bob, { e: 5, key: OTHER });
  await keys.take(wrong, Membership.NONE);
  assertEquals(await keys.begun(5, membership), wrong);
  assertEquals(await keys.begun(5, membership), undefined); // it is gone
  assertEquals(await keys.begun(9, membership), undefined);
  assertEquals(had.length, 1);
});

Deno.test("RoomKeys know a key that they made once its line is said, of the newest 16", async () => {
  const room = await roomOf(1);
  const { membership, keys: [zero, one] } = room;
  const made = (keys: RoomKeys, e: number, key: Bytes | undefined) =>
    keys.made(commitment({ room: room.room, e }, key ?? OTHER), key ?? OTHER);
  for (const [more, isKnown] of [[15, true], [16, false]] as const) {
    const [keys, had] = keysOfBob();
    made(keys, 1, one);
    for (let at = 0; at < more; at++) made(keys, 1, freshContentKey());
    await keys.take(
      await room.wrapFor(bob, { e: 1, key: OTHER }),
      Membership.NONE,
    );
    const wrong = await keys.begun(1, membership);
    assertEquals(had, isKnown ? [{ e: 1, key: one }] : []);
    assertEquals(wrong === undefined, isKnown);
    assertEquals(await keys.get(0, membership), isKnown ? zero : undefined);
  }
});

Deno.test("RoomKeys adopt keys of an earlier run that are the room's", async () => {
  const { membership, keys: [zero, one] } = await roomOf(1);
  assert(zero && one);
  const [keys, had] = keysOfBob();
  keys.adopt({ e: 1, key: zero }, membership);
  keys.adopt({ e: 7, key: zero }, membership);
  keys.adopt({ e: 1, key: one }, Membership.NONE);
  assertEquals(keys.highest, -1);
  keys.adopt({ e: 1, key: one }, membership);
  assertEquals([keys.highest, had], [1, []]);
});

Deno.test("RoomKeys tell whether who has a key has the one before, where they have it themselves", async () => {
  const room = await roomOf(1);
  const { founder } = room;
  const at = (e: number) => ({ room: room.room, e });
  const key = freshContentKey();
  await room.say(
    founder,
    { // a back that nobody can open
      ...await room.changing({}, key),
      back: await sealBack(at(2), OTHER, freshContentKey()),
    } as Parameters<typeof room.say>[1],
  );
  room.keys.push(key);
  const third = freshContentKey();
  await room.say(
    founder,
    { // one of another key
      ...await room.changing({}, third),
      back: await sealBack(at(3), OTHER, third),
    } as Parameters<typeof room.say>[1],
  );
  room.keys.push(third);
  const fourth = freshContentKey();
  await room.say(
    founder,
    { // one that leads past the key before
      ...await room.changing({}, fourth),
      back: await sealBack(at(4), room.keys[1] ?? OTHER, fourth),
      backTo: 1,
    } as Parameters<typeof room.say>[1],
  );
  room.keys.push(fourth);
  const { membership } = room;
  assertEquals(membership.epoch, 4);
  const leadsBack = (keys: RoomKeys) =>
    Promise.all([0, 1, 2, 3, 4].map((e) => keys.leadsBack(e, membership)));
  const [none] = keysOfBob();
  assertEquals(await leadsBack(none), Array(5).fill(undefined));
  assertEquals(await none.leadsBack(0, Membership.NONE), undefined);
  const [all] = keysOfBob();
  for (const e of [0, 1, 2, 3, 4]) {
    await all.take(await room.wrapFor(bob, { e }), membership);
  }
  assertEquals(await leadsBack(all), [true, true, false, false, false]);
  const [last] = keysOfBob();
  await last.take(await room.wrapFor(bob, { e: 4 }), membership);
  // Who lacks the key between can't say that its maker had it.
  assertEquals((await leadsBack(last)).slice(3), [undefined, true]);
});

Deno.test("RoomKeys take a fault of ours for no wrong wrap", async () => {
  const room = await roomOf(0);
  const [keys] = keysOfBob();
  const wrap = await room.wrapFor(bob, { e: 0 });
  await assertRejects(
    () => keys.take({ ...wrap, by: "!" }, room.membership),
    SyntaxError,
  );
});
