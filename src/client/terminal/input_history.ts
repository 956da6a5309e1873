/**
 * What somebody typed, kept between runs in a private file, so that the arrow keys bring it back.
 *
 * The file has one line for each, oldest first, escaped like the log. Each is appended as it comes; the file is
 * cut to its size when the program ends, and replaced whole then.
 *
 * @module
 */

import {
  fileError,
  PRIVATE_FILE,
  readPrivate,
  writePrivate,
} from "../../base/private_file.ts";
import { reasonOf } from "../../base/error_reason.ts";
import { escapeLine, unescapeLine } from "../../base/safe_text.ts";

/** The lines that somebody typed. */
export class InputHistory {
  readonly #path: string | undefined;
  readonly #note: (text: string) => void;
  readonly #size: number;
  #lines: string[]; // oldest first
  #broken = false;
  #isCut = false; // whether the file ends within a line
  /** Settles when all that was added is in the file; never rejects. */
  kept: Promise<void> = Promise.resolve();

  private constructor(
    path: string | undefined,
    size: number,
    note: (text: string) => void,
    lines: string[],
  ) {
    this.#path = path;
    this.#size = size;
    this.#note = note;
    this.#lines = lines;
  }

  /** A history that is kept nowhere. */
  static none(size: number): InputHistory {
    return new InputHistory(undefined, size, () => {}, []);
  }

  /**
   * The history in a file, which need not be there. One that can't be used is named in a note and left alone.
   * @param size How many lines are kept.
   */
  static async load(
    path: string,
    size: number,
    note: (text: string) => void,
  ): Promise<InputHistory> {
    try {
      const text = await readPrivate(path) ?? "";
      const history = new InputHistory(path, size, note, parse(text));
      history.#isCut = text !== "" && !text.endsWith("\n");
      return history;
    } catch (error) {
      note(`${reasonOf(error)}. Typed lines are not saved`);
      return InputHistory.none(size);
    }
  }

  /** The lines, newest first, each once. */
  get lines(): string[] {
    return this.#size === 0
      ? []
      : [...new Set(this.#lines.toReversed())].slice(0, this.#size);
  }

  /** Adds a line that was typed. */
  add(line: string): void {
    if (this.#lines.at(-1) === line || this.#size === 0) return;
    this.#lines.push(line);
    const start = this.#isCut ? "\n" : "";
    this.#isCut = false;
    this.#do((path) => append(path, `${start}${escapeLine(line)}\n`));
  }

  /** Cuts the file to its size. Another client's lines, which came meanwhile, stay. */
  async close(): Promise<void> {
    this.#do(async (path) => {
      const lines = parse(await readPrivate(path) ?? "");
      if (lines.length <= this.#size) return;
      const kept = this.#size === 0 ? [] : lines.slice(-this.#size);
      const text = kept.map((line) => `${escapeLine(line)}\n`).join("");
      await writePrivate(path, text);
    });
    await this.kept;
  }

  /** One change of the file after another; the first that fails is told, and the last. */
  #do(change: (path: string) => Promise<void>): void {
    const path = this.#path;
    if (path === undefined) return;
    this.kept = this.kept.then(async () => {
      if (this.#broken) return;
      try {
        await change(path);
      } catch (error) {
        this.#broken = true;
        this.#note(reasonOf(error));
      }
    });
  }
}

/** The lines of a file; what can't be read, such as a line that a full disk cut short, is no line. */
function parse(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [unescapeLine(line)];
    } catch {
      return []; // half an escape
    }
  });
}

async function append(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { append: true, mode: PRIVATE_FILE });
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}
