/**
 * Private files, on a real file system.
 *
 * @module
 */

import {
  createPrivate,
  ensureFolder,
  FileError,
  fileError,
  readPrivate,
  readText,
  writePrivate,
} from "../../../src/base/private_file.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { run } from "../../kit/command.ts";
import { inFolder, modeOf, namesIn } from "../../kit/folder.ts";
import { withMethod } from "../../kit/log_kit.ts";
import { diskError } from "../../kit/full_disk.ts";

const POSIX = Deno.build.os !== "windows";

/** The message of a `FileError`, with the file's path as PATH. */
async function refusal(path: string, action: () => Promise<unknown>) {
  const error = await assertRejects(action, FileError);
  return error.message.replaceAll(path, "PATH");
}

Deno.test("readPrivate() gives undefined where there is no file", () =>
  inFolder(async (folder) => {
    assertEquals(await readPrivate(`${folder}/none`), undefined);
  }));

Deno.test("readPrivate() reads what writePrivate() wrote, which leaves nothing beside it", () =>
  inFolder(async (folder) => {
    for (const text of ["", "one\n", "ä€🙂".repeat(50_000)]) {
      await writePrivate(`${folder}/file`, text);
      assertEquals(await readPrivate(`${folder}/file`), text);
      assertEquals(await namesIn(folder), ["file"]);
    }
  }));

Deno.test({
  name: "readPrivate() refuses a file that others can use",
  ignore: !POSIX,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/file`;
      await writePrivate(path, "secret");
      for (const loose of [0o644, 0o640, 0o620, 0o610, 0o604, 0o602, 0o601]) {
        await Deno.chmod(path, loose);
        assertEquals(
          await refusal(path, () => readPrivate(path)),
          `Cannot use "PATH": others can read it (mode ${
            loose.toString(8)
          }); run: chmod 600 PATH`,
        );
      }
      await Deno.chmod(path, 0o400);
      assertEquals(await readPrivate(path), "secret");
    }),
});

Deno.test("readPrivate() says why a file can't be read", () =>
  inFolder(async (folder) => {
    assertEquals(
      await refusal(folder, () => readPrivate(folder)),
      'Cannot read "PATH": it is a folder',
    );
    await writePrivate(`${folder}/file`, "");
    const below = `${folder}/file/below`;
    const error = await assertRejects(() => readPrivate(below), FileError);
    assertEquals(
      error.message,
      `Cannot read "${below}": part of its path is not a folder`,
    );
    assert(error.cause instanceof Deno.errors.NotADirectory);
  }));

Deno.test("fileError() has a short reason for what the system says", () => {
  const cases: [Error, string][] = [
    [new Deno.errors.NotCapable("x"), "Deno was not given the permission"],
    [
      Object.assign(new Error("x"), { code: "EACCES" }),
      "permission denied",
    ],
    [diskError("ENOSPC"), "the disk is full"],
    [new Error("something else"), "something else"],
  ];
  for (const [cause, reason] of cases) {
    const error = fileError("write", "chat.key", cause);
    assertEquals(error.message, `Cannot write "chat.key": ${reason}`);
    assertEquals(error.cause, cause);
  }
});

Deno.test({
  name: "writePrivate() and createPrivate() make files for the owner alone",
  ignore: !POSIX,
  fn: () =>
    inFolder(async (folder) => {
      await createPrivate(`${folder}/created`, "x");
      await Deno.writeTextFile(`${folder}/written`, "old", { mode: 0o644 });
      await writePrivate(`${folder}/written`, "new");
      assertEquals(await modeOf(`${folder}/created`), 0o600);
      assertEquals(await modeOf(`${folder}/written`), 0o600);
    }),
});

Deno.test("writePrivate() leaves the old text as it is, for who reads it and where the disk fails", () =>
  inFolder(async (folder) => {
    const path = `${folder}/file`;
    await writePrivate(path, "old");
    for (const method of ["write", "sync"] as const) {
      const fails = () => () => Promise.reject(new Error("broken"));
      await withMethod(Deno.FsFile.prototype, method, fails, async () => {
        const why = await refusal(path, () => writePrivate(path, "new"));
        assertEquals(why, 'Cannot write "PATH": broken');
      });
      assertEquals(await readPrivate(path), "old");
      assertEquals(await namesIn(folder), ["file"]);
    }
    using reading = await Deno.open(path);
    await writePrivate(path, "new");
    assertEquals(await new Response(reading.readable).text(), "old");
  }));

Deno.test("writePrivate() leaves nothing behind where it fails", () =>
  inFolder(async (folder) => {
    const path = `${folder}/taken`;
    await ensureFolder(`${path}/by a folder`);
    assertEquals(
      await refusal(path, () => writePrivate(path, "x")),
      'Cannot write "PATH": it is a folder',
    );
    assertEquals(await namesIn(folder), ["taken"]);
    const missing = `${folder}/none/file`;
    assertEquals(
      await refusal(missing, () => writePrivate(missing, "x")),
      'Cannot write "PATH": there is no such file or folder',
    );
  }));

Deno.test("createPrivate() leaves a file that is there as it is", () =>
  inFolder(async (folder) => {
    assertEquals(await createPrivate(`${folder}/file`, "first"), true);
    assertEquals(await createPrivate(`${folder}/file`, "second"), false);
    assertEquals(await readPrivate(`${folder}/file`), "first");
    assertEquals(await namesIn(folder), ["file"]);
  }));

Deno.test("createPrivate() lets one of many win", () =>
  inFolder(async (folder) => {
    const path = `${folder}/file`;
    const texts = Array.from({ length: 20 }, (_, at) => `text ${at}`);
    const won = await Promise.all(
      texts.map((text) => createPrivate(path, text)),
    );
    assertEquals(won.filter((created) => created).length, 1);
    assertEquals(await readPrivate(path), texts[won.indexOf(true)]);
    assertEquals(await namesIn(folder), ["file"]);
  }));

Deno.test("createPrivate() shows nobody a part of the text", () =>
  inFolder(async (folder) => {
    const path = `${folder}/file`;
    const size = 32 * 1024 * 1024; // takes long enough to write to be looked at meanwhile
    let over = false;
    const creation = createPrivate(path, "x".repeat(size))
      .finally(() => over = true);
    let seen: number | undefined;
    for (let last = false; seen === undefined && !last;) {
      last = over; // once more after the end, and no more if it failed
      seen = await Deno.stat(path).then((found) => found.size, () => undefined);
    }
    assertEquals(await creation, true);
    assertEquals(seen, size);
  }));

Deno.test("ensureFolder() makes private folders, and takes those that are there", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a/b`;
    await ensureFolder(path);
    await ensureFolder(path);
    if (POSIX) {
      assertEquals(await modeOf(path), 0o700);
      assertEquals(await modeOf(`${folder}/a`), 0o700);
    }
    await writePrivate(`${path}/file`, "");
    const file = `${path}/file`;
    assertEquals(
      await refusal(file, () => ensureFolder(file)),
      'Cannot create "PATH": it already exists',
    );
  }));

Deno.test({
  name:
    "writePrivate() and createPrivate() follow links, also those to nothing yet, and leave them",
  ignore: !POSIX,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/volume`);
      const cases = [
        ["relative", "volume/a"],
        ["absolute", `${folder}/volume/b`],
        ["twice", "relative2"],
      ] as const;
      await Deno.symlink("volume/c", `${folder}/relative2`);
      for (const [name, to] of cases) {
        const path = `${folder}/${name}`;
        await Deno.symlink(to, path);
        assertEquals(await createPrivate(path, "made"), true);
        assertEquals(await createPrivate(path, "again"), false);
        assertEquals(await readPrivate(path), "made");
        await writePrivate(path, "written");
        assertEquals(await readPrivate(path), "written");
        assert((await Deno.lstat(path)).isSymlink);
      }
      assertEquals(await namesIn(`${folder}/volume`), ["a", "b", "c"]);
      for (const name of ["a", "b", "c"]) {
        const path = `${folder}/volume/${name}`;
        assertEquals(await Deno.readTextFile(path), "written");
        assertEquals(await modeOf(path), 0o600);
      }
    }),
});

Deno.test({
  name:
    "readPrivate() and readText() say what a file is that is no ordinary one, and open none",
  ignore: !POSIX,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/it`;
      await run("mkfifo", "-m", "600", path);
      const pipe = 'Cannot read "PATH": it is a pipe, not an ordinary file';
      assertEquals(await refusal(path, () => readPrivate(path)), pipe);
      assertEquals(await refusal(path, () => readText(path, 9)), pipe);
      await Deno.remove(path);
      using _listener = Deno.listen({ transport: "unix", path });
      const socket = 'Cannot read "PATH": it is a socket, not an ordinary file';
      assertEquals(await refusal(path, () => readPrivate(path)), socket);
      assertEquals(await refusal(path, () => readText(path, 9)), socket);
    }),
});
