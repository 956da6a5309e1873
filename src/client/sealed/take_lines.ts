/**
 * Lines of a sealed room, of now or from the past, taken in order: control lines are followed, and what stands between
 * two of them is opened all at once.
 *
 * @module
 */

import type { Event } from "../../protocol/events.ts";
import type { LogEntry } from "../../protocol/line.ts";
import type { Followed } from "../../sealed/control_record.ts";
import type { SealedRoom, Verdict } from "./sealed_room.ts";
import { StayNumbers } from "../../sealed/stay_numbers.ts";

/** Lines that are opened at a time. */
export const MAX_AT_ONCE = 256;

/** What became of a line. */
export interface Taken {
  /** The line as it came. */
  readonly raw: LogEntry;
  /** What is to be made of it. */
  readonly verdict: Verdict;
  /** What it came to, for a control line that is new. */
  readonly followed?: Followed;
  /** The wrap that came for it, and was of no use. */
  readonly wrong?: Event<"wrapped"> | undefined;
}

/** What becomes of lines. @param lines In the order of the log, as far as the server keeps it. */
export async function takeLines(
  room: SealedRoom,
  lines: readonly LogEntry[],
): Promise<Taken[]> {
  const taken: Taken[] = [];
  const pass = new StayNumbers();
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    if (line?.what === "ruled") {
      taken.push(await takeControl(room, line));
      at++;
      continue;
    }
    const end = lines.findIndex((it, i) => i >= at && it.what === "ruled");
    const some = lines.slice(
      at,
      Math.min(end === -1 ? lines.length : end, at + MAX_AT_ONCE),
    );
    const opened = await Promise.all(some.map((it) => room.open(it)));
    some.forEach((raw, i) =>
      taken.push({ raw, verdict: room.judge(raw, opened[i], pass) })
    );
    at += some.length;
  }
  return taken;
}

/** One that is known is told again; it must be the same. */
async function takeControl(room: SealedRoom, raw: LogEntry): Promise<Taken> {
  const { record } = room;
  if (raw.seq <= record.membership.seq) {
    const { at, person, text } = record.find(raw.seq) ?? {};
    const isSame = at === raw.at && person === raw.person && text === raw.text;
    const wrong = isSame ? undefined : "control-wrong";
    return { raw, verdict: room.judgeControl(raw, wrong) };
  }
  const next = await room.follow(raw);
  return typeof next === "string"
    ? { raw, verdict: room.judgeControl(raw, next) }
    : { raw, verdict: room.judgeControl(raw, undefined), ...next };
}
