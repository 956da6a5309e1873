/**
 * Tests of which rows are in the page.
 *
 * @module
 */

import type { Row } from "../../../src/web/rows.ts";
import { MOST_ROWS, RowWindow } from "../../../src/web/view/room/row_window.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

function rows(from: number, to: number): Row[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const order = from + index;
    const rest = { at: 0, text: "", person: "", own: false } as const;
    return { kind: "aside", key: `a${order}`, order, ...rest };
  });
}

/** The numbers of the first and the last row in the window, and how many there are. */
function reach(list: RowWindow): number[] {
  const { shown } = list;
  return [shown[0]?.order ?? 0, shown.at(-1)?.order ?? 0, shown.length];
}

Deno.test("a window begins at the end, and stays there with few rows", () => {
  const list = new RowWindow();
  list.take(rows(1, 1_000));
  assertEquals(reach(list).slice(1), [1_000, 60]);
  for (let last = 1_001; last < 2_000; last += 7) {
    list.take(rows(1, last));
    const [, end, count = 0] = reach(list);
    assert(end === last && count <= 200, `${end} ${count}`);
  }
});

Deno.test("a window that left the end stays on its rows, whatever comes above and below", () => {
  const list = new RowWindow();
  list.take(rows(1_000, 2_000));
  list.up();
  list.stay();
  const before = reach(list);
  list.take(rows(1_000, 3_000));
  assertEquals(reach(list), before);
  list.take(rows(1, 3_000));
  assertEquals(reach(list), before);
  assert(list.hasAbove && list.hasBelow);
});

Deno.test("a window goes over all rows, and never has more than 500", () => {
  const list = new RowWindow();
  list.take(rows(1, 5_000));
  list.stay();
  while (list.hasAbove) {
    list.up();
    assert(list.shown.length <= MOST_ROWS);
  }
  assertEquals(reach(list)[0], 1);
  while (list.hasBelow) {
    list.down();
    assert(list.shown.length <= MOST_ROWS);
  }
  assertEquals(reach(list)[1], 5_000);
  assert(list.stick());
});

Deno.test("a window whose first rows are gone stays on those that are left", () => {
  const list = new RowWindow();
  list.take(rows(1, 100));
  list.stay();
  list.take([...rows(50, 70), ...rows(80, 100)]);
  assertEquals(reach(list).slice(0, 2), [50, 100]);
  list.take([]);
  assertEquals(reach(list), [0, 0, 0]);
});

Deno.test("a window goes to a row that isn't in it", () => {
  const list = new RowWindow();
  list.take(rows(1, 5_000));
  assert(list.around("a1000"));
  assert(list.shown.some(({ key }) => key === "a1000"));
  assert(!list.isAtEnd && !list.around("a6000"));
});
