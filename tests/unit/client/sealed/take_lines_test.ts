/**
 * In which order lines of a sealed room are taken, and what becomes of control lines that are known.
 *
 * @module
 */

import type { SealedRoom } from "../../../../src/client/sealed/sealed_room.ts";
import { takeLines } from "../../../../src/client/sealed/take_lines.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import type { Followed } from "../../../../src/sealed/control_record.ts";
import { StayNumbers } from "../../../../src/sealed/stay_numbers.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { lineOf } from "../../../kit/log_kit.ts";
import { madeUpPerson } from "../../../kit/people.ts";

const line = (seq: number, what: "sealed" | "ruled" = "sealed"): LogEntry =>
  lineOf(seq, { what });

const FOLLOWED = { control: { verb: "rename" } } as unknown as Followed;
const WRONG = { kind: "wrapped", by: "", to: "", e: 1, data: "" } as const;

/** Lines that are looked through some times at the most: who does so for ever must fail. */
class Looked extends Array<LogEntry> {
  #looks = 0;

  override findIndex(
    ...looking: Parameters<Array<LogEntry>["findIndex"]>
  ): number {
    if (++this.#looks > 20) throw new Error("it goes on and on");
    return super.findIndex(...looking);
  }
}

/** A room that has followed control lines up to a number, and what it was asked. */
function roomUpTo(seq: number) {
  const steps: string[] = [];
  const passes = new Set<StayNumbers>();
  const room = {
    record: {
      membership: { seq },
      find: (at: number) => at === 2 ? line(2, "ruled") : undefined,
    },
    open: (it: LogEntry) => {
      steps.push(`open ${it.seq}`);
      return Promise.resolve(it.seq);
    },
    judge: (it: LogEntry, opened: unknown, pass: StayNumbers) => {
      assertEquals(opened, it.seq);
      passes.add(pass);
      steps.push(`judge ${it.seq}`);
      return { line: it };
    },
    follow: (it: LogEntry) => {
      steps.push(`follow ${it.seq}`);
      return Promise.resolve(
        it.seq === 9 ? "control-late" : { followed: FOLLOWED, wrong: WRONG },
      );
    },
    judgeControl: (it: LogEntry, wrong: unknown) => {
      steps.push(`told ${it.seq}${wrong === undefined ? "" : `: ${wrong}`}`);
      return { line: it };
    },
  };
  return { room: room as unknown as SealedRoom, steps, passes };
}

Deno.test("takeLines() follows control lines one by one, and opens what is between two of them before it judges any of that", async () => {
  const { room, steps, passes } = roomUpTo(0);
  const lines = [
    ...[line(4), line(5), line(6, "ruled"), line(7), line(9, "ruled")],
    line(10),
  ];
  const taken = await takeLines(room, Looked.from(lines));
  assertEquals(steps, [
    ...["open 4", "open 5", "judge 4", "judge 5", "follow 6", "told 6"],
    ...["open 7", "judge 7", "follow 9", "told 9: control-late"],
    ...["open 10", "judge 10"],
  ]);
  assertEquals(taken.map(({ raw }) => raw), lines);
  assertEquals(taken.map(({ followed }) => followed), [
    ...[undefined, undefined, FOLLOWED, undefined, undefined, undefined],
  ]);
  assertEquals(taken[2]?.wrong, WRONG);
  assertEquals(passes.size, 1);
  assert([...passes][0] instanceof StayNumbers);
});

Deno.test("takeLines() opens 256 lines at a time", async () => {
  const { room, steps } = roomUpTo(0);
  const lines = Array.from({ length: 257 }, (_, at) => line(at + 1));
  assertEquals((await takeLines(room, Looked.from(lines))).length, 257);
  assertEquals(steps.indexOf("judge 1"), 256);
  assertEquals(steps.indexOf("open 257"), 512);
  assertEquals(await takeLines(room, []), []);
});

Deno.test("takeLines() doesn't follow a control line that is known again, which must be the same", async () => {
  const known = line(2, "ruled");
  const cases: [line: LogEntry, told: string][] = [
    [known, "told 2"],
    [{ ...known, at: 3 }, "told 2: control-wrong"],
    [{ ...known, person: madeUpPerson("eve") }, "told 2: control-wrong"],
    [{ ...known, text: "another" }, "told 2: control-wrong"],
    [line(3, "ruled"), "told 3: control-wrong"], // where there was none
    [line(4, "ruled"), "follow 4"],
  ];
  for (const [it, told] of cases) {
    const { room, steps } = roomUpTo(3);
    await takeLines(room, Looked.from([it]));
    assertEquals(steps[0], told);
  }
});
