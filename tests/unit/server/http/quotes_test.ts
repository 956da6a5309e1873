/**
 * What a stream remembers of lines, so that others may be about them.
 *
 * @module
 */

import { Quotes } from "../../../../src/server/http/quotes.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

/** A line of one and the same person. */
function line(
  seq: number,
  text: string,
  what: LogEntry["what"] = "said",
  to: number | null = null,
): LogEntry {
  const by = { person: "anaanaanaanaana0", name: "ana", stay: "s", n: seq };
  return { ...by, seq, what, text, to, at: 0 };
}

/** The texts of some lines. */
const textsIn = (quotes: Quotes, ...numbers: number[]) =>
  numbers.map((seq) => quotes.find(seq)?.text);

Deno.test("Quotes has what was said as it is by now, and nothing of what wasn't said", () => {
  const quotes = new Quotes();
  quotes.add(line(1, "one"));
  quotes.add(line(2, "two"));
  quotes.add(line(3, "", "joined"));
  quotes.add(line(4, "uno", "edited", 1));
  quotes.add(line(5, "", "deleted", 2));
  quotes.add(line(6, "again", "edited", 2));
  quotes.add(line(7, "👍", "reacted", 1));
  quotes.add(line(8, "to nothing", "edited", 99));
  quotes.add(line(9, "an answer", "replied", 1));
  const all = textsIn(quotes, 1, 2, 3, 4, 9, 99);
  assertEquals(
    all,
    ["uno", "", undefined, undefined, "an answer", undefined],
  );
});

Deno.test("Quotes has the newest lines, however many come, and however long they become", () => {
  const quotes = new Quotes();
  for (let seq = 977; seq <= 2_000; seq++) quotes.add(line(seq, "hello"));
  assertEquals(textsIn(quotes, 977), ["hello"]);
  quotes.add(line(2_001, "hello"));
  assertEquals(textsIn(quotes, 977, 978), [undefined, "hello"]);
  const long = "x".repeat(4_096);
  for (let seq = 2_001; seq <= 2_040; seq++) quotes.add(line(seq, long));
  assertEquals(textsIn(quotes, 2_008, 2_009), [undefined, long]);
  for (let seq = 2_041; seq <= 2_072; seq++) quotes.add(line(seq, ""));
  // A line that grows pushes out the oldest; one that was forgotten comes back by nothing.
  quotes.add(line(2_073, long, "edited", 2_041));
  assertEquals(textsIn(quotes, 2_009, 2_041), [undefined, long]);
  // How often it changes takes no place.
  for (let time = 0; time < 40; time++) {
    quotes.add(line(2_074, long, "edited", 2_041));
  }
  assertEquals(textsIn(quotes, 2_010), [long]);
  quotes.add(line(2_074, "?", "edited", 2_009));
  assertEquals(textsIn(quotes, 2_009, 2_010), [undefined, long]);
  assert(quotes.find(2_072));
});
