/**
 * Tests of how the page draws a person's attention.
 *
 * @module
 */

import { signal } from "@preact/signals";
import type { RoomNews, Standing } from "../../../src/client/view.ts";
import { PageSettings } from "../../../src/web/settings.ts";
import { PageNotifier } from "../../../src/web/view/notify.ts";
import { assertEquals } from "../../kit/assert.ts";

/** A page that is hidden, in a room. */
function begin({ sealed = false, isHidden = true } = {}) {
  const settings = new PageSettings(null);
  const shown: string[] = [];
  const state = { title: "", isMarked: false, isHidden };
  const notifier = new PageNotifier(settings, {
    isHidden: () => state.isHidden,
    entitle: (title, isMarked) => Object.assign(state, { title, isMarked }),
    notify: (title, text) => shown.push(`${title}: ${text}`),
  });
  const standing: Standing = {
    name: "ana",
    connected: true,
    members: 2,
    waiting: 0,
    ...(sealed ? { sealed } : {}),
  };
  const room = {
    address: signal("http://192.0.2.7:8080"),
    standing: signal(standing),
    unread: signal(0),
  };
  notifier.follow(room);
  return { settings, shown, state, notifier, room };
}

function said(text: string, more: Partial<RoomNews> = {}): RoomNews {
  return {
    type: "said",
    seq: 7,
    at: 0,
    name: "bob",
    person: "c9mm4t1k8xq2zd7w",
    text,
    to: null,
    own: false,
    past: false,
    ...more,
  };
}

const LETTER = {
  type: "private",
  at: 0,
  name: "bob",
  person: "c9mm4t1k8xq2zd7w",
  to: { name: "ana", person: "k3df9q2mx7ta41cz" },
  text: "at six",
  own: false,
} as const;

Deno.test("PageNotifier shows the room, the name and what is unread in the title", () => {
  const { state, room, notifier } = begin();
  assertEquals(state.title, "192.0.2.7:8080 – ana");
  room.unread.value = 3;
  assertEquals(state.title, "(3) 192.0.2.7:8080 – ana");
  assertEquals(state.isMarked, true);
  room.unread.value = 0;
  room.standing.value = { ...room.standing.value, name: "a\u202ena" };
  assertEquals(state.title, "192.0.2.7:8080 – a\\u202ena");
  assertEquals(state.isMarked, false);
  notifier.follow(undefined);
  assertEquals(state.title, "Encrypted chat");
});

Deno.test("PageNotifier notifies of mentions and private messages, or of all, or of nothing, as is set", () => {
  const { settings, shown, notifier } = begin();
  const tellAll = () => {
    notifier.tell(said("hello"), false);
    notifier.tell(said("ana, hello"), true);
    notifier.tell(LETTER, false);
  };
  tellAll();
  assertEquals(shown.splice(0), ["bob: ana, hello", "bob: wrote to you alone"]);
  settings.set("notify", "all");
  tellAll();
  assertEquals(shown.splice(0), [
    "bob: hello",
    "bob: ana, hello",
    "bob: wrote to you alone",
  ]);
  settings.set("notify", "off");
  tellAll();
  assertEquals(shown, []);
});

Deno.test("PageNotifier notifies of nothing that is seen, past, one's own, or no message", () => {
  const { settings, shown, notifier, state } = begin();
  settings.set("notify", "all");
  notifier.tell(said("before", { past: true }), true);
  notifier.tell(said("mine", { own: true }), true);
  notifier.tell(said("", { type: "joined" }), false);
  notifier.tell({ ...LETTER, own: true }, false);
  notifier.tell({ type: "current" }, false);
  state.isHidden = false;
  notifier.tell(said("ana, look"), true);
  assertEquals(shown, []);
});

Deno.test("PageNotifier tells no words of sealed rooms and private messages unless that is chosen", () => {
  const { settings, shown, notifier } = begin({ sealed: true });
  const tellAll = () => {
    notifier.tell(said("ana, the key"), true);
    notifier.tell(
      said(`hut.jpg (1200 bytes, SHA-256 ${"a".repeat(64)})`, {
        type: "offered",
      }),
      true,
    );
    notifier.tell(LETTER, false);
  };
  tellAll();
  assertEquals(shown.splice(0), [
    "bob: wrote a message",
    "bob: offers a file",
    "bob: wrote to you alone",
  ]);
  settings.set("preview", "on");
  tellAll();
  assertEquals(shown.splice(0), [
    "bob: ana, the key",
    "bob: hut.jpg (1.2 kB)",
    "bob: at six",
  ]);
});

Deno.test("PageNotifier tells no words of open rooms where that is chosen", () => {
  const { settings, shown, notifier } = begin();
  settings.set("preview", "off");
  notifier.tell(said("ana, hello"), true);
  assertEquals(shown, ["bob: wrote a message"]);
});

Deno.test("PageNotifier escapes and cuts what others wrote", () => {
  const { shown, notifier } = begin();
  notifier.tell(said("a\nb\u202e", { name: "x".repeat(40) }), true);
  notifier.tell(said("y".repeat(200)), true);
  assertEquals(shown, [
    `${"x".repeat(32)}…: a b\\u202e`,
    `bob: ${"y".repeat(160)}…`,
  ]);
});
