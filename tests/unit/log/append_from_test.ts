/**
 * A log that follows others: lines that it has already are compared, the others are appended; an empty one may begin later.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../../src/base/advised_error.ts";
import { LogError } from "../../../src/log/file.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  happeningsOf,
  numbered,
  openLog,
  pastOf,
  said,
  saidUpTo,
  testWithPath,
  valueFor,
} from "../../kit/log_kit.ts";

testWithPath(
  "appendFrom() appends what the log lacks, however much of it is there",
  async (path) => {
    const all = saidUpTo(6);
    await using log = await openLog(path, { window: 2, fsync: true });
    for (
      const [first, last] of [[1, 2], [1, 4], [4, 4], [2, 6], [3, 5], [7, 6]]
    ) {
      await log.appendFrom(first ?? 0, all.slice((first ?? 0) - 1, last));
    }
    const known = () => log.appendFrom(1, all);
    assertEquals(await happeningsOf(path, known), []); // nothing is written
    assertEquals(log.head, 6);
    assertEquals(await pastOf(log), numbered(all));
    assertEquals(log.recent(4), numbered(all).slice(4));
  },
);

testWithPath(
  "appendFrom() names the first line that is another one, and appends nothing then",
  async (path) => {
    await using log = await openLog(path);
    await log.append(saidUpTo(4));
    const other = [said(2), said(3, "other"), said(4, "other"), said(5)];
    await assertRejects(
      () => log.appendFrom(2, other),
      AdvisedError,
      `Cannot go on with "${path}": event 3 there isn't the one that the room has`,
    );
    assertEquals(log.head, 4);
    await assertRejects(
      () => log.appendFrom(6, [said(6)]),
      LogError,
      `Cannot go on with "${path}": it ends with event 4, and event 6 is the next`,
    );
  },
);

testWithPath(
  "appendFrom() gives a number without a line of ours to null, and finds it there again",
  async (path) => {
    await using log = await openLog(path);
    const entries = [said(1), null, said(3)];
    await log.appendFrom(1, entries);
    const there = [{ ...said(1), seq: 1, to: null }, {
      ...said(3),
      seq: 3,
      to: null,
    }];
    assertEquals(await pastOf(log), there);
    assertEquals(await log.chainAt(3), valueFor(there));
    await log.appendFrom(1, [...entries, said(4)]);
    assertEquals(log.head, 4);
    await assertRejects(
      () => log.appendFrom(1, [null]),
      AdvisedError,
      "event 1",
    );
    await assertRejects(
      () => log.appendFrom(2, [said(2)]),
      AdvisedError,
      "event 2",
    );
  },
);

testWithPath(
  "startAfter() has an empty log begin later, with the chain's value",
  async (path) => {
    const entries = numbered(saidUpTo(9));
    const value = valueFor(entries, 7);
    {
      await using log = await openLog(path);
      await log.startAfter(7, value);
      assertEquals([log.head, log.start[0]], [7, 7]);
      assertEquals(await log.chainAt(7), value);
      await log.append([said(8), said(9)]);
      assertEquals(await log.chainAt(9), valueFor(entries));
      await assertRejects(
        () => log.startAfter(20, value),
        LogError,
        "it has lines",
      );
    }
    const text = await Deno.readTextFile(path);
    assert(
      text.startsWith(`# continues at event 8 after ${toBase64url(value)}\n`),
    );
    await using log = await openLog(path);
    assertEquals(await pastOf(log), entries.slice(7));
    assertEquals(await log.chainAt(9), valueFor(entries));
  },
);
