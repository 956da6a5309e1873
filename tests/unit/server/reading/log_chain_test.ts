/**
 * Holding lines of a log against what those who said them had seen.
 *
 * @module
 */

import type { LogEntry } from "../../../../src/protocol/line.ts";
import { LogChain } from "../../../../src/server/reading/log_chain.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { numbered, saidUpTo, valueFor } from "../../../kit/log_kit.ts";

/** The lines that were said. */
const LINES = numbered(saidUpTo(12));

/** What somebody saw up to a line, of those that were said or of others. */
function seen(seq: number, lines: readonly LogEntry[] = LINES) {
  return { seq, value: valueFor(lines, seq) };
}

/** A line with other words. */
function changed(seq: number, text: string): LogEntry[] {
  return LINES.map((it) => it.seq === seq ? { ...it, text } : it);
}

/** A chain that has the lines up to one, of those that were said or of others. */
function chainTo(
  upTo: number,
  lines: readonly LogEntry[] = LINES,
  chain = new LogChain(seen(0)),
): LogChain {
  for (const line of lines.slice(0, upTo)) chain.add(line);
  return chain;
}

/** One of those that were said. */
function line(seq: number): LogEntry {
  const it = LINES[seq - 1];
  if (!it) throw new Error(`there is no line ${seq}`);
  return it;
}

Deno.test("LogChain finds nothing where each saw what there is, however little", () => {
  const chain = new LogChain(seen(0));
  for (const it of LINES) {
    for (let seq = 0; seq < it.seq; seq++) {
      assertEquals(chain.check(seen(seq), it), undefined);
    }
    chain.add(it);
  }
  assertEquals(
    chain.check({ seq: 0, value: valueFor(LINES) }, line(5)),
    undefined,
  ); // who saw none saw no other
});

Deno.test("LogChain says once which lines aren't what somebody saw: from the last on that is certain", () => {
  const chain = chainTo(7, changed(4, "forged"));
  assertEquals(chain.check(seen(2), line(8)), undefined);
  assertEquals(chain.check(seen(1), line(8)), undefined); // which makes line 2 no less certain
  const unseen = { from: 3, upTo: 6, line: 8, isAhead: false };
  assertEquals(chain.check(seen(6), line(8)), unseen);
  chain.add(line(8));
  for (const seq of [6, 7, 8]) {
    assertEquals(chain.check(seen(seq), line(9)), undefined, `${seq}`);
  }
  assertEquals(chain.check(seen(8, changed(4, "forged")), line(9)), undefined);
  // What comes next is held against what the last one saw.
  chain.add({ ...line(9), text: "forged" });
  const next = { from: 9, upTo: 9, line: 10, isAhead: false };
  assertEquals(chain.check(seen(9), line(10)), next);
});

Deno.test("LogChain names the line itself that somebody saw otherwise, also before what is certain", () => {
  const chain = chainTo(7);
  assertEquals(chain.check(seen(6), line(8)), undefined);
  const other = seen(3, changed(2, "never said"));
  const unseen = { from: 3, upTo: 3, line: 8, isAhead: false };
  assertEquals(chain.check(other, line(8)), unseen);
});

Deno.test("LogChain remembers what three saw, so that one or two who tell what isn't so leave the others right", () => {
  const chain = chainTo(5);
  const lies = [1, 2, 3].map((at) => seen(4, changed(1, `lie ${at}`)));
  const isFound = (it: ReturnType<typeof seen>) =>
    chain.check(it, line(6)) !== undefined;
  const [first, second, third] = lies.map((it) => () => isFound(it));
  const honest = () => isFound(seen(5));
  assertEquals([first?.(), second?.()], [true, true]);
  assertEquals([honest(), first?.(), second?.()], [false, false, false]);
  assertEquals([honest(), third?.()], [false, true]);
  assertEquals([honest(), first?.()], [false, true]); // as the oldest it is forgotten
});

Deno.test("LogChain goes on by what the last one saw who was right", () => {
  const chain = chainTo(5);
  const lies = changed(1, "a lie");
  chain.check(seen(4, lies), line(6));
  chain.add(line(6));
  assertEquals(chain.valueBefore(7), valueFor(lies, 6));
  chain.check(seen(5), line(7));
  assertEquals(chain.valueBefore(7), valueFor(LINES, 6));
});

Deno.test("LogChain sees that lines are missing before one whose sender had seen as many, and goes on once they have their numbers again", () => {
  for (const by of [1, 2]) {
    const chain = chainTo(3);
    assertEquals(chain.check(seen(2), line(4)), undefined);
    // Lines 4 and, where two are missing, 5 are gone: the others have lower numbers.
    const next = { ...line(4 + by), seq: 4 };
    const unseen = { from: 3, upTo: 3 + by, line: 4, isAhead: true };
    assertEquals(chain.check(seen(3 + by), next), unseen);
    chain.add(next);
    assertEquals(chain.valueBefore(5), undefined); // it is in doubt
    assertEquals(chain.valueBefore(9), undefined);
    const after = { ...line(5 + by), seq: 5 };
    assertEquals(chain.check(seen(4 + by), after), undefined);
    chain.add(after);
    chain.renumbered(by);
    assertEquals(chain.valueBefore(6 + by), valueFor(LINES, 5 + by));
    for (const seq of [4 + by, 5 + by]) {
      assertEquals(chain.check(seen(seq), line(6 + by)), undefined);
    }
    chain.add(line(6 + by));
    // The lines that it remembers have their numbers, too.
    const other = seen(4 + by, changed(1, "a lie"));
    const lie = { from: 4 + by, upTo: 4 + by, line: 7 + by, isAhead: false };
    assertEquals(chain.check(other, line(7 + by)), lie);
    const later = valueFor(changed(1, "a lie"), 6 + by);
    assertEquals(chain.valueBefore(7 + by), later);
  }
});

Deno.test("LogChain believes the next one where other lines are missing than it seemed, and where it has no value to begin with", () => {
  const renumbered = chainTo(3);
  renumbered.renumbered(2);
  assertEquals(renumbered.valueBefore(7), undefined);
  const unknown = new LogChain(undefined, 5);
  assertEquals(unknown.valueBefore(7), undefined);
  for (const chain of [renumbered, unknown]) {
    chain.add(line(6));
    assertEquals(chain.check(seen(6), line(7)), undefined);
    assertEquals(chain.valueBefore(7), valueFor(LINES, 6));
    chain.add(line(7));
    assertEquals(chain.check(seen(7), line(8)), undefined);
    assertEquals(chain.check(seen(5), line(8)), undefined); // it can't tell
    const other = seen(7, changed(7, "forged"));
    const unseen = { from: 7, upTo: 7, line: 8, isAhead: false };
    assertEquals(chain.check(other, line(8)), unseen);
  }
});

Deno.test("LogChain holds what comes after a line that was changed against what its finder saw", () => {
  const chain = chainTo(7, changed(4, "forged"));
  const first = { from: 1, upTo: 6, line: 8, isAhead: false };
  assertEquals(chain.check(seen(6), line(8)), first);
  const other = seen(7, changed(5, "never said"));
  const second = { from: 7, upTo: 7, line: 8, isAhead: false };
  assertEquals(chain.check(other, line(8)), second);
});

Deno.test("LogChain has no value any more behind a line whose number it has had", () => {
  const chain = chainTo(5);
  chain.add(line(5));
  assertEquals(chain.valueBefore(6), undefined);
});

Deno.test("LogChain begins behind the line whose value it is given", () => {
  const chain = chainTo(0, [], new LogChain(seen(5)));
  assertEquals(chain.valueBefore(5), undefined);
  assertEquals(chain.valueBefore(6), valueFor(LINES, 5));
  chain.add(line(6));
  chain.add({ ...line(7), text: "forged" });
  const early = seen(3, changed(2, "a lie")); // of which it can't tell
  assertEquals(chain.check(early, line(8)), undefined);
  const forged = valueFor(changed(7, "forged"), 7);
  assertEquals(chain.valueBefore(8), forged);
  const unseen = { from: 6, upTo: 7, line: 8, isAhead: false };
  assertEquals(chain.check(seen(7), line(8)), unseen);
  // Numbers that are nobody's count as such.
  const gap = new LogChain(seen(5));
  assertEquals(gap.valueBefore(8), valueFor(LINES.slice(0, 5), 7));
});
