/**
 * Tests of what a terminal sends, however the bytes are cut.
 *
 * @module
 */

import fc from "fast-check";
import {
  cleanPaste,
  InputSplitter,
} from "../../../../src/client/terminal/input_splitter.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { Waits } from "../../../kit/terminal_setup.ts";

type Heard = [what: string, value: string | boolean];

/** A splitter, what comes out of it, and what makes it wait no longer. Texts that come together are one. */
function open() {
  const heard: Heard[] = [];
  const waits = new Waits();
  const splitter = new InputSplitter({
    text(text) {
      const last = heard.at(-1);
      if (last?.[0] === "text") last[1] += text;
      else heard.push(["text", text]);
    },
    key: (name) => void heard.push(["key", name]),
    paste: (text) => void heard.push(["paste", text]),
    focus: (on) => void heard.push(["focus", on]),
    answer: (text) => void heard.push(["answer", text]),
  }, waits.later);
  const push = (text: string) => splitter.push(new TextEncoder().encode(text));
  return { heard, waits, splitter, push };
}

/** What comes out for these pieces, and when no more comes. */
function split(...pieces: (string | Uint8Array)[]): Heard[] {
  const { heard, waits, splitter, push } = open();
  for (const piece of pieces) {
    if (typeof piece === "string") push(piece);
    else splitter.push(piece);
  }
  waits.pass();
  return heard;
}

const SENT =
  "a\x1b[A\x1b[200~one\r日本\n\x1b[Bthree\x1b[201~é\x1b[200~\x1b[201~" +
  "\r\x1b[1;5D\x1b\x1b[D\x1bOH\x1bb\x1b\r\x1b[I\x1b]11;rgb:1e1e/1e1e/2e2e\x07" +
  "\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[O\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c\x7f日";
const HEARD: Heard[] = [
  ["text", "a"],
  ["key", "up"],
  ["paste", "one\r日本\n\x1b[Bthree"],
  ["text", "é"],
  ["paste", ""],
  ["key", "enter"],
  ["key", "ctrl-left"],
  ["key", "alt-left"],
  ["key", "home"],
  ["key", "alt-b"],
  ["key", "alt-enter"],
  ["focus", true],
  ["answer", "11;rgb:1e1e/1e1e/2e2e"],
  ["answer", "11;rgb:ffff/ffff/ffff"],
  ["focus", false],
  ["key", "backspace"],
  ["text", "日"],
];

Deno.test("InputSplitter tells apart text, keys, pastes, focus and answers", () => {
  assertEquals(split(SENT), HEARD);
});

Deno.test("InputSplitter does so wherever the bytes are cut", () => {
  const bytes = new TextEncoder().encode(SENT);
  for (let at = 0; at <= bytes.length; at++) {
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    assertEquals(split(...pieces), HEARD, `cut at ${at}`);
  }
  assertEquals(
    split(...Array.from(bytes, (byte) => Uint8Array.of(byte))),
    HEARD,
  );
});

Deno.test("InputSplitter hears the same from any input, whole and byte by byte", () => {
  const pieces = fc.constantFrom(
    ..."\x1b[]OPIA;~0123u>?\x07\\\r\n\t\x7fa日é",
    "\x1b[",
    "\x1b]11;rgb:",
    "\x1b[200~",
    "\x1b[201~",
    "\x1bP>|",
    "\x1b\\",
    "\x9b",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (pieces) => {
      const sent = pieces.join("");
      const bytes = new TextEncoder().encode(sent);
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assertEquals(split(...single), split(sent), JSON.stringify(sent));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("InputSplitter names keys as terminals send them", () => {
  const cases: [sent: string, ...names: string[]][] = [
    ["\x01\x1a\x1f\0\x1d", "ctrl-a", "ctrl-z", "ctrl-_", "ctrl-@", "ctrl-]"],
    ["\r\n\t\b\x7f", "enter", "ctrl-j", "tab", "ctrl-h", "backspace"],
    ["\t\t", "tab", "tab"],
    [
      "\x1b[C\x1bOC\x1b[1;3C\x1b\x1bOC",
      "right",
      "right",
      "alt-right",
      "alt-right",
    ],
    [
      "\x1b[1~\x1b[7~\x1b[H\x1b[4~\x1b[8~\x1b[F",
      "home",
      "home",
      "home",
      "end",
      "end",
      "end",
    ],
    ["\x1b[3~\x1b[3;5~\x1b[3;3~", "delete", "ctrl-delete", "alt-delete"],
    [
      "\x1b\x7f\x1b\b\x1bB\x1b<",
      "alt-backspace",
      "alt-ctrl-h",
      "alt-b",
      "alt-<",
    ],
    [
      "\x1b[13;2u\x1b[27;2;13~\x1b[99;5u\x1b[Z",
      "shift-enter",
      "shift-enter",
      "ctrl-c",
      "shift-tab",
    ],
    ["\x1bOd\x1bOM", "ctrl-left", "enter"],
  ];
  for (const [sent, ...names] of cases) {
    assertEquals(split(sent), names.map((name): Heard => ["key", name]));
  }
});

Deno.test("InputSplitter types characters that are sent as keys", () => {
  assertEquals(split("\x1b[97u\x1b[65;2u\x1b[97;2u\x1b[233u"), [[
    "text",
    "aAAé",
  ]]);
});

Deno.test("InputSplitter says nothing of keys that have no name", () => {
  for (
    const sent of [
      "\x1b[5~",
      "\x1b[15~",
      "\x1bOP",
      "\x1b[[A",
      "\x1b[57399u",
      "\x1b[M",
      "\x9b",
    ]
  ) {
    assertEquals(split(sent, "x"), [["text", "x"]], JSON.stringify(sent));
  }
});

Deno.test("InputSplitter waits a moment before it takes Escape for the key", () => {
  const { heard, waits, push } = open();
  push("\x1b");
  assertEquals(heard, []);
  assertEquals(waits.open, [100]);
  waits.pass();
  assertEquals(heard, [["key", "escape"]]);
  push("[A");
  assertEquals(heard.at(-1), ["text", "[A"]);
});

Deno.test("InputSplitter ends a paste whose end never comes after a pause, and takes keys again", () => {
  for (const start of ["\x1b[200~abc", "\x1b[200~abc\x1b[2"]) {
    const { heard, waits, push } = open();
    push(start);
    push("d");
    assertEquals(heard, []);
    assertEquals(waits.open, [2_000]);
    waits.pass();
    push("e\r");
    const pasted = `${start}d`.replace("\x1b[200~", "");
    assertEquals(heard, [["paste", pasted], ["text", "e"], ["key", "enter"]]);
  }
});

Deno.test("InputSplitter ends a paste whose end never comes at Ctrl-C", () => {
  assertEquals(split("\x1b[200~abc", "\x03", "d"), [["paste", "abc"], [
    "text",
    "d",
  ]]);
  // Within what is pasted it is no key.
  assertEquals(split("\x1b[200~a\x03\rb\x1b[201~"), [["paste", "a\x03\rb"]]);
});

Deno.test("InputSplitter takes the rest of a paste for pasted that comes after the pause", () => {
  const { heard, waits, push } = open();
  push("\x1b[200~one\r");
  waits.pass();
  push("two\rthree\x1b[201~four\r");
  assertEquals(heard, [
    ["paste", "one\r"],
    ["paste", "two\rthree"],
    ["text", "four"],
    ["key", "enter"],
  ]);
});

Deno.test("InputSplitter drops an answer that never ends, and takes keys again", () => {
  const answer = "\x1b]11;rgb:1e1e";
  const { heard, waits, push } = open();
  push(answer);
  push("/1e1e");
  waits.pass();
  push("a");
  assertEquals(heard, [["text", "a"]]);
  assertEquals(split(answer, "\ra"), [["key", "enter"], ["text", "a"]]);
  assertEquals(split(answer, "\x03"), [["key", "ctrl-c"]]);
  assertEquals(split(answer, "\x1b[A"), [["key", "up"]]);
});

Deno.test("InputSplitter takes into an answer only what its kind may hold; the rest is typed", () => {
  const x = "x".repeat(5_000);
  const cases: [begun: string, typed: string, heard: string][] = [
    ["\x1b]11;rgb:12", "hello", "hello"],
    ["\x1b]11;rgb:12", "cafe", "fe"],
    ["\x1b]11;rgb:1e1e/1e1e/1e1e", "deed", "deed"],
    ["\x1b]11;", "hello", "hello"],
    ["\x1b]4;12;rgb:ff", "so", "so"],
    ["\x1b]1", "one", "one"],
    ["\x1bP1", "hello", "hello"],
    ["\x1bP>", "hello", "hello"],
    ["\x1bP1$", "hello", "hello"],
    ["\x1b]52;", x, x.slice(64)],
    ["\x1bP>|", x, x.slice(64)],
    ["\x1bP1+r", x, x.slice(64)],
    ["\x1b[", "1".repeat(100), "1".repeat(36)],
  ];
  for (const [begun, typed, heard] of cases) {
    const message = JSON.stringify(begun);
    assertEquals(split(begun, ...typed), [["text", heard]], message);
    assertEquals(split(begun + typed), [["text", heard]], message);
  }
});

Deno.test("InputSplitter hears the colours that a terminal answers in all their forms", () => {
  for (
    const answer of [
      "11;rgb:ff/FF/ff",
      "10;rgb:f/f/f",
      "11;rgba:1e1e/1e1e/2e2e/ffff",
      "4;255;rgb:1e1e/1e1e/2e2e",
    ]
  ) {
    assertEquals(split(`\x1b]${answer}\x07`), [["answer", answer]]);
  }
});

Deno.test("InputSplitter counts the pause from an answer's start, whatever is typed into it", () => {
  for (const begun of ["\x1b]52;", "\x1bP>|", "\x1b[1"]) {
    const { heard, waits, push } = open();
    push(begun);
    const { started } = waits;
    push("1");
    push("2");
    assertEquals(waits.open, [2_000]);
    assertEquals(waits.started, started, JSON.stringify(begun));
    waits.pass();
    push("a");
    assertEquals(heard, [["text", "a"]]);
    // What comes next has a pause of its own.
    push(`${begun}\x1b[A${begun}`);
    assertEquals(waits.started, started + 1);
  }
});

Deno.test("InputSplitter keeps no more of a paste than can be refused", () => {
  const [paste, text] = split(
    "\x1b[200~",
    ...Array.from({ length: 100 }, () => "x".repeat(1_000)),
    "\x1b[201~y",
  );
  assertEquals(paste?.[1], "x".repeat(65_536));
  assertEquals(text, ["text", "y"]);
});

Deno.test("cleanPaste() leaves nothing in a text that commands a terminal", () => {
  const cases: [string, string][] = [
    ["one\r\ntwo\rthree\n\n", "one\ntwo\nthree"],
    ["\tx\x1b[31m\x9b\x07\x7f\0", "    x[31m"],
    ["日本 😀", "日本 😀"],
    ["\n", ""],
  ];
  for (const [text, clean] of cases) assertEquals(cleanPaste(text), clean);
});
