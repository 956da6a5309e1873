/**
 * Tests of the terminal view on a screen that is an array of rows, so that they see what a person would.
 *
 * @module
 */

import { Ignored } from "../../../../src/client/ignored.ts";
import type { News } from "../../../../src/client/view.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import { Theme } from "../../../../src/client/terminal/theme.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import { Folder, modeOf } from "../../../kit/folder.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import { ATTACKS, DANGEROUS, newsWith } from "../../../kit/hostile_texts.ts";
import {
  DISCONNECTED,
  entered,
  event,
  HERE,
  HOUR,
  NOON,
  open,
  written,
} from "../../../kit/terminal_setup.ts";

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
  const settings = new Settings();
  settings.set("joins", "on");
  using terminal = open(60, { settings });
  const { view, screen } = terminal;
  const past = { past: true };
  view.show(entered({ earlier: 2 }));
  view.show(event("said", "Rahul", "kaise ho", NOON - 24 * HOUR, past));
  view.show(event("said", "田中", "元気", NOON - 23 * HOUR, past));
  view.show({ type: "current" });
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
      `── 2 earlier messages ${"─".repeat(37)}`,
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
    "12:00 1 ana: late",
    "── Tuesday 24 November 2026 ───────────",
    "00:00 1 ana: early",
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
  const back = (missed: number, waiting = 0) => {
    view.show(entered({ again: true, earlier: missed, waiting }));
    for (let n = 0; n < missed; n++) {
      view.show(event("said", "Rahul", "hi", NOON, { past: true }));
    }
    view.show({ type: "current" });
  };
  back(3, 1);
  view.show({ type: "disconnected", reason: "stopped", seconds: 2 });
  back(1);
  back(0, 2);
  await written();
  assertEquals(screen.rows.slice(0, -1), [
    "12:00  ⚠ Connection lost. Trying again in 2 s; what you type is kept.",
    "12:00  ⚠ Server stopped. Trying again in 8 s; what you type is kept.",
    "12:00  ✓ Back. Missed 3 messages; sent 1.",
    `── new ${"─".repeat(72)}`,
    ...Array(3).fill("12:00    1  Rahul      hi"),
    "12:00  ⚠ Server stopped. Trying again in 2 s; what you type is kept.",
    "12:00  ✓ Back. Missed 1 message.",
    `── new ${"─".repeat(72)}`,
    "12:00    1  Rahul      hi",
    "12:00  ✓ Back. Missed nothing; sent 2.",
  ]);
});

Deno.test("TerminalView shows attacks as escapes, wherever they stand", async () => {
  const settings = new Settings();
  settings.set("joins", "on");
  for (const attack of ATTACKS) {
    using terminal = open(2_000, { settings });
    const { view, screen } = terminal;
    // The screen fails at whatever it isn't meant to obey.
    newsWith(attack).forEach((news) => view.show(news));
    const file = { offer: 1, size: 9, got: 1, path: "", reason: "" };
    view.show({ type: "file", name: attack, state: "taking", ...file });
    view.stand({ ...HERE, name: attack });
    view.note(attack);
    await written();
    for (const row of screen.rows) assert(!DANGEROUS.test(row), row);
    const { length } = screen.rows;
    const asked = view.ask(attack);
    assertEquals(screen.rows.length, length);
    assertMatch(screen.rows.at(-1) ?? "", /\\(u[0-9a-f]{4}|[nrt])/);
    view.close();
    assertEquals(await asked, null);
  }
});

Deno.test("TerminalView keeps the rows where a wide character is wrapped", async () => {
  using terminal = open(20);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("12345678901234日本");
  view.note("news");
  await written();
  assertEquals(screen.rows, ["news", "ana> 12345678901234", "  日本"]);
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

Deno.test("TerminalView.close() stops waiting for a line that is under way, and for the next attempt", () => {
  using clock = new ManualClock();
  using terminal = open(60);
  const { view } = terminal;
  view.stand({ ...HERE, waiting: 1 });
  view.show({ type: "disconnected", reason: "lost", seconds: 4 });
  assertEquals(clock.pending, 2);
  view.close();
  assertEquals(clock.pending, 0);
  view.show({ type: "disconnected", reason: "lost", seconds: 8 });
  assertEquals(clock.pending, 0);
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

Deno.test("TerminalView.ask() takes Enter alone for the answer that it offers, and any other answer", async () => {
  for (const [keys, answer] of [["  \r", "ana"], ["ben\r", "ben"]] as const) {
    using terminal = open(60);
    const { view, screen, press } = terminal;
    const name = view.ask("Enter your name [ana]: ", "ana");
    press(keys);
    assertEquals(await name, answer);
    assertEquals(screen.rows, [`Enter your name [ana]: ${answer}`, ""]);
    view.stand(HERE);
    press("\r"); // offers nothing any more
    press("\x04");
    assertEquals(await Array.fromAsync(view.lines()), []);
  }
});

Deno.test("TerminalView.ask() brings back nothing of what was typed in the room, and completes no command", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("hello there\r");
  const name = view.ask("Another name: ");
  assertEquals(await name, "hello there"); // it was typed before
  const again = view.ask("Another name: ");
  for (const keys of ["\x1b[A", "\x10", "\x1b<", "\x1b.", "\x12hel\r"]) {
    press(keys);
    assertEquals(screen.rows.at(-1), "Another name:", JSON.stringify(keys));
  }
  press("/q\t");
  assertEquals(screen.rows.at(-1), "Another name: /q");
  press("\x15ana\r");
  assertEquals(await again, "ana");
  view.stand(HERE);
  press("\x1b[A");
  assertEquals(screen.rows.at(-1), "ana> hello there");
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
  terminal.view.received(null);
  assertEquals(await name, null);
});

Deno.test("TerminalView.lines() ends at Ctrl-C, and the prompt is gone", async () => {
  using terminal = open(20);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  const lines = Array.fromAsync(view.lines());
  press("one\r\r  \rhalf a line that is two rows\x03\x03\x03");
  assertEquals(await lines, ["one"]);
  view.note("Bye");
  await written();
  assertEquals(screen.rows, ["Bye", ""]);
});

Deno.test("TerminalView.lines() ends when the terminal is gone", async () => {
  using terminal = open(60);
  const lines = Array.fromAsync(terminal.view.lines());
  terminal.hangUp();
  assertEquals(await lines, []);
});

Deno.test("TerminalView.close() writes what is yet to be written", () => {
  using terminal = open(60);
  terminal.view.stand(HERE);
  terminal.view.note("last words");
  terminal.view.close();
  assertEquals(terminal.screen.rows, ["last words", ""]);
});

Deno.test("TerminalView uses colours only where they are wanted", async () => {
  for (const colour of [false, true]) {
    using terminal = open(60, { colour });
    terminal.view.show(entered());
    terminal.view.show(event("said", "ana", "mine"));
    terminal.view.show(event("said", "Rahul", "his"));
    await written();
    const { written: bytes } = terminal.screen;
    const own = bytes.includes("\x1b[1mana\x1b[0m        mine");
    const theme = new Theme(new Settings(), true);
    const style = `\x1b[${theme.nameOf("key of Rahul")}m`;
    const other = bytes.includes(`${style}Rahul\x1b[0m      his`);
    const any = bytes.includes("\x1b[0m");
    assertEquals([own, other, any], [colour, colour, colour]);
  }
});

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

Deno.test("TerminalView says joining, away, and when it tries next", async () => {
  using clock = new ManualClock();
  let now = NOON;
  using terminal = open(80, { now: () => now });
  const { view, screen, press } = terminal;
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
  clock.advance(1_000);
  assertEquals(
    screen.rows[1],
    "ana (not connected, next try in 3 s, 2 waiting)> half",
  );
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
  ignored.add({ id: "id", name: "Rahul", person: "key of Rahul" });
  using terminal = open(60, { ignored });
  const { view, screen } = terminal;
  view.show(entered());
  view.show(event("said", "Rahul", "ana!"));
  view.show(event("said", "Ravi", "x", NOON, { person: "key of Rahul" }));
  view.show(event("said", "Priyanka", "hi"));
  await written();
  assertEquals(screen.rows.slice(2, -1), ["12:00    1  Priyanka   hi"]);
  assertEquals(screen.bells, 0);
});

Deno.test("TerminalView.scrollback is what was shown, and is saved to a new file", async () => {
  await using folder = await Folder.make();
  using terminal = open(60, { colour: true });
  terminal.view.show(event("said", "Rahul", "hi \x1b[31m\x1b]52;c;aGk=\x07"));
  terminal.view.note("noted");
  const path = folder.file("saved");
  const { scrollback } = terminal.view;
  assertEquals(await scrollback.save(path), `Saved 2 lines to "${path}"`);
  assertEquals(
    await Deno.readTextFile(path),
    "12:00    1  Rahul      hi \\u001b[31m\\u001b]52;c;aGk=\\u0007\nnoted\n",
  );
  if (Deno.build.os !== "windows") {
    assertEquals(await modeOf(path), 0o600);
  }
  assertEquals(
    await scrollback.save(path),
    `Cannot save to "${path}": it already exists`,
  );
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

Deno.test("TerminalView marks the prompt and new lines while history isn't what the person saw", async () => {
  using terminal = open(60);
  const { view, screen } = terminal;
  view.show({ type: "history-differs", from: 81, exact: true });
  view.stand({ ...HERE, members: 3, differs: true });
  view.show({ ...event("said", "Rahul", "hi"), doubted: true });
  view.show({ ...event("renamed", "Rahul", "Raoul"), doubted: true });
  await written();
  const rows = screen.rows.join("\n");
  assertStringIncludes(
    rows.replaceAll(/\s+/g, " "),
    "history differs from what you saw, from line 81 on: a restored backup, or tampering. /accept goes on",
  );
  assertStringIncludes(rows, "⚠ Rahul");
  assertStringIncludes(rows, "⚠ Rahul is now Raoul");
  assertEquals(screen.rows.at(-1), "ana (history differs, 3 here)>");
  view.stand({ ...HERE, members: 3 });
  view.show(event("said", "Rahul", "hello again"));
  view.show({ type: "history-differs", from: 81, exact: false });
  view.show({ type: "agreement", upTo: 42, digits: "01234 56789" });
  await written();
  assertEquals(screen.rows.at(-1), "ana (3 here)>");
  const last = screen.rows.join("\n").replaceAll(/\s+/g, " ");
  assertStringIncludes(last, "Rahul hello again");
  assert(!last.includes("⚠ Rahul hello again"));
  assertStringIncludes(last, "from line 81 on, or earlier:");
  assertStringIncludes(last, "History up to line 42: 01234 56789");
});
