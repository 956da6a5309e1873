/**
 * Makes src/protocol/confusables.json anew from Unicode's table (Unicode Technical Standard 39, confusables.txt):
 *
 *     deno run --allow-read --allow-write=src/protocol/confusables.json tools/confusables.ts confusables.txt
 *
 * It keeps what can stand in a folded name: `{ PROTOTYPE: "all that look like it" }`.
 *
 * @module
 */

import { foldCase, isAllowed } from "../src/protocol/names.ts";

const ROW = /^([0-9A-F]+) ;\t([0-9A-F ]+) ;\tMA\t/;

function textOf(codePoints: string): string {
  const numbers = codePoints.split(" ").map((digits) => parseInt(digits, 16));
  return String.fromCodePoint(...numbers);
}

const [path = "confusables.txt"] = Deno.args;
const rows: Record<string, string> = {};
for (const line of (await Deno.readTextFile(path)).split("\n")) {
  const [, from, to] = ROW.exec(line) ?? [];
  if (from === undefined || to === undefined) continue;
  const source = textOf(from);
  const prototype = foldCase(textOf(to));
  if (foldCase(source) !== source || source === prototype) continue;
  if (![source, ...prototype].every(isAllowed)) continue;
  rows[prototype] = (rows[prototype] ?? "") + source;
}
const out = new URL("../src/protocol/confusables.json", import.meta.url);
await Deno.writeTextFile(out, `${JSON.stringify(rows, null, 2)}\n`);
