/**
 * Events: there and back, every wrong value of every field, and how many fit a record.
 *
 * @module
 */

import {
  encodeEvent,
  type Event,
  EventError,
  type Kind,
  packEvents,
  unpackEvents,
} from "../../../src/protocol/events.ts";
import {
  MAX_PLAINTEXT_SIZE,
  padmeLength,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { seededRandom } from "../../kit/memory_stream.ts";
import {
  GOODBYES,
  isGoodbye,
  MAX_ENTRY_LENGTH,
  MAX_TEXT_SIZE,
  reasonWords,
  REFUSALS,
  refusedDeed,
  textRefusal,
  wording,
} from "../../../src/protocol/reasons.ts";

type Sort =
  | "boolean"
  | "count"
  | "count or null"
  | "time or null"
  | "time"
  | "string"
  | "text"
  | "offer"
  | "piece"
  | "entry text"
  | "wrap"
  | "blob"
  | "blob or none"
  | "card"
  | "full id"
  | "short id"
  | "stay"
  | "value"
  | "sealed";

/** What the protocol says each kind has, in the order in which it is sent. */
const FIELDS: Readonly<Record<Kind, readonly (readonly [string, Sort])[]>> = {
  join: [
    ["name", "string"],
    ["stay", "stay"],
    ["n", "count"],
    ["after", "count or null"],
    ["card", "card"],
  ],
  say: [["n", "count"], ["text", "text"]],
  act: [["n", "count"], ["text", "text"]],
  reply: [["n", "count"], ["to", "count"], ["text", "text"]],
  edit: [["n", "count"], ["to", "count"], ["text", "text"]],
  delete: [["n", "count"], ["to", "count"]],
  react: [["n", "count"], ["to", "count"], ["text", "string"]],
  offer: [["n", "count"], ["text", "offer"]],
  seal: [["n", "count"], ["text", "entry text"]],
  follow: [["after", "count"]],
  enter: [["text", "entry text"]],
  rule: [["id", "count"], ["text", "entry text"]],
  wrap: [
    ["to", "full id"],
    ["e", "count"],
    ["next", "boolean"],
    ["data", "wrap"],
  ],
  admit: [
    ["invite", "count"],
    ["key", "full id"],
    ["blob", "blob"],
  ],
  need: [["e", "count"]],
  followed: [["seq", "count"], ["digest", "value"], ["blob", "blob or none"]],
  wrapped: [
    ["by", "full id"],
    ["to", "full id"],
    ["e", "count"],
    ["data", "wrap"],
  ],
  needed: [["who", "full id"], ["e", "count"]],
  sealed: [["id", "count"], ["n", "count"], ["text", "entry text"]],
  ruled: [
    ["person", "short id"],
    ["name", "string"],
    ["stay", "stay"],
    ["n", "count"],
    ["text", "entry text"],
  ],
  hold: [["offer", "count"]],
  rename: [["name", "string"]],
  away: [["text", "string"]],
  find: [
    ["id", "count"],
    ["words", "string"],
    ["before", "count or null"],
    ["count", "count"],
  ],
  page: [["id", "count"], ["before", "count"], ["count", "count"]],
  agree: [["id", "count"], ["seq", "count"]],
  chain: [["seq", "count"], ["value", "value"]],
  paged: [["id", "count"], ["more", "boolean"]],
  agreed: [["id", "count"], ["seq", "count"], ["value", "value"]],
  release: [["id", "count"]],
  taken: [["offer", "count"]],
  answered: [["id", "count"]],
  took: [["offer", "count"], ["name", "string"], ["person", "short id"]],
  operate: [
    ["id", "count"],
    ["what", "string"],
    ["who", "string"],
    ["text", "text"],
    ["count", "count"],
  ],
  look: [["id", "count"], ["who", "string"]],
  private: [
    ["n", "count"],
    ["to", "full id"],
    ["data", "sealed"],
    ["own", "sealed"],
  ],
  collect: [["after", "count or null"]],
  got: [["id", "count"]],
  card: [["id", "count"], ["name", "string"], ["card", "card"]],
  nobody: [["id", "count"]],
  privately: [["n", "count"], ["state", "string"]],
  letter: [["id", "count"], ["from", "full id"], ["data", "sealed"]],
  ping: [],
  pong: [],
  fetch: [
    ["id", "count"],
    ["offer", "count"],
    ["from", "count"],
    ["size", "count"],
  ],
  piece: [["id", "count"], ["data", "piece"]],
  missing: [["id", "count"], ["reason", "string"]],
  limits: [["fileSize", "count"]],
  bye: [["reason", "string"]],
  refused: [["n", "count or null"], ["reason", "string"], ["detail", "string"]],
  past: [
    ["seq", "count"],
    ["at", "time"],
    ["person", "short id"],
    ["stay", "stay"],
    ["n", "count"],
    ["what", "string"],
    ["to", "count or null"],
    ["name", "string"],
    ["text", "entry text"],
  ],
  here: [
    ["id", "count"],
    ["name", "string"],
    ["person", "full id"],
    ["stay", "stay"],
    ["since", "time"],
    ["active", "time"],
    ["away", "string"],
  ],
  slowed: [],
  motd: [["text", "text"]],
  notice: [["text", "text"]],
  invited: [
    ["address", "entry text"],
    ["id", "count"],
    ["secret", "string"],
    ["uses", "count"],
    ["until", "time or null"],
    ["note", "string"],
  ],
  room: [["topic", "text"], ["slow", "count"]],
  found: [["id", "count"], ["more", "boolean"]],
  epoch: [
    ["number", "count"],
    ["counter", "count"],
    ["key", "string"],
    ["verifyKey", "string"],
  ],
  sharing: [
    ["number", "count"],
    ["counter", "count"],
    ["key", "string"],
    ["verifyKey", "string"],
  ],
  welcome: [
    ["id", "count"],
    ["seq", "count"],
    ["at", "time"],
    ["name", "string"],
  ],
  beside: [["id", "count"], ["of", "count"], ["stay", "stay"]],
  parted: [["id", "count"]],
  batch: [["seq", "count"], ["at", "time"]],
  joined: [
    ["id", "count"],
    ["name", "string"],
    ["person", "full id"],
    ["stay", "stay"],
    ["n", "count"],
  ],
  left: [["id", "count"], ["n", "count"], ["reason", "string"]],
  said: [["id", "count"], ["n", "count"], ["text", "text"]],
  acted: [["id", "count"], ["n", "count"], ["text", "text"]],
  replied: [["id", "count"], ["n", "count"], ["to", "count"], [
    "text",
    "text",
  ]],
  offered: [["id", "count"], ["n", "count"], ["text", "offer"]],
  edited: [["id", "count"], ["n", "count"], ["to", "count"], [
    "text",
    "text",
  ]],
  deleted: [["id", "count"], ["n", "count"], ["to", "count"]],
  reacted: [["id", "count"], ["n", "count"], ["to", "count"], [
    "text",
    "string",
  ]],
  renamed: [["id", "count"], ["n", "count"], ["name", "string"]],
  absent: [["id", "count"], ["text", "string"]],
  waiting: [["is", "boolean"]],
  servers: [["list", "text"]],
  ratchet: [],
};
const DIGEST = "0123456789abcdef".repeat(4);
const kinds = Object.keys(FIELDS) as Kind[];

const RIGHT: Readonly<Record<Sort, readonly unknown[]>> = {
  boolean: [true, false],
  count: [7, 0, Number.MAX_SAFE_INTEGER],
  "count or null": [7, null, 0],
  time: [1_795_453_554_120, 0, -1, 8.64e15, -8.64e15],
  "time or null": [1_795_453_554_120, null, 8.64e15, -8.64e15],
  string: ["", "Abhii", "x".repeat(256), '"\\\n\0\u2028', "\u{1f600}"],
  offer: [
    `hut.jpg (81204 bytes, SHA-256 ${DIGEST})`,
    `a (1 bytes) (0 bytes, SHA-256 ${DIGEST})`,
  ],
  piece: ["aGk", "", "_-".repeat(10_949)],
  card: ["-_a0".repeat(448)],
  "full id": ["-_a0Z".repeat(8) + "abc"],
  "short id": ["k3df9q2mx7ta41cz", "0123456789abcdef"],
  stay: ["Yk3xQ0p1a2c", "-----------"],
  value: ["-_a0Z".repeat(8) + "abc", ""],
  sealed: ["-_a0".repeat(464), "x".repeat(7_318)],
  text: ["Kaise ho bro", "", "\0".repeat(MAX_TEXT_SIZE), "\u{1f600}\u{fffd}"],
  "entry text": [
    "0.AAAA",
    "",
    "\0".repeat(MAX_ENTRY_LENGTH),
    "\u{1f600}\u{fffd}",
  ],
  wrap: ["-_".repeat(779)],
  blob: ["-_".repeat(59)],
  "blob or none": ["-_".repeat(59), ""],
};

const NO_NUMBER = [undefined, "7", true, [], {}, [7], 0.5, 2 ** 53, NaN];
const NO_STRING = [
  undefined,
  null,
  7,
  false,
  [],
  {},
  ["x"],
  "\ud800",
  "a\udc00",
];
/** Texts that are no base64url of a size. */
const notOfSize = (size: number) => [
  "a".repeat(size - 1),
  "a".repeat(size + 1),
  "a".repeat(size - 1) + "+",
];
const WRONG: Readonly<Record<Sort, readonly unknown[]>> = {
  boolean: [undefined, null, 0, 1, "true", [], {}],
  count: [...NO_NUMBER, null, -1],
  "count or null": [...NO_NUMBER.slice(1, 8), -1], // JSON has no other word for undefined and NaN than null
  time: [...NO_NUMBER, null, 8.64e15 + 2, -8.64e15 - 2],
  "time or null": [...NO_NUMBER.slice(1, 8), 8.64e15 + 2, -8.64e15 - 2],
  string: [...NO_STRING, "x".repeat(257)],
  offer: [
    ...NO_STRING,
    "",
    "hut.jpg",
    `hut.jpg (-1 bytes, SHA-256 ${DIGEST})`,
    `hut.jpg (1e3 bytes, SHA-256 ${DIGEST})`,
    `hut.jpg (1 bytes, SHA-256 ${DIGEST.slice(1)})`,
    ` (1 bytes, SHA-256 ${DIGEST})`,
    `../hut.jpg (1 bytes, SHA-256 ${DIGEST})`,
  ],
  piece: [...NO_STRING, "aGk=", "a+b", "a/b", "a b", "x".repeat(21_900)],
  text: [...NO_STRING, "x".repeat(MAX_TEXT_SIZE + 1)],
  value: [...NO_STRING, ...notOfSize(43), "=".repeat(43)],
  "entry text": [...NO_STRING, "x".repeat(MAX_ENTRY_LENGTH + 1)],
  wrap: [...NO_STRING, "", ...notOfSize(1_558)],
  blob: [...NO_STRING, "", ...notOfSize(118)],
  "blob or none": [...NO_STRING, ...notOfSize(118)],
  card: [...NO_STRING, "", ...notOfSize(1_792)],
  "full id": [
    ...NO_STRING,
    "",
    "a".repeat(42),
    "a".repeat(44),
    "a".repeat(42) + "+",
  ],
  "short id": [
    ...NO_STRING,
    "",
    "k3df9q2mx7ta41c",
    "k3df9q2mx7ta41czz",
    "K3DF9Q2MX7TA41CZ",
    "k3df9q2mx7ta41ci",
  ],
  stay: [...NO_STRING, "", "Yk3xQ0p1a2", "Yk3xQ0p1a2cd", "Yk3xQ0p1a2="],
  sealed: [
    ...NO_STRING,
    "",
    "x".repeat(1_855),
    "x".repeat(7_319),
    "+".repeat(1_856),
  ],
};

function unpackJson(value: unknown): Event[] {
  return unpackEvents(utf8(JSON.stringify(value)));
}

/** An event of a kind with the values at one place of each list in `RIGHT`. */
function example(kind: Kind, place = 0): Event {
  const fields = FIELDS[kind].map(([name, sort]) => {
    const values = RIGHT[sort];
    return [name, values[place % values.length]];
  });
  return { kind, ...Object.fromEntries(fields) } as Event;
}

// ── There and back ─────────────────────────────────────────────────────────────────────────────────────

for (const kind of kinds) {
  Deno.test(`unpackEvents() gives back a "${kind}" with every right value`, () => {
    for (let place = 0; place < 5; place++) {
      const event = example(kind, place);
      const encoded = encodeEvent(event);
      assertEquals(JSON.parse(encoded), [
        kind,
        ...FIELDS[kind].map(([name]) => (event as never)[name]),
      ]);
      const [plaintext = new Uint8Array()] = packEvents([encoded]);
      assertEquals(unpackEvents(plaintext), [event]);
    }
  });
}

Deno.test("packEvents() and unpackEvents() carry 300 random batches of events unchanged", () => {
  const random = seededRandom(1);
  for (let round = 0; round < 300; round++) {
    const events = Array.from({ length: random(200) }, () => {
      const kind = kinds[random(kinds.length)] ?? "ping";
      return example(kind, random(5));
    });
    const plaintexts = packEvents(events.map(encodeEvent));
    assertEquals(plaintexts.flatMap(unpackEvents), events);
  }
});

// ── What is not well formed ────────────────────────────────────────────────────────────────────────────

for (const kind of kinds) {
  Deno.test(`unpackEvents() refuses a "${kind}" with any wrong value, and with one too many or too few`, () => {
    const right = FIELDS[kind].map(([_, sort]) => RIGHT[sort][0]);
    for (const [at, [name, sort]] of FIELDS[kind].entries()) {
      for (const wrong of [...WRONG[sort], [RIGHT[sort][0]]]) {
        const values = right.with(at, wrong);
        assertThrows(
          () => unpackJson([[kind, ...values]]),
          EventError,
          `Cannot read an event "${kind}": "${name}" is wrong`,
          `${name}: ${JSON.stringify(wrong)?.slice(0, 40)}`,
        );
      }
    }
    const missing = `Cannot read an event "${kind}": fields are missing`;
    const counts = [[...right, 1], [...right, null], right.slice(0, -1)];
    for (const values of right.length > 0 ? counts : counts.slice(0, 2)) {
      assertThrows(() => unpackJson([[kind, ...values]]), EventError, missing);
    }
  });
}

Deno.test("unpackEvents() skips events of unknown kinds, whatever they hold", () => {
  const strangers = [
    ["dance"],
    ["dance", [[["\ud800"]]], { a: null }],
    ["__proto__", 1],
    ["constructor"],
    ["toString"],
    [""],
  ];
  const list = [["ping"], ...strangers, ["pong"], ...strangers];
  assertEquals(unpackJson(list), [{ kind: "ping" }, { kind: "pong" }]);
  assertEquals(unpackJson([]), []);
});

Deno.test("unpackEvents() refuses what is no list of events", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "they are no JSON"],
    ["    ", "they are no JSON"],
    ["[", "they are no JSON"],
    ['[["ping"]]x', "they are no JSON"],
    ['[["ping"],]', "they are no JSON"],
    ['\ufeff[["ping"]]', "they are no JSON"],
    ['[["ping"]]\0', "they are no JSON"],
    ["{}", "they are no array"],
    ["null", "they are no array"],
    ['"ping"', "they are no array"],
    ["7", "they are no array"],
    ["[7]", "it is no array with a kind"],
    ["[null]", "it is no array with a kind"],
    ["[[]]", "it is no array with a kind"],
    ["[[7]]", "it is no array with a kind"],
    ['[{"0":"ping"}]', "it is no array with a kind"],
    ['["ping"]', "it is no array with a kind"],
    ['[[["ping"]]]', "it is no array with a kind"],
    ['[["ping"],["say",1]]', "fields are missing"],
  ];
  for (const [text, reason] of cases) {
    assertThrows(() => unpackEvents(utf8(text)), EventError, reason, text);
  }
});

Deno.test("unpackEvents() refuses UTF-8 that isn't", () => {
  const good = utf8('[["say",1,"aXYZ"]]');
  const broken = [
    [0x80, 0x41, 0x41],
    [0xc0, 0x80, 0x41],
    [0xff, 0xfe, 0x41],
    [0xed, 0xa0, 0x80], // a surrogate
    [0x41, 0xe2, 0x82], // cut short
  ];
  assertEquals(unpackEvents(good).length, 1);
  for (const bytes of broken) {
    const bad = good.slice();
    bad.set(bytes, good.indexOf(0x58));
    const { cause } = assertThrows(
      () => unpackEvents(bad),
      EventError,
      "they are no JSON",
    );
    assert(cause instanceof TypeError);
  }
});

Deno.test("unpackEvents() skips what is nested 8 deep, and refuses what is deeper", () => {
  const nested = (depth: number) =>
    utf8(`[["dance",1,${"[".repeat(depth)}${"]".repeat(depth)}]]`);
  assertEquals(unpackEvents(nested(8)), []);
  const objects = utf8(`[["dance",${'{"a":'.repeat(9)}1${"}".repeat(9)}]]`);
  for (const bytes of [nested(9), nested(10_000), objects]) {
    assertThrows(() => unpackEvents(bytes), EventError, "more than 8 deep");
  }
});

Deno.test("unpackEvents() takes 4,096 events in a record, and refuses one more", () => {
  const pings = (count: number) => `[${Array(count).fill('["ping"]')}]`;
  assertEquals(unpackEvents(utf8(pings(4_096))).length, 4_096);
  const error = "they are no array, or too many";
  assertThrows(() => unpackEvents(utf8(pings(4_097))), EventError, error);
});

Deno.test("unpackEvents() survives lists nested 10,000 deep", () => {
  const deep = "[".repeat(10_000) + "]".repeat(10_000);
  assertThrows(() => unpackEvents(utf8(deep)), EventError, "no array with");
  assertThrows(
    () => unpackEvents(utf8(`[["say",1,${deep}]]`)),
    EventError,
    '"text" is wrong',
  );
  assertThrows(() => unpackEvents(utf8("[".repeat(50_000))), EventError);
});

Deno.test("unpackEvents() takes a field for itself alone, not for a property of the event", () => {
  const events = unpackJson([["bye", "__proto__"], ["bye", "kind"]]);
  assertEquals(events, [
    { kind: "bye", reason: "__proto__" },
    { kind: "bye", reason: "kind" },
  ]);
});

// ── Packing ────────────────────────────────────────────────────────────────────────────────────────────

const heading = (before: number) =>
  encodeEvent({ kind: "batch", seq: 100 + before, at: 5 });

function line(at: number, text: string): Event<"said"> {
  return { kind: "said", id: 3, n: at, text };
}

function assertFits(plaintexts: readonly Uint8Array[]): void {
  for (const { length } of plaintexts) {
    assert(length <= MAX_PLAINTEXT_SIZE, `${length}`);
    assertEquals(padmeLength(length), length);
  }
}

Deno.test("packEvents() makes nothing of nothing", () => {
  assertEquals(packEvents([]), []);
  assertEquals(packEvents([], heading), []);
});

Deno.test("packEvents() pads with spaces to the Padmé length", () => {
  const text = JSON.stringify([["say", 1, "x".repeat(1_000)]]);
  const [plaintext = new Uint8Array()] = packEvents([
    encodeEvent({ kind: "say", n: 1, text: "x".repeat(1_000) }),
  ]);
  const padding = padmeLength(text.length) - text.length;
  assert(padding > 0);
  assertEquals(new TextDecoder().decode(plaintext), text + " ".repeat(padding));
});

Deno.test("packEvents() splits a batch, and tells each heading how many events went before it", () => {
  const events = Array.from(
    { length: 500 },
    (_, at) => line(at, "é".repeat(900)),
  );
  const plaintexts = packEvents(events.map(encodeEvent), heading);
  assert(plaintexts.length > 10);
  assertFits(plaintexts);
  let before = 0;
  for (const plaintext of plaintexts) {
    const [first, ...rest] = unpackEvents(plaintext);
    assertEquals(first, { kind: "batch", seq: 100 + before, at: 5 });
    assertEquals(rest, events.slice(before, before + rest.length));
    before += rest.length;
  }
  assertEquals(before, 500);
});

Deno.test("packEvents() leaves no room unused: one event more would not fit", () => {
  const encoded = Array.from(
    { length: 200 },
    (_, at) => encodeEvent(line(at, "x".repeat(1_000))),
  );
  const plaintexts = packEvents(encoded, heading);
  let next = 0;
  for (const plaintext of plaintexts.slice(0, -1)) {
    next += unpackEvents(plaintext).length - 1;
    const size = new TextDecoder().decode(plaintext).trimEnd().length;
    assert(size + 1 + (encoded[next] ?? "").length > MAX_PLAINTEXT_SIZE);
  }
});

Deno.test("packEvents() returns plaintexts that later calls leave alone", () => {
  const [first = new Uint8Array()] = packEvents(["[1]"]);
  const copy = first.slice();
  packEvents(['["something","else"]']);
  assertEquals(first, copy);
});

const LONGEST_OFFER = `${
  "x".repeat(255)
} (1099511627776 bytes, SHA-256 ${DIGEST})`;

Deno.test("packEvents() fits the largest event there can be, after a heading", () => {
  const events = kinds.map((kind) => {
    const fields = FIELDS[kind].map(([name, sort]) => {
      if (sort === "string") return [name, "\0".repeat(256)];
      if (sort === "text") return [name, "\0".repeat(MAX_TEXT_SIZE)];
      if (sort === "entry text") return [name, "\0".repeat(MAX_ENTRY_LENGTH)];
      if (sort === "boolean") return [name, false];
      if (sort === "offer") return [name, LONGEST_OFFER];
      if (sort === "piece") return [name, "_".repeat(21_899)];
      if (sort === "sealed") return [name, "_".repeat(7_318)];
      const [only] = RIGHT[sort];
      if (/card|id|stay|value|wrap|blob/.test(sort)) return [name, only];
      const isTime = sort.startsWith("time");
      return [name, isTime ? -8.64e15 : Number.MAX_SAFE_INTEGER];
    });
    return { kind, ...Object.fromEntries(fields) } as Event;
  });
  for (const event of events) {
    const plaintexts = packEvents([encodeEvent(event)], heading);
    assertEquals(plaintexts.length, 1);
    assertFits(plaintexts);
    assertEquals(plaintexts.flatMap(unpackEvents)[1], event);
  }
});

Deno.test("packEvents() fills a record to its last byte, and refuses one byte more", () => {
  const exact = `"${"x".repeat(MAX_PLAINTEXT_SIZE - 4)}"`;
  assertEquals(packEvents([exact]).map(({ length }) => length), [
    MAX_PLAINTEXT_SIZE,
  ]);
  assertThrows(
    () => packEvents([`${exact} `]),
    RangeError,
    `Cannot send an event of ${MAX_PLAINTEXT_SIZE - 1} units`,
  );
  assertThrows(() => packEvents([exact], heading), RangeError);
  // And after a refusal it goes on as before.
  assertEquals(packEvents(['["ping"]']).flatMap(unpackEvents), [{
    kind: "ping",
  }]);
});

// ── Texts and wordings ─────────────────────────────────────────────────────────────────────────────────

for (const [size, char] of ["x", "é", "€", "\u{1f600}"].entries()) {
  const bytes = size + 1;

  Deno.test(`textRefusal() counts characters of ${bytes} bytes, up to 4,096 in all`, () => {
    const count = Math.floor(4_096 / bytes);
    const rest = "x".repeat(4_096 % bytes);
    const full = char.repeat(count) + rest;
    assertEquals(utf8(full).length, 4_096);
    assertEquals(textRefusal(full), undefined);
    assertEquals(textRefusal(`${full}x`), "text-too-long");
    assertEquals(textRefusal(`${full}${char}`), "text-too-long");
    // What may be said is what may be sent.
    const said = line(1, full);
    assertEquals(
      packEvents([encodeEvent(said)]).flatMap(unpackEvents),
      [said],
    );
  });
}

Deno.test("textRefusal() refuses a text of which nothing can be seen", () => {
  const blank = ["", " ", "   ", "\n\t ", "\u00a0\u3000", "\u200b", "\u2800"];
  const unseen = ["\u3164\ufe0f", "\u202e", "\x07\x1b", "\u{e0001}", "\u00ad"];
  for (const text of [...blank, ...unseen]) {
    assertEquals(textRefusal(text), "text-empty", JSON.stringify(text));
  }
  for (
    const text of [" x ", ".", "\u0301", "😀", "\ue000", "\u{1fabf}", "\u200bx"]
  ) {
    assertEquals(textRefusal(text), undefined, JSON.stringify(text));
  }
});

Deno.test("wording() gives a table's words, and the key itself where it has none of its own", () => {
  assertEquals(wording(GOODBYES, "slow"), "too slow to follow");
  assertEquals(wording(REFUSALS, "name-taken"), REFUSALS["name-taken"]);
  for (const key of ["unheard-of", "constructor", "__proto__", ""]) {
    assertEquals(wording(GOODBYES, key), key);
  }
});

Deno.test("reasonWords() adds what else there is to know, and refusedDeed() tells a name from a line", () => {
  const taken = REFUSALS["name-taken"];
  assertEquals(reasonWords("name-taken", ""), taken);
  assertEquals(
    reasonWords("name-taken", "it is ana's"),
    `${taken}: it is ana's`,
  );
  assertEquals(reasonWords("unheard-of", ""), "unheard-of");
  assertEquals(refusedDeed("name-taken"), "Cannot go by");
  assertEquals(refusedDeed("text-empty"), "Not sent:");
});

Deno.test("isGoodbye() tells the reasons for leaving from somebody's own words", () => {
  for (const reason of Object.keys(GOODBYES)) assert(isGoodbye(reason), reason);
  for (const words of ["so long", "", "constructor", GOODBYES.lost]) {
    assert(!isGoodbye(words), words);
  }
});
