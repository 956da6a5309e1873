/**
 * What a client seals: one number says one thing, under whatever key.
 *
 * @module
 */

import { Sealer } from "../../../../src/client/sealed/sealer.ts";
import { NO_CHAIN } from "../../../../src/client/sealed/sealed_room.ts";
import {
  lineCipher,
  openLine,
  parseSealed,
} from "../../../../src/sealed/sealed_line.ts";
import { fromBase64url, randomBytes } from "../../../../crypto_utils.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { madeUpStay, newIdentity } from "../../../kit/people.ts";

const room = new Uint8Array(32);
const stay = madeUpStay("ana");
const { seen } = NO_CHAIN;

async function sealing() {
  const identity = await newIdentity();
  const sealer = new Sealer(identity, stay);
  const open = async (
    text: string,
    e: number,
    n: number,
    key: Uint8Array<ArrayBuffer>,
  ) => {
    const place = {
      room,
      e,
      sender: identity.id,
      stay: fromBase64url(stay),
      n,
    };
    const sealed = parseSealed(text);
    assert(sealed);
    return (await openLine(sealed, place, await lineCipher(key, place)))?.text;
  };
  return { sealer, open };
}

Deno.test("a line goes by its key: another one of the same epoch, after a restored backup, is used", async () => {
  const { sealer, open } = await sealing();
  const [before, now] = [randomBytes(32), randomBytes(32)];
  await sealer.seal(
    { n: 1, text: "before" },
    { room, e: 1, key: before },
    seen,
  );
  const again = await sealer.seal(
    { n: 1, text: "before" },
    { room, e: 1, key: now },
    seen,
  );
  assertEquals(await open(again.text, 1, 1, now), "before");
  const next = await sealer.seal({ n: 2, text: "next" }, {
    room,
    e: 1,
    key: now,
  }, seen);
  assertEquals(await open(next.text, 1, 2, now), "next");
});

Deno.test("a number never says anything else, nor again once it is settled", async () => {
  const { sealer } = await sealing();
  const [one, two] = [0, 1].map((e) => ({ room, e, key: randomBytes(32) }));
  assert(one && two);
  const first = await sealer.seal({ n: 5, text: "yes" }, one, seen);
  assertEquals(await sealer.seal({ n: 5, text: "yes" }, one, seen), first);
  const other = () => sealer.seal({ n: 5, text: "no" }, two, seen);
  await assertRejects(other, RangeError, "its number was used");
  await sealer.seal({ n: 5, text: "yes" }, two, seen);
  sealer.settle(5);
  for (const epoch of [one, two]) {
    const again = () => sealer.seal({ n: 5, text: "yes" }, epoch, seen);
    await assertRejects(again, RangeError, "its number was used");
  }
});
