/**
 * A module to preload: the day's time is off by what the file `clock` in the working folder says, `+1d` or `-1h` say,
 * as with libfaketime. Timers and `performance.now` go on as ever.
 *
 * @module
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const Real = globalThis.Date;

let last = 0;

/** What the file says, or has said before, while it is being written. */
function offset(): number {
  const text = Deno.readTextFileSync("clock");
  const count = parseInt(text);
  if (!Number.isNaN(count)) last = count * (text.includes("h") ? HOUR : DAY);
  return last;
}

class OtherDate extends Real {
  constructor(...args: [] | [number]) {
    super(args.length === 0 ? OtherDate.now() : args[0]);
  }

  static override now(): number {
    return Real.now() + offset();
  }
}

globalThis.Date = OtherDate as DateConstructor;
