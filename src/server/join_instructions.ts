/**
 * What the server prints of itself: where it listens, and how others join.
 *
 * @module
 */

import { type Address, formatAddress } from "../keys/invite.ts";
import { KeyFile } from "../keys/key_file.ts";
import {
  clientCommand,
  inviteCommand,
  serverCommand,
  write,
} from "../base/program.ts";
import { DEFAULT_KEY_FILE, type Values } from "./flags.ts";
import { StartError } from "./start_error.ts";

/** Where other machines may find a server; this machine itself where it has no other address. */
export function outsideAddress({ host, port }: Address): Address {
  if (host !== "0.0.0.0" && host !== "::") return { host, port };
  const outside = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.") &&
    !address.startsWith("169.254.")
  );
  return { host: outside?.address ?? "127.0.0.1", port };
}

/** What the server prints at its start. @param created Whether the key was made now. */
export function joinInstructions(
  values: Values,
  keyFile: KeyFile,
  created: boolean,
): string {
  const { host, port } = keyFile.keys.listening ?? { host: "", port: 0 };
  const lines = [
    `Listening on ${formatAddress(host, port)}, writing to ${values.log}`,
    "",
  ];
  if (values["invite-only"]) {
    lines.push(`To let somebody in:        ${inviteCommand()}`);
  } else {
    // Whoever has the link can come in, and what isn't a terminal may be a journal that others read.
    const isShown = created && Deno.stdout.isTerminal();
    const link = isShown
      ? `${clientCommand()} '${linkOf(keyFile)}'`
      : `with the link that ${serverCommand()} --link prints`;
    if (values["key-file"] === DEFAULT_KEY_FILE) {
      lines.push(`To join on this machine:   ${clientCommand()}`);
    }
    lines.push(
      `To join from elsewhere:    ${link}`,
      "",
      "Everybody who has that link can come in: send it as you would a password.",
    );
  }
  lines.push("Ctrl-C stops the server.");
  const made = `Made a room key: ${values["key-file"]} (readable by you alone)`;
  return (created ? [made, ...lines] : lines).join("\n");
}

/** Prints the link, another one first where that is asked for. @throws {StartError} | {FileError} */
export async function printLink(values: Values): Promise<void> {
  const keyFile = await KeyFile.load(values["key-file"]);
  if (!keyFile) {
    throw new StartError(
      `There is no ${values["key-file"]} yet`,
      `Start a server, which makes it: ${serverCommand()}`,
    );
  }
  if (values["invite-only"]) {
    throw new StartError(
      "There is no link with --invite-only",
      `Make an invite: ${inviteCommand()}`,
    );
  }
  if (!values["rotate-key"]) return write(`${linkOf(keyFile)}\n`);
  await keyFile.rotate();
  write(newLink(keyFile));
}

/** The standing link, for other machines. @throws {StartError} before the server has ever listened. */
function linkOf(keyFile: KeyFile): string {
  const { listening } = keyFile.keys;
  if (!listening) {
    throw new StartError(
      "There is no link yet: it holds the server's address",
      `Start the server once: ${serverCommand()}`,
    );
  }
  const { host, port } = outsideAddress(listening);
  return keyFile.inviteFor(host, port);
}

/** What is printed after a new room key was made. */
function newLink(keyFile: KeyFile): string {
  const lines = [
    "The room has a new link. The old one lets nobody in any more; members stay members.",
  ];
  if (keyFile.keys.listening) {
    lines.push(
      "A running server takes it over within seconds.",
      "",
      `To join from elsewhere:    ${clientCommand()} '${linkOf(keyFile)}'`,
    );
  } else {lines.push(
      `Once the server has run, ${serverCommand()} --link prints it.`,
    );}
  return `${lines.join("\n")}\n`;
}
