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
