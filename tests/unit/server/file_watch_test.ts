/**
 * Seeing that a small file changes.
 *
 * @module
 */

import { configure, reset } from "@logtape/logtape";
import { FileWatch } from "../../../src/server/file_watch.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { ManualClock } from "../../kit/memory_stream.ts";

/** What is warned of, from now on until it is disposed of. */
async function warnings(): Promise<{ said: string[] } & AsyncDisposable> {
  const said: string[] = [];
  await configure({
    sinks: { test: ({ message }) => said.push(message.join("")) },
    loggers: [
      { category: ["encrypted-chat", "server"], sinks: ["test"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  return { said, [Symbol.asyncDispose]: reset };
}

/** A file that others change, and what was read of it. */
class Watched implements AsyncDisposable {
  readonly read: string[] = [];
  /** What reading throws. */
  trouble: string | undefined;
  #writes = 0;

  private constructor(readonly folder: Folder, readonly path: string) {}

  static async make(): Promise<Watched> {
    const folder = await Folder.make();
    return new Watched(folder, await folder.write("list", ""));
  }

  watch(): FileWatch {
    return new FileWatch(this.path, () => {
      if (this.trouble !== undefined) throw new Error(this.trouble);
      this.read.push(Deno.readTextFileSync(this.path));
    }, "It goes on");
  }

  /** Others change it: its size each time, and its times where the clock has moved. */
  write(): void {
    Deno.writeTextFileSync(this.path, "x".repeat(++this.#writes));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.folder[Symbol.asyncDispose]();
  }
}

Deno.test("FileWatch reads a file at its first look, and whenever it has changed since", async () => {
  await using logs = await warnings();
  await using file = await Watched.make();
  using watch = file.watch();
  assertEquals(file.read, []);
  watch.look();
  watch.look();
  assertEquals(file.read, [""]);
  for (const text of ["x", "xx"]) {
    file.write();
    watch.look();
    watch.look();
    assertEquals(file.read.at(-1), text);
  }
  assertEquals(file.read.length, 3);
  // As long as before, at another time; and another file in its place, as old and as long.
  await Deno.writeTextFile(file.path, "yy");
  await Deno.utime(file.path, 1, 1);
  watch.look();
  const other = await file.folder.write("other", "zz");
  await Deno.utime(other, 1, 1);
  await Deno.rename(other, file.path);
  watch.look();
  assertEquals(file.read.slice(3), ["yy", "zz"]);
  assertEquals(logs.said, []);
});

Deno.test("FileWatch looks once a second, until it is disposed of", async () => {
  using clock = new ManualClock();
  await using file = await Watched.make();
  {
    using _watch = file.watch();
    clock.advance(999);
    assertEquals(file.read, []);
    clock.advance(1);
    assertEquals(file.read, [""]);
    file.write();
    clock.advance(1_000);
    assertEquals(file.read, ["", "x"]);
  }
  assertEquals(clock.pending, 0);
});

Deno.test("FileWatch says once what keeps it from reading, again once that has changed, and reads when it can", async () => {
  await using logs = await warnings();
  await using file = await Watched.make();
  using watch = file.watch();
  const looks = () => {
    for (let times = 0; times < 3; times++) {
      if (file.trouble !== undefined) file.write();
      watch.look();
    }
    return [logs.said.splice(0), file.read.splice(0)];
  };
  file.trouble = "Line 1 is odd";
  assertEquals(looks(), [["Line 1 is odd. It goes on"], []]);
  file.trouble = "Line 2 is odd";
  assertEquals(looks(), [["Line 2 is odd. It goes on"], []]);
  file.trouble = undefined;
  file.write();
  assertEquals(looks(), [[], ["x".repeat(7)]]);
  const away = `${file.path}.away`;
  await Deno.rename(file.path, away);
  const gone = `Cannot read "${file.path}": it is gone. It goes on`;
  assertEquals(looks(), [[gone], []]);
  await Deno.rename(away, file.path); // the same one, as it was
  assertEquals(looks(), [[], ["x".repeat(7)]]);
  await Deno.rename(file.path, away); // it is said anew
  assertEquals(looks(), [[gone], []]);
  if (Deno.build.os === "windows") return;
  await Deno.symlink(file.path, file.path);
  const [[said = "", ...more] = []] = looks();
  assertEquals([said.startsWith(`Cannot read "${file.path}": `), more], [
    true,
    [],
  ]);
  assertEquals(said === gone, false);
});
