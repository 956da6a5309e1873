/**
 * What a person is told of a room that is on several servers, and of links.
 *
 * @module
 */

import {
  awaySentence,
  backSentence,
  disconnectedSentence,
  fileSentence,
  inviteSentences,
  localLinkSentence,
  lostSentence,
  refusalSentence,
  takenSentence,
  welcomeSentence,
} from "../../../src/client/sentences.ts";
import { assert, assertEquals, assertMatch } from "../../kit/assert.ts";

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

Deno.test("no sentence has what a server or others say as it is: it would reach the terminal", () => {
  const raw = "\x1b[2J\u202e";
  const said = { name: raw, person: raw, own: false, text: raw } as const;
  const file = {
    ...{ ...said, type: "file", offer: 1, size: 9, got: 1 } as const,
    ...{ path: raw, reason: raw },
  };
  const entered = {
    ...{ ...said, type: "entered", address: raw, others: 1, seq: 1 } as const,
    ...{ at: 0, earlier: 0, again: true, waiting: 0, moved: true } as const,
  };
  const lost = { type: "disconnected", reason: raw, seconds: 0 } as const;
  const refused = { ...said, type: "refused", reason: raw } as const;
  const invited = { type: "invited", uses: 1, until: null, note: raw } as const;
  const sentences = [
    awaySentence({ ...said, type: "away-message" }),
    backSentence(entered, 0, 0),
    welcomeSentence(entered),
    lostSentence({ ...said, type: "lost" }),
    disconnectedSentence({ ...lost, next: raw }),
    refusalSentence({ ...refused, detail: raw }),
    refusalSentence({ ...refused, reason: "name-taken", detail: raw }),
    takenSentence({ ...said, type: "taken", offer: 1, file: raw }),
    ...inviteSentences({ ...invited, link: "chat://192.0.2.7:1/#" }),
    ...(["begun", "waiting", "taken", "failed"] as const).map((state) =>
      fileSentence({ ...file, state })
    ),
    fileSentence({ ...file, state: "taken", reason: "" }),
  ];
  for (const sentence of sentences) {
    assertMatch(sentence, /\\u001b\[2J\\u202e/);
    assertMatch(sentence, /^[ -~]+$/);
  }
});
