/**
 * The questions of the terminal's program: somebody may be at a keyboard to answer them, or not.
 *
 * @module
 */

import { type Asker, askName, NAME_PROMPT, requireName } from "./ask.ts";
import { JoinError } from "./join_error.ts";
import { mayFound, mayGoOn } from "./sealed/founding.ts";
import type { TypedView } from "./view.ts";
import { quote } from "../base/safe_text.ts";
import { UsageError } from "../base/usage_error.ts";
import { parseName } from "../protocol/names.ts";

/** Whether there is a person at a keyboard who can be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal();
}

/** What asks for a name, and offers one. */
export type NameAsker = Asker & Pick<TypedView, "ask">;

/**
 * Asks for a name; null if there is none. On a pipe the next line is the name.
 * @param usual What Enter alone answers to a person, if anything: a name that was typed once.
 * @throws {UsageError} for one that can't be used, where nobody can be asked again.
 */
export async function nameOf(
  view: NameAsker,
  usual?: string,
): Promise<string | null> {
  if (canAsk()) return await askUsualName(view, usual);
  const line = await view.ask(NAME_PROMPT);
  return line === null ? null : requireFirstName(line);
}

function requireFirstName(line: string): string {
  try {
    return requireName(line);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `${error.message}. Without --name NAME, the input's first line is the name`,
    );
  }
}

/**
 * The lines that come after a name that nobody typed as such. Somebody may have meant it to be said: a person is told
 * what became of it, and everybody is where nothing else is said.
 * @param isInVain Whether the client, in that case, came for nothing.
 */
export async function* linesAfterName(
  view: Pick<TypedView, "lines" | "note" | "greet">,
  name: string,
  isInVain: () => Promise<boolean>,
): AsyncGenerator<string> {
  const shown = quote(name);
  const advice = "With --name NAME that line is a message, too";
  let isAlone = true;
  for await (const line of view.lines()) {
    if (isAlone) {
      view.greet?.(`Your name is the input's first line, ${shown}. ${advice}`);
    }
    isAlone = false;
    yield line;
  }
  if (!isAlone || !await isInVain()) return;
  view.note(
    `Nothing was said: the input has one line, ${shown}, and that is your name. ${advice}`,
  );
}

/** Asks a person for a name, `Enter your name [ana]: `; null if they leave instead. @param usual As for `nameOf`. */
export async function askUsualName(
  view: NameAsker,
  usual = "",
): Promise<string | null> {
  const name = parseName(usual);
  if (typeof name === "string") return await askName(view); // there is none, or its file is damaged
  const asker: Asker = {
    note: (text) => view.note(text),
    ask: (words) => view.ask(words, name.shown),
  };
  return await askName(asker, NAME_PROMPT.replace(":", ` [${name.shown}]:`));
}

/** Asks whether to found a room. @throws {JoinError} where nobody can be asked. */
export async function isToFound(view: Asker): Promise<boolean> {
  if (canAsk()) return await mayFound(view);
  throw new JoinError(
    "The link founds a room, and nobody can be asked here whether to",
    "Run it at a terminal, or with --found",
  );
}

/** Asks whether to go on with what a server has. @returns False where nobody can be asked. */
export async function isToGoOn(view: Asker, words: string): Promise<boolean> {
  return canAsk() && await mayGoOn(view, words);
}
