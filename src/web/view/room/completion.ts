/**
 * What is offered while one types: commands, what may follow them, and names behind an at sign.
 *
 * @module
 */

import { complete } from "../../../client/commands/complete.ts";
import type { CompletionSources } from "../../../client/commands/completion.ts";
import { PAGE_COMMANDS } from "../../commands.ts";

/** How many words are offered at a time. */
const MAX_OFFERED = 8;

/** What is offered for the end of what stands before the caret. */
export interface Offers {
  /** What it may become, with the sign that follows. */
  readonly words: readonly string[];
  /** The end that they stand for. */
  readonly replaced: string;
  /** Which word is chosen; -1 for none: Enter sends then. */
  readonly chosen: number;
}

/** Nothing is offered. */
export const NO_OFFERS: Offers = { words: [], replaced: "", chosen: -1 };

/** What is offered where nobody asked for it: in a command, and behind an at sign. @param before What stands before the caret. */
export function offersFor(before: string, sources: CompletionSources): Offers {
  const isCommand = before.startsWith("/") && !before.startsWith("//");
  if (!isCommand && !/(?<![\p{L}\p{N}])@[^\s@]*$/u.test(before)) {
    return NO_OFFERS;
  }
  const { words, replaced } = complete(before, PAGE_COMMANDS, sources);
  const typed = replaced.toLowerCase();
  const isWhole = words.some((word) => word.trim().toLowerCase() === typed);
  if (words.length === 0 || isWhole && words.length === 1) return NO_OFFERS;
  const chosen = typed === "" || isWhole ? -1 : 0;
  return { words: words.slice(0, MAX_OFFERED), replaced, chosen };
}
