/**
 * How a person likes the client to look and to sound, kept in a small file between runs.
 *
 * @module
 */

import { alternatives, didYouMean } from "../../base/nearest.ts";
import { isWord, MAX_WORDS, NO_WORDS } from "../text/mentions.ts";
import { reasonOf } from "../../base/error_reason.ts";
import {
  type Document,
  readDocument,
  writeDocument,
} from "../../base/document.ts";

/** A row of the table of what can be set: by choice, by words, or a whole number from `min` to `max`. */
export interface Setting {
  /** What is typed after `/set`. */
  readonly key: string;
  /** What it changes, without a full stop. */
  readonly help: string;
  /** The default. */
  readonly default: string;
  /** All that the value may be. */
  readonly choices?: readonly string[];
  /** What earlier versions had for a choice. */
  readonly earlier?: Readonly<Record<string, string>>;
  /** Whether it is words with commas between them, or `none`. */
  readonly isWords?: boolean;
  /** The least that a number may be. */
  readonly min?: number;
  /** The most that a number may be. */
  readonly max?: number;
}

/** Everything that can be set. */
export const SETTINGS = [
  {
    key: "bell",
    help: "Ring the bell: never, on mentions, on every message",
    default: "mentions",
    choices: ["off", "mentions", "all"],
  },
  {
    key: "notify",
    help:
      "Notify while you look elsewhere: never, on mentions, on every message",
    default: "mentions",
    choices: ["off", "mentions", "all"],
  },
  {
    key: "words",
    help: "Words that count as mentions, like your name",
    default: NO_WORDS,
    isWords: true,
  },
  {
    key: "title",
    help: "Show the room and how much is unread in the window's title",
    default: "on",
    choices: ["on", "off"],
  },
  {
    key: "joins",
    help: "Show who joins and leaves: nobody, those who spoke lately, all",
    default: "active",
    choices: ["off", "active", "on"],
  },
  {
    key: "times",
    help: "Show the time of each message",
    default: "on",
    choices: ["on", "off", "seconds"],
  },
  {
    key: "numbers",
    help: "Show message numbers, which /re takes",
    default: "on",
    choices: ["on", "off"],
  },
  {
    key: "theme",
    help: "Colours: as the terminal is, for a light one, for a dark one, none",
    default: "auto",
    choices: ["auto", "light", "dark", "plain"],
    earlier: { default: "auto" },
  },
  {
    key: "names",
    help: "Widest column for names, cells",
    default: "20",
    min: 4,
    max: 32,
  },
  {
    key: "history",
    help: "Typed lines kept between runs",
    default: "500",
    min: 0,
    max: 500,
  },
] as const satisfies readonly Setting[];

/** What can be set. */
export type SettingKey = typeof SETTINGS[number]["key"];

const TABLE: readonly Setting[] = SETTINGS;

/** A person's settings. */
export class Settings {
  readonly #chosen = new Map<string, string>();
  readonly #note: (text: string) => void;
  #path: string | undefined;
  #document: Document = {};
  /** Settles when everything that was set is in the file; never rejects. */
  kept: Promise<void> = Promise.resolve();

  /**
   * The defaults, kept nowhere.
   * @param note Told, one sentence at a time, what can't be read or kept.
   */
  constructor(note: (text: string) => void = () => {}) {
    this.#note = note;
  }

  /** The settings in a file, which need not be there. One that can't be used is named in a note and left alone. */
  static async load(
    path: string,
    note: (text: string) => void,
  ): Promise<Settings> {
    const settings = new Settings(note);
    try {
      settings.#adopt(path, await readDocument(path) ?? {});
    } catch (error) {
      note(`${reasonOf(error)}. Changes are not saved`);
    }
    return settings;
  }

  #adopt(path: string, document: Document): void {
    this.#path = path;
    this.#document = document;
    for (const setting of TABLE) {
      const value = document[setting.key];
      if (value === undefined) continue;
      const fitting = fit(setting, value);
      if (fitting !== undefined) this.#chosen.set(setting.key, fitting);
      else {
        this.#note(
          `Cannot use ${setting.key} in "${path}": it is ${allowed(setting)}`,
        );
      }
    }
  }

  /** The value that was chosen, or the default. */
  get(key: SettingKey): string {
    return this.#chosen.get(key) ??
      TABLE.find((setting) => setting.key === key)?.default ?? "";
  }

  /**
   * Chooses a value, from now on and for later runs.
   * @returns The value as it is kept.
   * @throws {RangeError} for something that can't be set, or not to that.
   */
  set(key: string, value: string): string {
    const setting = TABLE.find((setting) => setting.key === key);
    if (!setting) {
      const keys = TABLE.map(({ key }) => key);
      throw new RangeError(
        `Cannot set "${key}": there is no such setting${didYouMean(key, keys)}`,
      );
    }
    const fitting = fit(setting, value);
    if (fitting === undefined) {
      throw new RangeError(`Cannot set ${key}: it is ${allowed(setting)}`);
    }
    this.#chosen.set(key, fitting);
    // What this program doesn't know, another version may.
    this.#document = { ...this.#document, [key]: fitting };
    this.#keep();
    return fitting;
  }

  #keep(): void {
    const path = this.#path;
    if (path === undefined) return;
    const document = this.#document;
    this.kept = this.kept.then(() => writeDocument(path, document)).catch(
      (error: unknown) => this.#note(reasonOf(error)),
    );
  }
}

/** What a setting may be, in short: `on, off`, `4 to 32`. */
export function rangeOf({ choices, isWords, min, max }: Setting): string {
  if (isWords) return `such as lunch,deploy; or ${NO_WORDS}`;
  return choices ? choices.join(", ") : `${min} to ${max}`;
}

/** What a setting may be, in words. */
function allowed({ choices, isWords, min, max }: Setting): string {
  if (isWords) return `words with commas between them, or ${NO_WORDS}`;
  if (!choices) return `a whole number from ${min} to ${max}`;
  return alternatives(choices);
}

/** A value as the setting has it, undefined if it may not be that. */
function fit(setting: Setting, value: unknown): string | undefined {
  const { choices, earlier = {}, isWords, min = 0, max = 0 } = setting;
  const text = String(value);
  if (isWords) return fitWords(text);
  if (choices) {
    const choice = Object.hasOwn(earlier, text) ? earlier[text] : text;
    return choices.find((possible) => possible === choice);
  }
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return number >= min && number <= max ? text : undefined;
}

/** Words without the spaces around them; a word may have spaces within. */
function fitWords(text: string): string | undefined {
  const words = text.split(",").map((word) => word.trim());
  const isRight = text.length <= MAX_WORDS &&
    words.every(isWord);
  return isRight ? words.join(",") : undefined;
}
