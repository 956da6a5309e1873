/**
 * Colours: one palette for light terminals, one for dark ones, and one that can be read on both, for those that don't
 * say. Colours carry nothing that the text doesn't.
 *
 * @module
 */

import type { Settings } from "./settings.ts";

/** Asks a terminal for its background (`OSC 11`). */
export const ASK_BACKGROUND = "\x1b]11;?\x1b\\";

/** On a background of this luminance, black and white can be read equally well (WCAG 2). */
const MIDDLE = 0.179;

/** Colours of the 256 whose values are the same in every terminal, 16 to 231. */
export interface Palette {
  /** For names: in every palette the same hues in the same order. */
  readonly names: readonly number[];
  /** For what went well. */
  readonly good: number;
  /** For warnings. */
  readonly warning: number;
  /** For code. */
  readonly code: number;
}

/** A palette for each kind of background. A test computes the contrast of each colour. */
export const PALETTES = {
  light: {
    names: [124, 94, 58, 22, 23, 25, 92, 126],
    good: 22,
    warning: 94,
    code: 24,
  },
  dark: {
    names: [209, 220, 148, 83, 44, 75, 141, 212],
    good: 83,
    warning: 220,
    code: 152,
  },
  either: {
    names: [160, 130, 64, 28, 30, 32, 98, 163],
    good: 28,
    warning: 130,
    code: 31,
  },
} as const satisfies Readonly<Record<string, Palette>>;

/** The colours as they are now: as set, or as the terminal's background wants them. */
export class Theme {
  readonly #settings: Settings;
  readonly #wanted: boolean;
  #background: "light" | "dark" | "either" = "either";

  /** Colours for a terminal that hasn't told its background. @param wanted Whether colours are, whatever is set. */
  constructor(settings: Settings, wanted: boolean) {
    this.#settings = settings;
    this.#wanted = wanted;
  }

  /** Takes what the terminal answers to `ASK_BACKGROUND`, without its frame; any other answer is none. */
  answer(text: string): void {
    const luminance = luminanceOf(text);
    if (luminance === undefined) return;
    this.#background = luminance > MIDDLE ? "light" : "dark";
  }

  /** Whether anything is to be in a style. */
  get isOn(): boolean {
    return this.#wanted && this.#settings.get("theme") !== "plain";
  }

  /** What went well, `SGR` parameters. */
  get good(): string {
    return ink(this.#palette.good);
  }

  /** A warning, `SGR` parameters. */
  get warning(): string {
    return ink(this.#palette.warning);
  }

  /** Code, `SGR` parameters. */
  get code(): string {
    return ink(this.#palette.code);
  }

  /** The colour of a person's name, the same wherever it is shown, `SGR` parameters. */
  nameOf(person: string): string {
    const { names } = this.#palette;
    let hash = 0;
    for (const character of person) {
      hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
    }
    return ink(names[hash % names.length] ?? names[0]);
  }

  get #palette(): typeof PALETTES[keyof typeof PALETTES] {
    const theme = this.#settings.get("theme");
    if (theme === "light" || theme === "dark") return PALETTES[theme];
    return PALETTES[this.#background];
  }
}

function ink(colour: number): string {
  return `38;5;${colour}`;
}

// One to four hexadecimal digits to a colour: `11;rgb:ffff/ffff/ffff`; with `rgba:` the last is left out.
const BACKGROUND =
  /^11;rgba?:([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/([0-9a-f]{1,4})(?:\/[0-9a-f]{1,4})?$/i;

/** The relative luminance of an answered background, 0 to 1 (WCAG 2). */
function luminanceOf(answer: string): number | undefined {
  const shares = BACKGROUND.exec(answer)?.slice(1)
    .map((digits) => parseInt(digits, 16) / (16 ** digits.length - 1));
  if (!shares) return undefined;
  const [red = 0, green = 0, blue = 0] = shares.map((share) =>
    share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
