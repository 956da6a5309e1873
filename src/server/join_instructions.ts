/**
 * What the server prints of itself: where it listens, and how others join.
 *
 * @module
 */

import { type Address, formatAddress } from "../keys/invite.ts";
import { KeyFile, LOOPBACK } from "../keys/key_file.ts";
import { AdvisedError } from "../base/advised_error.ts";
import { print } from "../base/output.ts";
import {
  clientCommand,
  inviteCommand,
  serverCommand,
} from "../base/program.ts";
import { controlFile, DEFAULT_KEY_FILE, type Values } from "./flags.ts";
import { isLoopback } from "./rate_limits.ts";
import { keepersIn } from "./sealed/open_sealed.ts";

/**
 * Where other machines may find a server; undefined for one that none can reach.
 * @param listening Where it listens.
 */
function outsideAddress({ host, port }: Address): Address | undefined {
  if (isLoopback(host)) return undefined;
  if (host !== "0.0.0.0" && host !== "::") return { host, port };
  const { ipv4, ipv6 } = addressesHere();
  const outside = host === "::" ? ipv4 ?? ipv6 : ipv4;
  return outside === undefined ? undefined : { host: outside, port };
}

/** Addresses of this machine that others may reach: neither its own alone nor those of one cable. */
function addressesHere(): { ipv4?: string; ipv6?: string } {
  const all = Deno.networkInterfaces().filter(({ address }) =>
    !isLoopback(address) && !/^(169\.254\.|fe[89ab].:)/i.test(address)
  );
  const of = (kind: string) => all.filter(({ family }) => family === kind);
  const [ipv4] = of("IPv4");
  const sixes = of("IPv6");
  const isGlobal = ({ address }: Deno.NetworkInterfaceInfo) =>
    !/^f[cd]/i.test(address);
  const ipv6 = sixes.find(isGlobal) ?? sixes[0];
  return {
    ...(ipv4 ? { ipv4: ipv4.address } : {}),
    ...(ipv6 ? { ipv6: ipv6.address } : {}),
  };
}

/** The address for links to a server: this machine itself for one that no other can reach. */
export function linkAddress(listening: Address): Address {
  const { host, port } = listening;
  return outsideAddress(listening) ?? { host: LOOPBACK[host] ?? host, port };
}

/** Why no other machine can reach a server, for a person. */
function whyUnreachable({ host }: Address): string {
  if (isLoopback(host)) return `the server listens on ${host} alone`;
  if (host === "0.0.0.0" && addressesHere().ipv6 !== undefined) {
    return "this machine has no IPv4 address; --host :: listens on IPv6 as well";
  }
  return "this machine is in no network";
}

/** What the server prints at its start. @param created Whether the key was made now. */
export function joinInstructions(
  values: Values,
  keyFile: KeyFile,
  created: boolean,
  sealed?: SealedState,
): string {
  const listening = keyFile.keys.listening ?? { host: "", port: 0 };
  const { host, port } = listening;
  const made = `Made a room key: ${values["key-file"]} (readable by you alone)`;
  const isReachable = outsideAddress(listening) !== undefined;
  return [
    ...(created ? [made] : []),
    `Listening on ${formatAddress(host, port)}, writing to ${values.log}`,
    "",
    ...(sealed
      ? sealedLines(values, keyFile, created, sealed, isReachable)
      : values["invite-only"]
      ? [`To let somebody in:        ${inviteCommand()}`]
      : linkLines(values, keyFile, created, isReachable)),
    ...(isReachable
      ? []
      : [`Nobody can join from elsewhere: ${whyUnreachable(listening)}.`]),
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

/** How to found a sealed room, or who lets others in. */
function sealedLines(
  values: Values,
  keyFile: KeyFile,
  created: boolean,
  { isFounded, keeperNames }: SealedState,
  isReachable: boolean,
): string[] {
  const isHere = values["key-file"] === DEFAULT_KEY_FILE;
  if (isFounded) {
    return [
      "The room is sealed: this server can't read what is said.",
      `To let somebody in:        /invite, by a keeper: ${keeperNames}`,
    ];
  }
  const isShown = created && Deno.stdout.isTerminal();
  const link = isShown
    ? `${clientCommand()} '${linkOf(keyFile)}'`
    : `with the link that ${serverCommand()} --link prints`;
  return [
    "A sealed room: this server won't be able to read what is said.",
    ...(isHere || !isReachable
      ? [`To found it on this machine:   ${isHere ? clientCommand() : link}`]
      : []),
    ...(isReachable ? [`To found it from elsewhere:    ${link}`] : []),
    "",
    "Who opens that link first founds the room, and invites the others.",
  ];
}

/** How to join by the standing link. */
function linkLines(
  values: Values,
  keyFile: KeyFile,
  created: boolean,
  isReachable: boolean,
): string[] {
  // Whoever has the link can come in, and what isn't a terminal may be a journal that others read.
  const isShown = created && Deno.stdout.isTerminal();
  const link = isShown
    ? `${clientCommand()} '${linkOf(keyFile)}'`
    : `with the link that ${serverCommand()} --link prints`;
  const isFound = values["key-file"] === DEFAULT_KEY_FILE; // by a client in this folder
  const here = isFound ? clientCommand() : link;
  const elsewhere = `To join from elsewhere:    ${link}`;
  const warning =
    "Everybody who has that link can come in: send it as you would a password.";
  return [
    ...(isFound || !isReachable ? [`To join on this machine:   ${here}`] : []),
    ...(isReachable ? [elsewhere, "", warning] : []),
  ];
}

/** Prints the link, another one first where that is asked for. @throws {AdvisedError} | {FileError} */
export async function printLink(values: Values): Promise<void> {
  const keyFile = await KeyFile.load(values["key-file"]);
  if (!keyFile) {
    throw new AdvisedError(
      `There is no ${values["key-file"]} yet`,
      `Start a server, which makes it: ${serverCommand()}`,
    );
  }
  if (values["invite-only"]) {
    throw new AdvisedError(
      "There is no link with --invite-only",
      `Make an invite: ${inviteCommand()}`,
    );
  }
  const keepers = await keepersIn(controlFile(values));
  if (keepers !== undefined) {
    throw new AdvisedError(
      "There is no link to a sealed room that is founded",
      `A keeper makes invites, with /invite: ${keepers}`,
    );
  }
  if (!values["rotate-key"]) return print(`${linkOf(keyFile)}\n`);
  await keyFile.rotate();
  print(newLink(keyFile));
}

/** The standing link, for other machines. @throws {AdvisedError} before the server has ever listened. */
function linkOf(keyFile: KeyFile): string {
  const { listening } = keyFile.keys;
  if (!listening) {
    throw new AdvisedError(
      "There is no link yet: it holds the server's address",
      `Start the server once: ${serverCommand()}`,
    );
  }
  const { host, port } = linkAddress(listening);
  return keyFile.inviteFor(host, port);
}

/** What is printed after a new room key was made. */
function newLink(keyFile: KeyFile): string {
  const { listening } = keyFile.keys;
  if (!listening) {
    return `The room has a new link. Once the server has run, ${serverCommand()} --link prints it.\n`;
  }
  const where = outsideAddress(listening)
    ? "To join from elsewhere:  "
    : "To join on this machine: ";
  return [
    "The room has a new link. The old one lets nobody in any more; members stay members.",
    "A running server takes the new one from now on.",
    "",
    `${where}  ${clientCommand()} '${linkOf(keyFile)}'`,
    "",
  ].join("\n");
}
