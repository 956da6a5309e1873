/**
 * The commands that a person can type: one table, a row each, from which come `/help`, completion and the list in
 * the README.
 *
 * @module
 */

import { type Actions, HISTORY_COUNT } from "../actions.ts";
import { byName, type Ignored } from "../ignored.ts";
import { qrLines } from "../../base/qr.ts";
import { parseName } from "../../protocol/names.ts";
import { nearest } from "../../base/nearest.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import { escapeText } from "../../base/safe_text.ts";
import { whoIsHere } from "./who.ts";
import { REFUSALS } from "../../protocol/reasons.ts";
import { padCells, width } from "./cells.ts";

/** What a command may ask and do, at a terminal. */
export interface CommandContext extends Actions {
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
  /** Tells one line to the person who typed. */
  note(text: string): void;
  /** What the person has set. */
  readonly settings: Settings;
  /** Writes what was shown to a new file. */
  save(path: string): Promise<void>;
  /** The time, ms since 1970. Default: the machine's. */
  readonly now?: () => number;
  /** The time zone for times (IANA name). Default: the machine's. */
  readonly zone?: string;
}

/** A row of the table. */
export interface Command {
  /** What is typed, with its slash. */
  readonly name: string;
  /** What may follow, as `/help` shows it; empty if nothing may. */
  readonly args: string;
  /** What it does, for `/help`. */
  readonly help: string;
  /** What may follow, as it is checked; its groups are given to `run`. */
  readonly takes: RegExp;
  /** What can stand after the name, for completion. */
  readonly offers?: "names" | readonly string[];
  /** Does it; what it says goes out before the next line is taken. */
  readonly run: (
    context: CommandContext,
    ...args: string[]
  ) => void | Promise<void>;
}

/** How many days an invite lasts that is made here. */
const INVITE_DAYS = 7;

const NOTHING = /^$/;
const ANYTHING = /^(.*)$/s;
const SOMETHING = /^(.+)$/s;
const COUNT = String.raw`([1-9]\d{0,14})`;

/** Every command, in the order in which `/help` shows them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "/help",
    args: "[operators]",
    help: "List the commands, or those for operators",
    takes: /^(operators)?$/,
    offers: ["operators"],
    run: (context, which) =>
      showHelp(context, which === undefined ? COMMANDS : OPERATOR_COMMANDS),
  },
  {
    name: "/who",
    args: "",
    help: "List who is here: name, id, since when, idle",
    takes: NOTHING,
    run: ({ note, who, now, zone }) =>
      whoIsHere(who(), (now ?? Date.now)(), zone).forEach((line) => note(line)),
  },
  {
    name: "/nick",
    args: "NAME",
    help: "Change your name",
    takes: SOMETHING,
    run: rename,
  },
  {
    name: "/release",
    args: "",
    help: "Give up the names that you had before this one",
    takes: NOTHING,
    run: ({ release }) => release(),
  },
  {
    name: "/verify",
    args: "NAME [ok]",
    help: "Compare digits with NAME, to be sure of each other",
    takes: /^(\S+)(?:\s+(ok))?$/,
    offers: "names",
    run: verify,
  },
  {
    name: "/me",
    args: "ACTION",
    help: "Describe what you do: /me waves",
    takes: SOMETHING,
    offers: "names",
    run: ({ act }, action = "") => act(action),
  },
  {
    name: "/re",
    args: "N TEXT",
    help: "Answer message N",
    takes: new RegExp(String.raw`^${COUNT}\s+(.+)$`, "s"),
    run: ({ reply }, to, text = "") => reply(Number(to), text),
  },
  {
    name: "/history",
    args: "[N]",
    help: `Show the last N lines (${HISTORY_COUNT})`,
    takes: new RegExp(`^(?:${COUNT})?$`),
    run: ({ history }, count) => history(Number(count ?? HISTORY_COUNT)),
  },
  {
    name: "/search",
    args: "WORDS",
    help: "Search everything that the server keeps",
    takes: SOMETHING,
    run: ({ search }, words = "") => search(words),
  },
  {
    name: "/send",
    args: "FILE",
    help: "Offer a file to the room",
    takes: SOMETHING,
    run: ({ send }, path = "") => send(path),
  },
  {
    name: "/get",
    args: "N",
    help: "Download the file of offer N",
    takes: new RegExp(`^${COUNT}$`),
    run: ({ get }, offer) => get(Number(offer)),
  },
  {
    name: "/drop",
    args: "N",
    help: "Stop downloading file N, or stop offering it",
    takes: new RegExp(`^${COUNT}$`),
    run: ({ drop }, offer) => drop(Number(offer)),
  },
  {
    name: "/ignore",
    args: "[NAME]",
    help: "Hide NAME's messages, or show them again; without NAME: list",
    takes: ANYTHING,
    offers: "names",
    run: ignore,
  },
  {
    name: "/away",
    args: "[TEXT]",
    help: "Say that you are away; without TEXT: back again",
    takes: ANYTHING,
    run: ({ away }, text = "") => away(text),
  },
  {
    name: "/bell",
    args: "off|mentions|all",
    help: "Ring the bell: never, on mentions, on every message",
    takes: /^(off|mentions|all)$/,
    offers: ["off", "mentions", "all"],
    run: (context, bell = "") => set(context, "bell", bell),
  },
  {
    name: "/set",
    args: "[KEY VALUE]",
    help: "Change a setting; without KEY: list them",
    takes: /^(?:(\S+)\s+(\S+))?$/,
    offers: SETTINGS.map(({ key }) => key),
    run: (context, key, value = "") =>
      key === undefined ? showSettings(context) : set(context, key, value),
  },
  {
    name: "/save",
    args: "FILE",
    help: "Save what was shown here to a new file",
    takes: SOMETHING,
    run: ({ save }, path = "") => save(path),
  },
  {
    name: "/quit",
    args: "[TEXT]",
    help: "Leave the room, as Ctrl-D and Ctrl-C do",
    takes: ANYTHING,
    run: ({ quit }, text) => text ? quit(text) : quit(),
  },
];

/** What only operators may do, in the order in which `/help operators` shows it. */
export const OPERATOR_COMMANDS: readonly Command[] = [
  {
    name: "/invite",
    args: "[NOTE]",
    help: "Make a link that lets in one person within 7 days",
    takes: ANYTHING,
    run: ({ operate }, note = "") =>
      operate("invite", String(INVITE_DAYS), note, 1),
  },
  {
    name: "/invites",
    args: "",
    help: "List the invites that are open",
    takes: NOTHING,
    run: ({ operate }) => operate("invites"),
  },
  {
    name: "/revoke",
    args: "N",
    help: "Close invite N",
    takes: new RegExp(`^${COUNT}$`),
    run: ({ operate }, id) => operate("revoke", id),
  },
  about("/kick", "kick", "Remove NAME, who may come back"),
  {
    name: "/ban",
    args: "NAME [DAYS]",
    help: "Remove NAME, for DAYS or for good, and replace NAME's link",
    takes: new RegExp(String.raw`^(\S+)(?:\s+${COUNT})?$`),
    offers: "names",
    run: ({ operate }, name, days) =>
      operate("ban", name, "", Number(days ?? 0)),
  },
  about("/unban", "unban", "Let NAME come in again"),
  {
    name: "/bans",
    args: "",
    help: "List who is banned",
    takes: NOTHING,
    run: ({ operate }) => operate("bans"),
  },
  about("/op", "op", "Make NAME an operator"),
  about("/deop", "deop", "Make NAME an operator no longer"),
  {
    name: "/topic",
    args: "[TEXT]",
    help: "Set the topic; without TEXT: none",
    takes: ANYTHING,
    run: ({ operate }, text = "") => operate("topic", "", text),
  },
  {
    name: "/slow",
    args: "SECONDS",
    help: "Slow mode: one message of a member every SECONDS; 0: off",
    takes: /^(\d{1,4})$/,
    run: ({ operate }, seconds) => operate("slow", "", "", Number(seconds)),
  },
];

/** A command about somebody, by name or id. */
function about(
  name: string,
  what: "kick" | "unban" | "op" | "deop",
  help: string,
): Command {
  const run: Command["run"] = ({ operate }, who) => operate(what, who);
  return { name, args: "NAME", help, takes: /^(\S+)$/, offers: "names", run };
}

/** Every command that can be typed. */
const ALL = () => [...COMMANDS, ...OPERATOR_COMMANDS];

/** How a command is typed: its name, and what may follow. */
export function usage({ name, args }: Command): string {
  return args === "" ? name : `${name} ${args}`;
}

/**
 * Runs the line if it is a command. A line that begins with two slashes is a text that begins with one.
 * A mistyped command is told to the person and never sent.
 * @returns The text to send, null if there is none.
 */
export async function interpret(
  line: string,
  context: CommandContext,
): Promise<string | null> {
  if (line.startsWith("//")) return line.slice(1);
  if (!line.startsWith("/")) return line;
  const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = findCommand(word);
  if (!command) {
    context.note(unknownCommand(word));
    return null;
  }
  const match = command.takes.exec(rest.trimEnd());
  if (match) {
    await command.run(context, ...match.slice(1));
  } else {
    context.note(
      `Usage: ${usage(command)}. To send that line, begin it with two slashes`,
    );
  }
  return null;
}

/** The command of a name, in either case. */
export function findCommand(word: string): Command | undefined {
  return ALL().find(({ name }) => name === word.toLowerCase());
}

function unknownCommand(word: string): string {
  const meant = nearest(word.slice(1), ALL().map(({ name }) => name.slice(1)));
  const advice = meant ? `Did you mean /${meant}?` : "/help shows them all.";
  return `Unknown command "${word}". ${advice} To send that line, begin it with two slashes`;
}

function showHelp(
  { note }: CommandContext,
  commands: readonly Command[],
): void {
  const widest = Math.max(...commands.map((row) => usage(row).length));
  for (const command of commands) {
    note(`${usage(command).padEnd(widest)}  ${command.help}`);
  }
  if (commands !== COMMANDS) return;
  note(`${"//…".padEnd(widest)}  Send a text that begins with a slash`);
}

function verify(
  { note, verification, verify }: CommandContext,
  name = "",
  ok?: string,
): void {
  const found = verification(name);
  if (!found) return note(`No "${name}" here. /who lists who is`);
  if (found === "yourself") return note("That is you");
  if (ok !== undefined) {
    verify(name);
    return note(`Remembered: ${name} is who you think`);
  }
  note(`You and ${name} see the same digits, if nobody is between you:`);
  for (const digits of found.digits) note(`    ${digits}`);
  for (const line of qrLines(found.code)) note(line);
  note(
    found.isVerified
      ? "You have compared them before."
      : `If they are the same: /verify ${name} ok`,
  );
}

function rename({ note, rename }: CommandContext, text = ""): void {
  const name = parseName(text);
  if (typeof name === "string") note(REFUSALS[name]);
  else rename(name.shown);
}

function ignore({ note, who, ignored }: CommandContext, name = ""): void {
  if (name === "") {
    const names = ignored.members.map(({ name }) => escapeText(name));
    note(`Ignored: ${names.length === 0 ? "nobody" : names.join(", ")}`);
    return;
  }
  const known = ignored.find(name);
  const member = byName(who(), name);
  if (known) {
    ignored.remove(known);
    note(`No longer ignored: ${known.name}`);
  } else if (member) {
    ignored.add(member);
    note(`Ignored now, under any name: ${member.name}`);
  } else {
    note(`No "${name}" here. /who lists who is`);
  }
}

function set({ note, settings }: CommandContext, key: string, value: string) {
  try {
    settings.set(key, value);
    note(`${key} is now ${value}`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    note(error.message);
  }
}

function showSettings({ note, settings }: CommandContext): void {
  const heads = SETTINGS.map(({ key }) => `${key} ${settings.get(key)}`);
  const widest = Math.max(...heads.map(width));
  for (const [index, setting] of SETTINGS.entries()) {
    const range = "choices" in setting
      ? setting.choices.join(", ")
      : `${setting.min} to ${setting.max}`;
    note(`${padCells(heads[index] ?? "", widest)}  ${setting.help} (${range})`);
  }
}
