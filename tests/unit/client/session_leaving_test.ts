/**
 * A client's stay across connections: what is sent, what is sent again and what isn't, and how it ends. The
 * server is the test's own, word by word, and once a real room behind a network that keeps failing.
 *
 * @module
 */

import { assert, assertEquals } from "../../kit/assert.ts";
import { streamPair } from "../../kit/memory_stream.ts";
import type { Stream } from "../../../src/protocol/record_reader.ts";
import {
  digest,
  leaveAfter,
  Setup,
  texts,
  Visit,
} from "../../kit/session_setup.ts";

Deno.test("Session.leave() lets whoever waits to say something go on", async () => {
  await using setup = new Setup();
  const { session } = setup;
  const [visit, running] = await setup.enter();
  for (let count = 1; count <= 1_024; count++) await session.say(`${count}`);
  const waiting = session.say("one too many");
  const settled = session.conversation.settled();
  await visit.says(1_024);
  session.leave();
  await Promise.all([waiting, settled]);
  assertEquals(texts(await visit.says(1)), ["one too many"]);
  setup.clock.advance(1_000);
  await visit.next("bye");
  await visit.dismiss("left");
  await running;
});

Deno.test("Session.leave() while dialling ends at once, and closes what comes of it", async () => {
  const dialled = Promise.withResolvers<Stream>();
  const dialling = Promise.withResolvers<void>();
  await using setup = new Setup({
    dial: () => {
      dialling.resolve();
      return dialled.promise;
    },
  });
  const running = setup.session.run();
  await dialling.promise;
  setup.session.leave();
  await running;
  assertEquals(setup.clock.pending, 0);
  const [near] = streamPair();
  dialled.resolve(near);
  await near.whenClosed;
});

Deno.test("Session.leave() during the handshake ends at once, and closes the connection", async () => {
  await using setup = new Setup();
  const running = setup.session.run();
  await setup.arrival();
  setup.session.leave();
  await running;
  setup.assertAllClosed();
  await setup.dialled[0]?.whenUsedLate; // the handshake notices
});

Deno.test("Session.leave() ends the stay wherever in the handshake's last steps it comes", async () => {
  for (let steps = 0; steps < 30; steps++) {
    await using setup = new Setup();
    const running = setup.session.run();
    const far = await setup.arrival();
    const [near] = setup.dialled;
    assert(near);
    near.outgoing.alter = (record, at) => {
      if (at === 1) void leaveAfter(setup.session, steps);
      return [record];
    };
    const visiting = Visit.accept(far);
    const done = running.then(() => "left");
    const visit = await visiting;
    // Whatever it says before its end, a server that answers nothing doesn't keep it.
    for (let second = 0; second < 10 && !near.closed; second++) {
      setup.clock.advance(1_000);
      await digest();
    }
    assert(near.closed, `after ${steps} steps`);
    assertEquals(await done, "left");
    visit.end();
    setup.assertAllClosed();
  }
});

Deno.test("Session.leave() while asking to be let in says goodbye", async () => {
  await using setup = new Setup();
  const running = setup.session.run();
  const visit = await setup.accept();
  await visit.next("join");
  await setup.leave(visit, running);
  assertEquals(setup.view.of("entered"), []);
});

Deno.test("Session.leave() while away ends at once", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  await setup.view.until("disconnected");
  setup.session.leave();
  await running;
  setup.assertAllClosed();
  assertEquals(setup.dialled.length, 1);
});

Deno.test("Session.leave() inside sends what was said before, then its goodbye", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.stream.incoming.capacity = 100;
  for (let at = 0; at < 300; at++) await setup.session.say(`line ${at}`);
  setup.session.leave();
  setup.session.leave();
  const says = await visit.says(300);
  assertEquals(says.length, 300);
  await visit.echo(2, says);
  await visit.next("bye");
  await visit.dismiss("left");
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() waits until what was said is in the log: a second, and no longer", async () => {
  for (const isTaken of [true, false]) {
    await using setup = new Setup();
    const { session, view } = setup;
    const [visit, running] = await setup.enter();
    await session.say("last words");
    const says = await visit.says(1);
    session.leave();
    setup.clock.advance(999);
    const bye = visit.next("bye");
    let left = false;
    bye.then(() => left = true);
    if (isTaken) await visit.echo(2, says);
    else await visit.broadcast(2, { kind: "said", id: 2, n: 1, text: "x" });
    await view.until("said");
    if (!isTaken) {
      assertEquals(left, false);
      setup.clock.advance(1);
    }
    await bye;
    await visit.dismiss("left");
    await running;
    session.conversation.showLost();
    assertEquals(texts(view.of("lost")), isTaken ? [] : ["last words"]);
    setup.assertAllClosed();
  }
});

Deno.test("Session.leave() waits a second for the server's goodbye, and no longer", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  setup.session.leave();
  await visit.next("bye"); // and no answer
  setup.clock.advance(999);
  assertEquals(setup.dialled[0]?.closed, false);
  setup.clock.advance(1);
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() doesn't wait for a connection that takes nothing more", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.stream.incoming.capacity = 0;
  await setup.session.say("stuck");
  setup.session.leave();
  setup.clock.advance(10_000); // long before it would count as silent
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() ends a stay whose client was asked for another name and doesn't answer", async () => {
  const asked = Promise.withResolvers<void>();
  await using setup = new Setup({
    askName: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const { session } = setup;
  const running = session.run();
  const visit = await setup.accept();
  await visit.next("join");
  await visit.tell({
    kind: "refused",
    n: null,
    reason: "name-taken",
    detail: "",
  });
  await asked.promise;
  session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() in answer to the loss of the connection ends the stay at once", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  const show = view.show.bind(view);
  view.show = (news) => {
    show(news);
    if (news.type === "disconnected") session.leave();
  };
  visit.end();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.leave() over a connection that takes no goodbye closes it", async () => {
  await using setup = new Setup();
  const [, running] = await setup.enter();
  setup.dialled[0]?.outgoing.fail(new Deno.errors.BrokenPipe("gone"));
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});
