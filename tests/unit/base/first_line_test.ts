/**
 * The first line of a file or of standard input.
 *
 * @module
 */

import { firstLine } from "../../../src/base/first_line.ts";
import { FileError } from "../../../src/base/file_error.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { Folder } from "../../kit/folder.ts";
import { withMethod } from "../../kit/log_kit.ts";

Deno.test("firstLine() reads a file's first line without its end, of at most 4,096 bytes of UTF-8", async () => {
  await using folder = await Folder.make();
  const path = folder.file("link");
  const long = "ü".repeat(2_048);
  const fine = [
    ["one\ntwo\n", "one"],
    ["one\r\ntwo", "one"],
    ["one\rtwo\r\r\n", "one\rtwo\r"],
    ["one", "one"],
    ["\none", ""],
    ["", ""],
    [`${long}\nx`, long],
  ] as const;
  for (const [text, line] of fine) {
    await Deno.writeTextFile(path, text);
    assertEquals(await firstLine(path), line);
  }
  const wrong = [
    [utf8(`${long}x\n`), "it has more than 4096 bytes"],
    [Uint8Array.of(0x61, 0xff), "it is not UTF-8"],
  ] as const;
  for (const [bytes, why] of wrong) {
    await Deno.writeFile(path, bytes);
    const { message } = await assertRejects(() => firstLine(path), RangeError);
    assertEquals(message, `Cannot use the first line: ${why}`);
  }
  await assertRejects(
    () => firstLine(folder.file("none")),
    FileError,
    `Cannot read "${folder.file("none")}": there is no such file or folder`,
  );
});

Deno.test("firstLine() of - takes a line of standard input, and not a byte more", async () => {
  const input = [...utf8("one\ntwo\nthree")];
  const read = (buffer: Uint8Array) => {
    const [byte] = input.splice(0, 1);
    if (byte === undefined) return Promise.reject(new Error("it is cut off"));
    buffer[0] = byte;
    return Promise.resolve(buffer.length);
  };
  await withMethod(Deno.stdin, "read", () => read, async () => {
    assertEquals(await firstLine("-"), "one");
    assertEquals(await firstLine("-"), "two");
    await assertRejects(
      () => firstLine("-"),
      FileError,
      "Cannot read standard input: it is cut off",
    );
  });
});
