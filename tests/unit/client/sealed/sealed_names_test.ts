/**
 * By which name a member comes into a sealed room, and what becomes of another one that it asks for.
 *
 * @module
 */

import { JoinError } from "../../../../src/client/join_error.ts";
import { spokenId } from "../../../../src/crypto/person_id.ts";
import { controlVerb } from "../../../../src/protocol/line.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { SealedSetup } from "../../../kit/sealed_setup.ts";

/** How often somebody took another name. */
function renames({ server }: SealedSetup): number {
  return server.control.filter(({ text }) => controlVerb(text) === "rename")
    .length;
}

Deno.test("a name that is asked for while the client is away is taken once, when it is back", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const seat = setup.server.seats.find(({ person }) =>
    person === bob.session.id
  );
  assert(seat);
  seat.end();
  await bob.view.until("disconnected");
  bob.session.conversation.rename("bobby");
  await bob.comesBack();
  await bob.view.until("entered", 1);
  assertEquals((await ana.view.until("renamed")).text, "bobby");
  bob.session.conversation.rename("robert");
  const isLast = async (at: number): Promise<boolean> =>
    (await ana.view.until("renamed", at)).text === "robert" ||
    await isLast(at + 1);
  await isLast(1);
  assertEquals(renames(setup), 2);
});

Deno.test("who wants a name that is taken is told whose it is, in the room and at its door", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const { person } = await ana.view.until("entered");
  const whose = `ana, ${spokenId(person)}`;
  bob.session.conversation.rename("Ana");
  const { reason, detail } = await bob.view.until("refused");
  assertEquals([reason, detail], ["name-taken", whose]);
  const eve = await setup.client("ana", { invite: await ana.invite() });
  await assertRejects(
    () => eve.running,
    JoinError,
    `The name "ana" is taken (${whose})`,
  );
});

Deno.test("a member that comes back by another name takes it; a second machine goes by the name that the first has", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  await bob.leave();
  const back = await setup.client("bobby", {}, bob.identity, bob.known);
  await back.in();
  assertEquals((await ana.view.until("renamed")).text, "bobby");
  const beside = await setup.client("robert", {}, bob.identity, bob.known);
  await beside.in();
  await beside.say("it is me");
  assertEquals((await ana.view.until("said")).name, "bobby");
  assertEquals(beside.session.conversation.name, "bobby");
  assertEquals(renames(setup), 1);
});
