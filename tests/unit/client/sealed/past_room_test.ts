/**
 * The past of a sealed room over one connection: searches, one after the other, and single lines, by whole blocks.
 *
 * @module
 */

import { PastRoom } from "../../../../src/client/sealed/past_room.ts";
import type { PastFound } from "../../../../src/client/sealed/past_search.ts";
import {
  NO_CHAIN,
  type SealedRoom,
} from "../../../../src/client/sealed/sealed_room.ts";
import type { PageAnswer } from "../../../../src/client/pending_pages.ts";
import { chainEvent } from "../../../../src/protocol/chain.ts";
import { type Event, EventError } from "../../../../src/protocol/events.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import { ControlRecord } from "../../../../src/sealed/control_record.ts";
import { fromBase64url } from "../../../../crypto_utils.ts";
import { lineCipher, sealLine } from "../../../../src/sealed/sealed_line.ts";
import { lineOf } from "../../../kit/log_kit.ts";
import { replaced } from "../../../kit/replaced.ts";
import { SealedRoom as Room } from "../../../kit/sealed_room.ts";
import { RoomKeys } from "../../../../src/sealed/room_keys.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { madeUpStay } from "../../../kit/people.ts";

/** A room whose server has lines up to 2,000, from one on that this person may read. */
function setUp({ start = 0, doubt = (_: number) => {} } = {}) {
  const asked: [before: number, count: number][] = [];
  const found: [id: number, found: PastFound | "untold"][] = [];
  const notes: string[] = [];
  const answers: PageAnswer[] = []; // in place of the next pages
  const held: Promise<void>[] = []; // what the next pages wait for
  const room = {
    record: new ControlRecord(),
    keys: new RoomKeys(),
    seam: { ...NO_CHAIN, doubt },
    file: { stays: { fits: () => true } },
  } as unknown as SealedRoom;
  const past = new PastRoom({
    room,
    page: async (before, count) => {
      asked.push([before, count]);
      await held.shift();
      const answer = answers.shift();
      if (answer) return answer;
      const after = Math.max(start, before - 1 - count);
      const length = Math.max(0, before - 1 - after);
      return {
        start: chainEvent(after, undefined),
        lines: Array.from({ length }, (_, at) => lineOf(after + 1 + at)),
        more: after > start,
      };
    },
    note: (text) => void notes.push(text),
    found: ({ id }, what) => void found.push([id, what]),
  });
  return { past, asked, found, notes, answers, held };
}

const find = (
  id: number,
  count: number,
  before: number | null = null,
  words = "",
): Event<"find"> => ({ kind: "find", id, words, before, count });

/** The numbers of what was found. */
function seqs(found: PastFound | "untold" | undefined): number[] {
  assert(typeof found === "object");
  return found.lines.map(({ seq }) => seq);
}

Deno.test("PastRoom searches from the last line that was taken, or before an earlier one", async () => {
  const { past, found, asked } = setUp();
  for (const [id, before] of [[1, null], [2, 50], [3, 900]] as const) {
    past.open(id);
    await past.find(find(id, 3, before), 100);
  }
  assertEquals(found.map(([id, it]) => [id, seqs(it)]), [
    [1, [98, 99, 100]],
    [2, [47, 48, 49]],
    [3, [98, 99, 100]],
  ]);
  assertEquals(asked, [[101, 16], [50, 16], [101, 16]]);
});

Deno.test("PastRoom does one search after the other, and ends one that is told to end before or while it is done", async () => {
  const { past, found, held } = setUp();
  const goesOn = Promise.withResolvers<void>();
  held.push(goesOn.promise);
  for (const id of [1, 2, 3]) past.open(id);
  const searching = [1, 2, 3].map((id) =>
    past.find(find(id, 5, null, "nothing"), 2_000)
  );
  past.end(1); // which waits for its page
  past.end(3); // whose turn hasn't come
  past.end(9); // which there is none of
  goesOn.resolve();
  await Promise.all(searching);
  const short = found.map(([id, it]) => {
    assert(typeof it === "object");
    return [id, it.more, it.backTo];
  });
  assertEquals(short, [[1, true, 1_745], [2, false, 1], [3, true, 1_745]]);
});

Deno.test("PastRoom tells of a search that can't be done, nothing of one whose connection is gone, and throws what is no page", async () => {
  const { past, found, answers } = setUp();
  answers.push("untold", "gone", { start: undefined, lines: [], more: false });
  past.open(1);
  await past.find(find(1, 5), 100);
  await past.find(find(2, 5), 100); // which was never opened
  await assertRejects(() => past.find(find(3, 5), 100), EventError);
  await past.find(find(4, 1), 100); // though the one before failed
  assertEquals(found.map(([id]) => id), [1, 4]);
  assertEquals(found[0]?.[1], "untold");
});

Deno.test("PastRoom.recall() asks for whole blocks of 256 lines, once for each of the newest four", async () => {
  const { past, asked } = setUp();
  const recalled = async (seq: number, last = 2_000) => {
    const line = await past.recall(seq, last);
    return typeof line === "object" ? line.seq : line;
  };
  for (const seq of [0, -1, 2_001]) {
    assertEquals(await recalled(seq), undefined);
  }
  assertEquals(asked, []);
  for (const seq of [1, 256, 257, 512, 513, 769, 1]) {
    assertEquals(await recalled(seq), seq);
  }
  assertEquals(asked, [[257, 256], [513, 256], [769, 256], [1_025, 256]]);
  await recalled(1_025); // a fifth: the oldest is forgotten
  await recalled(300);
  assertEquals(asked.length, 5);
  await recalled(1);
  assertEquals(asked.slice(4), [[1_281, 256], [257, 256]]);
});

Deno.test("PastRoom.recall() asks for the newest block again where it has grown, and says so of what can't be had", async () => {
  const { past, asked, answers } = setUp({ start: 100 });
  const one = await past.recall(300, 300);
  assert(typeof one === "object");
  assertEquals([one.seq, one.wrong], [300, "signature-wrong"]);
  await past.recall(290, 301); // which it has
  await past.recall(301, 301);
  assertEquals(asked, [[301, 44], [302, 45]]);
  // Two at once ask once.
  const both = [past.recall(600, 700), past.recall(601, 700)];
  assertEquals((await Promise.all(both)).length, 2);
  assertEquals(asked.length, 3);
  for (const answer of ["untold", "gone"] as const) {
    answers.push(answer);
    assertEquals(await past.recall(900, 2_000), "unreadable");
  }
  const nine = await past.recall(900, 2_000); // it is asked for again
  assert(typeof nine === "object");
  assertEquals(asked.length, 6);
  for (const seq of [50, 100]) {
    assertEquals(await past.recall(seq, 2_000), "unreadable"); // from before what this one may read
  }
  assertEquals(typeof await past.recall(101, 2_000), "object");
});

Deno.test("PastRoom.recall() knows a block that is all from before what this person may read, and throws what is no page", async () => {
  const { past, answers } = setUp();
  const start = chainEvent(300, undefined);
  answers.push({ start, lines: [], more: false });
  assertEquals(await past.recall(7, 2_000), "unreadable");
  const { past: other, answers: wrong } = setUp();
  wrong.push({ start, lines: [lineOf(301)], more: false });
  await assertRejects(() => other.recall(7, 2_000), EventError);
  const { past: holes, answers: few } = setUp();
  few.push({ start: chainEvent(0, undefined), lines: [], more: false });
  assertEquals(await holes.recall(7, 2_000), undefined); // the line is none of ours
  const { past: third, answers: none } = setUp();
  none.push({ start: undefined, lines: [], more: false });
  await assertRejects(() => third.recall(7, 2_000), EventError);
});

Deno.test("PastRoom holds lines against what this client knows of their senders' numbers and of the chain, and says how far a search is", async () => {
  const room = await Room.found();
  const { founder } = room;
  const record = await room.followed();
  const keys = new RoomKeys();
  const [key] = room.keys;
  assert(key);
  keys.adopt({ e: 0, key }, record.membership);
  const stay = madeUpStay("ana");
  const place = {
    ...{ room: room.room, e: 0, sender: founder.id },
    ...{ stay: fromBase64url(stay), n: 9 },
  };
  const text = await sealLine(
    { what: "said", to: null, text: "hello" },
    place,
    { seq: 8, value: new Uint8Array(32) }, // which isn't so
    await lineCipher(key, place),
    founder.signing,
  );
  const { short: person } = founder;
  const sealed: LogEntry = {
    ...{ seq: 9, at: 9, person, stay, n: 9, what: "sealed" },
    ...{ name: "ana", text, to: null },
  };
  const doubts: number[] = [];
  const notes: string[] = [];
  const found: PastFound[] = [];
  let isFitting = true;
  let pages = 2;
  const past = new PastRoom({
    room: {
      ...{ record, keys, file: { stays: { fits: () => isFitting } } },
      seam: {
        ...{ ...NO_CHAIN, seenDiffers: () => true },
        doubt: (from: number) => void doubts.push(from),
      },
    } as unknown as SealedRoom,
    page: (before) => {
      const more = --pages > 0;
      return Promise.resolve({
        start: chainEvent(before === 10 ? 8 : 0, new Uint8Array(32)),
        lines: before === 10 ? [sealed] : [],
        more,
      });
    },
    note: (text) => void notes.push(text),
    found: (_, it) => void (typeof it === "object" && found.push(it)),
  });
  pages = 0;
  // What its sender had seen isn't looked at where one line is asked for.
  const hello = await past.recall(9, 9);
  assert(typeof hello === "object");
  assertEquals([hello.text, hello.wrong], ["hello", undefined]);
  isFitting = false;
  const again = await past.recall(9, 9);
  assert(typeof again === "object");
  assertEquals(again.wrong, "number-repeated");
  let now = 1_000_000;
  using _ = replaced(Date, "now", () => now += 5_000);
  pages = 2;
  await past.find(find(1, 100), 9);
  assertEquals(found[0]?.lines.map(({ wrong }) => wrong), ["number-repeated"]);
  assertEquals(doubts, [9]);
  assertEquals(notes, [
    "Searched back to line 9; 1 found so far. Another search, or /history, ends this one",
  ]);
});
