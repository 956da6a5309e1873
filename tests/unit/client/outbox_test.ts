/**
 * The lines that a client has said: in order, over one connection after the other. What a session makes of it is
 * tested with the session.
 *
 * @module
 */

import { Outbox } from "../../../src/client/outbox.ts";
import type { Line } from "../../../src/protocol/line.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { ManualClock } from "../../kit/memory_stream.ts";

/** A connection that takes lines when the test lets it. */
class TestConnection {
  /** What it was given, a list for each call. */
  readonly given: string[][] = [];
  isClosed = false;
  #taking = Promise.withResolvers<void>();

  say(lines: readonly Line[]): Promise<void> {
    this.given.push(lines.map(({ text }) => text));
    this.#taking = Promise.withResolvers<void>();
    return this.#taking.promise;
  }

  /** Lets the last call end. */
  async take(): Promise<void> {
    this.#taking.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }

  async fail(): Promise<void> {
    this.#taking.reject(new Error("gone"));
    await Promise.resolve();
    await Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }
}

Deno.test("Outbox sends in order, and the next lines only when those before are out", async () => {
  const outbox = new Outbox();
  const connection = new TestConnection();
  await outbox.add({ text: "one" });
  outbox.connected(connection);
  for (const text of ["two", "three"]) await outbox.add({ text });
  assertEquals(connection.given, [["one"]]);
  await connection.take();
  assertEquals(connection.given, [["one"], ["two", "three"]]);
  await connection.take();
});

Deno.test("Outbox sends what isn't settled again over the next connection", async () => {
  const outbox = new Outbox();
  const [first, second] = [new TestConnection(), new TestConnection()];
  outbox.connected(first);
  const before = outbox.before;
  const one = await outbox.add({ text: "one" });
  await outbox.add({ text: "two" });
  assertEquals([one, outbox.size], [before + 1, 2]);
  await first.fail();
  assert(first.isClosed);
  outbox.disconnected();
  await outbox.add({ text: "three" });
  assertEquals(outbox.settle(one)?.text, "one");
  assertEquals(outbox.settle(one), undefined);
  assertEquals(outbox.before, one);
  outbox.connected(second);
  assertEquals(second.given, [["two", "three"]]);
  assertEquals(first.given, [["one"]]);
  await second.take();
});

Deno.test("Outbox goes on over the next connection where a sender still waits for the last", async () => {
  const outbox = new Outbox();
  const [first, second] = [new TestConnection(), new TestConnection()];
  outbox.connected(first);
  await outbox.add({ text: "one" });
  outbox.disconnected();
  outbox.connected(second);
  assertEquals(second.given, []);
  await first.fail();
  assertEquals(second.given, [["one"]]);
  assert(!second.isClosed);
  await second.take();
});

Deno.test("Outbox.settled() resolves when nothing waits, or after close()", async () => {
  for (const closes of [false, true]) {
    const outbox = new Outbox();
    const n = await outbox.add({ text: "one" });
    let settled = false;
    const settling = outbox.settled().then(() => settled = true);
    await Promise.resolve();
    assertEquals(settled, false);
    if (closes) outbox.close();
    else outbox.settle(n);
    await settling;
    assertEquals(outbox.lines.map(({ text }) => text), closes ? ["one"] : []);
  }
});

Deno.test("Outbox.flush() waits until all is sent, and then for a while until it is settled or the connection is gone", async () => {
  using clock = new ManualClock();
  for (const end of ["settled", "gone", "late"]) {
    const outbox = new Outbox();
    const connection = new TestConnection();
    outbox.connected(connection);
    const n = await outbox.add({ text: "one" });
    let isOver = false;
    const flushing = outbox.flush(1_000).then(() => isOver = true);
    const turn = async () => {
      for (let step = 0; step < 9; step++) await Promise.resolve();
      return isOver;
    };
    clock.advance(5_000);
    assertEquals(await turn(), false); // it is not even sent
    await connection.take();
    assertEquals(await turn(), false);
    clock.advance(999);
    assertEquals(await turn(), false);
    if (end === "settled") outbox.settle(n);
    else if (end === "gone") outbox.disconnected();
    else clock.advance(1);
    assertEquals(await turn(), true, end);
    await flushing;
    assertEquals(clock.pending, 0);
  }
});

Deno.test("Outbox has one who says more wait while 1,024 lines do, until one is settled", async () => {
  const outbox = new Outbox();
  for (let n = 1; n <= 1_024; n++) await outbox.add({ text: "one" });
  let isIn = false;
  const adding = outbox.add({ text: "more" }).then(() => isIn = true);
  for (let step = 0; step < 9; step++) await Promise.resolve();
  assertEquals([isIn, outbox.size], [false, 1_024]);
  outbox.settle(7);
  await adding;
  assertEquals(outbox.size, 1_024);
});
