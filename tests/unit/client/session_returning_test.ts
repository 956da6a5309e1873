/**
 * A client's stay across connections: what is sent, what is sent again and what isn't, and how it ends. The
 * server is the test's own, word by word, and once a real room behind a network that keeps failing.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import { JoinError } from "../../../src/client/join_error.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { cryptoIdle } from "../../kit/crypto_idle.ts";
import { streamPair } from "../../kit/memory_stream.ts";
import { GOODBYES, HandshakeRefusal } from "../../../src/protocol/reasons.ts";
import type { Stream } from "../../../src/protocol/record_reader.ts";
import { acceptChannel, refuse } from "../../../src/protocol/handshake.ts";
import { MEMBER_ID } from "../../../src/protocol/hello.ts";
import {
  ACCEPT,
  digest,
  HANDSHAKE,
  past,
  Setup,
  stay,
  Visit,
} from "../../kit/session_setup.ts";
import { madeUpPerson } from "../../kit/people.ts";

Deno.test("Session doesn't send again what it finds in the log, and sends again what it doesn't", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(1);
  for (const text of ["a", "b", "c", "d"]) await session.say(text, text);
  const [a, b, c, d] = await visit.says(4);
  assert(a && b && c && d);
  visit.end(); // before it has told of any
  const again = await setup.acceptAgain();
  const join = await again.next("join");
  assertEquals([join.n, join.after], [a.n - 1, 1]);
  // The first two were logged; another member, also one that calls its stay the same, and this person in another stay,
  // have the number of the third.
  await again.admit(
    8,
    again.past(2, a.n, "a"),
    again.past(3, b.n, "b"),
    past(4, c.n, "c", madeUpPerson("ben")),
    { ...past(5, c.n, "c"), name: "anna" },
    { ...again.past(6, c.n, "c"), person: madeUpPerson("ben"), name: "ben" },
    { ...again.past(7, c.n, "lost"), what: "left" }, // its own leaving counts on, and is no line
  );
  assertEquals(await again.says(2), [c, d]);
  const entered = await view.until("entered", 1);
  assertEquals(entered.waiting, 2);
  const own = () =>
    view.of("said").filter((it) => it.own).map(({ text, id }) => [text, id]);
  const before = [["a", "a"], ["b", "b"], ["c", undefined]];
  assertEquals(own(), before); // what it said elsewhere shows as its own
  await again.echo(9, [c, d]);
  await session.conversation.settled();
  assertEquals(own(), [...before, ["c", "c"], ["d", "d"]]);
  await setup.leave(again, running);
});

Deno.test("Session comes back by the last line that it saw, whoever said it", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter(4);
  await visit.broadcast(5, { kind: "said", id: 2, n: 1, text: "x" }, {
    kind: "said",
    id: 2,
    n: 2,
    text: "y",
  });
  await setup.view.until("said", 1);
  await visit.dismiss("stopped");
  const { reason } = await setup.view.until("disconnected");
  assertEquals(reason, "server stopped");
  const again = await setup.acceptAgain();
  assertEquals((await again.next("join")).after, 6);
  await again.admit(9);
  await setup.view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session keeps nothing of connections that are gone", async () => {
  await using setup = new Setup();
  let [visit, running] = await setup.enter(1);
  const gone: WeakRef<Stream>[] = [];
  for (const times of [0, 1, 2]) {
    gone.push(...setup.dialled.splice(0).map((it) => new WeakRef(it)));
    visit.end();
    visit = await setup.acceptAgain(times);
    await visit.next("join");
    await visit.admit(times + 2);
    await setup.view.until("entered", times + 1);
  }
  await cryptoIdle();
  await setup.clock.turn(); // what was looked at is kept until the end of its turn
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  assertEquals(gone.map((it) => it.deref() === undefined), Array(3).fill(true));
  await setup.leave(visit, running);
});

Deno.test("Session waits longer after each failed attempt, half a minute at most, and less after a good one", async () => {
  let refusing = false;
  await using setup: Setup = new Setup({
    dial: () =>
      refusing
        ? Promise.reject(new Deno.errors.ConnectionRefused())
        : setup.dial(),
  });
  const { view } = setup;
  const [visit, running] = await setup.enter();
  refusing = true;
  visit.end();
  for (let attempt = 0; attempt < 8; attempt++) {
    const { seconds, reason } = await view.until("disconnected", attempt);
    const longest = Math.min(30, 2 ** attempt);
    assert(seconds <= longest && seconds >= Math.floor(longest / 2));
    if (attempt > 0) assertEquals(reason, "connection refused");
    if (attempt === 7) refusing = false;
    setup.clock.advance(longest * 1_000);
  }
  const again = await setup.accept();
  await again.next("join");
  await again.admit(3);
  await view.until("entered", 1);
  again.end();
  assertEquals((await view.until("disconnected", 8)).seconds, 1);
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session gives a connection up that said nothing to it alone for 35 s, and pings when it said nothing for 20", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  setup.clock.advance(19_000);
  await visit.tell({ kind: "ping" });
  await visit.next("pong");
  setup.clock.advance(19_000);
  await visit.tell({ kind: "pong" }, { kind: "ping" });
  await visit.next("pong");
  setup.clock.advance(20_000);
  await visit.next("ping");
  await visit.broadcast(2, { kind: "said", id: 2, n: 1, text: "still here" });
  await setup.view.until("said"); // what all are told is no sign of life
  setup.clock.advance(14_000);
  await digest();
  assertEquals(setup.view.of("disconnected"), []);
  setup.clock.advance(1_000);
  const { reason } = await setup.view.until("disconnected");
  assertEquals(reason, "no sign of life for 35 s");
  await visit.untilEnd();
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session.hurry() ends the pause before the next attempt at once, as often as it is called", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  for (const times of [0, 1]) {
    await setup.view.until("disconnected", times);
    await digest();
    setup.session.hurry();
    setup.session.hurry();
    const stream = await setup.arrival(); // no time has passed
    if (times === 0) stream.close();
    else {
      const again = await Visit.accept(stream);
      await again.next("join");
      await again.admit(2);
      await setup.view.until("entered", 1);
      await setup.leave(again, running);
    }
  }
  setup.session.hurry();
  assertEquals(setup.clock.pending, 0);
});

Deno.test("Session.hurry() finds out within 10 s that a connection is dead, and keeps one that answers", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  setup.session.hurry();
  setup.session.hurry();
  await visit.next("ping");
  setup.clock.advance(9_000);
  await visit.tell({ kind: "pong" }, { kind: "ping" });
  await visit.next("pong"); // and no second ping
  setup.clock.advance(19_000);
  await visit.tell({ kind: "ping" });
  await visit.next("pong");
  setup.session.hurry();
  setup.clock.advance(9_000);
  assertEquals(setup.view.of("disconnected"), []);
  setup.clock.advance(1_000);
  const { reason } = await setup.view.until("disconnected");
  assertEquals(reason, GOODBYES.lost);
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("Session comes back from a server that lost its mind", async () => {
  await using setup = new Setup();
  const cases: ((visit: Visit) => Promise<void>)[] = [
    (visit) => visit.broadcast(99, { kind: "said", id: 2, n: 1, text: "x" }),
    (visit) => visit.broadcast(2, { kind: "said", id: 77, n: 1, text: "x" }),
    (visit) => visit.broadcast(2, { kind: "pong" }),
    (visit) => visit.tell({ kind: "say", n: 1, text: "x" }),
    (visit) => {
      visit.stream.outgoing.inject(new Uint8Array(1_000));
      return Promise.resolve();
    },
  ];
  const running = setup.session.run();
  let visit = await setup.accept();
  for (const [at, confuse] of cases.entries()) {
    await visit.next("join");
    await visit.admit(1);
    await setup.view.until("entered", at);
    await confuse(visit);
    visit = await setup.acceptAgain(at);
  }
  assertEquals(setup.view.of("said"), []);
  await visit.next("join");
  await visit.admit(1);
  await setup.view.until("entered", cases.length);
  await setup.leave(visit, running);
});

Deno.test("Session tries again where a later joining is refused for want of place", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  const second = await setup.acceptAgain(0);
  await second.next("join");
  await second.tell({
    kind: "refused",
    n: null,
    reason: "room-full",
    detail: "",
  });
  const third = await setup.acceptAgain(1);
  await third.next("join");
  await third.admit(5);
  await setup.view.until("entered", 1);
  await setup.leave(third, running);
});

Deno.test("Session tries again where another server answers a later joining, and loses nothing", async () => {
  let isForged = false;
  await using setup = new Setup({
    handshake: {
      ...HANDSHAKE,
      checkServer: () => {
        if (isForged) throw new JoinError("another server", "ask");
      },
    },
  });
  const [visit, running] = await setup.enter();
  isForged = true;
  visit.end();
  await setup.session.say("kept");
  await setup.view.until("disconnected");
  setup.clock.advance(1_000);
  const forged = await setup.arrival();
  await assertRejects(() => Visit.accept(forged)); // the client stops before its third message
  const { reason } = await setup.view.until("disconnected", 1);
  assertEquals(reason, "another server");
  isForged = false;
  const third = await setup.acceptAgain(1);
  await third.next("join");
  await third.admit(5);
  const says = await third.says(1);
  assertEquals(says[0]?.text, "kept");
  await third.echo(6, says);
  await setup.leave(third, running);
});

Deno.test("Session tries again where its name is taken while it was away and who is asked for another gives none", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  await setup.session.say("kept");
  const second = await setup.acceptAgain(0);
  await second.next("join");
  await second.tell({
    kind: "refused",
    n: null,
    reason: "name-taken",
    detail: "",
  });
  const third = await setup.acceptAgain(1);
  assertEquals((await third.next("join")).name, "ana");
  assertEquals(setup.questions.length, 1);
  await third.admit(5);
  const says = await third.says(1);
  assertEquals(says[0]?.text, "kept");
  await third.echo(6, says);
  await setup.leave(third, running);
});

Deno.test("Session.run() rejects where the first connection comes to nothing", async () => {
  const message = "Cannot join chat.example:5000: ";
  const refused = new Deno.errors.ConnectionRefused();
  await using unreachable = new Setup({ dial: () => Promise.reject(refused) });
  await assertRejects(
    () => unreachable.session.run(),
    JoinError,
    `${message}connection refused`,
  );
  unreachable.assertAllClosed();

  await using silent = new Setup();
  const running = silent.session.run();
  const stream = await silent.arrival();
  await stream.read(new Uint8Array(2_048));
  stream.close();
  await assertRejects(
    () => running,
    JoinError,
    `${message}Cannot shake hands: the connection ended`,
  );
  silent.assertAllClosed();

  await using early = new Setup();
  const entering = early.session.run();
  const visit = await early.accept();
  await visit.next("join");
  visit.end();
  await assertRejects(
    () => entering,
    JoinError,
    `${message}connection lost`,
  );
  early.assertAllClosed();
});

Deno.test("Session.run() rejects with what checkServer says of a wrong server", async () => {
  const wrong = new JoinError("not the server that you mean", "Go home");
  await using setup = new Setup({
    handshake: {
      ...HANDSHAKE,
      checkServer: () => {
        throw wrong;
      },
    },
  });
  const running = setup.session.run();
  const accepting = assertRejects(() => setup.accept());
  assertEquals(await assertRejects(() => running, JoinError), wrong);
  await accepting;
  setup.assertAllClosed();
});

Deno.test("Session comes back after a refusal, which anybody on the way could have sent", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  visit.end();
  await setup.view.until("disconnected");
  setup.clock.advance(30_000);
  await refuse(await setup.arrival(), HandshakeRefusal.busy);
  const { reason } = await setup.view.until("disconnected", 1);
  assert(reason.includes("no room"));
  setup.clock.advance(30_000);
  await refuse(await setup.arrival(), HandshakeRefusal.key);
  const { reason: key } = await setup.view.until("disconnected", 2);
  assert(key.includes("code does not open"));
  const again = await setup.acceptAgain(2);
  await again.next("join");
  await again.admit(2);
  await setup.view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session.run() gives up on a connection that isn't there after 12 s, and closes it", async () => {
  const message = "Cannot join chat.example:5000: no answer from the server";
  await using mute = new Setup();
  const running = mute.session.run();
  const stream = await mute.arrival(); // and then nothing
  mute.clock.advance(11_999);
  assertEquals(stream.closed, false);
  mute.clock.advance(1);
  await assertRejects(() => running, JoinError, message);
  mute.assertAllClosed();
  await mute.dialled[0]?.whenUsedLate; // the handshake notices

  const { promise, resolve } = Promise.withResolvers<Stream>();
  const dialling = Promise.withResolvers<void>();
  await using slow = new Setup({
    dial: () => {
      dialling.resolve();
      return promise;
    },
  });
  const waiting = slow.session.run();
  await dialling.promise;
  slow.clock.advance(12_000);
  await assertRejects(() => waiting, JoinError, message);
  const [near] = streamPair();
  resolve(near); // too late
  await near.whenClosed;
});

Deno.test("Session closes a connection over which it couldn't even ask to be let in", async () => {
  await using setup = new Setup();
  const running = setup.session.run();
  const far = await setup.arrival();
  const [near] = setup.dialled;
  assert(near);
  near.outgoing.alter = (record, at) => {
    if (at === 1) near.outgoing.fail(new Deno.errors.BrokenPipe("gone"));
    return [record];
  };
  const accepting = assertRejects(() => Visit.accept(far));
  await assertRejects(() => running, JoinError, "gone");
  await accepting;
  setup.assertAllClosed();
});

Deno.test("Session brings every line into the log once and in order, over connections that keep breaking", async () => {
  let breaks = 0;
  for (let seed = 1; seed <= 12; seed++) {
    breaks += await stay(seed).catch((cause) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
  assert(breaks > 30, `${breaks} breaks`);
});

Deno.test("Session comes back by its own key, and by its invite where the server doesn't know it any more", async () => {
  await using setup = new Setup();
  const { view } = setup;
  const [visit, running] = await setup.enter();
  visit.end();
  await view.until("disconnected");
  setup.clock.advance(30_000);
  await refuse(await setup.arrival(), HandshakeRefusal.busy); // says nothing of its key
  const ways: number[] = [];
  for (let time = 1; time < 4; time++) {
    await view.until("disconnected", time);
    setup.clock.advance(30_000);
    const stream = await setup.arrival();
    const turnedAway = (way: number) => {
      ways.push(way);
      return HandshakeRefusal.key;
    };
    await assertRejects(() => acceptChannel(stream, { ...ACCEPT, turnedAway }));
  }
  assertEquals(ways, [MEMBER_ID, ROOM_INVITE_ID, MEMBER_ID]);
  const last = await setup.acceptAgain(4);
  await last.next("join");
  await last.admit(5);
  await view.until("entered", 1);
  await setup.leave(last, running);
});

Deno.test("Session comes back at once by its old name where a new one is refused, and by another where somebody is asked for one", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  const taken = { kind: "refused", n: null, detail: "" } as const;
  visit.end();
  await view.until("disconnected");
  session.conversation.rename("anna");
  const second = await setup.acceptAgain();
  assertEquals((await second.next("join")).name, "anna");
  await second.tell({ ...taken, reason: "name-taken" });
  const third = await setup.accept(); // no time has passed
  assertEquals((await third.next("join")).name, "ana");
  assertEquals(view.of("refused").map(({ text }) => text), ["anna"]);
  assertEquals(setup.questions, []);
  setup.names.push("carla");
  await third.tell({ ...taken, reason: "name-claimed" });
  const fourth = await setup.accept();
  assertEquals((await fourth.next("join")).name, "carla");
  assertEquals(setup.questions.length, 1);
  await fourth.admit(5); // as "ana", who is there still
  assertEquals((await fourth.next("rename")).name, "carla");
  await setup.leave(fourth, running);
});

Deno.test("Session that stood for long and was lost by a fault of the server's pauses all the same", async () => {
  await using setup = new Setup();
  const [visit, running] = await setup.enter();
  setup.clock.advance(10_000);
  await visit.broadcast(99, { kind: "said", id: 2, n: 1, text: "x" });
  assertEquals((await setup.view.until("disconnected")).seconds, 1);
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});
