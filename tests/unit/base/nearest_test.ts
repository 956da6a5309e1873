/**
 * Tests of which word a mistyped one was meant to be.
 *
 * @module
 */

import { didYouMean, nearest } from "../../../src/base/nearest.ts";
import { assertEquals } from "../../kit/assert.ts";

const COMMANDS = ["help", "who", "quit", "re", "me", "search", "send", "set"]
  .concat(["history", "invite", "invites", "ban", "bans", "kick", "exit"]);
const FLAGS = ["name", "port", "history", "max-members", "invite-only"];
const SETTINGS = ["bell", "joins", "times", "numbers", "theme", "names"];

const CASES: readonly [string, readonly string[], string | undefined][] = [
  // Two letters swapped.
  ["hlep", COMMANDS, "help"],
  ["quti", COMMANDS, "quit"],
  ["er", COMMANDS, "re"],
  ["prot", FLAGS, "port"],
  ["jions", SETTINGS, "joins"],
  // One letter missing, or too many.
  ["hep", COMMANDS, "help"],
  ["wo", COMMANDS, "who"],
  ["whoo", COMMANDS, "who"],
  ["qquit", COMMANDS, "quit"],
  ["nme", FLAGS, "name"],
  ["bel", SETTINGS, "bell"],
  // A wrong letter, in a word that is long enough to be known by the others.
  ["seatch", COMMANDS, "search"],
  ["theme", SETTINGS, "theme"],
  ["thene", SETTINGS, "theme"],
  ["edit", COMMANDS, undefined],
  ["edit", ["quit"], undefined],
  ["ne", COMMANDS, undefined],
  ["bet", COMMANDS, undefined],
  ["sort", FLAGS, undefined],
  // Two mistakes, in a long one.
  ["max-nembes", FLAGS, "max-members"],
  ["invite-onyl", FLAGS, "invite-only"],
  ["histroi", COMMANDS, undefined],
  // The beginning of one.
  ["hist", COMMANDS, "history"],
  ["inv", COMMANDS, "invite"],
  ["max", FLAGS, "max-members"],
  ["num", SETTINGS, "numbers"],
  ["sea", ["search", "seat"], "seat"],
  ["ser", ["search", "send"], undefined],
  ["sear", ["search", "searing"], undefined], // either
  ["q", COMMANDS, undefined],
  // In either case.
  ["HLEP", COMMANDS, "help"],
  ["Bell", SETTINGS, "bell"],
  // With something behind it.
  ["port:80", FLAGS, "port"],
  ["help?", COMMANDS, "help"],
  [".help", COMMANDS, undefined],
  // Nothing of the kind.
  ["", COMMANDS, undefined],
  ["passwd", COMMANDS, undefined],
  ["who is that", COMMANDS, undefined],
  ["x".repeat(5_000), COMMANDS, undefined],
];

Deno.test("nearest() knows a mistyped word, and takes no other for one", () => {
  for (const [typed, words, meant] of CASES) {
    assertEquals(nearest(typed, words), meant, typed);
  }
});

Deno.test("didYouMean() ends a sentence, or adds nothing", () => {
  assertEquals(didYouMean("prot", FLAGS, "--"), '; did you mean "--port"?');
  assertEquals(didYouMean("edit", COMMANDS), "");
});
