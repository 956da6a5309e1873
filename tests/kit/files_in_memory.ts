/**
 * The files of a log, in memory.
 *
 * @module
 */

import { LogFile } from "../../src/log/file.ts";
import { formatEntry } from "../../src/log/line_format.ts";
import { FileInMemory } from "./file_in_memory.ts";
import { said } from "./log_kit.ts";

/** When tests with these files take place, ms since 1970. */
export const NOW = Date.UTC(2026, 10, 23);

/** Files in memory, each of which begins with the number of its place, from 1 on. */
export class FilesInMemory {
  readonly files: LogFile[] = [];
  readonly #texts: string[];
  /** How often each was opened. */
  readonly opened: number[];

  private constructor(texts: string[]) {
    this.#texts = texts;
    this.opened = texts.map(() => 0);
  }

  static async of(...texts: string[]): Promise<FilesInMemory> {
    const it = new FilesInMemory(texts);
    for (const at of texts.keys()) {
      const heading = new FileInMemory(`# continues at event ${at + 1}\n`);
      const path = `/srv/log.d/chat.log.${texts.length - at}`;
      const file = await LogFile.read(path, heading.file);
      if (file) it.files.push(file);
    }
    return it;
  }

  openFile(file: LogFile): Promise<Deno.FsFile | undefined> {
    const at = this.files.indexOf(file);
    if (at < 0) throw new Error("There is no such file");
    this.opened[at] = (this.opened[at] ?? 0) + 1;
    const text = this.#texts[at] ?? "";
    if (text === "gone") return Promise.resolve(undefined);
    if (text === "locked") return Promise.reject(new Error("It is locked"));
    const memory = new FileInMemory(text);
    if (text === "broken") memory.fail();
    return Promise.resolve(memory.file);
  }
}

/** A line of a time, ms from now. */
export const at = (ms: number, text?: string) =>
  `${formatEntry({ ...said(1, text), at: NOW + ms })}\n`;
