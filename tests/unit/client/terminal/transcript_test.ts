/**
 * Tests of how news looks, as rows.
 *
 * @module
 */

import type { News, RoomNews } from "../../../../src/client/view.ts";
import type { Paragraph } from "../../../../src/client/terminal/paragraph.ts";
import { screenRows } from "../../../../src/client/terminal/rows.ts";
import { Theme } from "../../../../src/client/terminal/theme.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import { Transcript } from "../../../../src/client/terminal/transcript.ts";
import { width } from "../../../../src/client/terminal/cells.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { entered, NOON } from "../../../kit/terminal_setup.ts";

const DAY = 86_400_000;

function begin(
  settings: Record<string, string> = {},
  columns = 60,
  members = Infinity,
) {
  const chosen = new Settings();
  for (const [key, value] of Object.entries(settings)) chosen.set(key, value);
  const theme = new Theme(chosen, false);
  const transcript = new Transcript({
    now: () => NOON,
    zone: "UTC",
    theme,
    settings: chosen,
    columns: () => columns,
    members: () => members,
  });
  const canvas = { columns, styles: false, links: false };
  const rows = (paragraphs: readonly Paragraph[]) =>
    screenRows(paragraphs, canvas);
  return {
    render: (news: News) => rows(transcript.render(news)),
    note: (text: string) => rows(transcript.note(text)),
    mentions: (news: News) => transcript.mentions(news),
  };
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
      [
        "12:00    1  * Rahul offers hut.jpg (81.2 kB); /get 1",
        "                    downloads it",
      ],
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
    [file("taken", { path: "files/hut.jpg", reason: "it was here already" }), [
      "12:00  ✓ hut.jpg is here already, unchanged: files/hut.jpg",
    ]],
    [file("failed", { reason: "the disk is full" }), [
      "12:00  ⚠ hut.jpg was not downloaded: the disk is full. /get",
      "         7 tries again",
    ]],
    [file("failed", { reason: "it is no longer offered", again: false }), [
      "12:00  ⚠ hut.jpg was not downloaded: it is no longer",
      "         offered",
    ]],
    [file("failed", { dropped: true, got: 512 }), [
      "12:00  ⚠ Stopped downloading hut.jpg (512 bytes are kept).",
      "         /get 7 goes on",
    ]],
    [
      {
        type: "taken",
        offer: 7,
        file: "hut.jpg",
        name: "Rahul",
        person: "",
        own: false,
      },
      ["12:00                  Rahul took hut.jpg"],
    ],
    [file("failed", { dropped: true }), [
      "12:00  ⚠ Stopped downloading hut.jpg. /get 7 goes on",
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
  for (const [news, rows] of cases) {
    assertEquals(begin({ joins: "on" }).render(news), rows);
  }
});

/** What is shown of a coming, when all is told that was before. */
function arrive(
  lines: readonly RoomNews[],
  more: Partial<News & { type: "entered" }> = {},
  settings: Record<string, string> = {},
): string[] {
  const { render } = begin(settings);
  const earlier = lines.length;
  const news = entered({ earlier, ...more });
  return [news, ...lines, { type: "current" } as const].flatMap(render);
}

const JOINED = [
  "Joined 192.0.2.7:5000 as ana; 2 others are here. /help",
  "  shows the commands.",
];

function past(
  type: RoomNews["type"],
  name: string,
  text = "",
  more: Partial<RoomNews> = {},
): RoomNews {
  return line(type, name, text, { past: true, ...more });
}

Deno.test("Transcript tells what was said before the joining from what is said now", () => {
  assertEquals(arrive([past("said", "Rahul", "hi")]), [
    ...JOINED,
    `── 1 earlier message ${"─".repeat(38)}`,
    "12:00    1  Rahul      hi",
    `── now ${"─".repeat(52)}`,
  ]);
  const yesterday = { at: NOON - DAY };
  assertEquals(arrive([past("said", "Rahul", "hi", yesterday)]).slice(2), [
    `── 1 earlier message ${"─".repeat(38)}`,
    `── Sunday 22 November 2026 ${"─".repeat(32)}`,
    "12:00    1  Rahul      hi",
    `── today ${"─".repeat(50)}`,
  ]);
  // Nothing stands above that it could be told from.
  assertEquals(arrive([]), JOINED);
});

Deno.test("Transcript shows of the past only what was said, and counts what it shows", () => {
  const noise = [
    past("joined", "Priyanka"),
    past("left", "Priyanka", "left"),
    past("renamed", "Priyanka", "Priya"),
  ];
  for (const joins of ["on", "active", "off"]) {
    // One of two is from somebody who is ignored, and doesn't come here.
    const lines = [past("said", "Rahul", "hi"), ...noise];
    const rows = arrive(lines, { earlier: 2 }, { joins });
    assertEquals(rows.slice(2), [
      `── 1 earlier message ${"─".repeat(38)}`,
      "12:00    1  Rahul      hi",
      `── now ${"─".repeat(52)}`,
    ]);
    assertEquals(arrive(noise, { earlier: 0 }, { joins }), JOINED);
    assertEquals(arrive(noise, { earlier: 1 }, { joins }), JOINED);
  }
});

Deno.test("Transcript marks after a return what is new, and only if something is", () => {
  const again = { again: true, waiting: 0 };
  const left = past("left", "ana", "lost");
  const own = past("said", "ana", "mine");
  const others = past("said", "Rahul", "hi");
  assertEquals(arrive([left, others, own], { ...again, earlier: 1 }), [
    "12:00  ✓ Back. Missed 1 message.",
    `── new ${"─".repeat(52)}`,
    "12:00    1  Rahul      hi",
    "12:00    1  ana        mine",
  ]);
  for (const joins of ["on", "active", "off"]) {
    const settings = { joins };
    const nothing = ["12:00  ✓ Back. Missed nothing."];
    for (const earlier of [0, 1]) {
      const rows = arrive([left], { ...again, earlier }, settings);
      assertEquals(rows, nothing);
    }
  }
  // What is one's own was sent, not missed.
  assertEquals(arrive([own], { ...again, earlier: 0, waiting: 1 }), [
    "12:00  ✓ Back. Missed nothing; sent 1.",
    "12:00    1  ana        mine",
  ]);
});

Deno.test("Transcript shows what was changed about a line beside it", () => {
  const reactions = [
    { name: "ana", person: "a", text: "👍" },
    { name: "Priyanka", person: "p", text: "👍" },
  ];
  const none = { edited: false, deleted: false, reactions: [] };
  const cases: [RoomNews, string[]][] = [
    [
      line("said", "Rahul", "hi", { changed: { ...none, edited: true } }),
      ["12:00    1  Rahul      hi (edited)"],
    ],
    [
      line("said", "Rahul", "a\n```\nb\n```", {
        changed: { edited: true, deleted: false, reactions },
      }),
      [
        "12:00    1  Rahul      a",
        "                       ```",
        "                       b",
        "                       ```",
        "                       (edited)",
        "                       [👍 ana, Priyanka]",
      ],
    ],
    [
      line("acted", "Rahul", "", { changed: { ...none, deleted: true } }),
      ["12:00    1  * Rahul (deleted)"],
    ],
    [
      line("edited", "Rahul", "one\ntwo", {
        to: 7,
        quoted: { name: "Rahul", person: "key of Rahul", text: "on" },
      }),
      [
        "                       ↪ was: on",
        "12:00    7  Rahul      one",
        "                       two (edited)",
      ],
    ],
    [
      line("deleted", "Rahul", "", { to: 7 }),
      ["12:00                  Rahul deletes 7"],
    ],
    [
      line("reacted", "Rahul", "👍", { to: 7 }),
      ["12:00                  Rahul reacts to 7: 👍"],
    ],
  ];
  for (const [news, rows] of cases) assertEquals(begin().render(news), rows);
});

Deno.test("Transcript counts after a return what was changed meanwhile, and shows a newcomer none of it", () => {
  const changed = past("deleted", "Rahul", "", { to: 7 });
  const said = past("said", "Rahul", "hi");
  const back = (...lines: RoomNews[]) =>
    arrive(lines, { again: true, earlier: 1 })[0];
  assertEquals(back(changed), "12:00  ✓ Back. Missed 1 change.");
  assertEquals(
    back(said, changed),
    "12:00  ✓ Back. Missed 1 message and 1 change.",
  );
  assertEquals(arrive([changed]), JOINED);
});

Deno.test("Transcript shows what it was told of the past, though the connection goes before the rest", () => {
  const { render } = begin();
  const news = entered({ again: true, earlier: 2 });
  const rows = [
    news,
    past("said", "Rahul", "hi"),
    { type: "disconnected", reason: "lost", seconds: 1 } as const,
  ].flatMap(render);
  assertEquals(rows.slice(0, 3), [
    "12:00  ✓ Back. Missed 1 message.",
    `── new ${"─".repeat(52)}`,
    "12:00    1  Rahul      hi",
  ]);
});

Deno.test("Transcript shows all of a line that may be lost", () => {
  const text = `${"long ".repeat(20)}\n\x1b[2J`;
  const rows = begin().render({ type: "lost", text });
  assertEquals(
    rows.map((row) => row.trim()).join(" "),
    [
      String.raw`⚠ May not have been sent: ${"long ".repeat(20)}\n\u001b[2J`,
    ].join(),
  );
  assertEquals(rows.slice(1).map((row) => row.search(/\S/)), [2, 2]);
});

Deno.test("Transcript shows by default only the comings and goings of those who spoke lately", () => {
  const move = (transcript: ReturnType<typeof begin>, at: number) =>
    transcript.render(line("left", "Rahul", "left", { at })).length > 0;
  const minute = 60_000;
  const cases: [string, number, number, boolean][] = [
    ["active", 10 * minute, 0, true],
    ["active", 11 * minute, 49, true],
    ["active", 11 * minute, 50, false],
    ["on", 11 * minute, 50, true],
    ["off", 0, 0, false],
  ];
  for (const [joins, later, lines, expected] of cases) {
    const transcript = begin(joins === "active" ? {} : { joins });
    assertEquals(move(transcript, NOON), joins === "on");
    transcript.render(line("said", "Rahul", "hi"));
    for (let n = 0; n < lines; n++) {
      transcript.render(line("said", "Priyanka", "hi"));
    }
    assertEquals(move(transcript, NOON + later), expected);
  }
  assertEquals(begin().render(line("renamed", "Rahul", "Ravi")).length, 1);
});

Deno.test("Transcript widens the columns for what comes", () => {
  const transcript = begin();
  transcript.render(line("said", "a-name-of-16-let", "x", { seq: 9_999 }));
  assertEquals(transcript.render(line("said", "Rahul", "hi")), [
    "12:00     1  Rahul            hi",
  ]);
});

Deno.test("Transcript keeps its columns level where numbers get longer, at message 1,000 and where it began with longer ones", () => {
  const rowsOf = (from: number, settings = {}) => {
    const transcript = begin(settings);
    return [from, from + 1].flatMap((seq) => [
      ...transcript.render(line("said", "Rahul", "hi", { seq })),
      ...transcript.render(line("acted", "Rahul", "waves", { seq })),
    ]);
  };
  assertEquals(rowsOf(999), [
    "12:00  999  Rahul      hi",
    "12:00  999  * Rahul waves",
    "12:00 1000  Rahul      hi",
    "12:00 1000  * Rahul waves",
  ]);
  assertEquals(rowsOf(9_999), [
    "12:00  9999  Rahul      hi",
    "12:00  9999  * Rahul waves",
    "12:00 10000  Rahul      hi",
    "12:00 10000  * Rahul waves",
  ]);
  // Without times there is nothing that a longer number could begin in.
  assertEquals(rowsOf(999, { times: "off" }), [
    "999  Rahul      hi",
    "999  * Rahul waves",
    "1000  Rahul      hi",
    "1000  * Rahul waves",
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

Deno.test("Transcript shows at most 50 rows of one message, however they come about", () => {
  const texts = [
    "\x1b".repeat(4_096),
    `one\n${"\x1b".repeat(4_094)}`,
    `\`\`\`\n${"\x1b".repeat(2_000)}\n\`\`\``,
    "word ".repeat(819),
    "\n".repeat(4_096),
  ];
  for (const columns of [20, 59, 60, 80]) {
    for (const text of texts) {
      for (const type of ["said", "acted"] as const) {
        const rows = begin({}, columns).render(line(type, "Rahul", text));
        // A narrow terminal has no room for it in one row.
        const below = rows.slice(50).map((row) => row.trim()).join(" ");
        assert(/^… \d+ more lines$/.test(below), `${columns}: ${below}`);
      }
    }
  }
  // Each has its own: many in one piece of news aren't one.
  const lines = Array.from({ length: 60 }, () => line("said", "Rahul", "a\nb"));
  const found = { type: "found", words: "", lines, more: false } as const;
  assertEquals(begin().render(found).length, 123);
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

Deno.test("Transcript says how far a sealed room was searched, and shows a line that doesn't fit as a warning in its place", () => {
  const transcript = begin();
  const warning = {
    type: "warning",
    line: 4,
    name: "Rahul",
    person: "8wn0yqp4rv6hs2jb",
    reason: "signature-wrong",
  } as const;
  const lines = [line("said", "Rahul", "old", { seq: 3 }), warning];
  const found = { type: "found", lines, more: true, backTo: 3 } as const;
  assertEquals(transcript.render({ ...found, words: "old" }).slice(1), [
    `── today ${"─".repeat(50)}`,
    "12:00    3  Rahul      old",
    "⚠ WARNING: line 4, as from Rahul, is not shown: that person",
    "  did not sign it",
    `── searched back to line 3 ${"─".repeat(32)}`,
  ]);
  const none = { type: "found", lines: [], words: "x" } as const;
  assertEquals(transcript.render({ ...none, more: true, backTo: 3 }), [
    'Nothing was found with "x": searched back to line 3',
  ]);
  assertEquals(transcript.render({ ...none, more: false, backTo: 1 }), [
    'Nothing was found with "x"',
  ]);
});

Deno.test("Transcript leaves out of the history what it leaves out as it happens", () => {
  const lines = [
    line("joined", "Priyanka"),
    line("said", "Rahul", "hi", { seq: 2 }),
    line("left", "Rahul", "left"),
  ];
  const found = { type: "found", words: "", lines, more: false } as const;
  const shown = (joins: string) => begin({ joins }).render(found);
  const today = `── today ${"─".repeat(50)}`;
  const end = `── that is all ${"─".repeat(44)}`;
  assertEquals(shown("on").length, 6);
  assertEquals(shown("off"), [
    `── 1 of 3 lines: /set joins on shows who came and went ${"─".repeat(4)}`,
    today,
    "12:00    2  Rahul      hi",
    end,
  ]);
  assertEquals(shown("active"), [
    `── 2 of 3 lines: /set joins on shows who came and went ${"─".repeat(4)}`,
    today,
    "12:00    2  Rahul      hi",
    "12:00                  Rahul left",
    end,
  ]);
});

Deno.test("Transcript is leaner in a narrow terminal, and wraps what is long below where it began", () => {
  const cases: [number, string[]][] = [
    [40, [
      "12:00 17 Rahul: an answer that is longer",
      "         than forty cells",
    ]],
    [20, [
      "12:00 17 Rahul: an",
      "     answer that is",
      "     longer than",
      "     forty cells",
    ]],
  ];
  const text = "an answer that is longer than forty cells";
  for (const [columns, rows] of cases) {
    const { render } = begin({}, columns + 1);
    assertEquals(render(line("said", "Rahul", text, { seq: 17 })), rows);
  }
  const { render, note } = begin({ joins: "on" }, 41);
  assertEquals(render(line("acted", "Rahul", "waves", { seq: 17 })), [
    "12:00 17 * Rahul waves",
  ]);
  assertEquals(render(line("joined", "Rahul")), ["12:00    Rahul joined"]);
  const quoted = {
    name: "Priyanka",
    person: "key",
    text: "what do you know\nabout ciphers?",
  };
  assertEquals(render(line("replied", "Rahul", "much", { to: 7, quoted })), [
    "         ↪ Priyanka: what do you know a…",
    "12:00  1 Rahul: much",
  ]);
  assertEquals(note("    A note is wrapped, too, below its start"), [
    "    A note is wrapped, too, below its",
    "      start",
  ]);
});

Deno.test("Transcript wraps a long rule, and fills its last row", () => {
  const { render } = begin({}, 31);
  const lines = [line("said", "Rahul", "x")];
  const words = "what do you know about ciphers?";
  const found = { type: "found", words, lines, more: false } as const;
  assertEquals(render(found).slice(0, 2), [
    '── 1 line with "what do you',
    `   know about ciphers?" ${"─".repeat(6)}`,
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
  transcript.render(entered({ name: "ana.b" }));
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
  assertEquals(
    begin({ words: "lunch" }).mentions(line("said", "x", "ana")),
    false,
  );
  transcript.render(line("renamed", "ana", "anna"));
  assertEquals(transcript.mentions(line("said", "Rahul", "hi anna")), true);
  assertEquals(transcript.mentions(line("said", "Rahul", "hi ana.b")), false);
});

Deno.test("Transcript takes the person's own words for mentions", () => {
  const transcript = begin({ words: "lunch, on call,昼食" });
  transcript.render(entered());
  const cases: [RoomNews, boolean][] = [
    [line("said", "Rahul", "Lunch?"), true],
    [line("said", "Rahul", "who is on call"), true],
    [line("said", "Rahul", "今日の昼食は"), true],
    [line("said", "Rahul", "hello ana"), true],
    [line("said", "Rahul", "luncheon"), false],
    [line("said", "ana", "lunch"), false],
  ];
  for (const [news, expected] of cases) {
    assertEquals(transcript.mentions(news), expected, news.text);
  }
});

Deno.test("Transcript shows an invite's link whole, and its QR code where that fits", () => {
  const link = `chat://192.0.2.7:5000/#${"x".repeat(60)}`;
  const news = { type: "invited", link, uses: 1, until: null, note: "Rahul" };
  const rows = begin({}, 60).render(news as News);
  assertEquals(rows.slice(-2), ["Invite (Rahul):", `  ${link}`]);
  assertEquals(rows.filter((row) => row.includes("█")).length > 20, true);
  assertEquals(begin({}, 40).render(news as News).slice(0, 2), [
    "The QR code needs 42 columns: widen the",
    "  terminal",
  ]);
});

Deno.test("Transcript says what is to be done about an invite's link that leads to its own machine, once", () => {
  const link = `chat://127.0.0.1:5000/#${"x".repeat(20)}`;
  const news = { type: "invited", link, uses: 1, until: null, note: "Rahul" };
  assertEquals(begin({}, 80).render(news as News).slice(-3), [
    `Invite (Rahul): ${link}`,
    "That link works on this machine alone: in place of 127.0.0.1:5000, write where",
    "  others find the server. Join by that address yourself, and /invite writes it",
  ]);
  const first = { ...news, founding: true }; // of which the client says more
  assertEquals(
    begin({}, 80).render(first as News).at(-1),
    `Invite (Rahul): ${link}`,
  );
});

Deno.test("Transcript makes no row that a terminal would wrap, at any width from 20 cells on", () => {
  const text =
    "one_word_that_is_longer_than_a_narrow_row and some more, 日本語";
  const name = "an-uncommonly-long-name-for-one";
  const quoted = { name, person: "key", text };
  const changed = {
    edited: true,
    deleted: false,
    reactions: [{ name, person: "key", text: "👍" }],
  };
  const offer = `${"x".repeat(80)}.jpg (81204 bytes, SHA-256 ${DIGEST})`;
  const lines = [line("said", name, text, { seq: 123_456, changed })];
  const news: News[] = [
    entered({ name }),
    ...lines,
    line("acted", name, text),
    line("replied", name, text, { to: 7, quoted }),
    line("edited", name, text, { to: 7, quoted }),
    line("deleted", name, "", { to: 7, quoted }),
    line("reacted", name, "👍", { to: 7, quoted }),
    line("offered", name, offer),
    line("renamed", name, "ana"),
    line("left", name, text),
    line("said", name, `a\n\`\`\`\n    ${text}\n\`\`\``),
    { type: "away-message", name, person: "key", text, own: false },
    { type: "found", words: text, lines, more: true },
    { type: "found", words: text, lines: [], more: false },
    { type: "refused", text, reason: "text-too-long", detail: "" },
    { type: "lost", text },
    { type: "disconnected", reason: "lost", seconds: 2 },
    ...(["begun", "waiting", "taken", "failed"] as const).map((state) =>
      file(state, { name: text, path: text, reason: text })
    ),
  ];
  for (const names of ["4", "20", "32"]) {
    for (let columns = 20; columns <= 120; columns++) {
      const { render, note } = begin({ joins: "on", names }, columns);
      const rows = [...news.flatMap(render), ...note(`    ${text}\n${text}`)];
      for (const row of rows) {
        assert(width(row) < columns, `${columns} columns: "${row}"`);
      }
    }
  }
});

Deno.test("Transcript shows who comes and goes where few are, and last words in every room", () => {
  const shown = (members: number) => {
    const { render } = begin({}, 60, members);
    return [
      line("joined", "eve"),
      line("left", "eve", "lost"),
      line("left", "eve", "left"),
      line("left", "eve", "see you"),
    ].map((news) => render(news).length > 0);
  };
  assertEquals(shown(5), [true, true, true, true]);
  assertEquals(shown(6), [false, false, false, true]);
});

/** A private message at noon. */
function letter(
  name: string,
  to: string,
  text: string,
  more: Partial<News & { type: "private" }> = {},
): News & { type: "private" } {
  const [person, whom] = [name, to].map((it) => `key of ${it}`);
  return {
    type: "private",
    at: NOON,
    name,
    person: person ?? "",
    to: { name: to, person: whom ?? "" },
    text,
    own: name === "ana",
    ...more,
  };
}

Deno.test("Transcript shows that a message is private, to and from whom, without a number, and once how to answer", () => {
  const { render } = begin();
  const hint = [
    "That is for you alone. /msg Rahul answers; what you type",
    "  without it, everybody reads",
  ];
  const received = letter("Rahul", "ana", "kaise ho");
  assertEquals(render(received), [
    "12:00       (private) Rahul to you: kaise ho",
    ...hint,
  ]);
  assertEquals(render(letter("Ravi", "ana", "one\ntwo")), [
    "12:00       (private) Ravi to you: one",
    "              two",
  ]);
  assertEquals(render(letter("ana", "Rahul", "sab badhiya")), [
    "12:00       (private) you to Rahul: sab badhiya",
  ]);
  const state = "delivered";
  assertEquals(render(letter("ana", "Rahul", "yes", { state })), [
    "12:00       (private) you to Rahul: yes",
  ]);
});

Deno.test("Transcript says of a private message that waits until when it is kept", () => {
  const { render } = begin();
  const state = "waiting";
  assertEquals(render(letter("ana", "Rahul", "yes", { state })), [
    "12:00       (private) you to Rahul: yes",
    "              (kept until Rahul is back, at most 7 days)",
  ]);
});

Deno.test("Transcript shows a private message in a narrow terminal, and one of another day under that day", () => {
  const { render } = begin({}, 40);
  assertEquals(render(letter("ana", "Rahul", "sab badhiya, aur tum?")), [
    "12:00   (private) you to Rahul: sab",
    "        badhiya, aur tum?",
  ]);
  const at = NOON - DAY;
  const [rule, row] = render(letter("ana", "Rahul", "yes", { at }));
  assert(rule?.startsWith("── "), rule);
  assertEquals(row, "12:00   (private) you to Rahul: yes");
});

Deno.test("Transcript says why a private message is not shown", () => {
  const { render } = begin({}, 120);
  const reasons = {
    altered: "it was altered, or is not theirs",
    old: "it is more than 8 days old",
    early: "by this machine's clock it comes from more than a day ahead",
    unknown: "the server does not show whose it is",
  } as const;
  for (const [reason, words] of Object.entries(reasons)) {
    const news = {
      type: "private-unread",
      name: "Rahul",
      person: "key of Rahul",
      own: false,
      reason: reason as keyof typeof reasons,
    } as const;
    assertEquals(render(news), [
      `⚠ A private message from Rahul is not shown: ${words}`,
    ]);
  }
});

Deno.test("Transcript takes a private message of somebody else's for a mention, whatever it says", () => {
  const { mentions } = begin();
  assertEquals(mentions(letter("Rahul", "ana", "hello")), true);
  assertEquals(mentions(letter("ana", "Rahul", "ana")), false);
});

Deno.test("Transcript says once what to do about what does not fit in a sealed room", () => {
  const { render } = begin({}, 200);
  const warning = (line: number): News => ({
    type: "warning",
    line,
    name: "bob",
    person: "key of bob",
    reason: "signature-wrong",
  });
  const told = (line: number) =>
    `12:00  ⚠ WARNING: line ${line}, as from bob, is not shown: that person did not sign it`;
  assertEquals(render(warning(58)), [
    told(58),
    "The server, or somebody's own client, brings that about, not the network: ask that person by another way, and tell the room's keepers",
  ]);
  assertEquals(render(warning(59)), [told(59)]);
});
