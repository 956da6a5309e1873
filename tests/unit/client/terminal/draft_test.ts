/**
 * Tests of the draft on the screens of terminals that don't agree on how wide things are.
 *
 * @module
 */

import fc from "fast-check";
import {
  clusters,
  greatestWidth,
  leastWidth,
  width,
} from "../../../../src/client/terminal/cells.ts";
import { breakRows } from "../../../../src/client/terminal/draft_rows.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { Screen } from "../../../kit/screen.ts";
import { HERE, open, written } from "../../../kit/terminal_setup.ts";

const FLAG = "🇮🇳";
const FAMILY = "👨‍👩‍👧‍👦";
const HEART = "❤️";

const PIECES = [
  "a",
  "b ",
  "\n",
  "日",
  "é",
  "e\u0301",
  FLAG,
  FAMILY,
  HEART,
  "👍🏽",
  "\x1b",
];
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 80 })
  .map((pieces) => pieces.join(""));

Deno.test("breakRows() gives what is wider than the terminal a row to itself", () => {
  const rows = breakRows("", `${FAMILY}a${FAMILY}`, 6);
  assertEquals(rows.map(({ shown }) => shown), [FAMILY, "a", FAMILY]);
});

/** Where the clusters of a text begin, but for line ends. */
function places(text: string): number[] {
  const places: number[] = [];
  let at = 0;
  for (const line of text.split("\n")) {
    for (const cluster of clusters(line)) {
      places.push(at);
      at += cluster.length;
    }
    at++;
  }
  return places;
}

Deno.test("breakRows() loses nothing, and fits each row into the widest terminal", () => {
  fc.assert(
    fc.property(
      texts,
      texts,
      fc.integer({ min: 20, max: 60 }),
      (prompt, text, columns) => {
        const start = prompt.replaceAll("\n", "").replaceAll("\x1b", "");
        const rows = breakRows(start, text, columns);
        for (const row of rows) {
          const most = clusters(row.shown)
            .reduce((sum, it) => sum + greatestWidth(it), 0);
          assert(most < columns, `${row.shown} takes ${most} of ${columns}`);
        }
        const shown = rows.flatMap(({ cells }) => cells.map(({ at }) => at));
        assertEquals(shown, places(text));
        assertEquals(rows.map(({ prompt }) => prompt).join(""), start);
        for (let place = 0; place <= text.length; place++) {
          assertEquals(rows.filter((row) => row.has(place)).length, 1);
        }
      },
    ),
  );
});

/** What somebody does at a terminal, and what comes meanwhile. */
type Step = { keys: string } | { message: string } | { columns: number };

const SIDEWAYS = [
  "\x1b[C",
  "\x1b[D",
  "\x1b[H",
  "\x1b[F",
  "\x7f",
  "\x1b[3~",
  "\x17",
  "\x19",
  "\x1f",
  "\x14",
  "\x1bb",
  "\x1bd",
  "\x12a\x07",
];
const KEYS = [...SIDEWAYS, "\x1b[A", "\x1b[B"];

function keys(pieces: readonly string[], most: number): fc.Arbitrary<Step> {
  return fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: most })
    .map((pieces): Step => ({ keys: pieces.join("") }));
}

const messages = fc.constantFrom(..."abcdefgh")
  .map((letter): Step => ({ message: letter.repeat(9) }));

/** Does the steps on a terminal: in the end there are the messages, and below them what the keys alone make. */
async function live(
  steps: readonly Step[],
  screen: Screen,
  rebreaks = true,
): Promise<void> {
  using terminal = open(screen.columns, { rebreaks }, screen);
  const { view, press, resize } = terminal;
  view.stand(HERE);
  const said: string[] = [];
  for (const step of steps) {
    if ("keys" in step) press(step.keys);
    else if ("columns" in step) resize(step.columns);
    else {
      said.push(step.message);
      view.note(step.message);
      await written();
    }
  }
  const { columns, height, cellsOf } = screen;
  using alone = open(columns, {}, new Screen(columns, height, cellsOf));
  alone.view.stand(HERE);
  for (const step of steps) if ("keys" in step) alone.press(step.keys);
  assertEquals(screen.lines, [...said, ...alone.screen.lines]);
  const [row, column] = alone.screen.cursor;
  const above = screen.rows.length - alone.screen.rows.length;
  assertEquals(screen.cursor, [row + above, column]);
}

const TERMINALS = { width, leastWidth, greatestWidth };

for (const [name, cellsOf] of Object.entries(TERMINALS)) {
  Deno.test(`TerminalView leaves the messages and one draft on a terminal that goes by ${name}()`, async () => {
    const typed = keys(PIECES.filter((it) => it !== "\x1b"), 12);
    const steps = fc.array(fc.oneof(typed, keys(KEYS, 12), messages), {
      maxLength: 30,
    });
    const sizes = fc.integer({ min: 20, max: 50 });
    await fc.assert(
      fc.asyncProperty(
        steps,
        sizes,
        (steps, columns) => live(steps, new Screen(columns, 24, cellsOf)),
      ),
    );
  });
}

Deno.test("TerminalView leaves the messages and one draft while the terminal gets other widths, whether or not it breaks its rows anew", async () => {
  const widths = fc.integer({ min: 20, max: 60 });
  const sizes = widths.map((columns): Step => ({ columns }));
  const typed = keys(["abc ", "日本", "e\u0301", FLAG, FAMILY], 12);
  const steps = fc.array(
    fc.oneof(typed, keys(SIDEWAYS, 3), messages, sizes),
    { maxLength: 16, size: "max" },
  );
  await fc.assert(
    fc.asyncProperty(
      steps,
      widths,
      // A tall terminal: what a narrower one moves out at its top can't be cleared any more.
      (steps, columns) => live(steps, new Screen(columns, 400)),
    ),
  );
  class Clipping extends Screen {
    override resize(columns: number): void {
      this.clip(columns);
    }
  }
  await fc.assert(
    fc.asyncProperty(
      steps,
      widths,
      (steps, columns) => live(steps, new Clipping(columns, 400), false),
    ),
  );
});

Deno.test("TerminalView loses no message when a terminal gets narrower that is wider than it believes", async () => {
  const hearts = HEART.repeat(30);
  for (const cellsOf of Object.values(TERMINALS)) {
    const screen = new Screen(80, 24, cellsOf);
    using terminal = open(80, {}, screen);
    const { view, press, resize } = terminal;
    view.stand(HERE);
    view.note("one\ntwo");
    await written();
    press(hearts);
    for (const columns of [60, 40, 25, 80]) resize(columns);
    assertEquals(screen.lines.slice(0, 2), ["one", "two"]);
    assertEquals(screen.lines.at(-1), `ana> ${hearts}`);
  }
});

Deno.test("TerminalView draws the line again at the width at which the cursor's row ends", async () => {
  for (const after of ["", "bcd"]) {
    const screen = new Screen(60, 24);
    using terminal = open(60, {}, screen);
    const { view, press, resize } = terminal;
    view.stand(HERE);
    view.note("one");
    await written();
    const line = "a".repeat(40 - "ana> ".length);
    press(line + after + "\x1b[D".repeat(after.length));
    resize(40);
    assertEquals(screen.rows, [
      "one",
      `ana> ${line.slice(1)}`,
      `  a${after}`,
    ]);
  }
});
