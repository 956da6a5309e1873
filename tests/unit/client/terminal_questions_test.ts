/**
 * Tests of the name: as a person is asked for it, and as the input's first line.
 *
 * @module
 */

import {
  askUsualName,
  linesAfterName,
} from "../../../src/client/terminal_questions.ts";
import { assertEquals } from "../../kit/assert.ts";

/** Somebody who answers so, one thing after the other, and Enter alone means what is offered. */
function person(...answers: string[]) {
  const told: string[] = [];
  return {
    told,
    note: (text: string) => void told.push(text),
    ask: (words: string, preset = "") => {
      told.push(words);
      const answer = answers.shift() ?? null;
      return Promise.resolve(answer === "" ? preset : answer);
    },
  };
}

Deno.test("askUsualName() offers the name, which Enter takes, until there is one", async () => {
  for (const [answers, name] of [[[""], "ana"], [["ben"], "ben"]] as const) {
    const view = person(...answers);
    assertEquals(await askUsualName(view, "ana"), name);
    assertEquals(view.told, ["Enter your name [ana]: "]);
  }
  const view = person("two words", "");
  assertEquals(await askUsualName(view, "ana"), "ana");
  assertEquals(view.told.length, 3);
  assertEquals(await askUsualName(person("/quit"), "ana"), null);
});

Deno.test("askUsualName() offers nothing where there is no name, or none that can be used", async () => {
  for (const usual of [undefined, "", "two words", "\x1b[2J"]) {
    const view = person("ana");
    assertEquals(await askUsualName(view, usual), "ana");
    assertEquals(view.told, ["Enter your name: "]);
  }
});

/** What is told of an input with these lines behind the name. @param isInVain Whether there is nothing to come for besides. */
async function toldOf(lines: readonly string[], isInVain: boolean) {
  const told: string[] = [];
  const view = {
    async *lines() {
      yield* lines;
    },
    note: (text: string) => void told.push(`note: ${text}`),
    greet: (text: string) => void told.push(`greet: ${text}`),
  };
  const after = linesAfterName(view, "ana", () => Promise.resolve(isInVain));
  return { said: await Array.fromAsync(after), told };
}

Deno.test("linesAfterName() tells a person once what became of the first line, and everybody where there is no other", async () => {
  assertEquals(await toldOf(["one", "two"], true), {
    said: ["one", "two"],
    told: [
      'greet: Your name is the input\'s first line, "ana". With --name NAME that line is a message, too',
    ],
  });
  assertEquals(await toldOf([], true), {
    said: [],
    told: [
      'note: Nothing was said: the input has one line, "ana", and that is your name. With --name NAME that line is a message, too',
    ],
  });
  assertEquals(await toldOf([], false), { said: [], told: [] });
});
