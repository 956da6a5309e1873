/**
 * Tests of the real view in a real terminal (tmux), on what its screen shows. Where there is no tmux they are
 * ignored.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";

const program = new URL("../kit/pty_program.ts", import.meta.url).pathname;
/** How long the program may take to hear of a new size, ms, on a machine that is busy. */
const DEADLINE = 20_000;
/** Between two looks, ms. */
const PAUSE = 20;

/** Starts the program, and waits until it shows its prompt. */
async function start(terminal: Terminal): Promise<void> {
  const permissions = "--allow-read --allow-write --allow-env";
  const run = `run -q --no-prompt ${permissions} '${program}' .`;
  await terminal.line(`clear; '${Deno.execPath()}' ${run}`);
  await terminal.sees((rows) => rows.at(-1) === "ana>");
}

/** Makes the terminal wider or narrower, and waits until the program has dealt with it. */
async function resize(terminal: Terminal, columns: number): Promise<void> {
  await terminal.resize(columns);
  const file = terminal.folder.file("columns");
  const told = () => Deno.readTextFile(file).catch(() => "");
  for (const end = Date.now() + DEADLINE; await told() !== `${columns}`;) {
    assert(Date.now() < end, `The program doesn't know of ${columns} columns`);
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

/** A test in a terminal of each of the widths. */
function test(
  name: string,
  widths: readonly number[],
  body: (terminal: Terminal, columns: number) => Promise<void>,
): void {
  for (const columns of widths) {
    terminalTest(`in a terminal of ${columns} columns, ${name}`, async () => {
      await using terminal = await Terminal.open(columns);
      await start(terminal);
      await body(terminal, columns);
    });
  }
}

/** A text as the rows of a prompt and what is typed after it; every character takes one cell. */
function wrapped(text: string, columns: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < text.length; at += columns) {
    rows.push(text.slice(at, at + columns).trimEnd());
  }
  return rows;
}

const BOTH = [40, 200];

test(
  "typing while fifty messages arrive keeps line and messages whole",
  BOTH,
  async (terminal, columns) => {
    const line = "this is typed letter by letter, while much arrives above it";
    await terminal.type("!many");
    await terminal.key("Enter");
    for (const letter of line) await terminal.type(letter);
    await terminal.key("Left", "Left", "BSpace");
    await terminal.sees((rows) =>
      rows.some((row) => row.endsWith(" message 50"))
    );
    const typed = line.slice(0, -3) + line.slice(-2);
    const rows = await terminal.ends(...wrapped(`ana> ${typed}`, columns));
    const last = rows.findLastIndex((row) => row.endsWith(" message 50"));
    assertEquals(
      rows.slice(last - 15, last + 1).map((row) => row.replace(/.* m/, "m")),
      Array.from({ length: 16 }, (_, at) => `message ${35 + at}`),
    );
  },
);

test(
  "a line with CJK and emoji at its end is edited and sent whole",
  BOTH,
  async (terminal, columns) => {
    // The emoji begins in the last cell of the row, where it has no place.
    const start = "x".repeat(columns - "ana> ".length - 5);
    /** The rows from the first that a prompt begins: none of an earlier one may be left. */
    const shows = (...prompt: string[]) =>
      terminal.sees((rows) => {
        const at = rows.findIndex((row) => row.startsWith("ana>"));
        return rows.slice(at).join("\n") === prompt.join("\n");
      });
    await terminal.type(`${start}日本😀`);
    await shows(`ana> ${start}日本`, "😀");
    await terminal.key("BSpace", "BSpace");
    await shows(`ana> ${start}日`);
    await terminal.type("語ab");
    await shows(`ana> ${start}日語a`, "b");
    await terminal.key("C-u");
    await shows("ana>");
    await terminal.type("!cjk");
    await terminal.key("Enter");
    await terminal.type("元気😀");
    await terminal.sees((rows) => rows.join("").includes("日本語の長い行"));
    await shows("ana> 元気😀");
    await terminal.key("Enter");
    await terminal.sees((rows) =>
      rows.at(-1) === "ana>" &&
      / ana(?:: | {8})元気😀$/.test(rows.at(-2) ?? "")
    );
  },
);

test(
  "a resize in mid-line leaves one prompt and the line",
  [100],
  async (terminal) => {
    const line =
      "a line that is longer than forty columns, and goes on, 日本語";
    // With the prompt at the bottom, as in any room where something was said: near the top, a terminal that gets
    // narrower moves the first of its rows out of sight, where nothing can be cleared.
    await terminal.type("!many");
    await terminal.key("Enter");
    await terminal.sees((rows) =>
      rows.at(-1) === "ana>" && rows.at(-2)?.endsWith(" message 50") === true
    );
    await terminal.type(line);
    await terminal.ends(`ana> ${line}`);
    for (const columns of [40, 30, 200, 35, 100]) {
      await resize(terminal, columns);
      const rows = await terminal.sees((rows) =>
        rows.slice(rows.findIndex((row) => row.startsWith("ana>"))).join("")
          .replaceAll(" ", "") === `ana> ${line}`.replaceAll(" ", "")
      );
      assertEquals(rows.filter((row) => row.startsWith("ana>")).length, 1);
    }
    await terminal.type("!");
    await terminal.ends(`ana> ${line}!`);
  },
);

test(
  "many lines that are pasted are one message, or none",
  BOTH,
  async (terminal) => {
    await terminal.type("look: ");
    await terminal.paste("one\ntwo\nthree\n");
    await terminal.sees((rows) => rows.join("").includes("3 lines pasted"));
    await terminal.key("Escape");
    await terminal.ends("ana> look:");
    await terminal.paste("one\ntwo\nthree\n");
    await terminal.sees((rows) => rows.join("").includes("3 lines pasted"));
    await terminal.key("Enter");
    const rows = await terminal.sees((rows) =>
      rows.at(-1) === "ana>" && rows.at(-2)?.trim() === "three"
    );
    assertEquals(
      rows.slice(-4, -1).map((row) => row.trim().replace(/.* l/, "l")),
      [
        "look: one",
        "two",
        "three",
      ],
    );
  },
);

test("Tab completes commands and names", BOTH, async (terminal) => {
  await terminal.type("/he");
  await terminal.key("Tab");
  await terminal.ends("ana> /help");
  await terminal.key("C-u");
  await terminal.type("ra");
  await terminal.key("Tab");
  await terminal.type("hi");
  await terminal.ends("ana> Rahul: hi");
});

test(
  "the arrow keys bring back what was typed, in the next run too",
  BOTH,
  async (terminal) => {
    await terminal.type("first line");
    await terminal.key("Enter");
    await terminal.type("/me waves");
    await terminal.key("Enter");
    await terminal.sees((rows) =>
      rows.at(-2)?.endsWith("* ana waves") === true
    );
    await terminal.key("C-d");
    await terminal.sees((rows) => rows.at(-1) === "$");
    await start(terminal);
    await terminal.key("Up");
    await terminal.ends("ana> /me waves");
    await terminal.key("Up");
    await terminal.ends("ana> first line");
  },
);

test(
  "the prompt counts down while not connected, beside what is typed",
  BOTH,
  async (terminal, columns) => {
    await terminal.type("!disconnect");
    await terminal.key("Enter");
    await terminal.type("see you");
    const text = (seconds: number) =>
      wrapped(
        `ana (not connected, next try in ${seconds} s)> see you`,
        columns,
      );
    await terminal.ends(...text(29));
    await terminal.ends(...text(28));
    await terminal.key("Enter");
    await terminal.type("!back");
    await terminal.key("Enter");
    await terminal.ends("ana>");
  },
);

test(
  "Ctrl-Z stops the program, fg brings its line back, Ctrl-C leaves the terminal as it was",
  [80],
  async (terminal) => {
    await terminal.type("half a line");
    await terminal.ends("ana> half a line");
    await terminal.key("C-z");
    await terminal.sees((rows) => rows.at(-1) === "$");
    await terminal.type("fg");
    await terminal.key("Enter");
    await terminal.ends("ana> half a line");
    await terminal.type(", and on");
    await terminal.ends("ana> half a line, and on");
    await terminal.key("C-c");
    await terminal.sees((rows) => rows.at(-1) === "$");
    await terminal.type("echo the shell 'is back'");
    await terminal.ends("$ echo the shell 'is back'");
  },
);
