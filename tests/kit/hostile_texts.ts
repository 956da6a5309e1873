/**
 * Texts that would deceive a reader or command a terminal, and what no terminal may be shown.
 *
 * @module
 */

/** CSI, OSC 8 and 52, C1, line breaks, bidi, zero width, tags, fillers, DEL, lone surrogates. */
export const ATTACKS: readonly string[] = [
  "\x1b[2J\x1b[31mred",
  "\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;aGk=\x07",
  "\x9b31m \x9d52;c;aGk=\x9c \x90q\x9c \x85",
  "a\rb\nc\td\x0b\x0c\b\0\x7f",
  "\u2028 \u2029 \u202egnp.exe\u202c \u2066x\u2069 \u200e\u061c",
  "ze\u200bro \u200c\u200d\u2060\ufeff \u00ad \ufe0f \u{e0100}",
  "\u{e0041}\u{e0001} \u034f\u115f\u3164\u2800 \ud800 \udfff \u{10ffff} \ue000",
];
/** What may not reach a terminal. */
export const DANGEROUS: RegExp =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
