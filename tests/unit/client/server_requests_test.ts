/**
 * What a client asks the server for: what goes over which connection, and which answer is to which request.
 *
 * @module
 */

import type { ServerRequest } from "../../../src/client/link.ts";
import type { Page } from "../../../src/client/pending_pages.ts";
import { ServerRequests } from "../../../src/client/server_requests.ts";
import { PLAIN_AWAY } from "../../../src/protocol/reasons.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

/** A connection that notes what it is asked for. */
class TestLink {
  readonly #asked: ServerRequest[] = [];
  /** The searches that were ended, by their numbers. */
  readonly ended: number[] = [];
  isBroken = false;
  isClosed = false;

  ask(request: ServerRequest): Promise<void> {
    this.#asked.push(request);
    return this.isBroken
      ? Promise.reject(new Error("gone"))
      : Promise.resolve();
  }

  /** The kinds that were asked for since the last call, with the words of each. */
  get asked(): string[] {
    return this.requests.map((it) => {
      if (it.kind === "find") return `find ${it.words}`;
      if (it.kind === "away") return `away ${it.text}`;
      return it.kind === "rename" ? `rename ${it.name}` : it.kind;
    });
  }

  /** What was asked for since the last call. */
  get requests(): ServerRequest[] {
    return this.#asked.splice(0);
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Requests over a connection. */
function setUp(link: TestLink = new TestLink()) {
  const requests = new ServerRequests();
  requests.connected(link);
  return { requests, link };
}

const PAGE: Page = { start: undefined, lines: [], more: false };

Deno.test("ServerRequests keep searches and being away for the next connection, until they are answered", () => {
  const requests = new ServerRequests();
  requests.away("lunch", "a");
  requests.search("red", 5, "r");
  requests.search("blue", 5, "b");
  requests.rename("anna");
  for (const times of [1, 2]) {
    const { link } = setUp();
    requests.connected(link);
    assertEquals(
      link.asked,
      ["away lunch", "find red", "find blue"],
      `${times}`,
    );
    assertEquals(requests.awayText, "lunch");
    requests.disconnected();
  }
  assertEquals(requests.found(1), { words: "red", id: "r" });
  assertEquals(requests.found(1), undefined);
  assertEquals(requests.wasAway("tea"), undefined); // by another client
  requests.away("lunch", "c");
  assertEquals(requests.wasAway("lunch"), "c");
  assertEquals(requests.wasAway("lunch"), undefined);
  requests.wasAway("tea");
  requests.disconnected();
  const other = new TestLink();
  requests.connected(other);
  assertEquals(other.asked, ["away tea", "find blue"]);
  requests.wasAway("");
  const link = new TestLink();
  requests.connected(link);
  assertEquals(link.asked, ["find blue"]);
});

Deno.test("ServerRequests of a room that turns out to be sealed tell its server no more than that somebody is away", () => {
  const requests = new ServerRequests();
  requests.away("at the doctor's", "a");
  requests.sealed();
  const link = new TestLink();
  requests.connected(link);
  assertEquals(link.asked, [`away ${PLAIN_AWAY}`]);
  assertEquals(requests.wasAway(PLAIN_AWAY), "a");
  const none = setUp();
  none.requests.sealed();
  assertEquals([none.requests.awayText, none.link.asked], ["", []]);
});

Deno.test("ServerRequests know which name is given or refused, and which is to be asked for again", () => {
  const { requests, link } = setUp();
  requests.rename("anna", 1);
  requests.rename("eve", 2);
  requests.rename("kim", 3);
  assertEquals(link.asked, ["rename anna", "rename eve", "rename kim"]);
  assertEquals(requests.renamed(), 1);
  assertEquals(requests.nameRefused(), { text: "eve", id: 2 });
  assertEquals(requests.disconnected(), "kim");
  assertEquals(requests.disconnected(), undefined);
  assertEquals(requests.renamed(), undefined);
  assertEquals(requests.nameRefused(), { text: "", id: undefined });
});

Deno.test("ServerRequests number what operators ask for, and give up what has no answer when the connection goes", () => {
  const { requests, link } = setUp();
  requests.operate("kick", "eve", "out", 3, "k");
  requests.release("r");
  requests.release();
  assertEquals(link.requests, [
    { kind: "operate", id: 1, what: "kick", who: "eve", text: "out", count: 3 },
    { kind: "release", id: 2 },
    { kind: "release", id: 3 },
  ]);
  assertEquals([requests.answered(1), requests.answered(1)], ["k", undefined]);
  assertEquals(requests.takeWishes(), ["r", undefined]);
  assertEquals([requests.takeWishes(), requests.answered(2)], [[], undefined]);
});

Deno.test("ServerRequests end a search that this side does where a person searches for something else", () => {
  const link = new TestLink();
  const endSearch = (id: number) => void link.ended.push(id);
  const { requests } = setUp(Object.assign(link, { endSearch }));
  requests.search("one", 1);
  requests.search("named", 1, "n");
  assertEquals(link.ended, [1]);
  requests.found(1);
  requests.search("two", 1);
  requests.search("three", 1);
  assertEquals(link.ended, [1, 3]);
  assertEquals(link.asked, [
    "find one",
    "find named",
    "find two",
    "find three",
  ]);
  // What its server searches ends by itself, and what none does yet.
  for (const it of [setUp().requests, new ServerRequests()]) {
    for (const words of ["one", "two"]) assert(it.search(words, 1));
  }
});

Deno.test("ServerRequests take as many searches as may be open, each until it is answered", () => {
  const { requests } = setUp();
  const open = () => requests.search("red", 1, "r");
  const opened = Array.from({ length: 17 }, open);
  assertEquals(opened.indexOf(false), 16);
  requests.found(4);
  assertEquals([open(), open()], [true, false]);
});

Deno.test("ServerRequests tell each page to who asked for it, or why there is none", async () => {
  const { requests, link } = setUp();
  assertEquals(await new ServerRequests().page(9, 5), "gone");
  const pages = [9, 8, 7].map((before) => requests.page(before, 5));
  const first = 2 ** 32;
  assertEquals(
    link.requests,
    [9, 8, 7].map((before, at) => {
      return { kind: "page", id: first + at, before, count: 5 };
    }),
  );
  requests.paged(first + 1, PAGE);
  requests.paged(first + 1, { ...PAGE, more: true });
  assertEquals(await pages[1], PAGE);
  assertEquals(requests.readRefused(), null);
  assertEquals(await pages[0], "untold");
  requests.disconnected();
  assertEquals(await pages[2], "gone");
  requests.paged(first + 2, PAGE); // nobody waits for it any more
});

Deno.test("ServerRequests know whose answer it is that the log can't be read: the first that has none", async () => {
  const { requests } = setUp();
  requests.rename("anna"); // needs no log
  requests.search("red", 1, "r");
  const pages = [9, 8].map((before) => requests.page(before, 5));
  requests.search("blue", 1, "b");
  requests.search("green", 1, "g");
  const third = requests.page(7, 5);
  requests.found(1); // red
  requests.paged(2 ** 32, PAGE);
  assertEquals(await pages[0], PAGE);
  assertEquals(requests.readRefused(), null);
  assertEquals(await pages[1], "untold");
  assertEquals([requests.readRefused(), requests.readRefused()], ["b", "g"]);
  assertEquals(requests.readRefused(), null);
  assertEquals(await third, "untold");
  assertEquals(requests.readRefused(), undefined);
});

Deno.test("ServerRequests don't wait for the server where this side searches, nor over a new connection for the last one's pages", async () => {
  const endSearch = () => {};
  const { requests } = setUp(Object.assign(new TestLink(), { endSearch }));
  requests.search("red", 1, "r");
  const page = requests.page(9, 5);
  assertEquals(requests.readRefused(), null);
  assertEquals(await page, "untold");
  void requests.page(8, 5);
  requests.disconnected();
  requests.connected(new TestLink()); // whose server searches
  assertEquals(requests.readRefused(), "r");
});

Deno.test("ServerRequests.settled() resolves when every search, name and wish is answered, over a lost connection, or after close()", async () => {
  type Step = (requests: ServerRequests) => void;
  const searching: Step = (it) => it.search("blue", 1);
  const naming: Step = (it) => it.rename("anna");
  const wishing: Step = (it) => it.release();
  const cases: readonly (readonly [asks: Step, ends: Step])[] = [
    [searching, (it) => it.found(2)],
    [searching, (it) => it.readRefused()],
    [searching, (it) => it.close()],
    [naming, (it) => it.renamed()],
    [naming, (it) => it.nameRefused()],
    [naming, (it) => it.disconnected()],
    [wishing, (it) => it.answered(1)],
    [wishing, (it) => {
      it.takeWishes();
      it.disconnected();
    }],
  ];
  for (const [at, [asks, ends]] of cases.entries()) {
    const { requests } = setUp();
    await requests.settled();
    requests.search("red", 1);
    asks(requests);
    let isOver = false;
    const settled = requests.settled().then(() => isOver = true);
    requests.found(1);
    for (let turn = 0; turn < 9; turn++) await Promise.resolve();
    assertEquals(isOver, false, `${at}`);
    ends(requests);
    for (let turn = 0; turn < 9; turn++) await Promise.resolve();
    assertEquals(isOver, true, `${at}`);
    await settled;
  }
});

Deno.test("ServerRequests close a connection that can't be asked any more", async () => {
  const { requests, link } = setUp();
  requests.rename("anna");
  await Promise.resolve();
  assert(!link.isClosed);
  link.isBroken = true;
  requests.rename("eve");
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  assert(link.isClosed);
});
