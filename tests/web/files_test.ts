/**
 * Files between pages and a terminal's client.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import { JsonClient } from "../kit/client.ts";
import { ask, contents, reaches } from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { png } from "../kit/png.ts";
import { WebRoom } from "../kit/web_room.ts";

/** A few pieces' worth, bytes. */
const SIZE = 300_000;

browserTest(
  "a file goes from a page to a terminal's client, and from there to a page, byte for byte",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using own = await Folder.make();
    await using ben = await JsonClient.join({
      invite: room.invite,
      name: "ben",
      cwd: own.path,
    });
    const ana = await room.join(profiles, "ana");
    const bytes = contents(SIZE);
    await ana.send("notes.bin", bytes);
    const { seq = 0 } = await ben.shows("offered", { name: "ana" });
    await ask(ben, { type: "get", offer: seq });
    const { path: taken = "" } = await reaches(ben, "taken");
    assertEquals(await Deno.readFile(own.file(taken)), bytes);

    const path = await own.write("report.bin", "");
    await Deno.writeFile(path, bytes.toReversed());
    await ask(ben, { type: "send", path });
    await ana.sees("report.bin");
    const saving = ana.page.waitForEvent("download");
    await ana.button("Save", ana.message("report.bin")).click();
    const saved = await saving;
    assertEquals(saved.suggestedFilename(), "report.bin");
    await saved.saveAs(own.file("saved.bin"));
    assertEquals(
      await Deno.readFile(own.file("saved.bin")),
      bytes.toReversed(),
    );
  },
);

browserTest(
  "a picture is shown small, from its sealed bytes, to who asks for it; a pasted and a dropped file is offered",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const ana = await room.join(profiles, "ana");
    const ben = await room.join(profiles, "ben");
    await ana.send("hut.png", png(1_600, 1_200, () => [120, 120, 160]));
    await ben.sees("hut.png");
    assertEquals(await ben.message("hut.png").locator("img").count(), 0);
    await ben.button("Show", ben.message("hut.png")).click();
    const picture = ben.message("hut.png").locator("img");
    await picture.waitFor();
    await ben.until(
      (name) =>
        (document.querySelector<HTMLImageElement>(
          `[role=log] img[alt="${name}"]`,
        )
          ?.naturalWidth ?? 0) > 0,
      "hut.png",
    );
    assert((await picture.getAttribute("src"))?.startsWith("blob:"));
    const box = await picture.boundingBox();
    assert(box && box.width <= 480 && box.height <= 480, JSON.stringify(box));
    assertEquals(Math.round(100 * box.width / box.height), 133);

    for (
      const [way, name] of [["paste", "a.txt"], ["drop", "b.txt"]] as const
    ) {
      await ana.give(way, name, "a text");
      await ben.sees(name);
    }
  },
);
