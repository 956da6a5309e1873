import {
  addressBytes,
  addressText,
  isIn,
  parseNetwork,
} from "../../../src/base/networks.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

/** What these texts name, all of which must be networks. */
function networks(...texts: string[]) {
  return texts.map((text) => {
    const network = parseNetwork(text);
    assert(network, text);
    return network;
  });
}

Deno.test("addressBytes() reads IPv4 and all ways to write IPv6", () => {
  const all = [
    ["192.0.2.7", "c0000207"],
    ["0.0.0.0", "00000000"],
    ["255.255.255.255", "ffffffff"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["2001:DB8::1:0:2", "20010db8000000000000000100000002"],
    ["2001:db8:0:0:0:0:0:9", "20010db8000000000000000000000009"],
    ["fe80::", "fe800000000000000000000000000000"],
    ["::ffff:192.0.2.7", "c0000207"],
    ["::ffff:c000:207", "c0000207"],
    ["64:ff9b::192.0.2.7", "0064ff9b0000000000000000c0000207"],
  ];
  for (const [text = "", hex] of all) {
    assertEquals([text, addressBytes(text)?.toHex()], [text, hex]);
  }
});

Deno.test("addressBytes() takes nothing that is no address", () => {
  const none = [
    ...["", "chat.example.org", "192.0.2", "192.0.2.256", "192.0.2.7.1"],
    ...["1e3.0.0.1", "127.1", "0x7f.0.0.1", ":", ":::", "1:2:3:4:5:6:7:8:9"],
    ...["g::", "::1]", "::1]:80/#", "fe80::1%eth0", "[::1]", "192.0.2.7/24"],
  ];
  assertEquals(none.map(addressBytes), none.map(() => undefined));
});

Deno.test("addressText() writes addresses as RFC 5952 has them, and IPv4 without the IPv6 before it", () => {
  const all = [
    ...["192.0.2.7", "::", "::1", "2001:db8::1:0:2", "fe80::1"],
    ...["2001:db8:0:1:1:1:1:1"],
  ];
  for (const text of all) {
    const bytes = addressBytes(text);
    assert(bytes, text);
    assertEquals(addressText(bytes), text);
  }
  const mapped = Uint8Array.fromHex("00000000000000000000ffffc0000207");
  assertEquals(addressText(mapped), "192.0.2.7");
});

Deno.test("isIn() compares as many bits as a network has", () => {
  const all: [string, string[], string[]][] = [
    ["192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "::1"]],
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "9.255.0.0"]],
    ["10.1.2.3/8", ["10.9.9.9"], ["11.1.2.3"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]],
    ["192.0.2.4/31", ["192.0.2.4", "192.0.2.5"], ["192.0.2.3", "192.0.2.6"]],
    ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1", "name"]],
    ["2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::1", "1.2.3.4"]],
    ["::1", ["::1"], ["::2", "127.0.0.1"]],
    ["::/0", ["::1", "ffff::"], ["127.0.0.1", "localhost", ""]],
  ];
  for (const [text, inside, outside] of all) {
    const network = networks(text);
    for (const it of inside) assert(isIn(it, network), `${it} in ${text}`);
    for (const it of outside) assert(!isIn(it, network), `${it} in ${text}`);
  }
  assert(!isIn("127.0.0.1", []), "in none");
  assert(isIn("::1", networks("10.0.0.0/8", "::1")), "in the second");
});

Deno.test("parseNetwork() takes nothing that is no network", () => {
  const none = [
    ...["", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1"],
    ...["10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "chat.example.org/8", "*"],
  ];
  assertEquals(none.map(parseNetwork), none.map(() => undefined));
});
