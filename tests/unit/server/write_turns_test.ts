/**
 * Tests of when connections write.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { nextTurn } from "../../../src/server/next_turn.ts";
import { WriteTurns } from "../../../src/server/write_turns.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { ManualTurns } from "../../kit/manual_turns.ts";

/** Counts turns of the event loop until it is stopped, and keeps it busy meanwhile. */
class Turns implements Disposable {
  count = 0;
  #over = false;

  constructor() {
    this.#next();
  }

  #next(): void {
    setImmediate(() => {
      this.count++;
      if (!this.#over) this.#next();
    });
  }

  [Symbol.dispose](): void {
    this.#over = true;
  }
}

Deno.test("WriteTurns begins 96 writes in a turn, and the others in the next ones, in order, and asks for none where nobody writes", () => {
  const manual = new ManualTurns();
  const { turns } = manual;
  assertEquals([manual.isNextAsked, turns.waiting], [false, 0]);
  const begun: number[] = [];
  const all = Array.from({ length: 200 }, (_, at) => at);
  for (const at of all) turns.take(() => void begun.push(at));
  assertEquals([begun, turns.waiting], [all.slice(0, 96), 104]);
  manual.next();
  assertEquals(begun, all.slice(0, 192));
  turns.take(() => void begun.push(200)); // there is no place in this turn
  assertEquals(begun.length, 192);
  manual.next();
  assertEquals(begun, [...all, 200]);
  manual.next();
  assertEquals([manual.isNextAsked, turns.waiting], [false, 0]);
  for (let at = 201; at <= 297; at++) turns.take(() => void begun.push(at));
  assertEquals(begun.at(-1), 296);
  manual.next();
  assertEquals(begun.at(-1), 297);
});

Deno.test("WriteTurns has a write asked for by another wait for its turn as well", () => {
  const manual = new ManualTurns();
  const { turns } = manual;
  let begun = 0;
  const write = () => {
    begun++;
    turns.take(write);
  };
  for (let at = 0; at < 96; at++) turns.take(() => void begun++);
  turns.take(write);
  assertEquals(begun, 96);
  manual.next();
  assertEquals(begun, 192); // and as many as there is place for
});

Deno.test("WriteTurns forgets what was written, even where somebody waits all the time", async () => {
  const turns = new WriteTurns();
  let written = 0;
  const takeSome = () => {
    const refs: WeakRef<() => void>[] = [];
    for (let at = 0; at < 96; at++) {
      const write = () => void written++;
      refs.push(new WeakRef(write));
      turns.take(write);
    }
    return refs;
  };
  takeSome();
  const early = takeSome();
  for (let turn = 0; turn < 10; turn++) {
    takeSome();
    await nextTurn();
  }
  assertEquals(written, 11 * 96); // and others wait
  takeSome();
  await nextTurn(); // what was looked at is kept until the end of its turn
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  assertEquals(early.filter((it) => it.deref()).length, 0);
});

Deno.test("WriteTurns has 500 writes to clients that read carried out within 10 turns of a busy server", async () => {
  await using stack = new AsyncDisposableStack();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const conns: Deno.TcpConn[] = [];
  for (let at = 0; at < 500; at++) {
    const connecting = Deno.connect({ hostname: "127.0.0.1", port });
    const conn = await listener.accept();
    conns.push(conn);
    for (const it of [conn, await connecting]) stack.defer(() => it.close());
  }
  const writeTurns = new WriteTurns();
  using turns = new Turns();
  const bytes = new Uint8Array(300);
  const ends = await Promise.all(
    conns.map((conn) =>
      new Promise<number>((resolve) =>
        writeTurns.take(() => {
          conn.write(bytes).then(() => resolve(turns.count));
        })
      )
    ),
  );
  // Begun all at once, they take more than a hundred.
  assert(Math.max(...ends) <= 10, `${Math.max(...ends)} turns`);
});
