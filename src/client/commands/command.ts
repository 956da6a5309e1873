/**
 * What a command is: how it is typed, what it does, what may be asked and done with it.
 *
 * @module
 */

import type { Actions, NumberKind } from "../actions.ts";
import type { Ignored } from "../ignored.ts";

/** A row that a command tells: what it is about, and what there is to say of it, in parts that stay together. */
export type TableRow = readonly [head: string, ...parts: string[]];

/** What a command may ask and do, wherever it is typed. */
export interface CommandContext
  extends Omit<Actions, "say" | "inRoom" | "send"> {
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
  /** Tells one line to the person who typed. */
  note(text: string): void;
  /** The lines of a table. */
  table(rows: readonly TableRow[]): readonly string[];
  /** The lines that show a text as a QR code; none where there is a better way to show it. */
  code(text: string): readonly string[];
  /** The time, ms since 1970. Default: the machine's. */
  readonly now?: () => number;
  /** The time zone for times (IANA name). Default: the machine's. */
  readonly zone?: string;
}

/**
 * What can stand in a command, for completion: somebody in the room, or who is ignored; a number; a file; a text with
 * names in it; a command; a setting, or a value of the setting before; or one of some words.
 */
export type Offer =
  | "names"
  | "ignored"
  | NumberKind
  | "path"
  | "text"
  | "commands"
  | "settings"
  | "values"
  | readonly string[];

/** A row of the table of commands. @template C What it may ask and do. */
export interface Command<C = CommandContext> {
  /** What is typed, with its slash. */
  readonly name: string;
  /** What can be typed instead. */
  readonly aliases?: readonly string[];
  /** What may follow, as `/help` shows it; empty if nothing may. */
  readonly args: string;
  /** What it does, in a few words, for `/help`. */
  readonly help: string;
  /** What else there is to know of it, for `/help` with its name. */
  readonly more: string;
  /** It as it may be typed. */
  readonly example: string;
  /** What may follow, as it is checked; its groups are given to `run`. */
  readonly takes: RegExp;
  /** What can follow, in order, for completion. A path or a text is all that is left of the line. */
  readonly offers?: readonly Offer[];
  /** Does it; what it says goes out before the next line is taken. */
  readonly run: (
    context: C,
    ...args: string[]
  ) => void | Promise<void>;
}

/** For a command that nothing may follow. */
export const NOTHING = /^$/;
/** For a command that any text may follow, or none. */
export const ANYTHING = /^(.*)$/s;
/** For a command that some text must follow. */
export const SOMETHING = /^(.+)$/s;
/** A number from 1 on, as the source of a regular expression. */
export const COUNT: string = String.raw`([1-9]\d{0,14})`;

/** How a command is typed: its name, and what may follow. */
export function usage(
  { name, args }: Pick<Command, "name" | "args">,
): string {
  return args === "" ? name : `${name} ${args}`;
}
