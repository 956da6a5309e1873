/**
 * Lines as they are by now.
 *
 * @module
 */

import { current } from "../../../src/protocol/changes.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assertEquals } from "../../kit/assert.ts";

function line(
  seq: number,
  what: LogEntry["what"],
  more: Partial<LogEntry> = {},
): LogEntry {
  const who = { person: "ana", name: "ana" };
  const rest = { at: 0, stay: "", n: 0, text: `line ${seq}`, to: null };
  return { seq, what, ...who, ...rest, ...more };
}

const by = (person: string) => ({ person, name: person });

/** What is left of lines: number, text and what was changed. */
const shown = (lines: readonly LogEntry[]) =>
  current(lines).map(({ line: { seq, text }, changed }) => [
    seq,
    text,
    changed && [
      changed.edited,
      changed.deleted,
      ...changed.reactions.map(({ name, text }) => `${name} ${text}`),
    ],
  ]);

Deno.test("current() tells a line with what changed it", () => {
  assertEquals(
    shown([
      line(1, "joined"),
      line(2, "said"),
      line(3, "acted", by("ben")),
      line(4, "edited", { to: 2, text: "first" }),
      line(5, "reacted", { to: 2, text: "👍", ...by("ben") }),
      line(6, "edited", { to: 2, text: "second" }),
      line(7, "reacted", { to: 2, text: "🎉", ...by("cy") }),
      line(8, "reacted", { to: 2, text: "❤️", ...by("ben") }),
      line(9, "deleted", { to: 3, text: "", ...by("ben") }),
      line(10, "reacted", { to: 3, text: "👍", ...by("ben") }), // of what is gone
    ]),
    [
      [1, "line 1", undefined],
      [2, "second", [true, false, "cy 🎉", "ben ❤️"]],
      [3, "", [false, true]],
    ],
  );
});

Deno.test("current() takes a reaction back", () => {
  const lines = [
    line(2, "said"),
    line(3, "reacted", { to: 2, text: "👍", ...by("ben") }),
    line(4, "reacted", { to: 2, text: "", ...by("ben") }),
  ];
  assertEquals(shown(lines), [[2, "line 2", [false, false]]]);
});

Deno.test("current() leaves as they are changes of other lines, and those that their author may not make", () => {
  const lines = [
    line(2, "said"),
    line(3, "edited", { to: 2, ...by("eve") }),
    line(4, "deleted", { to: 2, ...by("eve") }),
    line(5, "edited", { to: 1 }),
    line(6, "renamed"),
    line(7, "reacted", { to: 6 }),
    line(8, "offered"),
    line(9, "edited", { to: 8 }),
    line(10, "deleted", { to: 8, text: "" }),
  ];
  assertEquals(shown(lines), [
    ...[2, 3, 4, 5, 6, 7].map((seq) => [seq, `line ${seq}`, undefined]),
    [8, "line 8", [false, true]], // what the offer was, is still known
    [9, "line 9", undefined],
  ]);
});
