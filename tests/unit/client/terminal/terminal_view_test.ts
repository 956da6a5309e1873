/**
 * Tests of the terminal view on a screen that is an array of rows, so that they see what a person would.
 *
 * @module
 */

import { Readable, Writable } from "node:stream";
import { colourOf } from "../../../../src/client/terminal/style.ts";
import { Ignored } from "../../../../src/client/ignored.ts";
import { InputHistory } from "../../../../src/client/terminal/input_history.ts";
import type { News, RoomNews } from "../../../../src/client/view.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import {
  type TerminalOptions,
  TerminalView,
} from "../../../../src/client/terminal/terminal_view.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import {
  padCells,
  width,
  wraps,
} from "../../../../src/client/terminal/cells.ts";

/** Everything that a terminal may be told: text, new rows, where to stand, what to clear, and styles. */
const TOKEN =
  // deno-lint-ignore no-control-regex -- the sequences are what this is about
  /\x1b\[(?<count>\d*)(?<command>[ABCDGJKm])|(?<mode>\x1b\[\?2004[hl])|(?<control>[\r\n\x07])|(?<text>[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f])/uy;

/** A terminal's screen, without an end. Fails at a sequence that the view has no business to send. */
class Screen {
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** All that was written. */
  written = "";
  /** How often it rang. */
  bells = 0;

  constructor(public columns: number) {}

  /** Wraps the last row anew, as terminals do when they get narrower; the cursor stays behind its text. */
  reflow(columns: number): void {
    this.columns = columns;
    const cells = this.#rows.pop() ?? [];
    for (let at = 0; at < cells.length; at += columns) {
      this.#rows.push(cells.slice(at, at + columns));
    }
    this.#row = this.#rows.length - 1;
    this.#column = this.#cells().length;
  }

  get rows(): string[] {
    return this.#rows.map((cells) => cells.join("").trimEnd());
  }

  /** The row and column of the cursor. */
  get cursor(): [number, number] {
    return [this.#row, this.#column];
  }

  write(text: string): void {
    this.written += text;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex;
      const groups = TOKEN.exec(text)?.groups;
      assert(
        groups,
        `A terminal may not get ${JSON.stringify(text.slice(at))}`,
      );
      if (groups.text) this.#put(groups.text);
      else if (groups.control === "\r") this.#column = 0;
      else if (groups.control === "\n") this.#moveRow(1);
      else if (groups.control === "\x07") this.bells++;
      else if (groups.command) {
        this.#obey(groups.command, Number(groups.count || 0));
      }
    }
  }

  #put(character: string): void {
    const cells = width(character);
    if (this.#column + cells > this.columns) {
      this.#moveRow(1);
      this.#column = 0;
    }
    const row = this.#cells();
    while (row.length < this.#column) row.push(" ");
    row[this.#column] = character;
    if (cells === 2) row[this.#column + 1] = "";
    this.#column += cells;
  }

  #obey(command: string, count: number): void {
    if (command === "A") this.#moveRow(-(count || 1));
    else if (command === "B") this.#moveRow(count || 1);
    else if (command === "C") this.#column += count || 1;
    else if (command === "D") this.#column -= count || 1;
    else if (command === "G") this.#column = (count || 1) - 1;
    else if (command !== "m") {
      assertEquals(count, 0);
      this.#cells().length = Math.min(this.#cells().length, this.#column);
      if (command === "J") this.#rows.length = this.#row + 1;
    }
  }

  #cells(): string[] {
    return this.#rows[this.#row] ?? [];
  }

  #moveRow(by: number): void {
    this.#row += by;
    assert(this.#row >= 0, "The cursor left the screen");
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }
}

/** Noon of a Monday, UTC. */
const NOON = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;

/** A view on a screen, with what presses its keys. */
function open(columns = 60, options: Partial<TerminalOptions> = {}) {
  const screen = new Screen(columns);
  const input = new Readable({ read() {} });
  const output = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        screen.write(chunk);
        done();
      },
    }),
    { columns },
  );
  const view = new TerminalView({
    input,
    output,
    now: () => NOON,
    zone: "UTC",
    colour: false,
    ...options,
  });
  const press = (keys: string) => {
    input.emit("data", new TextEncoder().encode(keys));
  };
  return {
    view,
    screen,
    press,
    input,
    output,
    [Symbol.dispose]: () => view.close(),
  };
}

/** What was shown is written in a microtask. */
async function written(): Promise<void> {
  await Promise.resolve();
}

function event(
  type: RoomNews["type"],
  name: string,
  text = "",
  at = NOON,
  more: Partial<RoomNews> = {},
): RoomNews {
  const fingerprint = `key of ${name}`;
  const own = name === "ana";
  const rest = { own, past: false, to: null, ...more };
  return { type, seq: 1, at, name, fingerprint, text, ...rest };
}

function entered(more: Partial<News & { type: "entered" }> = {}): News {
  return {
    type: "entered",
    address: "192.0.2.7:5000",
    name: "ana",
    others: 2,
    seq: 88,
    at: NOON,
    fingerprint: "3f9a1c02d417",
    earlier: 0,
    again: false,
    waiting: 0,
    ...more,
  };
}

const HERE = { name: "ana", connected: true, members: 1, waiting: 0 };
const DISCONNECTED = { name: "ana", connected: false, members: 0, waiting: 0 };

/** CSI, OSC 8 and 52, C1, line breaks, bidi, zero width, a flood of marks, what shows as nothing. */
const ATTACKS = [
  "\x1b[2J\x1b[31mred",
  "\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;aGk=\x07",
  "\x9b31m \x9d52;c;aGk=\x9c \x85",
  "a\rb\nc\td\b\x7f",
  "\u2028\u2029 \u202egnp.exe \u2066x\u2069",
  "ze\u200bro\u200d \u200e",
  "e" + "\u0301".repeat(40),
  "\u{e0041}\u{e0001} \u034f\u115f\u3164\u2800 \ud800 \u{10ffff} \ue000",
];

Deno.test("TerminalView tells who is there on joining", async () => {
  const company: [number, string][] = [
    [0, "nobody else is here"],
    [1, "1 other is here"],
    [2, "2 others are here"],
  ];
  for (const [others, words] of company) {
    using terminal = open(100);
    terminal.view.show(entered({ others }));
    await written();
    assertEquals(
      terminal.screen.rows[0],
      `Joined 192.0.2.7:5000 as ana; ${words}. /help shows the commands.`,
    );
  }
});

Deno.test("TerminalView shows a room as a transcript", async () => {
  using terminal = open(60);
  const { view, screen } = terminal;
  view.show(entered({ earlier: 3 }));
  view.show(event("said", "Rahul", "kaise ho", NOON - 24 * HOUR));
  view.show(event("said", "田中", "元気", NOON - 23 * HOUR));
  view.show(event("left", "Rahul", "lost", NOON - HOUR));
  view.show(event("left", "Priyanka", "left"));
  view.show(event("joined", "ana"));
  view.show(event("said", "Priyanka-Anna", "hello"));
  view.show(event("said", "an-uncommonly-long-name", "hi"));
  view.show(event("said", "ana", "😀"));
  view.stand(HERE);
  await written();
  assertEquals(
    screen.rows.slice(2),
    [
      `── 3 earlier messages ${"─".repeat(37)}`,
      `── Sunday 22 November 2026 ${"─".repeat(32)}`,
      "12:00    1  Rahul      kaise ho",
      "13:00    1  田中       元気",
      `── today ${"─".repeat(50)}`,
      "11:00                  Rahul left (connection lost)",
      "12:00                  Priyanka left",
      "12:00                  ana joined",
      "12:00    1  Priyanka-Anna hello",
      "12:00    1  an-uncommonly-long-name hi",
      "12:00    1  ana                  😀",
      "ana>",
    ],
  );
});

Deno.test("TerminalView names the day after midnight", async () => {
  using terminal = open(40);
  terminal.view.show(event("said", "ana", "late"));
  terminal.view.show(event("said", "ana", "early", NOON + 12 * HOUR));
  await written();
  assertEquals(terminal.screen.rows.slice(0, 3), [
    "12:00    1  ana        late",
    "── Tuesday 24 November 2026 ───────────",
    "00:00    1  ana        early",
  ]);
});

Deno.test("TerminalView shows the time of the zone", async () => {
  using terminal = open(60, { zone: "Asia/Kolkata" });
  terminal.view.show(event("said", "Rahul", "hi", NOON));
  await written();
  assertEquals(terminal.screen.rows[0], "17:30    1  Rahul      hi");
});

Deno.test("TerminalView tells of an absence and its end", async () => {
  using terminal = open(80);
  const { view, screen } = terminal;
  view.show({ type: "disconnected", reason: "lost", seconds: 1.4 });
  // Nothing new: this attempt failed for the same reason.
  view.show({ type: "disconnected", reason: "lost", seconds: 4 });
  view.show({ type: "disconnected", reason: "stopped", seconds: 8 });
  view.show(entered({ again: true, earlier: 3, waiting: 1 }));
  view.show({ type: "disconnected", reason: "stopped", seconds: 2 });
  view.show(entered({ again: true, earlier: 1 }));
  view.show(entered({ again: true, waiting: 2 }));
  await written();
  assertEquals(screen.rows.slice(0, -1), [
    "12:00  ⚠ Connection lost. Trying again in 2 s; what you type is kept.",
    "12:00  ⚠ Server stopped. Trying again in 8 s; what you type is kept.",
    "12:00  ✓ Back. Missed 3 messages; sent 1.",
    `── new ${"─".repeat(72)}`,
    "12:00  ⚠ Server stopped. Trying again in 2 s; what you type is kept.",
    "12:00  ✓ Back. Missed 1 message.",
    `── new ${"─".repeat(72)}`,
    "12:00  ✓ Back. Missed nothing; sent 2.",
  ]);
});

Deno.test("TerminalView shows the start of a refused line, and why", async () => {
  using terminal = open(140);
  const reason = "text-too-long";
  terminal.view.show({ type: "refused", text: "short", reason });
  terminal.view.show({ type: "refused", text: "😀".repeat(41), reason });
  await written();
  assertEquals(
    terminal.screen.rows.slice(0, 2),
    [
      '⚠ Not sent: "short": A message has at most 4096 bytes',
      `⚠ Not sent: "${"😀".repeat(40)}…": A message has at most 4096 bytes`,
    ],
  );
});

Deno.test("TerminalView shows attacks as escapes, wherever they stand", async () => {
  for (const attack of ATTACKS) {
    using terminal = open(2_000);
    const { view, screen } = terminal;
    // The screen fails at whatever it isn't meant to obey; the rest is to count the rows.
    const quoted = { name: attack, text: attack };
    const fingerprint = attack;
    // What is said may have line ends, and those show as rows of their own.
    const text = attack.replaceAll("\n", "");
    view.show(entered({ address: attack, name: attack }));
    view.show(event("joined", attack));
    view.show(event("said", attack, text));
    view.show(event("acted", attack, text));
    view.show(event("replied", attack, text, NOON, { to: 1, quoted }));
    view.show(event("renamed", attack, attack));
    view.show({
      type: "found",
      words: attack,
      lines: [event("said", attack, text)],
      more: false,
    });
    view.show({ type: "found", words: attack, lines: [], more: false });
    view.show({
      type: "away-message",
      name: attack,
      fingerprint,
      text: attack,
      own: false,
    });
    view.show(event("left", attack, attack));
    view.show({ type: "refused", text: attack, reason: attack });
    view.show({ type: "disconnected", reason: attack, seconds: 1 });
    view.stand({ ...HERE, name: attack });
    view.note(text);
    await written();
    const own = screen.rows.filter((row) =>
      /^── (today|that is all) /.test(row)
    );
    assertEquals(own.length, 2);
    assertEquals(screen.rows.length, 18);
    for (const row of screen.rows.filter((row) => !own.includes(row))) {
      assertMatch(row, /\\(u[0-9a-f]{4}|[nrt])/);
    }
    const asked = view.ask(attack);
    assertEquals(screen.rows.length, 18);
    view.close();
    assertEquals(await asked, null);
  }
});

Deno.test("TerminalView keeps the line being typed whole below what arrives", async () => {
  const typed = "half a line, 日本語 too, that takes more than a row of forty";
  for (const columns of [40, 100]) {
    // With the cursor at the end, within the line, and at its start.
    for (const moves of ["", "\x1b[D".repeat(9), "\x1b[H"]) {
      using terminal = open(columns);
      const { view, screen, press } = terminal;
      view.stand(HERE);
      press(typed + moves);
      const before = screen.rows;
      const [row, column] = screen.cursor;
      view.show(event("said", "Rahul", "one"));
      view.show(event("said", "Rahul", "two"));
      await written();
      view.note("three");
      await written();
      assertEquals(screen.rows, [
        "12:00    1  Rahul      one",
        "12:00    1  Rahul      two",
        "three",
        ...before,
      ]);
      assertEquals(screen.cursor, [row + 3, column]);
      assertStringIncludes(screen.rows.join(""), "日本語 too");
    }
  }
});

Deno.test("TerminalView keeps the rows where a wide character is wrapped", async () => {
  using terminal = open(20);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("12345678901234日本");
  view.note("news");
  await written();
  assertEquals(screen.rows, ["news", "ana> 12345678901234", "日本"]);
});

Deno.test("TerminalView writes what comes together at once", async () => {
  using terminal = open(60);
  terminal.view.stand(HERE);
  terminal.screen.written = "";
  for (let n = 0; n < 100; n++) terminal.view.note(`${n}`);
  await written();
  assertEquals(terminal.screen.written.split("ana> ").length, 2);
  assertEquals(terminal.screen.rows.length, 101);
});

Deno.test("TerminalView takes a sent line off the screen until it comes back", async () => {
  // A short line; one that fills its row; one that ends with a wide character across the edge.
  for (const line of ["hello", "x".repeat(15), `${"x".repeat(14)}日`]) {
    using terminal = open(20);
    const { view, screen, press } = terminal;
    view.note("before");
    view.stand(HERE);
    await written();
    press(`${line}\rnext`);
    assertEquals(screen.rows, ["before", "ana> next"]);
    view.note("after");
    await written();
    assertEquals(screen.rows, ["before", "after", "ana> next"]);
  }
});

Deno.test("TerminalView leaves a line on the screen that is typed while away", () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  view.stand(DISCONNECTED);
  press("see you\rat six");
  view.stand({ ...DISCONNECTED, waiting: 1 });
  assertEquals(screen.rows, [
    "ana (not connected)> see you",
    "ana (not connected, 1 waiting)> at six",
  ]);
});

Deno.test("TerminalView says that a line is under way when that lasts", async () => {
  const shown = Promise.withResolvers<void>();
  using terminal = open(60, { patience: 0 });
  const { view, screen, output } = terminal;
  view.stand({ ...HERE, waiting: 1 });
  assertEquals(screen.rows, ["ana>"]);
  const write = output.write.bind(output);
  output.write = (chunk: string) => {
    if (chunk.includes("waiting")) shown.resolve();
    return write(chunk);
  };
  await shown.promise;
  assertEquals(screen.rows, ["ana (1 waiting)>"]);
  view.stand(HERE);
  assertEquals(screen.rows, ["ana>"]);
});

Deno.test({
  name: "TerminalView.close() stops waiting for a line that is under way",
  sanitizeOps: true,
  sanitizeResources: true,
  fn() {
    using terminal = open(60);
    terminal.view.stand({ ...HERE, waiting: 1 });
    terminal.view.close();
  },
});

Deno.test("TerminalView.ask() takes the next line as the answer, and keeps it on the screen", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  const name = view.ask("Enter your name: ");
  press("\r  \rana\r");
  assertEquals(await name, "ana");
  assertEquals(screen.rows, ["Enter your name: ana", ""]);
});

Deno.test("TerminalView.ask() leaves no answer in the history", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  const name = view.ask("Enter your name: ");
  press("secret\r");
  await name;
  view.stand(HERE);
  press("\x1b[A");
  assertEquals(screen.rows.at(-1), "ana>");
  press("hello\r\x1b[A");
  assertEquals(screen.rows.at(-1), "ana> hello");
});

Deno.test("TerminalView.ask() and lines() take what was typed before them", async () => {
  using terminal = open(60);
  const { view, press } = terminal;
  press("ana\rone\rtwo\r");
  assertEquals(await view.ask("Enter your name: "), "ana");
  press("three\r\x04");
  assertEquals(await Array.fromAsync(view.lines()), ["one", "two", "three"]);
});

Deno.test("TerminalView.ask() is null after Ctrl-C, Ctrl-D and the end of the input", async () => {
  for (const key of ["\x03", "\x04"]) {
    using terminal = open(60);
    const name = terminal.view.ask("Enter your name: ");
    terminal.press(key);
    assertEquals(await name, null);
    assertEquals(await terminal.view.ask("Enter your name: "), null);
  }
  using terminal = open(60);
  const name = terminal.view.ask("Enter your name: ");
  terminal.input.push(null);
  assertEquals(await name, null);
});

Deno.test("TerminalView.lines() ends at Ctrl-C, and the prompt is gone", async () => {
  using terminal = open(20);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  const lines = Array.fromAsync(view.lines());
  press("one\r\r  \rhalf a line that is two rows\x03");
  assertEquals(await lines, ["one"]);
  view.note("Bye");
  await written();
  assertEquals(screen.rows, ["Bye", ""]);
});

Deno.test("TerminalView.lines() ends when the terminal is gone", async () => {
  using terminal = open(60);
  const lines = Array.fromAsync(terminal.view.lines());
  terminal.output.emit("error", new Error("gone"));
  assertEquals(await lines, []);
});

Deno.test("TerminalView.close() writes what is yet to be written", () => {
  using terminal = open(60);
  terminal.view.stand(HERE);
  terminal.view.note("last words");
  terminal.view.close();
  assertEquals(terminal.screen.rows, ["last words", ""]);
});

Deno.test("TerminalView takes at most 1,000 lines ahead", async () => {
  using terminal = open(80);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("x\r".repeat(1_000) + "once more\r");
  await written();
  assertEquals(
    screen.rows[0],
    '⚠ Not sent: "once more": Too many lines are waiting',
  );
  press("\x03");
  assertEquals((await Array.fromAsync(view.lines())).length, 1_000);
});

Deno.test("TerminalView completes commands on Tab", () => {
  using terminal = open(60);
  terminal.view.stand(HERE);
  terminal.press("/he\t");
  assertEquals(terminal.screen.rows, ["ana> /help"]);
});

Deno.test("TerminalView uses colours only where they are wanted", async () => {
  for (const colour of [false, true]) {
    using terminal = open(60, { colour });
    terminal.view.show(entered({ earlier: 1 }));
    terminal.view.show(event("said", "ana", "mine"));
    terminal.view.show(event("said", "Rahul", "his"));
    await written();
    const { written: bytes } = terminal.screen;
    const own = bytes.includes("\x1b[1mana\x1b[0m        mine");
    const style = `\x1b[${colourOf("key of Rahul")}m`;
    const other = bytes.includes(`${style}Rahul\x1b[0m      his`);
    const any = bytes.includes("\x1b[0m");
    assertEquals([own, other, any], [colour, colour, colour]);
  }
});

Deno.test("width() counts cells", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["ana", 3],
    ["Zoë", 3],
    ["Zoe\u0308", 3],
    ["田中", 4],
    ["한글", 4],
    ["ａ", 2],
    ["ｱ", 1],
    ["😀", 2],
    ["✓⚠─…", 4],
    ["राहुल", 4],
  ];
  for (const [text, cells] of cases) assertEquals(width(text), cells, text);
});

Deno.test("padCells() fills up to a width in cells, and cuts nothing", () => {
  assertEquals(padCells("田中", 6), "田中  ");
  assertEquals(padCells("longer", 3), "longer");
});

Deno.test("wraps() counts the rows that typing moves the cursor down", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["123456789", 0],
    ["1234567890", 1],
    ["12345678901", 1],
    ["12345678日", 1],
    ["123456789日", 1],
    ["123456789日12345678", 2],
    ["日日日日日日日日日日", 2],
  ];
  for (const [text, rows] of cases) assertEquals(wraps(text, 10), rows, text);
});

Deno.test("colourOf() is the same for a key, and not for all keys", () => {
  const keys = ["3f9a1c02d417", "0123456789ab", "ba9876543210", "aaaa", "bbbb"];
  assertEquals(keys.map(colourOf), keys.map(colourOf));
  assert(new Set(keys.map(colourOf)).size > 1);
});

const PASTE = "\x1b[200~one\r\ntwo\nthree\n\x1b[201~";

Deno.test("TerminalView says how many are here, where that is more than one", () => {
  using terminal = open();
  const { view, screen } = terminal;
  view.stand(HERE);
  assertEquals(screen.rows, ["ana>"]);
  view.stand({ ...HERE, members: 3 });
  assertEquals(screen.rows, ["ana (3 here)>"]);
  view.stand(DISCONNECTED);
  assertEquals(screen.rows, ["ana (not connected)>"]);
  view.stand({ ...HERE, members: 2 });
  assertEquals(screen.rows, ["ana (2 here)>"]);
});

Deno.test("TerminalView offers many pasted lines as one message", async () => {
  using terminal = open(100);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("say: ");
  press(PASTE);
  assertEquals(screen.rows, [
    '3 lines pasted, "say: one": Enter sends them as one message, Esc drops them',
  ]);
  view.note("news");
  await written();
  assertEquals(screen.rows.length, 2);
  press("x");
  press("\r");
  press("\x04");
  assertEquals(await Array.fromAsync(view.lines()), ["say: one\ntwo\nthree"]);
});

Deno.test("TerminalView drops what was pasted on Esc and Ctrl-C, and keeps what was typed", async () => {
  for (const key of ["\x1b", "\x03"]) {
    using terminal = open(100);
    const { view, screen, press } = terminal;
    view.stand(HERE);
    press("half a line\x1b[D\x1b[D");
    const { rows, cursor } = screen;
    press(PASTE);
    press(key);
    assertEquals(screen.rows, rows);
    assertEquals(screen.cursor, cursor);
    press("\r\x04");
    assertEquals(await Array.fromAsync(view.lines()), ["half a line"]);
  }
});

Deno.test("TerminalView types one pasted line where the cursor is, without its commands", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("ab\x1b[D\x1b[200~x\ty\x1b[31m\x9b\n\x1b[201~");
  assertEquals(screen.rows, ["ana> ax    y[31mb"]);
  press("\r\x04");
  assertEquals(await Array.fromAsync(view.lines()), ["ax    y[31mb"]);
});

Deno.test("TerminalView shows what was pasted while away", async () => {
  using terminal = open(100);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  view.stand(DISCONNECTED);
  press(PASTE);
  press("\r");
  await written();
  assertEquals(screen.rows, [
    "ana (not connected)> one (3 lines)",
    "ana (not connected)>",
  ]);
});

Deno.test("TerminalView asks for the marks of pastes, and gives them back", () => {
  using terminal = open(60);
  assertStringIncludes(terminal.screen.written, "\x1b[?2004h");
  terminal.view.close();
  assert(terminal.screen.written.endsWith("\x1b[?2004l"));
});

Deno.test("TerminalView says joining, away, and when it tries next", async () => {
  let now = NOON;
  const counted = Promise.withResolvers<void>();
  using terminal = open(80, { now: () => now });
  const { view, screen, press, output } = terminal;
  view.stand(DISCONNECTED);
  assertEquals(screen.rows, ["ana (joining…)>"]);
  view.stand(HERE);
  view.show({ type: "disconnected", reason: "lost", seconds: 4 });
  view.stand({ ...DISCONNECTED, waiting: 2 });
  press("half");
  await written();
  assertEquals(
    screen.rows[1],
    "ana (not connected, next try in 4 s, 2 waiting)> half",
  );
  now += 1_000;
  const write = output.write.bind(output);
  output.write = (chunk: string) => {
    const done = write(chunk);
    if (screen.rows[1]?.includes("in 3 s")) counted.resolve();
    return done;
  };
  await counted.promise;
  press(" a line");
  assertEquals(
    screen.rows[1],
    "ana (not connected, next try in 3 s, 2 waiting)> half a line",
  );
  view.stand(HERE);
  assertEquals(screen.rows[1], "ana> half a line");
});

Deno.test("TerminalView rings where the own name is said, for all, or never", () => {
  const news = [
    event("said", "Rahul", "hello ana"),
    event("said", "Rahul", "hello"),
    event("joined", "Rahul"),
    event("said", "ana", "I am ana"),
    event("said", "Rahul", "ana", NOON, { past: true }),
  ];
  const cases: [string, number][] = [["mentions", 1], ["all", 2], ["off", 0]];
  for (const [bell, times] of cases) {
    const settings = new Settings();
    settings.set("bell", bell);
    using terminal = open(60, { settings });
    terminal.view.show(entered());
    for (const piece of news) terminal.view.show(piece);
    assertEquals(terminal.screen.bells, times, bell);
  }
});

Deno.test("TerminalView doesn't show those who are ignored, under any name", async () => {
  const ignored = new Ignored();
  ignored.add({ name: "Rahul", fingerprint: "key of Rahul" });
  using terminal = open(60, { ignored });
  const { view, screen } = terminal;
  view.show(entered());
  view.show(event("said", "Rahul", "ana!"));
  view.show(event("said", "Ravi", "x", NOON, { fingerprint: "key of Rahul" }));
  view.show(event("said", "Priyanka", "hi"));
  await written();
  assertEquals(screen.rows.slice(2, -1), ["12:00    1  Priyanka   hi"]);
  assertEquals(screen.bells, 0);
});

Deno.test("TerminalView completes names on Tab, in either case", () => {
  const cases: [string, string][] = [
    ["rah\t", "ana> Rahul:"],
    ["hello RA\t", "ana> hello Rahul"],
    ["/bell m\t", "ana> /bell mentions"],
  ];
  for (const [keys, row] of cases) {
    using terminal = open(60, { names: () => ["Rahul", "ana"] });
    terminal.view.stand(HERE);
    terminal.press(keys);
    assertEquals(terminal.screen.rows, [row]);
  }
});

Deno.test("TerminalView offers all names that begin so on a second Tab, and keeps the line", () => {
  using terminal = open(60, { names: () => ["Rahul", "Ravi", "ana"] });
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("r\t");
  press("\t");
  assertStringIncludes(screen.rows.join(" "), "Rahul:");
  assertEquals(screen.rows.at(-1), "ana> Ra");
});

Deno.test("TerminalView brings back lines of earlier runs, and adds those of this one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chat-terminal-" });
  try {
    const load = () => InputHistory.load(`${folder}/history`, 500, () => {});
    const first = await load();
    {
      using terminal = open(60, { history: first });
      const name = terminal.view.ask("Enter your name: ");
      terminal.press("secret\r");
      await name;
      terminal.view.stand(HERE);
      terminal.press("one\r/me waves\r");
    }
    await first.close();
    using terminal = open(60, { history: await load() });
    terminal.view.stand(HERE);
    terminal.press("\x1b[A");
    assertEquals(terminal.screen.rows, ["ana> /me waves"]);
    terminal.press("\x1b[A");
    assertEquals(terminal.screen.rows, ["ana> one"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("TerminalView.scrollback is what was shown, and is saved to a new file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chat-terminal-" });
  try {
    using terminal = open(60, { colour: true });
    terminal.view.show(event("said", "Rahul", "hi \x1b[31m\x1b]52;c;aGk=\x07"));
    terminal.view.note("noted");
    const path = `${folder}/saved`;
    const { scrollback } = terminal.view;
    assertEquals(await scrollback.save(path), `Saved 2 lines to "${path}"`);
    assertEquals(
      await Deno.readTextFile(path),
      "12:00    1  Rahul      hi \\u001b[31m\\u001b]52;c;aGk=\\u0007\nnoted\n",
    );
    if (Deno.build.os !== "windows") {
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
    assertEquals(
      await scrollback.save(path),
      `Cannot save to "${path}": it already exists`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("TerminalView turns raw mode on and off, and on again after a stop", () => {
  const raw: boolean[] = [];
  using terminal = open(60, { raw: (on) => void raw.push(on) });
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("half");
  // Another program wrote below the prompt meanwhile.
  screen.write("\r\n$ fg\r\n");
  view.resumed();
  assertEquals(screen.rows, ["ana> half", "$ fg", "ana> half"]);
  view.close();
  assertEquals(raw, [true, true, false]);
});

Deno.test("TerminalView draws the line again at a new width", () => {
  using terminal = open(60);
  const { view, screen, press, output } = terminal;
  view.stand(HERE);
  press("a line of 30 cells, or nearly..");
  output.columns = 20;
  screen.reflow(20);
  view.resized();
  press("!");
  assertEquals(screen.rows, ["ana> a line of 30 ce", "lls, or nearly..!"]);
});

Deno.test("TerminalView shows in the prompt how far files are", async () => {
  using terminal = open(60);
  const { view, screen } = terminal;
  const taking = (offer: number, name: string, got: number): News => {
    const state = got === 1_000 ? "taken" : "taking";
    const rest = { size: 1_000, path: "", reason: "" };
    return { type: "file", offer, name, got, state, ...rest };
  };
  const prompt = async () => {
    await written();
    return screen.rows.at(-1);
  };
  view.stand(HERE);
  view.show(taking(3, "hut.jpg", 0));
  assertEquals(await prompt(), "ana (hut.jpg ░░░░░░░░░░ 0 %)>");
  view.show(taking(3, "hut.jpg", 429));
  assertEquals(await prompt(), "ana (hut.jpg ▓▓▓▓░░░░░░ 42 %)>");
  view.show(taking(4, "\x1b[2J", 999));
  assertEquals(await prompt(), "ana (2 files ▓▓▓▓▓▓▓░░░ 71 %)>");
  view.show(taking(3, "hut.jpg", 1_000));
  assertEquals(await prompt(), "ana (\\u001b[2J ▓▓▓▓▓▓▓▓▓░ 99 %)>");
  view.show(taking(4, "\x1b[2J", 1_000));
  assertEquals(await prompt(), "ana>");
});
