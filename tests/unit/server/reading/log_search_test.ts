/**
 * Finding lines of a log by what they say in the end.
 *
 * @module
 */

import type { HeardLine } from "../../../../src/protocol/changes.ts";
import type { NewEntry } from "../../../../src/protocol/line.ts";
import { LogSearch } from "../../../../src/server/reading/log_search.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { numbered, said } from "../../../kit/log_kit.ts";

/** The numbers of the lines that are found, and which of them were asked for again. */
async function found(
  words: string,
  lines: readonly HeardLine[],
): Promise<[number[], number[]]> {
  const search = new LogSearch(words);
  for (const it of lines) search.take(it);
  const asked: number[] = [];
  const all = await search.found((seq) => {
    asked.push(seq);
    return Promise.resolve(lines.find((it) => it.seq === seq));
  });
  return [all.map(({ line }) => line.seq), asked];
}

/** Another text of a line. */
function edited(at: number, to: number, text: string): NewEntry {
  return { ...said(at, text), what: "edited", to };
}

Deno.test("LogSearch finds lines in their order, by the last of their texts, and asks for those alone that came to have the words", async () => {
  const lines = numbered([
    said(1, "soup"),
    said(2, "tea"),
    said(3, "tea"),
    said(4, "cake"),
    edited(5, 3, "coffee"),
    edited(6, 1, "soup, and tea"),
    edited(7, 2, "green tea"),
    edited(8, 4, "tea"),
    edited(9, 4, "cake again"),
  ]);
  assertEquals(await found("tea", lines), [[1, 2], [1, 4]]);
  assertEquals(await found("cake", lines), [[4], []]);
});

Deno.test("LogSearch finds nothing in what a line that doesn't fit says, nor in what is sealed, and a control line by what it is told as", async () => {
  const [first, second, third, fourth, fifth] = numbered([
    said(1, "soup"),
    edited(2, 1, "tea"),
    said(3, "tea"),
    { ...said(4, "tea"), what: "sealed" },
    { ...said(5, "keys"), what: "ruled" },
  ]);
  if (!first || !second || !third || !fourth || !fifth) throw new Error();
  const wrong = "signature-wrong";
  const lines: HeardLine[] = [
    first,
    { ...second, wrong },
    { ...third, wrong },
    fourth,
    { ...fifth, told: "no more tea" },
  ];
  assertEquals(await found("tea", lines), [[5], []]);
  assertEquals(await found("soup", lines), [[1], []]);
  assertEquals(await found("keys", lines), [[], []]);
});
