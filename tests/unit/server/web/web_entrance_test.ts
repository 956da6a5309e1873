/**
 * How those are received who come by the port for browsers, over connections in memory: what they are answered, and what
 * comes of a request that is none.
 *
 * @module
 */

import { concat } from "../../../../crypto_utils.ts";
import { GoneError } from "../../../../src/protocol/record_reader.ts";
import type { Peer } from "../../../../src/server/entrance.ts";
import { HeadError } from "../../../../src/server/http/http_head.ts";
import { WebEntrance } from "../../../../src/server/web/web_entrance.ts";
import { Page } from "../../../../src/server/web/page.ts";
import { WebStream } from "../../../../src/server/web/web_stream.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { inFolder } from "../../../kit/folder.ts";
import { ManualClock, streamPair } from "../../../kit/memory_stream.ts";
import { frame, TYPE, upgradeRequest } from "../../../kit/web_socket.ts";

const HTML =
  `<!doctype html><meta http-equiv="content-security-policy" content="connect-src ws:"><p>Chat</p>`;

/** A page of the test's own. */
async function pageOf(html: string): Promise<Page> {
  let page: Page | undefined;
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/chat.html`, html);
    page = await Page.load(`${folder}/chat.html`);
  });
  assert(page);
  return page;
}

const page = await pageOf(HTML);

/** Somebody who comes to the port and says something. */
function coming(bytes: Uint8Array) {
  const [near, far] = streamPair();
  near.outgoing.inject(bytes);
  const peer = far as unknown as Peer;
  const opening = new WebEntrance(page, false).open(peer);
  const text = () =>
    new TextDecoder().decode(concat(...far.outgoing.written)).split("\r\n");
  return { near, far, opening, text };
}

/** A request for something else than a WebSocket. */
const asking = (path: string, method = "GET", more = "") =>
  coming(utf8(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`));

/** All lines that are answered to a request. */
async function answerTo(path: string, method?: string): Promise<string[]> {
  const { near, far, opening, text } = asking(path, method);
  const errand = await opening;
  assert("run" in errand, path);
  assertEquals(errand.time, 60_000);
  const done = errand.run();
  near.outgoing.end(); // it has heard enough
  await done;
  assert(await near.read(new Uint8Array(99_999)) !== null);
  assertEquals(
    await near.read(new Uint8Array(1)),
    null,
    "the answer has ended",
  );
  far.close();
  return text();
}

Deno.test("WebEntrance answers with the page, as a file to be kept, or that there is nothing", async () => {
  const shown = await answerTo("/?x");
  assertEquals([shown[0], shown.at(-1)], ["HTTP/1.1 200 OK", HTML]);
  const saved = 'content-disposition: attachment; filename="chat.html"';
  assert(!shown.includes(saved));
  const kept = await answerTo("/chat.html");
  assertEquals([kept[0], kept.at(-1)], ["HTTP/1.1 200 OK", HTML]);
  assert(kept.includes(saved));
  assertEquals((await answerTo("/", "HEAD")).at(-1), "");
  const none = await answerTo("/favicon.ico");
  assertEquals([none[0], none.at(-1)], [
    "HTTP/1.1 404 Not Found",
    "Not Found\n",
  ]);
  assertEquals((await answerTo("/favicon.ico", "HEAD")).at(-1), "");
  const upgrade = await answerTo("/chat");
  assertEquals(upgrade[0], "HTTP/1.1 426 Upgrade Required");
});

Deno.test("WebEntrance opens a WebSocket for who asks for one", async () => {
  const { near, opening, text } = coming(upgradeRequest());
  const stream = await opening;
  assert(stream instanceof WebStream);
  assertEquals(text()[0], "HTTP/1.1 101 Switching Protocols");
  near.outgoing.inject(frame(TYPE.binary, utf8("hello")));
  const buffer = new Uint8Array(99);
  const size = await stream.read(buffer) ?? 0;
  assertEquals(buffer.subarray(0, size), utf8("hello"));
});

Deno.test("WebEntrance says what is wrong with a request, which comes to nothing, and nothing to who says nothing", async () => {
  const cases = [
    ["/", "POST", "", "405 Method Not Allowed"],
    ["x", "GET", "", "400 Bad Request"],
    ["/", "GET", "Content-Length: 1\r\n", "413 Content Too Large"],
  ] as const;
  for (const [path, method, more, status] of cases) {
    const { near, opening, text } = asking(path, method, more);
    const refused = assertRejects(() => opening, HeadError);
    near.outgoing.end();
    await refused;
    assertEquals(text()[0], `HTTP/1.1 ${status}`);
    assertEquals(
      text().filter((it) => it.startsWith("allow:")),
      status.startsWith("405") ? ["allow: GET, HEAD"] : [],
    );
  }
  const silent = coming(new Uint8Array(0));
  silent.near.outgoing.end();
  await assertRejects(() => silent.opening, GoneError);
  assertEquals(silent.text(), [""]);
});

Deno.test("WebEntrance waits a second for who was answered to hear it, and gives up who takes nothing", async () => {
  using clock = new ManualClock();
  const { near, far, opening } = asking("/nothing");
  const errand = await opening;
  assert("run" in errand);
  const done = errand.run();
  while (await near.read(new Uint8Array(999)) !== null);
  clock.advance(999);
  assert(!far.closed);
  clock.advance(1);
  await done;
  assert(far.closed);
  const slow = asking("/nothing");
  slow.far.outgoing.capacity = 10;
  const answer = await slow.opening;
  assert("run" in answer);
  const failed = assertRejects(() => answer.run(), Error, "Too slow to follow");
  await clock.waiting(1);
  clock.advance(10_000);
  await failed;
});

Deno.test("WebEntrance turns away with 503 where that can be said, which is not before the handshake of TLS", async () => {
  for (const isSecure of [false, true]) {
    const [, far] = streamPair();
    const peer = far as unknown as Peer;
    await new WebEntrance(page, isSecure).turnAway(peer);
    const text = new TextDecoder().decode(concat(...far.outgoing.written));
    const [status, wait] = text.split("\r\n");
    assertEquals(
      [status, wait],
      isSecure
        ? ["", undefined]
        : ["HTTP/1.1 503 Service Unavailable", "retry-after: 10"],
    );
  }
});
