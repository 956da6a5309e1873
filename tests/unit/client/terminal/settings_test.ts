/**
 * Tests of the settings and of the history of what was typed, in files of their own.
 *
 * @module
 */

import { InputHistory } from "../../../../src/client/terminal/input_history.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import { assertEquals, assertThrows } from "../../../kit/assert.ts";
import { Folder, modeOf } from "../../../kit/folder.ts";

/** A path in a folder that is gone afterwards, and the notes about it. */
async function scratch(name: string) {
  const folder = await Folder.make();
  const path = folder.file(name);
  const notes: string[] = [];
  return {
    path,
    notes,
    note: (text: string) => void notes.push(text),
    mode: () => modeOf(path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("Settings has defaults, and keeps what is set for the next run, privately", async () => {
  await using file = await scratch("settings");
  const first = await Settings.load(file.path, file.note);
  assertEquals([first.get("bell"), first.get("names")], ["mentions", "20"]);
  first.set("bell", "all");
  first.set("names", "12");
  assertEquals([first.get("bell"), first.get("names")], ["all", "12"]);
  await first.kept;
  const second = await Settings.load(file.path, file.note);
  assertEquals([second.get("bell"), second.get("names")], ["all", "12"]);
  assertEquals(second.get("theme"), "auto");
  assertEquals(await file.mode(), 0o600);
  assertEquals(file.notes, []);
});

Deno.test("Settings keeps what it doesn't know", async () => {
  await using file = await scratch("settings");
  const text = JSON.stringify({ version: 1, later: { a: 1 }, joins: "off" });
  await Deno.writeTextFile(file.path, text, { mode: 0o600 });
  const settings = await Settings.load(file.path, file.note);
  settings.set("theme", "plain");
  await settings.kept;
  assertEquals(JSON.parse(await Deno.readTextFile(file.path)), {
    version: 1,
    later: { a: 1 },
    joins: "off",
    theme: "plain",
  });
});

Deno.test("Settings takes what earlier versions kept", async () => {
  await using file = await scratch("settings");
  const text = JSON.stringify({ version: 1, joins: "on", theme: "default" });
  await Deno.writeTextFile(file.path, text, { mode: 0o600 });
  const settings = await Settings.load(file.path, file.note);
  assertEquals([settings.get("joins"), settings.get("theme")], ["on", "auto"]);
  assertEquals(file.notes, []);
});

Deno.test("Settings.set() takes words with commas between them, and none", () => {
  const settings = new Settings();
  const cases: [string, string][] = [
    ["lunch", "lunch"],
    [" lunch , deploy now,昼食 ", "lunch,deploy now,昼食"],
    ["c++,#42", "c++,#42"],
    ["none", "none"],
  ];
  for (const [typed, kept] of cases) {
    assertEquals(settings.set("words", typed), kept);
    assertEquals(settings.get("words"), kept);
  }
  for (
    const typed of [
      "",
      ",",
      "a,,b",
      "a\nb",
      "\x1b[2J",
      "\u202e",
      "x".repeat(501),
    ]
  ) {
    assertThrows(
      () => settings.set("words", typed),
      RangeError,
      "Cannot set words: it is words with commas between them, or none",
    );
  }
  assertEquals(settings.get("words"), "none");
});

Deno.test("Settings names a damaged file, and doesn't write it", async () => {
  for (const text of ["{", "[]", "7", '{"version":2}']) {
    await using file = await scratch("settings");
    await Deno.writeTextFile(file.path, text, { mode: 0o600 });
    const settings = await Settings.load(file.path, file.note);
    settings.set("theme", "plain");
    await settings.kept;
    assertEquals(settings.get("theme"), "plain");
    assertEquals(await Deno.readTextFile(file.path), text);
    assertEquals(file.notes.length, 1);
    assertEquals(file.notes[0]?.includes(file.path), true);
  }
});

Deno.test("Settings names a value that can't be one, and uses the default", async () => {
  await using file = await scratch("settings");
  const text = JSON.stringify({ version: 1, bell: "loud", names: 10 });
  await Deno.writeTextFile(file.path, text, { mode: 0o600 });
  const settings = await Settings.load(file.path, file.note);
  assertEquals([settings.get("bell"), settings.get("names")], [
    "mentions",
    "10",
  ]);
  assertEquals(file.notes, [
    `Cannot use bell in "${file.path}": it is off, mentions or all`,
  ]);
});

Deno.test("Settings.set() refuses what can't be set", () => {
  const settings = new Settings();
  const cases: [string, string, string][] = [
    ["colour", "on", 'Cannot set "colour": there is no such setting'],
    ["bell", "", "Cannot set bell: it is off, mentions or all"],
    [
      "history",
      "501",
      "Cannot set history: it is a whole number from 0 to 500",
    ],
    ["history", "-1", "Cannot set history: it is a whole number from 0 to 500"],
    [
      "history",
      "1e1",
      "Cannot set history: it is a whole number from 0 to 500",
    ],
  ];
  for (const [key, value, message] of cases) {
    assertThrows(() => settings.set(key, value), RangeError, message);
  }
});

Deno.test("Settings tells that a file can't be written", async () => {
  await using file = await scratch("no/settings");
  const settings = await Settings.load(file.path, file.note);
  settings.set("bell", "off");
  await settings.kept;
  assertEquals(file.notes, [
    `Cannot write "${file.path}": there is no such file or folder`,
  ]);
});

Deno.test("InputHistory brings lines back in the next run, newest first, each once", async () => {
  await using file = await scratch("history");
  const first = await InputHistory.load(file.path, 500, file.note);
  for (const line of ["one", "two", "two", "a\\b\x1b\nc", "one"]) {
    first.add(line);
  }
  await first.kept;
  assertEquals(await file.mode(), 0o600);
  const second = await InputHistory.load(file.path, 500, file.note);
  assertEquals(second.lines, ["one", "a\\b\x1b\nc", "two"]);
  assertEquals(
    await Deno.readTextFile(file.path),
    "one\ntwo\na\\\\b\\u001b\\nc\none\n",
  );
  assertEquals(file.notes, []);
});

Deno.test("InputHistory.close() cuts the file to its size, and keeps another client's lines", async () => {
  await using file = await scratch("history");
  const first = await InputHistory.load(file.path, 3, file.note);
  const second = await InputHistory.load(file.path, 3, file.note);
  for (const line of ["1", "2", "3"]) first.add(line);
  await first.kept;
  second.add("other");
  await second.kept;
  first.add("4");
  await first.close();
  assertEquals(await Deno.readTextFile(file.path), "3\nother\n4\n");
  assertEquals(await file.mode(), 0o600);
});

Deno.test("InputHistory keeps nothing where its size is none", async () => {
  await using file = await scratch("history");
  const history = await InputHistory.load(file.path, 0, file.note);
  history.add("one");
  await history.close();
  assertEquals(history.lines, []);
  assertEquals(file.notes, []);
  assertEquals(await Deno.stat(file.path).catch(() => null), null);
});

Deno.test({
  name: "InputHistory names a file that others can read, and leaves it alone",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using file = await scratch("history");
    await Deno.writeTextFile(file.path, "old\n");
    await Deno.chmod(file.path, 0o644);
    const history = await InputHistory.load(file.path, 500, file.note);
    history.add("new");
    await history.close();
    assertEquals(history.lines, ["new"]);
    assertEquals(await Deno.readTextFile(file.path), "old\n");
    assertEquals(file.notes, [
      `Cannot use "${file.path}": others can read it (mode 644); run: chmod 600 ${file.path}. Typed lines are not saved`,
    ]);
  },
});

Deno.test("InputHistory skips a line that was cut short", async () => {
  await using file = await scratch("history");
  await Deno.writeTextFile(file.path, "one\ntwo\\u00", { mode: 0o600 });
  const history = await InputHistory.load(file.path, 500, file.note);
  assertEquals(history.lines, ["one"]);
  history.add("three");
  await history.kept;
  assertEquals(await Deno.readTextFile(file.path), "one\ntwo\\u00\nthree\n");
});
