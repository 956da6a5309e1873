/**
 * A line with a checksum: it is read back as it was written, and nothing else is.
 *
 * @module
 */

import { parseLine } from "../../../src/base/checked_line.ts";
import { assertEquals, assertMatch } from "../../kit/assert.ts";
import { HAPPENINGS, textOf, there } from "../../kit/happenings.ts";

Deno.test("formatLine() writes JSON with the first digits of its SHA-256", () => {
  // echo -n '{"kind":"revoked","invite":7' | sha256sum
  assertEquals(
    textOf({ kind: "revoked", invite: 7 }),
    '{"kind":"revoked","invite":7,"sum":"3c6f4d136396"}\n',
  );
  for (const happening of HAPPENINGS) {
    const line = textOf(happening);
    const { sum, ...rest } = JSON.parse(line);
    assertMatch(sum, /^[0-9a-f]{12}$/);
    assertEquals<unknown>(rest, happening);
    assertEquals(line.indexOf("\n"), line.length - 1);
    assertEquals(parseLine(line.slice(0, -1)), happening);
  }
});

Deno.test("parseLine() refuses what formatLine() didn't write", () => {
  const whole = textOf(there(1)).slice(0, -1);
  const lines = [
    "",
    "{}",
    '{"kind":"revoked","invite":7}',
    '{"kind":"revoked","invite":7,"sum":"000000000000"}',
    `${whole} `,
    ` ${whole}`,
    `${whole}\n`,
    whole.toUpperCase(),
    whole.replace('"at":1', '"at":2'),
    whole.replace('"at":1', '"at":1,"at":2'),
    whole + whole,
  ];
  for (const line of lines) assertEquals(parseLine(line), undefined, line);
});
