/**
 * A client's stay in a sealed room, against a small server of the test's own: founding, inviting, saying, removing.
 *
 * @module
 */

import { assert, assertEquals } from "../../../kit/assert.ts";
import { SealedSetup } from "../../../kit/sealed_setup.ts";
import { texts } from "../../../kit/session_setup.ts";

Deno.test("a founder's client makes an invite, by which another one comes, and both read what the server can't", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found("ana", { makesInvite: "if none is open" });
  const [made] = ana.view.of("invited");
  assert(made?.founding);
  assertEquals([made.uses, ana.view.news[0]?.type], [100, "invited"]);
  const bob = await setup.bring(ana, "bob");
  await ana.say("hello, bob");
  assertEquals((await bob.view.until("said")).text, "hello, bob");
  await bob.session.reply(bob.view.of("said")[0]?.seq ?? 0, "hello yourself");
  const { text, name, quoted } = await ana.view.until("replied");
  assertEquals([text, name, quoted?.text], [
    "hello yourself",
    "bob",
    "hello, bob",
  ]);
  assertEquals(server.log.filter(({ text }) => text.includes("hello")), []);
  assertEquals(server.faults, []);
  assertEquals([...ana.view.of("warning"), ...bob.view.of("warning")], []);
});

Deno.test("what was said before is read by who comes later, and by who comes back", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  await ana.say("one");
  await ana.say("two");
  await ana.view.until("said", 1);
  const bob = await setup.bring(ana, "bob");
  assertEquals(texts(bob.view.of("said")), ["one", "two"]);
  await bob.leave();
  await ana.say("three");
  await ana.view.until("said", 2);
  const again = await setup.client("bob", {}, bob.identity, bob.known);
  await again.in();
  assertEquals(texts(again.view.of("said")), ["one", "two", "three"]);
  assertEquals(again.view.of("warning"), []);
});
