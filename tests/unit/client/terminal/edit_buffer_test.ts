/**
 * Tests of the text being typed, without a terminal.
 *
 * @module
 */

import fc from "fast-check";
import { EditBuffer } from "../../../../src/client/terminal/edit_buffer.ts";
import { EDITING_KEYS } from "../../../../src/client/terminal/key_bindings.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

/** A buffer with the text, and the cursor where "|" stands. */
function bufferWith(text: string): EditBuffer {
  const buffer = new EditBuffer();
  const cursor = text.indexOf("|");
  buffer.paste(text.replace("|", ""));
  buffer.moveTo(cursor);
  return buffer;
}

/** The text, with "|" where the cursor stands. */
function shown({ text, cursor }: EditBuffer): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

/** The text after keys; what isn't the name of a key is typed. */
function after(start: string, ...keys: string[]): string {
  const buffer = bufferWith(start);
  for (const key of keys) {
    const edit = EDITING_KEYS.get(key);
    if (edit) edit(buffer);
    else buffer.insert(key);
  }
  return shown(buffer);
}

/** What each key makes of a text, in a table. */
function check(cases: readonly [string, readonly string[], string][]): void {
  for (const [start, keys, end] of cases) {
    assertEquals(after(start, ...keys), end, `${start} ${keys.join(" ")}`);
  }
}

Deno.test("EditBuffer moves by what a person takes for characters", () => {
  check([
    ["a|b", ["left"], "|ab"],
    ["ab|", ["right"], "ab|"],
    ["a👨‍👩‍👧‍👦|b", ["left"], "a|👨‍👩‍👧‍👦b"],
    ["|🇮🇳🇫🇷", ["right"], "🇮🇳|🇫🇷"],
    ["e\u0301|x", ["left"], "|e\u0301x"],
    ["one\n|two", ["left", "left"], "on|e\ntwo"],
    ["one|\ntwo", ["right"], "one\n|two"],
  ]);
});

Deno.test("EditBuffer moves by words, and to the ends of lines", () => {
  check([
    ["one two.three|", ["alt-b"], "one two.|three"],
    [
      "one two.three|",
      ["alt-left", "ctrl-left", "alt-b", "alt-b"],
      "|one two.three",
    ],
    ["|one, two", ["alt-f", "ctrl-right"], "one, two|"],
    ["one\ntwo |three\nfour", ["ctrl-a"], "one\n|two three\nfour"],
    ["one\ntwo |three\nfour", ["end"], "one\ntwo three|\nfour"],
    ["|नमस्ते दुनिया", ["alt-f"], "नमस्ते| दुनिया"],
  ]);
});

Deno.test("EditBuffer deletes whole characters", () => {
  check([
    ["a👨‍👩‍👧‍👦|b", ["backspace"], "a|b"],
    ["a|🇮🇳b", ["delete"], "a|b"],
    ["one\n|two", ["ctrl-h"], "one|two"],
    ["|a", ["backspace"], "|a"],
    ["a|", ["delete"], "a|"],
  ]);
});

Deno.test("EditBuffer puts in again what was cut out", () => {
  check([
    ["one |two", ["ctrl-k", "ctrl-a", "ctrl-y"], "two|one "],
    ["one |two", ["ctrl-u", "ctrl-e", "ctrl-y"], "twoone |"],
    ["a b.c d|", ["ctrl-w", "ctrl-w", "ctrl-y"], "a b.c d|"],
    ["a b.c|", ["alt-backspace"], "a b.|"],
    ["|a b.c", ["alt-d", "alt-d"], "|.c"],
    ["a|b", ["ctrl-u", "ctrl-k", "ctrl-y"], "ab|"],
    ["a |b c", ["alt-d", "ctrl-w", "ctrl-y"], "a b| c"],
    ["one|\ntwo", ["ctrl-k"], "one|two"],
    ["one\n|two", ["ctrl-u"], "one|two"],
    ["|", ["ctrl-y"], "|"],
  ]);
});

Deno.test("EditBuffer joins what is cut out in a row, and nothing else", () => {
  const cut = ["ctrl-w", "left", "ctrl-w"];
  check([
    ["one two|", [...cut, "ctrl-y"], "one| "],
    ["one two|", [...cut, "ctrl-y", "alt-y"], "two| "],
    ["one two|", [...cut, "ctrl-y", "alt-y", "alt-y"], "one| "],
    ["one two|", [...cut, "alt-y"], "| "],
  ]);
});

Deno.test("EditBuffer exchanges characters and words", () => {
  check([
    ["ab|", ["ctrl-t"], "ba|"],
    ["a|bc", ["ctrl-t"], "ba|c"],
    ["|ab", ["ctrl-t"], "|ab"],
    ["a|", ["ctrl-t"], "a|"],
    ["x\na|", ["ctrl-t"], "x\na|"],
    ["👨‍👩‍👧‍👦🇮🇳|", ["ctrl-t"], "🇮🇳👨‍👩‍👧‍👦|"],
    ["one, two|", ["alt-t"], "two, one|"],
    ["one |two three", ["alt-t"], "two one| three"],
    ["o|ne two", ["alt-t"], "o|ne two"],
    ["one|", ["alt-t"], "one|"],
  ]);
});

Deno.test("EditBuffer changes the case of the next word", () => {
  check([
    ["| éa bc", ["alt-u", "alt-c"], " ÉA Bc|"],
    ["A|BC D", ["alt-l"], "Abc| D"],
    ["a|", ["alt-u"], "a|"],
  ]);
});

Deno.test("EditBuffer takes changes back, words that were typed one by one", () => {
  check([
    ["|", [..."one two", "ctrl-_"], "one|"],
    ["|", [..."one two", "ctrl-_", "ctrl-/"], "|"],
    ["one two|", ["ctrl-w", "ctrl-u", "ctrl-_"], "one |"],
    ["one|", ["left", "x", "ctrl-_"], "on|e"],
  ]);
});

const KEYS = [...EDITING_KEYS.keys()];
const PIECES = [
  "a",
  " ",
  "\n",
  "é",
  "e\u0301",
  "日",
  "🇮🇳",
  "👨‍👩‍👧‍👦",
  "❤️",
  ".",
  "one two",
];

Deno.test("EditBuffer keeps its cursor in its text, and takes every change back", () => {
  const key = fc.constantFrom(
    ...KEYS.filter((name) => !/ctrl-[_/]/.test(name)),
    ...PIECES,
  );
  fc.assert(fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
    const buffer = new EditBuffer();
    for (const name of keys) {
      const edit = EDITING_KEYS.get(name);
      if (edit) edit(buffer);
      else buffer.insert(name);
      assert(buffer.cursor >= 0 && buffer.cursor <= buffer.text.length);
      assert(buffer.text.isWellFormed());
      assert(buffer.text.slice(0, buffer.cursor).isWellFormed());
    }
    for (const _ of keys) buffer.undo();
    assertEquals(buffer.text, "");
  }));
});
