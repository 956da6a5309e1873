/**
 * Talking in a room by pages, with the real server and clients of the other kinds beside them.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { browserTest } from "../kit/browser.ts";
import type { ChatPage } from "../kit/chat_page.ts";
import { JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { ask } from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { hasTmux, Terminal, untimed } from "../kit/pty.ts";
import { typeClient } from "../kit/stage.ts";
import { WebRoom } from "../kit/web_room.ts";

/** What each of them says, in the test of the order. */
const LINES = 8;

/** Lines of somebody's, numbered. */
function linesOf(name: string): string[] {
  return Array.from({ length: LINES }, (_, at) => `${name} says ${at + 1}`);
}

browserTest(
  "two pages, a terminal and a pipe in one room see the same messages in one order",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const { invite } = room;
    await using pipe = await JsonClient.join({ invite, name: "pipe" });
    await using terminal = await Terminal.open(90, 60);
    await typeClient(terminal, `'${invite}' --name tess --no-color`);
    await terminal.prompts("tess (2 here)>");
    const ana = await room.join(profiles, "ana");
    const ben = await room.join(profiles, "ben");
    await terminal.prompts("tess (4 here)>");
    const sayAll = async (page: ChatPage, name: string) => {
      for (const line of linesOf(name)) await page.say(line);
    };
    await Promise.all([
      sayAll(ana, "ana"),
      sayAll(ben, "ben"),
      pipe.type(...linesOf("pipe")),
      (async () => {
        for (const line of linesOf("tess")) await terminal.line(line);
      })(),
    ]);
    await pipe.showsTexts(4 * LINES);
    const log = await room.server.log();
    const said = log.filter(({ what }) => what === "said");
    const texts = said.map(({ text }) => text);
    const last = texts.at(-1) ?? "";
    for (const name of ["ana", "ben", "pipe", "tess"]) {
      assertSaid(log, name, linesOf(name));
    }
    assertFollows(pipe, log);
    for (const page of [ana, ben]) {
      await page.hears(last);
      assertEquals(await page.rows().then(messages), said.map(withNumber));
    }
    const rows = await terminal.shows(new RegExp(`${last}$`));
    const shown = untimed(rows).map((row) => /\w+ says \d+$/.exec(row)?.[0]);
    assertEquals(shown.filter((row) => row !== undefined), texts);
  },
  hasTmux ? "" : "no tmux here",
);

/** The messages among rows. */
function messages(
  rows: Awaited<ReturnType<ChatPage["rows"]>>,
): [number, string][] {
  return rows.flatMap(({ seq, text }) => seq === null ? [] : [[seq, text]]);
}

function withNumber(
  { seq, text }: { readonly seq: number; readonly text: string },
): [number, string] {
  return [seq, text];
}

browserTest(
  "what is answered, edited, reacted to and deleted in a page is so for everybody, and the other way round",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using pipe = await room.pipe("pipe");
    const ana = await room.join(profiles, "ana");
    await pipe.type("where shall we meet?");
    await ana.sees("where shall we meet?");

    await ana.act("where shall we meet?", "Reply");
    await ana.say("at the sation");
    const { seq } = await pipe.shows("replied", { text: "at the sation" });
    await ana.act("at the sation", "Edit");
    await ana.say("at the station");
    await pipe.shows("edited", { to: seq ?? 0, text: "at the station" });
    await ana.message("at the station").getByText("edited").waitFor();

    await ask(pipe, { type: "react", to: seq, text: "👍" });
    await ana.message("at the station").getByText("👍").waitFor();
    await ana.message("at the station").getByText("👍").click();
    await pipe.shows("reacted", { name: "ana", to: seq ?? 0, text: "👍" });

    await ana.say("/me waves");
    await pipe.shows("acted", { text: "waves" });
    await ana.say("nonsense");
    const nonsense = await pipe.shows("said", { text: "nonsense" });
    await ana.act("nonsense", "Delete");
    await pipe.shows("deleted", { to: nonsense.seq ?? 0 });
    await ana.message("nonsense").waitFor({ state: "detached" });
    assertEquals(await ana.log.getByText("nonsense").count(), 0);
  },
);

browserTest(
  "a private message goes between a page and a terminal's client, and to nobody else",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    const { invite } = room;
    await using pipe = await JsonClient.join({ invite, name: "pipe" });
    const ana = await room.join(profiles, "ana");
    const ben = await room.join(profiles, "ben");
    await ana.say("/msg pipe between us");
    await pipe.shows("private", { text: "between us" });
    await ana.sees("between us");
    await ask(pipe, { type: "private", to: "ana", text: "and nobody else" });
    await ana.sees("and nobody else");
    await pipe.type("for all");
    await ben.sees("for all");
    const texts = (await ben.rows()).map(({ text }) => text).join("\n");
    assert(!/between us|nobody else/.test(texts), texts);
  },
);

browserTest(
  "@ and / offer names and commands, and a search marks what it found and leads there",
  async (profiles) => {
    await using folder = await Folder.make();
    await using room = await WebRoom.open(folder);
    await using pipe = await room.pipe("priyanka");
    await pipe.type("the blue bicycle", "a red car");
    await pipe.showsTexts(2);
    const ana = await room.join(profiles, "ana");
    const { keyboard } = ana.page;
    await ana.box.focus();
    await keyboard.type("@pri");
    const offers = ana.page.getByRole("listbox");
    await offers.getByRole("option", { name: "priyanka" }).waitFor();
    await keyboard.press("Tab");
    await keyboard.type("hello");
    await keyboard.press("Enter");
    await pipe.shows("said", { text: "@priyanka hello" });
    await keyboard.type("/ver");
    await offers.getByRole("option", { name: /verify/ }).waitFor();
    await keyboard.press("Escape");
    await ana.box.fill("");

    await ana.button("Search").click();
    const panel = ana.page.getByRole("dialog");
    await panel.getByLabel("Words").fill("bicycle");
    await panel.getByLabel("Words").press("Enter");
    const mark = panel.locator("mark").filter({ hasText: "bicycle" });
    await mark.waitFor();
    await mark.click();
    await panel.waitFor({ state: "detached" });
    await ana.sees("the blue bicycle");
  },
);
