/**
 * The page as a file: what is in it, how large it is, and that everybody who builds it gets the same bytes.
 *
 * @module
 */

import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { base64 } from "@scure/base";
import { sha256 } from "../../crypto_utils.ts";
import { buildPage } from "../../tools/page.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { runToEnd } from "../kit/command.ts";
import { filesBelow, Folder } from "../kit/folder.ts";
import { cacheFolder } from "../kit/program.ts";

/** What the page may take on its way, bytes: packed by Brotli. */
const MAX_SIZE = 120_000;

/** What makes elements, or a program, of a text. */
const FORBIDDEN =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|createContextualFragment|setHTML|parseFromString|srcdoc|\beval\b|new Function|setTimeout\(\s*["'`]|<script|<iframe|<object|<embed/;

const root = new URL("../../", import.meta.url);

/** The page of this tree; built once. */
const page = (() => {
  let built: Promise<string> | undefined;
  return () => built ??= buildPage();
})();

/** All files below a folder, as paths from the root. */
async function filesIn(folder: string): Promise<string[]> {
  const files = await Array.fromAsync(filesBelow(new URL(folder, root)));
  return files.map(({ href }) => href.slice(root.href.length)).sort();
}

/** What the page is made of, and what makes it. */
async function sources(): Promise<string[]> {
  const single = [
    "deno.json",
    "deno.lock",
    "tests/deno.json",
    "tests/deno.lock",
    "crypto_utils.ts",
  ];
  return [...single, ...await filesIn("src/"), ...await filesIn("tools/")];
}

function digest(text: string): string {
  return `'sha256-${base64.encode(sha256(new TextEncoder().encode(text)))}'`;
}

Deno.test("the page that is in the tree is what its sources give", async () => {
  const kept = await Deno.readTextFile(new URL("dist/chat.html", root));
  assert(kept === await page(), "it is another: deno task page makes it again");
  const packed = await Deno.readFile(new URL("dist/chat.html.br", root));
  const unpacked = brotliDecompressSync(packed).toString();
  assert(unpacked === kept, "the packed one is another: deno task page");
});

Deno.test("a copy of the tree, elsewhere, gives the same page to the byte, whatever packages and settings stand above it", async () => {
  await using folder = await Folder.make();
  const above = folder.file("a folder of another name");
  const elsewhere = `${above}/and depth`;
  // What stands above the tree is nobody's business.
  const others = {
    "tsconfig.json":
      '{"compilerOptions":{"useDefineForClassFields":false,"experimentalDecorators":true}}',
    "package.json":
      '{"type":"commonjs","sideEffects":false,"browser":{"preact":false}}',
    "node_modules/preact/package.json": '{"main":"index.js"}',
    "node_modules/preact/index.js": "export const render = alert;",
  };
  for (const [path, text] of Object.entries(others)) {
    const target = `${above}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), {
      recursive: true,
    });
    await Deno.writeTextFile(target, text);
  }
  for (const path of await sources()) {
    const target = `${elsewhere}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), {
      recursive: true,
    });
    await Deno.copyFile(new URL(path, root), target);
  }
  const { code, stdout, stderr } = await runToEnd(
    [Deno.execPath(), "task", "--quiet", "page", "--output", "other.html"],
    {
      cwd: elsewhere,
      env: { HOME: folder.path, DENO_DIR: await cacheFolder() },
    },
  );
  assertEquals(code, 0, stderr);
  const other = await Deno.readFile(`${elsewhere}/other.html`);
  assert(new TextDecoder().decode(other) === await page());
  const packed = await Deno.readFile(`${elsewhere}/other.html.br`);
  assert(brotliDecompressSync(packed).toString() === await page());
  assert(stdout.includes(`SHA-256: ${sha256(other).toHex()}\n`), stdout);
});

Deno.test("the page takes at most 120 kB compressed", async () => {
  const size = brotliCompressSync(await page()).length;
  assert(size <= MAX_SIZE, `${size} bytes`);
});

Deno.test("the page's policy lets its one script and its one style in, connections, own pictures, and nothing else", async () => {
  const html = await page();
  const [, policy = ""] =
    /<meta http-equiv="content-security-policy" content="([^"]*)">/
      .exec(html) ?? [];
  const [, style = "", ...styles] = html.split(/<style[^>]*>|<\/style>/);
  const scripts = [...html.matchAll(/<script([^>]*)>([^]*?)<\/script/g)];
  const [, attributes, script = ""] = scripts[0] ?? [];
  assertEquals([scripts.length, attributes, styles.length], [1, "", 1]);
  assertEquals(policy.split("; "), [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "connect-src ws: wss:",
    "img-src blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  const before = html.slice(0, html.indexOf("<meta http-equiv"));
  assert(!/<(script|style|link)/.test(before), "the policy comes too late");
  assert(!/ on\w+=|<link[^>]*href="(?!data:)/.test(html.replace(script, "")));
});

Deno.test("the page's sources never make elements of a text, or a program", async () => {
  const found: string[] = [];
  for (const path of await filesIn("src/web/")) {
    if (path === "src/web/chat.html") continue; // the template, in which the script stands
    const lines = (await Deno.readTextFile(new URL(path, root))).split("\n");
    for (const [at, line] of lines.entries()) {
      if (FORBIDDEN.test(line)) found.push(`${path}:${at + 1}: ${line.trim()}`);
    }
  }
  assertEquals(found, []);
});

Deno.test("the page names no other server, and no path of the machine that built it", async () => {
  const html = await page();
  const addresses = [...html.matchAll(/\b(?:https?|wss?):\/\/[\w-][\w.-]*/g)]
    .map(([it]) => it);
  // The names of markup's vocabularies are no addresses that anybody asks.
  const others = addresses.filter((it) => it !== "http://www.w3.org");
  assertEquals(others, []);
  assert(!html.includes(decodeURIComponent(root.pathname).replace(/\/$/, "")));
});
