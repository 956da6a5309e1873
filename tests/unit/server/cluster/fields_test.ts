/**
 * The fields of what another server wrote: what each may be, and that a list has neither fewer nor more.
 *
 * @module
 */

import { EntryError } from "../../../../src/server/cluster/envelope.ts";
import {
  type Fields,
  isBoolean,
  isBytes,
  isKey,
  isList,
  isSentKind,
  isStay,
  isText,
  isTime,
  orNull,
  readAll,
} from "../../../../src/server/cluster/fields.ts";
import { assertEquals, assertThrows } from "../../../kit/assert.ts";
import { madeUpId, madeUpStay } from "../../../kit/people.ts";

const key = madeUpId("ana");
const stay = madeUpStay("ana");
const LAST = 8.64e15; // of a Date

Deno.test("each field is what it has to be, in all of its length, and nothing else", () => {
  const cases = [
    [isKey, [key, "-_".repeat(22).slice(1)], [key.slice(1), `${key}A`, 1]],
    [isKey, [], [`.${key}`, `${key}\n`, key.replace(/./, "+"), [key]]],
    [isStay, [stay], [stay.slice(1), `${stay}A`, `.${stay}`, `${stay}=`, {}]],
    [isBytes, ["", "A", "-_x"], ["=", "A=", "=A", " ", 1, null, ["A"]]],
    [isBoolean, [true, false], [0, 1, "true", null, undefined]],
    [isTime, [0, -1, LAST, -LAST], [LAST + 1, -LAST - 1, 0.5, "1", null, NaN]],
    [isText, ["", "\ud800", "x".repeat(6_144)], ["x".repeat(6_145), 1, ["x"]]],
    [isList, [[], [1]], [{}, { length: 0 }, "", null]],
    [isSentKind, ["said", "acted"], ["joined", "", "toString", ["said"], 1]],
    [orNull(isBoolean), [null, true], [undefined, 0]],
  ] as const;
  for (const [check, right, wrong] of cases) {
    for (const it of right) assertEquals(check(it), true, String(it));
    for (const it of wrong) assertEquals(check(it), false, String(it));
  }
});

/** What is read isn't what a server writes. */
function assertMalformed(read: () => unknown, why: string): void {
  const error = assertThrows(read, EntryError, why);
  assertEquals(error.fault, "malformed");
}

Deno.test("a list is read field by field, to its end, and an error names the field", () => {
  const pair = (fields: Fields) => [
    fields.take(isText),
    fields.take(isBoolean),
  ];
  assertEquals(readAll(["a", true], "a pair", pair), ["a", true]);
  for (
    const [value, why] of [
      [["a"], "a pair, field 2, is wrong"],
      [[1, true], "a pair, field 1, is wrong"],
      [["a", true, null], "a pair: the number of its fields is wrong"],
      [{ 0: "a", 1: true, length: 2 }, "a pair is wrong"],
    ] as const
  ) assertMalformed(() => readAll(value, "a pair", pair), why);
});

Deno.test("fields are names, lists of lists, and lists that may be missing", () => {
  const one = (fields: Fields) => fields.take(isText);
  const each = (fields: Fields) => fields.takeEach(one);
  const optional = (fields: Fields) => fields.takeOptional(one);
  const named = (fields: Fields) => fields.takeName().shown;
  for (
    const [read, value, is] of [
      [each, [[["a"], ["b"]]], ["a", "b"]],
      [each, [[]], []],
      [optional, [["a"]], "a"],
      [optional, [null], undefined],
      [named, ["Åna"], "Åna"],
    ] as const
  ) assertEquals(readAll<unknown>(value, "it", read), is);
  for (
    const [read, value] of [
      [each, [["a"]]],
      [each, [[["a", "b"]]]],
      [each, [[[]]]],
      [each, [null]],
      [optional, [["a", "b"]]],
      [optional, [undefined]],
      [optional, ["a"]],
      [named, ["server"]],
      [named, [["ana"]]],
    ] as const
  ) assertMalformed(() => readAll<unknown>(value, "it", read), "it");
});
