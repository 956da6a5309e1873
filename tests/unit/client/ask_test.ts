/**
 * Tests of the questions before there is a room.
 *
 * @module
 */

import { askName } from "../../../src/client/ask.ts";
import { mayFound, mayGoOn } from "../../../src/client/sealed/founding.ts";
import { assertEquals, assertStringIncludes } from "../../kit/assert.ts";

/** Somebody who answers so, one thing after the other; then nobody does. */
function person(...answers: string[]) {
  const told: string[] = [];
  return {
    told,
    ask: (words: string) => {
      told.push(words);
      return Promise.resolve(answers.shift() ?? null);
    },
    note: (text: string) => void told.push(text),
  };
}

Deno.test("askName() asks until there is a name that can be used, and explains", async () => {
  const view = person("/help", "a\tb", " ana ");
  assertEquals(await askName(view, "Another name: "), "ana");
  const [prompt, help = "", again, refusal = ""] = view.told;
  assertEquals([prompt, again], ["Another name: ", "Another name: "]);
  assertStringIncludes(help, "The others will know you by it");
  assertStringIncludes(refusal, 'Cannot go by "a\\tb"');
});

Deno.test("an explanation says how to leave in the way of where the question is asked", async () => {
  const typed = person("/help");
  await mayFound(typed);
  assertStringIncludes(typed.told[1] ?? "", " /quit leaves.");
  const pressed = { ...person("/help"), leaving: "Close this to leave." };
  await mayFound(pressed);
  assertStringIncludes(pressed.told[1] ?? "", ". Close this to leave.");
  assertEquals(pressed.told[1]?.includes("/quit"), false);
});

Deno.test("questions are left by /quit, and where nobody answers", async () => {
  // What would be said after that is not asked for.
  for (const answers of [["/quit", "yes"], ["/EXIT ", "yes"], []]) {
    assertEquals(await askName(person(...answers)), null);
    assertEquals(await mayFound(person(...answers)), false);
    assertEquals(await mayGoOn(person(...answers), "why"), false);
  }
});

Deno.test("a room is founded, and a server gone on with, after a yes alone", async () => {
  const cases: [string[], boolean][] = [
    [["yes"], true],
    [[" Y"], true],
    [["no", "y"], false],
    [["perhaps", "y"], true],
  ];
  for (const [answers, expected] of cases) {
    assertEquals(await mayFound(person(...answers)), expected);
    const view = person(...answers);
    assertEquals(await mayGoOn(view, "It has other lines"), expected);
    assertEquals(view.told[0], "It has other lines");
  }
});
