import { StayNumbers } from "../../../src/sealed/stay_numbers.ts";
import { assertEquals } from "../../kit/assert.ts";

const line = (seq: number, n: number, stay = "s") => ({
  person: "p",
  stay,
  seq,
  n,
});

Deno.test("StayNumbers takes a line where its numbers grow together, before and after the last one", () => {
  const stays = new StayNumbers();
  stays.note(line(50, 7));
  const cases: [number, number, boolean][] = [
    [50, 7, true], // told again
    [50, 8, false],
    [51, 8, true],
    [51, 7, false], // repeated
    [60, 6, false], // sunk
    [49, 6, true], // history
    [49, 7, false],
    [49, 8, false],
  ];
  for (const [seq, n, fits] of cases) {
    assertEquals(stays.fits(line(seq, n)), fits, `${seq} ${n}`);
  }
  assertEquals(stays.fits(line(60, 1, "another")), true);
  stays.note(line(40, 5)); // of the past, which changes nothing
  assertEquals(stays.fits(line(51, 6)), false);
});

Deno.test("StayNumbers remembers the newest 256 stays of a member, and gives what has changed once", () => {
  const stays = new StayNumbers();
  for (let at = 1; at <= 5_000; at++) stays.note(line(at, 1, `s${at}`));
  stays.note(line(5_001, 2, "s4999"));
  const { all } = stays;
  assertEquals([all.length, all[0]?.[0], all.at(-1)?.[0]], [
    256,
    "p.s4745",
    "p.s4999",
  ]);
  stays.takeChanged();
  stays.note(line(5_002, 3, "s4999"));
  assertEquals(stays.takeChanged(), [["p.s4999", { seq: 5_002, n: 3 }]]);
  assertEquals(stays.takeChanged(), []);
  for (const [seq, stay] of [[5_003, "a"], [5_004, "b"], [5_005, "a"]]) {
    stays.note(line(Number(seq), Number(seq), `${stay}`));
  }
  const keys = stays.takeChanged().map(([key]) => key);
  assertEquals(keys, ["p.b", "p.a"]); // the newest last
  assertEquals(new StayNumbers(all).fits(line(6_000, 2, "s4999")), false);
});

Deno.test("a member with many stays doesn't have those of others forgotten", () => {
  const known = new StayNumbers();
  known.note({ person: "ana", stay: "one", seq: 100, n: 7 });
  for (let at = 1; at <= 5_000; at++) {
    known.note({ person: "eve", stay: `${at}`, seq: 100 + at, n: 1 });
  }
  const again = { person: "ana", stay: "one", seq: 6_000, n: 7 };
  assertEquals(known.fits(again), false);
  assertEquals(new StayNumbers(known.all).fits(again), false);
  assertEquals(known.all.length <= 257, true);
});

Deno.test("StayNumbers takes nothing again that was said, where the log ends earlier than before", () => {
  const stays = new StayNumbers();
  stays.note(line(50, 7));
  stays.note(line(30, 7, "earlier"));
  stays.endBy(40);
  const cases: [number, number, boolean][] = [
    [39, 6, true],
    [40, 6, true],
    [41, 8, true], // goes on, under another number
    [41, 7, false], // said again
    [50, 6, false],
  ];
  for (const [seq, n, fits] of cases) {
    assertEquals(stays.fits(line(seq, n)), fits, `${seq} ${n}`);
  }
  assertEquals(stays.fits(line(35, 7, "earlier")), false);
  assertEquals(stays.fits(line(35, 8, "earlier")), true); // whose end is as it was
  stays.note(line(40, 6)); // told again, from before the end
  assertEquals(stays.fits(line(41, 7)), false);
});
