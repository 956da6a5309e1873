/**
 * Ways into a room by the page, and who one is there.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import { ELSEWHERE } from "../kit/chromium.ts";
import { ChatPage } from "../kit/chat_page.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { PAGE_FILE, WebRoom } from "../kit/web_room.ts";

const PASSPHRASE = "correct horse battery staple";

/** Runs a client's command to its end. @returns What it printed. */
async function runClient(
  { path: home }: Folder,
  args: readonly string[],
  input: string,
): Promise<string> {
  await using client = await Client.plain({ home, args });
  await client.write(input);
  await client.endInput();
  assertEquals(await client.finished(), 0, client.transcript);
  return client.stdout.join("\n");
}

browserTest(
  "a person opens the link, types a name, and talks; the address bar keeps no key",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const ana = await room.visit(await profiles.make());
    await ana.join("ana");
    assertEquals(ana.page.url(), `${room.origin()}/`);
    await ana.say("hello from a page");
    await ben.shows("said", { name: "ana", text: "hello from a page" });
    await ana.sees("hello from a page");
    const history = await ana.page.evaluate("history.length");
    assert(Number(history) <= 2, "the link stays in the tab's history");
  },
);

browserTest(
  "a link that is opened in a tab where the page is already leads into its room",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const page = await room.visit(await profiles.make(), room.origin());
    await page.page.getByLabel("The room's link").waitFor();
    await page.page.goto(room.link());
    await page.join("ana");
    assertEquals(page.page.url(), `${room.origin()}/`);
  },
);

browserTest(
  "who comes again is the same person under the same name, without the link",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const profile = await profiles.make();
    const ana = await room.visit(profile);
    await ana.join("ana");
    await ana.page.reload();
    await ana.isIn();
    await ana.say("after a reload");
    const first = await ben.shows("said", { text: "after a reload" });
    await ana.page.close();

    const again = await room.visit(profile, room.origin());
    await again.join("ana");
    await again.say("another day");
    const second = await ben.shows("said", { text: "another day" });
    assertEquals([second.name, second.key], [first.name, first.key]);
  },
);

browserTest(
  "two tabs of one identity are one person, and both see all that it says",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const profile = await profiles.make();
    const one = await room.visit(profile);
    await one.join("ana");
    const other = await room.visit(profile);
    await other.join("ana");
    await one.say("from the first tab");
    await other.sees("from the first tab");
    await other.say("from the second tab");
    await one.hears("from the second tab");
    const first = await ben.shows("said", { text: "from the first tab" });
    const second = await ben.shows("said", { text: "from the second tab" });
    assertEquals([second.name, second.key], [first.name, first.key]);
    await other.hears("from the second tab");
    assertEquals(await one.texts(), await other.texts());
  },
);

browserTest(
  "a name that somebody else has is refused, and another can be given",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using _ben = await room.pipe("ben");
    const page = await room.visit(await profiles.make());
    const name = page.page.getByLabel("Your name", { exact: true });
    await name.fill("ben");
    await page.button("Join").click();
    await page.page.getByRole("alert").filter({ hasText: "taken" }).waitFor();
    await name.fill("");
    await page.button("Join").click();
    await page.page.getByRole("alert").filter({ hasText: "Type a name" })
      .waitFor();
    await name.fill("Ana Maria");
    await page.button("Join").click();
    await page.page.getByRole("alert").filter({ hasText: "no spaces" })
      .waitFor();
    assertEquals(await name.inputValue(), "Ana-Maria");
    await page.join("ana");
  },
);

browserTest(
  "a link that is no link, or whose key opens nothing, says so",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const page = await room.visit(await profiles.make(), room.origin());
    const field = page.page.getByLabel("The room's link");
    for (const link of ["", "hello", "javascript:alert(1)", "44-ab-cd"]) {
      await field.fill(link);
      await page.button("Go on").click();
      await page.page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
    }
    // A letter of the key is another.
    const link = room.link();
    const end = link.at(-5) === "A" ? "B" : "A";
    await field.fill(`${link.slice(0, -5)}${end}${link.slice(-4)}`);
    await page.button("Go on").click();
    await page.page.getByLabel("Your name", { exact: true }).fill("ana");
    await page.button("Join").click();
    await page.shows(/does not open this room|ask for a new link/i);
  },
);

browserTest(
  "the page from disk works with a server that has --web",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const profile = await profiles.make();
    profile.allow(`localhost:${room.webPort}`);
    const ana = new ChatPage(await profile.open(PAGE_FILE), profile);
    await ana.page.getByLabel("The room's link").fill(room.link());
    await ana.button("Go on").click();
    await ana.join("ana");
    await ana.say("from a file");
    await ben.shows("said", { name: "ana", text: "from a file" });
    await ben.type("heard");
    await ana.sees("heard");
  },
);

browserTest(
  "a page by plain HTTP from elsewhere says that it can't encrypt, and what to do",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const { hash } = new URL(room.link());
    const address = `http://${ELSEWHERE}:${room.webPort}/${hash}`;
    const profile = await profiles.make();
    // A browser that takes the address for untrustworthy says that it ignores this header.
    profile.excuse(/Cross-Origin-Opener-Policy header has been ignored/);
    const page = await room.visit(profile, address);
    await page.shows(/encrypt/i);
    await page.shows(/https/i);
    assertEquals(await page.box.count(), 0);
  },
);

browserTest(
  "an identity goes from a page to a terminal's client, and the person stays the same",
  async (profiles) => {
    await using folder = await Folder.make();
    await using home = await Folder.make();
    await using room = await WebRoom.open(folder);
    const { invite } = room;
    await using ben = await JsonClient.join({ invite, name: "ben" });
    const page = await room.join(profiles, "ana");
    await page.say("as a page");
    const before = await ben.shows("said", { text: "as a page" });
    const text = await page.exportIdentity(PASSPHRASE);
    await page.page.close();
    const bring = ["--import", "--name", "ana"];
    await runClient(home, bring, `${text}\n${PASSPHRASE}\n`);
    await using ana = await JsonClient.join({
      invite,
      name: "ana",
      home: home.path,
    });
    await ana.type("as a terminal");
    const after = await ben.shows("said", { text: "as a terminal" });
    assertEquals([after.name, after.key], [before.name, before.key]);
  },
);

browserTest(
  "an identity goes from a terminal's client to a page, and the person stays the same",
  async (profiles) => {
    await using folder = await Folder.make();
    await using home = await Folder.make();
    await using room = await WebRoom.open(folder);
    const { invite } = room;
    await using ben = await JsonClient.join({ invite, name: "ben" });
    {
      await using ana = await JsonClient.join({
        invite,
        name: "ana",
        home: home.path,
      });
      await ana.type("as a terminal");
      await ben.shows("said", { text: "as a terminal" });
      await ana.endInput();
      await ana.finished();
    }
    const before = await ben.shows("said", { text: "as a terminal" });
    const input = `${PASSPHRASE}\n`;
    const text = await runClient(home, ["--export", "--name", "ana"], input);
    const page = await room.visit(await profiles.make());
    await page.importIdentity(text, PASSPHRASE, "ana");
    await page.join("ana");
    await page.say("as a page");
    const after = await ben.shows("said", { text: "as a page" });
    assertEquals([after.name, after.key], [before.name, before.key]);
  },
);
