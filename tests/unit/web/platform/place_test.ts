import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { formatInvite } from "../../../../src/keys/invite.ts";
import { formatWebLink } from "../../../../src/keys/web_link.ts";
import {
  isFrom,
  type PageLocation,
  readPlace,
} from "../../../../src/web/platform/place.ts";

const keys = {
  serverKey: new Uint8Array(32).fill(1),
  secret: new Uint8Array(32).fill(2),
};
const chatLink = formatInvite({
  host: "chat.example",
  port: 5000,
  id: 7,
  ...keys,
});
const fragment = chatLink.slice(chatLink.indexOf("#"));

const fromDisk: PageLocation = {
  hostname: "",
  origin: "null",
  protocol: "file:",
};

function served(origin: string): PageLocation {
  const { hostname, protocol } = new URL(origin);
  return { hostname, origin, protocol };
}

Deno.test("a web link names its server by origin, and its invite", () => {
  const cases = [
    [`http://chat.example:8080/${fragment}`, "http://chat.example:8080"],
    [`https://Chat.Example/${fragment}`, "https://chat.example"],
    [`  “http://[::1]:8080${fragment}” `, "http://[::1]:8080"],
    [`localhost:8080/${fragment}`, "http://localhost:8080"],
  ] as const;
  for (const [link, origin] of cases) {
    const place = readPlace(link, fromDisk);
    assertEquals(place.origin, origin);
    assertEquals(place.invite?.id, 7);
    assertEquals(place.invite?.serverKey, keys.serverKey);
    assertEquals(place.invite?.secret, keys.secret);
  }
});

Deno.test("an origin alone is a place where one was before", () => {
  const origin = "http://chat.example:8080";
  assertEquals(readPlace(`${origin}/`, fromDisk), { origin });
});

Deno.test("a terminal's link leads to the server from which the page came, by whatever name, and in a saved page is refused with advice", () => {
  for (const host of ["http://chat.example:8080", "http://192.0.2.7:8080"]) {
    const { origin, invite } = readPlace(chatLink, served(host));
    assertEquals(origin, host);
    assertEquals(invite?.id, 7);
  }
  const { message } = assertThrows(
    () => readPlace(chatLink, fromDisk),
    SyntaxError,
  );
  assert(message.startsWith("That link is for the terminal"), message);
});

Deno.test("what is no link is refused in a sentence that doesn't repeat it", () => {
  const cases = [
    ["", "Paste the link of the room"],
    ["hello", "Cannot read the link"],
    ["javascript:alert(1)", "Cannot read the link"],
    ["file:///etc/passwd", "Cannot read the link"],
    ["http://", "Cannot read the link"],
    [`http://chat.example/${fragment.slice(0, -3)}`, "Cannot read the invite"],
    [`http://chat.example/${fragment}x`, "Cannot read the invite"],
    ["http://chat.example hello", "Cannot read the link"],
    ["http://chat.example 44-inception-cranky", "A code is for the terminal"],
    ["44 Inception cranky", "A code is for the terminal"],
  ] as const;
  for (const [typed, start] of cases) {
    const { message } = assertThrows(
      () => readPlace(typed, fromDisk),
      SyntaxError,
    );
    assert(message.startsWith(start), `${typed}: ${message}`);
    const words = ["hello", "alert", "passwd", "ception", "chat.example"];
    for (const word of [...words, fragment.slice(1, 20)]) {
      assert(!message.includes(word), `${typed}: ${message}`);
    }
  }
});

Deno.test("a page is from a room's server if it came from that host, by whatever port and name of this machine", () => {
  const place = "http://localhost:8080";
  for (const from of [place, "http://127.0.0.1:9", "http://[::1]:8080"]) {
    assert(isFrom(place, served(from)), from);
  }
  assert(isFrom("https://chat.example", served("http://chat.example:8080")));
  assert(!isFrom(place, served("http://chat.example")));
  assert(!isFrom(place, fromDisk));
});

Deno.test("a place's links have its origin", () => {
  const link = formatWebLink(chatLink, "http://chat.example:8080");
  assertEquals(link, `http://chat.example:8080/${fragment}`);
  assertEquals(readPlace(link, fromDisk).invite?.id, 7);
});
