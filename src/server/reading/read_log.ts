/**
 * `deno task log --key`: prints a log, or what is found in it, without a server.
 *
 * @module
 */

import { AdvisedError } from "../../base/advised_error.ts";
import { complain, print } from "../../base/output.ts";
import { logCommand } from "../../base/program.ts";
import { ReadFiles } from "../../log/read_files.ts";
import { controlVerb } from "../../protocol/line.ts";
import { readControlFile } from "../sealed/control_file.ts";
import { type LogKey, openKey } from "./log_key.ts";
import { LogLines, type Read } from "./log_lines.ts";
import { LogSearch } from "./log_search.ts";
import { LogWords, type Told } from "./log_words.ts";

/** What is wanted. */
export interface ReadOptions {
  /** The paths of the log's files. */
  readonly paths: readonly string[];
  /** The path of `chat.control`. */
  readonly control: string;
  /** A link, the path of an identity, or "-" for a link on standard input. */
  readonly key: string | undefined;
  /** What is searched for; undefined for all lines. */
  readonly search: string | undefined;
  /** Whether JSON is printed. */
  readonly json: boolean;
}

/** Prints a log. @returns Whether all fits. @throws {AdvisedError} | {FileError} | {OutputError} */
export async function readLog(options: ReadOptions): Promise<boolean> {
  const { search, json } = options;
  const files = await ReadFiles.open(options.paths);
  const key = await keyOf(options, files);
  const lines = new LogLines(files, key);
  const words = new LogWords(json, key?.person, lines.recent);
  const out = new Output(json);
  const searching = search === undefined ? undefined : new LogSearch(search);
  for await (const some of lines.read()) {
    for (const read of some) tell(read, { words, out, searching });
    out.flush();
  }
  const found = await searching?.found((seq) => lines.line(seq)) ?? [];
  for (const line of found) out.tell(words.line(line));
  out.flush();
  if (key?.limits) complain(`${key.limits}\n`);
  return !out.hasWarned;
}

/** What a sealed room's log is opened with; undefined for an open room's. */
async function keyOf(
  { key, control, paths }: ReadOptions,
  files: ReadFiles,
): Promise<LogKey | undefined> {
  const kept = await readControlFile(control);
  if (kept || await isSealed(files)) {
    if (key !== undefined) return await openKey(key, control);
    throw new AdvisedError(
      `Cannot read ${paths.join(", ")}: the room is sealed`,
      `Give the file of a member's identity, or a link of the room: ${logCommand()} --key FILE`,
    );
  }
  if (key !== undefined) {
    complain("The room is open: its log is readable, and no key is needed.\n");
  }
  return undefined;
}

/** Whether the newest lines are a sealed room's. */
async function isSealed(files: ReadFiles): Promise<boolean> {
  for (const file of files.list) {
    for await (const lines of files.lines(file)) {
      return lines.some(({ what }) => what === "ruled" || what === "sealed");
    }
  }
  return false;
}

/** What telling needs. */
interface Telling {
  readonly words: LogWords;
  readonly out: Output;
  readonly searching: LogSearch | undefined;
}

function tell(read: Read, { words, out, searching }: Telling): void {
  if (read.kind !== "line") return out.tell(words.gap(read));
  const { line } = read;
  // The server's own line tells of another name.
  const isHidden = line.what === "ruled" && line.wrong === undefined &&
    controlVerb(line.text) === "rename";
  if (!isHidden) {
    if (searching) searching.take(line);
    else out.tell(words.line({ line }));
    if (searching && line.wrong !== undefined) out.warned();
  }
}

/** Where it goes: lines to standard output, warnings of a plain log to standard error. */
class Output {
  readonly #isJson: boolean;
  #waiting: string[] = [];
  /** Whether anything doesn't fit. */
  hasWarned = false;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  tell({ text, isWarning }: Told): void {
    if (isWarning) this.hasWarned = true;
    if (this.#isJson || !isWarning) return void this.#waiting.push(text);
    this.flush(); // so that it stands where it belongs, on a terminal
    complain(text);
  }

  warned(): void {
    this.hasWarned = true;
  }

  flush(): void {
    if (this.#waiting.length > 0) print(this.#waiting.join(""));
    this.#waiting = [];
  }
}
