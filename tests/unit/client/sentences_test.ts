/**
 * What a person is told of a room that is on several servers.
 *
 * @module
 */

import {
  backSentence,
  disconnectedSentence,
} from "../../../src/client/sentences.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("a loss is told with what is tried, and when", () => {
  const lost = { type: "disconnected", reason: "lost" } as const;
  const kept = "; what you type is kept.";
  for (
    const [attempt, shown] of [
      [{ seconds: 1.4 }, "Trying again in 2 s"],
      [{ seconds: 0 }, "Trying again"],
      [{ seconds: 0, next: "[::1]:5000" }, "Trying [::1]:5000"],
    ] as const
  ) {
    const sentence = disconnectedSentence({ ...lost, ...attempt });
    assertEquals(sentence, `Connection lost. ${shown}${kept}`);
  }
});

Deno.test("a return is told with the server, where that is another than before", () => {
  const news = {
    type: "entered",
    address: "[::1]:5000",
    name: "ana",
    others: 1,
    seq: 1,
    at: 0,
    person: "",
    earlier: 0,
    again: true,
    waiting: 2,
  } as const;
  assertEquals(backSentence(news, 0, 0), "Back. Missed nothing; sent 2.");
  assertEquals(
    backSentence({ ...news, moved: true }, 1, 0),
    "Back at [::1]:5000. Missed 1 message; sent 2.",
  );
});
