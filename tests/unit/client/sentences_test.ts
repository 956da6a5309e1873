/**
 * What a person is told of a room that is on several servers, and of links.
 *
 * @module
 */

import {
  backSentence,
  disconnectedSentence,
  localLinkSentence,
} from "../../../src/client/sentences.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

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

Deno.test("localLinkSentence() is about links that lead to their own machine alone, and names the address", () => {
  for (
    const [link, address] of [
      ["chat://127.0.0.1:5000/#key", "127.0.0.1:5000"],
      ["chat://[::1]:5000/#key", "[::1]:5000"],
      ["chat://localhost:5000,127.0.0.2:1/#key", "localhost:5000,127.0.0.2:1"],
      ["http://localhost:8080/#key", "localhost:8080"],
      ["https://localhost/#key", "localhost"],
    ] as const
  ) {
    const sentence = localLinkSentence(link) ?? "";
    assert(sentence.includes(`in place of ${address}, write`), link);
  }
  for (
    const place of [
      "192.0.2.7:5000",
      "127.0.0.1:5000,192.0.2.7:5000",
      "localhost.example:5000",
      "[2001:db8::1]:5000",
    ]
  ) assertEquals(localLinkSentence(`chat://${place}/#key`), undefined, place);
});
