/**
 * The page as a server gives it: what keeps a server from starting, and what stands in its headers.
 *
 * @module
 */

import { brotliCompressSync } from "node:zlib";
import { concat } from "../../../../crypto_utils.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { parseHead } from "../../../../src/server/http/http_head.ts";
import { Page } from "../../../../src/server/web/page.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import { inFolder } from "../../../kit/folder.ts";
import { upgradeRequest } from "../../../kit/web_socket.ts";

const POLICY = "default-src 'none'; connect-src ws: wss:; img-src blob:";
const HTML =
  `<!doctype html><meta http-equiv="content-security-policy" content="${POLICY}"><p>Encrypted chat</p>`;

/** @param packed What stands beside the page. */
function withPage(
  test: (page: Page) => void,
  packed?: Uint8Array,
): Promise<void> {
  return inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/chat.html`, HTML);
    if (packed) await Deno.writeFile(`${folder}/chat.html.br`, packed);
    test(await Page.load(`${folder}/chat.html`));
  });
}

/** Both parts of an answer to a request with these fields. */
function answer(
  page: Page,
  fields: Readonly<Record<string, string>> = {},
  isToKeep = false,
): [head: string, body: string] {
  const head = parseHead(upgradeRequest(fields, "GET / HTTP/1.1"));
  const whole = concat(...page.answer(head, isToKeep));
  const text = new TextDecoder("latin1").decode(whole);
  const end = text.indexOf("\r\n\r\n");
  return [text.slice(0, end), text.slice(end + 4)];
}

Deno.test("Page.load() says what to do where the page was not built, or something else is there", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.html`;
    const missing = await assertRejects(
      () => Page.load(path),
      AdvisedError,
      "There is no dist/chat.html to serve",
    );
    assertEquals(
      (missing as AdvisedError).advice,
      "Build it: deno task page",
    );
    const others = [
      "<p>another page</p>",
      HTML.replace("connect-src", "font-src"),
      HTML.replace("http-equiv", "name"),
    ];
    for (const other of others) {
      await Deno.writeTextFile(path, other);
      await assertRejects(
        () => Page.load(path),
        AdvisedError,
        "not the chat's",
      );
    }
  }));

Deno.test("Page.load() takes the same from a URL, as a server has it that was compiled", () =>
  inFolder(async (folder) => {
    const quoted = HTML.replace(/"(content-security-policy)"/, "$1"); // as the page is built
    await Deno.writeTextFile(`${folder}/chat.html`, quoted);
    await Deno.writeFile(`${folder}/chat.html.br`, brotliCompressSync(quoted));
    const page = await Page.load(new URL(`file://${folder}/chat.html`));
    const [head] = answer(page, { "accept-encoding": "br" });
    assertStringIncludes(head, "content-encoding: br\r\n");
  }));

Deno.test("Page has all that keeps others away from it, whether it is sent, known, or asked for by its head alone", () =>
  withPage((page) => {
    const lines = (text: string) => text.split("\r\n");
    const [head] = answer(page);
    const [, tag = ""] = /^etag: (.*)$/m.exec(head) ?? [];
    assertMatch(tag, /^"[\da-f]{64}"$/);
    const both = [
      "content-security-policy: default-src 'none'; connect-src 'self' ws://127.0.0.1 wss://127.0.0.1; img-src blob:; frame-ancestors 'none'",
      "cross-origin-opener-policy: same-origin",
      "cross-origin-resource-policy: same-origin",
      "permissions-policy: camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
      "referrer-policy: no-referrer",
      "x-content-type-options: nosniff",
      `etag: ${tag}`,
      "vary: accept-encoding",
      "cache-control: no-cache",
    ];
    const whole = [
      "HTTP/1.1 200 OK",
      ...both,
      "content-type: text/html; charset=utf-8",
      `content-length: ${HTML.length}`,
    ];
    assertEquals(lines(head), [...whole, "connection: close"]);
    const [kept] = answer(page, {}, true);
    assertEquals(lines(kept), [
      ...whole,
      'content-disposition: attachment; filename="chat.html"',
      "connection: close",
    ]);
    const known = answer(page, { "if-none-match": `"x", ${tag}` }, true);
    const same = ["HTTP/1.1 304 Not Modified", ...both, "connection: close"];
    assertEquals([lines(known[0]), known[1]], [same, ""]);
    const request = upgradeRequest({}, "HEAD / HTTP/1.1");
    const parts = page.answer(parseHead(request), false);
    assertEquals(parts.length, 1);
    assertEquals(
      new TextDecoder().decode(parts[0]),
      [...whole, "connection: close", "", ""].join("\r\n"),
    );
  }));

Deno.test("Page lets what it gives connect to the host that was asked for alone", () =>
  withPage((page) => {
    for (const host of ["localhost:8080", "[::1]:80", "chat.example.org"]) {
      const [head, body] = answer(page, { host });
      assertStringIncludes(
        head,
        `default-src 'none'; connect-src 'self' ws://${host} wss://${host}; img-src blob:; frame-ancestors 'none'\r\n`,
      );
      assertEquals(body, HTML, "its own policy stays");
    }
  }));

Deno.test("Page is sent by Brotli to who takes that, by gzip where it is not packed so, or another page is", async () => {
  const packed = brotliCompressSync(HTML);
  const wish = { "accept-encoding": "gzip, deflate, br, zstd" };
  await withPage((page) => {
    const [head, body] = answer(page, wish);
    assertStringIncludes(head, "content-encoding: br\r\n");
    assertStringIncludes(head, "vary: accept-encoding\r\n");
    assertStringIncludes(head, `content-length: ${packed.length}\r\n`);
    assertEquals(body, new TextDecoder("latin1").decode(packed));
    const tag = /etag: (\S+)/.exec(head)?.[1] ?? "";
    const known = answer(page, { ...wish, "if-none-match": tag });
    assertStringIncludes(known[0], "HTTP/1.1 304 ");
    const [other] = answer(page, { "if-none-match": tag });
    assertStringIncludes(other, "HTTP/1.1 200 ");
    assertEquals(answer(page)[1], HTML);
  }, packed);
  const others = [
    brotliCompressSync(`${HTML} `),
    brotliCompressSync(HTML.replace("E", "e")),
  ];
  for (const wrong of [undefined, new Uint8Array(9), ...others]) {
    await withPage((page) => {
      assertStringIncludes(answer(page, wish)[0], "content-encoding: gzip");
    }, wrong);
  }
});

Deno.test("Page is the same bytes for all who ask, so that who takes it slowly costs no copy", () =>
  withPage((page) => {
    for (const coding of ["gzip", "identity"]) {
      const fields = { "accept-encoding": coding };
      const head = parseHead(upgradeRequest(fields, "GET / HTTP/1.1"));
      const [first, second] = [false, true].map((isToKeep) =>
        page.answer(head, isToKeep)
      );
      assertEquals([first?.length, second?.length], [2, 2]);
      assert(first?.[1] !== undefined && first[1] === second?.[1]);
    }
  }));

Deno.test("Page is sent packed to who can unpack it, and not at all to who has it", () =>
  withPage((page) => {
    const [plain] = answer(page);
    const packed = { "accept-encoding": "br, gzip" };
    const [head, body] = answer(page, packed);
    assertStringIncludes(head, "content-encoding: gzip");
    assert(body.startsWith("\x1f\u2039")); // as that decoder has 0x8b
    const tagOf = (text: string) => /etag: (\S+)/.exec(text)?.[1] ?? "";
    assert(tagOf(plain) !== tagOf(head));
    for (const [fields, text] of [[{}, plain], [packed, head]] as const) {
      const asked = { ...fields, "if-none-match": tagOf(text) };
      const [again, rest] = answer(page, asked);
      assertStringIncludes(again, "HTTP/1.1 304 ");
      assertStringIncludes(again, "content-security-policy: ");
      assertEquals(rest, "");
    }
    const [other] = answer(page, { "if-none-match": tagOf(head) });
    assertStringIncludes(other, "HTTP/1.1 200 ");
  }));
