import { randomBytes } from "../../crypto_utils.ts";
import { UsageError } from "../../src/base/usage_error.ts";
import { formatInvite } from "../../src/keys/invite.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import {
  FROM_DISK,
  shows,
  TestBrowser,
  webLinkOf,
  when,
} from "../kit/page_app.ts";
import { Server } from "../kit/server.ts";
import type { Database } from "../../src/web/platform/database.ts";
import type { Visit } from "../../src/web/platform/visits.ts";
import type { Row } from "../../src/web/rows.ts";

/** A server, and the web link of its room. */
async function withRoom(
  test: (server: Server, link: string) => Promise<void>,
  ...args: string[]
): Promise<void> {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args });
  await test(server, webLinkOf(server.invite));
}

/** The words of a row; empty for one that has none. */
function wordsOf(row: Row): string {
  return "text" in row ? row.text : "";
}

Deno.test("a page goes by the link in its address bar, which then stands there no longer, and talks with a terminal's client", () =>
  withRoom(async (server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    assert(!page.address.includes("#"), page.address);
    const { room, actions } = await page.enter("ana");
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await actions.run("hello ben");
    await ben.shows("said", { text: "hello ben" });
    await ben.type("hello ana");
    await shows(room, "hello ana");
    page.app.leave();
    const { message } = await page.at("over");
    assertEquals(message, "You left the room");
    const said = (await server.log()).filter(({ what }) => what === "said");
    assertEquals(said.map(({ name, text }) => [name, text]), [
      ["ana", "hello ben"],
      ["ben", "hello ana"],
    ]);
  }));

Deno.test("a page that is loaded again comes back as who it was, by its own key", () =>
  withRoom(async (server, link) => {
    await using browser = new TestBrowser();
    const first = await browser.open(link);
    const { room } = await first.enter("ana");
    first.app.draft = "half a sen";
    const self = room.self.value;
    const again = await browser.reload(first);
    const { room: same } = await again.at("room");
    assertEquals(same.self.value, self);
    assertEquals(same.standing.value.name, "ana");
    assertEquals(again.app.draft, "half a sen");
    const persons = (await server.log()).map(({ person }) => person);
    assertEquals(new Set(persons).size, 1);
  }));

Deno.test("a page that is loaded again before it was in still has its link", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    await page.at("name");
    const again = await browser.reload(page);
    await again.enter("ana");
  }));

Deno.test("a name that the server refuses is asked for again, with the reason, before the page is in", () =>
  withRoom(async (server, link) => {
    await using _ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    await page.at("name");
    await page.app.join("not a name");
    const invalid = await page.at("name");
    assertStringIncludes(invalid.error, 'Cannot go by "not a name"');
    assertEquals(invalid.name, "not a name");
    await page.app.join("Ben");
    const taken = await page.at("name", ({ name }) => name === "Ben");
    assertStringIncludes(taken.error, 'The name "Ben" is taken');
    const { room } = await page.enter("ana");
    assertEquals(room.standing.value.name, "ana");
    const identities = await when(page.app.identities, ([it]) => !!it?.name);
    assertEquals(identities.map(({ name }) => name), ["ana"]);
  }));

Deno.test("who gives up at a refused name is asked for a link again, and isn't there", () =>
  withRoom(async (server, link) => {
    await using _ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    await page.at("name");
    await page.app.join("ben");
    await page.at("name", ({ error }) => error !== "");
    page.app.again();
    const { error } = await page.at("place");
    assertEquals(error, "");
    const log = await server.log();
    assertEquals(log.map(({ name, what }) => [name, what]), [
      ["ben", "joined"],
    ]);
  }));

Deno.test("a link that can't be read is told of in a sentence, and another one taken", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open("file:///home/ana/chat.html", {
      here: FROM_DISK,
    });
    await page.at("place");
    page.app.goTo(link.slice(0, -4));
    const { error } = await page.at("place");
    assertEquals(
      error,
      "Cannot read the invite: what follows the # is too short",
    );
    page.app.goTo(link);
    await page.enter("ana");
  }));

Deno.test("a page from disk goes by a whole link behind the # of its own address", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(`file:///home/ana/chat.html#${link}`, {
      here: FROM_DISK,
    });
    await page.enter("ana");
  }));

Deno.test("a page from a server leaves a link to another server to that one's own page", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open("http://other.example:8080/");
    await page.at("place");
    page.app.goTo(` ${link} `);
    assertEquals(page.visited, [link]);
    await page.at("place");
  }));

Deno.test("a link that no longer lets in anybody ends the way in with a reason and advice, and the name is asked for again", () =>
  withRoom(async (_server, link) => {
    const wrong = link.replace(/.{4}$/, "AAAA");
    await using browser = new TestBrowser();
    const page = await browser.open(wrong);
    await page.at("name");
    await page.app.join("ana");
    const { message, advice } = await page.at("over");
    assertStringIncludes(message, "does not open this room");
    assert(advice !== "");
    page.app.again();
    const { name } = await page.at("name");
    assertEquals(name, "ana");
  }));

Deno.test("a server that can't be reached is told of, with what to do", async () => {
  await using browser = new TestBrowser();
  const { host, port } = { host: "127.0.0.1", port: 1 };
  const secret = { serverKey: randomBytes(32), secret: randomBytes(32) };
  const link = webLinkOf(formatInvite({ host, port, id: 0, ...secret }));
  const page = await browser.open(link);
  await page.at("name");
  await page.app.join("ana");
  const { message, advice } = await page.at("over");
  assertEquals(
    message,
    "Cannot join http://127.0.0.1:1: connection refused",
  );
  assertEquals(
    advice,
    "Check that the server runs and can be reached from here",
  );
});

Deno.test("in a sealed room a page from the room's own server goes no further, and one from disk founds the room", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const served = await browser.open(link);
    const { saveFrom, link: shown } = await served.at("sealed-here");
    assertEquals(saveFrom, `${new URL(link).origin}/chat.html`);
    assertEquals(shown, link);
    await served.app.join("ana");
    assertEquals(served.app.stage.value.at, "sealed-here");

    await using own = new TestBrowser();
    const page = await own.open(`file:///home/ana/chat.html#${link}`, {
      here: FROM_DISK,
    });
    const { sealed } = await page.at("name");
    assert(sealed);
    await page.app.join("ana");
    const { room } = await page.at("joining");
    const question = await when(room.question);
    assertStringIncludes(question.text, "This room is new. Create it?");
    question.answer("yes");
    const { actions } = await page.at("room");
    assertEquals(actions.keepers()?.map(({ name }) => name), ["ana"]);
    const { link: invite } = await when(room.invited);
    assert(actions.webLink(invite).startsWith(`${new URL(link).origin}/#`));
  }, "--sealed"));

Deno.test("where the browser keeps nothing the page works until it is closed, and says so", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser(false);
    const page = await browser.open(link);
    assert(!page.app.isKept.value);
    assertStringIncludes(
      page.app.notes.value.join("\n"),
      "This browser keeps nothing of this page: storage is off",
    );
    await page.enter("ana");
  }));

Deno.test("a page that came over plain HTTP from elsewhere says that browsers refuse it encryption", async () => {
  await using browser = new TestBrowser();
  const page = await browser.open("http://chat.example/#x", {
    isSecure: false,
  });
  const { origin, isOld, link } = await page.at("insecure");
  assertEquals([origin, isOld], ["http://chat.example", false]);
  assertEquals(link, "http://chat.example/#x");
  assertEquals(page.address, "http://chat.example/");
});

Deno.test("an identity is carried from one browser to another, and is the same person there", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    const { room } = await page.enter("ana");
    const { app } = page;
    await assertRejects(
      () => app.exportIdentity("short"),
      RangeError,
      "fewer than 8 characters",
    );
    const text = await app.exportIdentity("correct horse");
    await using phone = new TestBrowser();
    const other = await phone.open(link);
    await other.at("name");
    const wrong = [
      [
        "nonsense",
        "correct horse",
        "ana",
        RangeError,
        "Cannot read the identity",
      ],
      [text, "correct house", "ana", RangeError, "Cannot open the identity"],
      [text, "correct horse", "", UsageError, "Cannot go by"],
    ] as const;
    for (const [from, passphrase, name, type, message] of wrong) {
      await assertRejects(
        () => other.app.importIdentity(from, passphrase, name),
        type,
        message,
      );
    }
    await other.app.importIdentity(text, "correct horse", "ana");
    const { name } = await other.at("name");
    assertEquals(name, "ana");
    const { room: there } = await other.enter("ana");
    assertEquals(there.self.value, room.self.value);
  }));

Deno.test("two tabs of one browser are one person by two connections, and each shows what the other says", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const [one, other] = [await browser.open(link), await browser.open(link)];
    const { room, actions } = await one.enter("ana");
    const { room: same, actions: others } = await other.enter("ana");
    assertEquals(room.self.value, same.self.value);
    await when(room.present, (all) => all.some((it) => it.connections === 2));
    assertEquals(actions.who().map(({ connections }) => connections), [2]);
    await actions.run("from one");
    await shows(same, "from one");
    await others.run("from the other");
    await shows(room, "from the other");
    assertEquals(one.app.identities.value.length, 1);
  }));

Deno.test("what was typed and isn't in the log holds a page that is closed, and is told at the end", () =>
  withRoom(async (server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    const { room, actions } = await page.enter("ana");
    assertEquals(page.happenings?.closing(), false);
    server.kill("SIGKILL");
    await server.finished();
    await when(room.nextAttempt);
    await actions.run("unheard");
    assertEquals(page.happenings?.closing(), true);
    page.app.leave();
    const { lost } = await page.at("over");
    assertEquals(lost, ["unheard"]);
    assertEquals(page.happenings?.closing(), false);
  }));

Deno.test("a fault of the page is told once, and the stay goes on", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    const { room, actions } = await page.enter("ana");
    for (let count = 0; count < 2; count++) {
      page.happenings?.fault(new TypeError("x is undefined"));
    }
    await actions.run("still here");
    await shows(room, "still here");
    const notes = room.rows.value.filter(({ kind }) => kind === "note")
      .flatMap((row) => "text" in row ? row.text : []);
    const told =
      "The page has a fault: TypeError: x is undefined. If something doesn't work now, load the page again";
    assertEquals(notes.filter((it) => it === told).length, 1);
  }));

Deno.test("a file goes from one page to another, and is saved there once it is whole", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    await using other = new TestBrowser();
    const ana = await (await browser.open(link)).enter("ana");
    const page = await other.open(link);
    const ben = await page.enter("ben");
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251);
    await ana.actions.sendFile(new File([bytes], "hut.jpg"));
    const offered = (rows: readonly Row[]) =>
      rows.find((it) => it.kind === "message" && it.offer !== null);
    const row = offered(await when(ben.room.rows, (it) => !!offered(it)));
    assert(row?.kind === "message");
    ben.actions.save(row.seq);
    await when(ben.room.files, (it) => it.get(row.seq)?.state === "taken");
    assertEquals(page.saved.map(({ name }) => name), ["hut.jpg"]);
    const [saved] = page.saved;
    assertEquals(new Uint8Array(await saved?.file.arrayBuffer() ?? []), bytes);
    ben.actions.save(row.seq); // which is here
    assertEquals(page.saved.length, 2);
  }));

Deno.test("a page that reads back gets older lines than it was told at first", () =>
  withRoom(
    async (server, link) => {
      await using browser = new TestBrowser();
      const before = await browser.open(link); // what was said before one's first time isn't told
      await before.enter("ana");
      await before.close();
      await using ben = await JsonClient.join({
        invite: server.invite,
        name: "ben",
      });
      const texts = Array.from({ length: 30 }, (_, at) => `line ${at}`);
      await ben.type(...texts);
      await ben.showsTexts(texts.length);
      const page = await browser.open(link);
      const { room, actions } = await page.enter("ana");
      await shows(room, "line 29");
      const hasLine0 = () =>
        room.rows.value.some((row) => "text" in row && row.text === "line 0");
      assert(!hasLine0() && room.hasOlder.value);
      actions.older();
      actions.older(); // which waits for the first
      await shows(room, "line 0");
      assert(!room.isLoading.value);
    },
    "--history",
    "5",
  ));

Deno.test("a link that is opened in a tab where the page is already leads into its room, unless the person is there", () =>
  withRoom(async (_server, link) => {
    await withRoom(async (_other, elsewhere) => {
      await using browser = new TestBrowser();
      const start = "file:///home/ana/chat.html";
      const page = await browser.open(`${start}#${link}`, { here: FROM_DISK });
      const { room } = await page.enter("ana");
      page.address = `${start}#${link}`;
      page.happenings?.linked();
      assertEquals(page.address, start);
      assertEquals((await page.at("room")).room, room);
      page.address = `${start}#${elsewhere}`;
      page.happenings?.linked();
      assertEquals((await page.at("name")).place, new URL(elsewhere).origin);
      const { room: other } = await page.enter("ana");
      assertEquals(other.address.value, new URL(elsewhere).origin);
    });
  }));

Deno.test("a page that is hidden keeps at once how far its person has read", () =>
  withRoom(async (server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    const { room } = await page.enter("ana");
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await ben.type("read this");
    const { seq = 0 } = await ben.shows("said", { text: "read this" });
    await when(room.readUpTo, (read) => read >= seq);
    page.happenings?.hidden();
    const database = await browser.openDatabase();
    const visits = await database.read<Record<string, Visit> | undefined>(
      "documents",
      (table) => table.get("visits"),
    );
    database.close();
    const [visit] = Object.values(visits ?? {});
    assertEquals([visit?.name, visit?.read], ["ana", seq]);
  }));

Deno.test("what is typed as a command while offline stands in the room as waiting, as other lines do", () =>
  withRoom(async (server, link) => {
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await ben.type("hi");
    const { seq } = await ben.shows("said", { text: "hi" });
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    const { room, actions } = await page.enter("ana");
    await shows(room, "hi");
    page.cut();
    await when(room.standing, ({ connected }) => !connected);
    for (
      const line of ["/msg ben psst", "/me waves", `/re ${seq} yes`, "//etc"]
    ) {
      void actions.run(line);
    }
    const waiting = await when(room.pending, ({ length }) => length === 4);
    assertEquals(
      waiting.map(({ text, to, whom }) => [text, to, whom?.name]),
      [
        ["psst", null, "ben"],
        ["waves", null, undefined],
        ["yes", seq, undefined],
        ["/etc", null, undefined],
      ],
    );
    await ben.shows("private", { text: "psst" });
    await ben.shows("said", { text: "/etc" });
    await when(room.pending, ({ length }) => length === 0);
  }));

Deno.test("no link to a page that came from a server leads to another server", async () => {
  await using browser = new TestBrowser();
  const address = "http://chat.example:8080/#https://other.example/";
  const page = await browser.open(address);
  const { error } = await page.at("place");
  assertStringIncludes(error, "Cannot read the invite");
  page.address = address;
  page.happenings?.linked();
  assertEquals(page.address, "http://chat.example:8080/");
  await page.at("place");
  assertEquals(page.visited, []);
});

Deno.test("a link that was opened in the tab and can't be read is told of, and the person stays in the room", () =>
  withRoom(async (_server, link) => {
    await using browser = new TestBrowser();
    const page = await browser.open(link);
    const { room } = await page.enter("ana");
    for (const fragment of ["compare", "https://other.example/"]) {
      page.address = `${page.address}#${fragment}`;
      page.happenings?.linked();
      assert(!page.address.includes("#"));
      assertEquals((await page.at("room")).room, room);
    }
    const rows = await when(
      room.rows,
      (rows) => rows.some((row) => wordsOf(row).startsWith("Cannot follow")),
    );
    assertEquals(rows.filter((row) => row.kind === "note").length >= 2, true);
    assertEquals(page.visited, []);
  }));

Deno.test("a link to another room that was opened in the tab waits while something isn't sent", () =>
  withRoom(async (_server, link) => {
    await withRoom(async (_other, elsewhere) => {
      await using browser = new TestBrowser();
      const start = "file:///home/ana/chat.html";
      const page = await browser.open(`${start}#${link}`, { here: FROM_DISK });
      const { room, actions } = await page.enter("ana");
      page.cut();
      await actions.say("precious words");
      assert(page.app.isUnsent);
      page.address = `${start}#${elsewhere}`;
      page.happenings?.linked();
      assertEquals((await page.at("room")).room, room);
      await when(
        room.rows,
        (rows) => rows.some((row) => /not sent yet/.test(wordsOf(row))),
      );
      await when(room.standing, ({ waiting }) => waiting === 0);
      page.address = `${start}#${elsewhere}`;
      page.happenings?.linked();
      assertEquals((await page.at("name")).place, new URL(elsewhere).origin);
    });
  }));

/** A browser whose storage is full, and that says so by a name alone, as browsers do. */
class FullBrowser extends TestBrowser {
  override async openDatabase(): Promise<Database> {
    const database = await super.openDatabase();
    database.transact = () =>
      Promise.reject(new DOMException("", "QuotaExceededError"));
    return database;
  }
}

Deno.test("where the browser's storage is full the page says so, and the person comes in all the same", () =>
  withRoom(async (_server, link) => {
    await using browser = new FullBrowser();
    const page = await browser.open(link);
    const { room } = await page.enter("ana");
    assertEquals(room.standing.value.name, "ana");
    const notes = [...page.app.notes.value, ...room.rows.value.map(wordsOf)];
    const reason =
      "This browser does not keep who you are: there is no room left for it";
    assert(notes.some((it) => it.startsWith(reason)), notes.join("\n"));
    const identities = await when(page.app.identities, ([it]) => !!it?.name);
    assertEquals(identities.map(({ name }) => name), ["ana"]);
    assert((await page.app.exportIdentity("correct horse")).length > 0);
  }));

/** A browser of which nothing that it keeps can be read, as where its files are damaged. */
class DamagedBrowser extends TestBrowser {
  override async openDatabase(): Promise<Database> {
    const database = await super.openDatabase();
    const fail = () => Promise.reject(new DOMException("", "UnknownError"));
    return Object.assign(database, { read: fail, transact: fail });
  }
}

Deno.test("where nothing can be read that the browser keeps the page says so, and the person comes in all the same", () =>
  withRoom(async (_server, link) => {
    await using browser = new DamagedBrowser();
    const page = await browser.open(link);
    const told = page.app.notes.value.join("\n");
    assertStringIncludes(told, "cannot read who you were: UnknownError");
    const { room } = await page.enter("ana");
    assertEquals(room.standing.value.name, "ana");
  }));
