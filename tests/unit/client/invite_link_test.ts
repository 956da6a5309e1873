/**
 * Tests of the links that invites get.
 *
 * @module
 */

import { isLocal, linkOf } from "../../../src/client/invite_link.ts";
import { EventError } from "../../../src/protocol/events.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

const SERVER_KEY = new Uint8Array(32).fill(1);
const MADE = { id: 7, secret: "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI" };

/** What stands before the fragment. */
function placeIn(address: string, own: string): string {
  const link = linkOf({ ...MADE, address }, SERVER_KEY, own);
  return link.slice(0, link.indexOf("/#"));
}

Deno.test("isLocal() knows addresses and origins that lead only to the same machine", () => {
  for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
    assert(isLocal(`${host}:5000`), host);
    assert(isLocal(`http://${host}:8080`), host);
    assert(isLocal(`https://${host}`), host);
  }
  for (
    const host of ["192.0.2.7", "[2001:db8::1]", "[::12]", "localhost.example"]
  ) {
    assert(!isLocal(`${host}:5000`), host);
    assert(!isLocal(`https://${host}`), host);
  }
});

Deno.test("linkOf() leads others by this client's own way, unless that is on the server's machine", () => {
  const told = "192.0.2.7:5000";
  assertEquals(placeIn(told, "chat.example:443"), "chat://chat.example:443");
  assertEquals(placeIn(told, "[::1]:5000"), "chat://192.0.2.7:5000");
});

Deno.test("linkOf() has the host of the page's origin, and the port that the server told", () => {
  const told = "192.0.2.7:5000";
  for (const own of ["https://chat.example", "http://chat.example:8080"]) {
    assertEquals(placeIn(told, own), "chat://chat.example:5000");
  }
  assertEquals(placeIn(told, "http://localhost:8080"), "chat://192.0.2.7:5000");
});

Deno.test("linkOf() makes a web link where no other address than a page's is known", () => {
  for (const own of ["https://chat.example", "http://localhost:8080"]) {
    assertEquals(placeIn(own, own), own);
  }
});

Deno.test("linkOf() lists the room's other servers, behind this client's own way", () => {
  const told = "192.0.2.7:5000,192.0.2.8:5000,chat.example:443";
  for (
    const [own, link] of [
      ["127.0.0.1:5000", `chat://${told}`],
      ["192.0.2.7:5000", `chat://${told}`],
      ["a.example:1", "chat://a.example:1,192.0.2.8:5000,chat.example:443"],
      ["chat.example:443", "chat://chat.example:443,192.0.2.8:5000"],
      ["http://a:80", "chat://a:5000,192.0.2.8:5000,chat.example:443"],
    ] as const
  ) assertEquals(placeIn(told, own), link);
  assertEquals(placeIn("a:1,b:2", "a:1,b:2"), "chat://a:1,b:2");
});

Deno.test("linkOf() refuses what no server says", () => {
  for (const address of ["", "192.0.2.7", "http://"]) {
    const refused = () => placeIn(address, "h:1");
    const { cause } = assertThrows(refused, EventError, "Cannot read");
    assert(cause instanceof Error);
  }
});

Deno.test("linkOf() shows nothing of what a server says around a page's origin", () => {
  for (const more of ["/", "/\x1b[2J", "/a?b", "\x1b", "\n"]) {
    const told = `https://chat.example:8443${more}`;
    assertEquals(placeIn(told, "localhost:1"), "https://chat.example:8443");
  }
});
