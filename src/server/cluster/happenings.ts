/**
 * What happens to the people of a room, as another server says it.
 *
 * @module
 */

import { type Check, isCount } from "../../protocol/events.ts";
import type { Happening, HappeningOf } from "../people/happening.ts";
import {
  isBoolean,
  isBytes,
  isKey,
  isText,
  isTime,
  malformed,
  orNull,
} from "./fields.ts";

type Checks<K extends Happening["kind"]> = {
  readonly [F in Exclude<keyof HappeningOf<K>, "kind">]-?: Check<
    HappeningOf<K>[F]
  >;
};

/** A field that may be missing. */
function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

const FIELDS: { readonly [K in Happening["kind"]]: Checks<K> } = {
  person: {
    id: isKey,
    card: isText,
    from: isCount,
    invite: isCount,
    at: isTime,
  },
  name: { person: isKey, name: isText, since: isTime },
  released: { name: isText },
  there: { person: isKey, at: isTime },
  invite: {
    id: isCount,
    key: isKey,
    uses: isCount,
    until: orNull(isTime),
    note: isText,
    by: isText,
    code: isText,
    at: isTime,
  },
  used: { invite: isCount, person: isKey },
  guessed: { invite: isCount, guess: isBytes },
  revoked: { invite: isCount },
  banned: { person: isKey, until: orNull(isTime), by: isText, at: isTime },
  unbanned: { person: isKey },
  operator: { person: isKey, is: isBoolean },
  room: { topic: optional(isText), slow: optional(isCount) },
};

/** What a server says has happened. @throws {EntryError} for what no server writes. */
export function readHappening(value: unknown): Happening {
  const { kind, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) {
    throw malformed("what happened to people: its kind");
  }
  const checks: Readonly<Record<string, Check<unknown>>> =
    FIELDS[kind as Happening["kind"]];
  const isRight = Object.keys(rest).every((it) => Object.hasOwn(checks, it)) &&
    Object.entries(checks).every(([name, check]) => check(rest[name]));
  if (!isRight) throw malformed(`what happened to people, "${kind}",`);
  return { kind, ...rest } as unknown as Happening;
}
