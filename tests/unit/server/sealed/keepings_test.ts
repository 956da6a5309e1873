/**
 * What a sealed room's server keeps for clients: for whom, and until when.
 *
 * @module
 */

import { SEALED_INVITE } from "../../../../src/sealed/membership.ts";
import type { Kept } from "../../../../src/server/sealed/control_file.ts";
import {
  Keepings,
  mayGive,
  recipientsOf,
} from "../../../../src/server/sealed/keepings.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { SealedRoom, somebody } from "../../../kit/sealed_room.ts";

function wrap(to: string, data = "data"): Kept & { readonly kind: "wrap" } {
  return { kind: "wrap", wrap: { by: "ana", to, e: 0, data } };
}

function admission(at: number, blob = "blob"): Kept {
  const invite = SEALED_INVITE + at;
  return { kind: "admission", admission: { invite, key: "key", blob } };
}

/** A room of ana and ben with two invites: one that is open for good, and one until the time 2. */
async function room(): Promise<SealedRoom> {
  const room = await SealedRoom.found();
  await room.join("ben", 1);
  await room.invite(2);
  room.now = 1;
  await room.invite(3, { until: 2 });
  return room;
}

Deno.test("Keepings has the newest key for each, and what is to be known of each invite", () => {
  const keepings = new Keepings();
  keepings.add(wrap("ana"));
  keepings.add(wrap("ben"));
  keepings.add(wrap("ana", "newer"));
  keepings.add(admission(1));
  keepings.add(admission(1, "newer"));
  keepings.add({ kind: "logged", seq: 1 });
  assertEquals(keepings.size, 3);
  assertEquals(keepings.wrapFor("ana"), wrap("ana", "newer").wrap);
  assertEquals(keepings.wrapFor("eve"), undefined);
  assertEquals(keepings.admission(SEALED_INVITE + 1)?.blob, "newer");
  assertEquals(keepings.admission(SEALED_INVITE + 2), undefined);
  assertEquals(keepings.all, [
    wrap("ana", "newer"),
    wrap("ben"),
    admission(1, "newer"),
  ]);
  keepings.clear();
  assertEquals([keepings.size, keepings.all], [0, []]);
});

Deno.test("Keepings forgets the keys of who is no member and of invites that aren't open, and what is to be known of these", async () => {
  const { membership, founder } = await room();
  const [ben, second, third] = await Promise.all(
    ["ben", "invite 2", "invite 3"].map((it) => somebody(it)),
  );
  const full = [founder, ben, second, third].map((it) => it?.full ?? "");
  const keepings = new Keepings();
  for (const to of full) keepings.add(wrap(to));
  for (const at of [1, 2, 3]) keepings.add(admission(at));
  const admissions = () =>
    [1, 2, 3].filter((at) => keepings.admission(SEALED_INVITE + at));
  assertEquals(keepings.forget(membership, 2), false); // no key is among it
  assertEquals(admissions(), [2, 3]); // the first is used up
  assertEquals(full.filter((it) => keepings.wrapFor(it)), full);
  assertEquals(keepings.forget(membership, 3), true);
  assertEquals(admissions(), [2]);
  assertEquals(full.filter((it) => keepings.wrapFor(it)), full.slice(0, 3));
  const isRecipient = recipientsOf(membership, 2);
  assertEquals([...full, "eve"].map(isRecipient), [
    ...[true, true, true, true, false],
  ]);
});

Deno.test("keepers give everybody the key, others themselves alone", async () => {
  const { membership, founder } = await room();
  const { full: ben } = await somebody("ben");
  const may = (by: string, to: string) =>
    mayGive(membership, { by, to, e: 0, data: "" });
  const ana = founder.full;
  assertEquals([may(ana, ben), may(ana, ana), may(ben, ben), may(ben, ana)], [
    ...[true, true, true, false],
  ]);
});
