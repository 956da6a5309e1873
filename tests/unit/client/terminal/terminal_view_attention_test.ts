/**
 * Tests of what a terminal view asks of terminals that can do more: links, titles, notifications, its background.
 *
 * @module
 */

import type { Features } from "../../../../src/client/terminal/features.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import { PALETTES } from "../../../../src/client/terminal/theme.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import {
  entered,
  event,
  HERE,
  open,
  written,
} from "../../../kit/terminal_setup.ts";

const FEATURES: Features = {
  sequences: true,
  links: true,
  notifies: "osc777",
};

const ASKS = "\x1b]11;?\x1b\\";

/** The colour that a name is shown in, undefined for none. */
function colourOf(bytes: string, name: string): number | undefined {
  const [, colour] = new RegExp(`\x1b\\[38;5;(\\d+)m${name}`).exec(bytes) ?? [];
  return colour === undefined ? undefined : Number(colour);
}

Deno.test("TerminalView takes its colours by the background that the terminal tells, whenever it does", async () => {
  using terminal = open(60, { colour: true, features: FEATURES });
  const { view, screen, press } = terminal;
  assertEquals(screen.written.split(ASKS).length, 2);
  view.stand(HERE);
  const shows = async (palette: keyof typeof PALETTES) => {
    screen.written = "";
    view.show(event("said", "Rahul", "hi"));
    await written();
    const colour = colourOf(screen.written, "Rahul");
    assert(PALETTES[palette].names.some((one) => one === colour), palette);
  };
  await shows("either");
  press("half\x1b]11;rgb:ffff/ff");
  press("ff/ffff\x1b\\ a line");
  await shows("light");
  press("\x1b]11;rgb:0000/0000/0000\x07");
  await shows("dark");
  // Nothing of it is taken for typed.
  assertEquals(screen.rows.at(-1), "ana> half a line");
});

Deno.test("TerminalView asks for no background where colours aren't wanted, or the terminal isn't known", () => {
  const none = { sequences: false, links: false };
  for (const [colour, features] of [[false, FEATURES], [true, none]] as const) {
    using terminal = open(60, { colour, features });
    assert(!terminal.screen.written.includes(ASKS));
  }
});

Deno.test("TerminalView marks links where the terminal knows them, and keeps what it saves free of marks", async () => {
  const said = event("said", "Rahul", "see https://a.example/x.");
  for (const links of [true, false]) {
    const features = { ...FEATURES, links };
    using terminal = open(60, { colour: true, features });
    const { view, screen } = terminal;
    view.show(said);
    await written();
    const marks = screen.told.filter((told) => told.startsWith("8;"));
    assertEquals(marks, links ? ["8;;https://a.example/x", "8;;"] : []);
    const row = "12:00    1  Rahul      see https://a.example/x.";
    assertEquals(screen.rows[0], row);
    assertEquals(view.scrollback.rows[0], row);
  }
});

Deno.test("TerminalView saves texts as they were, not as they were wrapped", async () => {
  using terminal = open(30);
  const { view, screen } = terminal;
  const text = "a text that is far too long for one row of thirty";
  view.show(event("said", "Rahul", text));
  await written();
  assert(screen.rows.length > 3);
  assertEquals(view.scrollback.rows[0], `12:00 1 Rahul: ${text}`);
});

Deno.test("TerminalView shows 50 rows of a message, and saves all of it", async () => {
  const texts = ["\x1b".repeat(1_000), "x\n".repeat(1_000)];
  for (const text of texts) {
    using terminal = open(80);
    const { view, screen } = terminal;
    view.show(event("said", "Rahul", text));
    await written();
    const shown = screen.rows.filter((row) => row.trim() !== "");
    assertEquals(shown.length, 51);
    assert(/^ +… \d+ more lines$/.test(shown.at(-1) ?? ""));
    const saved = view.scrollback.rows.map((row) => row.slice(23)).join("\n");
    assertEquals(saved, text.replaceAll("\x1b", "\\u001b"));
  }
});

Deno.test("TerminalView notifies and counts while another window is looked at, until it is looked at or typed in", async () => {
  const settings = new Settings();
  settings.set("words", "lunch");
  settings.set("bell", "off");
  using terminal = open(60, { features: FEATURES, settings });
  const { view, screen, press } = terminal;
  const told = () => screen.told.splice(0);
  view.show(entered());
  view.stand(HERE);
  const place = "192.0.2.7:5000 – ana";
  assertEquals(told(), [`2;${place}`]);
  press("\x1b[O");
  view.show(event("said", "Rahul", "lunch?"));
  view.show(event("said", "Rahul", "hello"));
  assertEquals(told(), [
    "777;notify;Rahul;lunch?",
    `2;(1) ${place}`,
    `2;(2) ${place}`,
  ]);
  press("\x1b[I");
  assertEquals(told(), [`2;${place}`]);
  view.show(event("said", "Rahul", "seen"));
  assertEquals(told(), []);
  press("\x1b[O");
  view.show(event("said", "Rahul", "hello"));
  press("x");
  view.show(event("renamed", "ana", "anna"));
  assertEquals(told(), [
    `2;(1) ${place}`,
    `2;${place}`,
    "2;192.0.2.7:5000 – anna",
  ]);
  await written();
  assertEquals(screen.rows.at(-1), "ana> x");
  view.close();
  assertEquals(told(), ["2;"]);
  assert(screen.written.endsWith("\x1b[?1004l\x1b]2;\x1b\\\x1b[23;2t"));
});
