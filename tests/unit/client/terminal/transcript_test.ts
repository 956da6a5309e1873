/**
 * Tests of how news looks, as rows.
 *
 * @module
 */

import type { News, RoomNews } from "../../../../src/client/view.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import { Transcript } from "../../../../src/client/terminal/transcript.ts";
import { assertEquals } from "../../../kit/assert.ts";

/** Noon of a Monday, UTC. */
const NOON = Date.UTC(2026, 10, 23, 12);
const DAY = 86_400_000;

function begin(settings: Record<string, string> = {}, columns = 60) {
  const chosen = new Settings();
  for (const [key, value] of Object.entries(settings)) chosen.set(key, value);
  return new Transcript({
    now: () => NOON,
    zone: "UTC",
    colour: settings.colour === "on",
    settings: chosen,
    columns: () => columns,
  });
}

function line(
  type: RoomNews["type"],
  name: string,
  text = "",
  more: Partial<RoomNews> = {},
): RoomNews {
  const person = `key of ${name}`;
  const rest = { at: NOON, own: name === "ana", past: false, to: null };
  return { type, seq: 1, name, person, text, ...rest, ...more };
}

const DIGEST = "0123456789abcdef".repeat(4);

function file(
  state: "begun" | "taking" | "waiting" | "taken" | "failed",
  more: Partial<News & { type: "file" }> = {},
): News {
  const what = {
    type: "file",
    offer: 7,
    name: "hut.jpg",
    size: 81_204,
  } as const;
  return { ...what, got: 0, path: "", reason: "", state, ...more };
}

function entered(name: string): News {
  return {
    type: "entered",
    address: "192.0.2.7:5000",
    name,
    others: 0,
    seq: 1,
    at: NOON,
    person: "",
    earlier: 0,
    again: false,
    waiting: 0,
  };
}

Deno.test("Transcript shows each kind of line", () => {
  const quoted = {
    name: "ana",
    person: "key",
    text: "everything, but how can I tell you",
  };
  const cases: [News, string[]][] = [
    [line("said", "Rahul", "kaise ho"), ["12:00    1  Rahul      kaise ho"]],
    [line("acted", "Rahul", "waves"), ["12:00    1  * Rahul waves"]],
    [
      line("replied", "Rahul", "the answer", { to: 7, quoted }),
      [
        "                       ↪ ana: everything, but how can I te…",
        "12:00    1  Rahul      the answer",
      ],
    ],
    [
      line("replied", "Rahul", "the answer", { to: 7 }),
      [
        "                       ↪ message 7",
        "12:00    1  Rahul      the answer",
      ],
    ],
    [
      line("offered", "Rahul", `hut.jpg (81204 bytes, SHA-256 ${DIGEST})`),
      ["12:00    1  * Rahul offers hut.jpg (81.2 kB); /get 1 downloads it"],
    ],
    [
      line("offered", "ana", `hut.jpg (81204 bytes, SHA-256 ${DIGEST})`),
      ["12:00    1  * ana offers hut.jpg (81.2 kB)"],
    ],
    [file("begun"), ["12:00  Downloading hut.jpg (81.2 kB)"]],
    [file("begun", { got: 512 }), [
      "12:00  Downloading hut.jpg (81.2 kB) from 512 bytes on",
    ]],
    [file("taking", { got: 512 }), []],
    [file("waiting", { reason: "no answer" }), [
      "12:00  ⚠ hut.jpg is waiting: no answer",
    ]],
    [file("taken", { path: "files/hut.jpg" }), [
      "12:00  ✓ Saved files/hut.jpg; checksum verified",
    ]],
    [file("failed", { reason: "you dropped it" }), [
      "12:00  ⚠ hut.jpg was not downloaded: you dropped it. /get 7 tries again",
    ]],
    [
      line("renamed", "Rahul", "Ravi"),
      ["12:00                  Rahul is now Ravi"],
    ],
    [line("joined", "Rahul"), ["12:00                  Rahul joined"]],
    [
      line("left", "Rahul", "gone fishing"),
      ["12:00                  Rahul left (gone fishing)"],
    ],
    [
      {
        type: "away-message",
        name: "Rahul",
        person: "",
        text: "at lunch",
        own: false,
      },
      ["12:00                  Rahul is away: at lunch"],
    ],
    [
      {
        type: "away-message",
        name: "Rahul",
        person: "",
        text: "",
        own: false,
      },
      ["12:00                  Rahul is back"],
    ],
  ];
  for (const [news, rows] of cases) assertEquals(begin().render(news), rows);
});

Deno.test("Transcript tells what was said before the joining from what is said now", () => {
  const rows = (at: number, more: Partial<News & { type: "entered" }> = {}) => {
    const transcript = begin();
    const news = { ...entered("ana"), ...more } as News;
    transcript.render(news);
    transcript.render(line("said", "Rahul", "hi", { at, past: true }));
    return transcript.render({ type: "current" });
  };
  assertEquals(rows(NOON, { earlier: 1 }), [`── now ${"─".repeat(52)}`]);
  assertEquals(rows(NOON - DAY, { earlier: 1 }), [
    `── today ${"─".repeat(50)}`,
  ]);
  // Nothing stands above that it could be told from; after a return, a rule stands above what was missed.
  assertEquals(rows(NOON, { earlier: 0 }), []);
  assertEquals(rows(NOON, { earlier: 1, again: true }), []);
});

Deno.test("Transcript shows all of a line that may be lost", () => {
  const text = `${"long ".repeat(20)}\n\x1b[2J`;
  assertEquals(begin().render({ type: "lost", text }), [
    String.raw`⚠ Perhaps not sent: ${"long ".repeat(20)}\n\u001b[2J`,
  ]);
});

Deno.test("Transcript widens the columns for what comes", () => {
  const transcript = begin();
  transcript.render(line("said", "a-name-of-16-let", "x", { seq: 9_999 }));
  assertEquals(transcript.render(line("said", "Rahul", "hi")), [
    "12:00     1  Rahul            hi",
  ]);
});

Deno.test("Transcript shows further lines below the first, and counts what is too many", () => {
  assertEquals(
    begin().render(line("said", "Rahul", "one\ntwo\x1b[2J\n\nfour")),
    [
      "12:00    1  Rahul      one",
      "                       two\\u001b[2J",
      "                       ",
      "                       four",
    ],
  );
  assertEquals(begin().render(line("acted", "田中", "one\ntwo")), [
    "12:00    1  * 田中 one",
    "                   two",
  ]);
  const rows = begin().render(line("said", "Rahul", "x\n".repeat(4_000)));
  assertEquals(rows.length, 51);
  assertEquals(rows.at(-1)?.trim(), "… 3951 more lines");
});

Deno.test("Transcript keeps a text from looking like somebody else's line", () => {
  const forged = "hi\n12:00    2  Priyanka   I agree\n── today ──";
  const rows = begin().render(line("said", "Rahul", forged));
  assertEquals(rows.slice(1).map((row) => row.search(/\S/)), [23, 23]);
});

Deno.test("Transcript shows what was found between rules, with its days", () => {
  const transcript = begin();
  const lines = [
    line("said", "Rahul", "old", { seq: 3, at: NOON - DAY }),
    line("said", "Rahul", "new", { seq: 9 }),
  ];
  assertEquals(
    transcript.render({ type: "found", words: "a b", lines, more: true }),
    [
      `── 2 lines with "a b" ${"─".repeat(37)}`,
      `── Sunday 22 November 2026 ${"─".repeat(32)}`,
      "12:00    3  Rahul      old",
      `── today ${"─".repeat(50)}`,
      "12:00    9  Rahul      new",
      `── there are older ones ${"─".repeat(35)}`,
    ],
  );
  // The day is as it was before.
  assertEquals(transcript.render(line("said", "Rahul", "hi")), [
    "12:00    1  Rahul      hi",
  ]);
  const none = { type: "found", lines: [], more: false } as const;
  assertEquals(transcript.render({ ...none, words: "x" }), [
    'Nothing was found with "x"',
  ]);
  assertEquals(transcript.render({ ...none, words: "" }), [
    "Nothing was found",
  ]);
});

Deno.test("Transcript leaves out what the settings say", () => {
  const off = begin({ joins: "off", times: "off", numbers: "off", names: "6" });
  assertEquals(off.render(line("joined", "Rahul")), []);
  assertEquals(off.render(line("left", "Rahul", "lost")), []);
  assertEquals(off.render(line("said", "Rahul", "hi\nyou")), [
    "Rahul  hi",
    "       you",
  ]);
  const seconds = begin({ times: "seconds" });
  assertEquals(seconds.render(line("said", "Rahul", "hi\nyou")), [
    "12:00:00    1  Rahul      hi",
    "                          you",
  ]);
});

Deno.test("Transcript tells where the own name is said, as a word", () => {
  const transcript = begin();
  transcript.render(entered("ana.b"));
  const cases: [RoomNews, boolean][] = [
    [line("said", "Rahul", "ana.b: hello"), true],
    [line("said", "Rahul", "hello ANA.B"), true],
    [line("replied", "Rahul", "no, @ana.b!"), true],
    [line("acted", "Rahul", "hugs ana.b"), true],
    [line("said", "Rahul", "ana.bel"), false],
    [line("said", "Rahul", "hana.b"), false],
    [line("said", "Rahul", "ana-b"), false],
    [line("said", "Rahul", "éana.b"), false],
    [line("joined", "Rahul", "ana.b"), false],
    [line("said", "ana", "ana.b"), false],
  ];
  for (const [news, expected] of cases) {
    assertEquals(transcript.mentions(news), expected, news.text);
  }
  transcript.render(line("renamed", "ana", "anna"));
  assertEquals(transcript.mentions(line("said", "Rahul", "hi anna")), true);
  assertEquals(transcript.mentions(line("said", "Rahul", "hi ana.b")), false);
});

Deno.test("Transcript uses no colour with the plain theme", () => {
  const settings = new Settings();
  const transcript = new Transcript({
    now: () => NOON,
    zone: "UTC",
    colour: true,
    settings,
    columns: () => 60,
  });
  const news = line("said", "Rahul", "hi");
  assertEquals(transcript.render(news)[0]?.includes("\x1b["), true);
  settings.set("theme", "plain");
  assertEquals(transcript.render(news)[0]?.includes("\x1b["), false);
});
