/**
 * How what is read of a log is told.
 *
 * @module
 */

import { RecentLines } from "../../../../src/protocol/recent_lines.ts";
import type { Read } from "../../../../src/server/reading/log_lines.ts";
import { LogWords } from "../../../../src/server/reading/log_words.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { numbered, PERSON, said } from "../../../kit/log_kit.ts";

const RECENT = new RecentLines();

/** What is told as people read it, and as JSON. */
function told(tell: (words: LogWords) => ReturnType<LogWords["line"]>) {
  return [false, true].map((isJson) => {
    const { text, isWarning } = tell(new LogWords(isJson, PERSON, RECENT));
    assertEquals(text.slice(text.indexOf("\n")), "\n");
    const shown = text.slice(0, -1);
    return [isJson ? JSON.parse(shown) : shown, isWarning];
  });
}

const UNSEEN = { kind: "unseen", line: 9, name: "ana\u202e" } as const;
const DIFFERS = { v: 1, type: "history-differs" };

/** What doesn't fit, how it is said, and what a program is told of it beside that. */
const GAPS: readonly [Exclude<Read, { kind: "line" }>, string, object][] = [
  [
    { kind: "broken", path: "chat.log", first: 5 },
    "chat.log was begun after other lines than those that are before it now: one of the older files was changed",
    { from: 5, exact: false },
  ],
  [
    { kind: "moved", line: 7, by: 1 },
    "1 line is missing somewhere before line 7",
    { from: 7, exact: false },
  ],
  [
    { kind: "moved", line: 7, by: 2 },
    "2 lines are missing somewhere before line 7",
    { from: 7, exact: false },
  ],
  [
    { kind: "moved", line: 7, by: -1 },
    "1 line is put in somewhere before line 7",
    { from: 7, exact: false },
  ],
  [
    { kind: "moved", line: 7, by: -3 },
    "3 lines are put in somewhere before line 7",
    { from: 7, exact: false },
  ],
  [
    { ...UNSEEN, from: 3, upTo: 8, isAhead: true },
    "before line 9 lines are missing, or stand in another order: ana\\u202e, who said it, had seen 8 lines by then",
    { from: 3, upTo: 8, exact: false },
  ],
  [
    { ...UNSEEN, from: 3, upTo: 3, isAhead: false },
    "line 3 is not what ana\\u202e saw, who said line 9: it was changed, or put in",
    { from: 3, upTo: 3, exact: true },
  ],
  [
    { ...UNSEEN, from: 3, upTo: 4, isAhead: false },
    "lines 3 to 4 are not all what ana\\u202e saw, who said line 9: something was changed, left out or put in",
    { from: 3, upTo: 4, exact: false },
  ],
];

Deno.test("LogWords says what doesn't fit between lines, and from where on, names escaped", () => {
  for (const [gap, sentence, range] of GAPS) {
    const message = `WARNING: ${sentence}`;
    assertEquals(told((words) => words.gap(gap)), [
      [message, true],
      [{ ...DIFFERS, ...range, message }, true],
    ]);
  }
});

Deno.test("LogWords tells a line, whether it is the reader's own, and a line that doesn't fit as a warning", () => {
  const [line] = numbered([said(1, "hello")]);
  if (!line) throw new Error("there is no line");
  const at = "2026-11-23T00:00:00.001Z";
  const about = { v: 1, type: "said", seq: 1, at, name: "Abhii" };
  const fields = { ...about, key: PERSON, own: true, past: true };
  assertEquals(told((words) => words.line({ line })), [
    [`${at} 1 Abhii: hello`, false],
    [{ ...fields, text: "hello" }, false],
  ]);
  const another = { ...line, person: "abcdefgh12345678" };
  const [, [json] = []] = told((words) => words.line({ line: another }));
  assertEquals(json.own, false);
  const changed = { edited: true, deleted: false, reactions: [] };
  assertEquals(told((words) => words.line({ line, changed })), [
    [`${at} 1 Abhii: hello (edited)`, false],
    [{ ...fields, text: "hello", edited: true }, false],
  ]);
  const wrong = { ...line, wrong: "change-wrong" } as const;
  const message =
    "WARNING: line 1, as from Abhii, is not shown: it changes what somebody else said";
  const warning = { seq: 1, name: "Abhii", key: PERSON };
  assertEquals(told((words) => words.line({ line: wrong })), [
    [message, true],
    [
      { v: 1, type: "warning", ...warning, reason: "change-wrong", message },
      true,
    ],
  ]);
});

Deno.test("LogWords quotes what a line is about, as far as that is remembered, and tells what a control line does", () => {
  const lines = numbered([
    said(1, "hello"),
    { ...said(2, "hi"), what: "replied", to: 1 },
    { ...said(3, "hi"), what: "replied", to: 9 },
    { ...said(4, "rename {}"), what: "ruled" },
  ]);
  const [first, second, third, fourth] = lines;
  if (!first || !second || !third || !fourth) throw new Error("no lines");
  const recent = new RecentLines();
  recent.add({ line: first });
  const words = new LogWords(true, undefined, recent);
  const json = (line: Parameters<LogWords["line"]>[0]["line"]) =>
    JSON.parse(words.line({ line }).text);
  assertEquals(json(second).quoted, { name: "Abhii", text: "hello" });
  assertEquals(json(third).quoted, null);
  assertEquals(json(first).own, false); // it is nobody's
  const ruled = { ...fourth, told: "Abhii took another name" };
  assertEquals(json(ruled).text, "Abhii took another name");
  assertEquals(json(fourth).text === "Abhii took another name", false);
});
