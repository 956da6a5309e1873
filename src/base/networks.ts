/**
 * IP addresses and networks of them, as text and as bits: `192.0.2.0/24`, `2001:db8::/32` (RFC 4632, RFC 4291).
 *
 * @module
 */

/** All addresses that begin with the same bits. */
export interface Network {
  /** One of its addresses: 4 bytes, or 16. */
  readonly address: Uint8Array;
  /** How many of its bits count, from the first one on. */
  readonly bits: number;
}

/**
 * The bytes of an address: 4 of an IPv4 address, also where it stands in IPv6 (`::ffff:192.0.2.7`, RFC 4291 section
 * 2.5.5.2), 16 of another. Undefined for what is none.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((it) => it <= 255) ? Uint8Array.from(bytes) : undefined;
  }
  const canonical = text.includes(":") && /^[\da-f:.]+$/i.test(text)
    ? URL.parse(`http://[${text}]`)?.hostname.slice(1, -1)
    : undefined;
  if (canonical === undefined) return undefined;
  const [head = [], tail = []] = canonical.split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  const bytes = [...head, ...zeros, ...tail].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return withoutPrefix(Uint8Array.from(bytes));
}

/** An IPv4 address that stands in IPv6 without what stands before it; any other as it is. */
function withoutPrefix(bytes: Uint8Array): Uint8Array {
  const isMapped = bytes.subarray(0, 12).every((byte, at) =>
    byte === (at < 10 ? 0 : 255)
  );
  return isMapped ? bytes.slice(12) : bytes;
}

/** An address as text, IPv6 in its shortest form (RFC 5952). @param bytes 4, or 16. */
export function addressText(bytes: Uint8Array): string {
  const short = bytes.length === 4 ? bytes : withoutPrefix(bytes);
  if (short.length === 4) return short.join(".");
  const groups = short.toHex().match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** A network, or a single address; undefined for what is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [, start = "", prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = addressBytes(start);
  if (!address) return undefined;
  const most = address.length * 8;
  const bits = prefix === undefined ? most : Number(prefix);
  return bits > most ? undefined : { address, bits };
}

/** Whether an address is in one of these networks. @param address As `addressBytes` reads it; no other is in any. */
export function isIn(address: string, networks: readonly Network[]): boolean {
  const bytes = addressBytes(address);
  return bytes !== undefined &&
    networks.some((network) => contains(network, bytes));
}

function contains({ address, bits }: Network, bytes: Uint8Array): boolean {
  return bytes.length === address.length && bytes.every((byte, at) => {
    const left = Math.min(8, Math.max(0, bits - 8 * at)); // bits of this byte that count
    return (byte ^ (address[at] ?? 0)) >> (8 - left) === 0;
  });
}
