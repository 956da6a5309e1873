/**
 * Control lines as a client keeps them: what was followed once is taken over at the next start.
 *
 * @module
 */

import { ControlRecord } from "../../../src/sealed/control_record.ts";
import { controlSentence } from "../../../src/sealed/control_words.ts";
import { toBase64url } from "../../../crypto_utils.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { SealedRoom, somebody } from "../../kit/sealed_room.ts";

Deno.test("a control line that was followed is taken over at the next start, whatever the name in it", async () => {
  const room = await SealedRoom.found();
  const invite = await room.invite(1);
  const guest = await somebody("guest");
  const joining = room.joining(guest, "server", 1); // no proper name
  const lines = [...room.rulings, await room.sign(guest, joining, invite)]
    .map(({ text, place }) => ({ ...place, text }));
  const first = new ControlRecord();
  const again = new ControlRecord();
  for (const line of lines) {
    assert(await first.follow(line));
    const digest = first.digestAt(line.seq) ?? new Uint8Array(0);
    assert(again.adopt(line, toBase64url(digest)));
  }
  assertEquals(again.membership.members.size, 2);
  const told = (record: ControlRecord) =>
    record.entries.map((line) => controlSentence(line, record));
  assertEquals(told(again), told(first));
  assertEquals(
    told(again).at(-1),
    `${guest.short} came in by an invite of ana's`,
  );
});
