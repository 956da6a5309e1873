/**
 * Lines of every kind, in every form in which they travel or are told.
 *
 * @module
 */

import { type Event, EventError } from "../../../src/protocol/events.ts";
import {
  controlVerb,
  eventWords,
  isAbout,
  isChange,
  isSent,
  isSpoken,
  type Line,
  lineEvent,
  type LineKind,
  type LogEntry,
  mayBeSpoken,
  mayChange,
  numberEntry,
  parseSentence,
  particulars,
  pastEntry,
  pastEvent,
  saidLine,
  sayEvent,
  sentence,
  type Words,
  wordsRefusal,
} from "../../../src/protocol/line.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";
import { PERSON, STAY } from "../../kit/log_kit.ts";

const DIGEST = "0123456789abcdef".repeat(4);
const OFFER = `hut.jpg (7 bytes, SHA-256 ${DIGEST})`;
const FILE = { file: "hut.jpg", size: 7, sha256: DIGEST };

/** A line: what it tells, its sentence, what a program is told, and what everybody is told beside id and n. */
type Form = readonly [LineKind, string, number | null, string, object, object];

const FORMS: readonly Form[] = [
  ["said", "hi", null, "ann: hi", { text: "hi" }, { text: "hi" }],
  ["acted", "nods", null, "* ann nods", { text: "nods" }, { text: "nods" }],
  [
    ...["replied", "yes", 42, "ann to 42: yes"] as const,
    ...[{ text: "yes", to: 42 }, { text: "yes", to: 42 }] as const,
  ],
  ["offered", OFFER, null, `ann offers ${OFFER}`, FILE, { text: OFFER }],
  [
    ...["edited", "hey", 42, "ann edits 42: hey"] as const,
    ...[{ text: "hey", to: 42 }, { text: "hey", to: 42 }] as const,
  ],
  ["deleted", "", 42, "ann deletes 42", { to: 42 }, { to: 42 }],
  [
    ...["reacted", "👍", 42, "ann reacts to 42: 👍"] as const,
    ...[{ text: "👍", to: 42 }, { text: "👍", to: 42 }] as const,
  ],
  [
    ...["reacted", "", 42, "ann reacts to 42 no more"] as const,
    ...[{ text: "", to: 42 }, { text: "", to: 42 }] as const,
  ],
  ["sealed", "3.TG9y", null, "ann seals 3.TG9y", {}, { text: "3.TG9y" }],
  [
    ...["ruled", "close {} x", null, "ann rules close {} x"] as const,
    { verb: "close" },
    { person: PERSON, name: "ann", stay: STAY, text: "close {} x" },
  ],
  [
    ...["renamed", "anna", null, "ann is now anna"] as const,
    ...[{ newName: "anna" }, { name: "anna" }] as const,
  ],
  [
    ...["joined", "", null, "ann joined the chat", {}] as const,
    { name: "ann", person: "full", stay: STAY },
  ],
  [
    ...["left", "left", null, "ann left the chat"] as const,
    ...[{ reason: "left" }, { reason: "left" }] as const,
  ],
  [
    ...["left", "lost", null, "ann left the chat (connection lost)"] as const,
    ...[{ reason: "lost" }, { reason: "lost" }] as const,
  ],
  [
    ...["left", "so long", null, "ann left the chat (so long)"] as const,
    ...[{ reason: "so long" }, { reason: "so long" }] as const,
  ],
];

const KINDS = [...new Set(FORMS.map(([what]) => what))];

function entryOf({ what, text, to }: Words, seq = 50): LogEntry {
  const who = { person: PERSON, stay: STAY, name: "ann" };
  return { seq, at: 1_000, ...who, n: 7, what, text, to };
}

const same = (text: string) => text;

for (const [what, text, to, told, fields, event] of FORMS) {
  const words = { what, text, to };

  Deno.test(`"${told.slice(0, 40)}" is told, read, sent and kept as the line that it is`, () => {
    const entry = entryOf(words);
    const escape = { name: same, words: same };
    assertEquals(sentence(entry, escape, " the chat"), told);
    assertEquals(parseSentence(told, same), { name: "ann", ...words });
    assertEquals(particulars(words), fields);
    const broadcast = lineEvent(3, "full", entry);
    const id = what === "ruled" ? {} : { id: 3 };
    assertEquals(broadcast as object, { kind: what, ...id, n: 7, ...event });
    assertEquals(eventWords(broadcast), words);
    assertEquals(pastEntry(pastEvent(entry)), entry);
  });
}

// ── Sentences ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("sentence() escapes names and words each in its way, and has no place where none is given", () => {
  const escape = {
    name: (name: string) => `<${name}>`,
    words: (words: string) => words.toUpperCase(),
  };
  const told = FORMS.map(([what, text, to]) =>
    sentence(entryOf({ what, text, to }), escape)
  );
  assertEquals(told, [
    "<ann>: HI",
    "* <ann> NODS",
    "<ann> to 42: YES",
    `<ann> offers ${OFFER.toUpperCase()}`,
    "<ann> edits 42: HEY",
    "<ann> deletes 42",
    "<ann> reacts to 42: 👍",
    "<ann> reacts to 42 no more",
    "<ann> seals 3.TG9Y",
    "<ann> rules CLOSE {} X",
    "<ann> is now <anna>",
    "<ann> joined",
    "<ann> left",
    "<ann> left (CONNECTION LOST)",
    "<ann> left (SO LONG)",
  ]);
});

Deno.test("parseSentence() undoes the escapes of names and words", () => {
  const unescape = (text: string) => `<${text}>`;
  const read = (told: string) => {
    const { name, text } = parseSentence(told, unescape) ?? {};
    return [name, text];
  };
  assertEquals(
    [
      "ann: hi",
      "* ann nods",
      "ann is now anna",
      "ann reacts to 42: 👍",
      "ann joined the chat",
      "ann left the chat (so long)",
    ].map(read),
    [
      ["<ann>", "<hi>"],
      ["<ann>", "<nods>"],
      ["<ann>", "<anna>"],
      ["<ann>", "<👍>"],
      ["<ann>", ""],
      ["<ann>", "<so long>"],
    ],
  );
});

Deno.test("parseSentence() takes nothing else for a line", () => {
  const texts = [
    "",
    "ann",
    "ann:hi",
    " ann: hi",
    ": hi",
    "ann b: hi",
    "*ann nods",
    "* ann",
    "ann to 0: yes",
    "ann to 042: yes",
    "ann to 42 yes",
    "ann to 9007199254740992: yes",
    "ann to 12345678901234567: yes",
    "ann deletes 42 ",
    "ann deletes x",
    "ann reacts to 42",
    "ann reacts to 42: ",
    "ann reacts to 42 no more.",
    "ann is now",
    "ann is now an na",
    "ann joined",
    "ann joined the chat (x)",
    "ann left",
    "ann left the chat so long",
    "ann dances",
  ];
  for (const text of texts) assertEquals(parseSentence(text, same), null, text);
});

Deno.test("controlVerb() is the first word of a control line, if that can be a verb", () => {
  const sixteen = "abcdefghijklmnop";
  const texts = ["found {} x", `${sixteen} {}`, "found", "Found x", "", " a b"];
  assertEquals(
    [...texts, `${sixteen}q {}`, "a1 b"].map(controlVerb),
    ["found", sixteen, "", "", "", "", "", ""],
  );
});

// ── Events ─────────────────────────────────────────────────────────────────────────────────────────────

const SAID: readonly (readonly [Line, Event])[] = [
  [{ n: 1, what: "said", text: "hi" }, { kind: "say", n: 1, text: "hi" }],
  [{ n: 2, what: "acted", text: "nods" }, { kind: "act", n: 2, text: "nods" }],
  [
    { n: 3, what: "replied", to: 42, text: "yes" },
    { kind: "reply", n: 3, to: 42, text: "yes" },
  ],
  [
    { n: 4, what: "edited", to: 42, text: "hey" },
    { kind: "edit", n: 4, to: 42, text: "hey" },
  ],
  [
    { n: 5, what: "deleted", to: 42, text: "" },
    { kind: "delete", n: 5, to: 42 },
  ],
  [
    { n: 6, what: "reacted", to: 42, text: "👍" },
    { kind: "react", n: 6, to: 42, text: "👍" },
  ],
  [
    { n: 7, what: "offered", text: OFFER },
    { kind: "offer", n: 7, text: OFFER },
  ],
  [
    { n: 8, what: "sealed", text: "3.TG9y" },
    { kind: "seal", n: 8, text: "3.TG9y" },
  ],
];

Deno.test("saidLine() gives back the line that sayEvent() says", () => {
  for (const [line, event] of SAID) {
    assertEquals(sayEvent(line) as Event, event);
    assertEquals(saidLine(event), { to: null, ...line });
  }
  assertEquals(sayEvent({ n: 1, text: "hi" }), {
    ...{ kind: "say", n: 1, text: "hi" },
  });
  for (const what of ["replied", "edited", "reacted", "deleted"] as const) {
    const { to } = sayEvent({ n: 1, what, text: "x" }) as Event<"delete">;
    assertEquals(to, 0, what);
  }
  assertEquals(saidLine({ kind: "hold", offer: 3 }), undefined);
});

Deno.test("lineEvent() has 0 for a line that isn't known, and eventWords() takes events of lines alone", () => {
  for (const what of ["replied", "edited", "reacted", "deleted"] as const) {
    const { to: _, ...entry } = entryOf({ what, text: "x", to: null });
    const { to } = lineEvent(3, "full", entry) as Event<"deleted">;
    assertEquals(to, 0, what);
  }
  assertThrows(
    () => eventWords({ kind: "absent", id: 3, text: "" }),
    EventError,
    'Cannot take "absent" in a broadcast',
  );
});

Deno.test("pastEvent() tells no half of a surrogate pair, and pastEntry() takes no unknown kind", () => {
  const entry = entryOf({ what: "said", text: "a\ud800", to: null });
  const { name, text } = pastEvent({ ...entry, name: "\udc00b" });
  assertEquals([name, text], ["\ufffdb", "a\ufffd"]);
  for (const what of ["danced", "", "say", "constructor"]) {
    assertThrows(
      () => pastEntry({ ...pastEvent(entry), what }),
      EventError,
      `Cannot read a past line: it is "${what}"`,
    );
  }
});

// ── Kinds ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("The kinds of line are told apart by what they are, who says them and what they are about", () => {
  const those = (is: (what: LineKind) => boolean) => KINDS.filter(is).join(" ");
  assertEquals(those(isSpoken), "said acted replied offered");
  assertEquals(those(mayBeSpoken), "said acted replied offered sealed");
  const sent = "said acted replied offered edited deleted reacted sealed";
  assertEquals(those(isSent), sent);
  assertEquals(those((what) => isChange({ what })), "edited deleted reacted");
  assertEquals(those(isAbout), "replied edited deleted reacted");
  assertEquals(KINDS.length, 12);
});

Deno.test("mayChange() lets everybody react to what was said, and its author alone edit and delete it", () => {
  const by = (what: LineKind, person: string) => ({ what, person });
  const may = (what: LineKind, of: LineKind) =>
    ["own", "other"].filter((person) =>
      mayChange(by(what, person), {
        ...entryOf({ what: of, text: "x", to: null }),
        person: "own",
      })
    ).join(" ");
  for (const of of KINDS) {
    const isSaid = ["said", "acted", "replied", "offered"].includes(of);
    assertEquals(may("reacted", of), isSaid ? "own other" : "", of);
    assertEquals(may("deleted", of), isSaid ? "own" : "", of);
    const isEditable = isSaid && of !== "offered";
    assertEquals(may("edited", of), isEditable ? "own" : "", of);
  }
});

Deno.test("wordsRefusal() wants some text, one emoji or none, or nothing at all", () => {
  const why = (what: LineKind, text: string) => wordsRefusal({ what, text });
  const long = "x".repeat(4_097);
  assertEquals(["hi", " ", long].map((text) => why("said", text)), [
    undefined,
    "text-empty",
    "text-too-long",
  ]);
  assertEquals(["👍", "", "👍👍"].map((text) => why("reacted", text)), [
    undefined,
    undefined,
    "reaction-wrong",
  ]);
  assertEquals(["", long].map((text) => why("deleted", text)), [
    undefined,
    undefined,
  ]);
});

Deno.test("numberEntry() keeps the number of another line where the line is about one", () => {
  for (const what of KINDS) {
    const { seq: _, ...entry } = entryOf({ what, text: "", to: 42 });
    assertEquals(numberEntry(entry, 50), {
      ...{ ...entry, seq: 50 },
      to: isAbout(what) ? 42 : null,
    });
    const { to: __, ...rest } = entry;
    assertEquals(numberEntry(rest, 50).to, null);
  }
});
