/**
 * The commands that can be typed in any front end, in the order in which `/help` shows them: a row each, from which come
 * `/help`, completion and the list in `docs/client.md`.
 *
 * @module
 */

import { CHANGE_COMMANDS } from "./change_commands.ts";
import { HISTORY_COUNT, MAX_HISTORY } from "../actions.ts";
import { logCommand } from "../../base/program.ts";
import {
  ANYTHING,
  type Command,
  COUNT,
  NOTHING,
  SOMETHING,
} from "./command.ts";
import { ignore, rename, unignore, verify } from "./people_commands.ts";
import { roomKind, whoIsHere } from "./who.ts";

/** Those for talking, and for what was said. */
export const TALK_COMMANDS: readonly Command[] = [
  {
    name: "/who",
    aliases: ["/names"],
    args: "",
    help: "List who is here: name, id, since when, idle",
    more:
      "An id stays the same whatever name its person takes, and may be given instead of a name.",
    example: "/who",
    takes: NOTHING,
    run: ({ note, table, who, isSelf, keepers, now = Date.now, zone }) => {
      const present = who();
      const kind = present.length === 0 ? [] : [[roomKind(keepers())]] as const;
      for (const rows of [whoIsHere(present, isSelf, now(), zone), kind]) {
        for (const line of table(rows)) note(line);
      }
    },
  },
  {
    name: "/nick",
    args: "NAME",
    help: "Change your name",
    more:
      "A name has 1 to 32 letters, digits, hyphens, underscores or dots, and is yours from then on.",
    example: "/nick Abhii",
    takes: SOMETHING,
    run: rename,
  },
  {
    name: "/release",
    args: "",
    help: "Give up the names that you had before this one",
    more: "Others can take them then.",
    example: "/release",
    takes: NOTHING,
    run: ({ release }) => release(),
  },
  {
    name: "/verify",
    args: "NAME [ok]",
    help: "Compare digits with NAME, to be sure of each other",
    more:
      "Both of you type it and read the digits to each other, by telephone or side by side. If they are the same, add ok, and you will be warned if that name ever comes with another id. NAME may be an id.",
    example: "/verify Abhii ok",
    takes: /^(\S+)(?:\s+(ok))?$/,
    offers: ["names", ["ok"]],
    run: verify,
  },
  {
    name: "/me",
    args: "ACTION",
    help: "Describe what you do: /me waves",
    more: "Everybody reads it after your name.",
    example: "/me waves",
    takes: SOMETHING,
    offers: ["text"],
    run: ({ act }, action = "") => act(action),
  },
  {
    name: "/re",
    aliases: ["/reply"],
    args: "N TEXT",
    help: "Answer message N",
    more:
      "The number stands beside each message; Tab offers the latest. What you answer is shown above your text.",
    example: "/re 42 yes, at five",
    takes: new RegExp(String.raw`^${COUNT}\s+(.+)$`, "s"),
    offers: ["spoken", "text"],
    run: ({ reply }, to, text = "") => reply(Number(to), text),
  },
  ...CHANGE_COMMANDS,
  {
    name: "/msg",
    args: "NAME TEXT",
    help: "Write to NAME alone",
    more:
      "Nobody else can read it, and it is not in the log; /verify NAME once, so that the server cannot come between you. Who is away gets it on coming back within 7 days. NAME may be an id.",
    example: "/msg Abhii see you at six",
    takes: /^(\S+)\s+(.+)$/s,
    offers: ["names", "text"],
    run: ({ write }, name = "", text = "") => write(name, text),
  },
  {
    name: "/history",
    args: "[N]",
    help: `Show the last N lines (${HISTORY_COUNT})`,
    more: `At most ${MAX_HISTORY}.`,
    example: "/history 50",
    takes: new RegExp(`^(?:${COUNT})?$`),
    run: ({ history }, count) => history(Number(count ?? HISTORY_COUNT)),
  },
  {
    name: "/search",
    args: "WORDS",
    help: "Search everything that the server keeps",
    more:
      "It shows the latest lines that have all the WORDS, in the text or in the name, in capitals or not.",
    example: "/search hut key",
    takes: SOMETHING,
    offers: ["text"],
    run: ({ search }, words = "") => search(words),
  },
  {
    name: "/agree",
    args: "[N]",
    help: "Compare digits for the history up to line N (the last)",
    more:
      `Others type it with the same N: who sees the same digits has the same history up to there. On the server: ${logCommand()} --agree N.`,
    example: "/agree 42",
    takes: new RegExp(`^(?:${COUNT})?$`),
    run: ({ agree }, seq) => agree(seq === undefined ? seq : Number(seq)),
  },
  {
    name: "/accept",
    args: "",
    help: "Go on where history is not what you saw",
    more:
      "The server's history changed since you were here last: ask its owner why before you accept that.",
    example: "/accept",
    takes: NOTHING,
    run: ({ accept }) => accept(),
  },
];

/** Those for files that others offer. */
export const FILE_COMMANDS: readonly Command[] = [
  {
    name: "/get",
    args: "N",
    help: "Download the file of offer N",
    more:
      "The number stands beside the offer; Tab offers those that you do not have.",
    example: "/get 42",
    takes: new RegExp(`^${COUNT}$`),
    offers: ["offered"],
    run: ({ get }, offer) => get(Number(offer)),
  },
  {
    name: "/drop",
    args: "N",
    help: "Stop downloading file N, or stop offering it",
    more: "What has come so far is kept, and /get goes on from there.",
    example: "/drop 42",
    takes: new RegExp(`^${COUNT}$`),
    offers: ["taking"],
    run: ({ drop }, offer) => drop(Number(offer)),
  },
];

/** Those for whom one doesn't want to read, and for being away. */
export const QUIET_COMMANDS: readonly Command[] = [
  {
    name: "/ignore",
    args: "[NAME]",
    help: "Hide NAME's messages; without NAME: list whom you hide",
    more:
      "It holds for the person, whatever name they take, and for later runs. Given again, it shows the messages again, as /unignore does. NAME may be an id.",
    example: "/ignore eve",
    takes: ANYTHING,
    offers: ["names"],
    run: ignore,
  },
  {
    name: "/unignore",
    args: "NAME",
    help: "Show NAME's messages again",
    more:
      "NAME is the name that they go by now, the one that they had, or their id: /ignore lists them.",
    example: "/unignore eve",
    takes: /^(\S+)$/,
    offers: ["ignored"],
    run: unignore,
  },
  {
    name: "/away",
    args: "[TEXT]",
    help: "Say that you are away; without TEXT: back again",
    more: "Everybody is told, and sees it by /who.",
    example: "/away until nine",
    takes: ANYTHING,
    offers: ["text"],
    run: ({ away }, text = "") => away(text),
  },
];

/** The one for leaving. */
export const QUIT_COMMAND: Command = {
  name: "/quit",
  aliases: ["/exit"],
  args: "[TEXT]",
  help: "Leave the room, as Ctrl-D does",
  more: "TEXT is told to the others as your reason.",
  example: "/quit see you",
  takes: ANYTHING,
  offers: ["text"],
  run: ({ quit }, text) => text ? quit(text) : quit(),
};
