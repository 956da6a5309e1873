/**
 * Writing all of some bytes, and what is said on standard output and standard error.
 *
 * @module
 */

import {
  complain,
  isUnread,
  OutputError,
  print,
} from "../../../src/base/output.ts";
import {
  waitIfFull,
  writeAll,
  writeAllSync,
} from "../../../src/base/write_all.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { withMethod } from "../../kit/log_kit.ts";

/** What takes so many bytes of each write, one after the other, and then none; an error is thrown. */
function taking(counts: readonly (number | Error)[]) {
  const next = counts.values();
  const taken: number[] = [];
  const writeSync = (bytes: Uint8Array) => {
    const { value: count = 0 } = next.next();
    if (count instanceof Error) throw count;
    taken.push(...bytes.subarray(0, count));
    return count;
  };
  const write = (bytes: Uint8Array) =>
    Promise.resolve().then(() => writeSync(bytes));
  return { write, writeSync, taken };
}

const BYTES = Uint8Array.of(1, 2, 3, 4, 5);
const full = () => new Deno.errors.WouldBlock("full");

Deno.test("writeAll() and writeAllSync() write all in order, however little is taken, and fail where nothing is", async () => {
  const ways = [
    writeAll,
    (writer: ReturnType<typeof taking>, bytes: Uint8Array) =>
      Promise.resolve().then(() => writeAllSync(writer, bytes)),
  ];
  for (const way of ways) {
    const writer = taking([2, 1, 2]);
    await way(writer, BYTES);
    assertEquals(writer.taken, [...BYTES]);
    await way(writer, new Uint8Array(0)); // of which nothing needs to be taken
    const none = () => way(writer, BYTES);
    await assertRejects(none, Error, "nothing more is taken");
    const broken = () => way(taking([2, new RangeError("broken")]), BYTES);
    await assertRejects(broken, RangeError, "broken");
  }
});

Deno.test("writeAllSync() tries again what a full pipe didn't take, and no other error is waited out", () => {
  const writer = taking([2, full(), full(), 3]);
  writeAllSync(writer, BYTES, waitIfFull);
  assertEquals(writer.taken, [...BYTES]);
  const broken = taking([2, new Deno.errors.BrokenPipe()]);
  assertThrows(
    () => writeAllSync(broken, BYTES, waitIfFull),
    Deno.errors.BrokenPipe,
  );
});

Deno.test("print() says why standard output takes no more; complain() says nothing of what standard error doesn't take", async () => {
  const cases = [
    [new Deno.errors.BrokenPipe(), "nobody reads it", true],
    [new Error("the disk is full"), "the disk is full", false],
  ] as const;
  for (const [cause, why, unread] of cases) {
    const { writeSync } = taking([cause]);
    await withMethod(Deno.stdout, "writeSync", () => writeSync, () => {
      const error = assertThrows(() => print("x"), OutputError);
      assertEquals(error.message, `Cannot write to standard output: ${why}`);
      assertEquals([error.cause, isUnread(error)], [cause, unread]);
      return Promise.resolve();
    });
    assert(!isUnread(cause));
  }
  const { writeSync, taken } = taking([new Error("closed"), 1, full(), 2]);
  await withMethod(Deno.stderr, "writeSync", () => writeSync, () => {
    complain("lost");
    complain("ab\n");
    return Promise.resolve();
  });
  assertEquals(taken, [...utf8("ab\n")]);
});

Deno.test("complain() breaks between words at a terminal, where that tells its width", async () => {
  const said = "one two three four\n";
  const ways = [
    [true, () => ({ columns: 10, rows: 1 }), "one two\nthree four\n"],
    [true, () => ({ columns: 0, rows: 0 }), said],
    [true, () => {
      throw new Error("no terminal");
    }, said],
    [false, () => ({ columns: 10, rows: 1 }), said],
  ] as const;
  for (const [isTerminal, size, shown] of ways) {
    const { writeSync, taken } = taking([Infinity]);
    await withMethod(
      Deno.stderr,
      "writeSync",
      () => writeSync,
      () =>
        withMethod(
          Deno.stderr,
          "isTerminal",
          () => () => isTerminal,
          () =>
            withMethod(Deno, "consoleSize", () => size, () => {
              complain(said);
              return Promise.resolve();
            }),
        ),
    );
    assertEquals(taken, [...utf8(shown)]);
  }
});
