/**
 * The demonstration: a real server and two real clients in a temporary folder, what each of them saw, what crossed
 * the network between them, and what the log holds.
 *
 * @module
 */

import { write } from "../src/base/program.ts";
import { padCells } from "../src/client/terminal/cells.ts";
import { formatInvite, parseInvite } from "../src/keys/invite.ts";
import { Client } from "../tests/kit/client.ts";
import { Folder } from "../tests/kit/folder.ts";
import { TcpProxy } from "../tests/kit/proxy.ts";
import { Server } from "../tests/kit/server.ts";

/** What is said, by whom. */
const CONVERSATION = [
  ["Priyanka", "hello Abhii, what do you know about ciphers?"],
  ["Abhii", "everything, but how can I tell you here?"],
  ["Priyanka", "नमस्ते: nobody else can read this 🔐"],
  ["Abhii", "then let's talk"],
] as const;
/** How many bytes of the network are shown, and how many in a row. */
const SHOWN_BYTES = 160;
const ROW = 16;
const COLUMN = 66;

function heading(text: string): string {
  return `\n── ${text} ${"─".repeat(Math.max(0, 126 - text.length))}\n`;
}

function sideBySide(left: readonly string[], right: readonly string[]) {
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_, at) => {
    const [a = "", b = ""] = [left[at], right[at]];
    return `${padCells(a, COLUMN)}  ${b}\n`;
  }).join("");
}

/** What a client showed, without the date, which is the same all over. */
function saw({ stdout, stderr }: Client): string[] {
  return [...stderr, ...stdout].map((line) =>
    line.replace(/^[\d-]+T([\d:]+)\.\d+Z/, "$1")
  );
}

function dump(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, "0"));
    const shown = [...row].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
    );
    text += `${at.toString(16).padStart(6, "0")}  ${
      hex.join(" ").padEnd(ROW * 3)
    } ${shown.join("")}\n`;
  }
  return text;
}

/** How many of the words that were said stand in the bytes as they are. */
function readableWords(bytes: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(bytes);
  const words = CONVERSATION.flatMap(([name, said]) => [name, said]);
  return words.filter((word) => {
    const encoded = new TextEncoder().encode(word);
    return text.includes(new TextDecoder("latin1").decode(encoded));
  }).length;
}

async function demonstrate(): Promise<void> {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const invite = parseInvite(server.invite);
  await using tap = new TcpProxy(invite.port); // a wire tap
  const tapped = formatInvite({ ...invite, host: "127.0.0.1", port: tap.port });
  const client = (name: string) => Client.plain({ invite: tapped, name });
  await using priyanka = await client("Priyanka");
  await priyanka.line(/as Priyanka/);
  await using abhii = await client("Abhii");
  await priyanka.line(/Abhii joined/);
  for (const [name, text] of CONVERSATION) {
    await (name === "Abhii" ? abhii : priyanka).type(text);
    const said = new RegExp(RegExp.escape(text));
    await Promise.all([priyanka.line(said), abhii.line(said)]);
  }
  await abhii.endInput();
  await abhii.finished();
  await priyanka.line(/Abhii left/);
  await priyanka.endInput();
  await priyanka.finished();

  const bytes = tap.captured;
  const log = await Deno.readTextFile(folder.file("chat.log"));
  write(heading("what Priyanka saw, and what Abhii saw"));
  write(sideBySide(saw(priyanka), saw(abhii)));
  write(heading(`the last of the ${bytes.length} bytes on the network`));
  write(dump(bytes.subarray(-SHOWN_BYTES)));
  write(
    `Of ${CONVERSATION.length * 2} names and messages, ${
      readableWords(bytes)
    } can be read there.\n`,
  );
  write(heading("chat.log, on the server"));
  write(log);
}

if (import.meta.main) await demonstrate();
