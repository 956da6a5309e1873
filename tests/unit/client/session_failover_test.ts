/**
 * A client's stay in a room that is on several servers: which of them it tries, when, and what it tells of that. The
 * servers are the test's own, word by word.
 *
 * @module
 */

import { JoinError } from "../../../src/client/join_error.ts";
import type { SessionOptions } from "../../../src/client/session.ts";
import { Known } from "../../../src/client/known.ts";
import { HandshakeRefusal, REFUSALS } from "../../../src/protocol/reasons.ts";
import { refuse } from "../../../src/protocol/handshake.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  digest,
  HANDSHAKE,
  Setup,
  type Visit,
} from "../../kit/session_setup.ts";

const [A, B, C] = ["a.example:5000", "b.example:5000", "c.example:5000"];
/** A connection that stood for so long, ms, was a good one. */
const STEADY = 10_000;

/** A session with servers of which some are dead. */
class Servers extends Setup {
  readonly dead = new Set<string>();
  /** What was dialled, in order. */
  readonly tried: string[] = [];

  constructor(
    others: readonly string[],
    options: Partial<SessionOptions> = {},
  ) {
    super({
      address: A,
      others,
      dial: (address) => {
        this.tried.push(address);
        return this.dead.has(address)
          ? Promise.reject(new Deno.errors.ConnectionRefused())
          : this.dial();
      },
      ...options,
    });
  }

  /** Takes the next connection in. */
  async admits(seq: number): Promise<Visit> {
    const visit = await this.accept();
    await visit.next("join");
    await visit.admit(seq);
    return visit;
  }

  /** What was told of losses. */
  get losses() {
    return this.view.of("disconnected").map(({ reason, seconds, next }) => ({
      reason,
      seconds,
      ...(next === undefined ? {} : { next }),
    }));
  }
}

Deno.test("a session that loses its server goes on to the next at once, and says so in a line", async () => {
  const known = await Known.load(undefined, () => {});
  await using setup = new Servers([B, C], { known });
  const [visit, running] = await setup.enter();
  assertEquals(known.roomAt(A)?.addresses, [A, B, C]);
  setup.clock.advance(STEADY);
  setup.dead.add(A).add(B);
  visit.end();
  const again = await setup.admits(2); // though nobody has moved the clock on
  const entered = await setup.view.until("entered", 1);
  assertEquals([entered.address, entered.again, entered.moved], [
    C,
    true,
    true,
  ]);
  assertEquals(setup.tried, [A, B, C]);
  assertEquals(setup.losses, [
    { reason: "connection lost", seconds: 0, next: B },
  ]);
  await setup.leave(again, running);
});

Deno.test("a session pauses once it has tried each of the room's servers, longer each time", async () => {
  await using setup = new Servers([B, C]);
  const [visit, running] = await setup.enter();
  setup.clock.advance(STEADY);
  for (const address of [A, B, C]) setup.dead.add(address);
  visit.end();
  await setup.view.until("disconnected", 1);
  assertEquals(setup.tried, [A, B, C]);
  setup.clock.advance(1_000);
  await setup.view.until("disconnected", 2);
  assertEquals(setup.tried, [A, B, C, A, B, C]);
  setup.clock.advance(500);
  await digest();
  assertEquals(setup.tried.length, 6); // the second pause is a second at least
  setup.dead.delete(A);
  setup.clock.advance(1_500);
  const again = await setup.admits(2);
  const { address, moved } = await setup.view.until("entered", 1);
  assertEquals([address, moved], [A, undefined]);
  assertEquals(
    setup.losses.map(({ reason }) => reason),
    ["connection lost", "connection refused", "connection refused"],
  );
  await setup.leave(again, running);
});

Deno.test("a session that each server lets in and drops at once pauses after all of them", async () => {
  await using setup = new Servers([B]);
  const [first, running] = await setup.enter();
  first.end();
  const second = await setup.admits(2);
  await setup.view.until("entered", 1);
  second.end();
  const { seconds } = await setup.view.until("disconnected", 1);
  assertEquals([seconds, setup.tried], [1, [A, B]]);
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("a server that accepts and says nothing has 4 s while others are left, the last one 12", async () => {
  await using setup = new Servers([B]);
  const running = setup.session.run();
  const refused = assertRejects(
    () => running,
    JoinError,
    `Cannot join ${A}: no answer from the server; ${B}: no answer from the server`,
  );
  await setup.arrival();
  setup.clock.advance(3_999);
  await digest();
  assertEquals(setup.tried, [A]);
  setup.clock.advance(1);
  await setup.arrival();
  setup.clock.advance(11_999);
  await digest();
  assertEquals(setup.tried, [A, B]);
  setup.clock.advance(1);
  await refused;
  setup.assertAllClosed();
});

Deno.test("a server that has no room is passed over, in the handshake or when it is asked to let in", async () => {
  await using setup = new Servers([B, C]);
  const running = setup.session.run();
  await refuse(await setup.arrival(), HandshakeRefusal.busy);
  const visit = await setup.accept();
  await visit.next("join");
  await visit.tell({
    kind: "refused",
    n: null,
    reason: "room-full",
    detail: "",
  });
  const last = await setup.admits(1);
  assertEquals((await setup.view.until("entered")).address, C);
  assertEquals(setup.view.notes, []);
  await setup.leave(last, running);
});

Deno.test("a session says which servers it tried, and why it couldn't join by any", async () => {
  await using setup = new Servers([B]);
  setup.dead.add(B);
  const running = setup.session.run();
  const refused = assertRejects(
    () => running,
    JoinError,
    `Cannot join ${A}: The room is full; ${B}: connection refused`,
  );
  const visit = await setup.accept();
  await visit.next("join");
  const why = { n: null, reason: "room-full", detail: "" };
  await visit.tell({ kind: "refused", ...why });
  await refused;
  setup.assertAllClosed();
});

Deno.test("a session passes over what isn't the room's server, and says so", async () => {
  await using setup = new Servers([B], {
    handshake: {
      ...HANDSHAKE,
      checkServer: (_, address) => {
        if (address === A) throw new JoinError(`${A} is another`, "");
      },
    },
  });
  const running = setup.session.run();
  const strange = await setup.accept().catch(() => undefined);
  assertEquals(strange, undefined);
  assertEquals(await setup.view.untilNote(), `${A} is another`);
  const visit = await setup.admits(1);
  assertEquals((await setup.view.until("entered")).address, B);
  await setup.leave(visit, running);
});

Deno.test("a session comes back at once to a server that was cut off from the room's others", async () => {
  await using setup = new Servers([]);
  const [visit, running] = await setup.enter();
  setup.clock.advance(STEADY);
  await visit.dismiss("adrift");
  const again = await setup.admits(2);
  await setup.view.until("entered", 1);
  assertEquals(setup.losses, [{
    reason: "the server was cut off from the room's other servers",
    seconds: 0,
  }]);
  await again.dismiss("adrift"); // at once: that server has to wait
  assertEquals((await setup.view.until("disconnected", 1)).seconds, 1);
  setup.session.leave();
  await running;
  setup.assertAllClosed();
});

Deno.test("a session says once that messages wait at the server, and once that they go out again", async () => {
  const WAIT =
    "The server can't reach the room's other servers: messages wait there";
  const GO = "Messages go out again";
  await using setup = new Servers([B]);
  const running = setup.session.run();
  const visit = await setup.accept();
  await visit.next("join");
  await visit.tell({ kind: "waiting", is: true });
  await visit.admit(1);
  await setup.view.until("entered");
  await visit.broadcast(2, { kind: "waiting", is: true });
  assertEquals(await setup.view.untilNote(), WAIT);
  await visit.broadcast(2, { kind: "waiting", is: false });
  assertEquals(await setup.view.untilNote(1), GO);
  await visit.broadcast(2, { kind: "waiting", is: true });
  assertEquals(await setup.view.untilNote(2), WAIT);
  visit.end(); // to another that says nothing of that
  const again = await setup.admits(2);
  assertEquals(await setup.view.untilNote(3), GO);
  await setup.leave(again, running);
  assertEquals(setup.view.notes, [WAIT, GO, WAIT, GO]);
});

Deno.test("a session gives up at the first server that refuses it for good, and at the last that has no room", async () => {
  for (
    const [reasons, tried, words] of [
      [["invite-used"], [A], REFUSALS["invite-used"]],
      [["room-full", "room-full"], [A, B], "The room is full"],
      [["log-failed", "room-full"], [A, B], "The room is full"],
      [["log-unreadable", "room-full"], [A, B], "The room is full"],
    ] as const
  ) {
    await using setup = new Servers([B]);
    const running = setup.session.run();
    const refused = assertRejects(() => running, JoinError);
    for (const reason of reasons) {
      const visit = await setup.accept();
      await visit.next("join");
      await visit.tell({ kind: "refused", n: null, reason, detail: "" });
    }
    assertEquals((await refused).message, words);
    assertEquals(setup.tried, [...tried]);
    setup.assertAllClosed();
  }
});

Deno.test("a session whose link is refused comes to the same server by its own key before it tries others", async () => {
  await using setup = new Servers([B]);
  const running = setup.session.run();
  const refused = assertRejects(() => running, JoinError);
  for (let time = 0; time < 2; time++) {
    await refuse(await setup.arrival(), HandshakeRefusal.key);
  }
  await refused;
  assertEquals([setup.tried, setup.view.notes], [[A, A], []]);
  setup.assertAllClosed();
});

Deno.test("a session learns from its server where the others are, goes there, and remembers them", async () => {
  const known = await Known.load(undefined, () => {});
  await using setup = new Servers([], {
    known,
    placesIn: (list) => list.split(","),
  });
  const [visit, running] = await setup.enter();
  await visit.tell({ kind: "servers", list: `${A},${B},${C}` });
  await visit.tell({ kind: "motd", text: "after that" });
  await setup.view.untilNote();
  setup.clock.advance(STEADY);
  setup.dead.add(A);
  visit.end();
  const again = await setup.admits(2);
  assertEquals((await setup.view.until("entered", 1)).address, B);
  assertEquals(known.roomAt(A)?.addresses, [B, A, C]);
  await setup.leave(again, running);
});
