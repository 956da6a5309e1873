/**
 * What the server prints of itself: where it listens, and how others join.
 *
 * @module
 */

import { reachableAddress, roomPlace, whyUnreachable } from "./addresses.ts";
import { formatAddress } from "../keys/invite.ts";
import { KeyFile } from "../keys/key_file.ts";
import { AdvisedError } from "../base/advised_error.ts";
import { print } from "../base/output.ts";
import { clientCommand } from "../base/program.ts";
import {
  controlFile,
  DEFAULT_KEY_FILE,
  tokenFile,
  type Values,
} from "./flags.ts";
import type { HttpPort } from "./http/http_port.ts";
import { inviteCommandFor, linkCommand, startCommand } from "./own_commands.ts";
import { shellWord } from "../base/shell_word.ts";
import { webLines, webLink, webLinksOf } from "./web/web_links.ts";
import { keepersIn } from "./sealed/open_sealed.ts";

const FOUNDING =
  "Who opens that link first creates the room, and invites the others.";
const WARNING =
  "Everybody who has that link can come in: send it as you would a password.";
/** How wide what stands before a link is, columns, and in a sealed room that is to be founded. */
const LABEL = 27;
const SEALED_LABEL = 31;

/**
 * What the server prints at its start.
 * @param created Whether the key was made now. @param others What it has to do with a sealed room, and where it listens
 * for browsers and for programs, if it does.
 */
export function joinInstructions(
  values: Values,
  keyFile: KeyFile,
  created: boolean,
  { sealed, web, http, isShown = Deno.stdout.isTerminal() }: {
    readonly sealed: SealedState | undefined;
    readonly web: string | undefined;
    readonly http: Pick<HttpPort, "listening" | "example"> | undefined;
    /** Whether links may be shown. Default: at a terminal. */
    readonly isShown?: boolean;
  },
): string {
  const listening = keyFile.keys.listening ?? { host: "", port: 0 };
  const { host, port } = listening;
  const made = `Made a room key: ${values["key-file"]} (readable by you alone)`;
  const isReachable = reachableAddress(keyFile.keys) !== undefined;
  const forBrowsers = web === undefined ? "" : `, for browsers on ${web}`;
  const forPrograms = http ? `, for programs on ${http.listening}` : "";
  const hasLink = !sealed && !values["invite-only"];
  const hints = {
    // What isn't a terminal may be a journal that others read.
    link: sealed?.isFounded
      ? undefined
      : !values["invite-only"] && isShown && linkOf(keyFile, values),
    source: values["invite-only"]
      ? `a link that ${inviteCommandFor(values)} makes`
      : `the link that ${linkCommand(values)} prints`,
    isSealed: sealed !== undefined,
    width: sealed && !sealed.isFounded ? SEALED_LABEL : LABEL,
  };
  const browsers = webLines(keyFile.keys, hints);
  const byLink = (verb: string) => {
    // Who has a link can come in. Those for a browser are shown at each start, since a person opens them from there.
    const link = created && hints.link
      ? `${clientCommand()} '${hints.link}'`
      : `with ${hints.source}`;
    const isFound = values["key-file"] === DEFAULT_KEY_FILE; // by a client in this folder
    const line = (where: string, how: string) =>
      `To ${verb} ${where}:`.padEnd(hints.width) + how;
    return [
      ...(isFound || !isReachable
        ? [line("on this machine", isFound ? clientCommand() : link)]
        : []),
      ...(isReachable ? [line("from elsewhere", link)] : []),
    ];
  };
  return [
    ...(created ? [made] : []),
    `Listening on ${
      formatAddress(host, port)
    }${forBrowsers}${forPrograms}, writing to ${values.log}`,
    "",
    ...(sealed
      ? sealedLines(sealed, byLink)
      : values["invite-only"]
      ? [`To let somebody in:        ${inviteCommandFor(values)}`]
      : byLink("join")),
    ...browsers.links,
    ...programLines(values, http),
    ...(hasLink && (isReachable || browsers.isReachable) ? ["", WARNING] : []),
    ...(sealed?.isFounded === false ? ["", FOUNDING] : []),
    ...browsers.notes,
    ...(isReachable ? [] : [
      browsers.isReachable
        ? `Terminals on other machines can't join: ${
          whyUnreachable(listening)
        }.`
        : `Nobody can join from elsewhere: ${whyUnreachable(listening)}.`,
    ]),
    "Ctrl-C stops the server.",
  ].join("\n");
}

/** What is said of a sealed room. */
export interface SealedState {
  /** Whether somebody founded it. */
  readonly isFounded: boolean;
  /** The names of its keepers, as a list in words. */
  readonly keeperNames: string;
}

/** How to found a sealed room, or who lets others in. @param byLink How to do it by the link. */
function sealedLines(
  { isFounded, keeperNames }: SealedState,
  byLink: (verb: string) => string[],
): string[] {
  return isFounded
    ? [
      "The room is sealed: this server can't read what is said.",
      `To let somebody in:        /invite, by a keeper: ${keeperNames}`,
    ]
    : [
      "A sealed room: this server won't be able to read what is said.",
      ...byLink("create it"),
    ];
}

/** How a program says something: its token stays out of what it is started with, which others on the machine can read. */
function programLines(
  values: Values,
  http: Pick<HttpPort, "example"> | undefined,
): string[] {
  if (!http?.example) return [];
  const { name, url } = http.example;
  const header = `sed -n '/^${name} /{s//Authorization: Bearer /p;q}'`;
  return [
    `For a program on this machine, here under the name "${name}":`,
    `    ${header} ${shellWord(tokenFile(values))} |`,
    `        curl -sS -H @- --data 'Hello' ${shellWord(`${url}/say`)}`,
  ];
}

/** Prints the link, another one first where that is asked for. @throws as `linkText`. */
export async function printLink(values: Values): Promise<void> {
  print(await linkText(values));
}

/** What is printed of the link, of another one where that is asked for. @throws {AdvisedError} | {FileError} */
export async function linkText(values: Values): Promise<string> {
  const keyFile = await KeyFile.load(values["key-file"]);
  if (!keyFile) {
    throw new AdvisedError(
      `There is no ${values["key-file"]} yet`,
      `Start a server, which makes it: ${startCommand(values)}`,
    );
  }
  if (values["invite-only"]) {
    throw new AdvisedError(
      "There is no link with --invite-only",
      `Make an invite: ${inviteCommandFor(values)}`,
    );
  }
  const keepers = await keepersIn(controlFile(values));
  if (keepers !== undefined) {
    throw new AdvisedError(
      "There is no link to a sealed room that is founded",
      `A keeper makes invites, with /invite: ${keepers}`,
    );
  }
  if (!values["rotate-key"]) {
    const link = linkOf(keyFile, values);
    return [link, ...webLinksOf(keyFile.keys, link), ""].join("\n");
  }
  await keyFile.rotate();
  return newLink(keyFile, values);
}

/** A link for somebody, and the same for browsers where the server serves them, a line each. */
export function bothLinks({ keys }: KeyFile, link: string): string {
  return [link, webLink(keys, link) ?? [], ""].flat().join("\n");
}

/** The standing link, for other machines. @throws {AdvisedError} before the server has ever listened. */
function linkOf(keyFile: KeyFile, values: Values): string {
  const place = roomPlace(keyFile.keys);
  if (!place) {
    throw new AdvisedError(
      "There is no link yet: it holds the server's address",
      `Start the server once: ${startCommand(values)}`,
    );
  }
  const { host, port, others } = place;
  return keyFile.inviteFor(host, port, others);
}

/** What is printed after a new room key was made. */
function newLink(keyFile: KeyFile, values: Values): string {
  const { listening } = keyFile.keys;
  if (!listening) {
    return `The room has a new link. Once the server has run, ${
      linkCommand(values)
    } prints it.\n`;
  }
  const link = linkOf(keyFile, values);
  const web = webLinksOf(keyFile.keys, link);
  const where = reachableAddress(keyFile.keys)
    ? "To join from elsewhere:"
    : "To join on this machine:";
  return [
    "The room has a new link. The old one lets nobody in any more; members stay members.",
    "A running server takes the new one from now on.",
    "",
    `${where.padEnd(LABEL)}${clientCommand()} '${link}'`,
    ...web.map((it) => "In a browser:".padEnd(LABEL) + it),
    "",
  ].join("\n");
}
