/**
 * Tests of the real view in a real terminal (tmux), on what its screen shows. Where there is no tmux they are
 * ignored.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";

const program = new URL("../kit/pty_program.ts", import.meta.url).pathname;
/** How long the program may take to hear of something, ms, on a machine that is busy. */
const DEADLINE = 20_000;
/** Between two looks, ms. */
const PAUSE = 20;

/** Starts the program, and waits until it shows its prompt. */
async function start(terminal: Terminal): Promise<void> {
  const permissions = "--allow-read --allow-write --allow-env";
  const run = `run -q --no-prompt ${permissions} '${program}' .`;
  await terminal.line(`clear; '${Deno.execPath()}' ${run}`);
  await terminal.ends("ana>");
}

/** Waits until a file of the program's is as it should be. */
async function until(
  { folder }: Terminal,
  name: string,
  isRight: (text: string) => boolean,
): Promise<void> {
  const text = () => Deno.readTextFile(folder.file(name)).catch(() => "");
  for (const end = Date.now() + DEADLINE; !isRight(await text());) {
    assert(Date.now() < end, `The program's "${name}" is ${await text()}`);
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

/** Makes the terminal wider or narrower, and waits until the program has dealt with it. */
async function resize(terminal: Terminal, columns: number): Promise<void> {
  await terminal.resize(columns);
  await until(terminal, "columns", (told) => told === `${columns}`);
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
  const first = text.slice(0, columns - 1);
  const rows = [first.trimEnd()];
  const room = columns - 3; // the indent, and the cursor's cell
  for (let at = first.length; at < text.length; at += room) {
    rows.push(`  ${text.slice(at, at + room)}`.trimEnd());
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
    // The emoji begins in the last cells of the row, where it has no place.
    const start = "x".repeat(columns - "ana> ".length - 6);
    /** The rows from the first that a prompt begins: none of an earlier one may be left. */
    const shows = (...prompt: string[]) =>
      terminal.sees((rows) => {
        const at = rows.findIndex((row) => row.startsWith("ana>"));
        return rows.slice(at).join("\n") === prompt.join("\n");
      });
    await terminal.type(`${start}日本😀`);
    await shows(`ana> ${start}日本`, "  😀");
    await terminal.key("BSpace", "BSpace");
    await shows(`ana> ${start}日`);
    await terminal.type("語ab");
    await shows(`ana> ${start}日語a`, "  b");
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
      / ana(:| {7}) 元気😀$/.test(rows.at(-2) ?? "")
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
      const first = rows.findIndex((row) => row.startsWith("ana>"));
      const above = rows.slice(0, first).join("");
      assert(/message 49.*message 50$/.test(above), above);
      assertEquals(rows.filter((row) => row.startsWith("ana>")).length, 1);
    }
    await terminal.type("!");
    await terminal.ends(`ana> ${line}!`);
  },
);

test(
  "many lines that are pasted can be edited, dropped, and sent as one message",
  BOTH,
  async (terminal) => {
    await terminal.type("look: ");
    await terminal.paste("one\ntwo\nthree\n");
    await terminal.ends("ana> look: one", "… two", "… three");
    await terminal.key("C-c");
    await terminal.ends("ana>");
    await terminal.key("C-_");
    await terminal.ends("ana> look: one", "… two", "… three");
    await terminal.key("Up", "Up", "End");
    await terminal.type("!");
    await terminal.ends("ana> look: one!", "… two", "… three");
    await terminal.key("Enter");
    const rows = await terminal.sees((rows) =>
      rows.at(-1) === "ana>" && rows.at(-2)?.trim() === "three"
    );
    assertEquals(
      rows.slice(-4, -1).map((row) => row.trim().replace(/.* l/, "l")),
      [
        "look: one!",
        "two",
        "three",
      ],
    );
  },
);

const FLAG = "🇮🇳";
const FAMILY = "👨‍👩‍👧"; // of a larger one tmux forgets a child

/** All that can be scrolled to, and what is on the screen. */
async function everything(terminal: Terminal): Promise<string[]> {
  const text = await terminal.tmux("capture-pane", "-p", "-S-", "-t", "t");
  return text.trimEnd().split("\n").map((row) => row.trimEnd());
}

test(
  "flags and families are edited, and take no row of what stands above the prompt",
  [40, 80],
  async (terminal, columns) => {
    const pairs = columns / 20;
    const half = `${FLAG}${FAMILY}`.repeat(pairs);
    /** The prompt and the line, whatever rows they have. */
    const shows = (line: string) =>
      terminal.sees((rows) => {
        const at = rows.findIndex((row) => row.startsWith("ana>"));
        const draft = rows.slice(at).map((row) => row.replace(/^ {2}/, ""));
        return draft.join("") === `ana> ${line}`;
      });
    await terminal.line("one");
    await terminal.line("two");
    await terminal.sees((rows) => rows.at(-2)?.endsWith("two") === true);
    await terminal.type(half + half);
    await shows(half + half);
    for (let at = 0; at < 2 * pairs; at++) await terminal.key("Left");
    await terminal.type("here");
    await shows(`${half}here${half}`);
    await terminal.key("End", "BSpace", "BSpace", "Home", "Delete");
    const rows = await shows(
      `${half.slice(FLAG.length)}here${
        half.slice(0, -`${FLAG}${FAMILY}`.length)
      }`,
    );
    const first = rows.findIndex((row) => row.startsWith("ana>"));
    assertEquals(
      rows.slice(first - 2, first).map((row) => row.replace(/.* /, "")),
      ["one", "two"],
    );
  },
);

test(
  "a draft taller than the terminal is shown in part, and leaves no copies",
  BOTH,
  async (terminal) => {
    await terminal.line("before");
    await terminal.sees((rows) => rows.at(-2)?.endsWith("before") === true);
    for (let n = 1; n < 40; n++) {
      await terminal.type(`row ${n}`);
      await terminal.key("C-j");
    }
    await terminal.type("row 40");
    const last = await terminal.ends("… row 38", "… row 39", "… row 40");
    assertEquals(last.at(-12), "↑ row 29");
    for (let n = 40; n > 20; n--) await terminal.key("Up");
    const middle = await terminal.ends("… row 30", "↓ row 31");
    assertEquals(middle.at(-12), "↑ row 20");
    assertEquals(
      (await everything(terminal)).filter((row) => /row \d/.test(row)),
      middle.slice(-12),
    );
    await terminal.key("Enter");
    await terminal.sees((rows) =>
      rows.at(-1) === "ana>" && rows.at(-2)?.trim() === "row 40"
    );
    const all = await everything(terminal);
    const sent = all.filter((row) => /row \d/.test(row));
    assertEquals(
      sent.map((row) => row.replace(/.*row/, "row")),
      Array.from({ length: 40 }, (_, at) => `row ${at + 1}`),
    );
  },
);

test(
  "Ctrl-L leaves the line alone on the screen, all else and no copies above it",
  BOTH,
  async (terminal) => {
    await terminal.line("one");
    await terminal.sees((rows) => rows.at(-2)?.endsWith("one") === true);
    await terminal.type("half");
    await terminal.key("C-l");
    await terminal.sees((rows) => rows.join("\n") === "ana> half");
    for (const letter of " a line") await terminal.type(letter);
    await terminal.sees((rows) => rows.join("\n") === "ana> half a line");
    const all = await everything(terminal);
    assertEquals(all.filter((row) => row.startsWith("ana>")), [
      "ana> half a line",
    ]);
    assert(/ ana(:| {7}) one$/.test(all.at(-2) ?? ""), all.at(-2));
  },
);

test(
  "a paste whose end never comes ends at Ctrl-C, or after a pause",
  [80],
  async (terminal) => {
    await terminal.type("\x1b[200~abc");
    await terminal.ends("ana> abc");
    await terminal.folder.write("patient", ""); // so no pause ends the next one
    await terminal.type("\x1b[200~def");
    // The system throws away at Ctrl-C what nobody has read.
    await until(terminal, "read", (bytes) => bytes.endsWith("def"));
    await terminal.key("C-c");
    await terminal.ends("ana> abcdef");
    await terminal.key("C-c");
    await terminal.ends("ana>");
  },
);

test(
  "Ctrl-R searches what was typed, Alt-Enter begins a new line",
  BOTH,
  async (terminal) => {
    await terminal.line("meet at six");
    await terminal.line("hello");
    await terminal.sees((rows) => rows.at(-2)?.endsWith("hello") === true);
    await terminal.key("C-r");
    await terminal.type("six");
    await terminal.ends('search "six"> meet at six');
    await terminal.key("Escape");
    await terminal.ends("ana>");
    await terminal.key("C-r");
    await terminal.type("meet");
    await terminal.key("End");
    await terminal.ends("ana> meet at six");
    await terminal.key("M-Enter");
    await terminal.type("or seven");
    await terminal.ends("ana> meet at six", "… or seven");
    await terminal.key("Enter");
    await terminal.sees((rows) =>
      rows.at(-1) === "ana>" && rows.at(-2)?.trim() === "or seven"
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
    await terminal.ends("$");
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
    /** Waits until it shows fewer seconds, and the line whole. @returns How many. */
    const counts = async (below: number) => {
      let seconds = below;
      await terminal.sees((rows) => {
        const shown = /next try in (\d+)/.exec(rows.join(""))?.[1];
        seconds = Number(shown);
        const prompt = text(seconds);
        return seconds < below &&
          rows.slice(-prompt.length).join("\n") === prompt.join("\n");
      });
      return seconds;
    };
    await counts(await counts(30));
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
    await terminal.ends("$");
    await terminal.type("fg");
    await terminal.key("Enter");
    await terminal.ends("ana> half a line");
    await terminal.type(", and on");
    await terminal.ends("ana> half a line, and on");
    await terminal.key("C-c");
    await terminal.ends("ana>");
    await terminal.key("C-c");
    await terminal.ends("Press Ctrl-C again to leave");
    await terminal.key("C-c");
    await terminal.ends("$");
    await terminal.type("echo the shell 'is back'");
    await terminal.ends("$ echo the shell 'is back'");
  },
);
