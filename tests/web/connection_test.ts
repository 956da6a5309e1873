/**
 * Pages whose connection breaks, whose server is killed, and that nobody looks at: what was typed arrives once, and
 * what was missed is seen.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import type { ChatPage } from "../kit/chat_page.ts";
import { assertSaid } from "../kit/expect.ts";
import { Folder } from "../kit/folder.ts";
import { LateProxy } from "../kit/late_proxy.ts";
import { WebRoom } from "../kit/web_room.ts";

/** What Chromium says of connections that can't be made. */
const CONNECTION_FAILED = /WebSocket connection to .* failed/;

/** Somebody who comes in through a proxy. */
async function joinThrough(
  proxy: LateProxy,
  room: WebRoom,
  page: ChatPage,
  name: string,
): Promise<void> {
  page.profile.allow(`localhost:${room.webPort}`);
  page.profile.excuse(CONNECTION_FAILED);
  assertEquals(new URL(page.page.url()).port, String(proxy.port));
  await page.join(name);
}

browserTest(
  "what is typed into a page that is offline arrives once, and what was said meanwhile is seen",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using proxy = new LateProxy(room.webPort);
    await using ben = await room.pipe("ben");
    const ana = await room.visit(await profiles.make(), room.link(proxy.port));
    await joinThrough(proxy, room, ana, "ana");
    await ana.say("all is well");
    await ben.shows("said", { text: "all is well" });

    // The server gets this one late, when the page has long given up on the connection.
    proxy.hold("up");
    await ana.say("on its way");
    await proxy.keeps();
    proxy.shut(); // or it might be back before anybody sees that it was gone
    proxy.lose();
    await ana.isConnected(false);
    await proxy.deliver();
    await ben.shows("said", { text: "on its way" });
    proxy.goOffline();
    await ana.say("while offline");
    await ben.type("where are you?");
    await ben.shows("said", { text: "where are you?" });
    proxy.mend();
    await ana.isConnected();
    await ana.sees("where are you?");
    await ben.shows("said", { text: "while offline" });
    await ana.say("back");
    await ben.shows("said", { text: "back" });
    const typed = ["all is well", "on its way", "while offline", "back"];
    assertSaid(await room.server.log(), "ana", typed);
    await ana.hears("back");
    assertEquals(
      await ana.texts(),
      ["all is well", "on its way", "where are you?", "while offline", "back"],
    );
  },
);

browserTest(
  "a page comes back to a server that was killed and started, and sends what was typed meanwhile once",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const ana = await room.join(profiles, "ana");
    const ben = await room.join(profiles, "ben");
    for (const page of [ana, ben]) page.profile.excuse(CONNECTION_FAILED);
    await ana.say("before");
    await ben.sees("before");
    await room.kill();
    await ana.isConnected(false);
    const typed = ["one", "two", "three"];
    for (const line of typed) await ana.say(line);
    await room.start();
    await ana.isConnected();
    for (const page of [ana, ben]) {
      await page.hears("three");
      assertEquals(await page.texts(), ["before", ...typed]);
    }
    assertSaid(await room.server.log(), "ana", ["before", ...typed]);
  },
);

/** Has the browser treat a page as one that nobody looks at, or as one that is looked at. */
async function freeze(page: Page, state: "frozen" | "active"): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state });
  await session.detach();
}

browserTest(
  "a page that was frozen while its connection broke shows all that it missed, in order, once",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using proxy = new LateProxy(room.webPort);
    await using ben = await room.pipe("ben");
    const ana = await room.visit(await profiles.make(), room.link(proxy.port));
    await joinThrough(proxy, room, ana, "ana");
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at + 1}`);
    await ben.type(...lines.slice(0, 20));
    await ana.sees("line 20");
    await freeze(ana.page, "frozen");
    await ben.type(...lines.slice(20, 40));
    await ben.showsTexts(40);
    proxy.cut();
    await ben.shows("left", { name: "ana" });
    await ben.type(...lines.slice(40));
    await ben.showsTexts(50);
    await freeze(ana.page, "active");
    await ana.sees("line 50");
    assertEquals(await ana.texts(), lines);
    await ana.say("here again");
    await ben.shows("said", { text: "here again" });
  },
);

browserTest(
  "a page that nobody looks at counts what comes in its title, and marks where unread begins",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const ana = await room.join(profiles, "ana");
    await ben.type("seen");
    await ana.sees("seen");
    const title = await ana.page.title();
    await ana.look(false);
    await ben.type("one", "two", "three");
    await ana.until((_) => document.title.startsWith("(3) "), null);
    await ana.look(true);
    await ana.sees("three");
    await ana.until((title) => document.title === title, title);
    const rows = (await ana.rows()).map(({ text }) => text);
    assertEquals(rows.indexOf("New"), rows.indexOf("one") - 1);
  },
);
