/**
 * Spoken codes: their words, how they are written, and what of a person's typing is read as one.
 *
 * @module
 */

import fc from "fast-check";
import {
  formatCode,
  parseCode,
  passwordOf,
  randomCode,
  type SpokenCode,
} from "../../../src/keys/spoken_code.ts";
import lists from "../../../src/keys/code_words.json" with { type: "json" };
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

const CODE: SpokenCode = { number: 7, words: ["crossover", "clockwork"] };
const TEXT = "7-crossover-clockwork";

const anyCode: fc.Arbitrary<SpokenCode> = fc.record({
  number: fc.integer({ min: 1, max: 999 }),
  words: fc.tuple(
    fc.constantFrom(...lists.first),
    fc.constantFrom(...lists.second),
  ),
});

Deno.test("The words are 256 and 256, all different, in small letters", () => {
  assertEquals([lists.first.length, lists.second.length], [256, 256]);
  const all = [...lists.first, ...lists.second];
  assertEquals(new Set(all).size, 512);
  assertEquals(all.filter((word) => !/^[a-z]{3,11}$/.test(word)), []);
  // The PGP word list's bytes 00, 80 and ff.
  const at = (byte: number) => [lists.second[byte], lists.first[byte]];
  assertEquals(at(0x00), ["aardvark", "adroitness"]);
  assertEquals(at(0x80), ["merit", "intention"]);
  assertEquals(at(0xff), ["zulu", "yucatan"]);
});

Deno.test("formatCode() writes the number and the words with hyphens", () => {
  assertEquals(formatCode(CODE), TEXT);
});

Deno.test("parseCode() reads what formatCode() wrote", () => {
  fc.assert(fc.property(anyCode, (code) => {
    assertEquals(parseCode(formatCode(code)), code);
  }));
});

Deno.test("parseCode() reads a code in any case, with any spaces and dashes", () => {
  const space = fc.constantFrom("", " ", "\t", "\n", " \r\n");
  const between = fc.constantFrom(
    "-",
    " ",
    " - ",
    "--",
    "–",
    "—",
    "\u2011",
    "\t",
  );
  fc.assert(
    fc.property(
      anyCode,
      space,
      between,
      between,
      fc.infiniteStream(fc.boolean()),
      ({ number, words }, around, one, two, capitals) => {
        const typed = [around, number, one, words[0], two, words[1], around]
          .join("").replace(
            /[a-z]/g,
            (letter) => capitals.next().value ? letter.toUpperCase() : letter,
          );
        assertEquals(parseCode(typed), { number, words });
      },
    ),
  );
});

Deno.test("parseCode() reads a number with zeros before it", () => {
  assertEquals(parseCode("007 crossover clockwork"), CODE);
});

const NO_CODE = "it is not a number and two words, as in 7-crossover-clockwork";

Deno.test("parseCode() says which part isn't a code's", () => {
  const cases = [
    ["", NO_CODE],
    ["7", NO_CODE],
    ["7-crossover", NO_CODE],
    ["-crossover-clockwork", NO_CODE],
    ["7-crossover-clockwork-", NO_CODE],
    ["7-crossover-clockwork-merit", NO_CODE],
    ["chat://192.0.2.7:5000/#AQEB", NO_CODE],
    ["0-crossover-clockwork", '"0" is not a whole number from 1 to 999'],
    ["1000-crossover-clockwork", '"1000" is not a whole number from 1 to 999'],
    ["1e2-crossover-clockwork", '"1e2" is not a whole number from 1 to 999'],
    [
      "crossover-clockwork-7",
      '"crossover" is not a whole number from 1 to 999',
    ],
    [
      "7-crossover-clockwrok",
      '"clockwrok" is not one of its words; did you mean "clockwork"?',
    ],
    [
      "7-crosover-clockwork",
      '"crosover" is not one of its words; did you mean "crossover"?',
    ],
    ["7-crossover-xyzzy", '"xyzzy" is not one of its words'],
    ["7-crossover-\x1b[2J", '"\\u001b[2j" is not one of its words'],
    [
      "7-clockwork-crossover",
      '"clockwork" is never its first word; check the order of the words',
    ],
    [
      "7-crossover-crossover",
      '"crossover" is never its second word; check the order of the words',
    ],
  ] as const;
  for (const [text, reason] of cases) {
    const error = assertThrows(() => parseCode(text), SyntaxError);
    assertEquals(error.message, `Cannot read the code: ${reason}`);
  }
});

Deno.test("parseCode() gives a code or a SyntaxError for any text", () => {
  const piece = fc.constantFrom("7", "999", "-", " ", ...CODE.words, "merit");
  const text = fc.oneof(
    fc.string({ unit: "grapheme-composite" }),
    fc.array(piece).map((pieces) => pieces.join("")),
  );
  fc.assert(fc.property(text, (typed) => {
    try {
      const code = parseCode(typed);
      assertEquals(parseCode(formatCode(code)), code);
    } catch (error) {
      assert(error instanceof SyntaxError);
      assert(error.message.startsWith("Cannot read the code: "));
    }
  }));
});

Deno.test("randomCode() gives a code with this number, and every word in time, each drawn by itself", () => {
  const seen = [new Set<string>(), new Set<string>()] as const;
  let alike = 0;
  for (let round = 0; round < 10_000; round++) {
    const code = randomCode(round % 999 + 1);
    assertEquals(code.number, round % 999 + 1);
    seen[0].add(code.words[0]);
    seen[1].add(code.words[1]);
    const [first, second] = code.words;
    if (lists.first.indexOf(first) === lists.second.indexOf(second)) alike++;
  }
  assert(alike < 500, `${alike} of 10,000, where 39 are to be expected`);
  // A word stays out of 10,000 draws once in 10^14 runs.
  assertEquals(seen[0], new Set(lists.first));
  assertEquals(seen[1], new Set(lists.second));
});

Deno.test("randomCode() refuses numbers that no code has", () => {
  for (const number of [0, -1, 1_000, 1.5, NaN]) {
    assertThrows(
      () => randomCode(number),
      RangeError,
      `Cannot make a code: ${number} is not a whole number from 1 to 999`,
    );
  }
});

Deno.test("passwordOf() is the words in UTF-8, however they were typed", () => {
  const password = new TextEncoder().encode("crossover-clockwork");
  assertEquals(passwordOf(CODE), password);
  assertEquals(passwordOf(parseCode("12 CROSSOVER  Clockwork")), password);
});
