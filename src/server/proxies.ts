/**
 * The proxies in front of a server that say whom they pass on. What they say counts; from everybody else it is no
 * header, but the beginning of a handshake that fails.
 *
 * @module
 */

import { isIn, type Network, parseNetwork } from "../base/networks.ts";
import { UsageError } from "../base/usage_error.ts";
import type { Stream } from "../protocol/record_reader.ts";
import type { Values } from "./flags.ts";
import { readProxyHeader } from "./proxy_header.ts";
import { isLoopback, networkOf, type Source, sourceAt } from "./rate_limits.ts";

/** Proxies, by where they are. */
export class Proxies {
  readonly #networks: readonly Network[];

  private constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  /** Those of `--proxy-protocol`. @throws {UsageError} for flags that don't fit. */
  static of(values: Values, list: string): Proxies {
    if (values["web-cert"] !== undefined) {
      throw new UsageError(
        "--proxy-protocol can't be had with --web-cert, since what a proxy says comes before TLS: have the proxy do HTTPS, and leave out --web-cert and --web-key",
      );
    }
    return new Proxies(
      list.split(",").map((text) => {
        const network = parseNetwork(text.trim());
        if (network) return network;
        throw new UsageError(
          `Cannot use --proxy-protocol ${
            JSON.stringify(list)
          }: it is addresses and networks with commas between them, like 127.0.0.2,10.0.0.0/8`,
        );
      }),
    );
  }

  /** Whether a proxy is at an address. */
  has(address: string): boolean {
    return isIn(address, this.#networks);
  }

  /**
   * Reads who comes by a proxy. Whoever comes from the proxy's own machine is a stranger all the same: nobody can tell
   * whom else that one passes on.
   * @param conn Nothing of it was read. @param proxy Where the proxy is.
   * @throws as `readProxyHeader`, and as `conn`.
   */
  async sourceOf(conn: Pick<Stream, "read">, proxy: string): Promise<Source> {
    const address = await readProxyHeader(conn);
    if (address === undefined) return sourceAt(proxy);
    const network = networkOf(address);
    return {
      address,
      network: isLoopback(address) ? `${network} behind ${proxy}` : network,
      isHere: false,
    };
  }
}
