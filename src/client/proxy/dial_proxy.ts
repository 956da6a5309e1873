/**
 * How a client opens connections that has a proxy, or may have one by its environment. What goes through it goes through
 * it or not at all. Loaded only where a proxy is named.
 *
 * @module
 */

import { AdvisedError } from "../../base/advised_error.ts";
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
import { connectThrough } from "./socks5.ts";
import { openTunnelled } from "./tunnelled_socket.ts";

/** Opens a connection to the server at an address: `HOST:PORT`, or an origin. */
export type Dial = (address: string) => Promise<Stream>;

/** The proxy itself is out of reach, and with it every server. */
export class ProxyDownError extends AdvisedError {
  /** "ProxyDownError". */
  override readonly name = "ProxyDownError";
}

/** What a flag says to have no proxy, whatever the environment names. */
const NONE = "none";
/** What the runtime goes by, too, for WebSockets: what is to go past the proxy is not to go through it. */
const VARIABLES = [
  ...["ALL_PROXY", "all_proxy"],
  ...["HTTP_PROXY", "http_proxy"],
  ...["HTTPS_PROXY", "https_proxy"],
];
/** What is said of it. */
const VARIABLE = "ALL_PROXY, which is set in your environment";

/**
 * How to open connections.
 * @param flag What `--proxy` says, if it is given: then all goes through that proxy, or with "none" nothing does.
 * @param variable What the environment says, which counts where no flag is given. What is no proxy there matters only once
 * an address needs one: what is opened rejects with a `UsageError` then.
 * @param direct Opens a connection without a proxy.
 * @throws {UsageError} for a flag that is no proxy.
 */
export function dialThrough(
  flag: string | undefined,
  variable: string,
  direct: Dial,
): Dial {
  const list = Deno.env.get("no_proxy") || Deno.env.get("NO_PROXY") || "";
  for (const name of VARIABLES) Deno.env.delete(name);
  if (flag === NONE) return direct;
  if (flag !== undefined) {
    const proxy = parseProxy(flag, "--proxy");
    return (address) => open(proxy, address);
  }
  const exceptions = parseExceptions(list);
  return async (address) =>
    exceptions.has(targetOf(address))
      ? await direct(address)
      : await open(parseProxy(variable, VARIABLE), address);
}

function targetOf(address: string): Address {
  return isOrigin(address)
    ? webAddress(new URL(address))
    : parseAddress(address);
}

/**
 * Opens a connection through a proxy; for an origin a WebSocket over it.
 * @throws {ProxyDownError} | {ProxyError} if the proxy gives none. @throws {Error} if TLS fails, the server opens no
 * WebSocket, or it takes too long.
 */
async function open(proxy: SocksProxy, address: string): Promise<Stream> {
  const tcp = await connectTo(proxy);
  let conn: Deno.Conn = tcp; // that is closed where it comes to nothing
  const opening = async () => {
    const target = targetOf(address);
    await connectThrough(tcp, target, proxy.login);
    if (!isOrigin(address)) return conn;
    const url = new URL(socketUrl(address));
    if (url.protocol === "wss:") {
      conn = await startTls(tcp, target.host);
      if (isLate) throw new Error(LATE); // or the server's silence could keep it open
    }
    return await openTunnelled(conn, url);
  };
  // Not by closing it alone: Deno ends no connection that waits within the handshake of TLS.
  const late = Promise.withResolvers<never>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    late.reject(new Error(LATE));
  }, TIME);
  const opened = opening();
  try {
    return await Promise.race([opened, late.promise]);
  } catch (error) {
    close(conn);
    opened.then(close, () => close(conn)); // what still comes of it
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
    throw new ProxyDownError(
      `the proxy at ${place} can't be reached: ${reasonOf(error)}`,
      "Check that the proxy runs",
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
