/**
 * Tests of what a person sets in the page.
 *
 * @module
 */

import { effect } from "@preact/signals";
import { PAGE_SETTINGS, PageSettings } from "../../../src/web/settings.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";

/** A browser's storage. */
function storage(kept?: string) {
  const values = new Map(
    kept === undefined ? [] : [["encrypted-chat-settings", kept]],
  );
  return {
    values,
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  };
}

/** All values. */
function all(settings: PageSettings): Record<string, string> {
  return Object.fromEntries(
    PAGE_SETTINGS.map(({ key }) => [key, settings.get(key)]),
  );
}

const DEFAULTS = {
  theme: "auto",
  clock: "auto",
  joins: "active",
  notify: "mentions",
  preview: "open",
  words: "",
};

Deno.test("PageSettings keeps what is set for later visits", () => {
  const place = storage();
  const settings = new PageSettings(place);
  assertEquals(all(settings), DEFAULTS);
  settings.set("theme", "dark");
  settings.set("words", " lunch, deploy ,");
  assertEquals(all(new PageSettings(place)), {
    ...DEFAULTS,
    theme: "dark",
    words: "lunch,deploy",
  });
});

Deno.test("PageSettings has the defaults for what can't be read, and for values that can't be", () => {
  for (const kept of ["", "{", "null", "7", '"dark"', '{"theme":7}']) {
    assertEquals(all(new PageSettings(storage(kept))), DEFAULTS, kept);
  }
  const kept = '{"theme":"constructor","clock":"24","words":"a\\u0000"}';
  assertEquals(all(new PageSettings(storage(kept))), {
    ...DEFAULTS,
    clock: "24",
  });
});

Deno.test("PageSettings refuses a value that can't be, and says which can", () => {
  const settings = new PageSettings(null);
  assertThrows(
    () => settings.set("theme", "pink"),
    RangeError,
    "Cannot set theme: it is auto, light, dark",
  );
  assertThrows(
    () => settings.set("words", "x".repeat(501)),
    RangeError,
    "Cannot set words: it is words with commas between them",
  );
  assertEquals(all(settings), DEFAULTS);
});

Deno.test("PageSettings holds for the visit where the browser keeps nothing", () => {
  const refuse = () => {
    throw new DOMException("denied", "QuotaExceededError");
  };
  const settings = new PageSettings({ getItem: refuse, setItem: refuse });
  settings.set("clock", "12");
  assertEquals(settings.get("clock"), "12");
});

Deno.test("PageSettings tells of changes, and what the clock and the words come to", () => {
  const settings = new PageSettings(null);
  const seen: string[] = [];
  const end = effect(() => void seen.push(settings.get("theme")));
  settings.set("theme", "light");
  end();
  assertEquals(seen, ["auto", "light"]);
  assertEquals([settings.hour12, settings.words], [undefined, "none"]);
  settings.set("clock", "24");
  settings.set("words", "lunch");
  assertEquals([settings.hour12, settings.words], [false, "lunch"]);
});
