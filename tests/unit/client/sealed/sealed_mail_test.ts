/**
 * Private messages in a sealed room: sessions in a real room, whose mailbox keeps them.
 *
 * @module
 */

import { assertEquals } from "../../../kit/assert.ts";
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
