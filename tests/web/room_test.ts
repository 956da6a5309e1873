/**
 * Tests of the room in a real browser, with made-up news in place of a session.
 *
 * @module
 */

import type { Locator, Page } from "playwright-core";
import { bundle } from "../../tools/page.ts";
import type { News, RoomNews } from "../../src/client/view.ts";
import type { RoomPage } from "../kit/in_page/room_page.tsx";
import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import type { Profiles } from "../kit/profile.ts";

declare const roomPage: RoomPage;

const START = Date.UTC(2026, 10, 23, 12);

let built: Promise<string> | undefined;

/** The page with the made-up room, as a file. */
async function build(): Promise<string> {
  const script = await bundle("tests/kit/in_page/room_page.tsx");
  const style = await bundle("src/web/style/chat.css");
  const file = await Deno.makeTempFile({ suffix: ".html" });
  const safe = script.replaceAll(/<(?=\/script|!--)/gi, "\\x3C");
  await Deno.writeTextFile(
    file,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Room</title>` +
      `<meta name="viewport" content="width=device-width">` +
      `<link rel="icon" href="data:,"><style>${style}</style>` +
      `<body><div id="page"></div><script>${safe}</script>`,
  );
  return `file://${file}`;
}

/** A room in a window of a size. */
async function openRoom(
  profiles: Profiles,
  past: readonly RoomNews[] = [],
  viewport = { width: 1_000, height: 700 },
): Promise<Page> {
  built ??= build();
  const profile = await profiles.make({ viewport });
  const page = await profile.open(await built);
  await page.evaluate((past) => roomPage.enter(past), past);
  return page;
}

Deno.test.afterAll(async () => {
  if (built) await Deno.remove((await built).slice("file://".length));
});

function line(
  seq: number,
  name: string,
  text: string,
  more: Partial<RoomNews> = {},
): RoomNews {
  const at = START + seq * 1_000;
  const rest = { own: name === "ana", past: false, to: null };
  const person = `key of ${name}`;
  return { type: "said", seq, at, name, person, text, ...rest, ...more };
}

function lines(from: number, count: number): RoomNews[] {
  return Array.from({ length: count }, (_, index) =>
    line(
      from + index,
      ["bob", "cy"][index % 2] ?? "",
      "so ".repeat(index % 50) + (from + index),
    ));
}

function show(page: Page, ...news: News[]): Promise<void> {
  return page.evaluate((news) => roomPage.show(news), news);
}

/** What the view asked for by an action, the arguments of each time. */
async function asked(page: Page, action: string): Promise<unknown[][]> {
  const all = await page.evaluate(() => roomPage.asked);
  return all.filter(([name]) => name === action).map(([, ...given]) => given);
}

function message(page: Page, seq: number): Locator {
  return page.locator(`[data-seq="${seq}"]`);
}

function box(page: Page): Locator {
  return page.getByRole("textbox", { name: "Message" });
}

/** How far the list is from its end, pixels. */
function toEnd(page: Page): Promise<number> {
  return page.getByRole("log").evaluate((list) =>
    Math.round(list.scrollHeight - list.clientHeight - list.scrollTop)
  );
}

/** Scrolls the list up by steps until something holds; tells the most rows that were there, and the worst jump. */
async function scrollUp(page: Page, until: number) {
  return await page.evaluate(async (until) => {
    const list = document.querySelector(".list");
    if (!list) throw new Error("There is no list");
    const frame = () =>
      new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    let [most, worst] = [0, 0];
    for (let step = 0; step < 2_000; step++) {
      const rows = [...list.querySelectorAll("[data-key]")];
      most = Math.max(most, rows.length);
      const seen = rows.find((row) => row.getBoundingClientRect().top > 100);
      const top = seen?.getBoundingClientRect().top ?? 0;
      const before = list.scrollTop;
      list.scrollTop -= 900;
      const scrolled = before - list.scrollTop;
      await frame();
      const moved = (seen?.getBoundingClientRect().top ?? 0) - top;
      if (seen?.isConnected) {
        worst = Math.max(worst, Math.abs(moved - scrolled));
      }
      const isThere = list.querySelector(`[data-seq="${until}"]`) !== null;
      if (isThere && list.scrollTop === 0) break;
    }
    return { most, worst };
  }, until);
}

browserTest(
  "10,000 messages scroll with 500 rows in the page, and nothing jumps",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 10_000));
    await message(page, 10_000).waitFor();
    const { most, worst } = await scrollUp(page, 1);
    assert(most <= 500, `${most} rows`);
    assert(worst <= 2, `moved by ${worst} pixels`);
    assertEquals(await asked(page, "older"), []); // the first line is number 1
  },
);

browserTest(
  "older messages are asked for near the start, and put in front where nobody sees them come",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1_001, 100));
    await scrollUp(page, 1_001);
    await page.waitForFunction(() =>
      roomPage.asked.some(([name]) => name === "older")
    );
    const first = message(page, 1_001);
    const top = (await first.boundingBox())?.y ?? 0;
    const older = lines(901, 100);
    await show(page, { type: "found", words: "", lines: older, more: true });
    await message(page, 1_000).waitFor({ state: "attached" });
    const moved = ((await first.boundingBox())?.y ?? 0) - top;
    assert(Math.abs(moved) <= 2, `moved by ${moved} pixels`);
  },
);

browserTest(
  "the list stays at its end while it is there, and where it is while one reads further up",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 200));
    await message(page, 200).waitFor();
    await show(page, ...lines(201, 20));
    await message(page, 220).waitFor();
    assertEquals(await toEnd(page), 0);

    await page.getByRole("log").evaluate((list) => list.scrollTop -= 800);
    const toLatest = page.getByRole("button", { name: "Latest" });
    await toLatest.waitFor();
    const before = await toEnd(page);
    await show(page, ...lines(221, 20));
    const fresh = page.getByRole("button", { name: "20 new" });
    await fresh.waitFor();
    assert(await toEnd(page) > before, "it went along");
    await fresh.click();
    await message(page, 240).waitFor();
    assertEquals(await toEnd(page), 0);
    assert(before >= 700, `${before}`);
    await toLatest.waitFor({ state: "detached" });
  },
);

browserTest(
  "Enter sends, Shift-Enter begins a line, and a slash begins a command",
  async (profiles) => {
    const page = await openRoom(profiles);
    await box(page).fill("one");
    await box(page).press("Shift+Enter");
    await box(page).pressSequentially("two");
    await box(page).press("Enter");
    assertEquals((await asked(page, "say")).map(([text]) => text), [
      "one\ntwo",
    ]);
    assertEquals(await box(page).inputValue(), "");
    const pending = page.locator(".is-pending");
    assertEquals(
      await pending.locator(".message-text").innerText(),
      "one\ntwo",
    );
    const [[, id] = []] = await asked(page, "say");
    await show(
      page,
      line(2, "ana", "one\ntwo", { mine: true, id: Number(id) }),
    );
    await pending.waitFor({ state: "detached" });

    await box(page).fill("/who");
    await box(page).press("Enter");
    await box(page).fill("//who");
    await box(page).press("Enter");
    await box(page).fill("  ");
    await box(page).press("Enter");
    assertEquals(await asked(page, "run"), [["/who"], ["//who"]]);
    assertEquals((await asked(page, "say")).map(([text]) => text), [
      "one\ntwo",
    ]);
  },
);

browserTest(
  "what was refused stays, and can be typed again",
  async (profiles) => {
    const page = await openRoom(profiles);
    await box(page).fill("hello");
    await box(page).press("Enter");
    const [[text, id] = []] = await asked(page, "say");
    await show(page, {
      ...{ type: "refused", text: `${text}`, reason: "too-soon", detail: "" },
      id: Number(id),
    });
    await page.getByRole("alert").getByText("Slow mode").waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    assertEquals(await box(page).inputValue(), "hello");
    await page.locator(".is-pending").waitFor({ state: "detached" });
  },
);

browserTest(
  "the arrow up edits the last message, Escape gives the draft back",
  async (profiles) => {
    const page = await openRoom(profiles, [
      line(1, "ana", "at five"),
      line(2, "bob", "why?"),
    ]);
    await message(page, 2).waitFor();
    await box(page).press("ArrowUp");
    assertEquals(await box(page).inputValue(), "at five");
    await box(page).press("Escape");
    assertEquals(await box(page).inputValue(), "");
    await box(page).press("ArrowUp");
    await box(page).fill("at six");
    await box(page).press("Enter");
    assertEquals(await asked(page, "edit"), [[1, "at six"]]);
    await show(page, line(3, "ana", "at six", { type: "edited", to: 1 }));
    await message(page, 1).getByText("edited").waitFor();
  },
);

browserTest(
  "names behind an at sign and commands are offered, and taken by keyboard",
  async (profiles) => {
    const page = await openRoom(profiles);
    await box(page).pressSequentially("hi @pr");
    const option = page.getByRole("option");
    await option.first().waitFor();
    assertEquals(await option.allInnerTexts(), ["@Priyanka"]);
    await box(page).press("Enter");
    assertEquals(await box(page).inputValue(), "hi @Priyanka ");
    await option.waitFor({ state: "detached" });

    await box(page).fill("");
    await box(page).pressSequentially("/re");
    const list = page.getByRole("listbox", { name: "Suggestions" });
    await list.getByRole("option", { name: "/react" }).waitFor();
    await box(page).press("ArrowDown");
    const chosen = list.getByRole("option", { selected: true });
    const id = await chosen.getAttribute("id");
    assertEquals(await box(page).getAttribute("aria-activedescendant"), id);
    await box(page).press("Escape");
    await list.waitFor({ state: "detached" });
    assertEquals(await box(page).inputValue(), "/re");
  },
);

browserTest(
  "a message can be answered, edited and deleted by keyboard alone",
  async (profiles) => {
    const page = await openRoom(profiles, [
      line(1, "bob", "coming?"),
      line(2, "ana", "yes"),
    ]);
    await message(page, 2).waitFor();
    await box(page).press("Shift+Tab"); // the button for files
    await page.keyboard.press("Shift+Tab");
    assert(await page.getByRole("log").evaluate((it) => it.matches(":focus")));
    for (let row = 0; row < 2; row++) await page.keyboard.press("ArrowUp");
    assert(await message(page, 2).evaluate((it) => it.matches(":focus")));
    await page.keyboard.press("Enter");
    const menu = page.getByRole("menu", { name: "Message" });
    await menu.waitFor();
    assertEquals(await menu.getByRole("menuitem").allInnerTexts(), [
      "Reply",
      "React",
      "Copy text",
      "Edit",
      "Delete",
    ]);
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    assertEquals(await asked(page, "delete"), []); // it is asked for once more
    await page.keyboard.press("Enter");
    assertEquals(await asked(page, "delete"), [[2]]);

    await page.getByRole("log").focus();
    await page.keyboard.press("Home");
    for (let row = 0; row < 5; row++) {
      if (await message(page, 1).evaluate((it) => it.matches(":focus"))) break;
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.getByText("Reply to").waitFor();
    await box(page).pressSequentially("yes!");
    await page.keyboard.press("Enter");
    assertEquals((await asked(page, "reply")).map((it) => it.slice(0, 2)), [
      [1, "yes!"],
    ]);
  },
);

browserTest(
  "a reaction is chosen from a few, and pressed again taken back",
  async (profiles) => {
    const page = await openRoom(profiles, [line(1, "bob", "hi")]);
    await message(page, 1).hover();
    await message(page, 1).getByRole("button", { name: "React" }).click();
    const choice = page.getByRole("dialog", { name: "React" });
    await choice.getByRole("button", { name: "🎉 party" }).click();
    assertEquals(await asked(page, "react"), [[1, "🎉"]]);
    await show(page, line(2, "ana", "🎉", { type: "reacted", to: 1 }));
    const reaction = message(page, 1).getByRole("button", {
      name: "🎉 1: ana",
    });
    assertEquals(await reaction.getAttribute("aria-pressed"), "true");
    await reaction.click();
    assertEquals((await asked(page, "react")).at(-1), [1, ""]);
  },
);

browserTest(
  "a quotation leads to what it quotes, which is fetched if need be",
  async (profiles) => {
    const page = await openRoom(profiles, [
      line(500, "bob", "yes", { type: "replied", to: 410 }),
      ...lines(501, 100),
    ]);
    await message(page, 600).waitFor();
    await scrollUp(page, 500);
    await message(page, 500).getByRole("button", { name: "Answers" }).click();
    await page.waitForFunction(() =>
      roomPage.asked.some(([name]) => name === "older")
    );
    const older = lines(400, 100);
    await show(page, { type: "found", words: "", lines: older, more: false });
    await page.waitForFunction(() =>
      document.activeElement?.matches("[data-seq='410']")
    );
  },
);

browserTest(
  "files are offered once the message is sent, not when they are chosen",
  async (profiles) => {
    const page = await openRoom(profiles);
    await page.locator("input[type=file]").setInputFiles([
      { name: "hut.txt", mimeType: "text/plain", buffer: Buffer.from("hut") },
      { name: "key.txt", mimeType: "text/plain", buffer: Buffer.from("key") },
    ]);
    await page.getByRole("button", { name: "Do not offer key.txt" }).click();
    assertEquals(await asked(page, "sendFile"), []);
    await page.getByRole("button", { name: "Send" }).click();
    assertEquals((await asked(page, "sendFile")).length, 1);
    await page.getByText("hut.txt").waitFor({ state: "detached" });
  },
);

browserTest(
  "a text that is too long is told before it is sent, and kept",
  async (profiles) => {
    const page = await openRoom(profiles);
    await box(page).fill("ü".repeat(2_050));
    await page.getByText("Too long by 4 bytes").waitFor();
    assert(await page.getByRole("button", { name: "Send" }).isDisabled());
    await box(page).press("Enter");
    assertEquals(await asked(page, "say"), []);
    await box(page).fill("ü".repeat(2_040));
    await page.getByText("16 bytes left").waitFor();
  },
);

browserTest(
  "a screen reader is told of what comes, once, and of no more than it can say",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 10));
    const told = page.locator("[role=status]").filter({
      hasText: "bob: hello",
    });
    await message(page, 10).waitFor();
    await show(page, line(11, "bob", "hello"), line(12, "ana", "mine"));
    await told.waitFor({ state: "attached" });
    await show(page, ...lines(13, 30));
    await page.getByText("30 new messages").waitFor({ state: "attached" });
  },
);

browserTest(
  "the state of the connection is always told, and what waits with it",
  async (profiles) => {
    const page = await openRoom(profiles);
    const state = page.locator(".room-header").getByRole("status");
    const heading = page.getByRole("heading", { level: 1 });
    await heading.getByText("huts and keys").waitFor();
    assertEquals(await state.innerText(), "Connected");
    await page.evaluate(() => {
      const { model } = roomPage;
      model.show({ type: "disconnected", reason: "lost", seconds: 1_000 });
      model.stand({ name: "ana", connected: false, members: 0, waiting: 2 });
    });
    await page.getByText("what you type is kept: 2 messages waiting").waitFor();
    await page.getByText(/Trying again in \d+ s/).first().waitFor();
    assertEquals(await state.innerText(), "Not connected");
  },
);

browserTest(
  "what others write is shown as text, and nothing of it acts",
  async (profiles) => {
    const hostile =
      `<img src=x onerror="document.title='bad'"><script>document.title='bad'</script> javascript:alert(1) \u202e`;
    const page = await openRoom(profiles, [
      line(1, `<b>${"x".repeat(10)}`, hostile),
      line(2, "bob", hostile, { type: "acted" }),
    ]);
    await message(page, 2).waitFor();
    const shown = await message(page, 1).locator(".message-text").innerText();
    assertEquals(shown, hostile.replace("\u202e", "\\u202e"));
    assertEquals(await page.locator(".list :is(img, script, b, a)").count(), 0);
    assertEquals(await page.title(), "Room");
  },
);

browserTest(
  "on a telephone nothing is wider than the screen",
  async (profiles) => {
    const page = await openRoom(profiles, [
      line(1, "bob", "x".repeat(2_000)),
      line(2, "W".repeat(32), "hi"),
      line(3, "bob", "```\n" + "y".repeat(500) + "\n```"),
      line(4, "ana", "https://a.example/" + "z".repeat(500)),
    ], { width: 360, height: 640 });
    await message(page, 4).waitFor();
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("body, .room *")].filter((it) =>
        !it.closest("pre, .visually-hidden") &&
        it.getBoundingClientRect().right > innerWidth + 1
      ).map((it) => it.className)
    );
    assertEquals(wide, []);
  },
);

browserTest(
  "who comes back to the page is shown where the unread messages begin",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 100));
    await message(page, 100).waitFor();
    const look = (state: string) =>
      page.evaluate((state) => {
        Object.defineProperty(document, "visibilityState", {
          configurable: true,
          value: state,
        });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await look("hidden");
    await show(page, ...lines(101, 400));
    await message(page, 500).waitFor();
    await look("visible");
    const mark = page.locator(".rule-new");
    await page.waitForFunction(() => {
      const mark = document.querySelector(".rule-new");
      const top = mark?.getBoundingClientRect().top ?? -1;
      return top > 0 && top < innerHeight / 2;
    });
    await page.getByRole("button", { name: "400 new" }).click();
    assertEquals(await toEnd(page), 0);

    await show(page, line(501, "ana", "I see"));
    await look("hidden");
    await show(page, line(502, "bob", "good"));
    await look("visible");
    await mark.waitFor();
    await page.waitForFunction(() => roomPage.model.unread.value === 0);
    assertEquals(await toEnd(page), 0);
  },
);

browserTest(
  "a letter that is typed among the messages goes into the box",
  async (profiles) => {
    const page = await openRoom(profiles, [line(1, "bob", "hi")]);
    await message(page, 1).click();
    await page.keyboard.type("yes");
    assertEquals(await box(page).inputValue(), "yes");
  },
);

browserTest(
  "a message of very many lines is shown in part until one wants all of it",
  async (profiles) => {
    const text = Array.from({ length: 500 }, (_, at) => `${at}`).join("\n");
    const page = await openRoom(profiles, [line(1, "bob", text)]);
    const words = message(page, 1).locator(".message-text");
    assertEquals((await words.innerText()).split("\n").length, 20);
    await page.getByRole("button", { name: "Show all 500 lines" }).click();
    assertEquals(await words.innerText(), text);
  },
);

browserTest(
  "what a message's menu leads to has the focus before the next key can come",
  async (profiles) => {
    const page = await openRoom(profiles, [line(1, "ana", "hello")]);
    for (const deed of ["Reply", "Edit"]) {
      await message(page, 1).focus();
      await page.keyboard.press("Enter");
      const menu = page.getByRole("menu", { name: "Message" });
      const found = await menu.getByRole("menuitem", { name: deed }).evaluate(
        async (item: HTMLElement) => {
          item.click();
          await new Promise<void>((resolve) => queueMicrotask(resolve));
          const { activeElement } = item.ownerDocument;
          return activeElement instanceof HTMLTextAreaElement &&
            activeElement.value;
        },
      );
      assertEquals(found, deed === "Edit" ? "hello" : "");
      await page.keyboard.press("Escape");
    }
  },
);

browserTest(
  "who scrolls up stays there, whatever is drawn before the page is told of it",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 40));
    await message(page, 40).waitFor();
    await page.getByRole("log").evaluate((list, news) => {
      list.scrollTop -= 300;
      roomPage.show([news]);
    }, line(41, "bob", "news"));
    await message(page, 41).waitFor();
    const toLatest = page.getByRole("button", { name: "Latest" });
    await toLatest.waitFor();
    assert(await toEnd(page) >= 300);

    // Under the pointer rows change as they are scrolled, which draws them.
    await toLatest.click();
    await toLatest.waitFor({ state: "detached" });
    await page.getByRole("log").hover();
    for (let turn = 0; turn < 5; turn++) await page.mouse.wheel(0, -100);
    await toLatest.waitFor();
    const left = await page.getByRole("log").evaluate(async (list) => {
      while (list.scrollHeight - list.clientHeight - list.scrollTop < 490) {
        await new Promise((resolve) => list.onscroll = resolve);
      }
      return true;
    });
    assert(left);
  },
);

browserTest(
  "the list stays at its end while a long message is typed",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 40));
    await box(page).fill("one\ntwo\nthree\nfour\nfive\nsix\nseven");
    await page.keyboard.press("End");
    for (let key = 0; key < 3; key++) await page.keyboard.type("x");
    assertEquals(await toEnd(page), 0);
    await page.getByRole("button", { name: "Latest" }).waitFor({
      state: "detached",
    });
  },
);

browserTest(
  "who begins to scroll up leaves the end, also while messages come without a pause",
  async (profiles) => {
    const page = await openRoom(profiles, lines(1, 40));
    await message(page, 40).waitFor();
    await page.getByRole("log").hover();
    // Each step of the browser's own smooth scrolling is small, and news come with every one.
    await page.evaluate((all) => {
      const next = () => {
        const news = all.shift();
        if (!news) return;
        roomPage.show([news]);
        requestAnimationFrame(next);
      };
      next();
    }, lines(41, 120));
    await page.mouse.wheel(0, -300);
    await page.getByRole("button", { name: / new$/ }).waitFor();
    await page.waitForFunction(() => {
      const list = document.querySelector(".list");
      if (!list) return false;
      return list.scrollHeight - list.clientHeight - list.scrollTop > 300;
    });
  },
);
