/**
 * What the server prints at its start: where it listens, and how others join.
 *
 * @module
 */

import { spokenFingerprint } from "../../crypto_utils.ts";
import { formatAddress } from "../keys/invite.ts";
import type { KeyFile } from "../keys/key_file.ts";
import { clientCommand } from "../base/program.ts";
import { DEFAULT_KEY_FILE, type Values } from "./flags.ts";

/** An address under which other machines may find this one, undefined if it has none. */
function outsideAddress(): string | undefined {
  const addresses = Deno.networkInterfaces();
  return addresses.find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.") &&
    !address.startsWith("169.254.")
  )?.address;
}

/** What the server prints at its start. */
export function greeting(
  values: Values,
  keyFile: KeyFile,
  created: boolean,
): string {
  const { host, port } = keyFile.keys.listening ?? { host: "", port: 0 };
  const everywhere = host === "0.0.0.0" || host === "::";
  const local = everywhere ? "127.0.0.1" : host;
  const outside = everywhere ? outsideAddress() : host;
  const isDefault = values["key-file"] === DEFAULT_KEY_FILE;
  const here = isDefault ? "" : ` '${keyFile.inviteFor(local, port)}'`;
  const lines = [
    `Listening on ${formatAddress(host, port)}, writing to ${values.log}`,
    "",
    `To join on this machine:   ${clientCommand()}${here}`,
    `To join from elsewhere:    ${clientCommand()} '${
      keyFile.inviteFor(outside ?? local, port)
    }'`,
  ];
  if (values.passphrase !== undefined) {
    const where = `--host ${outside ?? local} --port ${port}`;
    lines.push(
      `To join by passphrase:     ${clientCommand()} ${where} --passphrase`,
      // A client shows it the first time, and asks whether it is the right one.
      `The server's fingerprint:  ${
        spokenFingerprint(keyFile.keys.keyPair.publicKey)
      }`,
    );
  }
  lines.push(
    "",
    "Everybody who has that link can come in: send it as you would a password.",
    "Ctrl-C stops the server.",
  );
  const made = `Made a room key: ${values["key-file"]} (readable by you alone)`;
  return (created ? [made, ...lines] : lines).join("\n");
}

/** What is printed after a new room key was made. */
export function newLink(keyFile: KeyFile): string {
  const { listening } = keyFile.keys;
  const lines = ["The room has a new key. Old links no longer work."];
  if (listening) {
    const { host, port } = listening;
    const everywhere = host === "0.0.0.0" || host === "::";
    const outside = everywhere ? outsideAddress() ?? "127.0.0.1" : host;
    lines.push(
      "A running server takes it over within seconds, and its members stay.",
      "",
      `To join from elsewhere:    ${clientCommand()} '${
        keyFile.inviteFor(outside, port)
      }'`,
    );
  } else lines.push("The server prints the new link when it starts.");
  return `${lines.join("\n")}\n`;
}
