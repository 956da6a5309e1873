/**
 * What Tab makes of a line: commands, what may follow them, and names.
 *
 * @module
 */

import { COMMANDS, findCommand, OPERATOR_COMMANDS } from "./commands.ts";
import { SETTINGS } from "./settings.ts";
import { escapeText } from "../../base/safe_text.ts";

/** What may stand in place of the end of what is typed. */
export interface Completion {
  /** All that it may be, with the sign that follows. */
  readonly words: string[];
  /** The end of what is typed that they stand for. */
  readonly replaced: string;
}

/**
 * Completes a command, what may follow it, or a name.
 * @param names Those who are in the room; what they contain that could command a terminal is never offered.
 */
export function complete(
  typed: string,
  names: readonly string[],
): Completion {
  const replaced = /\S*$/.exec(typed)?.[0] ?? "";
  const before = typed.slice(0, typed.length - replaced.length);
  const words = typed.startsWith("/") && !typed.startsWith("//")
    ? commandWords(before.trim(), names)
    : nameWords(names, before === "" ? ": " : " ");
  const start = replaced.toLowerCase();
  return {
    // Every name would be offered after a space, and nobody asked for one.
    words: start === "" && !before.startsWith("/")
      ? []
      : words.filter((word) => word.toLowerCase().startsWith(start)),
    replaced,
  };
}

function commandWords(before: string, names: readonly string[]): string[] {
  if (before === "") {
    return [...COMMANDS, ...OPERATOR_COMMANDS]
      .map(({ name, args }) => args === "" ? name : `${name} `);
  }
  const [word, ...more] = before.toLowerCase().split(/\s+/);
  const command = word === undefined ? undefined : findCommand(word);
  if (!command) return [];
  if (command.name === "/set" && more.length === 1) return values(more[0]);
  const takesText = /TEXT|ACTION/.test(command.args);
  if (command.offers === "names" || takesText) return nameWords(names, " ");
  return more.length === 0 ? [...command.offers ?? []] : [];
}

function values(key: string | undefined): string[] {
  const setting = SETTINGS.find((setting) => setting.key === key);
  return setting && "choices" in setting ? [...setting.choices] : [];
}

function nameWords(names: readonly string[], end: string): string[] {
  return names.filter((name) => name === escapeText(name)).toSorted()
    .map((name) => name + end);
}
