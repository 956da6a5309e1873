/**
 * How a client opens connections that has a proxy, or may have one by its environment. What goes through it goes through
 * it or not at all. Loaded only where a proxy is named.
 *
 * @module
 */

import { reasonOf } from "../../base/error_reason.ts";
import {
  type Address,
  formatAddress,
  parseAddress,
} from "../../keys/invite.ts";
import { isOrigin, socketUrl, webAddress } from "../../keys/web_link.ts";
import type { Stream } from "../../protocol/record_reader.ts";
import { TIME } from "../reconnect.ts";
import {
  parseExceptions,
  parseProxy,
  type SocksProxy,
} from "./proxy_setting.ts";
import { connectThrough, ProxyError } from "./socks5.ts";
import { openTunnelled } from "./tunnelled_socket.ts";

/** Opens a connection to the server at an address: `HOST:PORT`, or an origin. */
export type Dial = (address: string) => Promise<Stream>;

/** What a flag says to have no proxy, whatever the environment names. */
const NONE = "none";
/** What the runtime goes by, too, for WebSockets: what is to go past the proxy is not to go through it. */
const VARIABLES = ["ALL_PROXY", "all_proxy"];

/**
 * How to open connections.
 * @param flag What `--proxy` says, if it is given: then all goes through that proxy, or with "none" nothing does.
 * @param variable What the environment says, which counts where no flag is given.
 * @param direct Opens a connection without a proxy.
 * @throws {UsageError} for what is no proxy.
 */
export function dialThrough(
  flag: string | undefined,
  variable: string,
  direct: Dial,
): Dial {
  const list = Deno.env.get("no_proxy") || Deno.env.get("NO_PROXY") || "";
  for (const name of VARIABLES) Deno.env.delete(name);
  if (flag === NONE) return direct;
  const proxy = flag === undefined
    ? parseProxy(variable, "ALL_PROXY")
    : parseProxy(flag, "--proxy");
  const exceptions = flag === undefined ? parseExceptions(list) : undefined;
  return (address) => {
    const isPast = exceptions?.has(targetOf(address));
    return isPast ? direct(address) : open(proxy, address);
  };
}

function targetOf(address: string): Address {
  return isOrigin(address)
    ? webAddress(new URL(address))
    : parseAddress(address);
}

/**
 * Opens a connection through a proxy; for an origin a WebSocket over it.
 * @throws {ProxyError} if the proxy gives none. @throws {Error} if TLS fails, the server opens no WebSocket, or it takes
 * too long.
 */
async function open(proxy: SocksProxy, address: string): Promise<Stream> {
  const tcp = await connectTo(proxy);
  let conn: Deno.Conn = tcp; // that is closed where it comes to nothing
  const opening = async () => {
    const target = targetOf(address);
    await connectThrough(tcp, target, proxy.login);
    if (!isOrigin(address)) return conn;
    const url = new URL(socketUrl(address));
    if (url.protocol === "wss:") conn = await startTls(tcp, target.host);
    return await openTunnelled(conn, url);
  };
  // Not by closing it alone: Deno ends no connection that waits within the handshake of TLS.
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(LATE)), TIME);
  try {
    return await Promise.race([opening(), late.promise]);
  } catch (error) {
    close(conn);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const LATE = "no answer through the proxy";

async function startTls(
  conn: Deno.TcpConn,
  hostname: string,
): Promise<Deno.TlsConn> {
  const options = { hostname, alpnProtocols: ["http/1.1"] };
  return await Deno.startTls(conn, options);
}

async function connectTo({ host, port }: SocksProxy): Promise<Deno.TcpConn> {
  try {
    const conn = await Deno.connect({ hostname: host, port });
    conn.setNoDelay(true); // a line is short, and doesn't wait for the next one
    return conn;
  } catch (error) {
    const place = formatAddress(host, port);
    throw new ProxyError(
      `the proxy at ${place} can't be reached: ${reasonOf(error)}`,
    );
  }
}

function close(conn: Stream): void {
  try {
    conn.close();
  } catch {
    // Closed already: the time was up, or a frame broke the rules.
  }
}
