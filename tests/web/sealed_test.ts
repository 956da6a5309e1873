/**
 * Sealed rooms by the page: not from the room's own server, but from a file.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import type { Profile } from "../kit/profile.ts";
import { ChatPage } from "../kit/chat_page.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { sealed } from "../kit/sealed_programs.ts";
import { PAGE_FILE, WebRoom } from "../kit/web_room.ts";

/** Somebody opens the page from disk, and gives it a link. */
async function openFile(
  profile: Profile,
  room: WebRoom,
  link: string,
): Promise<ChatPage> {
  profile.allow(`localhost:${room.webPort}`);
  const page = new ChatPage(await profile.open(PAGE_FILE), profile);
  await page.page.getByLabel("The room's link").fill(link);
  await page.button("Go on").click();
  return page;
}

browserTest(
  "a page from a sealed room's own server refuses to go in, says why, and offers itself as a file",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder, sealed());
    const page = await room.visit(await profiles.make());
    await page.shows(/who delivers the page could make it read/);
    assertEquals(await page.page.getByLabel("Your name").count(), 0);
    const saving = page.page.waitForEvent("download");
    await page.page.getByRole("link", { name: "Save chat.html" }).click();
    const saved = await saving;
    assertEquals(saved.suggestedFilename(), "chat.html");
    const path = folder.file("saved.html");
    await saved.saveAs(path);
    const bytes = await Deno.readFile(path);
    assertEquals(bytes, await Deno.readFile(new URL(PAGE_FILE)));
    // Nobody has joined, and nothing was asked of the server but the page.
    assertEquals(await room.server.log(), []);
  },
);

browserTest(
  "a page from disk founds a sealed room, and a terminal's client that it invites reads what it says",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder, sealed());
    const ana = await openFile(await profiles.make(), room, room.link());
    await ana.page.getByLabel("Your name", { exact: true }).fill("ana");
    await ana.button("Join").click();
    const question = ana.page.getByRole("dialog", { name: /This room is new/ });
    await question.getByText("is its first keeper").waitFor();
    await ana.button("Yes").click();
    await ana.isIn();
    await ana.say("from the first line on");
    await ana.sees("from the first line on");
    const advice = "Identity, in the menu, copies yours"; // no command of a terminal's
    await ana.page.getByText(advice).waitFor();

    const panel = await ana.panel("Invite");
    await ana.button("Make a link", panel).click();
    const web = await panel.getByLabel("For a browser").inputValue();
    await ana.page.keyboard.press("Escape");
    await using ben = await JsonClient.join({ invite: web, name: "ben" });
    await ana.say("you can read this, ben");
    await ben.shows("said", { name: "ana", text: "you can read this, ben" });
    await ben.type("and nobody else can");
    await ana.sees("and nobody else can");

    // The page that came from the server knows the room as sealed by its link, too.
    const served = await room.visit(await profiles.make(), web);
    await served.shows(/who delivers the page could make it read/);

    const log = await Deno.readFile(folder.file("chat.log"));
    const text = new TextDecoder().decode(log);
    for (const secret of ["first line", "you can read", "nobody else"]) {
      assert(!text.includes(secret), secret);
    }
  },
);

browserTest(
  "who was in a sealed room by a page from disk comes back to it after a reload, and reads again what was said",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder, sealed());
    await using ben = await JsonClient.join({
      invite: room.invite,
      name: "ben",
      args: ["--found"],
    });
    const { link = "" } = await ben.shows("invite");
    const web = room.link(undefined, link);
    const ana = await openFile(await profiles.make(), room, web);
    await ana.join("ana");
    await ben.shows("joined", { name: "ana" });
    await ben.type("before");
    await ana.sees("before");
    await ana.page.reload();
    await ana.isIn();
    await ana.sees("before");
    await ana.say("still ana");
    await ben.shows("said", { name: "ana", text: "still ana" });
  },
);
