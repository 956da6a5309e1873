/**
 * Tests of web links.
 *
 * @module
 */

import { formatInvite } from "../../../src/keys/invite.ts";
import {
  formatWebLink,
  isOrigin,
  parseWebLink,
  socketUrl,
  webAddress,
} from "../../../src/keys/web_link.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

const INVITE = {
  host: "192.0.2.7",
  port: 5000,
  serverKey: new Uint8Array(32).fill(1),
  id: 7,
  secret: new Uint8Array(32).fill(2),
};
const LINK = formatInvite(INVITE);
const FRAGMENT = LINK.slice(LINK.indexOf("#"));

Deno.test("isOrigin() tells a page's address from a server's, and socketUrl() is beside the page", () => {
  for (const origin of ["http://h:1", "HTTPS://h"]) assert(isOrigin(origin));
  for (const other of ["h:1", "chat://h:1", "http:h", "xhttp://h"]) {
    assert(!isOrigin(other), other);
  }
  assertEquals(socketUrl("http://h:1"), "ws://h:1/chat");
  assertEquals(socketUrl("https://http.example"), "wss://http.example/chat");
});

Deno.test("webAddress() knows a page's host without brackets, and the port that its scheme has", () => {
  const cases: Record<string, [string, number]> = {
    "http://chat.example:8080/": ["chat.example", 8080],
    "http://chat.example": ["chat.example", 80],
    "https://[2001:db8::7]/#x": ["2001:db8::7", 443],
  };
  for (const [url, [host, port]] of Object.entries(cases)) {
    assertEquals(webAddress(new URL(url)), { host, port });
  }
});

Deno.test("parseWebLink() reads what formatWebLink() made of an invite's link, with the page's address", () => {
  for (const origin of ["https://chat.example", "http://[::1]:8080"]) {
    const link = formatWebLink(LINK, origin);
    assertEquals(link, `${origin}/${FRAGMENT}`);
    assertEquals(formatWebLink(link, origin), link);
    const url = new URL(link);
    assertEquals(parseWebLink(url), { ...INVITE, ...webAddress(url) });
  }
});

Deno.test("parseWebLink() says what is wrong with a link, and repeats nothing of it", () => {
  const cases: Record<string, string> = {
    "": "the # and the key after it are missing",
    "#abc": "what follows the # is too short",
    [`${FRAGMENT}x`]: "what follows the # is too long",
  };
  for (const [hash, reason] of Object.entries(cases)) {
    const url = new URL(`http://h/${hash}`);
    const error = assertThrows(() => parseWebLink(url), SyntaxError);
    assertEquals(error.message, `Cannot read the invite: ${reason}`);
  }
});
