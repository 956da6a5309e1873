/**
 * What a proxy says before all else of whom it passes on: the PROXY protocol, version 2, as HAProxy's specification has
 * it ("The PROXY protocol, Versions 1 & 2", section 2.2).
 *
 *     0D0A0D0A000D0A515549540A ─ 2 and COMMAND ─ FAMILY ─ LENGTH (2 bytes) ─ source, destination, ports, and more
 *
 * Version 1, a line of text, is not taken: nobody needs both.
 *
 * @module
 */

import { addressText } from "../base/networks.ts";
import { GoneError, type Stream } from "../protocol/record_reader.ts";
import { WireError } from "../protocol/records.ts";

/** What stands first. */
const SIGNATURE = Uint8Array.fromHex("0d0a0d0a000d0a515549540a");
/** What always comes, bytes; the rest is as long as the last two of them say. */
const HEAD_SIZE = 16;
/** The longest header that is taken, bytes: what fits into the smallest segment of TCP, as the specification has it. */
const MAX_SIZE = 536;
/** The version and the command: a connection of the proxy's own, or one that it passes on. */
const LOCAL = 0x20;
const PROXY = 0x21;
/** How many bytes an address has, by family and transport: TCP over IPv4, TCP over IPv6. */
const ADDRESS_SIZES: Readonly<Record<number, number>> = { 0x11: 4, 0x21: 16 };
/** How many bytes the two ports have. */
const PORTS_SIZE = 4;

/**
 * Reads a header, and not a byte beyond it.
 * @returns The address from which it passes somebody on; undefined for a connection of the proxy's own.
 * @throws {GoneError} for a proxy that says nothing. @throws {WireError} for what is no such header.
 */
export async function readProxyHeader(
  stream: Pick<Stream, "read">,
): Promise<string | undefined> {
  const head = new Uint8Array(HEAD_SIZE);
  await readAll(stream, head, false);
  const size = sizeOfRest(head);
  const rest = new Uint8Array(size);
  await readAll(stream, rest, true);
  const [command, family = 0] = head.subarray(SIGNATURE.length);
  if (command === LOCAL) return undefined;
  const length = ADDRESS_SIZES[family];
  if (length === undefined) {
    throw refused("it names no address of TCP");
  }
  if (size < 2 * length + PORTS_SIZE) throw refused("it is too short");
  return addressText(rest.subarray(0, length));
}

/** What follows the head, bytes. @throws {WireError} for what is none. */
function sizeOfRest(head: Uint8Array): number {
  if (!SIGNATURE.every((byte, at) => byte === head[at])) {
    const isFirst = new TextDecoder().decode(head).startsWith("PROXY ");
    throw refused(isFirst ? "it is of version 1" : "there is none");
  }
  const view = new DataView(head.buffer);
  const command = view.getUint8(SIGNATURE.length);
  if (command >> 4 !== 2) throw refused(`its version is ${command >> 4}`);
  if (command !== LOCAL && command !== PROXY) {
    throw refused(`its command is ${command & 15}`);
  }
  const size = view.getUint16(HEAD_SIZE - 2);
  if (HEAD_SIZE + size > MAX_SIZE) throw refused("it is too long");
  return size;
}

function refused(why: string): WireError {
  return new WireError(
    `Cannot read the header of the PROXY protocol, version 2: ${why}`,
  );
}

/** Fills a buffer. @param hasBegun Whether the proxy has said something before. */
async function readAll(
  stream: Pick<Stream, "read">,
  into: Uint8Array,
  hasBegun: boolean,
): Promise<void> {
  let more: number | null;
  for (let count = 0; count < into.length; count += more) {
    const isSilent = !hasBegun && count === 0;
    more = await stream.read(into.subarray(count)).catch((error) => {
      throw isSilent ? new GoneError(false, error) : error;
    });
    if (more === null) {
      throw isSilent ? new GoneError(false) : refused("the connection ended");
    }
  }
}
