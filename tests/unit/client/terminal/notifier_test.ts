/**
 * Tests of what draws a person's attention, as a terminal gets it.
 *
 * @module
 */

import type { Features } from "../../../../src/client/terminal/features.ts";
import { Notifier } from "../../../../src/client/terminal/notifier.ts";
import { Settings } from "../../../../src/client/terminal/settings.ts";
import type { News } from "../../../../src/client/view.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { Screen } from "../../../kit/screen.ts";
import { ATTACKS, event, NOON } from "../../../kit/terminal_setup.ts";

const SOME: Features = { sequences: true, links: false };
const NOTHING: Features = { sequences: false, links: false };

/** A notifier of a client that is in a room, on a screen. */
function begin(features: Features, set: Record<string, string> = {}) {
  const settings = new Settings();
  for (const [key, value] of Object.entries(set)) settings.set(key, value);
  const screen = new Screen(80);
  const write = (sequence: string) => screen.write(sequence);
  const notifier = new Notifier({ write, settings, features });
  notifier.begin();
  notifier.enter("192.0.2.7:5000", "ana");
  const told = () => screen.told.splice(0);
  return { notifier, settings, screen, told };
}

const HI = event("said", "Rahul", "hi");

Deno.test("Notifier shows the room, and how much is unread, in the window's title", () => {
  const { notifier, told, settings } = begin(SOME);
  const place = "192.0.2.7:5000 – ana";
  assertEquals(told(), [`2;${place}`]);
  notifier.tell(HI, false);
  notifier.tell(event("acted", "Rahul", "waves"), false);
  assertEquals(told(), [`2;(1) ${place}`, `2;(2) ${place}`]);
  // Who types has seen it.
  notifier.seen();
  assertEquals(told(), [`2;${place}`]);
  notifier.tell(HI, false);
  notifier.focus(true);
  assertEquals(told(), [`2;(1) ${place}`, `2;${place}`]);
  notifier.tell(HI, false);
  assertEquals(told(), []);
  notifier.focus(false);
  notifier.tell(HI, false);
  notifier.rename("anna");
  assertEquals(told(), [`2;(1) ${place}`, `2;(1) ${place.slice(0, -3)}anna`]);
  settings.set("title", "off");
  notifier.tell(HI, false);
  assertEquals(told(), ["2;"]);
});

Deno.test("Notifier doesn't count what is no news: of the past, of one's own, comings and goings", () => {
  const { notifier, screen, told } = begin(SOME, {
    bell: "all",
    notify: "all",
  });
  notifier.focus(false);
  told();
  const none: News[] = [
    event("said", "ana", "hi"),
    event("said", "Rahul", "hi", NOON, { past: true }),
    event("joined", "Rahul"),
    event("renamed", "Rahul", "Ravi"),
    { type: "current" },
  ];
  for (const news of none) notifier.tell(news, true);
  assertEquals([told(), screen.bells], [[], 0]);
});

Deno.test("Notifier notifies the desktop while the terminal isn't looked at, as it is set", () => {
  const frames = {
    osc9: "9;Rahul: hi",
    osc777: "777;notify;Rahul;hi",
  };
  for (const notifies of ["osc9", "osc777"] as const) {
    const cases: [string, boolean | undefined, boolean, boolean][] = [
      ["mentions", false, true, true],
      ["mentions", false, false, false],
      ["all", false, false, true],
      ["off", false, true, false],
      ["all", true, true, false],
      // It says so as soon as another window is chosen.
      ["all", undefined, true, false],
    ];
    for (const [notify, focus, isMention, expected] of cases) {
      const set = { notify, bell: "off", title: "off" };
      const { notifier, screen } = begin({ ...SOME, notifies }, set);
      if (focus !== undefined) notifier.focus(focus);
      notifier.tell(HI, isMention);
      assertEquals(screen.told, expected ? [frames[notifies]] : []);
      assertEquals(screen.bells, 0);
    }
  }
});

Deno.test("Notifier rings the bell where the terminal isn't known to notify, once, unless it is off", () => {
  const cases: [string, string, boolean, number][] = [
    ["mentions", "all", false, 1],
    ["mentions", "all", true, 1],
    ["mentions", "mentions", false, 0],
    ["all", "mentions", false, 1],
    ["off", "all", true, 0],
    ["mentions", "off", true, 1],
  ];
  for (const features of [SOME, NOTHING]) {
    for (const [bell, notify, isMention, bells] of cases) {
      const { notifier, screen } = begin(features, { bell, notify });
      notifier.focus(false);
      notifier.tell(HI, isMention);
      assertEquals(screen.bells, bells, `${bell} ${notify}`);
    }
  }
});

Deno.test("Notifier writes nothing but the bell to a terminal that isn't known", () => {
  const { notifier, screen } = begin(NOTHING, { bell: "all" });
  notifier.tell(HI, true);
  notifier.end();
  assertEquals(screen.written, "\x07");
});

Deno.test("Notifier takes over title and focus reports, and gives them back", () => {
  const { notifier, screen } = begin(SOME);
  assert(screen.written.startsWith("\x1b[?1004h\x1b[22;2t\x1b]2;"));
  screen.written = "";
  notifier.end();
  assertEquals(screen.written, "\x1b[?1004l\x1b]2;\x1b\\\x1b[23;2t");
});

Deno.test("Notifier lets nothing that others wrote out of a title or a notification", () => {
  for (const attack of [...ATTACKS, "a;b;c", "9;4;1;50", "x".repeat(5_000)]) {
    for (const notifies of ["osc9", "osc777"] as const) {
      const set = { notify: "all", bell: "off" };
      const { notifier, screen, told } = begin({ ...SOME, notifies }, set);
      notifier.focus(false);
      told();
      // The screen fails at whatever isn't whole.
      notifier.enter(attack, attack);
      notifier.tell(event("said", attack, attack), true);
      const [, notification = ""] = told();
      const whole = notifies === "osc9"
        ? /^9;[^;]*: /
        : /^777;notify;[^;]*;[^;]*$/;
      assert(whole.test(notification), notification);
      assert(notification.length < 400);
      assertEquals(screen.rows, [""]);
    }
  }
});

Deno.test("Notifier tells of a private message as of a mention, and not of one's own", () => {
  const osc9: Features = { ...SOME, notifies: "osc9" };
  const { notifier, screen, told } = begin(osc9);
  notifier.focus(false);
  told();
  const news: News = {
    type: "private",
    at: NOON,
    name: "Rahul",
    person: "key",
    to: { name: "ana", person: "own" },
    text: "at six",
    own: false,
  };
  notifier.tell(news, true);
  assertEquals(told(), [
    "9;Rahul: at six",
    "2;(1) 192.0.2.7:5000 – ana",
  ]);
  assertEquals(screen.bells, 1);
  notifier.tell({ ...news, own: true }, false);
  assertEquals([told(), screen.bells], [[], 1]);
});
