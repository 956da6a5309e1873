/**
 * Which names are allowed, and which are the same to the eye.
 *
 * @module
 */

import confusables from "../../../src/protocol/confusables.json" with {
  type: "json",
};
import {
  foldedName,
  isAllowed,
  type Name,
  parseName,
} from "../../../src/protocol/names.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

function nameOf(text: string): Name {
  const name = parseName(text);
  assert(typeof name !== "string", `"${text}" is ${name}`);
  return name;
}

const ALLOWED = [
  "Abhii",
  "a",
  "x".repeat(32),
  "𠮷".repeat(32), // code points, not UTF-16 units
  "jean-luc_2.0",
  "José",
  "हिन्दी",
  "தமிழ்",
  "ไทย",
  "العربية",
  "Ελένη",
  "Наташа",
  "עברית",
  "한국어",
  "田中タロウ",
  "ラーメン",
  "ㄅㄆ漢字",
  "𐌰𐌱",
  // The combinations that are usual.
  "Ken田中たろうタロウ",
  "Lee漢字한국어",
  "Wang漢字ㄅㄆ",
  "२१", // digits of one script
];

const INVALID = [
  "",
  "   ",
  "x".repeat(33),
  "two words",
  "a:b",
  "a\nb",
  "a\x1b[0m",
  "a\u202eb",
  "a\u200bb",
  "a\u200db",
  "a\ufe0f",
  "a\u034f",
  "\u3164",
  "\u115f\u1160",
  "\ud800",
  "\ue000",
  "\u2800",
  "👍",
  "\u0301a",
  "a\u0316\u0317\u0318", // three marks in a row
  "a/b",
  "a\\b",
  "@a",
  "½", // NFKC makes a fraction slash of it
];

const MIXED = [
  "p\u0430ypal", // Cyrillic а
  "\u0410bhii", // Cyrillic А
  "N\u03bfra", // Greek ο
  "Наташa", // Latin a
  "Ελένn",
  "abcहि",
  "عربabc",
  "a𐌰",
  "漢字Ж",
  "ひらがな한국",
  "abc१", // a Devanagari digit
];

/** Names that are one to the eye, or to a reader who doesn't mind the case. */
const SAME = [
  [
    "Abhii",
    "ABHII",
    "abhii",
    "Ａｂｈｉｉ",
    "AbhiI",
    "Abhıı",
    "Abh1l",
    "  Abhii\u3000",
  ],
  ["José", "JOSE\u0301", "jose\u0301"],
  ["HAT", "НАТ", "нат", "hat", "ᎻᎪᎢ", "ꓧꓮꓔ", "ⲎⲀⲦ"],
  ["BOB", "ВОВ", "вов", "b0b", "ΒΟΒ", "βοβ"],
  ["NIKE", "ΝΙΚΕ", "νικε", "nike"],
  ["Istanbul", "İstanbul", "ıstanbul"],
  ["Straße", "STRASSE"],
  ["Ο\u0394ΟΣ", "οδος", "οδοσ".toUpperCase()],
  ["ace", "асе", "АСЕ"],
  ["xy", "ху", "ХУ", "ΧΥ"],
  ["noël", "NOËL", "noe\u0308l"],
  ["fi", "ﬁ"],
  ["علی", "علي"],
  ["ロ", "口"],
  ["john", "j̇ohn", "JOHN"],
  ["bob", "ƅoƅ", "ьоь"],
  ["modern", "modem", "MODERN"],
  ["will", "vvill", "VVILL"],
];

const DIFFERENT = [
  ["Abhi", "Abhii"],
  ["ana", "anna"],
  ["Nina", "Vina"],
  ["jose", "josé"],
  ["Наташа", "Маташа"],
  ["a-b", "a_b"],
  ["bob1", "bob2"],
  ["Straße", "Strabe"],
] as const;

Deno.test("parseName() takes names of every script", () => {
  for (const text of ALLOWED) assertEquals(nameOf(text).shown, text);
});

Deno.test("parseName() shows the NFKC form without white space around it", () => {
  assertEquals(nameOf(" Ａｂｈｉｉ\n").shown, "Abhii");
  assertEquals(nameOf("Jose\u0301").shown, "José");
});

Deno.test("parseName() counts code points after normalizing", () => {
  assertEquals(nameOf("e\u0301".repeat(32)).shown, "é".repeat(32));
  assertEquals(parseName("ﬃ".repeat(11)), "name-invalid");
});

Deno.test("parseName() refuses what isn't a name", () => {
  for (const text of INVALID) {
    assertEquals(parseName(text), "name-invalid", text);
  }
});

Deno.test("parseName() refuses letters of several scripts", () => {
  for (const text of MIXED) assertEquals(parseName(text), "name-mixed", text);
});

Deno.test("parseName() folds names together that look alike", () => {
  for (const names of SAME) {
    const [first, ...others] = names.map((text) => nameOf(text).folded);
    for (const [at, folded] of others.entries()) {
      assertEquals(folded, first, `${names[at + 1]} and ${names[0]}`);
    }
  }
});

/**
 * What our table joins otherwise than Unicode's: letters whose capitals look like other letters, and digits that
 * Arabic and Persian write alike.
 */
const OURS = "٠۰εⲉз١۱ηφфβυν٧۷٨۸ᴍⲙмꮇγⲍ";

Deno.test("parseName() folds together what Unicode's table calls confusable", () => {
  let count = 0;
  for (const [prototype, row] of Object.entries(confusables)) {
    for (const source of row) {
      const [one, other] = [source, prototype].map(parseName);
      if (typeof one !== "object" || typeof other !== "object") continue; // a mark alone is no name
      const same = one.folded === other.folded;
      assertEquals(same, !OURS.includes(source), `${source} and ${prototype}`);
      count++;
    }
  }
  assert(count > 1_000, `${count} pairs`);
});

Deno.test("parseName() keeps names apart that differ to the eye", () => {
  for (const [one, other] of DIFFERENT) {
    assert(nameOf(one).folded !== nameOf(other).folded, `${one} and ${other}`);
  }
});

Deno.test("parseName() gives the same for the form that it shows", () => {
  for (const text of [...ALLOWED, ...SAME.flat()]) {
    assertEquals(parseName(nameOf(text).shown), nameOf(text));
  }
});

Deno.test("parseName() keeps for the server what looks like its own name", () => {
  for (
    const text of [
      "server",
      "Server",
      "SERVER",
      "ｓｅｒｖｅｒ",
      "sеrvеr",
      "chat",
    ]
  ) {
    const name = parseName(text);
    assert(["name-reserved", "name-mixed"].includes(name as string), text);
  }
  assertEquals(parseName("server"), "name-reserved");
  for (const text of ["servers", "my-server", "chatty"]) {
    assertEquals((parseName(text) as Name).shown, text);
  }
});

Deno.test("isAllowed() tells what may stand in a name", () => {
  for (const char of "aé-_.٧字\u0301") assert(isAllowed(char), char);
  const others = [" ", ":", "@", "\u3164", "\ufe0f", "👍", "", "ab"];
  for (const char of others) assert(!isAllowed(char), char);
});

Deno.test("foldedName() is what a name is compared by, and leaves what is no name as it is", () => {
  assertEquals(foldedName("Abh1l"), nameOf("abhii").folded);
  assertEquals(foldedName("Two Words"), "Two Words");
});
