/**
 * Tests of what a person was shown, as it is kept.
 *
 * @module
 */

import { Scrollback } from "../../../../src/client/terminal/scrollback.ts";
import { assertEquals } from "../../../kit/assert.ts";

Deno.test("Scrollback.rows are the last 10,000, empty ones too, in order, however they came", () => {
  for (const count of [0, 1, 99, 100, 101, 9_999, 10_000, 10_001, 23_456]) {
    for (const together of [1, 7, 250]) {
      const scrollback = new Scrollback();
      const rows = Array.from(
        { length: count },
        (_, n) => n % 3 === 0 ? "" : `row ${n}`,
      );
      for (let at = 0; at < count; at += together) {
        scrollback.add(rows.slice(at, at + together));
      }
      assertEquals(scrollback.rows, rows.slice(-10_000));
    }
  }
});
