/**
 * Text made safe to show and to keep: the one definition of which characters deceive a reader or command a
 * terminal.
 *
 * @module
 */

// The general categories alone would let pass what shows as nothing at all (variation selectors, the
// Hangul fillers): those are the default ignorables. The blank Braille pattern is neither, and as empty.
const DANGEROUS = String
  .raw`[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`;

// An emoji takes a selector for its coloured form, and is joined to others to make one picture. Unassigned
// ones are escaped themselves, so they join nothing.
const SELECTED = String.raw`\p{Emoji}\ufe0f`;
const PICTURE = String.raw`[\p{Extended_Pictographic}--\p{Cn}]`;
const JOINED = String
  .raw`${PICTURE}\p{Emoji_Modifier}?\ufe0f?\u200d(?=${PICTURE})`;

const UNSAFE = String.raw`${DANGEROUS}(?<!${SELECTED})(?<!${JOINED})`;

const unsafeInText = new RegExp(UNSAFE, "gv");
const unsafeInLine = new RegExp(String.raw`\\|${UNSAFE}`, "gv");
const plainText = /^[ -~]*$/;
const plainLine = /^[ -[\]-~]*$/;

// More marks than any language puts on one letter reach into the lines above and below.
const tooManyMarks = /(\p{M}{8})(\p{M}+)/gu;

const escapes = new Map([
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);
const unescapes = new Map([...escapes].map(([char, text]) => [text, char]));

/**
 * One code point as an escape: `\n`, `\r`, `\t`, a doubled backslash, else four hexadecimal digits like
 * `\u001b`, or as many as it takes in braces like `\u{e0001}`.
 */
export function escapeCharacter(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return escapes.get(char) ??
    (code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`);
}

/**
 * Text for showing to people: what could deceive them or command a terminal becomes visible as escapes, and
 * so does what goes beyond 8 combining marks in a row. Emoji stay whole. Backslashes stay as they are,
 * so this can't be undone.
 */
export function escapeText(text: string): string {
  if (plainText.test(text)) return text;
  return text.replace(unsafeInText, escapeCharacter)
    .replace(tooManyMarks, escapeMarks);
}

function escapeMarks(_all: string, few: string, more: string): string {
  return few + [...more].map(escapeCharacter).join("");
}

/**
 * Text as a part of one line of a file, with the same characters escaped and the backslash doubled, so that
 * `unescapeLine` gives back exactly this text.
 */
export function escapeLine(text: string): string {
  if (plainLine.test(text)) return text;
  return text.replace(unsafeInLine, escapeCharacter)
    .replace(tooManyMarks, escapeMarks);
}

const anyEscape = /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|.?)/gsu;

/**
 * The text from which `escapeLine` made this.
 * @throws {SyntaxError} for a backslash with which no escape begins.
 */
export function unescapeLine(line: string): string {
  if (!line.includes("\\")) return line;
  return line.replace(anyEscape, (escape, long?: string, short?: string) => {
    const hex = long ?? short;
    const code = hex === undefined ? NaN : parseInt(hex, 16);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    const char = unescapes.get(escape);
    if (char !== undefined) return char;
    throw new SyntaxError(`Cannot read the escape "${escapeText(escape)}"`);
  });
}

/** A text of others as `escapeText` has it, but its lines stay lines. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}

/** How much of a text is repeated to say which it is, characters. */
const MAX_QUOTE = 40;

/** The start of the text in quotes, escaped, to say which text is meant. */
export function quote(text: string): string {
  const characters = [...text];
  const cut = characters.length > MAX_QUOTE ? "…" : "";
  return `"${escapeText(characters.slice(0, MAX_QUOTE).join(""))}${cut}"`;
}
