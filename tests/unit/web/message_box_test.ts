/**
 * Tests of what becomes of what is typed in a page.
 *
 * @module
 */

import { RoomModel } from "../../../src/web/room_model.ts";
import type { Message } from "../../../src/web/rows.ts";
import {
  type BoxActions,
  MessageBox,
} from "../../../src/web/view/room/message_box.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

/** A box, and what it has asked for. */
function begin(draft = "") {
  const asked: unknown[][] = [];
  const note = (name: string) => (...given: unknown[]) => {
    asked.push([name, ...given]);
    return Promise.resolve();
  };
  const actions: BoxActions = {
    say: note("say"),
    reply: note("reply"),
    edit: note("edit"),
    write: note("write"),
    run: note("run"),
    sendFile: note("sendFile"),
    lastOwn: () => 7,
  };
  const place = { draft };
  const room = new RoomModel({ later: () => {} });
  room.show({
    ...{ type: "said", seq: 7, at: 0, name: "ana", person: "key of ana" },
    ...{ text: "at five", to: null, own: true, past: false },
  });
  const box = new MessageBox(room, actions, place);
  const message = room.message(7) as Message;
  return { box, place, asked, message };
}

Deno.test("a box says, answers, edits, writes to one alone and runs commands", () => {
  const { box, asked, message } = begin();
  const send = (text: string) => {
    box.type(text);
    assert(box.submit());
    assertEquals(box.text.value, "");
    assertEquals(box.purpose.value.kind, "say");
  };
  send("hello");
  box.reply(message);
  send("/yes");
  box.edit(message);
  send("at six");
  box.write({ name: "bob", person: "key of bob" });
  send("psst");
  send("/me waves");
  send("/who");
  send("//who");
  assertEquals(asked, [
    ["say", "hello", 1],
    ["reply", 7, "/yes", 2],
    ["edit", 7, "at six"],
    ["write", "key of bob", "psst", 3],
    ["run", "/me waves"],
    ["run", "/who"],
    ["run", "//who"],
  ]);
});

Deno.test("a box keeps its draft, also while an edit is in it", () => {
  const { box, place, asked } = begin("half a");
  assertEquals(box.text.value, "half a");
  box.type("half a thought");
  assertEquals(place.draft, "half a thought");
  assert(box.editLast());
  box.type("at nine");
  assertEquals(place.draft, "half a thought");
  assert(box.cancel());
  assertEquals(box.text.value, "half a thought");
  assert(!box.cancel());
  assert(box.editLast());
  assert(box.submit());
  assertEquals(asked, []); // the words are the same
  assertEquals(box.text.value, "half a thought");
});

Deno.test("a box sends nothing that is empty or too long, and says so in time", () => {
  const { box, asked } = begin();
  for (const text of ["", " \n ", "x".repeat(4_097)]) {
    box.type(text);
    assert(!box.isReady && !box.submit());
  }
  assertEquals(box.text.value.length, 4_097);
  assertEquals(box.size.value, 4_097);
  box.type("ü".repeat(2_048));
  assertEquals(box.size.value, 4_096);
  assert(box.isReady);
  box.type("x".repeat(1_000));
  assertEquals(box.size.value, 0);
  assertEquals(asked, []);
});

Deno.test("files go with a message to all, and never with a private one", () => {
  const { box, asked } = begin();
  const file = new File(["hut"], "hut.txt");
  box.attach([file, new File(["key"], "key.txt")]);
  box.detach(box.files.value[1] as File);
  box.write({ name: "bob", person: "key of bob" });
  assert(!box.isReady);
  box.type("psst");
  assert(box.submit());
  assertEquals(asked.map(([name]) => name), ["write"]);
  assert(box.isReady && box.submit());
  assertEquals(asked.at(-1), ["sendFile", file]);
  assertEquals(box.files.value, []);
});
