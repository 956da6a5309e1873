/**
 * Small pictures, as a browser makes them.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { bundle } from "../../tools/page.ts";
import type { drawPicture } from "../../src/web/platform/pictures.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";

/** What stands in the page for a test. */
interface Tools {
  readonly drawPicture: typeof drawPicture;
}

const HTML = '<!doctype html><meta charset="utf-8">' +
  '<link rel="icon" href="data:,"><title>Pictures</title>';

/** Runs a test in a page that has the module. */
function pictureTest(name: string, test: (page: Page) => Promise<void>): void {
  browserTest(name, async (profiles) => {
    const headers = { "content-type": "text/html" };
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response(HTML, { headers }),
    );
    const profile = await profiles.make();
    const page = await profile.open(`http://localhost:${server.addr.port}/`);
    const script = await bundle("src/web/platform/pictures.ts", {
      format: "esm",
    });
    await page.evaluate(async (script) => {
      const type = "text/javascript";
      const url = URL.createObjectURL(new Blob([script], { type }));
      Object.assign(globalThis, await import(url));
    }, script);
    await test(page);
  });
}

pictureTest(
  "a large picture is shown small, in its proportions, as a picture that the page has made",
  async (page) => {
    for (const type of ["image/png", "image/jpeg", "image/webp"]) {
      const made = await page.evaluate(async (type) => {
        const { drawPicture } = globalThis as unknown as Tools;
        const canvas = new OffscreenCanvas(3000, 1000);
        canvas.getContext("2d")?.fillRect(0, 0, 3000, 1000);
        const file = await canvas.convertToBlob({ type });
        const picture = await drawPicture(file, false);
        if (!picture) return undefined;
        const image = new Image();
        image.src = picture.url;
        await image.decode();
        const { naturalWidth, naturalHeight } = image;
        const small = await (await fetch(picture.url)).blob();
        return { ...picture, naturalWidth, naturalHeight, type: small.type };
      }, type);
      assert(made, type);
      assert(made.url.startsWith("blob:"), made.url);
      assertEquals([made.width, made.height], [640, 213]);
      assertEquals([made.naturalWidth, made.naturalHeight], [640, 213]);
      const expected = type === "image/jpeg" ? type : "image/png";
      assertEquals(made.type, expected);
    }
  },
);

pictureTest(
  "a picture that is looked at large is drawn anew, too, and stays within a bound",
  async (page) => {
    const size = await page.evaluate(async () => {
      const { drawPicture } = globalThis as unknown as Tools;
      const canvas = new OffscreenCanvas(3000, 6000);
      canvas.getContext("2d")?.fillRect(0, 0, 3000, 6000);
      const picture = await drawPicture(await canvas.convertToBlob(), true);
      return [picture?.width, picture?.height];
    });
    assertEquals(size, [2560, 5120]);
  },
);

pictureTest(
  "a small picture stays as large as it is, and a GIF is shown as its first frame",
  async (page) => {
    const size = await page.evaluate(async () => {
      const { drawPicture } = globalThis as unknown as Tools;
      const gif = Uint8Array.fromBase64(
        "R0lGODlhAgABAIAAAP8AAAAA/yH5BAAAAAAALAAAAAACAAEAAAICRAoAOw==",
      );
      const picture = await drawPicture(new Blob([gif]), false);
      return [picture?.width, picture?.height];
    });
    assertEquals(size, [2, 1]);
  },
);

pictureTest(
  "a small file with more pixels than a page should hold is not decoded, whatever else is said of it",
  async (page) => {
    const shown = await page.evaluate(async () => {
      const { drawPicture } = globalThis as unknown as Tools;
      const side = 8_000;
      const row = new Uint8Array(1 + side / 8);
      const rows = new ReadableStream({
        start(controller) {
          for (let count = 0; count < side; count++) controller.enqueue(row);
          controller.close();
        },
      });
      const pressed = rows.pipeThrough(new CompressionStream("deflate"));
      const data = new Uint8Array(await new Response(pressed).arrayBuffer());
      const table = Array.from({ length: 256 }, (_, byte) => {
        for (let bit = 0; bit < 8; bit++) {
          byte = byte & 1 ? byte >>> 1 ^ 0xedb88320 : byte >>> 1;
        }
        return byte;
      });
      const chunk = (kind: string, body: Uint8Array<ArrayBuffer>) => {
        const all = new Uint8Array(12 + body.length);
        const view = new DataView(all.buffer);
        view.setUint32(0, body.length);
        all.set([...kind].map((it) => it.charCodeAt(0)), 4);
        all.set(body, 8);
        let crc = 0xffff_ffff;
        for (const byte of all.subarray(4, 8 + body.length)) {
          crc = (table[(crc ^ byte) & 255] ?? 0) ^ crc >>> 8;
        }
        view.setUint32(8 + body.length, ~crc);
        return all;
      };
      const head = new Uint8Array(13);
      new DataView(head.buffer).setUint32(0, side);
      new DataView(head.buffer).setUint32(4, side);
      head[8] = 1;
      const file = new File(
        [
          new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
          chunk("IHDR", head),
          chunk("IDAT", data),
          chunk("IEND", new Uint8Array(0)),
        ],
        "small.jpg",
        { type: "image/jpeg" },
      );
      const isDecodable = await createImageBitmap(file, 0, 0, 1, 1)
        .then(() => true, () => false);
      return [file.size < 100_000, isDecodable, await drawPicture(file, false)];
    });
    // The browser would decode it.
    assertEquals(shown, [true, true, undefined]);
  },
);

pictureTest(
  "what is no picture, or none that is shown, has no small picture and runs nothing",
  async (page) => {
    const shown = await page.evaluate(async () => {
      const { drawPicture } = globalThis as unknown as Tools;
      const svg =
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>globalThis.ran = true</script></svg>';
      const png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x09\0\0\0\x09";
      const bytes = Uint8Array.from(png, (char) => char.charCodeAt(0));
      const files = [
        new Blob([svg], { type: "image/svg+xml" }),
        new Blob([svg], { type: "image/png" }),
        new Blob([bytes, svg]),
        new Blob([bytes.slice(0, 20)]),
        new Blob([]),
      ];
      return [
        ...await Promise.all(files.map((it) => drawPicture(it, false))),
        "ran" in globalThis,
      ];
    });
    assertEquals(shown, [...Array(5).fill(undefined), false]);
  },
);
