/**
 * The addresses by which others reach this machine, with interfaces of the test's own.
 *
 * @module
 */

import {
  linkAddress,
  outsideAddress,
  reachableAddress,
  roomPlace,
  whyUnreachable,
} from "../../../src/server/addresses.ts";
import { assertEquals } from "../../kit/assert.ts";
import { withMethod } from "../../kit/log_kit.ts";

/** Does something on a machine with these addresses. */
async function withAddresses(
  addresses: readonly string[],
  body: () => void,
): Promise<void> {
  const found = addresses.map((address): Deno.NetworkInterfaceInfo => ({
    family: address.includes(":") ? "IPv6" : "IPv4",
    name: "eth0",
    address,
    netmask: "",
    scopeid: null,
    cidr: "",
    mac: "",
  }));
  await withMethod(Deno, "networkInterfaces", () => () => found, () => {
    body();
    return Promise.resolve();
  });
}

/** Addresses, and which of them others reach by IPv4 alone and by both. */
type Expected = readonly [string[], string | undefined, string | undefined];

const at = (host: string) => ({ host, port: 5000 });
const ALL = at("0.0.0.0");
const BOTH = at("::");

Deno.test("outsideAddress() is where it listens, or for all addresses the first that others may reach, global before local", async () => {
  const own = ["127.0.0.1", "::1", "169.254.3.4", "fe80::1", "FEBF::1"];
  const cases: readonly Expected[] = [
    [own, undefined, undefined],
    [[...own, "192.0.2.7", "192.0.2.8"], "192.0.2.7", "192.0.2.7"],
    [[...own, "2001:db8::7", "2001:db8::8"], undefined, "2001:db8::7"],
    [[...own, "fd00::1", "2001:db8::7"], undefined, "2001:db8::7"],
    [[...own, "FC00::1", "2001:db8::7"], undefined, "2001:db8::7"],
    [[...own, "2001:db8::fd", "2001:db8::7"], undefined, "2001:db8::fd"],
    [[...own, "fd00::1", "fc00::1"], undefined, "fd00::1"],
    [[...own, "2001:db8::7", "10.0.0.1"], "10.0.0.1", "10.0.0.1"],
    [[...own, "fec0::1"], undefined, "fec0::1"],
    [[...own, "10.169.254.1"], "10.169.254.1", "10.169.254.1"],
    [[...own, "2001:fe80::1"], undefined, "2001:fe80::1"],
  ];
  for (const [addresses, four, either] of cases) {
    await withAddresses(addresses, () => {
      assertEquals(outsideAddress(ALL), four === undefined ? four : at(four));
      assertEquals(
        outsideAddress(BOTH),
        either === undefined ? either : at(either),
      );
      for (const host of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
        assertEquals(outsideAddress(at(host)), undefined);
      }
      for (const host of ["192.0.2.9", "chat.example"]) {
        assertEquals(outsideAddress(at(host)), at(host));
      }
    });
  }
});

Deno.test("links lead to what the owner says, else to where others reach the server, else to this machine; and to the room's other servers", async () => {
  await withAddresses(["127.0.0.1"], () => {
    assertEquals(linkAddress(ALL), at("127.0.0.1"));
    assertEquals(linkAddress(BOTH), at("::1"));
    assertEquals(linkAddress(at("127.0.0.2")), at("127.0.0.2"));
    const none = { listening: ALL, address: undefined };
    assertEquals(reachableAddress(none), undefined);
  });
  await withAddresses(["192.0.2.7"], () => {
    const here = at("192.0.2.7");
    const address = { host: "chat.example", port: 443 };
    const other = at("192.0.2.8");
    const rest = { listening: ALL, servers: [] };
    assertEquals(linkAddress(ALL), here);
    assertEquals(roomPlace({ ...rest, address: undefined }), here);
    assertEquals(reachableAddress({ ...rest, address: undefined }), here);
    assertEquals(roomPlace({ ...rest, address, servers: [other] }), {
      ...address,
      others: [other],
    });
    assertEquals(reachableAddress({ ...rest, address }), address);
    const never = { listening: undefined, address: undefined, servers: [] };
    assertEquals([roomPlace(never), reachableAddress(never)], [
      undefined,
      undefined,
    ]);
    assertEquals(reachableAddress({ ...never, address }), address);
  });
});

Deno.test("whyUnreachable() says what is in the way", async () => {
  const away = "this machine is in no network";
  await withAddresses(["fd00::1"], () => {
    assertEquals(
      ["127.0.0.1", "::1", "0.0.0.0", "::"].map((it) => whyUnreachable(at(it))),
      [
        "the server listens on 127.0.0.1 alone",
        "the server listens on ::1 alone",
        "this machine has no IPv4 address; --host :: listens on IPv6 as well",
        away,
      ],
    );
  });
  await withAddresses([], () => assertEquals(whyUnreachable(ALL), away));
});
