/**
 * Tests of the commands, with a context that remembers what was done.
 *
 * @module
 */

import {
  type CommandContext,
  COMMANDS,
  interpret,
  OPERATOR_COMMANDS,
  usage,
} from "../../../../src/client/terminal/commands.ts";
import { Ignored } from "../../../../src/client/ignored.ts";
import type { Present } from "../../../../src/client/view.ts";
import {
  SETTINGS,
  Settings,
} from "../../../../src/client/terminal/settings.ts";
import { complete } from "../../../../src/client/terminal/tab_completion.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../../../kit/assert.ts";

const NOW = Date.UTC(2026, 10, 23, 17, 10);

/** A context in UTC, with what was told and done. */
function remember(present: readonly Present[] = []) {
  const notes: string[] = [];
  const done: unknown[][] = [];
  const does = (what: string) => (...args: unknown[]) => {
    done.push([what, ...args]);
    return Promise.resolve();
  };
  const context: CommandContext = {
    note: (text) => notes.push(text),
    who: () => present,
    quit: does("quit"),
    rename: does("rename"),
    act: does("act"),
    reply: does("reply"),
    edit: does("edit"),
    delete: does("delete"),
    react: does("react"),
    lastOwn: () => 41,
    away: does("away"),
    history: does("history"),
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
    "Jo     0123-4567-89ab-cdef  since 2026-11-23 09:30  idle 7 min  on 2 devices  away: lunch",
    "田中   fedc-ba98-7654-3210  since 2026-11-22 09:31  idle 1 d",
  ]);
});

Deno.test("interpret() escapes the names, keys and reasons on /who", async () => {
  const { context, notes } = remember([
    member("a\n\x1b[2J\u202eb", { person: "\x9b31", away: "\r\x07" }),
  ]);
  await interpret("/who", context);
  assertEquals(notes, [
    "a\\n\\u001b[2J\\u202eb  \\u00-9b31  since 2026-11-23 17:10  away: \\r\\u0007",
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
    ["/away", ["away", ""]],
    ["/away at lunch", ["away", "at lunch"]],
    ["/save a file.txt", ["save", "a file.txt"]],
    ["/release", ["release"]],
    ["/invite for Rahul", ["operate", "invite", "7", "for Rahul", 1]],
    ["/invites", ["operate", "invites"]],
    ["/revoke 12", ["operate", "revoke", "12"]],
    ["/kick Rahul", ["operate", "kick", "Rahul"]],
    ["/ban Rahul", ["operate", "ban", "Rahul", "", 0]],
    ["/ban Rahul 30", ["operate", "ban", "Rahul", "", 30]],
    ["/unban Rahul", ["operate", "unban", "Rahul"]],
    ["/bans", ["operate", "bans"]],
    ["/op Rahul", ["operate", "op", "Rahul"]],
    ["/deop Rahul", ["operate", "deop", "Rahul"]],
    ["/topic tea at five", ["operate", "topic", "", "tea at five"]],
    ["/topic", ["operate", "topic", "", ""]],
    ["/slow 30", ["operate", "slow", "", "", 30]],
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
  assertEquals(notes.slice(1, 3), ["    1 2", "    3 4"]);
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

Deno.test("interpret() tells how a command is typed where it is typed wrongly", async () => {
  const cases: [string, string][] = [
    ["/help me", "/help [operators]"],
    ["/revoke one", "/revoke N"],
    ["/ban Rahul 3 days", "/ban NAME [DAYS]"],
    ["/kick", "/kick NAME"],
    ["/slow", "/slow SECONDS"],
    ["/who is that", "/who"],
    ["/nick", "/nick NAME"],
    ["/me", "/me ACTION"],
    ["/me   ", "/me ACTION"],
    ["/re 12", "/re N TEXT"],
    ["/re twelve yes", "/re N TEXT"],
    ["/re 0 yes", "/re N TEXT"],
    ["/history all", "/history [N]"],
    ["/search", "/search WORDS"],
    ["/bell loud", "/bell off|mentions|all"],
    ["/bell", "/bell off|mentions|all"],
    ["/set bell", "/set [KEY VALUE]"],
    ["/set bell all now", "/set [KEY VALUE]"],
    ["/save", "/save FILE"],
  ];
  for (const [line, typed] of cases) {
    const { context, notes, done } = remember();
    assertEquals(await interpret(line, context), null);
    assertEquals(done, []);
    assertEquals(notes, [
      `Usage: ${typed}. To send that line, begin it with two slashes`,
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
    "Ignored: Rahul",
    "No longer ignored: Rahul",
    "Ignored: nobody",
    'No "nobody" here. /who lists who is',
  ]);
});

Deno.test("interpret() changes and shows settings", async () => {
  const { context, notes } = remember();
  await interpret("/bell all", context);
  await interpret("/set joins off", context);
  await interpret("/set names 12", context);
  await interpret("/set names 1", context);
  await interpret("/set theme neon", context);
  await interpret("/set jions on", context);
  await interpret("/set", context);
  assertEquals(notes.slice(0, 6), [
    "bell is now all",
    "joins is now off",
    "names is now 12",
    "Cannot set names: it is a whole number from 4 to 32",
    "Cannot set theme: it is default or plain",
    'Cannot set "jions": there is no such setting; did you mean "joins"?',
  ]);
  assertEquals(notes.length, 6 + SETTINGS.length);
  assertEquals(
    notes.slice(6, 8),
    [
      "bell all       Ring the bell: never, on mentions, on every message (off, mentions, all)",
      "joins off      Show members joining and leaving (on, off)",
    ],
  );
});

Deno.test("interpret() names an unknown command and suggests the nearest", async () => {
  const cases: [string, string][] = [
    ["/hlep", "Did you mean /help?"],
    ["/whoo", "Did you mean /who?"],
    ["/QUTI", "Did you mean /quit?"],
    ["/serach", "Did you mean /search?"],
    ["/hist", "Did you mean /history?"],
    ["/edti", "/help shows them all."], // nothing like /quit
    ["/etc/passwd", "/help shows them all."],
    ["/", "/help shows them all."],
    [`/${"x".repeat(5_000)}`, "/help shows them all."],
  ];
  for (const [line, advice] of cases) {
    const { context, notes, done } = remember();
    assertEquals(await interpret(line, context), null);
    assertEquals(notes, [
      `Unknown command "${line}". ${advice} To send that line, begin it with two slashes`,
    ]);
    assertEquals(done, []);
  }
});

Deno.test("complete() offers commands, what may follow them, and names", () => {
  const names = ["Rahul", "Ravi", "ana", "田中", "e\x1b[2Jvil"];
  const cases: [string, string[]][] = [
    ["/h", ["/help ", "/history "]],
    ["/help o", ["operators"]],
    ["/kic", ["/kick "]],
    ["/kick ra", ["Rahul ", "Ravi "]],
    ["/W", ["/who"]],
    ["/x", []],
    ["ra", ["Rahul: ", "Ravi: "]],
    ["田", ["田中: "]],
    ["hello An", ["ana "]],
    ["e", []],
    ["", []],
    ["hello ", []],
    ["//w", []],
    ["/me hugs ra", ["Rahul ", "Ravi "]],
    ["/re 12 ra", ["Rahul ", "Ravi "]],
    ["/ignore ", ["Rahul ", "Ravi ", "ana ", "田中 "]],
    ["/bell m", ["mentions"]],
    ["/bell off ", []],
    ["/set be", ["bell"]],
    ["/set theme ", ["default", "plain"]],
    ["/set names ", []],
    ["/who r", []],
    ["/nonsense r", []],
  ];
  for (const [typed, words] of cases) {
    assertEquals(complete(typed, names).words, words, typed);
  }
  assertEquals(complete("hello An", names).replaced, "An");
});

Deno.test("COMMANDS have names that a person can type, and help that fits a row", () => {
  for (const { name, help } of [...COMMANDS, ...OPERATOR_COMMANDS]) {
    assert(/^\/[a-z]+$/.test(name));
    assert(help.length <= 70, help);
  }
});
