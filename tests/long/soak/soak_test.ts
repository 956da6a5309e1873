/**
 * The soak's short form: a few members that come, go, talk, stop reading and break off, for some seconds.
 * `deno task soak` goes on for half an hour.
 *
 * @module
 */

import { assert, assertEquals } from "../../kit/assert.ts";
import { Follower, Ledger } from "./ledger.ts";
import { soak } from "./soak.ts";
import type { RoomNews } from "../../../src/client/view.ts";
import { Folder } from "../../kit/folder.ts";

Deno.test({
  name:
    "a server holds on to nothing and loses nothing while members come and go",
  ignore: Deno.build.os !== "linux", // it is looked at through /proc
  async fn() {
    await using folder = await Folder.make();
    const { faults, deeds, lines, deliveries } = await soak({
      members: 12,
      duration: 8_000,
      settling: 2_000,
      window: 2_000,
      period: 250,
      behaviour: { pace: 250, stall: 1_000 },
      folder,
    });
    assertEquals(faults, []);
    assert(deeds.said > 50 && deeds.cut > 0 && deeds.left > 12);
    assert(lines > 50 && deliveries > lines);
  },
});

function line(seq: number, text = `text ${seq}`): RoomNews {
  return {
    type: "said",
    seq,
    at: 0,
    name: "ana",
    person: "0123456789abcdef",
    text,
    to: null,
    own: false,
    past: false,
  };
}

function logOf(...texts: string[]): string {
  const start =
    "2026-11-23T17:06:07.004Z 0123456789abcdef.AAAAAAAAAAA.1 | ana: ";
  return texts.map((text) => `${start}${text}\n`).join("");
}

Deno.test("Ledger finds lines that are missing, doubled, or were shown otherwise", () => {
  const ledger = new Ledger();
  [line(1), line(2, "other"), line(4)].forEach((it) => ledger.show(it));
  ledger.show(line(1, "not the same"));
  ledger.settle("taken");
  ledger.compare(logOf("text 1", "text 2", "text 1"));
  assertEquals(ledger.faults.map((fault) => fault.slice(0, 22)), [
    'Line 1 is "said ana te',
    'Line 2 was shown as "s',
    "Line 4 was shown and i",
    '"text 1" is in the log',
    '"taken" was taken and ',
  ]);
});

Deno.test("Follower finds gaps and repetitions, and takes its own joinings where they belong", () => {
  const ledger = new Ledger();
  const follower = new Follower("ben", ledger);
  follower.entered(3);
  [line(1), line(2), line(4)].forEach((it) => follower.show(it));
  follower.entered(5);
  follower.show(line(6));
  assertEquals(ledger.faults, []);
  follower.show(line(8));
  follower.show(line(8));
  assertEquals(ledger.faults, ["ben shows 8 after 6", "ben shows 8 after 8"]);
});
