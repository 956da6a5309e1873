/**
 * The room: one order for everybody, who may come in, what a newcomer and one who left can read, and what
 * happens when the log can't be written. The log is a real one; guests are the tests' own, and read with real
 * epoch keys what a real outlet writes to them.
 *
 * @module
 */

import { unpackEvents } from "../../../src/protocol/events.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { LogError } from "../../../src/log/file.ts";
import { History } from "../../../src/server/history.ts";
import { inFolder } from "../../kit/folder.ts";
import { openLog, said, saidUpTo } from "../../kit/log_kit.ts";
import { Setup } from "../../kit/room_setup.ts";

/** Notes what is read from the files, as in "0 to 256". */
function noteReads(history: History): string[] {
  const { past } = history;
  const read: string[] = [];
  history.past = (after, upTo) => {
    read.push(`${after} to ${upTo}`);
    return past.call(history, after, upTo);
  };
  return read;
}

Deno.test("History.start() begins where a guest says, or as far back as a newcomer is shown", async () => {
  await using setup = await Setup.create({ history: 3 });
  assertEquals(await setup.history.start(null, 0), 0);
  const { guest, seat } = await setup.join("ana");
  await setup.say(seat, ...[1, 2, 3, 4].map((n) => ({ n, text: "x" })));
  await guest.untilLine(5);
  assertEquals(await setup.history.start(null, 0), 2);
  for (const after of [0, 1, 5]) {
    assertEquals(await setup.history.start(after, 0), after);
  }
  assertEquals(await setup.history.start(6, 0), 2); // another log's number
  assertEquals(await setup.history.start(6, 9), 5); // and what it may read is another's as well
  const starts = [0, 1, 4, 5].map((it) => setup.history.start(it, 3));
  assertEquals(await Promise.all(starts), [
    3,
    3,
    4,
    5,
  ]);
});

Deno.test("History.newcomerStart counts what was said, as far back as memory reaches, and never shows less than as many events", async () => {
  await using setup = await Setup.create({ history: 2, window: 8 });
  const { guest, seat } = await setup.join("ana");
  await setup.say(seat, { n: 1, text: "x" }, { n: 2, text: "y" }); // 2, 3
  await guest.untilLine(3);
  const { history } = setup;
  assertEquals(history.newcomerStart, 1);
  for (let seq = 4; seq <= 7; seq++) await setup.join(`guest${seq}`);
  assertEquals(history.newcomerStart, 1);
  for (let seq = 8; seq <= 10; seq++) await setup.join(`guest${seq}`);
  assertEquals(history.newcomerStart, 2); // line 2 is in memory no more
  for (let seq = 11; seq <= 12; seq++) await setup.join(`guest${seq}`);
  assertEquals(history.newcomerStart, 10);
});

Deno.test("History.piece() reads the past in blocks of 256 lines, each once for all who ask for it", async () => {
  await using setup = await Setup.create({ window: 4 });
  const { guest, seat } = await setup.join("ana");
  const lines = Array.from({ length: 299 }, (_, at) => at + 1);
  await setup.say(seat, ...lines.map((n) => ({ n, text: `${n}` })));
  await guest.untilLine(300);
  const { history } = setup;
  const read = noteReads(history);
  const told = async (after: number, upTo: number) => {
    const piece = await history.piece(after, upTo);
    const seqs = piece.plaintexts.flatMap(unpackEvents)
      .map((event) => event.kind === "past" ? event.seq : undefined);
    assertEquals(seqs.length, piece.upTo - after);
    return [seqs[0], seqs.at(-1)];
  };
  const both = await Promise.all([told(10, 300), told(10, 290)]);
  assertEquals(both, [[11, 256], [11, 256]]);
  assertEquals(await told(256, 300), [257, 300]);
  assertEquals(await told(256, 299), [257, 299]);
  assertEquals(await told(297, 300), [298, 300]); // from memory
  assertEquals(read, ["10 to 300", "256 to 299"]); // what follows comes with the first
});

Deno.test("History.piece() reads eight blocks in a row, or up to one that it has", async () => {
  await inFolder(async (folder) => {
    await using log = await openLog(`${folder}/chat.log`, { window: 1 });
    await log.append(saidUpTo(2_400));
    const history = new History(log, 0);
    const read = noteReads(history);
    const end = async (after: number) =>
      (await history.piece(after, 2_400)).upTo;
    const ends = [end(700), end(700), end(256), end(512), end(2_304)];
    assertEquals(await Promise.all(ends), [768, 768, 512, 768, 2_400]);
    assertEquals(read, ["700 to 2400", "256 to 768"]);
    assertEquals(await end(0), 256);
    assertEquals(read.slice(2), ["0 to 256"]);
    assertEquals((await history.piece(1, 2_400)).upTo, 256);
    assertEquals(read.slice(3), ["1 to 256"]);
    const another = new History(log, 0);
    const others = noteReads(another);
    assertEquals((await another.piece(0, 2_400)).upTo, 256);
    assertEquals((await another.piece(1_792, 2_400)).upTo, 2_048);
    assertEquals((await another.piece(2_048, 2_400)).upTo, 2_304);
    assertEquals(others, ["0 to 2048", "2048 to 2400"]);
    const { upTo, plaintexts } = await another.piece(7, 7);
    assertEquals([upTo, plaintexts.length], [7, 0]); // there is nothing between
  });
});

Deno.test("History.piece() keeps the last 64 pieces, of those that are read in a row as well, and none of more than four records", async () => {
  await inFolder(async (folder) => {
    await using log = await openLog(`${folder}/chat.log`, { window: 1 });
    await log.append(saidUpTo(600));
    const history = new History(log, 0);
    const read = noteReads(history);
    /** Whether a piece is read from the files, and not kept. */
    const isRead = async (after: number, upTo: number) => {
      read.length = 0;
      const piece = await history.piece(after, upTo);
      return [read.length === 1, piece.plaintexts.length];
    };
    for (let upTo = 1; upTo <= 64; upTo++) await history.piece(0, upTo);
    assertEquals(read.length, 64);
    assertEquals(await isRead(0, 1), [false, 1]);
    await history.piece(100, 600); // three of them
    assertEquals(await isRead(0, 4), [false, 1]);
    assertEquals(await isRead(0, 3), [true, 1]);
    assertEquals(await isRead(0, 4), [true, 1]); // in whose place that came
    assertEquals(await isRead(512, 600), [false, 1]);
    const long = '"'.repeat(4_000); // seven fill a record
    await log.append(Array.from({ length: 40 }, (_, at) => said(at, long)));
    for (const isKept of [false, true]) {
      assertEquals(await isRead(600, 628), [!isKept, 4]);
      assertEquals(await isRead(600, 629), [true, 5]);
    }
  });
});

Deno.test("History.piece() has what is in memory, and what was read before its file was deleted", async () => {
  await inFolder(async (folder) => {
    const options = { isRetained: true, maxSize: 1 };
    await using log = await openLog(`${folder}/chat.log`, options);
    for (const n of [1, 2, 3]) await log.append([said(n)]);
    await log.appendFrom(4, [null, said(5)]);
    const deleteTwo = async () => {
      for (const it of log.files.slice(0, 2)) {
        assertEquals(await log.deleteOldest(it), true);
      }
    };
    const seqs = async (history: History, after: number, upTo: number) => {
      const { plaintexts } = await history.piece(after, upTo);
      return plaintexts.flatMap(unpackEvents)
        .map((event) => event.kind === "past" && event.seq);
    };
    const forgetful = new History(log, 0);
    forgetful.recent = () => undefined;
    forgetful.past = async function* (after, upTo = 0) {
      yield* log.past(after, upTo);
      await deleteTwo();
    };
    assertEquals(await seqs(forgetful, 1, 3), [2, 3]);
    assertEquals(await seqs(new History(log, 0), 0, 5), [1, 2, 3, 5]);
  });
});

Deno.test("History.piece() reads again what could not be read", async () => {
  await using setup = await Setup.create({ window: 1 });
  const { guest, seat } = await setup.join("ana");
  await setup.say(seat, { n: 1, text: "x" }, { n: 2, text: "y" });
  await guest.untilLine(3);
  const { history } = setup;
  const { past } = history;
  history.past = () => {
    throw new LogError("read", "chat.log", new Error("it is gone"));
  };
  await assertRejects(() => history.piece(0, 3), LogError);
  history.past = past;
  assertEquals((await history.piece(0, 3)).upTo, 3);
});

Deno.test("History.piece() keeps nothing of a past of which a file was missing", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/chat.log`;
    await using log = await openLog(path, { window: 1, maxSize: 1 });
    for (const n of [1, 2, 3]) await log.append([said(n)]);
    const history = new History(log, 0);
    await Deno.rename(`${path}.2`, `${folder}/away`);
    await assertRejects(() => history.piece(0, 3), LogError);
    await Deno.rename(`${folder}/away`, `${path}.2`);
    const { plaintexts } = await history.piece(0, 3);
    assertEquals(plaintexts.flatMap(unpackEvents).length, 3);
  });
});

Deno.test("History.find() gives the last lines, or the last with all the words, and says whether there are more", async () => {
  await using setup = await Setup.create();
  const { seat, guest } = await setup.join("ana");
  const lines = Array.from({ length: 10 }, (_, at) => ({
    n: at + 1,
    text: at % 2 === 0 ? `red ${at}` : `blue ${at}`,
  }));
  await setup.say(seat, ...lines);
  await guest.untilLine(11);
  const find = async (...asked: Parameters<History["find"]>) => {
    const { entries, more } = await setup.history.find(...asked);
    return [entries.map(({ seq }) => seq), more];
  };
  assertEquals(await find("", null, 3, 0), [[9, 10, 11], true]);
  assertEquals(await find("", 4, 3, 0), [[1, 2, 3], false]);
  assertEquals(await find("red", null, 2, 0), [[8, 10], true]);
  assertEquals(await find("red", 8, 20, 0), [[2, 4, 6], false]);
  assertEquals(await find("green", null, 20, 0), [[], false]);
  // Nothing of what the asker may not read, and no word of it.
  assertEquals(await find("red", null, 20, 6), [[8, 10], false]);
  assertEquals(await find("", null, 20, 9), [[10, 11], false]);
  assertEquals(await find("red", null, 2, 6), [[8, 10], false]);
  assertEquals(await find("red", null, 1, 6), [[10], true]);
  assertEquals(await find("red", null, 1, 8), [[10], false]); // nor that there is any
  assertEquals(await find("", null, 1, 10), [[11], false]);
});

Deno.test("History.find() gives lines and what was changed about them in one order, by their numbers", async () => {
  await using setup = await Setup.create();
  const { seat, guest } = await setup.join("ana");
  await setup.say(
    seat,
    { n: 1, text: "red" }, // 2
    { n: 2, text: "👍", what: "reacted", to: 2 },
    { n: 3, text: "red" },
    { n: 4, text: "red, too", what: "edited", to: 4 },
    { n: 5, text: "red" },
  );
  await guest.until("said", ({ n }) => n === 5);
  const { entries } = await setup.history.find("red", null, 9, 0);
  assertEquals(entries.map(({ seq }) => seq), [2, 3, 4, 5, 6]);
});

Deno.test("History.find() searches for one after another, also after a search that failed", async () => {
  await using setup = await Setup.create();
  const started: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  setup.log.search = async (words) => {
    started.push(words);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    await end.promise;
    return { entries: [], changes: [], more: false, from: 1 };
  };
  const finding = ["one", "two", "three"].map((words) =>
    setup.history.find(words, null, 9, 0)
  );
  const settled = Promise.allSettled(finding);
  await Promise.resolve();
  assertEquals(started, ["one"]);
  ends[0]?.reject(new Error("Cannot read"));
  await assertRejects(async () => await finding[0], Error, "Cannot read");
  assertEquals(started, ["one", "two"]);
  ends[1]?.resolve();
  await finding[1];
  assertEquals(started, ["one", "two", "three"]);
  ends[2]?.resolve();
  const all = (await settled).map(({ status }) => status);
  assertEquals(all, ["rejected", "fulfilled", "fulfilled"]);
});

Deno.test("History.piece() rejects where files were deleted while their lines were read", async () => {
  await inFolder(async (folder) => {
    await using log = await openLog(`${folder}/chat.log`, { isRetained: true });
    for (let n = 1; n <= 3; n++) {
      await log.append([said(2 * n - 1), said(2 * n)]);
      await log.beginAnother();
    }
    const history = new History(log, 50);
    history.recent = () => undefined;
    let due = log.files.slice(0, 2);
    history.past = async function* (after, upTo = 0) {
      for await (const entries of log.past(after, upTo)) {
        yield entries;
        for (const it of due) assertEquals(await log.deleteOldest(it), true);
        due = [];
      }
    };
    await assertRejects(
      () => history.piece(0, 6),
      LogError,
      "events up to 4 were deleted meanwhile",
    );
    assertEquals((await history.piece(4, 6)).upTo, 6);
    assertEquals(await history.start(2, 0), 4);
    assertEquals(await history.entry(7), undefined);
  });
});

Deno.test("History.recent() and packed() have lines from memory, up to a number, and nothing where not all of them are there", async () => {
  await using setup = await Setup.create({ window: 8 });
  const { guest, seat } = await setup.join("ana");
  const lines = Array.from({ length: 19 }, (_, at) => ({
    n: at + 1,
    text: `${at}`,
  }));
  await setup.say(seat, ...lines);
  await guest.untilLine(20);
  const { history } = setup;
  const { oldest } = history;
  assertEquals([oldest, history.head], [12, 20]);
  const recent = (after: number, upTo: number) =>
    history.recent(after, upTo)?.map(({ seq }) => seq);
  assertEquals(recent(12, 15), [13, 14, 15]);
  assertEquals(recent(19, 20), [20]);
  for (const [after, upTo] of [[11, 15], [20, 20], [15, 14]] as const) {
    assertEquals(recent(after, upTo), undefined);
    assertEquals(history.packed(after, upTo), undefined);
  }
  const seqs = (after: number, upTo: number) =>
    history.packed(after, upTo)?.flatMap(unpackEvents)
      .map((event) => event.kind === "past" && event.seq);
  const first = history.packed(12, 15);
  assertEquals(history.packed(12, 15) === first, true); // packed once
  assertEquals(seqs(12, 15), [13, 14, 15]);
  assertEquals(seqs(12, 14), [13, 14]);
  assertEquals(seqs(13, 14), [14]);
  const { past } = setup.log;
  const read: number[] = [];
  setup.log.past = (after, upTo) => {
    read.push(upTo);
    return past.call(setup.log, after, upTo);
  };
  const found = [3, 15, 21].map((seq) => history.entry(seq));
  const entries = await Promise.all(found);
  assertEquals(entries.map((it) => it?.seq), [3, 15, undefined]);
  assertEquals(read, [3, 21]); // what is in memory is read from no file
  assertEquals([history.recall(3), history.recall(15)?.seq], [undefined, 15]);
});
