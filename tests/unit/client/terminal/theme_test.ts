/**
 * Tests of the colours, by the contrast that WCAG 2 defines.
 *
 * @module
 */

import { Settings } from "../../../../src/client/terminal/settings.ts";
import { PALETTES, Theme } from "../../../../src/client/terminal/theme.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

/** The values of the six steps of a colour in xterm's cube. */
const STEPS = [0, 95, 135, 175, 215, 255];

/** The relative luminance of one of the colours 16 to 231. */
function luminance(colour: number): number {
  assert(colour >= 16 && colour <= 231);
  const place = colour - 16;
  const [red = 0, green = 0, blue = 0] = [
    Math.floor(place / 36),
    Math.floor(place / 6) % 6,
    place % 6,
  ].map((step) => {
    const share = (STEPS[step] ?? 0) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const onWhite = (colour: number) => 1.05 / (luminance(colour) + 0.05);
const onBlack = (colour: number) => (luminance(colour) + 0.05) / 0.05;

Deno.test("PALETTES have enough contrast: 4.5 on white or black, and 3 on both where it isn't known", () => {
  const contrasts = {
    light: (colour: number) => onWhite(colour) / 4.5,
    dark: (colour: number) => onBlack(colour) / 4.5,
    either: (colour: number) => Math.min(onWhite(colour), onBlack(colour)) / 3,
  };
  for (const [name, contrast] of Object.entries(contrasts)) {
    const { names, good, warning, code } =
      PALETTES[name as keyof typeof PALETTES];
    for (const colour of [...names, good, warning, code]) {
      assert(contrast(colour) >= 1, `${colour} in ${name}`);
    }
    assertEquals(new Set(names).size, names.length);
    assertEquals(names.length, PALETTES.either.names.length);
  }
});

/** The palette that a theme takes a name's colour from. */
function palette(theme: Theme): string {
  const colour = Number(theme.nameOf("key of Rahul").replace("38;5;", ""));
  const [name = ""] = Object.entries(PALETTES)
    .find(([, { names }]) => names.some((one) => one === colour)) ?? [];
  return name;
}

Deno.test("Theme takes the colours that the terminal's background wants, or that are set", () => {
  const answers: [string, string][] = [
    ["11;rgb:ffff/ffff/ffff", "light"],
    ["11;rgb:fd/f6/e3", "light"],
    ["11;rgba:0000/2b2b/3636/ffff", "dark"],
    ["11;rgb:0/0/0", "dark"],
    ["11;rgb:8080/8080/8080", "light"],
    ["10;rgb:ffff/ffff/ffff", "either"],
    ["11;?", "either"],
    ["11;rgb:/fff/", "either"],
    ["", "either"],
  ];
  for (const [answer, expected] of answers) {
    const settings = new Settings();
    const theme = new Theme(settings, true);
    assertEquals(palette(theme), "either");
    theme.answer(answer);
    assertEquals(palette(theme), expected, answer);
    settings.set("theme", "light");
    assertEquals(palette(theme), "light");
    settings.set("theme", "dark");
    assertEquals(palette(theme), "dark");
    settings.set("theme", "auto");
    assertEquals(palette(theme), expected, answer);
  }
});

Deno.test("Theme is off where colours aren't wanted, and when it is set to plain", () => {
  const settings = new Settings();
  const [wanted, unwanted] = [true, false].map((it) => new Theme(settings, it));
  assertEquals([wanted?.isOn, unwanted?.isOn], [true, false]);
  settings.set("theme", "plain");
  assertEquals([wanted?.isOn, unwanted?.isOn], [false, false]);
});

Deno.test("Theme.nameOf() is the same for a person, and not for all persons", () => {
  const theme = new Theme(new Settings(), true);
  const keys = ["k3df9q2mx7ta41cz", "0123456789ab", "ba9876543210", "aaaa"];
  const colours = keys.map((key) => theme.nameOf(key));
  const again = new Theme(new Settings(), true);
  assertEquals(keys.map((key) => again.nameOf(key)), colours);
  assert(new Set(colours).size > 1);
});
