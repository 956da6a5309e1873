/**
 * Tests of the commands, with a context that remembers what was done.
 *
 * @module
 */

import { usage } from "../../../../src/client/commands/command.ts";
import {
  interpret,
  TERMINAL_COMMANDS,
  type TypedContext,
} from "../../../../src/client/terminal/commands.ts";
import { Ignored } from "../../../../src/client/ignored.ts";
import { byNameOrId } from "../../../../src/client/person.ts";
import type { Present } from "../../../../src/client/view.ts";
import { width } from "../../../../src/client/terminal/cells.ts";
import {
  SETTINGS,
  Settings,
} from "../../../../src/client/terminal/settings.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../../../kit/assert.ts";

const { everybodys: COMMANDS, all: ALL_COMMANDS } = TERMINAL_COMMANDS;

const NOW = Date.UTC(2026, 10, 23, 17, 10);

/** What /who says of an open room. */
const OPEN = "An open room: its server reads what is said";

/** A context in UTC, with what was told and done. */
function remember(present: readonly Present[] = []) {
  const notes: string[] = [];
  const done: unknown[][] = [];
  const does = (what: string) => (...args: unknown[]) => {
    done.push([what, ...args]);
    return Promise.resolve();
  };
  const context: TypedContext = {
    note: (text) => notes.push(text),
    who: () => present,
    keepers: () => undefined,
    quit: does("quit"),
    rename: does("rename"),
    act: does("act"),
    reply: does("reply"),
    edit: does("edit"),
    write: does("write"),
    delete: does("delete"),
    react: does("react"),
    lastOwn: () => 41,
    away: does("away"),
    history: does("history"),
    older: does("older"),
    topic: () => "",
    agree: does("agree"),
    accept: does("accept"),
    search: does("search"),
    save: does("save"),
    send: does("send"),
    get: does("get"),
    drop: does("drop"),
    release: does("release"),
    operate: does("operate"),
    verification: (name) =>
      name === "Rahul"
        ? { digits: ["1 2", "3 4"], code: "ids", isVerified: false }
        : name === "ana"
        ? "yourself"
        : undefined,
    verify: (name) => does("verify")(name) !== undefined,
    find: (name) =>
      byNameOrId(present, name) ?? byNameOrId([member("Gone")], name),
    isSelf: ({ id }) => id === "id of ana",
    numbers: () => [41, 12],
    clear: does("clear"),
    settings: new Settings(),
    ignored: new Ignored(),
    now: () => NOW,
    zone: "UTC",
  };
  return { context, notes, done };
}

function member(name: string, more: Partial<Present> = {}): Present {
  const person = `key of ${name}`;
  const who = { id: `id of ${name}`, person, connections: 1, name };
  return { ...who, since: NOW, active: NOW, away: "", ...more };
}

Deno.test("interpret() returns what is no command, as it is", async () => {
  const { context, notes } = remember();
  for (const line of ["hello", " /help", "a/b", "see /who", "½"]) {
    assertEquals(await interpret(line, context), line);
  }
  assertEquals(notes, []);
});

Deno.test("interpret() takes one of two slashes away", async () => {
  const { context, notes } = remember();
  assertEquals(await interpret("//who", context), "/who");
  assertEquals(await interpret("///", context), "//");
  assertEquals(notes, []);
});

Deno.test("interpret() shows every command on /help", async () => {
  const { context, notes } = remember();
  assertEquals(await interpret("/help", context), null);
  assertEquals(notes.length, COMMANDS.length + 1);
  for (const [at, command] of COMMANDS.entries()) {
    assertStringIncludes(notes[at] ?? "", usage(command));
    assertStringIncludes(notes[at] ?? "", command.help);
    assert((notes[at] ?? "").length <= 92);
  }
});

Deno.test("interpret() shows names, keys, times and absences on /who, in columns", async () => {
  const at = (hours: number, minutes: number) =>
    Date.UTC(2026, 10, 23, hours, minutes);
  const { context, notes } = remember([
    member("Abhii", { person: "k3df9q2mx7ta41cz", since: at(17, 5) }),
    member("Jo", {
      person: "0123456789abcdef",
      connections: 2,
      since: at(9, 30),
      active: at(17, 3),
      away: "lunch",
    }),
    member("田中", {
      person: "fedcba9876543210",
      since: at(-15, 31),
      active: at(-15, 31),
    }),
  ]);
  assertEquals(await interpret("/WHO ", context), null);
  assertEquals(notes, [
    "Abhii  k3df-9q2m-x7ta-41cz  since 2026-11-23 17:05",
    "Jo     0123-4567-89ab-cdef  since 2026-11-23 09:30  idle 7 min  2 connections  away: lunch",
    "田中   fedc-ba98-7654-3210  since 2026-11-22 09:31  idle 1 d",
    OPEN,
  ]);
});

Deno.test("interpret() asks a keeper of a sealed room whether it means to leave it for good", async () => {
  const { context, notes } = remember([member("Abhii")]);
  const room = { ...context, keepers: () => [member("Abhii")] };
  await interpret("/deop Abhii", { ...room, isSelf: () => true });
  assertEquals(notes, [
    "That is you: it removes you from the room, and only another keeper could invite you again. If you mean it: /deop Abhii yes",
  ]);
});

Deno.test("interpret() says on /who which kind of room it is, and who its keepers are", async () => {
  const { context, notes } = remember([member("Abhii")]);
  const keepers = [member("Abhii"), member("ev\x1b")];
  await interpret("/who", { ...context, keepers: () => keepers });
  assertEquals(
    notes.at(-1),
    "A sealed room: its server cannot read what is said. Keepers: Abhii, ev\\u001b",
  );
});

Deno.test("interpret() says on /who which of those who are here oneself is", async () => {
  const { context, notes } = remember([
    member("ana", { id: "id of ana" }),
    member("Abhii"),
  ]);
  await interpret("/who", context);
  const [own = "", other = ""] = notes;
  assertMatch(own, /^ana \(you\) {2}/);
  assertMatch(other, /^Abhii {6}/);
});

Deno.test("interpret() escapes the names, keys and reasons on /who", async () => {
  const { context, notes } = remember([
    member("a\n\x1b[2J\u202eb", { person: "\x9b31", away: "\r\x07" }),
  ]);
  await interpret("/who", context);
  assertEquals(notes, [
    "a\\n\\u001b[2J\\u202eb  \\u00-9b31  since 2026-11-23 17:10  away: \\r\\u0007",
    OPEN,
  ]);
});

Deno.test("interpret() does what a command says", async () => {
  const cases: [string, unknown[]][] = [
    ["/nick Abhijeet", ["rename", "Abhijeet"]],
    ["/nick  ａｎａ ", ["rename", "ana"]],
    ["/me waves  twice ", ["act", "waves  twice"]],
    ["/re 12 the answer\nin two lines", [
      "reply",
      12,
      "the answer\nin two lines",
    ]],
    ["/RE 7 /who", ["reply", 7, "/who"]],
    ["/history", ["history", 20]],
    ["/history 5", ["history", 5]],
    ["/search two words", ["search", "two words"]],
    ["/agree", ["agree", undefined]],
    ["/agree 42", ["agree", 42]],
    ["/accept", ["accept"]],
    ["/away", ["away", ""]],
    ["/away at lunch", ["away", "at lunch"]],
    ["/save a file.txt", ["save", "a file.txt"]],
    ["/release", ["release"]],
    ["/invite", ["operate", "invite", "7", "", 1]],
    ["/invite the band", ["operate", "invite", "7", "the band", 1]],
    ["/invite for Rahul", ["operate", "invite", "7", "Rahul", 1]],
    ["/invite for", ["operate", "invite", "7", "for", 1]],
    ["/invite Fortuna", ["operate", "invite", "7", "Fortuna", 1]],
    ["/invites", ["operate", "invites"]],
    ["/revoke 12", ["operate", "revoke", "12"]],
    ["/kick Rahul", ["operate", "kick", "Rahul"]],
    ["/ban Rahul", ["operate", "ban", "Rahul", "", 0]],
    ["/ban Rahul 30", ["operate", "ban", "Rahul", "", 30]],
    ["/unban Rahul", ["operate", "unban", "Rahul"]],
    ["/bans", ["operate", "bans"]],
    ["/keeper Rahul", ["operate", "keeper", "Rahul"]],
    ["/op Rahul", ["operate", "op", "Rahul"]],
    ["/deop Rahul", ["operate", "deop", "Rahul"]],
    ["/topic tea at five", ["operate", "topic", "", "tea at five"]],
    ["/topic", ["operate", "topic", "", ""]],
    ["/slow 30", ["operate", "slow", "", "", 30]],
    ["/slow 3600", ["operate", "slow", "", "", 3_600]],
    ["/ban Rahul 3650", ["operate", "ban", "Rahul", "", 3_650]],
    ["/deop ana yes", ["operate", "deop", "ana"]],
    ["/reply 12 yes", ["reply", 12, "yes"]],
    ["/edit 12 yes", ["edit", 12, "yes"]],
    ["/edit 300 apples\nand pears", ["edit", 41, "300 apples\nand pears"]],
    ["/edit six", ["edit", 41, "six"]],
    ["/msg Rahul at six", ["write", "Rahul", "at six"]],
    ["/msg Rahul  two\nlines", ["write", "Rahul", "two\nlines"]],
    [
      "/msg k3df-9q2m-x7ta-41cz /who",
      ["write", "k3df-9q2m-x7ta-41cz", "/who"],
    ],
    ["/delete 12", ["delete", 12]],
    ["/react 12 👍", ["react", 12, "👍"]],
    ["/react 12 Heart", ["react", 12, "❤️"]],
    ["/react 12", ["react", 12, ""]],
    ["/clear", ["clear"]],
    ["/get 12", ["get", 12]],
    ["/drop 12", ["drop", 12]],
    ["/send a b.txt", ["send", "a b.txt"]],
    ["/exit", ["quit"]],
    ["/Exit see you", ["quit", "see you"]],
    ["/quit", ["quit"]],
    ["/quit see you", ["quit", "see you"]],
  ];
  for (const [line, expected] of cases) {
    const { context, notes, done } = remember();
    assertEquals(await interpret(line, context), null);
    assertEquals(done, [expected], line);
    assertEquals(notes, []);
  }
});

Deno.test("interpret() shows digits to compare on /verify, and remembers that they were", async () => {
  const { context, notes, done } = remember();
  await interpret("/verify Rahul", context);
  assertEquals(notes.slice(-3, -1), ["    1 2", "    3 4"]);
  assertEquals([notes.at(-1), done], [
    "If they are the same: /verify Rahul ok",
    [],
  ]);
  await interpret("/verify Rahul ok", context);
  assertEquals(done, [["verify", "Rahul"]]);
  assertEquals(notes.at(-1), "Remembered: Rahul is who you think");
  await interpret("/verify ana ok", context);
  assertEquals([notes.at(-1), done.length], ["That is you", 1]);
  await interpret("/verify Ravi", context);
  assertEquals(notes.at(-1), 'No "Ravi" here. /who lists who is');
});

/** What may not follow each command; nothing is wrong after those that any text may follow. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  "/help": ["me now"],
  "/who": ["is that"],
  "/nick": ["", "  "],
  "/release": ["ana"],
  "/verify": ["", "Rahul no", "Rahul ok now"],
  "/me": ["", "   "],
  "/re": ["", "12", "twelve yes", "0 yes", "-1 yes", "1.5 yes"],
  "/edit": ["", "   "],
  "/delete": ["", "one", "0", "1 2"],
  "/react": ["", "one", "0 +1", "42 two words"],
  "/msg": ["", "Rahul", "Rahul   "],
  "/history": ["all", "0", "5 lines"],
  "/search": [""],
  "/agree": ["all", "0", "4 2"],
  "/accept": ["all"],
  "/send": [""],
  "/get": ["", "one", "0", "1 2"],
  "/drop": ["", "one", "0"],
  "/ignore": [],
  "/unignore": ["", "Rahul Ravi"],
  "/away": [],
  "/bell": ["", "loud"],
  "/set": ["bell"],
  "/save": [""],
  "/clear": ["all"],
  "/quit": [],
  "/invite": [],
  "/invites": ["all"],
  "/revoke": ["", "one", "0"],
  "/kick": ["", "eve now"],
  "/ban": ["", "eve 3 days", "eve 0", "eve -1"],
  "/unban": [""],
  "/bans": ["eve"],
  "/op": [""],
  "/deop": ["", "ana no"],
  "/keeper": ["", "ana bob"],
  "/topic": [],
  "/slow": ["", "-1", "soon", "1.5"],
};

Deno.test("interpret() tells how a command is typed, with an example, where it is typed wrongly", async () => {
  assertEquals(Object.keys(WRONG), ALL_COMMANDS.map(({ name }) => name));
  for (const command of ALL_COMMANDS) {
    const { name, example } = command;
    for (const rest of WRONG[name] ?? []) {
      const { context, notes, done } = remember();
      assertEquals(await interpret(`${name} ${rest}`, context), null);
      const right = command.args === ""
        ? `${name}, with nothing after it`
        : `${usage(command)}, as in ${example}`;
      const more = `/help ${name.slice(1)} tells more`;
      assertEquals([notes, done], [[`Usage: ${right}. ${more}`], []]);
    }
  }
});

Deno.test("interpret() refuses what no server takes, and says what it would take", async () => {
  const cases: [string, string][] = [
    ["/slow 3601", "Cannot set slow mode: SECONDS are 0 to 3600"],
    ["/ban eve 3651", 'Cannot ban "eve": DAYS are 1 to 3650'],
    [
      `/invite ${"x".repeat(101)}`,
      "Cannot make an invite: NOTE has more than 100 characters",
    ],
    [
      `/topic ${"x".repeat(257)}`,
      "Cannot set the topic: it has more than 256 characters",
    ],
  ];
  for (const [line, note] of cases) {
    const { context, notes, done } = remember();
    assertEquals(await interpret(line, context), null);
    assertEquals([notes, done], [[note], []]);
  }
});

Deno.test("interpret() doesn't let operators remove themselves, nor lose their rank unasked", async () => {
  const cases: [string, string][] = [
    ["/kick ana", 'Cannot remove "ana": that is you. /quit leaves the room'],
    ["/ban ANA 3", 'Cannot ban "ANA": that is you. /quit leaves the room'],
    [
      "/deop k3df-9q2m-x7ta-41cz",
      "That is you: only another operator, or the server's owner, could undo it. If you mean it: /deop k3df-9q2m-x7ta-41cz yes",
    ],
  ];
  const ana = member("ana", { person: "k3df9q2mx7ta41cz" });
  for (const [line, note] of cases) {
    const { context, notes, done } = remember([ana, member("Rahul")]);
    assertEquals(await interpret(line, context), null);
    assertEquals([notes, done], [[note], []]);
  }
});

Deno.test("interpret() explains a command on /help with its name or another", async () => {
  for (const line of ["/help re", "/help /re", "/HELP Reply"]) {
    const { context, notes } = remember();
    assertEquals(await interpret(line, context), null);
    assertEquals(notes, [
      "/re N TEXT",
      "Answer message N. The number stands beside each message; Tab offers the latest. What you answer is shown above your text.",
      "Example: /re 42 yes, at five",
      "Also: /reply",
    ]);
  }
  for (const { name } of ALL_COMMANDS) {
    const { context, notes } = remember();
    await interpret(`/help ${name}`, context);
    assert(notes.length >= 2, name);
  }
});

Deno.test("interpret() says what can be explained on /help with a word that is no command", async () => {
  const cases: [string, string][] = [
    ["serach", "Did you mean /help search?"],
    ["/serach", "Did you mean /help search?"],
    ["weather", "/help lists the commands"],
  ];
  for (const [word, advice] of cases) {
    const { context, notes } = remember();
    await interpret(`/help ${word}`, context);
    assertEquals(notes, [
      `Cannot explain "${word}": it is no command. ${advice}`,
    ]);
  }
});

Deno.test("interpret() refuses a name that can't be one on /nick", async () => {
  const { context, notes, done } = remember();
  await interpret("/nick two words", context);
  await interpret("/nick аna", context); // the first letter is Cyrillic
  assertEquals(done, []);
  assertEquals(notes, [
    "A name has 1 to 32 letters, digits, hyphens, underscores or dots",
    "That name mixes letters of several scripts that look alike",
  ]);
});

Deno.test("interpret() ignores a member under any name, and no longer", async () => {
  const present = [member("Rahul")];
  const { context, notes } = remember(present);
  await interpret("/ignore", context);
  await interpret("/ignore rahul", context);
  await interpret("/ignore", context);
  assertEquals(context.ignored.find("RAHUL")?.person, "key of Rahul");
  await interpret("/ignore Rahul", context);
  await interpret("/ignore", context);
  await interpret("/ignore nobody", context);
  assertEquals(notes, [
    "Ignored: nobody",
    "Ignored now, under any name: Rahul",
    "Ignored: Rahul  key -of R-ahul",
    "No longer ignored: Rahul",
    "Ignored: nobody",
    'No "nobody" here. /who lists who is',
  ]);
});

Deno.test("interpret() lists who is ignored by the present name, and undoes it by any name or the id", async () => {
  const person = "k3df9q2mx7ta41cz";
  const list = "Ignored: annie  k3df-9q2m-x7ta-41cz  was ann";
  const undone = "No longer ignored: annie, who was ann";
  const ways = ["/ignore annie", "/unignore Annie", "/ignore ann"]
    .concat(["/ignore K3DF-9Q2M-X7TA-41CZ", `/unignore ${person}`]);
  for (const way of ways) {
    const present = [member("ann", { person }), member("Rahul")];
    const { context, notes } = remember(present);
    await interpret("/ignore ann", context);
    present[0] = member("annie", { person });
    await interpret("/ignore", context);
    await interpret(way, context);
    await interpret("/ignore", context);
    assertEquals(notes.slice(1), [list, undone, "Ignored: nobody"], way);
  }
});

Deno.test("interpret() ignores who goes by a name now, not who had it before", async () => {
  const present = [member("ann")];
  const { context, notes } = remember(present);
  await interpret("/ignore ann", context);
  present[0] = member("annie", { person: "key of ann" });
  present.push(member("ann", { person: "key of another" }));
  await interpret("/ignore ann", context);
  assertEquals(notes.at(-1), "Ignored now, under any name: ann");
  assertEquals(context.ignored.members().length, 2);
});

Deno.test("interpret() ignores who has left, but not oneself, and shows only who is ignored again", async () => {
  const { context, notes } = remember([member("ana"), member("Rahul")]);
  await interpret("/ignore ana", context);
  await interpret("/unignore Rahul", context);
  await interpret("/ignore gone", context);
  assertEquals(notes, [
    'Cannot ignore "ana": that is you',
    'Cannot show "Rahul" again: nobody of that name is ignored. /ignore lists who is',
    "Ignored now, under any name: Gone",
  ]);
});

Deno.test("interpret() shows no QR code in a terminal that is too narrow for it", async () => {
  for (const columns of [25, 26]) {
    const { context, notes } = remember();
    const narrow = { ...context, columns: () => columns };
    await interpret("/verify Rahul", narrow);
    const asked = "The QR code needs 26 columns: widen the terminal";
    assertEquals(notes.includes(asked), columns < 26);
    assertEquals(notes.some((note) => note.includes("█")), columns >= 26);
  }
});

Deno.test("interpret() changes and shows settings", async () => {
  const { context, notes } = remember();
  await interpret("/bell all", context);
  await interpret("/set joins off", context);
  await interpret("/set names 12", context);
  await interpret("/set names 1", context);
  await interpret("/set theme neon", context);
  await interpret("/set jions on", context);
  await interpret("/set bell all now", context);
  await interpret("/set words lunch, on call", context);
  await interpret("/set", context);
  assertEquals(notes.slice(0, 8), [
    "bell is now all",
    "joins is now off",
    "names is now 12",
    "Cannot set names: it is a whole number from 4 to 32",
    "Cannot set theme: it is auto, light, dark or plain",
    'Cannot set "jions": there is no such setting; did you mean "joins"?',
    "Cannot set bell: it is off, mentions or all",
    "words is now lunch,on call",
  ]);
  assertEquals(notes.length, 8 + SETTINGS.length);
  const column = notes[8]?.indexOf("Ring") ?? 0;
  assertEquals(
    [notes[8], notes[10], notes[12]].map((note) => note?.slice(column)),
    [
      "Ring the bell: never, on mentions, on every message (off, mentions, all)",
      "Words that count as mentions, like your name (such as lunch,deploy; or none)",
      "Show who joins and leaves: nobody, those who spoke lately, all (off, active, on)",
    ],
  );
  assertEquals(
    [notes[8], notes[10], notes[12]].map((note) =>
      note?.slice(0, column).trim()
    ),
    ["bell all", "words lunch,on call", "joins off"],
  );
});

Deno.test("interpret() wraps /help, /set and /who at any width from 20 cells on", async () => {
  const present = [
    member("Priyanka", {
      person: "k3df9q2mx7ta41cz",
      active: NOW - 420_000,
      away: "lunch with the others",
    }),
  ];
  for (const line of ["/help", "/help operators", "/set", "/who"]) {
    const full = remember(present);
    await interpret(line, full.context);
    const words = full.notes.join(" ").split(/\s+/);
    for (let columns = 20; columns <= 120; columns++) {
      const { context, notes } = remember(present);
      await interpret(line, { ...context, columns: () => columns });
      const widest = Math.max(...notes.map(width));
      assert(widest < columns, `${line} at ${columns}: ${widest}`);
      // A word that is longer than a row is broken.
      const whole = columns > 40 ? notes.join(" ").split(/\s+/) : [];
      if (columns > 40) assertEquals(whole, words, `${line} at ${columns}`);
      assertEquals(notes.join("").replace(/\s/g, ""), words.join(""));
    }
  }
  const { context, notes } = remember(present);
  await interpret("/who", { ...context, columns: () => 60 });
  await interpret("/who", { ...context, columns: () => 40 });
  await interpret("/who", { ...context, columns: () => 30 });
  assertEquals(notes, [
    "Priyanka  k3df-9q2m-x7ta-41cz  since 2026-11-23 17:10",
    "          idle 7 min  away: lunch with the others",
    OPEN,
    "Priyanka  k3df-9q2m-x7ta-41cz",
    "          since 2026-11-23 17:10",
    "          idle 7 min",
    "          away: lunch with the others",
    "An open room: its server reads what is",
    "    said",
    "Priyanka",
    "    k3df-9q2m-x7ta-41cz",
    "    since 2026-11-23 17:10",
    "    idle 7 min",
    "    away: lunch with the",
    "    others",
    "An open room: its server",
    "    reads what is said",
  ]);
});

Deno.test("interpret() names an unknown command and suggests the nearest", async () => {
  const cases: [string, string][] = [
    ["/hlep", "Did you mean /help?"],
    ["/whoo", "Did you mean /who?"],
    ["/QUTI", "Did you mean /quit?"],
    ["/serach", "Did you mean /search?"],
    ["/hist", "Did you mean /history?"],
    ["/edti", "Did you mean /edit?"], // not /quit
    ["/editor", "/help shows them all."],
    ["/etc/passwd", "/help shows them all."],
    ["/", "/help shows them all."],
  ];
  for (const [line, advice] of cases) {
    const { context, notes, done } = remember();
    assertEquals(await interpret(line, context), null);
    assertEquals(notes, [
      `Unknown command "${line}". ${advice} To send that line, begin it with two slashes`,
    ]);
    assertEquals(done, []);
  }
  const { context, notes } = remember();
  await interpret(`/${"x".repeat(5_000)}`, context);
  assert((notes[0] ?? "").length < 200);
});

Deno.test("COMMANDS have names that a person can type, and help that fits a row", () => {
  const names = ALL_COMMANDS.flatMap((
    { name, aliases = [] },
  ) => [name, ...aliases]);
  assertEquals(new Set(names).size, names.length);
  for (const name of names) assert(/^\/[a-z]+$/.test(name));
  for (const { help, example, name, takes } of ALL_COMMANDS) {
    assert(help.length <= 70, help);
    assert(example.startsWith(name));
    assert(takes.test(example.slice(name.length).trim()), example);
  }
});

Deno.test("interpret() takes a number behind /edit for a message's where there is one, and asks for its other words", async () => {
  const { context, notes, done } = remember();
  const numbers = (kind: string) => kind === "own" ? [41, 12] : [41, 12, 7];
  const lines = ["7 no", "12", "7", "3", "3 apples", "41 3 apples", "50 pears"];
  for (const line of lines) {
    await interpret(`/edit ${line}`, { ...context, numbers });
  }
  assertEquals(notes, [
    "Say what message 12 should be: /edit 12 TEXT",
    "Say what message 7 should be: /edit 7 TEXT",
    "Say what message 3 should be: /edit 3 TEXT",
    "Message 3 is not known here. If your last message is to begin with that number: /edit 41 3 …",
  ]);
  assertEquals(done, [
    ["edit", 7, "no"], // which is refused: it is somebody else's
    ["edit", 41, "3 apples"],
    ["edit", 41, "50 pears"],
  ]);
});

Deno.test("interpret() says on /edit where there is nothing that could be edited, or not yet", async () => {
  for (
    const [last, note] of [
      [undefined, "You have said nothing that could be edited"],
      [
        "waiting",
        "Your last message has no number yet: edit it when it is sent",
      ],
    ] as const
  ) {
    const { context, notes, done } = remember();
    await interpret("/edit six", { ...context, lastOwn: () => last });
    assertEquals([notes, done], [[note], []]);
  }
});
