/**
 * `chat.log`: lines and back, numbers that last, the mending of a torn end, the lock, and what a failed write
 * leaves.
 *
 * @module
 */

import { ChatLog } from "../../../src/log/chat_log.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { modeOf, namesIn } from "../../kit/folder.ts";
import {
  ADDRESS,
  numbered,
  openLog,
  pastOf,
  PERSON,
  said,
  saidUpTo,
  STAY,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";
import { GOODBYES } from "../../../src/protocol/reasons.ts";
import {
  isAbout,
  type LogEntry,
  type NewEntry,
  numberEntry,
} from "../../../src/protocol/line.ts";
import { formatEntry, parseEntry } from "../../../src/log/line_format.ts";
import { LogError } from "../../../src/log/file.ts";
import { LockedError } from "../../../src/log/lock.ts";

const EXAMPLES: readonly (readonly [string, NewEntry])[] = [
  [
    "2026-11-23T17:05:54.120Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.0 | Abhii joined the chat",
    {
      at: Date.UTC(2026, 10, 23, 17, 5, 54, 120),
      person: PERSON,
      stay: STAY,
      n: 0,
      what: "joined",
      name: "Abhii",
      text: "",
    },
  ],
  [
    "2026-11-23T17:06:07.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1 | Abhii: Kaise ho bro",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 7, 4),
      person: PERSON,
      stay: STAY,
      n: 1,
      what: "said",
      name: "Abhii",
      text: "Kaise ho bro",
    },
  ],
  [
    "2026-11-23T17:06:31.590Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.2 | Abhii left the chat",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 31, 590),
      person: PERSON,
      stay: STAY,
      n: 2,
      what: "left",
      name: "Abhii",
      text: "left",
    },
  ],
  [
    "2026-11-23T17:06:31.590Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.3 | Abhii left the chat (connection lost)",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 31, 590),
      person: PERSON,
      stay: STAY,
      n: 3,
      what: "left",
      name: "Abhii",
      text: "lost",
    },
  ],
  [
    "2026-11-23T17:06:09.120Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.4 | * Abhii waves: hello",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 9, 120),
      person: PERSON,
      stay: STAY,
      n: 4,
      what: "acted",
      name: "Abhii",
      text: "waves: hello",
    },
  ],
  [
    "2026-11-23T17:06:12.871Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.5 | Abhii to 42: Achha hoon",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 12, 871),
      person: PERSON,
      stay: STAY,
      n: 5,
      what: "replied",
      name: "Abhii",
      text: "Achha hoon",
      to: 42,
    },
  ],
  [
    "2026-11-23T17:06:12.872Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.6 | Abhii seals 3.AAAAAAAAACrU",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 12, 872),
      person: PERSON,
      stay: STAY,
      n: 6,
      what: "sealed",
      name: "Abhii",
      text: "3.AAAAAAAAACrU",
    },
  ],
  [
    '2026-11-23T17:06:12.873Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.6 | Abhii rules rename {"count":2,"name":"Abhijeet"} TG9y',
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 12, 873),
      person: PERSON,
      stay: STAY,
      n: 6,
      what: "ruled",
      name: "Abhii",
      text: 'rename {"count":2,"name":"Abhijeet"} TG9y',
    },
  ],
  [
    "2026-11-23T17:06:13.000Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.6 | Abhii is now Abhijeet",
    {
      at: Date.UTC(2026, 10, 23, 17, 6, 13),
      person: PERSON,
      stay: STAY,
      n: 6,
      what: "renamed",
      name: "Abhii",
      text: "Abhijeet",
    },
  ],
];
const examples = EXAMPLES.map(([, entry]) => entry);
const exampleLines = EXAMPLES.map(([line]) => `${line}\n`).join("");

// What could be taken for another kind of line.
const LOOKALIKES = [
  "* Abhii waves",
  "to 42: x",
  "Abhii to 42: x",
  "is now Bilal",
  "seals 3.TG9y",
  "Abhii seals 3.TG9y",
  "rules close {} TG9y",
  "Abhii rules close {} TG9y",
  " joined the chat",
  "left the chat (connection lost)",
  ": x",
  "(server stopped)",
  "*",
];

const ATTACKS = [
  ...LOOKALIKES,
  "",
  " ",
  "a\nb\rc\r\nd",
  `hi\n${EXAMPLES[0]?.[0]}`,
  EXAMPLES[0]?.[0] ?? "",
  "Abhii: x joined the chat",
  "\x1b[2J\x1b]52;c;aGk=\x07",
  "\x9b31m\x85\x9d",
  "\u202etxt.exe\u2066\u200f",
  "\ud800 \udc00 \udbff",
  "\\n \\\\ \\u001b \\",
  "\ufeffa\u2028b\u2029c\0",
  "👩🏽‍💻 हिन्दी \u{e0001}\u3164",
  "x".repeat(4_096),
  "\u{e0100}".repeat(1_024),
];

const bytesOf = (text: string) => new TextEncoder().encode(text);

const open = (path: string, window?: number) =>
  openLog(path, window === undefined ? {} : { window });

Deno.test("formatEntry() and parseEntry() agree with the known lines", () => {
  for (const [line, entry] of EXAMPLES) {
    assertEquals(formatEntry(entry), line);
    const to = entry.to ?? null;
    assertEquals(parseEntry(line, 7), { seq: 7, ...entry, to });
  }
});

Deno.test("parseEntry() reads back every reason for leaving", () => {
  for (const text of Object.keys(GOODBYES)) {
    const entry: NewEntry = { ...said(1), what: "left", text };
    assertEquals(parseEntry(formatEntry(entry), 1), numberEntry(entry, 1));
  }
});

const KINDS = [
  "joined",
  "left",
  "said",
  "acted",
  "replied",
  "sealed",
  "ruled",
  "renamed",
] as const;

/** Those that have words. */
const WORDED = KINDS.slice(1);

/** An entry of a kind that holds a text wherever that kind can hold one. */
function entryOf(what: LogEntry["what"], name: string, text: string): NewEntry {
  const to = isAbout(what) ? { to: 42 } : {};
  return { ...said(1, what === "joined" ? "" : text), name, what, ...to };
}

Deno.test("formatEntry() makes one line of any text, and parseEntry() gives it back, but no offer or reaction that is none", () => {
  for (const text of ATTACKS) {
    for (const what of [...WORDED, "offered", "reacted"] as const) {
      if (what === "renamed" && text === "") continue; // no name is empty
      const entry = entryOf(what, "Abhii", text);
      const line = formatEntry(entry);
      // deno-lint-ignore no-control-regex
      assert(!/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(line), line);
      const isNone = what === "offered" || what === "reacted" && text !== "";
      const read = isNone ? null : numberEntry(entry, 1);
      assertEquals(parseEntry(line, 1), read);
    }
  }
});

Deno.test("parseEntry() takes no name of more than 256 units, in a line of any kind", () => {
  for (const what of KINDS) {
    const line = (size: number) =>
      formatEntry(entryOf(what, "x".repeat(size), "hello"));
    assertEquals(parseEntry(line(256), 1)?.name.length, 256);
    assertEquals(parseEntry(line(257), 1), null);
  }
});

Deno.test("parseEntry() takes a sealed line and a control line of 6,144 units, and no other of more than 4,096", () => {
  for (const what of WORDED) {
    const most = what === "sealed" || what === "ruled" ? 6_144 : 4_096;
    const line = (size: number) =>
      formatEntry(entryOf(what, "Abhii", "x".repeat(size)));
    assertEquals(parseEntry(line(most), 1)?.text.length, most);
    assertEquals(parseEntry(line(most + 1), 1), null, what);
  }
});

Deno.test("formatEntry() lets no name pass for more than a name", () => {
  const names = ["a: b", "a joined the chat", "a:", "a\nb", "\x1b[2J", "*"];
  for (const name of [...names, "* a", "a is now b", "a to 1: b", "# a"]) {
    for (const what of KINDS) {
      for (const text of ["hello", ...LOOKALIKES]) {
        const entry = entryOf(what, name, text);
        assertEquals(parseEntry(formatEntry(entry), 1), numberEntry(entry, 1));
      }
    }
  }
});

Deno.test("formatEntry() gives no two entries the same line", () => {
  const names = ["Abhii", "*", "to", "is", "a b"];
  const lines = new Map<string, string>();
  for (const what of KINDS) {
    for (const name of names) {
      for (const text of ["x", ...LOOKALIKES, ...names]) {
        const entry = entryOf(what, name, text);
        const line = formatEntry(entry);
        const json = JSON.stringify(entry);
        assertEquals(lines.get(line) ?? json, json);
        lines.set(line, json);
      }
    }
  }
});

Deno.test("parseEntry() refuses lines that are not ours", () => {
  const line = EXAMPLES[1]?.[0] ?? "";
  const others = [
    "",
    "Abhii: Kaise ho bro",
    "# a remark",
    line.slice(1),
    line.replace("Z ", " "),
    line.replace("11-23", "13-23"),
    line.replace("11-23", "02-30"),
    line.replace("2026-11-23T17:06:07.004Z", "2026-11-23"),
    line.replace("k3df9q2mx7ta41cz", "K3DF9Q2MX7TA41CZ"),
    line.replace("k3df9q2mx7ta41cz", "k3df9q2mx7ta41c"),
    line.replace(".1 ", ".01 "),
    line.replace(".1 ", ".9007199254740993 "),
    line.replace(".1 ", ".-1 "),
    line.replace(" | ", " "),
    line.replace("Abhii: ", "Abhii "),
    line.replace("Abhii: ", ": "),
    `${line}\\`,
    `${line}\\q`,
    `${line}\r`,
    EXAMPLES[0]?.[0] + "!",
    EXAMPLES[2]?.[0] + " (connection lost",
    line.replace("Abhii: ", "* Abhii: "),
    line.replace("Abhii: ", "*Abhii "),
    line.replace("Abhii: ", "Abhii to 0: "),
    line.replace("Abhii: ", "Abhii to 042: "),
    line.replace("Abhii: ", "Abhii to 9007199254740993: "),
    line.replace("Abhii: ", "Abhii to : "),
    line.replace("Abhii: Kaise ho bro", "Abhii is now "),
    line.replace("Abhii: Kaise ho bro", "Abhii is now a b"),
    line.replace("Abhii: Kaise ho bro", "Abhii is now *b"),
  ];
  for (const other of others) assertEquals(parseEntry(other, 1), null, other);
});

testWithPath("append() writes exactly the known lines", async (path) => {
  await using log = await open(path);
  assertEquals(log.head, 0);
  assertEquals(await log.append(examples), 1);
  assertEquals(await Deno.readTextFile(path), exampleLines);
  assertEquals(log.head, examples.length);
});

testWithPath(
  "append() numbers entries on across batches and openings",
  async (path) => {
    {
      await using log = await open(path);
      assertEquals(await log.append([said(1), said(2)]), 1);
      assertEquals(await log.append([said(3)]), 3);
      assertEquals(await log.append([]), 4);
    }
    await using log = await open(path);
    assertEquals([log.head, log.notices], [3, []]);
    assertEquals(await log.append([said(4)]), 4);
    assertEquals(log.recent(0), numbered(saidUpTo(4)));
    assertEquals(await pastOf(log), numbered(saidUpTo(4)));
  },
);

testWithPath(
  "append() keeps every attack to one line of the file",
  async (path) => {
    const entries = ATTACKS.map((text, at) => said(at, text));
    {
      await using log = await open(path);
      await log.append(entries);
      assertEquals(log.recent(0), numbered(entries));
    }
    await using log = await open(path);
    assertEquals(log.head, ATTACKS.length);
    assertEquals(log.recent(0), numbered(entries));
    assertEquals(await pastOf(log), numbered(entries));
  },
);

testWithPath("append() with fsync appends", async (path) => {
  await using log = await ChatLog.open(path, { address: ADDRESS, fsync: true });
  assertEquals(await log.append(examples), 1);
  assertEquals(await Deno.readTextFile(path), exampleLines);
});

testWithPath("append() refuses a second append under way", async (path) => {
  await using log = await ChatLog.open(path, { address: ADDRESS, fsync: true });
  const first = log.append([said(1)]);
  await assertRejects(() => log.append([said(2)]), TypeError, "is under way");
  assertEquals(await first, 1);
  assertEquals(await log.append([said(2)]), 2);
});

testWithPath(
  "open() leaves out lines that are not ours, and numbers them",
  async (path) => {
    const [first, second] = exampleLines.split("\n");
    const other = bytesOf("an old remark\n\n");
    const noText = Uint8Array.of(0xff, 0xc3, 0x28, 10);
    await Deno.writeFile(path, bytesOf(`${first}\n`));
    await Deno.writeFile(path, other, { append: true });
    await Deno.writeFile(path, noText, { append: true });
    await Deno.writeFile(path, bytesOf(`${second}\n`), { append: true });
    await using log = await open(path);
    assertEquals(log.head, 5);
    const [joined, hello] = examples;
    assert(joined && hello);
    const expected = [numberEntry(joined, 1), numberEntry(hello, 5)];
    assertEquals(log.recent(0), expected);
    assertEquals(await pastOf(log), expected);
    assertEquals(await log.append([said(6)]), 6);
  },
);

testWithPath(
  "open() reads past a line longer than any of ours",
  async (path) => {
    const line = formatEntry(said(1));
    const long = `${line}${"x".repeat(200_000)}`;
    await Deno.writeTextFile(path, `${line}\n${long}\n${line}\n`);
    await using log = await open(path);
    assertEquals(log.head, 3);
    assertEquals((await pastOf(log)).map(({ seq }) => seq), [1, 3]);
  },
);

testWithPath(
  "open() drops words torn at any byte, and says so",
  async (path) => {
    const whole = bytesOf(`${formatEntry(said(1))}\n`);
    for (const what of WORDED) {
      const entry = entryOf(what, "Abhii", "naïve \\ \n 👍");
      const last = bytesOf(`${formatEntry(entry)}\n`);
      // Up to the name, one is like another.
      const first = what === "said" ? 1 : last.indexOf(0x7c);
      for (let size = first; size < last.length; size++) {
        await Deno.writeFile(path, whole, { mode: 0o600 });
        await Deno.writeFile(path, last.subarray(0, size), { append: true });
        await using log = await open(path);
        assertEquals(log.notices, [
          `Dropped the last line of "${path}": it broke off after ${size} bytes`,
        ]);
        assertEquals((await Deno.stat(path)).size, whole.length);
        assertEquals(await log.append([said(2)]), 2);
        assertEquals(log.recent(0), numbered(saidUpTo(2)));
        assertEquals(await pastOf(log), numbered(saidUpTo(2)));
      }
    }
  },
  windows,
);

testWithPath(
  "open() completes a joining whose line break alone is missing",
  async (path) => {
    const line = bytesOf(EXAMPLES[0]?.[0] ?? "");
    for (let size = 1; size <= line.length; size++) {
      await Deno.writeFile(path, line.subarray(0, size), { mode: 0o600 });
      await using log = await open(path);
      const complete = size === line.length;
      assertEquals(log.head, complete ? 1 : 0);
      const text = complete ? `${EXAMPLES[0]?.[0]}\n` : "";
      assertEquals(await Deno.readTextFile(path), text);
      assertEquals(log.notices, [
        complete
          ? `Completed the last line of "${path}": its line break was missing`
          : `Dropped the last line of "${path}": it broke off after ${size} bytes`,
      ]);
      const next = log.head + 1;
      assertEquals(await log.append([said(1)]), next);
      assertEquals(
        parseEntry(formatEntry(said(1)), next),
        log.recent(next - 1)[0],
      );
      assertEquals(await pastOf(log), log.recent(0));
    }
  },
  windows,
);

testWithPath(
  "open() doesn't touch a file that can't be a log",
  async (path) => {
    const bytes = new Uint8Array(100_000).fill(1);
    await Deno.writeFile(path, bytes);
    await assertRejects(() => open(path), LogError, "its last line is longer");
    assertEquals((await Deno.stat(path)).size, bytes.length);
  },
);

testWithPath(
  "recent() and past() agree on both sides of the window's edge",
  async (path) => {
    const entries = saidUpTo(20);
    await (await open(path)).close();
    await Deno.writeTextFile(
      path,
      entries.slice(0, 15).map((entry) => `${formatEntry(entry)}\n`).join(""),
    );
    await using log = await open(path, 8);
    assertEquals([log.head, log.oldest], [15, 7]);
    await log.append(entries.slice(15));
    assertEquals([log.head, log.oldest], [20, 12]);
    const all = numbered(entries);
    for (let after = 0; after <= 21; after++) {
      assertEquals(await pastOf(log, after), all.slice(after));
      if (after >= log.oldest) {
        assertEquals(log.recent(after), all.slice(after));
      } else {
        assertThrows(
          () => log.recent(after),
          RangeError,
          "memory begins after",
        );
      }
    }
  },
);

testWithPath(
  "append() of more than the window holds leaves the last of them",
  async (path) => {
    await using log = await open(path, 4);
    await log.append(saidUpTo(10));
    assertEquals(log.oldest, 6);
    assertEquals(log.recent(6), numbered(saidUpTo(10)).slice(6));
  },
);

testWithPath("past() finds its way through 10,000 lines", async (path) => {
  const texts = ["short", "naïve 👍", "line\nbreak", "x".repeat(300)];
  const entries = saidUpTo(10_000).map((entry, at) => ({
    ...entry,
    text: texts[at % texts.length] ?? "",
  }));
  const all = numbered(entries);
  const check = async (log: ChatLog) => {
    for (const edge of [0, 255, 256, 4_095, 4_096, 4_097, 8_192, 9_990]) {
      for (const count of [0, 1, 2, 255, 256, 257, 600]) {
        const found = await pastOf(log, edge, edge + count);
        assertEquals(found, all.slice(edge, edge + count));
      }
    }
    let count = 0;
    for await (const piece of log.past(0, 10_000)) {
      assert(piece.length >= 1 && piece.length <= 256);
      count += piece.length;
    }
    assertEquals(count, 10_000);
  };
  {
    await using log = await open(path);
    // In batches that don't end where the index steps.
    for (let at = 0; at < 10_000; at += 1_000) {
      assertEquals(await log.append(entries.slice(at, at + 1_000)), at + 1);
    }
    await check(log);
  }
  await using log = await open(path);
  assertEquals(log.head, 10_000);
  await check(log);
  assertEquals(log.recent(log.oldest), all.slice(log.oldest));
});

testWithPath(
  "past() finds its way after a torn line was dropped",
  async (path) => {
    const torn = formatEntry(said(1)).slice(0, 50);
    await Deno.writeTextFile(path, torn, { mode: 0o600 });
    await using log = await open(path);
    await log.append(saidUpTo(5_000));
    const { size } = await Deno.stat(path);
    assertEquals(log.files.map(({ index }) => index.end), [size]);
    assertEquals(
      await pastOf(log, 4_096),
      numbered(saidUpTo(5_000)).slice(4_096),
    );
  },
);

testWithPath(
  "past() ends at the line that was the last when it began",
  async (path) => {
    await using log = await open(path);
    await log.append(saidUpTo(600));
    const found: LogEntry[] = [];
    for await (const piece of log.past(0, Infinity)) {
      found.push(...piece);
      await log.append([said(601)]);
    }
    assertEquals(found, numbered(saidUpTo(600)));
    assertEquals(log.head, 603);
  },
);

testWithPath(
  "open() makes the log and its lock for their owner alone",
  async (path) => {
    await using log = await open(path);
    assertEquals(log.notices, []);
    assertEquals(await modeOf(path), 0o600);
    assertEquals(await modeOf(`${path}.lock`), 0o600);
  },
  windows,
);

testWithPath(
  "open() closes a log that others can use, and says so",
  async (path) => {
    await Deno.writeTextFile(path, exampleLines);
    for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601]) {
      await Deno.chmod(path, mode);
      await using log = await open(path);
      assertEquals(await modeOf(path), 0o600);
      assertEquals(log.notices, [
        `Closed "${path}" to others: they could have read it`,
      ]);
      assertEquals(await Deno.readTextFile(path), exampleLines);
    }
  },
  windows,
);

testWithPath(
  "open() closes an empty log that others can read without a word",
  async (path) => {
    await Deno.writeTextFile(path, "");
    await Deno.chmod(path, 0o644);
    await using log = await open(path);
    assertEquals(await modeOf(path), 0o600);
    assertEquals(log.notices, []);
  },
  windows,
);

testWithPath("open() says which file it can't open or lock", async (path) => {
  await Deno.mkdir(path);
  await assertRejects(
    () => open(path),
    LogError,
    `Cannot open "${path}": it is a folder`,
  );
  await Deno.remove(path); // and nothing was made beside it
  assertEquals(await namesIn(path.replace(/\/[^/]*$/, "")), []);
  await (await open(path)).close(); // the lock is free again
  await Deno.remove(`${path}.lock`);
  await Deno.mkdir(`${path}.lock`);
  await assertRejects(
    () => open(path),
    LogError,
    `Cannot lock "${path}": it is a folder`,
  );
});

testWithPath(
  "open() tells which files it made, and of the log again once that has all it begins with",
  async (path) => {
    const made: string[] = [];
    const onMade = (it: string) => made.push(it);
    await (await openLog(path, { onMade })).close();
    assertEquals(made, [`${path}.lock`, path, path]);
    await (await openLog(path, { onMade })).close();
    assertEquals(made.length, 3);
  },
);

testWithPath(
  "a log that can't be closed to others is used, and that is said",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const open = { mode: 0o644 };
    const why =
      `Cannot close "${path}": Operation not permitted; others can read it`;
    await Deno.writeTextFile(path, exampleLines, open);
    await Deno.chmod(path, 0o644);
    const refuse = () => () =>
      Promise.reject(new Error("Operation not permitted"));
    await withMethod(Deno, "chmod", refuse, async () => {
      await using log = await openLog(path, { onNotice });
      assertEquals(log.notices, [why]);
      await Deno.remove(path);
      await Deno.writeTextFile(path, exampleLines, open);
      await log.reopen();
      assertEquals(notices, [
        why,
        `Opened "${path}" again: another file with as many lines took its place`,
      ]);
    });
  },
  windows,
);

testWithPath(
  "saidStart(), isDeleted() and recall() tell of the lines in memory",
  async (path) => {
    await using log = await open(path, 4);
    const deletion = { ...said(7, ""), what: "deleted", to: 2 } as const;
    await log.append([...saidUpTo(6), deletion]);
    assertEquals([1, 3, 9].map((it) => log.saidStart(it, 9)), [5, 3, 3]);
    assertEquals(log.saidStart(9, 2), 5);
    assertEquals([1, 2].map((seq) => log.isDeleted(seq)), [false, true]);
    assertEquals([3, 4].map((seq) => log.recall(seq)?.text), [
      undefined,
      "text 4",
    ]);
  },
);

/** Another process that holds the log until it is killed or its input ends. */
async function openElsewhere(path: string) {
  const module = import.meta.resolve("../../../src/log/chat_log.ts");
  const program = `${path}.ts`;
  await Deno.writeTextFile(
    program,
    `import { ChatLog } from ${JSON.stringify(module)};
    const [path = ""] = Deno.args;
    const log = await ChatLog.open(path, { address: "${ADDRESS}" });
    await Deno.stdout.write(new TextEncoder().encode("open"));
    await Deno.stdin.read(new Uint8Array(1));
    await log.close();`,
  );
  const config = new URL(import.meta.resolve("../../../deno.json")).pathname;
  const permissions = ["--allow-read", "--allow-write"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, ...permissions, program, path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "open");
  return {
    pid: child.pid,
    kill: async () => {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      await child.stdin.close().catch(() => {}); // its end went with the process
    },
    end: async () => {
      await child.stdin.close();
      await reader.cancel();
      return (await child.status).code;
    },
  };
}

async function assertLocked(path: string, pid: number) {
  const error = await assertRejects(
    () => open(path),
    LockedError,
    `Cannot use "${path}": the server on ${ADDRESS} (process ${pid}) uses it`,
  );
  assertEquals([error.address, error.pid], [ADDRESS, pid]);
}

testWithPath(
  "open() is refused while another process has the log, until that is killed",
  async (path) => {
    const other = await openElsewhere(path);
    await assertLocked(path, other.pid);
    await other.kill();
    await using log = await open(path);
    assertEquals(await log.append([said(1)]), 1);
  },
  windows,
);

testWithPath(
  "open() works once the other process has closed the log",
  async (path) => {
    const other = await openElsewhere(path);
    await assertLocked(path, other.pid);
    assertEquals(await other.end(), 0);
    assertEquals(await Deno.readTextFile(`${path}.lock`), "");
    await using log = await open(path);
    assertEquals(log.head, 0);
  },
  windows,
);

testWithPath(
  "open() is refused where the runtime can only wait for a lock",
  async (path) => {
    const file = Deno.FsFile.prototype as { tryLock?: unknown };
    const { tryLock } = file;
    const other = await openElsewhere(path);
    delete file.tryLock;
    try {
      await assertLocked(path, other.pid);
      await other.kill();
      await (await open(path)).close();
    } finally {
      if (tryLock) file.tryLock = tryLock;
    }
  },
  windows,
);

testWithPath(
  "close() can be repeated, and what is there is still read",
  async (path) => {
    const log = await open(path);
    await log.append([said(1)]);
    await log.close();
    await log.close();
    await assertRejects(
      () => log.append([said(2)]),
      LogError,
      `Cannot write "${path}": it is closed`,
    );
    assertEquals(await pastOf(log), numbered([said(1)]));
  },
);

/** Runs a body while one method of all files does something else. */
async function withFile<K extends "writeSync" | "syncData" | "truncate">(
  method: K,
  replacement: (original: Deno.FsFile[K]) => Deno.FsFile[K],
  body: () => Promise<void>,
) {
  const file = Deno.FsFile.prototype;
  const original = file[method];
  file[method] = replacement(original);
  try {
    await body();
  } finally {
    file[method] = original;
  }
}

const diskFull = () => new Error("No space left on device (os error 28)");

/** Takes some bytes and then no more, as a full disk does. */
function takeOnly(room: number) {
  return (original: Deno.FsFile["writeSync"]) =>
    function (this: Deno.FsFile, bytes: Uint8Array): number {
      if (room === 0) throw diskFull();
      const count = original.call(this, bytes.subarray(0, room));
      room -= count;
      return count;
    };
}

const failToSync = () => () => Promise.reject(new Error("Input/output error"));
const failToCut = () => () =>
  Promise.reject(new Error("Read-only file system"));

async function assertFails(log: ChatLog, reason: string) {
  const entries = [said(2), said(3)];
  const error = await assertRejects(
    () => log.append(entries),
    LogError,
    reason,
  );
  assert(error.cause instanceof Error);
}

testWithPath(
  "append() finishes a write that the system takes in pieces",
  async (path) => {
    await using log = await open(path);
    const inPieces = (original: Deno.FsFile["writeSync"]) =>
      function (this: Deno.FsFile, bytes: Uint8Array) {
        return original.call(this, bytes.subarray(0, 7));
      };
    await withFile("writeSync", inPieces, async () => {
      assertEquals(await log.append(examples), 1);
    });
    assertEquals(await Deno.readTextFile(path), exampleLines);
  },
);

testWithPath(
  "append() leaves nothing of a batch that doesn't fit",
  async (path) => {
    await using log = await open(path);
    await log.append([said(1)]);
    const before = await Deno.readTextFile(path);
    for (const room of [0, 1, before.length, before.length + 1]) {
      await withFile("writeSync", takeOnly(room), async () => {
        await assertFails(
          log,
          `Cannot write "${path}": No space left on device`,
        );
      });
      assertEquals(await Deno.readTextFile(path), before);
      assertEquals([log.head, log.recent(0)], [1, numbered([said(1)])]);
    }
    assertEquals(await log.append([said(2)]), 2);
    assertEquals(await pastOf(log), numbered(saidUpTo(2)));
  },
);

testWithPath(
  "append() leaves nothing of a batch that the disk may not have",
  async (path) => {
    await using log = await ChatLog.open(path, {
      address: ADDRESS,
      fsync: true,
    });
    await log.append([said(1)]);
    const before = await Deno.readTextFile(path);
    await withFile("syncData", failToSync, async () => {
      await assertFails(log, `Cannot write "${path}": Input/output error`);
    });
    assertEquals(await Deno.readTextFile(path), before);
    assertEquals(await log.append([said(2)]), 2);
    assertEquals(await pastOf(log), numbered(saidUpTo(2)));
  },
);

testWithPath(
  "append() cuts before it writes again where it couldn't cut at once",
  async (path) => {
    await using log = await open(path);
    await log.append([said(1)]);
    await withFile("truncate", failToCut, async () => {
      await withFile("writeSync", takeOnly(10), async () => {
        await assertFails(log, "No space left on device");
      });
      await assertFails(log, `Cannot write "${path}": Read-only file system`);
    });
    assertEquals(await pastOf(log), numbered([said(1)]));
    assertEquals(await log.append([said(2)]), 2);
    const lines = saidUpTo(2).map((entry) => `${formatEntry(entry)}\n`);
    assertEquals(await Deno.readTextFile(path), lines.join(""));
    assertEquals(await pastOf(log), numbered(saidUpTo(2)));
  },
);
