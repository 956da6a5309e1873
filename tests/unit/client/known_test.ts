/**
 * Tests of who is remembered of a room.
 *
 * @module
 */

import { Known } from "../../../src/client/known.ts";
import { randomBytes } from "../../../crypto_utils.ts";
import { spokenId } from "../../../src/crypto/person_id.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
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

Deno.test("Known keeps what was seen of each room's history, and nothing that can't be", async () => {
  await using folder = await Folder.make();
  const path = folder.file("known");
  const keys = [randomBytes(32), randomBytes(32)] as const;
  const seen = { seq: 42, value: randomBytes(32) };
  const known = await Known.load(path, () => {});
  known.entered(keys[0], "192.0.2.7:5000");
  known.saw(seen);
  known.entered(keys[1], "192.0.2.8:5000");
  assertEquals(known.seen, undefined);
  known.saw({ ...seen, seq: 7 });
  known.keep();
  await known.kept;
  const again = await Known.load(path, () => {});
  again.entered(keys[0], "192.0.2.7:5000");
  assertEquals(again.seen, seen);
  again.entered(keys[1], "192.0.2.8:5000");
  assertEquals(again.seen, { ...seen, seq: 7 });
  const text = await Deno.readTextFile(path);
  for (const wrong of ["-1", "0.5", '"7"', "null"]) {
    const changed = text.replace(/"seq": ?7/, `"seq":${wrong}`);
    assert(changed !== text);
    await Deno.writeTextFile(path, changed);
    const other = await Known.load(path, () => {});
    other.entered(keys[1], "192.0.2.8:5000");
    assertEquals(other.seen, undefined);
  }
});
