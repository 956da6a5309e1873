/**
 * The page in Firefox, where that is installed: joining and talking, from the server and from disk.
 *
 * @module
 */

import { assertEquals } from "../kit/assert.ts";
import { type Firefox, firefoxTest } from "../kit/firefox.ts";
import { Folder } from "../kit/folder.ts";
import { PAGE_FILE, WebRoom } from "../kit/web_room.ts";

/** Waits until words stand in the log of the page. */
async function sees(firefox: Firefox, text: string): Promise<void> {
  const log = "document.querySelector('[role=log]')";
  await firefox.until(`${log}?.innerText.includes(${JSON.stringify(text)})`);
}

for (
  const [from, addressOf] of [
    ["its server", (room: WebRoom) => room.link()],
    ["disk", (room: WebRoom) => `${PAGE_FILE}#${room.link()}`],
  ] as const
) {
  firefoxTest(
    `a person joins and talks in Firefox by a page from ${from}, and is the same after a reload`,
    async (firefox) => {
      await using folder = await Folder.make();
      await using room = await WebRoom.open(folder);
      await using ben = await room.pipe("ben");
      await firefox.open(addressOf(room));
      await firefox.line("input[autocomplete=nickname]", "ana");
      await firefox.line("textarea", "hello from Firefox");
      const first = await ben.shows("said", { text: "hello from Firefox" });
      await ben.type("welcome");
      await sees(firefox, "welcome");
      await firefox.reload();
      await firefox.line("textarea", "once more");
      const second = await ben.shows("said", { text: "once more" });
      assertEquals([second.name, second.key], ["ana", first.key]);
    },
  );
}
