/**
 * Tests of `src/server/diagnostics.ts`, by what is written on standard error.
 *
 * @module
 */

import {
  diagnostics,
  startDiagnostics,
} from "../../../src/server/diagnostics.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../kit/assert.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { overhear } from "../../kit/overhear.ts";

const gate = diagnostics("gate");
const room = diagnostics("room");

/** Says something at each level. */
function sayAll(): void {
  gate.debug("fault");
  gate.info("well");
  gate.warn("not so {how}", { how: "well" });
  room.error("{why}", { why: new TypeError("no space") });
}

Deno.test("diagnostics write what is as important as asked for, of which part it is, and what it says", async () => {
  const all = [
    "debug gate: fault",
    "info gate: well",
    "warning gate: not so well",
    "error room: TypeError: no space",
  ];
  const levels = ["debug", "info", "warning", "error", "off"];
  for (const [at, level] of levels.entries()) {
    assertEquals(await overhear(level, sayAll), all.slice(at), level);
  }
  await assertRejects(
    () => startDiagnostics("loud"),
    RangeError,
    'Cannot log from "loud": the levels are debug, info, warning, error, off',
  );
});

Deno.test("diagnostics write ten records of a kind in a minute, and the number of the others", async () => {
  using clock = new ManualClock();
  const ten = Array.from({ length: 10 }, (_, at) => `warning gate: ${at}: bad`);
  const lines = await overhear("info", () => {
    const warn = (count: number) => {
      for (let at = 0; at < count; at++) {
        gate.warn("{address}: {why}", { address: at, why: "bad" });
      }
    };
    warn(1_000);
    gate.warn("All places are taken");
    clock.advance(59_999);
    room.error("{why}", { why: "no space" });
    warn(1);
    clock.advance(1);
    warn(10);
  });
  assertEquals(lines, [
    ...ten,
    "warning gate: All places are taken",
    "error room: no space",
    "warning diagnostics: And 991 more like it from gate",
    ...ten,
  ]);
  const last = await overhear("info", () => {
    for (let at = 0; at < 12; at++) gate.warn("again");
  });
  assertEquals(
    last.at(-1),
    "warning diagnostics: And 2 more like it from gate",
  );
});

Deno.test("diagnostics write every record for whoever looks for a fault", async () => {
  const lines = await overhear("debug", () => {
    for (let at = 0; at < 100; at++) gate.debug("{at}", { at });
  });
  assertEquals(
    lines,
    Array.from({ length: 100 }, (_, at) => `debug gate: ${at}`),
  );
});

Deno.test("diagnostics drop records beyond a thousand that wait, rather than have anybody wait for them", async () => {
  const lines = await overhear("debug", () => {
    for (let at = 0; at < 3_000; at++) gate.debug("{at}", { at });
  });
  assert(lines.length >= 1_000 && lines.length < 1_100, `${lines.length}`);
});

Deno.test("diagnostics write one line a record that no terminal obeys, as text and as JSON", async () => {
  const value = "a\n\x1b[2J\x07b\x9b\r";
  const one = () => gate.warn("{value}", { value, list: [1, "x"] });
  const [text = "", ...more] = await overhear("info", one);
  assertEquals(more, []);
  assertMatch(text, /^warning gate: a[ -~]*b[ -~]*$/);
  const say = () => {
    gate.info("{value}, {list}, {error}", {
      value: "x",
      list: [1, "x"],
      error: new TypeError("no"),
    });
    gate.warn(value);
  };
  const [first = "", second = "", ...others] = await overhear(
    "info",
    say,
    "json",
  );
  assertEquals(others, []);
  const { "@timestamp": time, ...record } = JSON.parse(first);
  assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(record, {
    level: "info",
    message: 'x, [ 1, "x" ], TypeError: no',
    logger: "encrypted-chat.gate",
    properties: { value: "x", list: [1, "x"], error: {} },
  });
  assertEquals(JSON.parse(second).message, value);
});
