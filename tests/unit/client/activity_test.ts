/**
 * Which comings and goings are worth a line.
 *
 * @module
 */

import { Activity } from "../../../src/client/activity.ts";
import type { RoomNews } from "../../../src/client/view.ts";
import { assertEquals } from "../../kit/assert.ts";
import { madeUpPerson } from "../../kit/people.ts";

const MINUTE = 60_000;

/** What somebody did at a time, ms. */
function does(
  type: RoomNews["type"],
  name: string,
  at = 0,
  text = "",
): RoomNews {
  const person = madeUpPerson(name);
  const rest = { seq: 1, to: null, own: false, past: false };
  return { type, at, name, person, text, ...rest };
}

/** Whether each of them is shown. */
const shown = (activity: Activity, ...news: readonly RoomNews[]) =>
  news.map((it) => activity.shows(it));

Deno.test("Activity shows comings and goings as the setting says, and all other lines", () => {
  const lines = (["said", "renamed", "deleted"] as const)
    .map((type) => does(type, "ann"));
  const moves = [does("joined", "ann"), does("left", "ann", 0, "lost")];
  const cases = [["on", true], ["off", false], ["active", false]] as const;
  for (const [setting, areMovesShown] of cases) {
    const activity = new Activity({ get: () => setting });
    assertEquals(shown(activity, ...lines), [true, true, true], setting);
    assertEquals(shown(activity, ...moves), [areMovesShown, areMovesShown]);
  }
});

Deno.test("Activity shows who comes and goes where they spoke in the last ten minutes, or among the last 50 lines", () => {
  const activity = new Activity({ get: () => "active" });
  const leaves = (minutes: number, ms = 0) =>
    activity.shows(does("left", "ann", minutes * MINUTE + ms, "left"));
  activity.note(does("renamed", "ann"));
  assertEquals(leaves(0), false); // nothing was said
  activity.note(does("said", "ann"));
  assertEquals(activity.shows(does("joined", "ben")), false);
  const speak = (name: string, lines: number) => {
    for (let line = 0; line < lines; line++) activity.note(does("said", name));
  };
  speak("ben", 49);
  activity.note(does("joined", "ben")); // which is no line that counts
  assertEquals(leaves(99), true);
  speak("ben", 1);
  assertEquals([leaves(10), leaves(10, 1)], [true, false]);
  activity.note(does("acted", "ann", 5 * MINUTE)); // again
  speak("ben", 50);
  assertEquals([leaves(15), leaves(15, 1)], [true, false]);
});

Deno.test("Activity shows all who come and go in a room of five, and last words in any room", () => {
  for (const [members, isShown] of [[5, true], [6, false]] as const) {
    const activity = new Activity({ get: () => "active" }, () => members);
    const [came, went, lastWords] = [
      does("joined", "ann", 0, "good night"),
      does("left", "ann", 0, "lost"),
      does("left", "ann", 0, "good night"),
    ];
    assertEquals(shown(activity, came, went, lastWords), [
      isShown,
      isShown,
      true,
    ]);
  }
});

Deno.test("Activity remembers the 1,000 who spoke last", () => {
  const activity = new Activity({ get: () => "active" });
  const speak = (name: string) => activity.note(does("said", name));
  for (const name of ["ann", "ben", "ann"]) speak(name);
  for (let more = 1; more < 1_000; more++) speak(`${more}`);
  const left = ["ann", "ben", "999"].map((name) =>
    does("left", name, 0, "lost")
  );
  assertEquals(shown(activity, ...left), [true, false, true]);
});
