import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import {
  FROM_DISK,
  overOf,
  servedFrom,
  shows,
  TestBrowser,
  webLinkOf,
} from "../kit/page_app.ts";
import { Server } from "../kit/server.ts";

/** A server, and the web link of its room. */
async function withRoom(
  test: (server: Server, link: string) => Promise<void>,
  ...args: string[]
): Promise<void> {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args });
  await test(server, webLinkOf(server.invite));
}

Deno.test("a page goes by the link in its address bar, which then stands there no longer, and talks with a terminal's client", () =>
  withRoom(async (server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    assert(!page.address.includes("#"), page.address);
    const { room, actions } = await page.enter("ana");
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await actions.run("hello ben");
    await ben.shows("said", { text: "hello ben" });
    await ben.type("hello ana");
    await shows(room, "hello ana");
    page.app.leave();
    await page.at("over");
    assertEquals(overOf(page).message, "You left the room");
    const said = (await server.log()).filter(({ what }) => what === "said");
    assertEquals(said.map(({ name, text }) => [name, text]), [
      ["ana", "hello ben"],
      ["ben", "hello ana"],
    ]);
  }));

Deno.test("a page that is loaded again comes back as who it was, by its own key", () =>
  withRoom(async (server, link) => {
    await using browser = new TestBrowser();
    const first = await browser.open(link);
    const { room } = await first.enter("ana");
    first.app.draft = "half a sen";
    const self = room.self.value;
    const again = await browser.reload(first);
    const { room: same } = await again.at("room");
    assertEquals(same.self.value, self);
    assertEquals(same.standing.value.name, "ana");
    assertEquals(again.app.draft, "half a sen");
    const persons = (await server.log()).map(({ person }) => person);
    assertEquals(new Set(persons).size, 1);
  }));

Deno.test("a page that is loaded again before it was in still has its link", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    await page.at("name");
    const again = await browser.reload(page);
    await again.enter("ana");
  }));
