/**
 * The addresses by which others reach this machine, as far as it can know them.
 *
 * @module
 */

import { type Address, type Place, placeAt } from "../keys/invite.ts";
import { LOOPBACK, type RoomKeys } from "../keys/key_file.ts";
import { isLoopback } from "./rate_limits.ts";

/**
 * Where other machines may find a server; undefined for one that none can reach.
 * @param listening Where it listens.
 */
export function outsideAddress({ host, port }: Address): Address | undefined {
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

/** Where members find the room, for links: this server first, then the others; undefined before it has ever listened. */
export function roomPlace(
  { listening, address, servers }: Pick<
    RoomKeys,
    "listening" | "address" | "servers"
  >,
): Place | undefined {
  return listening && placeAt(address ?? linkAddress(listening), servers);
}

/** Where members on other machines find a server; undefined for one that none can reach. */
export function reachableAddress(
  { listening, address }: Pick<RoomKeys, "listening" | "address">,
): Address | undefined {
  return address ?? (listening && outsideAddress(listening));
}

/** Why no other machine can reach a server, for a person. */
export function whyUnreachable({ host }: Address): string {
  if (isLoopback(host)) return `the server listens on ${host} alone`;
  if (host === "0.0.0.0" && addressesHere().ipv6 !== undefined) {
    return "this machine has no IPv4 address; --host :: listens on IPv6 as well";
  }
  return "this machine is in no network";
}
