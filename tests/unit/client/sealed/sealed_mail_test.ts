/**
 * Private messages in a sealed room: sessions in a real room, whose mailbox keeps them.
 *
 * @module
 */

import {
  sealedMailRoom,
  type SealedPlace,
} from "../../../../src/client/sealed/sealed_mail.ts";
import { ControlRecord } from "../../../../src/sealed/control_record.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import "../../../kit/crypto_idle.ts";
import { SealedRoom } from "../../../kit/sealed_room.ts";
import { SealedStage } from "../../../kit/sealed_stage.ts";

Deno.test("a private message that waited is read though its sender was removed meanwhile, to whom none can be written", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const bob = await stage.bring(ana, "bob");
  const cy = await stage.bring(ana, "cy");
  await bob.leave();
  await cy.session.write("bob", "before I was removed");
  await cy.view.until("private");
  await ana.operate("kick", "cy");
  const back = await stage.client("bob", {}, bob.identity, bob.known);
  const { name, text } = await back.view.until("private");
  assertEquals([name, text], ["cy", "before I was removed"]);
  assertEquals(back.view.of("private-unread"), []);
  await back.session.write("cy", "and now?");
  const { reason } = await back.view.until("refused");
  assertEquals(reason, "nobody-known");
});

Deno.test("sealedMailRoom() takes cards from control lines: of members by their names and ids, of former ones by their ids alone", async () => {
  const room = await SealedRoom.found();
  const bob = await room.join("Bob", 1);
  const cy = await room.join("cy", 2);
  await room.change(room.founder, { removed: [cy.full] });
  const ask = () => {};
  const none: SealedPlace = { record: new ControlRecord(), present: [] };
  assertThrows(() => sealedMailRoom(none, ask), TypeError, "isn't founded");
  const place: SealedPlace = { record: await room.followed(), present: [] };
  const mail = sealedMailRoom(place, ask);
  assertEquals(mail.id, room.room);
  assert(mail.present === place.present && mail.ask === ask);
  for (const who of ["Bob", "bob", bob.short]) {
    const found = await mail.cards.find(who);
    assert(typeof found === "object");
    assertEquals([found.name, found.id], ["Bob", bob.full]);
    assertEquals(found.card.sealKey.length, 1_216);
  }
  for (const who of ["cy", cy.short, "nobody", "no name", ""]) {
    assertEquals(await mail.cards.find(who), undefined);
  }
  const former = await mail.cards.everFind(cy.short);
  assert(typeof former === "object");
  assertEquals([former.name, former.id], ["cy", cy.full]);
  assertEquals(await mail.cards.everFind("cy"), undefined);
});
