/**
 * Lines as people and programs are told of them.
 *
 * @module
 */

import type { Changed } from "../../../src/protocol/changes.ts";
import {
  DELETED,
  jsonObject,
  lineFields,
  lineSentence,
  reactionWords,
  type ToldLine,
} from "../../../src/protocol/told_line.ts";
import { assertEquals } from "../../kit/assert.ts";

const LINE: ToldLine = {
  type: "said",
  seq: 42,
  at: 0,
  name: "ann",
  person: "k3df9q2mx7ta41cz",
  text: "hi",
  to: null,
  own: false,
  past: true,
};

const UNCHANGED: Changed = { edited: false, deleted: false, reactions: [] };
const REACTIONS = [
  { name: "bob", person: "b", text: "👍" },
  { name: "cy\u202e", person: "c", text: "🎉" },
  { name: "dan", person: "d", text: "👍" },
];
const QUOTED = { name: "bob", person: "b", text: "the hut" };

/** What is said of a line that is otherwise than `LINE`. */
const told = (more: Partial<ToldLine>) => lineSentence({ ...LINE, ...more });

Deno.test("lineSentence() tells a line with what was changed about it", () => {
  const changed = (more: Partial<Changed>) => ({
    changed: { ...UNCHANGED, ...more },
  });
  assertEquals(told({}), "ann: hi");
  assertEquals(told({ name: "a\u202e", text: "\x07" }), "a\\u202e: \\u0007");
  assertEquals(told(changed({})), "ann: hi");
  assertEquals(told(changed({ edited: true })), "ann: hi (edited)");
  assertEquals(
    told(changed({ edited: true, reactions: REACTIONS })),
    "ann: hi (edited) [👍 bob, dan  🎉 cy\\u202e]",
  );
  const gone = changed({ deleted: true, edited: true });
  assertEquals(told({ ...gone, name: "a\u202e" }), `a\\u202e: ${DELETED}`);
});

Deno.test("lineSentence() quotes what somebody reacts to, where its text is known", () => {
  const reacted = { type: "reacted", text: "👍", to: 7 } as const;
  assertEquals(told(reacted), "ann reacts to 7: 👍");
  const quoted = { ...reacted, quoted: QUOTED };
  assertEquals(told(quoted), 'ann reacts to 7: 👍 ("the hut")');
  const deleted = { ...reacted, quoted: { ...QUOTED, text: "" } };
  assertEquals(told(deleted), "ann reacts to 7: 👍");
  const replied = { type: "replied", to: 7, quoted: QUOTED } as const;
  assertEquals(told(replied), "ann to 7: hi");
});

Deno.test("lineSentence() tells of sealed and of control lines what can be told", () => {
  const sealed = { type: "sealed", name: "a\u202e" } as const;
  assertEquals(told(sealed), "a\\u202e: (sealed: it cannot be read here)");
  const ruled = (text: string, said?: string) =>
    told({
      type: "ruled",
      text,
      ...(said === undefined ? {} : { told: said }),
    });
  assertEquals(ruled("found {} x", "ann did it"), "ann did it");
  assertEquals(
    ["found", "invite", "join", "rename", "keys", "close", "constructor"]
      .map((verb) => ruled(`${verb} {} x`)),
    [
      "ann founded the room",
      "ann made an invite",
      "ann became a member",
      "ann took another name",
      "ann changed the key of the room",
      "ann closed an invite",
      "ann ruled the room",
    ],
  );
  assertEquals(
    told({ type: "ruled", text: "", name: "a\u202e" }),
    "a\\u202e ruled the room",
  );
});

Deno.test("reactionWords() is empty where nobody reacts", () => {
  assertEquals(reactionWords(UNCHANGED), "");
});

Deno.test("lineFields() has what a program is told of a line, and nothing that isn't so", () => {
  const fields = (more: Partial<ToldLine>) => lineFields({ ...LINE, ...more });
  const common = {
    ...{ seq: 42, at: "1970-01-01T00:00:00.000Z" },
    ...{ name: "ann", key: LINE.person, own: false, past: true },
  };
  assertEquals(fields({}), { ...common, text: "hi" });
  assertEquals(fields({ changed: UNCHANGED }), { ...common, text: "hi" });
  assertEquals(fields({ unchecked: true }), {
    ...{ ...common, text: "hi" },
    unchecked: true,
  });
  assertEquals(
    fields({ changed: { edited: true, deleted: true, reactions: REACTIONS } }),
    {
      ...{ ...common, text: "hi", edited: true, deleted: true },
      reactions: REACTIONS.map(({ name, person: key, text }) => ({
        ...{ name, key, text },
      })),
    },
  );
  assertEquals(fields({ type: "ruled", text: "keys {}", told: "so" }), {
    ...{ ...common, verb: "keys", text: "so" },
  });
  const replied = { type: "replied", to: 7 } as const;
  const reply = { ...common, text: "hi", to: 7 };
  assertEquals(fields(replied), { ...reply, quoted: null });
  assertEquals(fields({ ...replied, quoted: QUOTED }), {
    ...reply,
    quoted: { name: "bob", text: "the hut" },
  });
});

Deno.test("jsonObject() is one harmless line that parses to what was given", () => {
  const text = 'a\n"\\u\u202e\u{e0001}\u{1f600}é';
  const json = jsonObject("said", { text, none: undefined });
  assertEquals(
    json,
    String
      .raw`{"v":1,"type":"said","text":"a\n\"\\u\u202e\udb40\udc01😀é"}`,
  );
  assertEquals(JSON.parse(json), { v: 1, type: "said", text });
});
