/**
 * What others write, and how they call themselves and their files, commands no page: nothing of it runs, and nothing
 * breaks out of its place.
 *
 * @module
 */

import { sha256 } from "../../crypto_utils.ts";
import type { Event } from "../../src/protocol/events.ts";
import { formatOffer } from "../../src/protocol/offer.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { utf8 } from "../kit/bytes.ts";
import { browserTest } from "../kit/browser.ts";
import type { ChatPage } from "../kit/chat_page.ts";
import { ask } from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { ATTACKS, DANGEROUS } from "../kit/hostile_texts.ts";
import { Intruder } from "../kit/intruder.ts";
import { WebRoom } from "../kit/web_room.ts";

/** What would say that it has run. */
const RUN = "globalThis.pwned=1";

/** Markup that runs something where it is taken for markup. */
const MARKUP = [
  `<script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `<svg onload="${RUN}"><animate onbegin="${RUN}"/></svg>`,
  `<svg><script>${RUN}</script></svg>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `"><input autofocus onfocus="${RUN}">`,
  `</p></div></body><style>*{display:none}</style>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
  `<a href="javascript:${RUN}">here</a>`,
  `{{constructor.constructor('${RUN}')()}} \${${RUN}}`,
  `<base href="//192.0.2.1/"><meta http-equiv="refresh" content="0;url=//192.0.2.1/">`,
];

/** Links that a page must not make, and what markdown and others make of them. */
const LINKS = [
  `javascript:${RUN}`,
  `[here](javascript:${RUN})`,
  `JaVaScRiPt:${RUN} java\tscript:${RUN}`,
  `data:text/html,<script>${RUN}</script>`,
  `vbscript:${RUN} file:///etc/passwd blob:http://192.0.2.1/x`,
  `https://user:pass@192.0.2.1/ https://xn--80ak6aa92e.example/ http://192.0.2.1/"onmouseover="${RUN}`,
  "https://192.0.2.1/\u202egnp.exe",
  "`code` ```\nblock <b>\n``` **bold** _under_ ~~out~~ # head",
];

/** What takes room. */
const LARGE = [
  `a${"\u0301".repeat(2_047)}`,
  `${"e\u0301\u0323\u0308".repeat(500)}`,
  "W".repeat(4_096),
  "\u{1242b}".repeat(1_000), // cuneiform that is wider than a line is high
  "\ufdfd".repeat(300), // a ligature as wide as a sentence
  `${"line\n".repeat(800)}`,
  "\u0e49".repeat(1_300),
  "👨‍👩‍👧‍👦".repeat(160),
];

const TEXTS = [...MARKUP, ...LINKS, ...LARGE, ...ATTACKS];

/** Fails unless nothing has run, and everything is within its place. */
async function assertTame(page: ChatPage): Promise<void> {
  const state = await page.page.evaluate(() => {
    const log = document.querySelector<HTMLElement>("[role=log]");
    if (!log) throw new Error("There is no log");
    const all = Array.from(log.querySelectorAll("*"));
    const frame = log.getBoundingClientRect();
    const rows = Array.from(log.querySelectorAll<HTMLElement>("[data-key]"));
    const sticksOut = rows.flatMap((row) => {
      const place = row.getBoundingClientRect();
      return Array.from(row.querySelectorAll("*")).filter((it) => {
        const box = it.getBoundingClientRect();
        if (box.width === 0 || box.height === 0) return false;
        if (it.closest(".visually-hidden")) return false;
        const scroller = it.closest("pre");
        if (scroller && scroller !== it) return false;
        return box.left < frame.left - 1 || box.right > frame.right + 1 ||
          box.top < place.top - 40 || box.bottom > place.bottom + 40;
      }).map((it) =>
        `${it.tagName}.${it.className}: ${row.innerText}`.slice(0, 120)
      );
    });
    const names = new Set(all.map(({ localName }) => localName));
    const root = document.scrollingElement ?? document.body;
    return {
      pwned: Reflect.has(globalThis, "pwned"),
      sticksOut,
      tooWide: root.scrollWidth > root.clientWidth + 1,
      foreign: [
        "script",
        "iframe",
        "object",
        "embed",
        "style",
        "base",
        "meta",
        "math",
        "form",
      ]
        .filter((name) => names.has(name)),
      handlers: all.flatMap((it) =>
        it.getAttributeNames().filter((name) => name.startsWith("on"))
      ),
      pictures: all.filter((it) => it.localName === "img")
        .map((it) => it.getAttribute("src") ?? "")
        .filter((source) => !source.startsWith("blob:")),
      links: Array.from(log.querySelectorAll("a"), (it) => ({
        href: it.href,
        rel: it.rel,
        target: it.target,
      })),
      texts: Array.from(
        log.querySelectorAll<HTMLElement>(".message-text"),
        (it) => it.innerText,
      ),
    };
  });
  const { links, texts, ...rest } = state;
  assertEquals(rest, {
    pwned: false,
    sticksOut: [],
    tooWide: false,
    foreign: [],
    handlers: [],
    pictures: [],
  });
  for (const { href, rel, target } of links) {
    assert(/^https?:\/\//.test(href), href);
    assertEquals([rel, target], ["noreferrer noopener", "_blank"]);
  }
  for (const text of texts) {
    const shown = text.replaceAll("\n", "").replaceAll(
      /\p{Emoji}[\ufe0f\u200d]/gu,
      "",
    );
    assert(!DANGEROUS.test(shown), JSON.stringify(text));
    assert(!/\p{M}{9}/u.test(text), "too many marks");
  }
}

for (const width of [360, 1_280]) {
  browserTest(
    `texts, names and files of hostile members run nothing and stay in their places, ${width} pixels wide`,
    async (profiles) => {
      await using folder = await Folder.make();
      await using room = await WebRoom.open(folder);
      const viewport = { width, height: 720 };
      const page = await room.join(profiles, "ana", { viewport });
      using eve = await Intruder.in(
        room.server,
        "\u05d0\u05d1\u05d2\u05d3".repeat(8),
      );
      using mallory = await Intruder.in(room.server, "W".repeat(32));
      let n = 0;
      for (const text of TEXTS) {
        const kinds = ["say", "act"] as const;
        for (const kind of kinds) {
          await eve.send({ kind, n: ++n, text } as Event);
        }
      }
      for (
        const name of [
          ...MARKUP,
          ...LARGE.slice(0, 2),
          "\u202egnp.exe",
          "x".repeat(255),
        ]
      ) {
        const file = name.replaceAll(/[/\\\p{Cc}]/gu, "_").slice(0, 80);
        const digest = sha256(utf8(file)).toHex();
        const text = formatOffer({ name: file, size: 10, digest });
        await mallory.send({ kind: "offer", n: ++n, text } as Event);
      }
      await mallory.send({ kind: "say", n: ++n, text: "the end" } as Event);
      await page.sees("the end");
      await assertTame(page);
      // And further up, where not all stood at once.
      for (let step = 0; step < 12; step++) {
        await page.log.press("PageUp").catch(() => {});
        await assertTame(page);
      }
    },
  );
}

browserTest(
  "pictures are shown of four kinds of bytes alone, and none of them runs anything",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using ben = await room.pipe("ben");
    const ana = await room.join(profiles, "ana");
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="${RUN}"><script>${RUN}</script></svg>`;
    const files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>> = {
      "drawing.svg": svg,
      "drawing.png": svg,
      "page.jpg": `<!doctype html><script>${RUN}</script>`,
      "both.gif": `GIF89a/*<svg onload=${RUN}>*/=1;${RUN}`,
      "cut.webp": "RIFF\x10\0\0\0WEBPVP8 ",
    };
    for (const [name, bytes] of Object.entries(files)) {
      const path = room.folder.file(name);
      if (typeof bytes === "string") await Deno.writeTextFile(path, bytes);
      else await Deno.writeFile(path, bytes);
      await ask(ben, { type: "send", path });
      await ana.sees(name);
      const show = ana.button("Show", ana.message(name));
      if (await show.count() > 0) {
        await show.click();
        await ben.shows("taken", {});
        await ana.message(name).getByRole("button", { name: "Save" }).waitFor();
      }
      assertEquals(await ana.message(name).locator("img").count(), 0, name);
    }
    await assertTame(ana);
  },
);
