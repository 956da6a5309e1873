/**
 * What a terminal sends for a key, by the key's name: `a` with Control is `ctrl-a`, an arrow with Alt `alt-left`.
 *
 * @module
 */

const LETTERS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  Z: "shift-tab",
};

/** After ESC O alone: the keypad's, and arrows with Control as rxvt has them. */
const OTHER_LETTERS: Readonly<Record<string, string>> = {
  M: "enter",
  a: "ctrl-up",
  b: "ctrl-down",
  c: "ctrl-right",
  d: "ctrl-left",
};

const NUMBERS: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  7: "home",
  8: "end",
};

const CONTROLS: Readonly<Record<string, string>> = {
  "\b": "ctrl-h",
  "\t": "tab",
  "\r": "enter",
  "\x1b": "escape",
  "\x7f": "backspace",
};

const CONTROL_SEQUENCE =
  // deno-lint-ignore no-control-regex -- keys begin with it
  /^\x1b(?:\[|O)(?<first>\d*)(?:;(?<modifiers>\d+))?(?:;(?<code>\d+))?(?<final>[A-Za-z~])$/;

/** The name of a key from what a terminal sends for it; undefined for a key without one. */
export function keyName(sent: string): string | undefined {
  if (/^.$/su.test(sent)) return controlName(sent);
  if (isWithAlt(sent)) {
    const name = keyName(sent.slice(1));
    return name === undefined ? undefined : `alt-${name}`;
  }
  const groups = CONTROL_SEQUENCE.exec(sent)?.groups;
  if (!groups) return undefined;
  const { first = "", modifiers = "1", code, final = "" } = groups;
  const name = final === "u"
    ? codeName(first)
    : final === "~"
    ? code === undefined ? NUMBERS[first] : codeName(code)
    : LETTERS[final] ??
      (sent.startsWith("\x1bO") ? OTHER_LETTERS[final] : undefined);
  return name === undefined ? undefined : modified(name, Number(modifiers) - 1);
}

/** Whether it is what another key sends, after ESC. */
function isWithAlt(sent: string): boolean {
  const rest = sent.slice(1);
  return rest.startsWith("\x1b") || (rest.length === 1 && !"[O".includes(rest));
}

function controlName(sent: string): string {
  const code = sent.charCodeAt(0);
  if (code >= 0x20 && code !== 0x7f) return sent.toLowerCase();
  // Control takes away the bit that makes letters of such codes.
  return CONTROLS[sent] ??
    `ctrl-${String.fromCharCode(code | 0x40).toLowerCase()}`;
}

/** The name of a key that is sent as the number of its character; keys without one have private characters. */
function codeName(code: string): string | undefined {
  const number = Number(code);
  if (number === 0 || number > 0x10ffff) return undefined;
  const character = String.fromCodePoint(number);
  return /[\p{Co}\p{Cs}]/u.test(character) ? undefined : keyName(character);
}

/** The name with the keys that are held down. @param bits 1 Shift, 2 Alt, 4 Control. */
function modified(name: string, bits: number): string {
  const shift = (bits & 1) === 0 ? "" : "shift-";
  const alt = (bits & 2) === 0 ? "" : "alt-";
  const ctrl = (bits & 4) === 0 ? "" : "ctrl-";
  return alt + ctrl + shift + name;
}
