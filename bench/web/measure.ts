/**
 * What a page takes: the real server, the real page, Debian's Chromium.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { chromium, closeChromium } from "../../tests/kit/chromium.ts";
import { run } from "../../tests/kit/command.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { Profile } from "../../tests/kit/profile.ts";
import { WebRoom } from "../../tests/kit/web_room.ts";
import { Chatter } from "../load/chatter.ts";
import { type Holdings, spread, type WebFigures } from "../load/figures.ts";

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
    readonly room: WebRoom,
    readonly eve: Chatter,
    readonly folder: Folder,
  ) {}

  static async with(messages: number): Promise<TalkedRoom> {
    const folder = await Folder.make();
    const args = ["--rate", "0", "--history", String(2 * messages)];
    const room = await WebRoom.open(folder, { args, deadline: DEADLINE });
    const eve = await Chatter.in(room.invite, "eve");
    await eve.talk(messages);
    return new TalkedRoom(room, eve, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.eve[Symbol.dispose]();
    await this.room[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

/** When a server is ended at the latest, ms. */
const DEADLINE = 300_000;

/** Opens the link as people who are new, and loads the page again. */
async function openings(count: number) {
  await using talked = await TalkedRoom.with(10);
  const [first, again]: [number[], number[]] = [[], []];
  let small: Holdings | undefined;
  for (let n = 1; n <= count; n++) {
    const wanted = { name: `ana${n}`, text: "message 10 " };
    await using visitor = await Visitor.at(talked.room.link(), wanted);
    first.push(await visitor.seen());
    await visitor.page.reload();
    again.push(await visitor.seen());
    small ??= await visitor.holdings();
  }
  if (!small) throw new Error("No page was opened");
  return { firstMs: spread(first), againMs: spread(again), small };
}

/** Opens the link of a room with a long history. */
async function histories(messages: number, count: number) {
  await using talked = await TalkedRoom.with(messages);
  const times: number[] = [];
  let long: Holdings | undefined;
  for (let n = 1; n <= count; n++) {
    const wanted = { name: `ana${n}`, text: `message ${messages} ` };
    await using visitor = await Visitor.at(talked.room.link(), wanted);
    times.push(await visitor.seen());
    long ??= await visitor.holdings();
  }
  if (!long) throw new Error("No page was opened");
  return { historyMs: spread(times), long };
}

/** Has somebody talk as fast as the server takes it, until a page shows the last of it. */
async function talks(messages: number, count: number) {
  const rates: number[] = [];
  let talked: Holdings | undefined;
  for (let n = 1; n <= count; n++) {
    await using room = await TalkedRoom.with(1);
    const text = `message ${messages + 1} `;
    const wanted = { name: "ana", text };
    await using visitor = await Visitor.at(room.room.link(), wanted);
    await visitor.page.getByText("message 1 ").first().waitFor();
    const begin = performance.now();
    await room.eve.talk(messages);
    await visitor.seen();
    rates.push(messages / (performance.now() - begin) * 1_000);
    talked ??= await visitor.holdings();
  }
  if (!talked) throw new Error("No page was opened");
  return { perSecond: spread(rates), talked };
}

/** Measures all of it. */
export async function measurePage(): Promise<WebFigures> {
  try {
    const browser = (await chromium()).version();
    return {
      browser,
      ...await openings(OPENINGS),
      ...await histories(HISTORY, RUNS),
      ...await talks(TALK, RUNS),
    };
  } finally {
    await closeChromium();
  }
}
