/**
 * Pictures of the web page: the real page in a browser, light and dark, wide and narrow.
 *
 * @module
 */

import type { BrowserContextOptions } from "playwright-core";
import { JsonClient } from "../../tests/kit/client.ts";
import type { ChatPage } from "../../tests/kit/chat_page.ts";
import { ask } from "../../tests/kit/file_company.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { type Colour, png } from "../../tests/kit/png.ts";
import { Profiles } from "../../tests/kit/profile.ts";
import { WebRoom } from "../../tests/kit/web_room.ts";

/** How the page is shown. */
interface Look {
  /** The picture's name. */
  readonly name: string;
  readonly colorScheme: "light" | "dark";
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

const LOOKS: readonly Look[] = [
  { name: "page-light", colorScheme: "light", width: 960, height: 700 },
  { name: "page-dark", colorScheme: "dark", width: 960, height: 700 },
  { name: "phone-light", colorScheme: "light", width: 360, height: 700 },
  { name: "phone-dark", colorScheme: "dark", width: 360, height: 700 },
];

/** Where the server is: stands in the pictures. */
const PORT = 8_080;

const SKY: Colour = [186, 214, 236];
/** From the farthest to the nearest: how high they are, how wide their waves, both parts of the picture; the colour. */
const RANGES: readonly (readonly [number, number, Colour])[] = [
  [0.42, 0.31, [132, 160, 190]],
  [0.58, 0.22, [92, 128, 142]],
  [0.76, 0.4, [58, 94, 82]],
];

/** Hills behind hills, PNG. */
function hills(width: number, height: number) {
  return png(width, height, (x, y) => {
    let colour = SKY;
    for (const [level, wave, own] of RANGES) {
      const swell = Math.sin(x / width / wave * Math.PI) * 0.09;
      if (y / height > level + swell) colour = own;
    }
    return colour;
  });
}

/** Two people who talk, and one who comes by the page. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly things: AsyncDisposableStack,
    readonly folder: Folder,
    readonly room: WebRoom,
    readonly rahul: JsonClient,
    readonly priyanka: JsonClient,
  ) {}

  static async set(): Promise<Scene> {
    await using things = new AsyncDisposableStack();
    const folder = things.use(await Folder.make());
    const room = things.use(await WebRoom.open(folder, {}, PORT));
    const { invite } = room;
    const join = async (name: string) =>
      things.use(await JsonClient.join({ invite, name }));
    const rahul = await join("Rahul");
    const priyanka = await join("Priyanka");
    return new Scene(things.move(), folder, room, rahul, priyanka);
  }

  /** Somebody does something, and it has come to both. */
  async act(who: JsonClient, request: Readonly<Record<string, unknown>>) {
    await ask(who, request);
    const type =
      { say: "said", reply: "replied", act: "acted", react: "reacted" }[
        String(request["type"])
      ] ?? "offered";
    const text = request["text"];
    const fields = typeof text === "string" ? { text } : {};
    await this.rahul.shows(type, fields);
    return await this.priyanka.shows(type, fields);
  }

  /** What is said before the page is looked at. */
  async talk(page: ChatPage): Promise<void> {
    const { rahul, priyanka } = this;
    await this.act(rahul, {
      type: "say",
      text: "kaise ho? The hut is free from Friday on",
    });
    await page.say("namaste! Who comes?");
    const { seq } = await rahul.shows("said", { text: "namaste! Who comes?" });
    await this.act(priyanka, {
      type: "reply",
      to: seq,
      text: "I do, and @Abhii drives 🚗",
    });
    const path = this.folder.file("hut.png");
    await Deno.writeFile(path, hills(640, 220));
    await this.act(rahul, { type: "send", path });
    await page.sees("hut.png");
    await page.button("Show", page.message("hut.png")).click();
    await page.message("hut.png").locator("img").waitFor();
    await this.act(priyanka, {
      type: "say",
      text: "all packed: `ropes`, maps from https://example.org/maps",
    });
    const packed = await rahul.shows("said", { name: "Priyanka" });
    await this.act(rahul, { type: "react", to: packed.seq, text: "👍" });
    await page.sees("all packed");
    await page.box.fill("on my w");
    await page.page.mouse.move(0, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.things.disposeAsync();
  }
}

/** Makes one picture. @returns Whether it is worth keeping: two people may have come by the same colour. */
async function draw(
  { name, colorScheme, width, height }: Look,
  folder: URL,
): Promise<boolean> {
  await using scene = await Scene.set();
  await using profiles = new Profiles();
  const options: BrowserContextOptions = {
    colorScheme,
    viewport: { width, height },
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
  };
  const profile = await profiles.make(options);
  const page = await scene.room.visit(profile);
  await page.join("Abhii");
  await scene.talk(page);
  const colours = await page.log.locator("[data-seq] .byline .name")
    .evaluateAll(
      (names) =>
        names.map((it) => `${it.textContent} ${getComputedStyle(it).color}`),
    );
  const [persons, different] = [/ .*/, /^\S+ /].map((rest) =>
    new Set(colours.map((it) => it.replace(rest, ""))).size
  );
  if (persons !== different) return false;
  const path = new URL(`${name}.png`, folder).pathname;
  await page.page.screenshot({ path, animations: "disabled", caret: "hide" });
  return true;
}

/** Makes all of them. @param folder Where they go. @param made Told the name of each. */
export async function drawPages(
  folder: URL,
  made: (name: string) => void,
): Promise<void> {
  for (const look of LOOKS) {
    while (!await draw(look, folder)); // with other people, whose colours are others
    made(`${look.name}.png`);
  }
}
