/**
 * What a person types in the page: commands are carried out, and texts said, one after the other.
 *
 * @module
 */

import type { CommandContext, TableRow } from "../client/commands/command.ts";
import { interpret } from "../client/commands/interpret.ts";
import { PAGE_COMMANDS } from "./commands.ts";

/** What lines may ask and do. */
export interface TypedContext
  extends Omit<CommandContext, "code" | "note" | "table"> {
  /** Tells something to the person, in one or more lines. */
  note(text: string): void;
  /** Says a text. */
  say(text: string): Promise<void>;
}

/** What takes lines. */
export class Typed {
  readonly #context: TypedContext;
  #done: Promise<void> = Promise.resolve(); // of the lines so far

  /** Nothing is typed yet. */
  constructor(context: TypedContext) {
    this.#context = context;
  }

  /** Does what a line asks for, or says it, after those before it. */
  run(line: string): Promise<void> {
    const running = this.#done.then(() => this.#run(line));
    this.#done = running.catch(() => {}); // which is told to who waits for this line
    return running;
  }

  async #run(line: string): Promise<void> {
    const { note, say } = this.#context;
    const lines: string[] = []; // what the command tells, which belongs together
    const text = await interpret(line, PAGE_COMMANDS, {
      ...this.#context,
      note: (line) => lines.push(line),
      table: (rows) => rows.map(rowLine),
      code: () => [],
    });
    if (lines.length > 0) note(lines.join("\n"));
    if (text !== null) await say(text);
  }
}

/** A row in a proportional font, where columns would not be straight. */
function rowLine([head, ...parts]: TableRow): string {
  return [head, ...parts.filter((part) => part !== "")].join(" · ");
}
