/**
 * Commands that a server tells its owner to type: with the files that this one was given, or with others of their own.
 *
 * @module
 */

import { inviteCommand, serverCommand } from "../base/program.ts";
import { shellWord } from "../base/shell_word.ts";
import { DEFAULT_KEY_FILE, DEFAULT_LOG, DEFAULT_PEOPLE_FILE } from "./flags.ts";

/** The highest port that there is. */
const MAX_PORT = 65_535;

/** The files of a room that a command is given, each by its flag; left out: the default. */
export interface GivenFiles {
  /** The conversation. */
  readonly log?: string | undefined;
  /** The room's keys. */
  readonly "key-file"?: string | undefined;
  /** Members, names, invites and bans. */
  readonly people?: string | undefined;
  /** A sealed room's members; by default it is beside the log. */
  readonly control?: string | undefined;
}

/** What a server is started with. */
export interface Started extends GivenFiles {
  /** Whether its room is sealed. Default: it isn't. */
  readonly sealed?: boolean;
}

const DEFAULTS: GivenFiles = {
  log: DEFAULT_LOG,
  "key-file": DEFAULT_KEY_FILE,
  people: DEFAULT_PEOPLE_FILE,
};

/** A command with the files that aren't the default ones. */
function withFiles(
  command: string,
  values: GivenFiles,
  names: readonly (keyof GivenFiles)[],
): string {
  const flags = names.map((name) => {
    const path = values[name];
    return path === undefined || path === DEFAULTS[name]
      ? ""
      : ` --${name} ${shellWord(path)}`;
  });
  return command + flags.join("");
}

/** What prints the links of the room that has these files. */
export function linkCommand(values: GivenFiles): string {
  const command = `${serverCommand()} --link`;
  return withFiles(command, values, ["log", "key-file", "control"]);
}

/** What makes an invite to the room that has these files. */
export function inviteCommandFor(values: GivenFiles): string {
  return withFiles(inviteCommand(), values, ["key-file", "people"]);
}

/** What starts the server of the room that has these files. */
export function startCommand(values: Started): string {
  const command = `${serverCommand()}${values.sealed ? " --sealed" : ""}`;
  return withFiles(command, values, ["log", "key-file", "people", "control"]);
}

/** A port to try in the place of one that can't be had. */
export function otherPort(port: number): number {
  return port < MAX_PORT ? port + 1 : port - 1;
}

/** What starts a server of another room. Its files are its own: two servers with one of them in common would spoil it. */
export function anotherRoom(port: number, isSealed: boolean): string {
  const command = `${serverCommand()}${isSealed ? " --sealed" : ""}`;
  return `mkdir room && ${command} --port ${port} --log room/chat.log --key-file room/chat.key --people room/chat.people`;
}
