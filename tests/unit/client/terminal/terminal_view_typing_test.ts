/**
 * Tests of the terminal view on a screen that is an array of rows, so that they see what a person would.
 *
 * @module
 */

import { InputHistory } from "../../../../src/client/terminal/input_history.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import { Folder } from "../../../kit/folder.ts";
import { Screen } from "../../../kit/screen.ts";
import {
  DISCONNECTED,
  event,
  HERE,
  open,
  PASTE,
  written,
} from "../../../kit/terminal_setup.ts";

Deno.test("TerminalView shows the start of a refused line, and why", async () => {
  using terminal = open(140);
  const reason = "text-too-long";
  terminal.view.show({ type: "refused", text: "short", reason, detail: "" });
  terminal.view.show({
    type: "refused",
    text: "😀".repeat(41),
    reason,
    detail: "",
  });
  await written();
  assertEquals(
    terminal.screen.rows.slice(0, 2),
    [
      '⚠ Not sent: "short": A message has at most 4096 bytes',
      `⚠ Not sent: "${"😀".repeat(40)}…": A message has at most 4096 bytes`,
    ],
  );
});

Deno.test("TerminalView keeps the line being typed whole below what arrives", async () => {
  const typed = "half a line, 日本語 too, that takes more than a row of forty";
  for (const columns of [40, 100]) {
    const start = columns < 60 ? "12:00 1 Rahul: " : "12:00    1  Rahul      ";
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
        `${start}one`,
        `${start}two`,
        "three",
        ...before,
      ]);
      assertEquals(screen.cursor, [row + 3, column]);
      assertStringIncludes(screen.rows.join(""), "日本語 too");
    }
  }
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
  const { write } = output;
  output.write = (text: string) => {
    if (text.includes("waiting")) shown.resolve();
    write(text);
  };
  await shown.promise;
  assertEquals(screen.rows, ["ana (1 waiting)>"]);
  view.stand(HERE);
  assertEquals(screen.rows, ["ana>"]);
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
  press("\x04");
  assertEquals((await Array.fromAsync(view.lines())).length, 1_000);
});

Deno.test("TerminalView puts many pasted lines into the line, and sends them as one message", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("say: !\x1b[D");
  press(PASTE);
  assertEquals(screen.rows, ["ana> say: one", "… two", "… three!"]);
  view.note("news");
  await written();
  press("\x1b[A\x1b[A\x01\x1bf\x1b[C\x1b[C\x04O");
  assertEquals(screen.rows.slice(1), ["ana> say: One", "… two", "… three!"]);
  press("\r");
  assertEquals(screen.rows, ["news", "ana>"]);
  press("\x1b[A");
  assertEquals(screen.rows.slice(1), ["ana> say: One", "… two", "… three!"]);
  press("\x15\x15\x15\x15\x15\x04");
  assertEquals(await Array.fromAsync(view.lines()), ["say: One\ntwo\nthree!"]);
});

Deno.test("TerminalView begins a new line at Ctrl-J and Alt-Enter", async () => {
  for (const key of ["\n", "\x1b\r", "\x1b[13;2u"]) {
    using terminal = open(60);
    const { view, screen, press } = terminal;
    view.stand(HERE);
    press(`one${key}two`);
    assertEquals(screen.rows, ["ana> one", "… two"]);
    assertEquals(screen.cursor, [1, 5]);
    press("\r\x04");
    assertEquals(await Array.fromAsync(view.lines()), ["one\ntwo"]);
  }
});

Deno.test("TerminalView answers a question with one line, whatever is pasted", async () => {
  using terminal = open(60);
  const name = terminal.view.ask("Enter your name: ");
  terminal.press("\x1b[200~ana\nben\x1b[201~\n");
  assertEquals(await name, "ana ben");
});

Deno.test("TerminalView leaves what was typed on the screen while away, all of its lines", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  view.stand(DISCONNECTED);
  press(PASTE);
  press("\r");
  await written();
  assertEquals(screen.rows, [
    "ana (not connected)> one",
    "… two",
    "… three",
    "ana (not connected)>",
  ]);
});

Deno.test("TerminalView goes on taking keys when the end of a paste never comes", async () => {
  using terminal = open(60);
  const { view, screen, press, waits } = terminal;
  view.stand(HERE);
  press("\x1b[200~abc");
  waits.pass();
  assertEquals(screen.rows, ["ana> abc"]);
  press("\x7fd");
  press("\x1b[200~e");
  view.interrupt();
  assertEquals(screen.rows, ["ana> abde"]);
  press("\r\x04");
  assertEquals(await Array.fromAsync(view.lines()), ["abde"]);
});

Deno.test("TerminalView clears what is typed at Ctrl-C, and leaves at the second one after that", async () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  const lines = Array.fromAsync(view.lines());
  press("half a line\x03");
  assertEquals(screen.rows, ["ana>"]);
  press("\x1f");
  assertEquals(screen.rows, ["ana> half a line"]);
  press("\x03\x03");
  assertEquals(screen.rows, ["Press Ctrl-C again to leave"]);
  view.interrupt();
  assertEquals(screen.rows, [""]);
  assertEquals(await lines, []);
});

Deno.test("TerminalView stays when something is typed after Ctrl-C, or nothing for a while", () => {
  using terminal = open(60);
  const { view, screen, press, waits } = terminal;
  view.stand(HERE);
  press("\x03a");
  assertEquals(screen.rows, ["ana> a"]);
  press("\x7f\x03");
  assertEquals(screen.rows, ["Press Ctrl-C again to leave"]);
  waits.pass();
  assertEquals(screen.rows, ["ana>"]);
  press("\x03\x1b[A");
  assertEquals(screen.rows, ["ana>"]);
});

Deno.test("TerminalView searches what was typed, older and newer", async () => {
  using terminal = open(60);
  const { view, screen, press, waits } = terminal;
  view.stand(HERE);
  press("meet at six\rhello\rmeet at Seven\rdraft");
  press("\x12");
  assertEquals(screen.rows, ['search ""> draft']);
  press("meet");
  assertEquals(screen.rows, ['search "meet"> meet at Seven']);
  press("\x12");
  assertEquals(screen.rows, ['search "meet"> meet at six']);
  press("\x12");
  assertEquals(screen.rows, ['no line with "meet"> meet at six']);
  press("\x13");
  assertEquals(screen.rows, ['search "meet"> meet at Seven']);
  press(" at s\x7fS");
  assertEquals(screen.rows, ['search "meet at S"> meet at Seven']);
  assertEquals(screen.cursor, [0, 'search "meet at S"> '.length]);
  // Escape, Ctrl-G and Ctrl-C bring the draft back.
  press("\x1b");
  waits.pass();
  assertEquals(screen.rows, ["ana> draft"]);
  press("\x12six\x07");
  press("\x12six\x03");
  assertEquals(screen.rows, ["ana> draft"]);
  // Another key goes on with what was found, from its place in the history.
  press("\x12six\x1b[F!");
  assertEquals(screen.rows, ["ana> meet at six!"]);
  press("\x1b[B");
  assertEquals(screen.rows, ["ana> hello"]);
  press("\x15\x12nowhere\r");
  press("\x12six\r\x15\x04");
  assertEquals((await Array.fromAsync(view.lines())).slice(3), ["meet at six"]);
});

Deno.test("TerminalView keeps the draft while older lines are looked at, and what was made of them", () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("one\rtwo\rdraft");
  press("\x1b[A!\x10");
  assertEquals(screen.rows, ["ana> one"]);
  press("\x0e");
  assertEquals(screen.rows, ["ana> two!"]);
  press("\x1b[B\x1b[B");
  assertEquals(screen.rows, ["ana> draft"]);
  press("\x1b<");
  assertEquals(screen.rows, ["ana> one"]);
  press("\x1b>");
  assertEquals(screen.rows, ["ana> draft"]);
});

Deno.test("TerminalView puts in the last word of lines before", () => {
  using terminal = open(60);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("meet at six\rcall ben \rdraft \x1b.");
  assertEquals(screen.rows, ["ana> draft ben"]);
  press("\x1b.\x1b.");
  assertEquals(screen.rows, ["ana> draft six"]);
  press(" or \x1b_");
  assertEquals(screen.rows, ["ana> draft six or ben"]);
});

Deno.test("TerminalView goes up and down within the draft first, and keeps to the column", () => {
  using terminal = open(20);
  const { view, screen, press } = terminal;
  view.stand(HERE);
  press("old\r");
  press("0123456789012345678\nab\nabcdefg");
  assertEquals(screen.rows, [
    "ana> 01234567890123",
    "  45678",
    "… ab",
    "… abcdefg",
  ]);
  const { cursor } = screen;
  press("\x1b[A");
  assertEquals(screen.cursor, [2, 4]);
  press("\x1b[A");
  assertEquals(screen.cursor, [1, 7]);
  press("\x1b[A");
  assertEquals(screen.cursor, [0, 9]);
  press("\x1b[B\x1b[B\x1b[B");
  assertEquals(screen.cursor, cursor);
  press("\x1b[A\x1b[A\x1b[A\x1b[A");
  assertEquals(screen.rows, ["ana> old"]);
  press("\x1b[B");
  assertEquals(screen.rows.length, 4);
});

Deno.test("TerminalView clears the screen at Ctrl-L, and what was shown can be scrolled to", async () => {
  using terminal = open(40, {}, new Screen(40, 6));
  const { view, screen, press } = terminal;
  view.stand(HERE);
  view.note("one\ntwo");
  await written();
  press("half\x0c");
  assertEquals(screen.seen, ["ana> half"]);
  assertEquals(screen.rows, ["one", "two", "ana> half"]);
  view.note("1\n2\n3\n4\n5\n6");
  await written();
  view.clear();
  assertEquals(screen.seen, ["ana> half"]);
  assertEquals(screen.rows.slice(2), [
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "ana> half",
  ]);
});

Deno.test("TerminalView shows the part of a tall draft around the cursor, and leaves no copies", async () => {
  using terminal = open(40, {}, new Screen(40, 8));
  const { view, screen, press } = terminal;
  view.stand(HERE);
  view.note("before");
  await written();
  for (let n = 1; n <= 9; n++) press(`${n}\n`);
  press("10");
  assertEquals(screen.rows, ["before", "↑ 7", "… 8", "… 9", "… 10"]);
  press("\x1b[A".repeat(8));
  assertEquals(screen.rows, ["before", "↑ 2", "… 3", "… 4", "↓ 5"]);
  press("\x1b[A");
  assertEquals(screen.rows, ["before", "ana> 1", "… 2", "… 3", "↓ 4"]);
  press("\r");
  assertEquals(screen.rows, ["before", "ana>"]);
});

Deno.test("TerminalView leaves room to type behind a prompt that is wider than the terminal", () => {
  using terminal = open(20);
  const { view, screen, press } = terminal;
  view.stand({ ...HERE, name: "a-name-of-many-letters", members: 12 });
  press("hello, and more than a row");
  assertEquals(screen.rows, [
    "a-name-of-many-lett",
    "  ers (12 here)> he",
    "  llo, and more tha",
    "  n a row",
  ]);
  press("\x1b[H\x1b[A");
  assertEquals(screen.cursor, [1, 17]);
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

Deno.test("TerminalView asks for the marks of pastes, and gives them back", () => {
  using terminal = open(60);
  assertStringIncludes(terminal.screen.written, "\x1b[?2004h");
  terminal.view.close();
  assert(terminal.screen.written.endsWith("\x1b[?2004l"));
});

Deno.test("TerminalView completes commands, names in either case, and values on Tab", () => {
  const cases: [string, string][] = [
    ["/he\t", "ana> /help"],
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

Deno.test("TerminalView offers all names that begin so on a second Tab, also one that comes together with the first, and keeps the line", () => {
  for (const cut of [1, 2, 3]) {
    using terminal = open(60, { names: () => ["Rahul", "Ravi", "ana"] });
    const { view, screen, press } = terminal;
    view.stand(HERE);
    const keys = "r\t\t";
    press(keys.slice(0, cut));
    press(keys.slice(cut));
    assertEquals(screen.rows, ["Rahul:  Ravi:", "ana> Ra"]);
  }
  using terminal = open(60, { names: () => ["Rahul"] });
  terminal.view.stand(HERE);
  terminal.press("x\t\thello\t\t");
  assertEquals(terminal.screen.rows, ["ana> xhello"]);
});

Deno.test("TerminalView completes in the line of the draft in which the cursor is", () => {
  using terminal = open(60, { names: () => ["Rahul"] });
  terminal.view.stand(HERE);
  terminal.press("one\nra\t!");
  assertEquals(terminal.screen.rows, ["ana> one", "… Rahul: !"]);
});

Deno.test("TerminalView brings back lines of earlier runs, and adds those of this one", async () => {
  await using folder = await Folder.make();
  const path = folder.file("history");
  const load = () => InputHistory.load(path, 500, () => {});
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
});

Deno.test("TerminalView draws the line again at a new width", () => {
  using terminal = open(60);
  const { view, screen, press, resize } = terminal;
  view.stand(HERE);
  press("a line of 30 cells, or nearly..");
  resize(20);
  press("!");
  assertEquals(screen.rows, [
    "ana> a line of 30 c",
    "  ells, or nearly..",
    "  !",
  ]);
  resize(60);
  assertEquals(screen.rows, ["ana> a line of 30 cells, or nearly..!"]);
});
