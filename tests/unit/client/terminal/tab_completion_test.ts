/**
 * Tests of what Tab makes of a line.
 *
 * @module
 */

import { Ignored } from "../../../../src/client/ignored.ts";
import {
  complete,
  type TabSources,
} from "../../../../src/client/terminal/tab_completion.ts";
import { folderEntries } from "../../../../src/client/terminal/path_completion.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { Folder } from "../../../kit/folder.ts";

const NUMBERS = {
  spoken: [42, 41, 40, 9, 8, 7, 6, 5, 4, 3, 2],
  own: [41, 7],
  offered: [40, 8],
  taking: [9],
};

const ignored = new Ignored();
ignored.add({ id: "id of eve", person: "key of eve", name: "eve" });

const SOURCES: TabSources = {
  names: () => ["Rahul", "Ravi", "ana", "田中", "e\x1b[2Jvil"],
  ignored,
  numbers: (kind) => NUMBERS[kind],
};

const CASES: Readonly<Record<string, readonly [string, readonly string[]][]>> =
  {
    "commands, and what can be typed instead where nothing else fits": [
      ["/h", ["/help ", "/history "]],
      ["/kic", ["/kick "]],
      ["/W", ["/who"]],
      ["/na", ["/names"]],
      ["/re", ["/release", "/re ", "/react ", "/revoke "]],
      ["/rep", ["/reply "]],
      ["/EX", ["/exit "]],
      ["/x", []],
      ["//w", []],
    ],
    "names in texts": [
      ["ra", ["Rahul: ", "Ravi: "]],
      ["田", ["田中: "]],
      ["hello An", ["ana "]],
      ["@r", ["@Rahul ", "@Ravi "]],
      ["hello @an", ["@ana "]],
      ["hello (@an", ["@ana "]],
      ["mail@an", []],
      ["e", []],
      ["@e", []],
      ["", []],
      ["hello ", []],
      ["/me hugs ra", ["Rahul ", "Ravi "]],
      ["/me @a", ["@ana "]],
      ["/re 12 ra", ["Rahul ", "Ravi "]],
      ["/re 12 well, @an", ["@ana "]],
      ["/reply 12 ra", ["Rahul ", "Ravi "]],
      ["/away with ra", ["Rahul ", "Ravi "]],
      ["/away ", []],
    ],
    "names that a command takes": [
      ["/kick ra", ["Rahul ", "Ravi "]],
      ["/kick Rahul ", []],
      ["/ignore ", ["Rahul ", "Ravi ", "ana ", "田中 "]],
      ["/unignore ", ["eve "]],
      ["/verify Rahul ", ["ok"]],
      ["/who r", []],
      ["/nonsense r", []],
    ],
    "values": [
      ["/bell m", ["mentions"]],
      ["/bell off ", []],
      ["/set be", ["bell "]],
      ["/set bell ", ["off", "mentions", "all"]],
      ["/set names ", []],
      ["/help o", ["op", "operators"]],
      ["/help /o", ["/op", "/operators"]],
    ],
    "numbers, newest first": [
      ["/re ", [42, 41, 40, 9, 8, 7, 6, 5, 4, 3].map((it) => `${it} `)],
      ["/re 4", ["42 ", "41 ", "40 ", "4 "]],
      ["/re x", []],
      ["/get ", ["40", "8"]],
      ["/get 8", ["8"]],
      ["/drop ", ["9"]],
    ],
  };

for (const [what, cases] of Object.entries(CASES)) {
  Deno.test(`complete() offers ${what}`, () => {
    for (const [typed, words] of cases) {
      assertEquals(complete(typed, SOURCES).words, words, typed);
    }
  });
}

Deno.test("complete() says which end of the line its words stand for, and works without any source", () => {
  assertEquals(complete("hello An", SOURCES).replaced, "An");
  assertEquals(complete("/re 4", SOURCES).replaced, "4");
  for (const typed of ["an", "/re ", "/kick ", "/unignore ", "/send a"]) {
    assertEquals(complete(typed, {}).words, [], typed);
  }
});

Deno.test("complete() offers files after /send and /save", async () => {
  await using folder = await Folder.make();
  const { path } = folder;
  await Deno.mkdir(`${path}/My Pictures`);
  await Deno.symlink("My Pictures", `${path}/linked`);
  await Deno.symlink("nowhere", `${path}/dangling`);
  const files = ["hut.jpg", "hut (2).jpg", ".hidden", "e\x1b[2Jvil", "b\\s"];
  for (const name of [...files, "My Pictures/it's.txt"]) {
    await Deno.writeTextFile(`${path}/${name}`, "");
  }
  const sources = { entries: (typed: string) => folderEntries(typed, path) };
  const cases: [string, string[], string][] = [
    ["~/hu", ["hut (2).jpg", "hut.jpg"], "hu"],
    ["~/HUT.", ["hut.jpg"], "HUT."],
    [
      "~/",
      ["My Pictures/", "dangling", "hut (2).jpg", "hut.jpg", "linked/"],
      "",
    ],
    ["~/.h", [".hidden"], ".h"],
    ["~/e", [], "e"],
    ["~/My Pictures/", ["it's.txt"], ""],
    ["~/linked/i", ["it's.txt"], "i"],
    [`${path}/hut (`, ["hut (2).jpg"], "hut ("],
    ["'~/hut", ["hut (2).jpg'", "hut.jpg'"], "hut"],
    ['"~/M', ["My Pictures/"], "M"],
    [String.raw`~/hut\ `, [String.raw`hut\ \(2\).jpg`], String.raw`hut\ `],
    [String.raw`~/My\ Pictures/i`, [String.raw`it\'s.txt`], "i"],
    ["~", ["~/"], "~"],
    ["~/nowhere/", [], ""],
  ];
  for (const [typed, words, replaced] of cases) {
    for (const command of ["/send", "/save"]) {
      const completed = complete(`${command} ${typed}`, sources);
      assertEquals(completed, { words, replaced }, typed);
    }
  }
});
