/**
 * Pages under load: a long history, and a long talk.
 *
 * @module
 */

import type { Event } from "../../src/protocol/events.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import type { ChatPage } from "../kit/chat_page.ts";
import { Folder } from "../kit/folder.ts";
import { Intruder } from "../kit/intruder.ts";
import { WebRoom } from "../kit/web_room.ts";

/** Messages of the history. */
const HISTORY = 10_000;
/** Rows that may be in the page at a time. */
const MAX_ROWS = 500;
/** Messages of an hour in which people talk without a break, some ten a second. */
const HOUR = 40_000;
/** Of the page's own memory, bytes, and of nodes, also those that are in no document any more. */
const MAX_HEAP = 40_000_000;
const MAX_NODES = 30_000;
/** What somebody sends at a time. */
const BATCH = 500;

/** Has somebody say many things. @returns When the server has taken them all. */
async function sayMany(
  who: Intruder,
  from: number,
  count: number,
): Promise<void> {
  for (let at = from; at < from + count; at += BATCH) {
    const events = Array.from(
      { length: Math.min(BATCH, from + count - at) },
      (_, i) => ({
        kind: "say",
        n: at + i + 1,
        text: `message ${
          at + i + 1
        } of many, of which each is as long as this one`,
      } as Event),
    );
    await who.send(...events);
    await who.send({ kind: "ping" });
    await who.hears("pong");
  }
}

/** How many rows are in the page. */
function countRows(page: ChatPage): Promise<number> {
  return page.log.locator("[data-key]").count();
}

/** What a page holds after its garbage has been collected: bytes, and nodes. */
async function holdingsOf(page: ChatPage) {
  const session = await page.profile.context.newCDPSession(page.page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes } = await session.send("Memory.getDOMCounters");
  await session.detach();
  return { bytes: usedSize, nodes };
}

browserTest(
  "a history of 10,000 messages can be scrolled from end to start and back, with few rows in the page",
  async (profiles) => {
    await using folder = await Folder.make();
    const args = ["--rate", "0", "--history", String(2 * HISTORY)];
    await using room = await WebRoom.open(folder, { args });
    using eve = await Intruder.in(room.server, "eve");
    await sayMany(eve, 0, HISTORY);
    const page = await room.join(profiles, "ana");
    await page.sees(`message ${HISTORY} of many`);
    await page.log.hover();
    const seen = new Set<number>();
    const look = async () => {
      const rows = await page.rows();
      assert(rows.length <= MAX_ROWS, `${rows.length} rows`);
      assert(rows.length > 10, "nothing is there");
      const numbers = rows.flatMap(({ seq }) => seq ?? []);
      assertEquals(numbers, numbers.toSorted((a, b) => a - b));
      for (const number of numbers) seen.add(number);
      return numbers;
    };
    for (let first = Infinity; first > 2;) {
      const [now = 0] = await look();
      // Up, and again if the list was just about to go to its end.
      await page.until((now) => {
        const log = document.querySelector("[role=log]");
        const row = log?.querySelector<HTMLElement>("[data-seq]");
        const first = Number(row?.dataset["seq"]);
        if (first < now || first <= 2) return true;
        if (log) log.scrollTop = 0;
        return false;
      }, now);
      first = now;
    }
    assert(seen.size >= HISTORY, `${seen.size} seen`);
    await page.page.getByRole("button", { name: /Latest|new/ }).click();
    await page.sees(`message ${HISTORY} of many`);
    assert(await countRows(page) <= MAX_ROWS);
  },
);

browserTest(
  "a page in which people talk for an hour keeps up, and its memory is bounded",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder, { args: ["--rate", "0"] });
    using eve = await Intruder.in(room.server, "eve");
    const page = await room.join(profiles, "ana");
    await sayMany(eve, 0, HOUR);
    await page.sees(`message ${HOUR} of many`);
    const { bytes, nodes } = await holdingsOf(page);
    assert(bytes < MAX_HEAP, `${bytes} bytes`);
    assert(nodes < MAX_NODES, `${nodes} nodes`);
    assert(await countRows(page) <= MAX_ROWS);
  },
);
