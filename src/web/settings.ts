/**
 * How a person likes the page to look and when to be told of something, kept in the browser. Where a setting is the
 * terminal's, so are its name, its values and its words.
 *
 * @module
 */

import { effect, type Signal, signal } from "@preact/signals";
import { isWord, MAX_WORDS, NO_WORDS } from "../client/text/mentions.ts";

/** Where settings are kept in the browser's storage. */
const STORAGE_KEY = "encrypted-chat-settings";

/** A row of the table of what can be set. */
export interface PageSetting {
  /** Its name. */
  readonly key: string;
  /** What it changes, without a full stop. */
  readonly help: string;
  /** Its values, each with what it is called; the first is the default. Undefined for words with commas between. */
  readonly choices?: readonly (readonly [value: string, label: string])[];
}

/** Everything that can be set in the page. */
export const PAGE_SETTINGS = [
  {
    key: "theme",
    help: "Colours",
    choices: [["auto", "As the system"], ["light", "Light"], ["dark", "Dark"]],
  },
  {
    key: "clock",
    help: "Times",
    choices: [["auto", "As the system"], ["24", "17:05"], ["12", "5:05 pm"]],
  },
  {
    key: "joins",
    help: "Show who joins and leaves",
    choices: [["active", "Who spoke lately"], ["on", "All"], ["off", "Nobody"]],
  },
  {
    key: "notify",
    help: "Notify while you look elsewhere",
    choices: [
      ["mentions", "On mentions"],
      ["all", "On every message"],
      ["off", "Never"],
    ],
  },
  {
    key: "preview",
    help: "Show the words in notifications",
    choices: [["open", "In open rooms"], ["on", "Always"], ["off", "Never"]],
  },
  { key: "words", help: "Words that count as mentions, like your name" },
] as const satisfies readonly PageSetting[];

/** What can be set. */
export type PageSettingKey = typeof PAGE_SETTINGS[number]["key"];

const TABLE: readonly PageSetting[] = PAGE_SETTINGS;

/** The part of the browser's storage that settings need. */
export type SettingsStorage = Pick<Storage, "getItem" | "setItem">;

/** A person's settings; whoever reads one in a view is drawn again when it changes. */
export class PageSettings {
  readonly #values: ReadonlyMap<string, Signal<string>>;
  readonly #storage: SettingsStorage | null;

  /**
   * What is kept, or else the defaults.
   * @param storage Null where the browser keeps nothing: then they hold for this visit. Default: the browser's.
   */
  constructor(storage: SettingsStorage | null = browserStorage()) {
    this.#storage = storage;
    const kept = readKept(storage);
    this.#values = new Map(
      TABLE.map((setting) => [
        setting.key,
        signal(fit(setting, kept[setting.key]) ?? defaultOf(setting)),
      ]),
    );
  }

  /** The value that was chosen, or the default. */
  get(key: PageSettingKey): string {
    return this.#values.get(key)?.value ?? "";
  }

  /**
   * Chooses a value, from now on and for later visits.
   * @returns The value as it is kept. @throws {RangeError} for one that can't be.
   */
  set(key: PageSettingKey, value: string): string {
    const setting = TABLE.find((it) => it.key === key);
    const fitting = setting && fit(setting, value);
    if (fitting === undefined) {
      throw new RangeError(`Cannot set ${key}: it is ${allowed(setting)}`);
    }
    const place = this.#values.get(key);
    if (place) place.value = fitting;
    this.#keep();
    return fitting;
  }

  /** The words that count as mentions, as the terminal has them: with commas between them, or `none`. */
  get words(): string {
    return this.get("words") || NO_WORDS;
  }

  /** Whether times have AM and PM; undefined: as the system has them. */
  get hour12(): boolean | undefined {
    const clock = this.get("clock");
    return clock === "auto" ? undefined : clock === "12";
  }

  #keep(): void {
    const values = [...this.#values].map(([key, { value }]) => [key, value]);
    try {
      this.#storage?.setItem(
        STORAGE_KEY,
        JSON.stringify(Object.fromEntries(values)),
      );
    } catch {
      // A browser that keeps nothing, as in some private windows: they hold for this visit.
    }
  }
}

/** The browser's storage; null where it may not be used. */
function browserStorage(): SettingsStorage | null {
  try {
    return globalThis.localStorage;
  } catch {
    return null; // the browser was told to keep nothing
  }
}

function readKept(
  storage: SettingsStorage | null,
): Readonly<Record<string, unknown>> {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(STORAGE_KEY) ?? "{}");
    return typeof kept === "object" && kept !== null
      ? kept as Record<string, unknown>
      : {};
  } catch {
    return {}; // what can't be read is as good as nothing
  }
}

function defaultOf({ choices = [] }: PageSetting): string {
  return choices[0]?.[0] ?? "";
}

/** A value as the setting has it, undefined if it may not be that. */
function fit({ choices }: PageSetting, value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (choices) return choices.find(([it]) => it === value)?.[0];
  const words = value.split(",").map((word) => word.trim()).filter(Boolean);
  const isRight = value.length <= MAX_WORDS &&
    words.every(isWord);
  return isRight ? words.join(",") : undefined;
}

function allowed(setting: PageSetting | undefined): string {
  return setting?.choices
    ? setting.choices.map(([value]) => value).join(", ")
    : "words with commas between them";
}

/** Has the page wear the colours that were chosen, from now on. @returns Ends that. */
export function wearTheme(settings: PageSettings, page: Document): () => void {
  return effect(() => {
    const theme = settings.get("theme");
    if (theme === "auto") delete page.documentElement.dataset["theme"];
    else page.documentElement.dataset["theme"] = theme;
  });
}
