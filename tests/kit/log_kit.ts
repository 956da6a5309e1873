/**
 * What the tests of the log share: entries, places, openings.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../crypto_utils.ts";
import { CHAIN_START, chainGap, chainValue } from "../../src/protocol/chain.ts";
import { ChatLog, type ChatLogOptions } from "../../src/log/chat_log.ts";
import type { HeardLine } from "../../src/protocol/changes.ts";
import {
  type LogEntry,
  type NewEntry,
  numberEntry,
} from "../../src/protocol/line.ts";
import { inFolder, namesIn } from "./folder.ts";
import { madeUpPerson, madeUpStay } from "./people.ts";
import { replaced } from "./replaced.ts";

export const ADDRESS = "0.0.0.0:5000";
export const PERSON = "k3df9q2mx7ta41cz";
export const STAY = "Yk3xQ0p1a2c";
export const windows = Deno.build.os === "windows";

export const said = (n: number, text = `text ${n}`): NewEntry => ({
  at: Date.UTC(2026, 10, 23) + n,
  person: PERSON,
  stay: STAY,
  n,
  what: "said",
  name: "Abhii",
  text,
});

export const saidUpTo = (count: number): NewEntry[] =>
  Array.from({ length: count }, (_, at) => said(at + 1));

export const numbered = (
  entries: readonly NewEntry[],
  first = 1,
): LogEntry[] => entries.map((entry, at) => numberEntry(entry, first + at));

/** A line of ana's, as a client hears it; nobody has signed it. */
export const lineOf = (
  seq: number,
  more: Partial<HeardLine> = {},
): HeardLine => ({
  ...{ seq, at: seq, person: madeUpPerson("ana"), stay: madeUpStay("ana") },
  ...{ n: seq, what: "said", name: "ana", text: `text ${seq}`, to: null },
  ...more,
});

/** The chain's values for lines 0 to `upTo`, after lines from the first on, as the protocol says it. */
export function valuesFor(
  entries: readonly LogEntry[],
  upTo = entries.at(-1)?.seq ?? 0,
): readonly Bytes[] {
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  let value = CHAIN_START;
  const values = [value];
  for (let seq = 1; seq <= upTo; seq++) {
    const entry = bySeq.get(seq);
    value = entry ? chainValue(value, entry) : chainGap(value, seq);
    values.push(value);
  }
  return values;
}

/** The chain's value for line `upTo`. */
export function valueFor(entries: readonly LogEntry[], upTo?: number): Bytes {
  return valuesFor(entries, upTo).at(-1) ?? CHAIN_START;
}

/** The heading of a file that goes on after those lines. */
export function headingAfter(entries: readonly LogEntry[], upTo?: number) {
  const value = valueFor(entries, upTo);
  const last = upTo ?? entries.length;
  return `# continues at event ${last + 1} after ${toBase64url(value)}\n`;
}

export async function pastOf(
  log: ChatLog,
  after = 0,
  upTo = Infinity,
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const piece of log.past(after, upTo)) entries.push(...piece);
  return entries;
}

export const openLog = (
  path: string,
  options: Partial<ChatLogOptions> = {},
): Promise<ChatLog> => ChatLog.open(path, { address: ADDRESS, ...options });

/** The names of the files in the folder of a path, but for the lock, in order. */
export async function namesBeside(path: string): Promise<string[]> {
  const names = await namesIn(path.replace(/\/[^/]*$/, ""));
  return names.filter((name) => !name.endsWith(".lock"));
}

/** A test with a path for a log in a folder of its own. */
export function testWithPath(
  name: string,
  test: (path: string) => Promise<void>,
  ignore = false,
) {
  Deno.test({
    name,
    ignore,
    fn: () => inFolder((folder) => test(`${folder}/chat.log`)),
  });
}

/** Runs a body while a method of an object does something else. */
export async function withMethod<T extends object, K extends keyof T>(
  object: T,
  method: K,
  replacement: (original: T[K]) => T[K],
  body: () => Promise<unknown>,
): Promise<void> {
  using _ = replaced(object, method, replacement(object[method]));
  await body();
}

/**
 * Runs a body while what is to be written to a log waits.
 * @param body Is given what resolves once something waits, and what lets it be written, as the body's end does, too.
 */
export async function withLateLog(
  log: ChatLog,
  body: (comes: Promise<void>, mend: () => void) => Promise<unknown>,
): Promise<void> {
  const { promise: works, resolve: mend } = Promise.withResolvers<void>();
  const { promise: comes, resolve: coming } = Promise.withResolvers<void>();
  const late =
    (append: ChatLog["append"]): ChatLog["append"] => async (...parts) => {
      coming();
      await works;
      return await append.apply(log, parts);
    };
  await withMethod(log, "append", late, async () => {
    try {
      await body(comes, mend);
    } finally {
      mend();
    }
  });
}

/** How many files are closed while something is done. */
export function closings(step: () => void): number {
  let count = 0;
  const { prototype } = Deno.FsFile;
  const { close } = prototype;
  const counting = function (this: Deno.FsFile) {
    count++;
    close.call(this);
  };
  using _ = replaced(prototype, "close", counting);
  step();
  return count;
}

/** Runs a body. @returns The names of the files that it left open, without their folders. */
export async function leftOpen(
  body: () => Promise<unknown>,
): Promise<string[]> {
  const files = new Map<Deno.FsFile, string>();
  const note = (file: Deno.FsFile, name: string | URL) => {
    files.set(file, `${name}`.replace(/.*\//, ""));
    return file;
  };
  const noteOpen =
    (open: typeof Deno.open): typeof Deno.open => async (name, options) =>
      note(await open(name, options), name);
  const noteEnd = (end: () => void) =>
    function (this: Deno.FsFile) {
      files.delete(this);
      end.call(this);
    };
  const { prototype } = Deno.FsFile;
  await withMethod(
    Deno,
    "open",
    noteOpen,
    () =>
      withMethod(
        prototype,
        "close",
        noteEnd,
        () => withMethod(prototype, Symbol.dispose, noteEnd, body),
      ),
  );
  return [...files.values()];
}

/** Runs a body, and tells what reached the disk while it ran, and what was renamed or deleted beside a path, in order. */
export async function happeningsOf(
  path: string,
  body: () => Promise<unknown>,
): Promise<string[]> {
  const folder = path.replace(/[^/]*$/, "");
  const happenings: string[] = [];
  const { prototype } = Deno.FsFile;
  const kinds = new WeakMap<Deno.FsFile, string>();
  const told = (name: unknown) => `${name}`.replace(folder, "");
  const noteOpen =
    (open: typeof Deno.open): typeof Deno.open => async (name, options) => {
      const file = await open(name, options);
      if (name === `${folder}.`) kinds.set(file, "the folder");
      return file;
    };
  const noteSync = (sync: Deno.FsFile["sync"]) =>
    function (this: Deno.FsFile) {
      happenings.push(kinds.get(this) ?? "a file");
      return sync.call(this);
    };
  const noteRename = <T extends void | Promise<void>>(
    rename: (from: string | URL, to: string | URL) => T,
  ) =>
  (from: string | URL, to: string | URL) => {
    happenings.push(`${told(from)} to ${told(to)}`);
    return rename(from, to);
  };
  const noteRemove =
    (remove: typeof Deno.remove): typeof Deno.remove => (name) => {
      happenings.push(`no ${told(name)}`);
      return remove(name);
    };
  using _open = replaced(Deno, "open", noteOpen(Deno.open));
  const { sync, syncData } = prototype;
  using _sync = replaced(prototype, "sync", noteSync(sync));
  using _syncData = replaced(prototype, "syncData", noteSync(syncData));
  const { rename, renameSync, remove } = Deno;
  using _renameSync = replaced(Deno, "renameSync", noteRename(renameSync));
  using _rename = replaced(Deno, "rename", noteRename(rename));
  using _remove = replaced(Deno, "remove", noteRemove(remove));
  await body();
  return happenings;
}

/** The last `count` entries, at most 200, with seq < `before`, oldest first. */
export async function lastOf(
  log: ChatLog,
  count: number,
  before = Infinity,
): Promise<readonly LogEntry[]> {
  return (await log.search("", { limit: count, before })).entries;
}
