/**
 * What keepers of a sealed room may ask of their own clients, and what others see of keepers.
 *
 * @module
 */

import { JoinError } from "../../../../src/client/join_error.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import { SealedSetup } from "../../../kit/sealed_setup.ts";

Deno.test("a keeper removes itself by /deop, while there is another, who can invite it again", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const [alone = ""] = await ana.operate("deop", "ana");
  assertStringIncludes(alone, "You are the only keeper");
  await ana.operate("keeper", "bob");
  await bob.untilTold("ana made bob a keeper");
  const [others = ""] = await ana.operate("deop", "bob");
  assertStringIncludes(others, "A keeper stays one until it is removed");
  ana.session.conversation.operate("deop", "ana", "", 0);
  await assertRejects(() => ana.running, JoinError, "You were removed");
  assertEquals(
    ana.view.notes.at(-1),
    "You are no keeper any more, and no member",
  );
  await bob.untilTold("ana removed ana");
  const invite = await bob.invite();
  const back = await setup.client("ana", { invite }, ana.identity);
  await back.in();
  assertEquals(
    back.session.conversation.keepers?.map(({ name }) => name),
    ["bob"],
  );
});

Deno.test("who is removed or banned is told by whom, and what that means", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const [bob, cy] = [
    await setup.bring(ana, "bob"),
    await setup.bring(ana, "cy"),
  ];
  const leaving = [
    assertRejects(
      () => bob.running,
      JoinError,
      'removed from the room by "ana"',
    ),
    assertRejects(() => cy.running, JoinError, 'banned from the room by "ana"'),
  ];
  await ana.operate("kick", "bob");
  await ana.operate("ban", "cy");
  const [kicked, banned] = await Promise.all(leaving);
  assertEquals([kicked?.advice, banned?.advice], [
    "Only a new invite from a keeper lets you in again",
    "No invite lets you in until a keeper takes that back, by /unban",
  ]);
});

Deno.test("everybody sees who the keepers are, whether they are there or not", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const keepers = () =>
    bob.session.conversation.keepers?.map(({ name }) => name);
  assertEquals(keepers(), ["ana"]);
  await ana.operate("keeper", "bob");
  await bob.untilTold("ana made bob a keeper");
  await ana.leave();
  assertEquals(keepers(), ["ana", "bob"]);
});
