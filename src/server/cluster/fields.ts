/**
 * The fields of what another server wrote, taken one by one and checked.
 *
 * @module
 */

import { type Check, matches, MAX_TIME } from "../../protocol/events.ts";
import { isSent, type SentKind } from "../../protocol/line.ts";
import { type Name, parseName } from "../../protocol/names.ts";
import { MAX_ENTRY_LENGTH } from "../../protocol/reasons.ts";
import { EntryError } from "./envelope.ts";

/** A person's full id, a key, a secret: 32 bytes in base64url. */
export const isKey: Check<string> = matches(/^[\w-]{43}$/);
/** A stay, 8 bytes in base64url. */
export const isStay: Check<string> = matches(/^[\w-]{11}$/);
/** Bytes of any number in base64url. */
export const isBytes: Check<string> = matches(/^[\w-]*$/);
/** Whether it is so. */
export const isBoolean: Check<boolean> = (value): value is boolean =>
  typeof value === "boolean";
/** A time, ms since 1970. */
export const isTime: Check<number> = (value): value is number =>
  Number.isSafeInteger(value) && Math.abs(value as number) <= MAX_TIME;
/** What somebody wrote, at most as long as a line of the log. */
export const isText: Check<string> = (value): value is string =>
  typeof value === "string" && value.length <= MAX_ENTRY_LENGTH;
/** A list. */
export const isList: Check<readonly unknown[]> = (
  value,
): value is readonly unknown[] => Array.isArray(value);
/** A kind of line that clients send. */
export const isSentKind: Check<SentKind> = (value): value is SentKind =>
  isText(value) && isSent(value as SentKind);

/** The same, or null. */
export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

/** What no server of this version writes. @param what Names it. */
export function malformed(what: string): EntryError {
  return new EntryError("malformed", `${what} is wrong`);
}

/** The fields of a list, in order. */
export class Fields {
  readonly #values: readonly unknown[];
  readonly #what: string;
  #at = 0;

  /** The fields of a list. @param what Names the list in errors. @throws {EntryError} for what is no list. */
  constructor(value: unknown, what: string) {
    if (!isList(value)) throw malformed(what);
    this.#values = value;
    this.#what = what;
  }

  /** Whether there is another one. */
  get hasMore(): boolean {
    return this.#at < this.#values.length;
  }

  /** The next one. @throws {EntryError} if it isn't what it has to be. */
  take<T>(check: Check<T>): T {
    const value = this.#values[this.#at++];
    if (!check(value)) throw malformed(`${this.#what}, field ${this.#at},`);
    return value;
  }

  /** The next one, a name. @throws {EntryError} */
  takeName(): Name {
    const name = parseName(this.take(isText));
    if (typeof name === "string") throw malformed(`${this.#what}: its name`);
    return name;
  }

  /** The next one, a list in which each is made of fields. @throws {EntryError} */
  takeEach<T>(read: (fields: Fields) => T): T[] {
    return this.take(isList).map((it) => readAll(it, this.#what, read));
  }

  /** The next one, a list of fields; undefined for null. @throws {EntryError} */
  takeOptional<T>(read: (fields: Fields) => T): T | undefined {
    const value = this.take(orNull(isList));
    return value === null ? undefined : readAll(value, this.#what, read);
  }
}

/** What is made of all fields of a list. @throws {EntryError} if there are others, too. */
export function readAll<T>(
  value: unknown,
  what: string,
  read: (fields: Fields) => T,
): T {
  const fields = new Fields(value, what);
  const made = read(fields);
  if (fields.hasMore) throw malformed(`${what}: the number of its fields`);
  return made;
}
