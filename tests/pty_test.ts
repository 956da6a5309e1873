/**
 * Tests of the real view in a real terminal (tmux), on what its screen shows. Where there is no tmux they are
 * ignored.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "./assert.ts";

const program = new URL("pty_program.ts", import.meta.url).pathname;
/** How long a screen may take to be as it should, ms, on a machine that is busy. */
const DEADLINE = 20_000;
/** Between two looks at the screen, ms. */
const PAUSE = 20;

/** The view in a terminal of its own. */
class Terminal {
  readonly #socket: string;
  private constructor(readonly folder: string) {
    this.#socket = `${folder}/tmux`;
  }

  /** Starts a shell, and the program in it. */
  static async open(columns: number, rows = 24): Promise<Terminal> {
    const folder = await Deno.makeTempDir({ prefix: "chat-pty-" });
    const terminal = new Terminal(folder);
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const shell = "PS1='$ ' exec bash --norc -i";
    await terminal.#tmux("new-session", "-d", ...size, "-s", "t", shell);
    await terminal.start();
    return terminal;
  }

  /** Starts the program, and waits until it shows its prompt. */
  async start(): Promise<void> {
    const permissions = "--allow-read --allow-write --allow-env";
    const run = `run -q --no-prompt ${permissions} '${program}' .`;
    await this.type(`clear; cd '${this.folder}'; '${Deno.execPath()}' ${run}`);
    await this.key("Enter");
    await this.sees((rows) => rows.at(-1) === "ana>");
  }

  /** Types a text, all of it at once. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-t", "t", "-l", text);
  }

  /** Presses a key, by tmux's name for it. */
  async key(...names: string[]): Promise<void> {
    await this.#tmux("send-keys", "-t", "t", ...names);
  }

  /** Pastes a text as a terminal does. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", text);
    await this.#tmux("paste-buffer", "-p", "-r", "-t", "t");
  }

  /** Makes the terminal wider or narrower, and waits until the program has dealt with it. */
  async resize(columns: number, rows = 24): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
    const told = () =>
      Deno.readTextFile(`${this.folder}/columns`).catch(() => "");
    for (const end = Date.now() + DEADLINE; await told() !== `${columns}`;) {
      assert(
        Date.now() < end,
        `The program doesn't know of ${columns} columns`,
      );
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }

  /** Waits until the rows, without the empty ones at the end, are as they should be. */
  async sees(isRight: (rows: string[]) => boolean): Promise<string[]> {
    let rows: string[] = [];
    for (const end = Date.now() + DEADLINE; Date.now() < end;) {
      const screen = await this.#tmux("capture-pane", "-p", "-t", "t");
      rows = screen.trimEnd().split("\n").map((row) => row.trimEnd());
      if (isRight(rows)) return rows;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    throw new Error(`The screen shows:\n${rows.join("\n")}`);
  }

  /** Waits until the last rows are these. */
  async ends(...last: string[]): Promise<string[]> {
    try {
      return await this.sees((rows) =>
        rows.slice(-last.length).join("\n") === last.join("\n")
      );
    } catch (error) {
      throw new Error(`It should end with:\n${last.join("\n")}`, {
        cause: error,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    await Deno.remove(this.folder, { recursive: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-S", this.#socket, "-f", "/dev/null", ...args],
      env: { LC_ALL: "C.UTF-8" },
    }).output();
    const decoder = new TextDecoder();
    assert(success, `${args[0]}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}

const hasTmux = await new Deno.Command("tmux", { args: ["-V"] }).output()
  .then(({ success }) => success, () => false);

/** A test in a terminal of each of the widths. */
function test(
  name: string,
  widths: readonly number[],
  body: (terminal: Terminal, columns: number) => Promise<void>,
): void {
  for (const columns of widths) {
    const reason = hasTmux ? "" : " (ignored: no tmux here)";
    Deno.test({
      name: `in a terminal of ${columns} columns, ${name}${reason}`,
      ignore: !hasTmux,
      async fn() {
        await using terminal = await Terminal.open(columns);
        await body(terminal, columns);
      },
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
    await terminal.type(`${start}日本😀`);
    await terminal.ends(`ana> ${start}日本`, "😀");
    await terminal.key("BSpace", "BSpace");
    await terminal.ends(`ana> ${start}日`);
    await terminal.type("語ab");
    await terminal.ends(`ana> ${start}日語a`, "b");
    await terminal.key("C-u");
    await terminal.type("!cjk");
    await terminal.key("Enter");
    await terminal.type("元気😀");
    const rows = await terminal.ends("ana> 元気😀");
    assertStringIncludes(rows.join(""), "日本語の長い行");
    await terminal.key("Enter");
    await terminal.sees((rows) =>
      rows.at(-1) === "ana>" &&
      rows.at(-2)?.endsWith("ana        元気😀") === true
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
      await terminal.resize(columns);
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
    await terminal.start();
    await terminal.key("Up");
    await terminal.ends("ana> /me waves");
    await terminal.key("Up");
    await terminal.ends("ana> first line");
  },
);

test(
  "the prompt counts down while away, beside what is typed",
  BOTH,
  async (terminal, columns) => {
    await terminal.type("!away");
    await terminal.key("Enter");
    await terminal.type("see you");
    const text = (seconds: number) =>
      wrapped(`ana (away, next try in ${seconds} s)> see you`, columns);
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
