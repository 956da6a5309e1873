/**
 * Lines that change others: how they stand in the log, and that search and history tell a line as it is by now.
 *
 * @module
 */

import { changesIn } from "../../../src/log/changes.ts";
import type { ChatLog } from "../../../src/log/chat_log.ts";
import { formatEntry, parseEntry } from "../../../src/log/line_format.ts";
import {
  type LogEntry,
  type NewEntry,
  numberEntry,
} from "../../../src/protocol/line.ts";
import { assertEquals } from "../../kit/assert.ts";
import { openLog, said, testWithPath } from "../../kit/log_kit.ts";

const OTHER = "8wn0yqp4rv6hs2jb";

type About = Pick<NewEntry, "what" | "to" | "text">;

const edited = (to: number, text: string): About => ({
  what: "edited",
  to,
  text,
});
const deleted = (to: number): About => ({ what: "deleted", to, text: "" });
const reacted = (to: number, text: string): About => ({
  what: "reacted",
  to,
  text,
});

/** By Abhii, or by another. */
const own = (about: About): NewEntry => ({ ...said(1), ...about });
const others = (about: About): NewEntry => ({
  ...own(about),
  person: OTHER,
  name: "Bilal",
});

const seqsOf = (entries: readonly LogEntry[]) => entries.map(({ seq }) => seq);

/** The numbers of what has the words, and of what was changed about it. */
async function found(
  log: ChatLog,
  words: string,
  options = {},
): Promise<[number[], number[]]> {
  const all = { limit: 200, ...options };
  const { entries, changes } = await log.search(words, all);
  return [seqsOf(entries), seqsOf(changes)];
}

const LINES: readonly (readonly [NewEntry, string])[] = [
  [own(edited(42, "red: a\nb")), "Abhii edits 42: red: a\\nb"],
  [own(deleted(42)), "Abhii deletes 42"],
  [others(reacted(42, "👍🏽")), "Bilal reacts to 42: 👍🏽"],
  [others(reacted(42, "")), "Bilal reacts to 42 no more"],
  [own(edited(7, "deletes 8")), "Abhii edits 7: deletes 8"],
];

Deno.test("formatEntry() and parseEntry() know lines that change others", () => {
  for (const [entry, words] of LINES) {
    const line = formatEntry(entry);
    assertEquals(line.replace(/^.* \| /, ""), words);
    assertEquals(parseEntry(line, 50), numberEntry(entry, 50), words);
  }
});

Deno.test("parseEntry() takes no change that nobody can have made", () => {
  const start = formatEntry(said(1)).replace(/\| .*/, "|");
  for (
    const words of [
      "Abhii edits 0: x",
      "Abhii edits 42",
      "Abhii deletes 042",
      "Abhii deletes 9007199254740992",
      "Abhii deletes 42 now",
      "Abhii reacts to 42: two words",
      "Abhii reacts to 42: 👍👍",
      "Abhii reacts to 42: ",
      "Abhii reacts to 42",
    ]
  ) assertEquals(parseEntry(`${start} ${words}`, 1), null, words);
});

testWithPath(
  "search() finds a line by what it says now, with what was changed about it",
  async (path) => {
    await using log = await openLog(path);
    await log.append([
      said(1, "red apples"), // 1
      said(2, "green pears"), // 2
      said(3, "red plums"), // 3
      own(edited(1, "yellow apples")), // 4
      own(edited(2, "red pears")), // 5
      own(deleted(3)), // 6
      others(reacted(2, "👍")), // 7
      others(reacted(2, "🎉")), // 8
      own(reacted(2, "👀")), // 9
      own(reacted(2, "")), // 10
      said(4, "it reacts to 5 reds"), // 11
    ]);
    assertEquals(await found(log, "red"), [[2, 11], [5, 8]]);
    assertEquals(await found(log, "apples"), [[1], [4]]);
    assertEquals(await found(log, "green"), [[], []]);
    assertEquals(await found(log, "plums"), [[], []]);
    assertEquals(await found(log, ""), [[1, 2, 3, 11], [4, 5, 6, 8]]);
    assertEquals(await found(log, "", { limit: 1 }), [[11], []]);
    assertEquals(await found(log, "red", { before: 3 }), [[2], [5, 8]]);
    assertEquals(await found(log, "", { after: 2 }), [[3, 11], [6]]);
  },
);

testWithPath(
  "search() lets nobody change what another has said, whatever stands in the log",
  async (path) => {
    await using log = await openLog(path);
    await log.append([
      said(1, "red"),
      others(edited(1, "blue")),
      said(2, "red"),
      others(deleted(3)),
    ]);
    assertEquals(await found(log, "red"), [[1, 3], []]);
    assertEquals(await found(log, "blue"), [[], []]);
  },
);

testWithPath(
  "search() meets a change far behind its line, and in a newer file",
  async (path) => {
    await using log = await openLog(path, { maxSize: 200_000, keep: 100 });
    await log.append([said(1, "needle"), said(2, "hay"), said(3, "thread")]);
    const much = "x".repeat(4_000);
    for (let n = 4; n < 1_004; n += 100) {
      await log.append(
        Array.from({ length: 100 }, (_, at) => said(n + at, much)),
      );
    }
    await log.append([
      own(edited(2, "needles")),
      own(edited(1, "pin")),
      others(reacted(2, "👍")),
    ]);
    assertEquals(await found(log, "needle"), [[2], [1_004, 1_006]]);
    assertEquals(await found(log, "pin"), [[1], [1_005]]);
    assertEquals(await found(log, "thread"), [[3], []]);
  },
);

testWithPath(
  "search() tells at most a hundred reactions to a line",
  async (path) => {
    await using log = await openLog(path);
    const person = (at: number) => String(at).padStart(16, "0");
    const reactions = Array.from({ length: 150 }, (_, at) => ({
      ...others(reacted(1, "👍")),
      person: person(at),
    }));
    await log.append([said(1), ...reactions]);
    const [, changes] = await found(log, "text");
    assertEquals(changes, reactions.map((_, at) => at + 2).slice(50));
  },
);

testWithPath(
  "search() takes no message for a change, and nothing that others say hides a deletion",
  async (path) => {
    await using log = await openLog(path);
    await log.append([
      said(1, "needle"), // 1
      said(2, "other needle"), // 2
      own(edited(1, "pin")), // 3
      own(deleted(1)), // 4
    ]);
    for (const word of ["edits", "deletes", "reacts to"]) {
      const texts = Array.from(
        { length: 4_200 },
        () => `x ${word} 1: 👍 ${word} 2: y`,
      );
      await log.append(texts.map((text) => said(3, text)));
      await log.append(
        texts.map((text) => ({ ...said(3, text), what: "acted" })),
      );
    }
    assertEquals(await found(log, "needle"), [[2], []]);
    assertEquals(await found(log, "pin"), [[], []]);
  },
);

testWithPath(
  "search() finds a deletion behind thousands of reactions",
  async (path) => {
    await using log = await openLog(path);
    await log.append([said(1, "needle"), own(deleted(1))]);
    const reactions = Array.from(
      { length: 5_000 },
      () => others(reacted(1, "👍")),
    );
    await log.append(reactions);
    assertEquals(await found(log, "needle"), [[], []]);
  },
);

Deno.test("changesIn() finds the changes among lines of any kind, the last first, with their numbers", () => {
  const line = (entry: NewEntry) => `${formatEntry(entry)}\n`;
  const changes = LINES.map(([entry]) => entry);
  const no = [
    said(1, "edits 1"),
    said(1, "it deletes 1 and reacts to 2"),
    { ...said(1, "edits 1: x"), what: "acted" } as const,
    { ...said(1, "Bilal deletes 2"), what: "renamed" } as const,
  ].map(line);
  const text = [
    "\n# a note\n",
    line(own(edited(3, "reacts to 9: x deletes 9"))), // 103
    ...no, // 104 to 107
    line(others(deleted(4))), // 108
    line(others(deleted(4))), // 109
    "Abhii edits 9: x\n", // 110
    "k.s.1 | Abhii edits 9: x\n\n", // 111 and 112
    ...changes.map(line), // 113 to 117
    line(own(edited(3, "x"))).trim(),
  ].join("");
  const found = (end: number) =>
    changesIn(text, 100, end).map(({ to, what, person, read }) => {
      const entry = read();
      assertEquals(
        [entry?.to, entry?.what, entry?.person],
        [to, what, person],
      );
      return entry?.seq;
    });
  const all = [117, 116, 115, 114, 113, 109, 108, 103];
  for (let end = 100; end <= 120; end++) {
    assertEquals(found(end), all.filter((seq) => seq < end), `${end}`);
  }
  const [first] = changesIn(`\n${line(own(deleted(4)))}`, 0, 9);
  assertEquals(first?.read()?.seq, 2);
  assertEquals(changesIn("", 0, 9), []);
  assertEquals(changesIn(line(said(1)), 0, 9), []);
});

Deno.test("changesIn() reads a change only once it is wanted, and none that is none", () => {
  const line = formatEntry(own(reacted(42, "👍")));
  const [change] = changesIn(`${line.replace("👍", "no emoji")}\n`, 0, 9);
  assertEquals([change?.to, change?.what, change?.read()], [
    42,
    "reacted",
    null,
  ]);
});
