/**
 * How clients are told a sealed room's control lines: in pieces, each sealed once for all who are told just these.
 *
 * @module
 */

import { unpackEvents } from "../../../../src/protocol/events.ts";
import type { RuledEntry } from "../../../../src/server/sealed/control_file.ts";
import {
  ControlLines,
  type Sharing,
} from "../../../../src/server/sealed/control_lines.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { madeUpStay } from "../../../kit/people.ts";
import { unsealed } from "../../../kit/sealed_room.ts";

/** A control line, as far as it matters here. Every other line of the log is something else. */
function line(at: number): RuledEntry {
  const by = { person: "k3df9q2mx7ta41cz", stay: madeUpStay("ana") };
  const place = { seq: 2 * at, at, to: null, n: 0 };
  return { ...by, ...place, what: "ruled", name: "ana", text: `rename ${at}` };
}

/** Lines 1 to 300, and what of them was sealed. */
function setup() {
  const lines = new ControlLines();
  for (let at = 1; at <= 300; at++) lines.add(line(at));
  const sealed: number[][] = [];
  const share: Sharing = (plaintexts) => {
    const events = plaintexts.flatMap((it) => unpackEvents(it));
    sealed.push(events.map((it) => it.kind === "past" ? it.seq / 2 : NaN));
    return unsealed(plaintexts);
  };
  /** First and last line of each piece that a client is told, by the last line that it has seen. */
  const tell = (seen: number, upTo = Infinity) => {
    const pieces: [number, number][] = [];
    for (let after = 2 * seen; pieces.length < 9;) {
      const piece = lines.next(share, after, 2 * upTo);
      if (!piece) break;
      pieces.push([piece.start + 1, piece.last / 2]);
      assertEquals(piece.last / 2 - piece.start, piece.count);
      after = piece.last;
    }
    return pieces;
  };
  const all = () => sealed.splice(0).map((it) => [it[0], it.at(-1), it.length]);
  return { lines, tell, all };
}

Deno.test("ControlLines.next() seals each piece once for all who are told the same lines", () => {
  const { tell, all } = setup();
  const pieces = [[1, 128], [129, 256], [257, 300]];
  for (let at = 0; at < 3; at++) assertEquals(tell(0), pieces);
  assertEquals(all(), [[1, 128, 128], [129, 256, 128], [257, 300, 44]]);
});

Deno.test("ControlLines.next() seals anew for a client that is told more lines, or fewer", () => {
  const { lines, tell, all } = setup();
  tell(0);
  all();
  lines.add(line(301));
  assertEquals(tell(0).at(-1), [257, 301]);
  assertEquals(tell(0, 299).at(-1), [257, 299]);
  assertEquals(tell(100), [[101, 128], [129, 256], [257, 301]]);
  assertEquals(tell(301), []);
  assertEquals(all(), [
    [257, 301, 45],
    [257, 299, 43],
    [101, 128, 28],
    [257, 301, 45],
  ]);
  tell(0);
  assertEquals(all(), []); // nobody's part of a piece took its place
});

Deno.test("ControlLines.next() tells nobody lines that were dropped", () => {
  const { lines, tell, all } = setup();
  tell(0);
  all();
  lines.drop(2 * 300);
  lines.add({ ...line(300), text: "another" });
  tell(0);
  assertEquals(all(), [[257, 300, 44]]);
});

Deno.test("ControlLines.drop() drops the line of that number and those behind it, and clear() all", () => {
  const { lines, tell, all } = setup();
  tell(0);
  all();
  lines.drop(2 * 129);
  assertEquals([lines.all.length, lines.all.at(-1)?.seq], [128, 256]);
  assertEquals(tell(0), [[1, 128]]);
  assertEquals(all(), []); // that piece is as it was
  lines.add(line(129));
  assertEquals(tell(128), [[129, 129]]);
  lines.clear();
  assertEquals([lines.all.length, tell(0)], [0, []]);
  for (let at = 1; at <= 128; at++) lines.add({ ...line(at), text: "another" });
  all();
  tell(0);
  assertEquals(all(), [[1, 128, 128]]);
});

Deno.test("ControlLines.next() seals a piece again that could not be sealed", async () => {
  const { lines, tell, all } = setup();
  const broken: Sharing = () => Promise.reject(new Error("no memory"));
  const piece = lines.next(broken, 0, Infinity);
  await assertRejects(() => piece?.shared ?? Promise.resolve(), Error, "no");
  tell(0);
  assertEquals(all()[0], [1, 128, 128]);
  // What took its place meanwhile stays.
  const sealing = Promise.withResolvers<never>();
  lines.add(line(301));
  const last = lines.next(() => sealing.promise, 2 * 256, Infinity);
  lines.add(line(302));
  tell(0);
  assertEquals(all(), [[257, 302, 46]]);
  sealing.reject(new Error("no memory"));
  await assertRejects(() => last?.shared ?? Promise.resolve(), Error, "no");
  tell(0);
  assertEquals(all(), []);
});
