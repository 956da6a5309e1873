/**
 * The page for everybody: on a narrow phone, by the keyboard alone, by a screen reader, in both themes.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { assert, assertEquals } from "../kit/assert.ts";
import { assertUsable } from "../kit/axe.ts";
import { browserTest } from "../kit/browser.ts";
import { ELSEWHERE } from "../kit/chromium.ts";
import type { Profiles } from "../kit/profile.ts";
import type { ChatPage } from "../kit/chat_page.ts";
import type { JsonClient } from "../kit/client.ts";
import { ask } from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { sealed } from "../kit/sealed_programs.ts";
import { WebRoom } from "../kit/web_room.ts";

const PANELS = [
  "Invite",
  "Files",
  "Identity",
  "Settings",
  "Keys and commands",
  "About",
];

/** A narrow phone, and a desk. */
const SIZES = [{ width: 360, height: 640 }, { width: 1_280, height: 800 }];

/** Fails if a page is wider than its window: then one would have to scroll sideways. */
async function assertFits(page: Page, where: string): Promise<void> {
  const [width, room] = await page.evaluate(() => {
    const root = document.scrollingElement ?? document.body;
    return [root.scrollWidth, root.clientWidth] as const;
  });
  assert(width <= room, `${where} is ${width} pixels wide, not ${room}`);
}

/** Fails unless everybody can use what is shown now. */
async function assertForAll(page: Page, where: string): Promise<void> {
  await assertUsable(page, where);
  await assertFits(page, where);
}

/** A room in which all kinds of rows stand. */
async function fill(room: WebRoom, page: ChatPage): Promise<JsonClient> {
  const ben = await room.pipe("ben");
  await ben.type(
    "see https://example.org/ and `code`, ana",
    "```\nlet a = 1;\n```",
  );
  const { seq } = await ben.shows("said", { own: true });
  await ask(ben, { type: "act", text: "waves" });
  await ask(ben, { type: "private", to: "ana", text: "psst" });
  const path = await room.folder.write("hut.jpg", "no picture");
  await ask(ben, { type: "send", path });
  await page.say("mine");
  await page.sees("hut.jpg");
  await ask(ben, { type: "reply", to: seq, text: "an answer" });
  await ask(ben, { type: "react", to: seq, text: "👍" });
  await ask(ben, { type: "edit", to: seq, text: "other words, ana" });
  await page.sees("other words");
  await page.say("/nonsense");
  return ben;
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of SIZES) {
    const kind = `${colorScheme}, ${viewport.width} pixels wide`;

    browserTest(
      `axe finds nothing serious on the way into a room and out of it: ${kind}`,
      async (profiles) => {
        await using folder = await Folder.make();
        await using room = await WebRoom.open(folder);
        const profile = await profiles.make({ colorScheme, viewport });
        let page = await room.visit(profile, room.origin());
        await page.page.getByLabel("The room's link").waitFor();
        await assertForAll(page.page, "the place");
        await page.page.close();
        page = await room.visit(profile);
        const name = page.page.getByLabel("Your name", { exact: true });
        await name.fill("\u202e");
        await page.button("Join").click();
        await page.page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
        await assertForAll(page.page, "the name");
        await page.join("ana");
        await page.say("/quit");
        await page.button("Join again").waitFor();
        await assertForAll(page.page, "the end");
        profile.excuse(/Cross-Origin-Opener-Policy header has been ignored/);
        const { hash } = new URL(room.link());
        const elsewhere = `http://${ELSEWHERE}:${room.webPort}/${hash}`;
        const other = await room.visit(profile, elsewhere);
        await other.page.getByRole("heading").first().waitFor();
        await assertForAll(other.page, "plain HTTP");
      },
    );

    browserTest(
      `axe finds nothing serious in a room, its panels and its menus: ${kind}`,
      async (profiles) => {
        await using folder = await Folder.make();
        await using room = await WebRoom.open(folder);
        const page = await room.join(profiles, "ana", {
          colorScheme,
          viewport,
        });
        await using _ben = await fill(room, page);
        await assertForAll(page.page, "the room");
        await page.message("mine").hover();
        await page.button("More", page.message("mine")).click();
        await assertForAll(page.page, "a message's menu");
        await page.page.keyboard.press("Escape");
        for (const name of PANELS) {
          await page.panel(name);
          await assertForAll(page.page, `the panel ${name}`);
          await page.page.keyboard.press("Escape");
          await page.page.getByRole("dialog").waitFor({ state: "detached" });
        }
      },
    );
  }
}

browserTest(
  "axe finds nothing serious where a sealed room's page refuses",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder, sealed());
    for (const viewport of SIZES) {
      const page = await room.visit(await profiles.make({ viewport }));
      await page.page.getByRole("link", { name: "Save chat.html" }).waitFor();
      await assertForAll(page.page, `sealed, ${viewport.width}`);
    }
  },
);

browserTest(
  "a person joins, talks, answers, edits, reacts, searches and leaves by the keyboard alone",
  async (profiles: Profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const page = await room.visit(await profiles.make());
    const { keyboard } = page.page;
    await page.page.getByLabel("Your name", { exact: true }).waitFor();
    await keyboard.type("ana");
    await keyboard.press("Enter");
    await page.isIn();
    await keyboard.type("hello");
    await keyboard.press("Enter");
    await ben.shows("said", { name: "ana", text: "hello" });
    await ben.type("who is it?");
    await page.sees("who is it?");

    // From the box into the list, to the last message, its menu, and its first entry.
    await page.tabTo('[role="log"]', "Shift+Tab");
    await keyboard.press("ArrowUp");
    await keyboard.press("Enter");
    await page.page.getByRole("menu", { name: "Message" }).waitFor();
    await keyboard.press("Enter");
    await page.page.locator("textarea:focus").waitFor();
    await keyboard.type("it is me");
    await keyboard.press("Enter");
    await ben.shows("replied", { name: "ana", text: "it is me" });

    await page.message("it is me").waitFor();

    // In an empty box, the arrow leads to one's own last message.
    await keyboard.press("ArrowUp");
    await keyboard.type("!");
    await keyboard.press("Enter");
    await ben.shows("edited", { text: "it is me!" });

    await keyboard.type("/search who");
    await keyboard.press("Enter");
    await page.page.locator("mark").filter({ hasText: "who" }).first()
      .waitFor();
    await keyboard.press("Escape");
    await page.page.getByRole("dialog").waitFor({ state: "detached" });
    await page.tabTo("textarea");
    await keyboard.type("/quit see you");
    await keyboard.press("Enter");
    await ben.shows("left", { name: "ana" });
  },
);

browserTest(
  "a screen reader is told of new messages, and finds the list, the box and the state",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    await ben.type("from before");
    await ben.showsTexts(1);
    const page = await room.join(profiles, "ana");
    await page.sees("from before");
    await page.watchAnnouncements();
    await ben.type("news for ana");
    await page.sees("news for ana");
    await page.isAnnounced("ben: news for ana");
    const announced = await page.page.evaluate("announced") as string[];
    assertEquals(announced.filter((it) => /from before/.test(it)), []);

    const session = await page.profile.context.newCDPSession(page.page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const roles = nodes.filter(({ ignored }) => !ignored)
      .map(({ role, name }) => `${role?.value}: ${name?.value}`);
    for (const role of ["log: Messages", "textbox: Message", "heading: "]) {
      assert(
        roles.some((it) => it.startsWith(role)),
        `${role}\n${roles.join("\n")}`,
      );
    }
    // Who said it stands in each message, also where the eye sees it by its place alone.
    const rows = await page.log.getByRole("listitem").allInnerTexts();
    assert(rows.some((it) => /ben[^]*news for ana/.test(it)));
  },
);
