/**
 * The commands that a person can type: one table, a row each. Knows nothing of terminals or of the
 * connection; what a command may do is in the context that it is given.
 *
 * @module
 */

import { padCells, width } from "./colours.ts";
import { nearest } from "./nearest.ts";
import type { Present } from "./news.ts";
import { escapeText } from "./text.ts";

/** What a command may ask and do. */
export interface CommandContext {
  /** Tells one line to the person who typed. */
  note(text: string): void;
  /** Who is in the room. */
  who(): readonly Present[];
  /** Ends the session. */
  quit(): void;
  /** The time zone for times (IANA name); the machine's own where it is left out. */
  readonly zone?: string;
}

/** A row of the table. */
export interface Command {
  /** What is typed, with its slash. */
  readonly name: string;
  /** How it is typed: the name, and what may follow. */
  readonly usage: string;
  /** What it does, for `/help`. */
  readonly help: string;
  /** Does it. */
  readonly run: (context: CommandContext) => void;
}

/** Every command, in the order in which `/help` shows them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "/help",
    usage: "/help",
    help: "Show the commands",
    run: (context) => showHelp(context),
  },
  {
    name: "/who",
    usage: "/who",
    help: "Show who is here: name, fingerprint of the key, since when",
    run: (context) => showWho(context),
  },
  {
    name: "/quit",
    usage: "/quit",
    help: "Leave the room; Ctrl-D and Ctrl-C do the same",
    run: (context) => context.quit(),
  },
];

/** The names of the commands that begin with what is typed; none unless it begins with a slash. */
export function completions(typed: string): string[] {
  if (!typed.startsWith("/")) return [];
  return COMMANDS.map(({ name }) => name).filter((name) =>
    name.startsWith(typed)
  );
}

/**
 * Runs the line where it is a command. A line that begins with two slashes is a text that begins with one.
 * A mistyped command is told to the person and never sent.
 * @returns The text to send, null where there is none.
 */
export function interpret(
  line: string,
  context: CommandContext,
): string | null {
  if (line.startsWith("//")) return line.slice(1);
  if (!line.startsWith("/")) return line;
  const [word = "", ...rest] = line.trim().split(/\s+/);
  const command = COMMANDS.find(({ name }) => name === word.toLowerCase());
  if (!command) {
    context.note(unknownCommand(word));
  } else if (rest.length > 0) {
    // "/quit smoking" is more likely a sentence than a wish to leave.
    context.note(
      `Nothing can follow ${command.name}. To send that line, begin it with two slashes`,
    );
  } else {
    command.run(context);
  }
  return null;
}

function unknownCommand(word: string): string {
  const meant = nearest(word.toLowerCase(), COMMANDS.map(({ name }) => name));
  const advice = meant ? `Did you mean ${meant}?` : "/help shows them all.";
  return `Unknown command "${word}". ${advice} To send that line, begin it with two slashes`;
}

function showHelp({ note }: CommandContext): void {
  const widest = Math.max(...COMMANDS.map(({ usage }) => usage.length));
  for (const { usage, help } of COMMANDS) {
    note(`${usage.padEnd(widest)}  ${help}`);
  }
  note(`${"//…".padEnd(widest)}  Send a text that begins with a slash`);
}

function showWho({ note, who, zone }: CommandContext): void {
  const present = who();
  if (present.length === 0) {
    note("Nobody is known to be here");
    return;
  }
  // The Swedish way to write a time is ISO 8601's, with a space: 2026-11-23 17:05.
  const times = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "short",
    timeZone: zone,
  });
  const names = present.map(({ name }) => escapeText(name));
  const widest = Math.max(...names.map(width));
  for (const [at, { key, since }] of present.entries()) {
    const name = padCells(names[at] ?? "", widest);
    note(`${name}  ${escapeText(key)}  since ${times.format(since)}`);
  }
}
