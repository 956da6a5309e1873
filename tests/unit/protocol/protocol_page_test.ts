/**
 * docs/protocol.md against the code: its tables list every event, record and code there is, in their order, and what
 * it quotes of the worked example stands there.
 *
 * @module
 */

import { EpochReader } from "../../../src/crypto/epoch.ts";
import { type Check, type Kind, TABLE } from "../../../src/protocol/events.ts";
import {
  GOODBYES,
  HANDSHAKE_REFUSALS,
  MAX_TEXT_SIZE,
  MISSING,
  OPERATIONS,
  REFUSALS,
} from "../../../src/protocol/reasons.ts";
import { MAX_ASKED, PIECE_SIZE } from "../../../src/protocol/offer.ts";
import {
  encodeHeader,
  MAX_HANDSHAKE_RECORD_SIZE,
  MAX_PLAINTEXT_SIZE,
  MAX_RECORD_SIZE,
  RecordSplitter,
  RecordType,
  WireError,
} from "../../../src/protocol/records.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../../kit/assert.ts";

const docs = new URL("../../../docs/", import.meta.url);
const page = await Deno.readTextFile(new URL("protocol.md", docs));

/** The rows of all tables whose first column has that heading, each as its cells, without backquotes. */
function rows(heading: string): string[][] {
  const found: string[][] = [];
  let current: string | undefined; // the heading of the table that we are in
  for (const line of page.split("\n")) {
    const cells = line.split("|").slice(1, -1)
      .map((cell) => cell.replaceAll("`", "").trim());
    const [first] = cells;
    if (first === undefined) current = undefined;
    else if (current === undefined) current = first;
    else if (current === heading && !/^-+$/.test(first)) found.push(cells);
  }
  return found;
}

function firstCells(heading: string): string[] {
  return rows(heading).map(([cell = ""]) => cell);
}

// ── Events ─────────────────────────────────────────────────────────────────────────────────────────────

const OFFER = `a.jpg (7 bytes, SHA-256 ${"0".repeat(64)})`;

/** For each type of field what it takes, and what it doesn't. */
const TYPES: Readonly<Record<string, readonly [unknown[], unknown[]]>> = {
  "count": [[0, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, null, "7"]],
  "count or null": [[0, 2 ** 53 - 1, null], [-1, 0.5, 2 ** 53, "7"]],
  "time": [[-8.64e15, 8.64e15], [8.64e15 + 2, 0.5, null, "7"]],
  "time or null": [[-8.64e15, 8.64e15, null], [8.64e15 + 2, 0.5, "7"]],
  "boolean": [[true, false], [0, null, "true"]],
  "string": [["", "x".repeat(256)], ["x".repeat(257), "\ud800", null, 7]],
  "text": [["", "x".repeat(4_096)], ["x".repeat(4_097), "\ud800", null, 7]],
  "entry text": [
    ["", "x".repeat(6_144)],
    ["x".repeat(6_145), "\ud800", null, 7],
  ],
  "offer": [[OFFER], ["", "a.jpg", `../${OFFER}`, null, 7]],
  "piece": [["", "-_".repeat(10_949)], ["x".repeat(21_900), "+", "a=", 7]],
  "wrap": [["-_".repeat(779)], ["", "x".repeat(1_557), "+".repeat(1_558), 7]],
  "blob": [["-_".repeat(59)], ["", "x".repeat(117), "+".repeat(118), 7]],
  "blob or none": [["-_".repeat(59), ""], ["x".repeat(119), "+", null, 7]],
  "card": [["-_".repeat(896)], ["", "x".repeat(1_791), "+".repeat(1_792), 7]],
  "full id": [[`${"x".repeat(42)}A`], ["", "x".repeat(42), null, 7]],
  "short id": [["k3df9q2mx7ta41cz"], ["", "k3df-9q2m-x7ta-41cz", null, 7]],
  "stay": [["Yk3xQ0p1a2c"], ["", "Yk3xQ0p1a2", "Yk3xQ0p1a2+", null, 7]],
  "value": [["", `${"x".repeat(42)}A`], ["x".repeat(42), "+", null, 7]],
  "sealed": [
    ["-_".repeat(928), "x".repeat(7_318)],
    ["", "x".repeat(1_855), "x".repeat(7_319), "+".repeat(1_856), 7],
  ],
};

Deno.test("docs/protocol.md lists every event, with its fields in their order", () => {
  const listed = rows("event").map(([kind = "", fields = ""]) => {
    const names = fields === ""
      ? []
      : fields.split(", ").map((field) => field.split(" ")[0]);
    return [kind, names] as const;
  });
  const inCode = Object.entries(TABLE).map(([kind, fields]) =>
    [kind, Object.keys(fields)] as const
  );
  assertEquals(Object.fromEntries(listed), Object.fromEntries(inCode));
  assertEquals(listed.length, inCode.length, "an event is listed twice");
});

Deno.test("docs/protocol.md gives every field of every event its type", () => {
  const types = Object.keys(TYPES);
  assertEquals(firstCells("type").slice(-types.length), types);
  for (const [kind = "", fields = ""] of rows("event")) {
    const checks: Readonly<Record<string, Check<unknown>>> =
      TABLE[kind as Kind];
    for (const field of fields.split(", ").filter((it) => it !== "")) {
      const [, name = "", type = ""] = /^(\w+) (.+)$/.exec(field) ?? [];
      const [right, wrong] = TYPES[type] ?? [];
      const check = checks[name];
      assert(right && wrong && check, `${kind}: ${field}`);
      const tell = (value: unknown) => `${kind}: ${field}: ${value}`;
      for (const value of right) assert(check(value), tell(value));
      for (const value of wrong) assert(!check(value), tell(value));
    }
  }
});

// ── Records and codes ──────────────────────────────────────────────────────────────────────────────────

Deno.test("docs/protocol.md lists every type of record, with its least body", () => {
  const types = rows("type").filter(([type = ""]) => /^\d$/.test(type));
  assertEquals(
    types.map(([type, name]) => [name, Number(type)]),
    Object.entries(RecordType),
  );
  for (const [type, , , least] of types) {
    const read = (size: number) => {
      const splitter = new RecordSplitter(MAX_RECORD_SIZE);
      splitter.push(encodeHeader(Number(type) as RecordType, size));
      splitter.push(new Uint8Array(size));
      return splitter.shift();
    };
    assertEquals(read(Number(least))?.body.length, Number(least));
    assertThrows(() => read(Number(least) - 1), WireError);
  }
});

Deno.test("docs/protocol.md lists every code, in order", () => {
  assertEquals(firstCells("code"), Object.keys(HANDSHAKE_REFUSALS));
  assertEquals(firstCells("refusal"), Object.keys(REFUSALS));
  assertEquals(firstCells("goodbye"), Object.keys(GOODBYES));
  assertEquals(firstCells("missing"), Object.keys(MISSING));
  assertEquals(firstCells("operation"), [...OPERATIONS]);
});

Deno.test("docs/protocol.md has the limits that the code has", () => {
  const limits = [
    MAX_HANDSHAKE_RECORD_SIZE,
    MAX_RECORD_SIZE,
    MAX_PLAINTEXT_SIZE,
    MAX_TEXT_SIZE,
    PIECE_SIZE,
  ];
  for (const limit of limits) {
    assertStringIncludes(page, limit.toLocaleString("en"));
  }
  assertStringIncludes(page, `at most ${MAX_ASKED} are unanswered`);
});

Deno.test("docs/protocol.md lists keys of small order, which are refused", async () => {
  const listed = page.match(/(?<=^ {4})[0-9a-f]{64}$/gm) ?? [];
  assertEquals(listed.length, 7);
  for (const digits of listed) {
    const verifyKey = Uint8Array.fromHex(digits);
    const secret = { number: 1, counter: 0, key: verifyKey, verifyKey };
    await assertRejects(
      () => EpochReader.create(verifyKey, secret),
      RangeError,
      "small order",
    );
  }
});

// ── The worked example ─────────────────────────────────────────────────────────────────────────────────

Deno.test("docs/protocol.md quotes the worked example as it is", async () => {
  const example = await Deno.readTextFile(
    new URL("protocol_example.json", docs),
  );
  const [, quotes = ""] = page.split("\n## Worked example\n");
  const digits = quotes.match(/(?<=^ {4}.*)[0-9a-f]{6,}$/gm) ?? [];
  assert(digits.length > 15, `${digits.length} quotes`);
  for (const quote of digits) assertStringIncludes(example, quote);
  const plaintexts = quotes.match(/(?<=^ {4})\[\[.*\]\]$/gm) ?? [];
  assertEquals(plaintexts.length, 4);
  for (const quote of plaintexts) {
    assertStringIncludes(example, JSON.stringify(quote).slice(0, -1));
  }
});
