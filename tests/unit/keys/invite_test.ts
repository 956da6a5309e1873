/**
 * Invites as links, and the addresses in them.
 *
 * @module
 */

import { deriveKey } from "../../../crypto_utils.ts";
import {
  type Address,
  addressesOf,
  admissionKey,
  formatAddress,
  formatInvite,
  formatPlace,
  type Invite,
  parseAddress,
  parseInvite,
  parsePlace,
  placeAt,
  withZone,
} from "../../../src/keys/invite.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

const INVITE: Invite = {
  host: "192.0.2.7",
  port: 5000,
  serverKey: new Uint8Array(32).fill(1),
  id: 0x0203_0405,
  secret: new Uint8Array(32).fill(0xff),
};
const SECRET = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQECAwQF" +
  "__________________________________________8";
const LINK = `chat://192.0.2.7:5000/#${SECRET}`;

Deno.test("formatInvite() writes server key, id and key in this order", () => {
  assertEquals(formatInvite(INVITE), LINK);
});

Deno.test("parseInvite() reads what formatInvite() wrote", () => {
  const hosts = ["192.0.2.7", "::1", "2001:db8::7", "chat.example", "a_b-c"];
  for (const host of hosts) {
    for (const port of [1, 65_535]) {
      for (const id of [0, 1, 0xffff_ffff]) {
        const invite = { ...INVITE, host, port, id };
        assertEquals(parseInvite(formatInvite(invite)), invite);
      }
    }
  }
});

Deno.test("an invite may list the addresses of several servers, each once", () => {
  const others = [
    { host: "::1", port: 5001 },
    { host: "chat.example", port: 443 },
    { host: "fe80::1%eth0", port: 5000 },
    { host: "fe80::2%25", port: 5000 },
  ];
  const link =
    `chat://192.0.2.7:5000,[::1]:5001,chat.example:443,[fe80::1%25eth0]:5000,[fe80::2%2525]:5000/#${SECRET}`;
  assertEquals(formatInvite({ ...INVITE, others }), link);
  assertEquals(parseInvite(link), { ...INVITE, others });
  const twice = link.replace("/#", ",192.0.2.7:5000,CHAT.example:443/#");
  assertEquals(parseInvite(twice), { ...INVITE, others });
  const same = LINK.replace("/#", ",192.0.2.7:5000/#");
  assertEquals(parseInvite(same), INVITE);
});

Deno.test("parsePlace() reads what formatPlace() wrote, and no more addresses than there can be", () => {
  const address = (host: number): Address => ({ host: `h${host}`, port: 5000 });
  const all = Array.from({ length: 17 }, (_, at) => address(at));
  for (const count of [1, 2, 16]) {
    const place = placeAt(address(0), all.slice(1, count));
    assertEquals(place.others?.length, count === 1 ? undefined : count - 1);
    assertEquals(parsePlace(formatPlace(place)), place);
  }
  assertEquals(placeAt(address(0), all).others?.length, 15);
  assertThrows(
    () => parsePlace(all.map(({ host }) => `${host}:5000`).join(",")),
    SyntaxError,
    "Cannot read the address: it has more than 16 addresses",
  );
});

Deno.test("addressesOf() has the first server's address first", () => {
  const others = [{ host: "::1", port: 5001 }];
  assertEquals(addressesOf({ host: "a", port: 1, others }), [
    "a:1",
    "[::1]:5001",
  ]);
  assertEquals(addressesOf({ host: "a", port: 1 }), ["a:1"]);
});

Deno.test("admissionKey() is derived from the secret for that purpose", () => {
  const secret = new Uint8Array(32).fill(7);
  assertEquals(admissionKey(secret), deriveKey(secret, "admit"));
});

Deno.test("formatInvite() refuses ids and keys of another size", () => {
  const cases: Partial<Invite>[] = [
    { id: -1 },
    { id: 1.5 },
    { id: 2 ** 32 },
    { serverKey: new Uint8Array(31) },
    { secret: new Uint8Array(33) },
  ];
  for (const bad of cases) {
    assertThrows(
      () => formatInvite({ ...INVITE, ...bad }),
      RangeError,
      "Cannot write the invite",
    );
  }
});

Deno.test("parseInvite() takes a link as people paste it", () => {
  const links = [
    `  ${LINK}\r\n`,
    `'${LINK}'`,
    `"${LINK}"`,
    `“${LINK}”`,
    `<${LINK}>`,
    `\`${LINK}\`\n`,
    LINK.replace("/#", "#"),
    `${LINK}/`,
    LINK.replace("chat:", "CHAT:"),
  ];
  for (const link of links) assertEquals(parseInvite(link), INVITE, link);
});

Deno.test("parseInvite() has hosts in their canonical form", () => {
  const cases = [
    ["Chat.Example", "chat.example"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["[2001:DB8:0:0:0:0:0:7]", "2001:db8::7"],
    ["[::ffff:192.0.2.7]", "::ffff:c000:207"],
    ["H1", "h1"],
    ["1H", "1h"],
    ["a".repeat(253), "a".repeat(253)],
  ] as const;
  for (const [written, host] of cases) {
    const link = `chat://${written}:5000/#${SECRET}`;
    assertEquals(parseInvite(link).host, host);
  }
});

Deno.test("parseInvite() says what is wrong, and nothing of the key", () => {
  const scheme = "it does not begin with chat://";
  const missing = "the # and the key after it are missing";
  const noPort = "it has no port";
  const port = "its port is not a whole number from 1 to 65535";
  const host =
    "its host is not a name, an IPv4 address or an IPv6 address in brackets";
  const short = "what follows the # is too short";
  const long = "what follows the # is too long";
  const damaged = "what follows the # is damaged";
  const at = (address: string) => `chat://${address}/#${SECRET}`;
  const withSecret = (secret: string) => `chat://a:1/#${secret}`;
  const cases: [string, string][] = [
    ["", scheme],
    [SECRET, scheme],
    [`http://a:1/#${SECRET}`, scheme],
    [`chat:a:1/#${SECRET}`, scheme],
    [`x${LINK}`, scheme],
    [`chat://a:1/${SECRET}`, missing],
    [at(""), noPort],
    [at("a"), noPort],
    [at("a:"), noPort],
    [at("[::1]"), noPort],
    [at("a:x"), noPort],
    [at("a:-1"), noPort],
    [at("a:1/b"), noPort],
    [at(`a:${SECRET}`), noPort],
    [at("a:0"), port],
    [at("a:65536"), port],
    [at("a:99999999999999999999"), port],
    [at(":5000"), host],
    [at("::1:5000"), host],
    [at("[::1:5000"), host],
    [at("[::g]:5000"), host],
    [at("[fe80::1%]:5000"), host],
    [at("x[fe80::1%eth0]:5000"), host],
    [at("[fe80::1%eth0]x:5000"), host],
    [at("[fe80::1%25a/b]:5000"), host],
    [at("[fe80::1%a%b]:5000"), host],
    [at("a%eth0:5000"), host],
    [at("[%eth0]:5000"), host],
    [at("256.0.0.1:5000"), host],
    [at("127.1:5000"), host],
    [at("0x7f000001:5000"), host],
    [at("a:5000,"), noPort],
    [at(",a:5000"), noPort],
    [at("a,b:5000"), noPort],
    [at("a:5000,b:0"), port],
    [at("a:5000,a b:5000"), host],
    [at(`${"a".repeat(254)}:5000`), host],
    [
      at(Array.from({ length: 17 }, (_, id) => `a:${id + 1}`).join(",")),
      "it has more than 16 addresses",
    ],
    [at("a b:5000"), host],
    [at("a\tb:5000"), host],
    [at("me@a:5000"), host],
    [at("a/b:5000"), host],
    [at("a?b:5000"), host],
    [at("%61:5000"), host],
    [at("a\\b:5000"), host],
    [withSecret(""), short],
    [withSecret(SECRET.slice(1)), short],
    [withSecret(SECRET + "A"), long],
    [withSecret(SECRET + "="), long],
    [withSecret(SECRET.replace("_", "/")), damaged],
    [withSecret(SECRET.replace("_", "+")), damaged],
    [withSecret(SECRET.replace("_", " ")), damaged],
    [withSecret(SECRET.replace("_", "#")), damaged],
    [withSecret(SECRET.slice(0, -1) + "9"), damaged], // bits that no byte has
  ];
  for (const [link, reason] of cases) {
    const error = assertThrows(() => parseInvite(link), SyntaxError);
    assertEquals(error.message, `Cannot read the invite: ${reason}`, link);
    assertEquals(error.cause, undefined);
  }
});

Deno.test("parseAddress() reads what formatAddress() wrote", () => {
  for (const host of ["0.0.0.0", "::", "localhost"]) {
    assertEquals(parseAddress(formatAddress(host, 5000)), { host, port: 5000 });
  }
  assertThrows(
    () => parseAddress("localhost"),
    SyntaxError,
    "Cannot read the address: it has no port",
  );
  assertThrows(
    () => parseAddress("a:1,b:2"),
    SyntaxError,
    "Cannot read the address: its host is not a name",
  );
});

Deno.test("addresses and links may name the zone of an IPv6 address, which links write as a URL does", () => {
  const host = "fe80::1%eth0";
  assertEquals(parseAddress("[FE80::1%eth0]:5000"), { host, port: 5000 });
  assertEquals(formatAddress(host, 5000), "[fe80::1%eth0]:5000");
  const keys = {
    id: 0,
    serverKey: new Uint8Array(32),
    secret: new Uint8Array(32),
  };
  for (const zone of ["eth0", "en-1.2_3~", "4", "251", "25"]) {
    const invite = { host: `fe80::1%${zone}`, port: 5000, ...keys };
    const link = formatInvite(invite);
    assert(link.startsWith(`chat://[fe80::1%25${zone}]:5000/#`), link);
    assertEquals(parseInvite(link), invite);
  }
  const plain = formatInvite({ host, port: 5000, ...keys }).replace("%25", "%");
  assertEquals(parseInvite(plain).host, host);
});

Deno.test("withZone() gives a listener's address the zone that was asked for", () => {
  for (
    const [host, named, expected] of [
      ["fe80::1", "fe80::1%eth0", "fe80::1%eth0"],
      ["fe80::1", "[fe80::1%eth0]", "fe80::1%eth0"],
      ["::1", "::1", "::1"],
      ["127.0.0.1", "localhost", "127.0.0.1"],
    ] as const
  ) assertEquals(withZone(host, named), expected);
});
