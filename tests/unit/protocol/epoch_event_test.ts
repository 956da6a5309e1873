/**
 * An epoch's secrets as fields of an event.
 *
 * @module
 */

import { randomBytes } from "../../../crypto_utils.ts";
import { Epoch } from "../../../src/crypto/epoch.ts";
import { epochFields, epochReader } from "../../../src/protocol/epoch_event.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";

Deno.test("epochReader() reads by an epoch's fields what it seals from then on", async () => {
  const serverKey = randomBytes(32);
  const epoch = await Epoch.fresh(serverKey, 3);
  await epoch.seal(utf8("before"), utf8("header"));
  const fields = epochFields(epoch);
  assertEquals([fields.number, fields.counter], [3, 1]);
  const reader = await epochReader(serverKey, fields);
  const sealed = await epoch.seal(utf8("text"), utf8("header"));
  assertEquals(await reader.open(sealed, utf8("header")), utf8("text"));
  for (
    const [key, error] of [["a+b", SyntaxError], ["AA", RangeError]] as const
  ) {
    for (const wrong of [{ key }, { verifyKey: key }]) {
      const reading = () => epochReader(serverKey, { ...fields, ...wrong });
      await assertRejects(reading, error);
    }
  }
});
