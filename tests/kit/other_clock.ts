/**
 * A module to preload: the day's time is off by what the file `clock` in the working folder says, `+1d` say, as
 * with libfaketime. Timers and `performance.now` go on as ever.
 *
 * @module
 */

const DAY = 86_400_000;

const Real = globalThis.Date;

function offset(): number {
  return parseInt(Deno.readTextFileSync("clock")) * DAY;
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
