/**
 * A session's requests: what they are called, when they are done, and what is shown of the past.
 *
 * @module
 */

import type { RequestId } from "../../../src/client/view.ts";
import { assertEquals } from "../../kit/assert.ts";
import { madeUpPerson } from "../../kit/people.ts";
import { past, Setup, texts } from "../../kit/session_setup.ts";

// ── What requests are called ───────────────────────────────────────────────────────────────────────────

Deno.test("Session's answers carry what the request is called, and no others do", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await session.say("hello", "a");
  await session.say(" ", "b");
  await session.say("more");
  await visit.echo(2, await visit.says(2));
  await view.until("said", 1);
  assertEquals(view.of("said").map(({ id }) => id), ["a", undefined]);
  assertEquals(view.of("refused").map(({ id }) => id), ["b"]);

  session.conversation.rename("anna", 1);
  session.conversation.rename("eve", 2);
  await visit.next("rename");
  await visit.broadcast(4, { kind: "renamed", id: 1, n: 2, name: "anna" });
  await visit.tell({
    kind: "refused",
    n: null,
    reason: "name-taken",
    detail: "",
  });
  await view.until("refused", 1);
  assertEquals((await view.until("renamed")).id, 1);
  assertEquals(view.of("refused")[1]?.id, 2);
  await visit.next("rename");

  session.conversation.search("x", 5, 3);
  const { id } = await visit.next("find");
  await visit.tell({ kind: "found", id, more: false });
  assertEquals((await view.until("found")).id, 3);

  session.conversation.away("lunch", 4);
  await visit.next("away");
  await visit.broadcast(5, { kind: "absent", id: 1, text: "lunch" });
  assertEquals((await view.until("away-message")).id, 4);
  await setup.leave(visit, running);
});

Deno.test("Session tells an operator's answers apart, whatever their order, and when each is complete", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const told: unknown[] = [];
  view.note = (text: string, id?: RequestId) => {
    told.push([text, id]);
  };
  const [visit, running] = await setup.enter();
  session.conversation.release("r");
  session.conversation.operate("bans", "", "", 0, "b");
  session.conversation.operate("invites", "", "", 0);
  const release = await visit.next("release");
  const bans = await visit.next("operate");
  const invites = await visit.next("operate");
  await visit.tell(
    { kind: "notice", text: "eve" },
    { kind: "notice", text: "kim" },
    { kind: "answered", id: bans.id },
    { kind: "refused", n: null, reason: "not-operator", detail: "" },
    { kind: "answered", id: invites.id },
    { kind: "notice", text: "Given up: old" },
    { kind: "answered", id: release.id },
  );
  const done = await view.until("done", 1);
  assertEquals(told, [
    ["eve", "b"],
    ["kim", "b"],
    [
      "Only operators may do that: the server's owner names them by --operator ID, and invites by deno task invite",
      undefined,
    ],
    ["Given up: old", "r"],
  ]);
  assertEquals([view.of("done")[0]?.id, done.id], ["b", "r"]);

  session.conversation.operate("kick", "eve", "", 0, "k");
  await visit.next("operate");
  visit.end();
  const again = await setup.acceptAgain();
  assertEquals(told.at(-1), ["Perhaps not done: the connection was lost", "k"]);
  await again.next("join");
  await again.admit(6);
  await view.until("entered", 1);
  await setup.leave(again, running);
});

// ── What is shown of the past ──────────────────────────────────────────────────────────────────────────

Deno.test("Session shows as many of the earlier lines as it is told to, and after a loss all that were missed", async () => {
  for (const [history, expected] of [[0, []], [1, ["two"]]] as const) {
    await using setup = new Setup({ history });
    const { session, view } = setup;
    const running = session.run();
    const visit = await setup.accept();
    await visit.next("join");
    const ben = madeUpPerson("ben");
    await visit.admit(3, past(1, 1, "one", ben), past(2, 2, "two", ben));
    await view.until("current");
    const { earlier } = await view.until("entered");
    assertEquals([texts(view.of("said")), earlier], [
      expected,
      expected.length,
    ]);
    // What isn't shown can be answered all the same.
    await session.reply(1, "yes");
    const { n } = await visit.next("reply");
    await visit.broadcast(4, {
      kind: "replied",
      id: 1,
      n,
      to: 1,
      text: "yes",
    });
    assertEquals((await view.until("replied")).quoted?.text, "one");
    visit.end();
    const again = await setup.acceptAgain();
    await again.next("join");
    await again.admit(6, past(5, 3, "three", ben));
    await view.until("current", 1);
    assertEquals(texts(view.of("said")), [...expected, "three"]);
    await setup.leave(again, running);
  }
});

Deno.test("Session.inRoom() resolves when all that was missed has been told, or when the client has left", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const inside = session.conversation.inRoom().then(() =>
    view.of("current").length
  );
  const [visit, running] = await setup.enter();
  assertEquals(await inside, 1);
  await setup.leave(visit, running);

  await using other = new Setup();
  const outside = other.session.conversation.inRoom();
  other.session.leave();
  await outside;
});
