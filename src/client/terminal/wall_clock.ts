/**
 * Times and days as a person reads them, in one time zone.
 *
 * @module
 */

/** Tells the time in a zone. */
export class WallClock {
  readonly #minutes: Intl.DateTimeFormat;
  readonly #seconds: Intl.DateTimeFormat;
  readonly #days: Intl.DateTimeFormat;

  /** A clock for a zone (IANA name). Default: the machine's. */
  constructor(zone?: string) {
    const minutes = { hour: "2-digit", minute: "2-digit" } as const;
    this.#minutes = format({ ...minutes, timeZone: zone });
    this.#seconds = format({ ...minutes, second: "2-digit", timeZone: zone });
    this.#days = format({
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
      timeZone: zone,
    });
  }

  /** Hours and minutes of a time (ms since 1970), and seconds if wanted. */
  time(at: number, seconds = false): string {
    return (seconds ? this.#seconds : this.#minutes).format(at);
  }

  /** The day as "Monday 23 November 2026", whatever commas the runtime's tables put in. */
  day(at: number): string {
    return this.#days.formatToParts(at)
      .filter(({ type }) => type !== "literal")
      .map(({ value }) => value).join(" ");
  }
}

function format(
  options: Intl.DateTimeFormatOptions & { timeZone: string | undefined },
): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-GB", options);
}
