/**
 * A client's stay across connections: what is sent, what is sent again and what isn't, and how it ends. The
 * server is the test's own, word by word, and once a real room behind a network that keeps failing.
 *
 * @module
 */

import { assert, assertEquals } from "../../kit/assert.ts";
import { Setup, texts } from "../../kit/session_setup.ts";

Deno.test("Session.say() counts a line as waiting until it comes back in the log's order", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("one");
  await session.say("two");
  const says = await visit.says(2);
  assertEquals(texts(says), ["one", "two"]);
  const [first = 0, second = 0] = says.map(({ n }) => n);
  assertEquals(second, first + 1);
  assertEquals([session.conversation.waiting, view.standing?.waiting], [2, 2]);
  let settled = false;
  const settling = session.conversation.settled().then(() => settled = true);
  await visit.echo(2, says.slice(0, 1));
  await view.until("said");
  assertEquals([session.conversation.waiting, settled], [1, false]);
  await visit.echo(3, says.slice(1));
  await settling;
  assertEquals(view.of("said").map(({ own }) => own), [true, true]);
  assertEquals(session.conversation.waiting, 0);
  await setup.leave(visit, running);
});

Deno.test("Session.say() keeps what is typed before the client is in, and sends it once it is", async () => {
  await using setup = new Setup();
  const { session } = setup;
  await session.say("early");
  const running = session.run();
  const visit = await setup.accept();
  await session.say("meanwhile");
  const { n } = await visit.next("join");
  await visit.admit(1);
  const says = await visit.says(2);
  assertEquals(texts(says), ["early", "meanwhile"]);
  assertEquals(says.map((it) => it.n), [n + 1, n + 2]);
  await visit.echo(2, says);
  await session.conversation.settled();
  await setup.leave(visit, running);
});

Deno.test("Session.say() shows a refused line, and forgets it", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("one");
  await session.say("two");
  assertEquals(session.conversation.failedAny, false);
  const [one, two] = await visit.says(2);
  assert(one && two);
  await visit.tell({
    kind: "refused",
    n: one.n,
    reason: "log-failed",
    detail: "",
  });
  const refused = await view.until("refused");
  assertEquals([refused.text, refused.reason], ["one", "log-failed"]);
  assertEquals([session.conversation.failedAny, session.conversation.waiting], [
    true,
    1,
  ]);
  await visit.tell({
    kind: "refused",
    n: one.n,
    reason: "log-failed",
    detail: "",
  });
  await visit.echo(2, [two]);
  await session.conversation.settled();
  assertEquals(view.of("refused").length, 1);
  // And after a loss it doesn't come back either.
  visit.end();
  const again = await setup.acceptAgain();
  const join = await again.next("join");
  assertEquals(join.after, 2);
  await again.admit(4);
  await view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session.say() doesn't send what the server would refuse anyway", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("");
  await session.say("x".repeat(4_097));
  const reaction = { what: "reacted", to: 1, text: "no" } as const;
  await session.conversation.say(reaction);
  const reasons = view.of("refused").map(({ reason }) => reason);
  assertEquals(reasons, ["text-empty", "text-too-long", "reaction-wrong"]);
  assertEquals([session.conversation.waiting, session.conversation.failedAny], [
    0,
    true,
  ]);
  await setup.leave(visit, running); // its goodbye is the next thing that the server hears
});

Deno.test("Session.say() sends a text with half a character so that the server takes it", async () => {
  await using setup = new Setup();
  const { session } = setup;
  const [visit, running] = await setup.enter();
  await session.say("broken \ud83d emoji");
  const says = await visit.says(1); // opens only what is well formed
  assertEquals(texts(says), ["broken \ufffd emoji"]);
  await visit.echo(2, says);
  await session.conversation.settled();
  await setup.leave(visit, running);
});

Deno.test("Session.say() makes its caller wait while 1,024 lines are unsettled", async () => {
  await using setup = new Setup();
  const { session } = setup;
  const [visit, running] = await setup.enter();
  for (let count = 1; count <= 1_024; count++) await session.say(`${count}`);
  let taken = 0;
  const waiting = [1, 2, 3].map((extra) =>
    session.say(`extra ${extra}`).then(() => taken++)
  );
  const says = await visit.says(1_024);
  assertEquals(texts(says), says.map((_, at) => `${at + 1}`));
  assertEquals([taken, session.conversation.waiting], [0, 1_024]);
  await visit.echo(2, says.slice(0, 2));
  says.push(...await visit.says(2));
  assertEquals(texts(says.slice(-2)), ["extra 1", "extra 2"]);
  assertEquals([taken, session.conversation.waiting], [2, 1_024]);
  await visit.echo(4, says.slice(2, 3));
  says.push(...await visit.says(1));
  assertEquals(texts(says.slice(-1)), ["extra 3"]);
  await Promise.all(waiting);
  await visit.echo(5, says.slice(3));
  await session.conversation.settled();
  await setup.leave(visit, running);
});
