/**
 * Names people go by: which are allowed, and which are the same to the eye.
 *
 * @module
 */

import confusables from "./confusables.json" with { type: "json" };

/** A name that is allowed. */
export interface Name {
  /** In the form in which people see it: NFKC, 1 to 32 code points. */
  readonly shown: string;
  /** Equal for names that differ only in case or look alike. For comparing, never for showing. */
  readonly folded: string;
}

/** Why a name isn't allowed; keys of `REFUSALS`. */
export type NameRefusal = "name-invalid" | "name-mixed" | "name-reserved";

// Letters, digits, marks and three signs, but nothing that shows as nothing: the Hangul fillers are letters
// to Unicode, and the variation selectors are marks.
const PART = String
  .raw`[[\p{L}\p{Nd}\p{M}._\-]--\p{Default_Ignorable_Code_Point}]`;
const allowedPart = new RegExp(`^${PART}$`, "v");
const allowed = new RegExp(
  String.raw`^(?!\p{M})(?!.*\p{M}{3})${PART}{1,32}$`,
  "v",
);

/** Whether a code point can stand in a name. */
export function isAllowed(char: string): boolean {
  return allowedPart.test(char);
}

// The recommended and the limited-use scripts of Unicode Standard Annex 31, tables 5 and 7, the common first.
const SCRIPTS = [
  ..."Latn Cyrl Grek Deva Arab Hani Hang Hira Kana Hebr Thai Beng Taml".split(
    " ",
  ),
  ..."Telu Gujr Guru Knda Mlym Orya Sinh Geor Armn Ethi Khmr Laoo".split(" "),
  ..."Mymr Tibt Thaa Bopo".split(" "),
  ..."Adlm Bali Bamu Batk Cakm Cans Cham Cher Hmnp Java Kali Lana Lepc".split(
    " ",
  ),
  ..."Limb Lisu Mand Mtei Newa Nkoo Olck Osge Plrd Rohg Saur Sund Sylo".split(
    " ",
  ),
  ..."Syrc Tale Talu Tavt Tfng Vaii Wcho Yiii".split(" "),
];

// What Unicode Technical Standard 39, section 5.2, calls "highly restrictive": one script, or Latin with
// those that Japanese, Chinese or Korean is written in. Scripts not in the list count as one of their own.
const COMBINATIONS = [
  "Latn Hani Hira Kana",
  "Latn Hani Bopo",
  "Latn Hani Hang",
];

const scripts = (names: string) =>
  names.split(" ").map((name) => String.raw`\p{scx=${name}}`).join("");

let unmixed: RegExp[] | undefined;

function isUnmixed(name: string): boolean {
  if (/^[!-~]*$/.test(name)) return true;
  // Made for the first name that isn't ASCII: it takes 10 ms.
  unmixed ??= [
    ...[...SCRIPTS, ...COMBINATIONS].map((names) =>
      new RegExp(String.raw`^[${scripts(`${names} Zyyy Zinh`)}]*$`, "u")
    ),
    new RegExp(String.raw`^[^${scripts(SCRIPTS.join(" "))}]*$`, "u"),
  ];
  return unmixed.some((script) => script.test(name));
}

/**
 * What looks like what, in either case: a row's key stands for all that the row holds. Capitals decide where
 * a letter's two forms look like two different letters (the Greek Ν is N, though ν looks like v), because
 * capitals are drawn the same and small letters only alike.
 */
const LOOKALIKES = {
  // Latin letters and digits, then Cyrillic, Greek, Armenian, Coptic, Cherokee, Lisu.
  a: "ɑᴀ" + "А" + "Α" + "Ⲁ" + "Ꭺ" + "ꓮ",
  b: "ʙƅ" + "ВЬ" + "Β" + "Ⲃ" + "ᏏᏴ" + "ꓐ",
  c: "ᴄ" + "С" + "Ⲥ" + "Ꮯ" + "ꓚ",
  d: "ᴅ" + "Ԁ" + "Ꭰ" + "ꓓ",
  e: "ᴇ" + "ЕҽҼ" + "Ε" + "Ⲉ" + "Ꭼ" + "ꓰ",
  f: "ꜰ" + "ք" + "ꓝ",
  g: "ɡɢ" + "Ԍ" + "ց" + "Ꮐ" + "ꓖ",
  h: "ʜ" + "НҺ" + "Η" + "հ" + "Ⲏ" + "Ꮋ" + "ꓧ",
  j: "ȷᴊ" + "Ј" + "յ" + "Ꭻ" + "ꓙ",
  k: "ᴋĸ" + "К" + "Κ" + "Ⲕ" + "Ꮶ" + "ꓗ",
  l: "1iɩɪʟǀ" + "ІӀ" + "Ι" + "Լ" + "Ⲓ" + "ᎥᏞ" + "ꓡꓲ",
  m: "ᴍ" + "М" + "Μ" + "Ⲙ" + "Ꮇ" + "ꓟ",
  n: "ɴ" + "П" + "ΝΠ" + "ո" + "Ⲛ" + "ꓠ",
  o: "0ᴏ" + "О" + "Ο" + "Օ" + "Ⲟ" + "ꓳ",
  p: "ᴘ" + "Р" + "Ρ" + "Ⲣ" + "Ꮲ" + "ꓑ",
  q: "Ԛ" + "զ",
  r: "ʀ" + "Г" + "Γ" + "ᎡᏒ" + "ꓣ",
  s: "ꜱ" + "Ѕ" + "Տ" + "ᏕᏚ" + "ꓢ",
  t: "ᴛ" + "Т" + "Τ" + "Ⲧ" + "Ꭲ" + "ꓔ",
  u: "ᴜ" + "ս" + "ꓴ",
  v: "ᴠ" + "Ѵ" + "Ꮩ" + "ꓦ",
  w: "ᴡ" + "Ԝ" + "ᎳᏔ" + "ꓪ",
  x: "Х" + "Χ" + "Ⲭ" + "ꓫ",
  y: "ʏ" + "УҮ" + "Υ" + "Ⲩ" + "ꓬ",
  z: "ᴢ" + "Ζ" + "Ⲍ" + "Ꮓ" + "ꓜ",
  3: "ʒȝЗӠ",
  4: "Ч" + "Ꮞ",
  6: "б",
  "ф": "Φ",
  // Persian letters and digits, and the Arabic.
  "ي": "یى",
  "ك": "ک",
  "٠": "۰",
  "١": "۱",
  "٢": "۲",
  "٣": "۳",
  "٧": "۷",
  "٨": "۸",
  "٩": "۹",
  // Kana, and the kanji.
  "口": "ロ",
  "二": "ニ",
  "力": "カ",
  "卜": "ト",
  "夕": "タ",
  "工": "エ",
  "八": "ハ",
  "千": "チ",
  "一": "ー",
  "へ": "ヘ",
  "り": "リ",
};

/** Caseless. Decomposed as well, so that a letter under an accent is found in the table too. */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase().normalize("NFKD");
}

// Unicode's own table (Unicode Technical Standard 39, version 17.0.0), and above it ours, which knows capitals, and
// whose keys stand for themselves.
const lookalikes = new Map([
  ...rowsOf(confusables),
  ...rowsOf(LOOKALIKES),
  ...Object.keys(LOOKALIKES).map((key) => [key, key] as const),
]);

function rowsOf(table: Readonly<Record<string, string>>) {
  return Object.entries(table).flatMap(([key, row]) =>
    [...foldCase(row)].map((char) => [char, key] as const)
  );
}

function lookUp(text: string): string {
  return [...text].map((char) => lookalikes.get(char) ?? char).join("");
}

function fold(name: string): string {
  // Nobody sees a dot above a letter that has one. The small form of İ is an i with one more.
  const dotless = foldCase(name).replace(/(?<=\p{Soft_Dotted})\u0307/gu, "");
  // Twice, since what Unicode's table gives may stand in ours.
  return lookUp(lookUp(dotless)).replaceAll("rn", "m").replaceAll("vv", "w");
}

/** Who goes by these could be taken for more than a member. */
const RESERVED: ReadonlySet<string> = new Set(["server", "chat"].map(fold));

/**
 * The name that somebody typed, or why it can't be one. White space around it doesn't count.
 *
 * "name-invalid": not 1 to 32 code points, letters and digits of any script, `-`, `_`, `.` and marks, of
 * which none comes first and at most two stand together. "name-mixed": letters of several scripts, other than
 * those that Japanese, Chinese and Korean mix (Unicode Technical Standard 39, "highly restrictive").
 * "name-reserved": it looks like the server's own.
 */
export function parseName(text: string): Name | NameRefusal {
  const shown = text.normalize("NFKC").trim();
  if (!allowed.test(shown)) return "name-invalid";
  if (!isUnmixed(shown)) return "name-mixed";
  const folded = fold(shown);
  return RESERVED.has(folded) ? "name-reserved" : { shown, folded };
}

/** A name as it is compared; what is no name stays as it is. */
export function foldedName(shown: string): string {
  const name = parseName(shown);
  return typeof name === "string" ? shown : name.folded;
}
