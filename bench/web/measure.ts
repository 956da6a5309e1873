/**
 * What a page takes: the real server, the real page, Debian's Chromium.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { chromium, closeChromium } from "../../tests/kit/chromium.ts";
import { run } from "../../tests/kit/command.ts";
import { Profile } from "../../tests/kit/profile.ts";
import { Chatter } from "../load/chatter.ts";
import { type Holdings, spread, type WebFigures } from "../load/figures.ts";
import { ServerProcess, UNPINNED } from "../load/processes.ts";

/** How often a page is opened, and how often all else is done. */
const OPENINGS = 11;
const RUNS = 3;
/** Messages of a long history, and those that are said without a pause. */
const HISTORY = 10_000;
const TALK = 40_000;

/** What a page is told before it begins: who joins, and which message is waited for. */
interface Wanted {
  readonly name: string;
  readonly text: string;
}

/** In a page: joins at once, and notes in `seen` when the message stands on the screen. */
function watch({ name, text }: Wanted): void {
  const join = () => {
    const field = document.querySelector<HTMLInputElement>(
      "input[autocomplete=nickname]",
    );
    if (!field || field.value === name) return;
    field.value = name;
    field.dispatchEvent(new globalThis.Event("input", { bubbles: true }));
    field.form?.requestSubmit();
  };
  const look = () => {
    join();
    const rows = document.querySelectorAll<HTMLElement>("[data-seq]");
    if (![...rows].some((row) => row.textContent?.includes(text))) return;
    watcher.disconnect();
    // It is on the screen with the next frame.
    requestAnimationFrame(() =>
      setTimeout(() => Reflect.set(globalThis, "seen", performance.now()))
    );
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { subtree: true, childList: true });
}

/** A page of somebody new. */
class Visitor implements AsyncDisposable {
  private constructor(readonly profile: Profile, readonly page: Page) {}

  /** Opens a link, and joins. */
  static async at(link: string, wanted: Wanted): Promise<Visitor> {
    const profile = await Profile.make({});
    await profile.context.addInitScript(watch, wanted);
    const page = await profile.context.newPage();
    await page.goto(link);
    return new Visitor(profile, page);
  }

  /** When the wanted message stood on the screen, ms since the page was asked for. */
  async seen(): Promise<number> {
    await this.page.waitForFunction(() => Reflect.has(globalThis, "seen"));
    return await this.page.evaluate(() => Reflect.get(globalThis, "seen"));
  }

  /** What it holds. */
  async holdings(): Promise<Holdings> {
    const session = await this.profile.context.newCDPSession(this.page);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    await session.detach();
    return { heap: usedSize, process: await largestRenderer() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.profile[Symbol.asyncDispose]();
  }
}

/** The memory of the process in which the page is: of those that show pages, the largest, bytes. */
async function largestRenderer(): Promise<number> {
  const browser = await chromium();
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const ids = processInfo.filter(({ type }) => type === "renderer")
    .map(({ id }) => String(id));
  const sizes = await run("ps", "-o", "rss=", "-p", ids.join(","));
  return 1_024 * Math.max(...sizes.trim().split(/\s+/).map(Number));
}

/** A room with no limit on one sender, in which somebody has said some things. */
class TalkedRoom implements AsyncDisposable {
  private constructor(
    readonly eve: Chatter,
    /** What a browser opens. */
    readonly link: string,
    readonly server: ServerProcess,
  ) {}

  static async with(messages: number, stop: AbortSignal): Promise<TalkedRoom> {
    const own = ["--web", "0", "--rate", "0", "--history", `${2 * messages}`];
    const server = await ServerProcess.start(UNPINNED, own, stop);
    const { invite, webPort } = server.place;
    const eve = await Chatter.in(invite, "eve");
    await eve.talk(messages);
    const key = invite.slice(invite.indexOf("#"));
    return new TalkedRoom(eve, `http://localhost:${webPort}/${key}`, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.eve[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Has people who are new open the link, one after another. @returns What the first one's page holds in the end. */
async function visits(
  { link }: TalkedRoom,
  count: number,
  text: string,
  visit: (visitor: Visitor) => Promise<void>,
): Promise<Holdings> {
  let held: Holdings | undefined;
  for (let n = 1; n <= count; n++) {
    await using visitor = await Visitor.at(link, { name: `ana${n}`, text });
    await visit(visitor);
    held ??= await visitor.holdings();
  }
  if (!held) throw new Error("No page was opened");
  return held;
}

/** Opens the link, and loads the page again. */
async function openings(stop: AbortSignal) {
  await using room = await TalkedRoom.with(10, stop);
  const [first, again]: [number[], number[]] = [[], []];
  const small = await visits(room, OPENINGS, "message 10 ", async (visitor) => {
    first.push(await visitor.seen());
    await visitor.page.reload();
    again.push(await visitor.seen());
  });
  return { firstMs: spread(first), againMs: spread(again), small };
}

/** Opens the link of a room with a long history. */
async function histories(stop: AbortSignal) {
  await using room = await TalkedRoom.with(HISTORY, stop);
  const times: number[] = [];
  const text = `message ${HISTORY} `;
  const long = await visits(room, RUNS, text, async (visitor) => {
    times.push(await visitor.seen());
  });
  return { historyMs: spread(times), long };
}

/** Has somebody talk as fast as the server takes it, until a page shows the last of it. */
async function talks(stop: AbortSignal) {
  const rates: number[] = [];
  let first: Holdings | undefined;
  for (let run = 0; run < RUNS; run++) {
    await using room = await TalkedRoom.with(1, stop);
    const text = `message ${TALK + 1} `;
    const held = await visits(room, 1, text, async (visitor) => {
      await visitor.page.getByText("message 1 ").first().waitFor();
      const begin = performance.now();
      await room.eve.talk(TALK);
      await visitor.seen();
      rates.push(TALK / (performance.now() - begin) * 1_000);
    });
    first ??= held;
  }
  if (!first) throw new Error("No page was opened");
  return { perSecond: spread(rates), talked: first };
}

/** Measures all of it. @param stop Ends it. */
export async function measurePage(stop: AbortSignal): Promise<WebFigures> {
  try {
    return {
      browser: (await chromium()).version(),
      ...await openings(stop),
      ...await histories(stop),
      ...await talks(stop),
    };
  } finally {
    await closeChromium();
  }
}
