/**
 * Tests of the commands, with a context that remembers what was done.
 *
 * @module
 */

import {
  type CommandContext,
  COMMANDS,
  completions,
  interpret,
} from "../src/commands.ts";
import type { Present } from "../src/news.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";

/** A context in UTC, with what was told and done. */
function remember(present: readonly Present[] = []) {
  const notes: string[] = [];
  const done: string[] = [];
  const context: CommandContext = {
    note: (text) => notes.push(text),
    who: () => present,
    quit: () => done.push("quit"),
    zone: "UTC",
  };
  return { context, notes, done };
}

Deno.test("interpret() returns what is no command, as it is", () => {
  const { context, notes } = remember();
  for (const line of ["hello", " /help", "a/b", "see /who", "½"]) {
    assertEquals(interpret(line, context), line);
  }
  assertEquals(notes, []);
});

Deno.test("interpret() takes one of two slashes away", () => {
  const { context, notes } = remember();
  assertEquals(interpret("//who", context), "/who");
  assertEquals(interpret("///", context), "//");
  assertEquals(notes, []);
});

Deno.test("interpret() shows every command on /help", () => {
  const { context, notes } = remember();
  assertEquals(interpret("/help", context), null);
  assertEquals(notes.length, COMMANDS.length + 1);
  for (const [at, { usage, help }] of COMMANDS.entries()) {
    assertStringIncludes(notes[at] ?? "", usage);
    assertStringIncludes(notes[at] ?? "", help);
  }
});

Deno.test("interpret() shows names, keys and times on /who, in columns", () => {
  const { context, notes } = remember([
    {
      name: "Abhii",
      key: "3f9a1c02d417",
      since: Date.UTC(2026, 10, 23, 17, 5),
    },
    { name: "Jo", key: "0123456789ab", since: Date.UTC(2026, 10, 22, 9, 30) },
    { name: "田中", key: "ba9876543210", since: Date.UTC(2026, 10, 22, 9, 31) },
  ]);
  assertEquals(interpret("/WHO ", context), null);
  assertEquals(notes, [
    "Abhii  3f9a1c02d417  since 2026-11-23 17:05",
    "Jo     0123456789ab  since 2026-11-22 09:30",
    "田中   ba9876543210  since 2026-11-22 09:31",
  ]);
});

Deno.test("interpret() escapes the names and keys on /who", () => {
  const { context, notes } = remember([
    { name: "a\n\x1b[2J\u202eb", key: "\x9b31m", since: 0 },
  ]);
  interpret("/who", context);
  assertEquals(notes, [
    "a\\n\\u001b[2J\\u202eb  \\u009b31m  since 1970-01-01 00:00",
  ]);
});

Deno.test("interpret() ends the session on /quit", () => {
  const { context, done } = remember();
  assertEquals(interpret("/quit", context), null);
  assertEquals(done, ["quit"]);
});

Deno.test("interpret() doesn't run a command with words after it", () => {
  const { context, notes, done } = remember();
  assertEquals(interpret("/quit smoking is hard", context), null);
  assertEquals(done, []);
  assertEquals(notes, [
    "Nothing can follow /quit. To send that line, begin it with two slashes",
  ]);
});

Deno.test("interpret() names an unknown command and suggests the nearest", () => {
  const cases: [string, string][] = [
    ["/hlep", "Did you mean /help?"],
    ["/whoo", "Did you mean /who?"],
    ["/QUTI", "Did you mean /quit?"],
    ["/exit", "Did you mean /quit?"],
    ["/etc/passwd", "/help shows them all."],
    ["/", "/help shows them all."],
    [`/${"x".repeat(5_000)}`, "/help shows them all."],
  ];
  for (const [line, advice] of cases) {
    const { context, notes, done } = remember();
    assertEquals(interpret(line, context), null);
    assertEquals(notes, [
      `Unknown command "${line}". ${advice} To send that line, begin it with two slashes`,
    ]);
    assertEquals(done, []);
  }
});

Deno.test("completions() offers the commands that begin so", () => {
  assertEquals(completions("/"), COMMANDS.map(({ name }) => name));
  assertEquals(completions("/h"), ["/help"]);
  assertEquals(completions("/x"), []);
  assertEquals(completions(""), []);
  assertEquals(completions("h"), []);
});

Deno.test("COMMANDS have names that a person can type", () => {
  for (const { name, usage } of COMMANDS) {
    assert(/^\/[a-z]+$/.test(name));
    assert(usage.startsWith(name));
  }
});
