/**
 * How a client opens connections without a proxy.
 *
 * @module
 */

import { parseAddress } from "../keys/invite.ts";
import { isOrigin, socketUrl } from "../keys/web_link.ts";
import type { Stream } from "../protocol/record_reader.ts";
import { dial } from "./web_socket.ts";

/**
 * Opens a connection to the server at an address, `HOST:PORT` or an origin.
 * @throws {Error} for one of Tor, which nobody else is to be asked for (RFC 7686 section 2).
 */
export async function direct(address: string): Promise<Stream> {
  if (/\.onion\.?(:\d+)?$/i.test(address)) {
    throw new Error(
      "it is reached through Tor alone: --proxy socks5://127.0.0.1:9050",
    );
  }
  if (isOrigin(address)) return await dial(socketUrl(address));
  const { host, port } = parseAddress(address);
  const conn = await Deno.connect({ hostname: host, port });
  conn.setNoDelay(true); // a line is short, and doesn't wait for the next one
  return conn;
}
