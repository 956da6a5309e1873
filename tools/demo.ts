/**
 * The demonstration: a real server and two real clients in a temporary folder; what one types, what crosses the
 * network, what the other reads, and what the log holds.
 *
 * @module
 */

import { print } from "../src/base/output.ts";
import { formatInvite, parseInvite } from "../src/keys/invite.ts";
import { assert } from "../tests/kit/assert.ts";
import { Client } from "../tests/kit/client.ts";
import { Folder } from "../tests/kit/folder.ts";
import { TcpProxy } from "../tests/kit/proxy.ts";
import { Server } from "../tests/kit/server.ts";
import { exitCode } from "./run_tool.ts";
import { heading, rows } from "./show.ts";

/** What is said, by whom. */
const CONVERSATION = [
  ["Priyanka", "hello Abhii, what do you know about ciphers?"],
  ["Abhii", "everything, but how can I tell you here?"],
  ["Priyanka", "नमस्ते: nobody else can read this 🔐"],
  ["Abhii", "then let's talk"],
] as const;
/** How many bytes stand in a row. */
const ROW = 16;
/** How many of the bytes that crossed the network are shown. */
const SHOWN_BYTES = 6 * ROW;

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** The bytes, each as a number and as a letter if it is one. */
function dump(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    const shown = [...row].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
    );
    text += `${hex(row).padEnd(ROW * 3)} ${shown.join("")}\n`;
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

/** Has one say something to the other, and shows it typed, on its way, and as it came. */
async function say(
  { from, to, text, tap }: {
    from: { name: string; client: Client };
    to: { name: string; client: Client };
    text: string;
    tap: TcpProxy;
  },
): Promise<void> {
  const before = tap.records.length;
  await from.client.type(text);
  const said = new RegExp(RegExp.escape(`${from.name}: ${text}`));
  const received = await to.client.line(said);
  const sent = tap.records.slice(before).find(({ direction, bytes }) =>
    direction === "up" && bytes.length > text.length // others are small
  );
  assert(sent);
  const { bytes } = sent;
  print(`${from.name} types`.padEnd(17) + `${text}\n`);
  print(
    `  on the network ${
      hex(bytes.subarray(0, ROW))
    } … (${bytes.length} bytes)\n`,
  );
  print(`${to.name} reads`.padEnd(17) + `${received[0]}\n\n`);
}

/** @returns The exit code. */
async function demonstrate(): Promise<number> {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const invite = parseInvite(server.invite);
  await using tap = new TcpProxy(invite.port); // a wire tap
  const tapped = formatInvite({ ...invite, host: "127.0.0.1", port: tap.port });
  const client = (name: string) => Client.plain({ invite: tapped, name });
  await using priyanka = await client("Priyanka");
  await server.hasJoined("Priyanka");
  await using abhii = await client("Abhii");
  await priyanka.line(/Abhii joined/);
  const both = [
    { name: "Priyanka", client: priyanka },
    { name: "Abhii", client: abhii },
  ] as const;

  print(heading("a server, two clients, and a wire tap between them"));
  for (const [name, text] of CONVERSATION) {
    const [from, to] = name === "Abhii" ? [both[1], both[0]] : both;
    await say({ from, to, text, tap });
  }
  await abhii.endInput();
  await abhii.finished();
  await priyanka.line(/Abhii left/);
  await priyanka.endInput();
  await priyanka.finished();

  const bytes = tap.captured;
  const log = await Deno.readTextFile(folder.file("chat.log"));
  print(heading(`the last of all ${bytes.length} bytes on the network`));
  print(dump(bytes.subarray(-SHOWN_BYTES)));
  print(
    `\nOf the ${CONVERSATION.length * 2} names and messages, ${
      readableWords(bytes)
    } can be read there.\n\n`,
  );
  print(heading("chat.log, which the server keeps"));
  for (const line of log.trimEnd().split("\n")) print(rows(line));
  return 0;
}

if (import.meta.main) Deno.exit(await exitCode(demonstrate));
