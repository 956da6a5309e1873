/**
 * A real terminal for the tests: a shell in tmux, keys into it, and what its screen shows.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { Folder } from "./folder.ts";
import { runToEnd, succeeds } from "./command.ts";

/** How long a screen may take to be as it should, ms, on a machine that is busy. */
const DEADLINE = 20_000;
/** Between two looks at the screen, ms. */
const PAUSE = 20;

/** Whether there is a tmux here. */
export const hasTmux: boolean = await succeeds("tmux", "-V");

/** A shell in a terminal of its own. */
export class Terminal implements AsyncDisposable {
  readonly #socket: string;
  private constructor(readonly folder: Folder) {
    this.#socket = folder.file("tmux");
  }

  /** Starts the shell, in an empty folder. */
  static async open(columns: number, rows = 24): Promise<Terminal> {
    const terminal = new Terminal(await Folder.make());
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const shell = "PS1='$ ' exec bash --norc -i";
    const where = ["-c", terminal.folder.path, "-s", "t"];
    await terminal.tmux("new-session", "-d", ...size, ...where, shell);
    return terminal;
  }

  /** Types a text, all of it at once. */
  async type(text: string): Promise<void> {
    await this.tmux("send-keys", "-t", "t", "-l", text);
  }

  /** Presses a key, by tmux's name for it. */
  async key(...names: string[]): Promise<void> {
    await this.tmux("send-keys", "-t", "t", ...names);
  }

  /** Types a line, and Enter. */
  async line(text: string): Promise<void> {
    await this.type(text);
    await this.key("Enter");
  }

  /** Pastes a text as a terminal does. */
  async paste(text: string): Promise<void> {
    await this.tmux("set-buffer", text);
    await this.tmux("paste-buffer", "-p", "-r", "-t", "t");
  }

  /** Makes the terminal wider or narrower. */
  async resize(columns: number, rows = 24): Promise<void> {
    await this.tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** The rows, without the empty ones at the end. */
  async rows(): Promise<string[]> {
    const screen = await this.tmux("capture-pane", "-p", "-t", "t");
    return screen.trimEnd().split("\n").map((row) => row.trimEnd());
  }

  /** Waits until the rows, without the empty ones at the end, are as they should be. */
  async sees(isRight: (rows: string[]) => boolean): Promise<string[]> {
    let rows: string[] = [];
    for (const end = Date.now() + DEADLINE; Date.now() < end;) {
      rows = await this.rows();
      if (isRight(rows)) return rows;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    throw new Error(`The screen shows:\n${rows.join("\n")}`);
  }

  /** Waits until a row is this text, the time before it and its indent aside, or matches this pattern. */
  async shows(row: string | RegExp): Promise<string[]> {
    try {
      return await this.sees((rows) =>
        typeof row === "string"
          ? untimed(rows).includes(row)
          : rows.some((shown) => row.test(shown))
      );
    } catch (error) {
      throw new Error(`It should show: ${row}`, { cause: error });
    }
  }

  /** Waits until the last row begins so. */
  prompts(start: string): Promise<string[]> {
    return this.sees((rows) => rows.at(-1)?.startsWith(start) === true);
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

  /** Ends all that runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux("kill-server");
    await this.folder[Symbol.asyncDispose]();
  }

  /** Asks tmux for something. @returns What it answers. */
  async tmux(...args: string[]): Promise<string> {
    const words = [
      "tmux",
      "-u",
      "-S",
      this.#socket,
      "-f",
      "/dev/null",
      ...args,
    ];
    const env = { LC_ALL: "C.UTF-8" };
    const { code, stdout, stderr } = await runToEnd(words, { env });
    assertEquals(code, 0, `${args[0]}: ${stderr}`);
    return stdout;
  }
}

/** The rows, without times and what indents them. */
export function untimed(rows: readonly string[]): string[] {
  return rows.map((row) => row.replace(/^\d\d:\d\d\s+/, "").trim());
}

/** A test that needs a terminal; ignored where there is none. */
export function terminalTest(name: string, fn: () => Promise<void>): void {
  const reason = hasTmux ? "" : " (ignored: no tmux here)";
  Deno.test({ name: `${name}${reason}`, ignore: !hasTmux, fn });
}
