/**
 * The file of noted values beside the log: what of it is believed, and what is written when.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { ChainFile } from "../../../src/log/chain_file.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { modeOf } from "../../kit/folder.ts";
import { testWithPath, windows, withMethod } from "../../kit/log_kit.ts";

const EVERY = 1_024;

/** A value for the mark of that place, from 1 on. */
const valueOf = (at: number): Bytes => new Uint8Array(32).fill(at);

async function load(
  path: string,
  { first = 1, last = Infinity } = {},
): Promise<[ChainFile, unknown[]]> {
  const errors: unknown[] = [];
  const failed = (error: unknown) => errors.push(error);
  return [await ChainFile.load(path, first, last, failed), errors];
}

/** The places of the marks that it has, from 1 on. */
const marksOf = (file: ChainFile) =>
  [1, 2, 3, 4, 5].filter((at) => file.at(at * EVERY) !== undefined);

/** Writes four marks. @returns The file's lines. */
async function write(path: string): Promise<string[]> {
  const [file] = await load(path);
  for (let at = 1; at <= 4; at++) file.add(at * EVERY, valueOf(at));
  return (await Deno.readTextFile(path)).split("\n").slice(0, -1);
}

testWithPath(
  "ChainFile has the marks that it was given, also when it is loaded again",
  async (path) => {
    const [empty, none] = await load(path);
    assertEquals([empty.last, marksOf(empty), none], [0, [], []]);
    const lines = await write(path);
    assertEquals(lines.length, 4);
    assert(lines[0]?.startsWith("1024 "));
    if (!windows) assertEquals(await modeOf(path), 0o600);
    const [file, errors] = await load(path);
    assertEquals([file.last, marksOf(file)], [4 * EVERY, [1, 2, 3, 4]]);
    assertEquals(file.at(2 * EVERY), valueOf(2));
    assertEquals(file.at(2 * EVERY + 1), undefined);
    assertEquals(errors, []);
  },
);

testWithPath(
  "ChainFile has the marks between two numbers, and up to the first that is missing or damaged",
  async (path) => {
    const lines = await write(path);
    const marks = async (
      text: string,
      range: { first?: number; last?: number } = {},
    ) => {
      await Deno.writeTextFile(path, text);
      const [file, errors] = await load(path, range);
      assertEquals(errors, []);
      return marksOf(file);
    };
    const text = (some: readonly string[]) => `${some.join("\n")}\n`;
    const whole = text(lines);
    assertEquals(await marks(whole, { first: EVERY }), [1, 2, 3, 4]);
    assertEquals(await marks(whole, { first: EVERY + 1 }), [2, 3, 4]);
    assertEquals(await marks(whole, { last: 3 * EVERY }), [1, 2, 3]);
    assertEquals(await marks(whole, { last: 3 * EVERY - 1 }), [1, 2]);
    assertEquals(await marks(text(lines.toSpliced(2, 1))), [1, 2]);
    assertEquals(await marks(text(lines.toSpliced(0, 1))), []);
    assertEquals(
      await marks(text(lines.toSpliced(0, 1)), { first: 2 * EVERY }),
      [2, 3, 4],
    );
    assertEquals(await marks(text(lines.toSpliced(1, 0, "?"))), [1]);
    assertEquals(await marks(text(lines).slice(0, -1)), [1, 2, 3]);
    for (const at of [0, 6, 30, 49, 52]) {
      const line = lines[1] ?? "";
      const other = line[at] === "9" ? "8" : "9";
      const damaged = line.slice(0, at) + other + line.slice(at + 1);
      assertEquals(await marks(text(lines.with(1, damaged))), [1], damaged);
    }
    assertEquals(await marks(text(lines.with(1, `${lines[1]}x`))), [1]);
    assertEquals(await marks(text(lines.with(1, `x${lines[1]}`))), [1]);
  },
);

testWithPath(
  "ChainFile adds a line to a file that is as it was, and else writes all",
  async (path) => {
    const lines = await write(path);
    const text = (some: readonly string[]) => `${some.join("\n")}\n`;
    const whole = text(lines);
    // What was written in between stays only where nothing is written anew.
    const afterAdding = async (before: string, kept: number) => {
      await Deno.writeTextFile(path, before);
      const [file] = await load(path);
      assertEquals(marksOf(file).length, kept);
      await Deno.writeTextFile(path, before.length > 0 ? "as it was\n" : "");
      file.add((kept + 1) * EVERY, valueOf(kept + 1));
      return await Deno.readTextFile(path);
    };
    assertEquals(
      await afterAdding(text(lines.slice(0, 2)), 2),
      `as it was\n${lines[2]}\n`,
    );
    assertEquals(await afterAdding("", 0), `${lines[0]}\n`);
    const brokenOff = whole.slice(0, whole.indexOf(`${lines[3]}`) + 9);
    assertEquals(await afterAdding(brokenOff, 3), whole);
    const damaged = text(lines.with(2, "?"));
    assertEquals(await afterAdding(damaged, 2), text(lines.slice(0, 3)));
    // Once all is written, lines are added again; and somebody may empty it.
    await Deno.writeTextFile(path, text(lines.slice(0, 1)).slice(0, -1));
    const [file] = await load(path);
    file.add(EVERY, valueOf(1));
    await Deno.writeTextFile(path, "as it was\n");
    file.add(2 * EVERY, valueOf(2));
    const added = `as it was\n${lines[1]}\n`;
    assertEquals(await Deno.readTextFile(path), added);
    await Deno.writeTextFile(path, "");
    file.add(3 * EVERY, valueOf(3));
    assertEquals(await Deno.readTextFile(path), text(lines.slice(0, 3)));
  },
);

testWithPath(
  "ChainFile forgets the marks from a number on, and writes those that are left with the next",
  async (path) => {
    const lines = await write(path);
    for (const [from, left] of [[2 * EVERY, 1], [2 * EVERY + 1, 2]] as const) {
      await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
      const [file] = await load(path);
      file.cut(from);
      assertEquals([file.last, marksOf(file).length], [left * EVERY, left]);
      file.add((left + 1) * EVERY, valueOf(left + 1));
      const text = `${lines.slice(0, left + 1).join("\n")}\n`;
      assertEquals(await Deno.readTextFile(path), text);
    }
  },
);

testWithPath(
  "ChainFile says once why the file can't be used, and keeps marks in memory",
  async (path) => {
    await Deno.mkdir(path);
    const [file, errors] = await load(path);
    assertEquals(errors.map(String), ["Error: it is a folder"]);
    file.add(EVERY, valueOf(1));
    assertEquals([errors.length, marksOf(file)], [1, [1]]);
    await Deno.remove(path);
    file.add(2 * EVERY, valueOf(2));
    assertEquals([errors.length, marksOf(file)], [1, [1, 2]]);
    await assertMissing(path);
  },
);

testWithPath(
  "ChainFile says once why it can't be written to, and writes no more",
  async (path) => {
    const [file, errors] = await load(path);
    const fail = () => () => {
      throw new Error("Input/output error");
    };
    await withMethod(Deno.FsFile.prototype, "writeSync", fail, () => {
      file.add(EVERY, valueOf(1));
      return Promise.resolve();
    });
    file.add(2 * EVERY, valueOf(2));
    assertEquals(errors.map(String), ["Error: Input/output error"]);
    assertEquals(marksOf(file), [1, 2]);
    assertEquals(await Deno.readTextFile(path), "");
  },
);

testWithPath(
  "ChainFile closes the file to others, writes through a link, and into nothing but an ordinary file",
  async (path) => {
    await write(path);
    await Deno.chmod(path, 0o644);
    const [file] = await load(path);
    assertEquals(await modeOf(path), 0o600);
    await Deno.rename(path, `${path}.other`);
    await Deno.symlink(`${path}.other`, path);
    const { size } = await Deno.stat(path);
    file.add(5 * EVERY, valueOf(5));
    assert((await Deno.lstat(path)).isSymlink);
    assert((await Deno.stat(`${path}.other`)).size > size);
    const [linked, errors] = await load(path);
    assertEquals(marksOf(linked), [1, 2, 3, 4, 5]);
    await Deno.remove(path);
    await Deno.mkdir(path);
    linked.add(6 * EVERY, valueOf(6));
    assertEquals(errors.map(String), ["Error: it is a folder"]);
  },
  windows,
);

async function assertMissing(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(() => undefined);
  assertEquals(info, undefined);
}
