/**
 * What is around the room in the page, in a browser: each stage, panel and question with a scripted room. Whether it can
 * be used by everybody, and by keyboard alone.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { bundle } from "../../tools/page.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import type { Profile } from "../kit/profile.ts";
import { Folder } from "../kit/folder.ts";

/** Stages, by their names in `around_page.tsx`. */
const STAGES = [
  "insecure",
  "old",
  "place",
  "places",
  "name",
  "names",
  "joining",
  "question",
  "sealed-here",
  "over",
];
/** Panels, each behind a button. */
const PANELS = [
  "who",
  "verify",
  "search",
  "files",
  "invite",
  "settings",
  "identity",
  "help",
  "about",
];
/** How the page is looked at. */
const LOOKS = [
  { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { viewport: { width: 360, height: 640 }, colorScheme: "dark" },
] as const;

/** The page with the views, the same for all tests here. */
const demo = (() => {
  let made: Promise<string> | undefined;
  return () => made ??= makeDemo();
})();

async function makeDemo(): Promise<string> {
  const script = await bundle("tests/kit/in_page/around_page.tsx");
  const style = await bundle("src/web/style/chat.css");
  const safe = script.replaceAll("</script", "<\\/script");
  return '<!doctype html><html lang="en"><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    '<link rel="icon" href="data:,"><title>Views</title>' +
    `<style>${style}</style><div id="page"></div><script>${safe}</script>`;
}

/** Shows views, one after the other, in tabs of their own. */
async function withViews(
  profile: Profile,
  show: (open: (view: string) => Promise<Page>) => Promise<void>,
): Promise<void> {
  await using folder = await Folder.make();
  const path = await folder.write("views.html", await demo());
  await show(async (view) => {
    const page = await profile.open(`file://${path}#${view}`);
    if (PANELS.includes(view)) await page.click("#opener");
    return page;
  });
}

/** What axe finds that is serious, or worse. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as axe.AxeResults;
  return violations.filter(({ impact }) =>
    impact === "serious" || impact === "critical"
  ).map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

for (const look of LOOKS) {
  const { colorScheme, viewport: { width } } = look;
  browserTest(
    `stages and panels have nothing that axe calls serious, and nothing that is too wide, ${colorScheme}, ${width} pixels wide`,
    async (profiles) => {
      // The colours as they are: nothing is on its way.
      const profile = await profiles.make({ ...look, reducedMotion: "reduce" });
      await withViews(profile, async (open) => {
        for (const view of [...STAGES, ...PANELS]) {
          const page = await open(view);
          assertEquals(await faultsOf(page), [], view);
          const widest = await page.evaluate(
            "Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('.dialog-body')].map((it) => it.scrollWidth))",
          );
          assertEquals(Number(widest) <= width, true, `${view}: ${widest}`);
          await page.close();
        }
      });
    },
  );
}

browserTest(
  "a panel holds the focus, closes by Escape and by its button, and the focus goes back",
  async (profiles) => {
    await withViews(await profiles.make(), async (open) => {
      for (const view of PANELS) {
        const page = await open(view);
        const dialog = page.getByRole("dialog");
        for (let presses = 0; presses < 30; presses++) {
          await page.keyboard.press("Tab");
          const isWithin = await page.evaluate(
            "document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)",
          );
          assertEquals(isWithin, true, view);
        }
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        assertEquals(await focused(page), "opener", view);
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Close", exact: true }).press(
          "Enter",
        );
        await dialog.waitFor({ state: "detached" });
        assertEquals(await focused(page), "opener", view);
        await page.close();
      }
    });
  },
);

browserTest(
  "the menu of panels is used by keyboard alone, and gives the focus back",
  async (profiles) => {
    await withViews(await profiles.make(), async (open) => {
      const page = await open("menu");
      const more = page.getByRole("button", { name: "Menu" });
      await more.press("Enter");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("End");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog", { name: "About" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assertEquals(
        await more.evaluate((it) => it === it.ownerDocument.activeElement),
        true,
      );
      await more.press("Enter");
      await page.keyboard.press("Escape");
      await page.getByRole("menu").waitFor({ state: "detached" });
      assertEquals(
        await more.evaluate((it) => it === it.ownerDocument.activeElement),
        true,
      );
    });
  },
);

browserTest(
  "a question is answered by its buttons, and by Escape with nothing",
  async (profiles) => {
    await withViews(await profiles.make(), async (open) => {
      const ways = [["Yes", "yes"], ["No", "no"], [
        "Explain",
        "/help",
      ]] as const;
      for (const [button, answer] of ways) {
        const page = await open("question");
        await page.getByRole("button", { name: button, exact: true }).click();
        await page.getByText(`answered: ${answer}`, { exact: true }).waitFor();
        await page.close();
      }
      const page = await open("question");
      await page.getByRole("dialog", {
        name: "Go on with what the server has?",
      }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByText("answered: null", { exact: true }).waitFor();
    });
  },
);

browserTest(
  "a search marks its hits, shows what others wrote as text, goes on to older ones, and a click leads to the row",
  async (profiles) => {
    await withViews(await profiles.make(), async (open) => {
      const page = await open("search");
      await page.keyboard.type("key hut");
      await page.keyboard.press("Enter");
      const results = page.getByRole("listitem");
      await results.first().waitFor();
      assertEquals(await results.count(), 3);
      assertEquals(await page.locator("mark").allInnerTexts(), [
        "hut",
        "key",
        "hut",
        "key",
      ]);
      await page.getByText("<img src=x onerror=alert(1)> \\u202etxt.exe")
        .waitFor();
      await page.getByRole("button", { name: "Show older" }).click();
      await page.getByText("4 messages", { exact: true }).waitFor();
      await results.nth(3).getByText("an older hut").waitFor();
      assertEquals(
        await page.getByRole("button", { name: "Show older" }).count(),
        0,
      );
      await results.nth(1).getByRole("button").click();
      await page.getByText("scroll up there").waitFor();
      await results.nth(2).getByRole("button").click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    });
  },
);

browserTest(
  "what a typed command has found is shown in the search, once",
  async (profiles) => {
    await withViews(await profiles.make(), async (open) => {
      const page = await open("menu");
      await page.getByRole("button", { name: "Type /search hut" }).click();
      await page.locator("mark").first().waitFor();
      assertEquals(await page.getByLabel("Words").inputValue(), "hut");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Menu" }).click();
      assertEquals(await page.getByRole("dialog").count(), 0);
    });
  },
);

browserTest(
  "Ctrl-K opens the search, and a name goes from the list of persons into the message box",
  async (profiles) => {
    await withViews(await profiles.make(), async (open) => {
      const page = await open("menu");
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog", { name: "Search" }).waitFor();
      const who = await open("who");
      await who.getByText("Priyanka").click();
      await who.getByRole("button", { name: "Write privately" }).click();
      await who.getByText("/msg Priyanka", { exact: true }).waitFor();
    });
  },
);

browserTest(
  "an identity's code is read from a picture, where the browser can, and its text stands in the form",
  async (profiles) => {
    const profile = await profiles.make();
    // Chromium has no reader of codes on this system: one that reads the size stands in for it.
    await profile.context.addInitScript(
      "globalThis.BarcodeDetector = class { detect = async ({ width }) => width > 1 ? [{ rawValue: `encrypted-chat-identity:${width}` }] : []; }",
    );
    await withViews(profile, async (open) => {
      const page = await open("name");
      await page.getByText("I have a name on another machine").click();
      const give = async (width: number) => {
        const picture = await page.evaluate(
          `(async () => { const it = new OffscreenCanvas(${width}, 1); it.getContext("2d"); return [...new Uint8Array(await (await it.convertToBlob()).arrayBuffer())] })()`,
        ) as number[];
        await page.locator("input[type=file]").setInputFiles({
          name: "code.png",
          mimeType: "image/png",
          buffer: Buffer.from(picture),
        });
      };
      await give(1);
      await page.getByText("No code was found").waitFor();
      await give(7);
      await page.getByText("The code was read").waitFor();
      assertEquals(
        await page.getByLabel("The text").inputValue(),
        "encrypted-chat-identity:7",
      );
    });
  },
);

browserTest(
  "colours that are chosen are worn at once, and on the next visit",
  async (profiles) => {
    const profile = await profiles.make({ colorScheme: "light" });
    await withViews(profile, async (open) => {
      const paper = (page: Page) =>
        page.evaluate("getComputedStyle(document.body).backgroundColor");
      const page = await open("settings");
      const light = await paper(page);
      await page.getByLabel("Dark").check();
      const dark = await paper(page);
      assert(dark !== light);
      const next = await open("settings");
      assertEquals(await paper(next), dark);
      assertEquals(await next.getByLabel("Dark").isChecked(), true);
      await next.getByRole("group", { name: "Colours" }).getByLabel("system")
        .check();
      assertEquals(await paper(next), light);
    });
  },
);

browserTest(
  "the browser is asked for notifications on a click, and not before",
  async (profiles) => {
    const profile = await profiles.make();
    await profile.context.addInitScript(
      "globalThis.asked = 0; Notification.requestPermission = async () => { asked++; return 'denied'; }; Object.defineProperty(Notification, 'permission', { value: 'default' });",
    );
    await withViews(profile, async (open) => {
      const page = await open("settings");
      await page.getByLabel("On every message").check();
      assertEquals(await page.evaluate("asked"), 0);
      await page.getByRole("button", { name: "Allow notifications" }).click();
      await page.getByText("This browser does not let the page notify")
        .waitFor();
      assertEquals(await page.evaluate("asked"), 1);
    });
  },
);

/** The id of what has the focus. */
function focused(page: Page): Promise<unknown> {
  return page.evaluate("document.activeElement.id");
}
