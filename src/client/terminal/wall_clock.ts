/**
 * Times and days as a person reads them, in one time zone.
 *
 * @module
 */

const MINUTES = { hour: "2-digit", minute: "2-digit" } as const;
const SECONDS = { ...MINUTES, second: "2-digit" } as const;
const DAYS = {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
} as const;

/** Tells the time in a zone. What it needs of the runtime takes long to load, and is loaded when it is first asked. */
export class WallClock {
  readonly #zone: string | undefined;
  #minutes: Intl.DateTimeFormat | undefined;
  #seconds: Intl.DateTimeFormat | undefined;
  #days: Intl.DateTimeFormat | undefined;

  /** A clock for a zone (IANA name). Default: the machine's. */
  constructor(zone?: string) {
    this.#zone = zone;
  }

  /** Hours and minutes of a time (ms since 1970), and seconds if wanted. */
  time(at: number, seconds = false): string {
    const format = seconds
      ? this.#seconds ??= this.#format(SECONDS)
      : this.#minutes ??= this.#format(MINUTES);
    return format.format(at);
  }

  /** The day as "Monday 23 November 2026", whatever commas the runtime's tables put in. */
  day(at: number): string {
    this.#days ??= this.#format(DAYS);
    return this.#days.formatToParts(at)
      .filter(({ type }) => type !== "literal")
      .map(({ value }) => value).join(" ");
  }

  #format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const zone = this.#zone === undefined ? {} : { timeZone: this.#zone };
    return new Intl.DateTimeFormat("en-GB", { ...options, ...zone });
  }
}
