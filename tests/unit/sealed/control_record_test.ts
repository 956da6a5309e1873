/**
 * Control lines as a client keeps them: what was followed once is taken over at the next start.
 *
 * @module
 */

import { ControlRecord } from "../../../src/sealed/control_record.ts";
import { controlSentence } from "../../../src/sealed/control_words.ts";
import { toBase64url } from "../../../crypto_utils.ts";
import { spokenId } from "../../../src/crypto/person_id.ts";
import { SEALED_INVITE } from "../../../src/sealed/membership.ts";
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

Deno.test("each control line is told as a sentence, by the names that people had there", async () => {
  const room = await SealedRoom.found();
  const { founder: ana } = room;
  const bob = await room.join("bob", 1);
  await room.say(bob, { verb: "rename", name: "robert" });
  const cy = await room.join("cy", 2);
  const dan = await room.join("dan", 3);
  await room.change(ana);
  await room.change(ana, { made: [bob.full] });
  await room.change(ana, { removed: [cy.full, dan.full] });
  await room.change(ana, { barred: [cy.full, dan.full] });
  await room.change(ana, { freed: [cy.full, dan.full] });
  await room.change(ana, { removed: [bob.full], barred: [bob.full] });
  const eve = await room.join("eve", 4);
  const fay = await room.join("fay", 5);
  await room.change(ana, {
    ...{ removed: [eve.full, fay.full], barred: [eve.full, cy.full] },
    freed: [bob.full],
  });
  await room.invite(6, { uses: 3 });
  await room.invite(7);
  await room.say(ana, { verb: "close", invite: SEALED_INVITE + 6 });
  const record = await room.followed();
  const { entries } = room;
  const told = entries.map((entry) => controlSentence(entry, record));
  const gone = "reads nothing from line";
  const ended = "all open invites have ended";
  assertEquals(told, [
    "ana founded the room",
    ...["ana made an invite", "bob came in by an invite of ana's"],
    "bob took the name robert",
    ...["ana made an invite", "cy came in by an invite of ana's"],
    ...["ana made an invite", "dan came in by an invite of ana's"],
    "ana changed the key of the room",
    "ana made robert a keeper",
    `ana removed cy, dan: cy, dan ${gone} 12 on; ${ended}`,
    "ana banned cy, dan",
    "ana lets cy, dan be invited again",
    `ana banned robert: robert ${gone} 15 on; ${ended}`,
    ...["ana made an invite", "eve came in by an invite of ana's"],
    ...["ana made an invite", "fay came in by an invite of ana's"],
    `ana removed eve, fay: eve, fay ${gone} 20 on; ${ended}; banned cy; lets robert be invited again`,
    ...["ana made an invite for 3 persons", "ana made an invite"],
    "ana ended an invite",
  ]);
  // What the record doesn't know.
  const none = new ControlRecord();
  const [, , joining, , , , , , , made] = entries;
  assert(joining && made);
  assertEquals(
    controlSentence(joining, none),
    `${bob.short} came in by an invite`,
  );
  assertEquals(
    controlSentence(made, none),
    `${ana.short} made ${spokenId(bob.short)} a keeper`,
  );
  assertEquals(controlSentence({ ...joining, text: "hello" }, record), "");
});

Deno.test("a record knows its lines, what they came to, and who made which invite; and whether one that was given the key has ended", async () => {
  const room = await SealedRoom.found();
  await room.invite(1, { uses: 1, until: 2_000_000 });
  const record = await room.followed();
  const { entries } = room;
  assertEquals(record.entries, entries);
  assertEquals([record.find(2), record.find(3)], [entries[1], undefined]);
  assertEquals(record.digestAt(2), room.membership.digest);
  assertEquals(record.digestAt(3), undefined);
  assertEquals(record.inviterOf(SEALED_INVITE + 1), room.founder.full);
  assertEquals(record.inviterOf(SEALED_INVITE + 2), undefined);
  assertEquals(record.hasEndedHolder(1_999_999), false);
  assertEquals(record.hasEndedHolder(2_000_001), true);
  await room.invite(2); // which is open: one that has ended is enough
  const more = await room.followed();
  assertEquals(more.hasEndedHolder(1_999_999), false);
  assertEquals(more.hasEndedHolder(2_000_001), true);
  assertEquals(new ControlRecord().hasEndedHolder(1), false);
});

Deno.test("a record takes nothing that isn't the next control line, or comes to something else than before", async () => {
  const room = await SealedRoom.found();
  await room.join("bob", 1);
  const record = await room.followed();
  const [founding, invite, joining] = room.entries;
  assert(founding && invite && joining);
  const digest = (seq: number) =>
    toBase64url(record.digestAt(seq) ?? new Uint8Array(0));
  const again = new ControlRecord();
  assertEquals(again.adopt({ ...founding, text: "hello" }, digest(1)), false);
  assertEquals(again.adopt(invite, digest(2)), false);
  assertEquals(again.adopt(founding, digest(2)), false);
  assertEquals(again.entries, []);
  assertEquals(again.adopt(founding, digest(1)), true);
  assertEquals(again.adopt(joining, digest(3)), false); // the invite is missing
  assertEquals(await again.follow({ ...invite, text: "hello" }), undefined);
  assertEquals(await again.follow(joining), undefined);
  assertEquals([again.entries, again.membership.seq], [[founding], 1]);
  const followed2 = await again.follow(invite);
  assertEquals(followed2?.control.verb, "invite");
  assertEquals([followed2?.before.seq, followed2?.after.seq], [1, 2]);
  assertEquals(followed2?.entry, invite);
});
