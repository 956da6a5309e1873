/**
 * The published vectors and the known answers of every primitive, in a page, by the browser's own cryptography: the
 * same tests that run outside, bundled.
 *
 * @module
 */

import { bundle } from "../../tools/page.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import { firefoxTest } from "../kit/firefox.ts";
import { Folder } from "../kit/folder.ts";
import type { InPageResult } from "../kit/in_page/kept_tests.ts";

const STEAD = "./tests/kit/in_page/not_in_page.ts";

/** These compare with Node's implementations, or collect garbage at a word: what no page has. */
const NOT_IN_PAGE = [
  "A cipher state that has rested imports its key again, and goes on with the next message",
  "identityOf() makes the three keys of a seed as another implementation does",
  "identityOf() gives the same identity for a seed, always",
  "a person's id is the labelled digest of its three keys, whatever the signature",
  "encryptMessage() uses 4 zero bytes and the counter, 64 bits big-endian, as its nonce",
  "labelledDigest() and deriveKey() cover protocol, label and fields, and tell the label from the fields",
];

/** A page that runs the tests. */
async function testPage(): Promise<string> {
  const alias = Object.fromEntries(
    ["node:crypto", "node:v8", "node:vm"].map((it) => [it, STEAD]),
  );
  const module = "tests/kit/in_page/known_answers.ts";
  const script = await bundle(module, { alias, format: "esm" });
  const safe = script.replaceAll("</script", "<\\/script");
  return '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">' +
    `<title>Tests</title><script type="module">${safe}</script>`;
}

/** The same page for all tests here. */
const page = (() => {
  let made: Promise<string> | undefined;
  return () => made ??= testPage();
})();

/** Serves the page on this machine. */
async function serve() {
  const html = await page();
  const address = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const headers = { "content-type": "text/html" };
  return Deno.serve(address, () => new Response(html, { headers }));
}

/** Fails unless all have passed. @param evaluate What an expression comes to in the page. */
async function assertAllPass(
  evaluate: (expression: string) => Promise<unknown>,
) {
  assertEquals(await evaluate("isSecureContext"), true);
  const results = await evaluate("results") as InPageResult[];
  const failed = results.filter(({ outcome }) =>
    !["passed", "ignored"].includes(outcome)
  );
  assertEquals(failed, []);
  const hasKem = await evaluate("'encapsulateBits' in crypto.subtle");
  const ignored = results.filter(({ name, outcome }) =>
    outcome === "ignored" && (hasKem || !name.includes("nativeKem"))
  );
  assertEquals(ignored.map(({ name }) => name), NOT_IN_PAGE);
  for (const it of ["Noise_XX_25519_AESGCM_SHA256", "Noise_XXpsk3_25519"]) {
    assert(results.some(({ name }) => name.includes(it)), it);
  }
}

browserTest(
  "published vectors and known answers hold in a page from a server on this machine",
  async (profiles) => {
    await using server = await serve();
    const profile = await profiles.make();
    const tab = await profile.open(`http://localhost:${server.addr.port}/`);
    await tab.waitForFunction("globalThis.results");
    await assertAllPass((it) => tab.evaluate(it));
  },
);

browserTest(
  "published vectors and known answers hold in a page from disk",
  async (profiles) => {
    await using folder = await Folder.make();
    const profile = await profiles.make();
    const path = await folder.write("tests.html", await page());
    const tab = await profile.open(`file://${path}`);
    await tab.waitForFunction("globalThis.results");
    await assertAllPass((it) => tab.evaluate(it));
  },
);

firefoxTest(
  "published vectors and known answers hold in Firefox",
  async (firefox) => {
    await using server = await serve();
    await firefox.open(`http://localhost:${server.addr.port}/`);
    await firefox.until("globalThis.results");
    await assertAllPass((it) => firefox.evaluate(it));
  },
);
