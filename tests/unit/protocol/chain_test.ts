/**
 * The chain: known values, put together here byte by byte and hashed by the runtime; what changes a value, and what
 * doesn't.
 *
 * @module
 */

import { base32crockford } from "@scure/base";
import fc from "fast-check";
import {
  type Bytes,
  concat,
  field,
  fromBase64url,
  randomBytes,
  toBase64url,
  uint64,
} from "../../../crypto_utils.ts";
import {
  agreement,
  Chain,
  CHAIN_START,
  chainEvent,
  chainGap,
  chainValue,
  toldValue,
} from "../../../src/protocol/chain.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { MAX_STRING } from "../../../src/protocol/events.ts";
import { formatEntry, parseEntry } from "../../../src/log/line_format.ts";
import { type LogEntry, numberEntry } from "../../../src/protocol/line.ts";
import { GOODBYES, MAX_ENTRY_LENGTH } from "../../../src/protocol/reasons.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { ATTACKS } from "../../kit/hostile_texts.ts";
import { PERSON, said, STAY } from "../../kit/log_kit.ts";
import { newStay } from "../../kit/people.ts";

const ENTRY: LogEntry = {
  seq: 43,
  at: 1_795_453_567_004,
  person: PERSON,
  stay: STAY,
  n: 7,
  what: "replied",
  name: "Abhii",
  text: "Achha hoon",
  to: 42,
};

/** Somebody of whom nothing can be remembered. */
function anybody(): Pick<LogEntry, "person" | "stay"> {
  const person = shortId(fullId(randomBytes(32)));
  return { person, stay: newStay() };
}

/** What the page of the protocol says, step by step; hashed by the runtime. */
async function expected(before: Bytes, entry: LogEntry): Promise<string> {
  const at = new DataView(new ArrayBuffer(8));
  at.setBigInt64(0, BigInt(entry.at));
  const text = entry.what === "left" && Object.hasOwn(GOODBYES, entry.text)
    ? GOODBYES[entry.text as keyof typeof GOODBYES]
    : entry.text;
  return await digest(
    before,
    uint64(entry.seq),
    new Uint8Array(at.buffer),
    field(utf8(entry.what)),
    base32crockford.decode(entry.person.toUpperCase()),
    fromBase64url(entry.stay),
    uint64(entry.n),
    uint64(entry.to ?? 0),
    field(utf8(entry.name)),
    field(utf8(text)),
  );
}

async function digest(...fields: Uint8Array[]): Promise<string> {
  const label = utf8("encrypted-chat/2\0chain\0");
  const all = concat(label, ...fields);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", all)));
}

function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

Deno.test("field() puts the length before the bytes", () => {
  assertEquals(toHex(field(utf8("ab"))), "000000026162");
  assertEquals(toHex(field(new Uint8Array(0))), "00000000");
});

Deno.test("chainValue() is the digest that the protocol says, for every kind of line", async () => {
  const before = Uint8Array.from({ length: 32 }, (_, index) => index);
  const entries: LogEntry[] = [
    ENTRY,
    { ...ENTRY, what: "said", to: null },
    { ...ENTRY, what: "acted", to: null, text: "ठीक 👍🏽" },
    { ...ENTRY, what: "edited" },
    { ...ENTRY, what: "deleted", text: "" },
    { ...ENTRY, what: "reacted", text: "👍" },
    { ...ENTRY, what: "reacted", text: "" },
    { ...ENTRY, what: "renamed", to: null, text: "Abhijeet" },
    { ...ENTRY, what: "joined", to: null, text: "" },
    { ...ENTRY, what: "left", to: null, text: "left" },
    { ...ENTRY, what: "left", to: null, text: "lost" },
    { ...ENTRY, what: "left", to: null, text: "good night" },
    { ...ENTRY, at: 0 },
    { ...ENTRY, at: -1 },
    { ...ENTRY, at: -8.64e15 },
    { ...ENTRY, at: 8.64e15 },
    { ...ENTRY, seq: 1, n: 0 },
    { ...ENTRY, seq: 2 ** 53 - 1, n: 2 ** 53 - 1, to: 2 ** 53 - 1 },
    { ...ENTRY, what: "said", to: null, text: "lost" },
    { ...ENTRY, text: "x".repeat(MAX_ENTRY_LENGTH) },
    {
      ...ENTRY,
      text: "€".repeat(MAX_ENTRY_LENGTH),
      name: "€".repeat(MAX_STRING),
    },
    ENTRY,
    ...Array.from({ length: 3 }, () => ({ ...ENTRY, ...anybody() })),
  ];
  for (const entry of entries) {
    const value = toHex(chainValue(before, entry));
    assertEquals(value, await expected(before, entry), JSON.stringify(entry));
  }
});

Deno.test("chainValue() has a known answer", () => {
  assertEquals(
    toHex(chainValue(CHAIN_START, ENTRY)),
    "731dad145b4e12a6535aabe4a2529242f2d97b7fd30c70ee5ee69a0b8ff3e848",
  );
});

Deno.test("chainGap() is the digest that the protocol says", async () => {
  const before = chainValue(CHAIN_START, ENTRY);
  assertEquals(
    toHex(chainGap(before, 2 ** 40 + 1)),
    await digest(before, uint64(2 ** 40 + 1)),
  );
});

Deno.test("chainValue() differs as soon as anything in a line does", () => {
  const others: Partial<LogEntry>[] = [
    { seq: 44 },
    { at: ENTRY.at + 1 },
    { person: "8wn0yqp4rv6hs2jb" },
    { stay: "p0Zr7LkQ2wE" },
    { n: 8 },
    { what: "edited" },
    { name: "Abhi", text: "iAchha hoon" },
    { text: "Achha hoon " },
    { to: 41 },
  ];
  const all = [{}, ...others].map((fields) =>
    toHex(chainValue(CHAIN_START, { ...ENTRY, ...fields }))
  );
  assertEquals(new Set(all).size, all.length);
  assert(!all.includes(toHex(chainGap(CHAIN_START, 43))));
});

Deno.test("chainValue() cuts no text that is longer than any line's", () => {
  const most = 3 * (MAX_STRING + MAX_ENTRY_LENGTH);
  for (const text of ["x".repeat(most + 1_024), "日".repeat(most)]) {
    assertThrows(() => chainValue(CHAIN_START, { ...ENTRY, text }), RangeError);
  }
});

Deno.test("chainValue() takes a reason for leaving and the same words of somebody's own for one", () => {
  for (const [reason, words] of Object.entries(GOODBYES)) {
    const left = (text: string): LogEntry => ({ ...ENTRY, what: "left", text });
    assertEquals(
      chainValue(CHAIN_START, left(reason)),
      chainValue(CHAIN_START, left(words)),
    );
  }
});

/** Texts as a client may send them: of any characters, with what commands a terminal, and what a log escapes. */
const texts = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.array(
    fc.constantFrom(..."\\:*(){}u2 \u0301é", ...ATTACKS),
    { minLength: 1, maxLength: 12 },
  ).map((parts) => parts.join("")),
).map((text) => text.toWellFormed());

Deno.test("chainValue() is the same for a line as it was said and as the log gives it back", () => {
  const kinds = ["said", "acted", "replied", "edited", "left"] as const;
  const entries = fc.record({ what: fc.constantFrom(...kinds), text: texts });
  fc.assert(
    fc.property(entries, (fields) => {
      const entry = numberEntry({ ...said(1), ...fields, to: 42 }, 50);
      const read = parseEntry(formatEntry(entry), 50);
      assert(read);
      assertEquals(
        chainValue(CHAIN_START, read),
        chainValue(CHAIN_START, entry),
      );
    }),
    { numRuns: 2_000 },
  );
});

/** A chain that says so if it goes on and on. */
function chainAfter(seq: number): Chain {
  let count = 0;
  const each = () => assert(++count <= 60_000, "there is no end of it");
  return new Chain(seq, CHAIN_START, each);
}

Deno.test("Chain tells each value that it comes to, of numbers without a line, too", () => {
  const told: [number, Bytes][] = [];
  const each = (seq: number, value: Bytes) => void told.push([seq, value]);
  const chain = new Chain(2 ** 40, CHAIN_START, each);
  const line = numberEntry(said(1), 2 ** 40 + 2);
  chain.add(line);
  chain.skipTo(2 ** 40 + 3);
  const first = chainGap(CHAIN_START, 2 ** 40 + 1);
  const second = chainValue(first, line);
  assertEquals(told, [
    [2 ** 40 + 1, first],
    [2 ** 40 + 2, second],
    [2 ** 40 + 3, chainGap(second, 2 ** 40 + 3)],
  ]);
});

Deno.test("chainEvent() tells a value, and toldValue() gives it back; or none", () => {
  const value = randomBytes(32);
  const event = chainEvent(7, value);
  assertEquals(event, { kind: "chain", seq: 7, value: toBase64url(value) });
  assertEquals(toldValue(event.value), value);
  assertEquals(chainEvent(8, undefined).value, "");
  assertEquals(toldValue(""), undefined);
});

Deno.test("Chain counts the numbers between lines as lines that aren't ours, and keeps the last values", () => {
  const chain = chainAfter(3);
  const line = (seq: number) => numberEntry(said(seq), seq);
  chain.add(line(4));
  chain.add(line(7));
  chain.skipTo(9);
  let value = chainValue(CHAIN_START, line(4));
  assertEquals(chain.at(4), value);
  for (const seq of [5, 6]) value = chainGap(value, seq);
  value = chainValue(value, line(7));
  assertEquals(chain.at(7), value);
  for (const seq of [8, 9]) value = chainGap(value, seq);
  assertEquals([chain.seq, chain.value], [9, value]);
  assertEquals([chain.at(3), chain.oldest], [CHAIN_START, 3]);
  for (const seq of [2, 10, 3.5, NaN]) assertEquals(chain.at(seq), undefined);
  for (let seq = 10; seq <= 5_000; seq++) chain.add(line(seq));
  assertEquals(chain.oldest, 5_000 - 4_095);
  assertEquals(chain.at(chain.oldest - 1), undefined);
  assert(chain.at(chain.oldest));
});

Deno.test("Chain keeps its values whatever numbers somebody leaves out, and has those of a few numbers between", () => {
  const chain = chainAfter(0);
  const line = (seq: number) => numberEntry(said(seq), seq);
  let value = CHAIN_START;
  for (let seq = 1; seq <= 9; seq++) {
    chain.add(line(seq));
    if (seq === 8) value = chain.value;
  }
  chain.add(line(50_000));
  assertEquals([chain.oldest, chain.at(8)], [0, value]);
  const last = chain.value;
  let between = chain.at(9);
  assert(between);
  for (let seq = 10; seq <= 4_105; seq++) between = chainGap(between, seq);
  assertEquals(chain.at(4_105), between);
  assertEquals(chain.at(4_106), undefined);
  assertEquals(chain.at(50_000), last);
  chain.skipTo(55_000); // more than are counted again: the last is known all the same
  assertEquals(chain.at(55_000), chain.value);
  assertEquals(chain.at(54_999), undefined);
});

Deno.test("Chain takes no line twice, and doesn't go through a million numbers that somebody else names", () => {
  const each = () => assert(false, "it goes through them");
  const chain = new Chain(3, CHAIN_START, each);
  const line = (seq: number) => numberEntry(said(1), seq);
  for (const seq of [2, 3]) {
    assertThrows(() => chain.add(line(seq)), RangeError, `line ${seq} again`);
  }
  const far = 3 + 1_000_001;
  assertThrows(() => chain.skipTo(far), RangeError, `up to ${far} are missing`);
  assertThrows(() => chain.add(line(2 ** 52)), RangeError, "missing");
  assertEquals([chain.seq, chain.value], [3, CHAIN_START]);
});

Deno.test("agreement() gives eight groups of five digits", () => {
  assertEquals(
    agreement(CHAIN_START),
    "00000 00000 00000 00000 00000 00000 00000 00000",
  );
  const value = fromBase64url(toBase64url(new Uint8Array(32).fill(0xff)));
  assertEquals(agreement(value), Array(8).fill("67295").join(" "));
});
