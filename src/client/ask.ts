/**
 * Questions to a person before there is a room: each is asked until the answer can be used, and can be left.
 *
 * @module
 */

import type { View } from "./view.ts";
import { quote } from "../base/safe_text.ts";
import { sentence } from "../base/sentence.ts";
import { UsageError } from "../base/usage_error.ts";
import { parseName } from "../protocol/names.ts";
import { REFUSALS } from "../protocol/reasons.ts";

/** A question. */
export interface Question<T> {
  /** Its words, as a prompt. */
  readonly words: string;
  /** What /help answers. */
  readonly help: string;
  /** What an answer comes to. @throws {UsageError} for one that can't be used. */
  readonly read: (answer: string) => T;
}

/** What asks and tells. */
export type Asker = Pick<View, "ask" | "note" | "leaving">;

/** What people type to leave. */
const LEAVING: readonly string[] = ["/quit", "/exit"];

/** How to leave where a question is answered by a line that is typed. */
const LEAVING_ADVICE = "/quit leaves.";

/** Asks until there is an answer that can be used; null if the person leaves instead. */
export async function ask<T>(
  view: Asker,
  { words, help, read }: Question<T>,
): Promise<T | null> {
  for (;;) {
    const answer = await view.ask(words);
    const word = answer?.trim().toLowerCase() ?? "/quit";
    if (answer === null || LEAVING.includes(word)) return null;
    if (word === "/help") {
      view.note(`${help} ${view.leaving ?? LEAVING_ADVICE}`);
      continue;
    }
    try {
      return read(answer);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      view.note(sentence(error.message));
    }
  }
}

/** A name as it is shown. @throws {UsageError} for what can't be one. */
export function requireName(given: string): string {
  const name = parseName(given);
  if (typeof name !== "string") return name.shown;
  throw new UsageError(`Cannot go by ${quote(given)}: ${REFUSALS[name]}`);
}

/** What asks for a name. */
export const NAME_PROMPT = "Enter your name: ";

/** Asks for a name; null if the person leaves instead. @param words The prompt. */
export async function askName(
  view: Asker,
  words: string = NAME_PROMPT,
): Promise<string | null> {
  const help = `The others will know you by it. ${
    REFUSALS["name-invalid"]
  }. Commands work once you are in the room.`;
  return await ask(view, { words, help, read: requireName });
}
