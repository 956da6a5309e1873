/**
 * Tests of who is remembered of a room.
 *
 * @module
 */

import { Known } from "../../../src/client/known.ts";
import { randomBytes } from "../../../crypto_utils.ts";
import { spokenId } from "../../../src/crypto/person_id.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUpId, madeUpPerson } from "../../kit/people.ts";

Deno.test("Known.find() finds who was in the room before by name or id, and nobody of another room", async () => {
  await using folder = await Folder.make();
  const known = await Known.load(folder.file("known"), () => {});
  assertEquals(known.find("ben"), undefined);
  known.entered(randomBytes(32), "192.0.2.7:5000");
  const [id, person] = [madeUpId("ben"), madeUpPerson("ben")];
  known.met({ name: "Ben", id });
  assertEquals(known.find("BEN"), { id, person, name: "BEN" });
  assertEquals(known.find(spokenId(person).toUpperCase())?.id, id);
  assertEquals(known.find("eve"), undefined);
  known.entered(randomBytes(32), "192.0.2.8:5000");
  assertEquals(known.find("ben"), undefined);
});
