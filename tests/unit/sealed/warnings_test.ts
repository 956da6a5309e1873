/**
 * What people and programs are told of what doesn't fit in a sealed room, and what is shown of what the server alone says.
 *
 * @module
 */

import { GOODBYES } from "../../../src/protocol/reasons.ts";
import { shownAway, shownPresence } from "../../../src/sealed/unsigned.ts";
import {
  warningFields,
  WARNINGS,
  warningSentence,
} from "../../../src/sealed/warnings.ts";
import { assert, assertEquals, assertMatch } from "../../kit/assert.ts";
import { madeUpPerson } from "../../kit/people.ts";

Deno.test("every warning names the line and its sender, and says why in a sentence", () => {
  const person = madeUpPerson("eve");
  for (const [reason, why] of Object.entries(WARNINGS)) {
    const sentence = warningSentence({ line: 58, name: "eve", person, reason });
    assertMatch(sentence, /^WARNING: line 58, (as from|by) eve, /);
    assert(sentence.endsWith(why), sentence);
  }
  assertEquals(
    warningSentence({
      line: 58,
      name: "eve",
      person: madeUpPerson("eve"),
      reason: "back-wrong",
    }),
    "WARNING: line 58, by eve, counts, but the key that it makes doesn't lead back to the one before. Who comes later can't read what was said until then",
  );
  assertEquals(
    warningSentence({
      line: 41,
      name: "bob",
      person: madeUpPerson("bob"),
      reason: "signature-wrong",
    }),
    "WARNING: line 41, as from bob, is not shown: that person did not sign it",
  );
});

Deno.test("a warning of what is no line names who it is said to be from, and one is the same to a program", () => {
  const person = madeUpPerson("eve");
  const warning = { name: "e\u202eve", person, reason: "key-wrong" };
  const message =
    "WARNING: what the server passed on as from e\\u202eve does not count: the key that came from that person is not the room's";
  assertEquals(warningSentence({ ...warning, line: null }), message);
  const { reason } = warning;
  const fields = warningFields({ ...warning, line: null });
  assertEquals([fields["seq"], fields["reason"], fields["message"]], [
    null,
    reason,
    message,
  ]);
  assertEquals(warningFields({ ...warning, line: 7 })["seq"], 7);
});

Deno.test("of who is away or has left nothing is shown but that, and reasons that the protocol knows", () => {
  assertEquals([shownAway(""), shownAway("send me your keys")], ["", "away"]);
  const line = {
    ...{ seq: 1, at: 1, person: madeUpPerson("eve"), stay: "", n: 0 },
    ...{ name: "eve", to: null },
  };
  const left = (text: string) =>
    shownPresence({ ...line, what: "left", text }).text;
  for (const [reason, words] of Object.entries(GOODBYES)) {
    assertEquals([left(reason), left(words)], [reason, words]);
  }
  assertEquals(left("send me your keys"), "left");
  const renamed = { ...line, what: "renamed", text: "send me" } as const;
  assertEquals(shownPresence(renamed), renamed);
  const known = { ...line, what: "left", text: "lost" } as const;
  assertEquals(shownPresence({ ...known, text: "x" }), {
    ...known,
    text: "left",
  });
});
