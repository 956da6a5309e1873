/**
 * What may stand in place of the end of a line: commands, what may follow them, and names.
 *
 * @module
 */

import type { Offer } from "./command.ts";
import type { CommandTable } from "./command_table.ts";
import type { Completion, CompletionSources } from "./completion.ts";
import { escapeText } from "../../base/safe_text.ts";

/** What a command table needs to be for completion, whatever its commands may ask and do. */
export type Commands = Pick<CommandTable<never>, "all" | "find">;

/** The start of a name behind an at sign, which ends a text. */
const MENTION = /(?<![\p{L}\p{N}])@[^\s@]*$/u;
/** How many numbers are offered at most. */
const MAX_NUMBERS = 10;

/**
 * Completes a command, what may follow it, or a name. What could command a terminal is never offered.
 * @param typed What stands before the cursor. @param commands What can be typed in the front end.
 */
export function complete(
  typed: string,
  commands: Commands,
  sources: CompletionSources,
): Completion {
  const replaced = /\S*$/.exec(typed)?.[0] ?? "";
  const before = typed.slice(0, typed.length - replaced.length);
  if (!typed.startsWith("/") || typed.startsWith("//")) {
    return inText(replaced, before === "" ? ": " : " ", sources);
  }
  if (before === "") {
    return matching(commandWords(replaced, commands), replaced);
  }
  const [, word = "", rest = ""] = /^(\S+)\s+(.*)$/s.exec(typed) ?? [];
  return argument(word, rest, replaced, commands, sources);
}

/** Completes what follows a command. @param rest All of it. @param replaced Its last word. */
function argument(
  word: string,
  rest: string,
  replaced: string,
  commands: Commands,
  sources: CompletionSources,
): Completion {
  const offers = commands.find(word)?.offers ?? [];
  const words = rest.slice(0, rest.length - replaced.length).trim().split(/\s+/)
    .filter((it) => it !== "");
  // A path or a text is all that is left, so that its words aren't counted.
  const whole = offers.findIndex((it) => it === "path" || it === "text");
  const index = whole >= 0 ? Math.min(words.length, whole) : words.length;
  const offer = offers[index];
  if (offer === "text") return inText(replaced, " ", sources);
  if (offer === "path") {
    return sources.path?.(rest) ?? { words: [], replaced };
  }
  const previous = words.at(-1) ?? "";
  const offered = offer
    ? offeredWords(offer, replaced, previous, commands, sources)
    : [];
  return matching(offered, replaced);
}

function offeredWords(
  offer: Exclude<Offer, "path" | "text">,
  replaced: string,
  previous: string,
  { all }: Commands,
  { names, ignored, numbers, settings = [] }: CompletionSources,
): readonly string[] {
  switch (offer) {
    case "names":
      return nameWords(names?.() ?? [], " ");
    case "ignored":
      return nameWords((ignored?.members() ?? []).map(({ name }) => name), " ");
    case "commands": {
      const slash = replaced.startsWith("/") ? "/" : "";
      const commands = all.map(({ name }) => name.slice(1));
      return [...commands, "operators"].map((it) => `${slash}${it}`);
    }
    case "settings":
      return settings.map(({ key }) => `${key} `);
    case "values":
      return settings.find(({ key }) => key === previous)?.choices ?? [];
    case "spoken":
    case "own":
    case "offered":
    case "taking": {
      const possible = (numbers?.(offer) ?? []).map(String);
      const end = offer === "spoken" || offer === "own" ? " " : "";
      return possible.filter((number) => number.startsWith(replaced))
        .slice(0, MAX_NUMBERS).map((number) => number + end);
    }
    default:
      return offer;
  }
}

/** The commands; what can be typed instead of one is offered where no command begins so. */
function commandWords(start: string, { all }: Commands): string[] {
  const names = all.map(({ name, args }) => ({ name, args }));
  const aliases = all.flatMap(({ aliases = [], args }) =>
    aliases.map((name) => ({ name, args }))
  );
  const begins = ({ name }: { name: string }) =>
    name.startsWith(start.toLowerCase());
  return (names.some(begins) ? names : aliases)
    .map(({ name, args }) => args === "" ? name : `${name} `);
}

/** Completes a name in a text, also one behind an at sign. */
function inText(
  replaced: string,
  end: string,
  { names }: CompletionSources,
): Completion {
  // Every name would be offered after a space, and nobody asked for one.
  if (replaced === "") return { words: [], replaced };
  const all = names?.() ?? [];
  const mention = MENTION.exec(replaced)?.[0];
  if (mention === undefined) return matching(nameWords(all, end), replaced);
  return matching(nameWords(all, " ").map((word) => `@${word}`), mention);
}

function nameWords(names: readonly string[], end: string): string[] {
  return names.filter((name) => name === escapeText(name)).toSorted()
    .map((name) => name + end);
}

/** Those of the words that begin so, in either case. */
function matching(words: readonly string[], replaced: string): Completion {
  const start = replaced.toLowerCase();
  return {
    words: words.filter((word) => word.toLowerCase().startsWith(start)),
    replaced,
  };
}
