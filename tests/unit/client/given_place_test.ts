/**
 * Tests of web links and web addresses as a terminal's client is given them.
 *
 * @module
 */

import { UsageError } from "../../../src/base/usage_error.ts";
import { findDestination } from "../../../src/client/given_place.ts";
import { JoinError } from "../../../src/client/join_error.ts";
import { Known } from "../../../src/client/known.ts";
import { formatInvite } from "../../../src/keys/invite.ts";
import { formatWebLink } from "../../../src/keys/web_link.ts";
import { MEMBER_ID } from "../../../src/protocol/hello.ts";
import { assertEquals, assertRejects, assertThrows } from "../../kit/assert.ts";

const SERVER_KEY = new Uint8Array(32).fill(1);
const INVITE = { host: "h", port: 1, id: 7, serverKey: SERVER_KEY };
const LINK = formatInvite({ ...INVITE, secret: new Uint8Array(32).fill(2) });

const known = () => Known.load(undefined, () => {});

Deno.test("a web link leads to its page's origin, as it is typed, quoted, or copied with its command", async () => {
  for (const origin of ["https://chat.example", "http://[::1]:8080"]) {
    const link = formatWebLink(LINK, origin);
    const upper = link.replace(/^http/, "HTTP");
    const commands = [
      "deno task",
      "npx encrypted-chat",
      "npx -y encrypted-chat",
    ]
      .map((start) => `${start} client '${link}'`);
    const quoted = [`'${link}'`, ` “${link}” `, ...commands];
    for (const text of [link, upper, link.replace("/#", "#"), ...quoted]) {
      const found = await findDestination(text, await known());
      assertEquals([found?.address, found?.invite?.id], [origin, 7], text);
      assertEquals(found?.invite?.serverKey, SERVER_KEY);
    }
  }
});

Deno.test("a web address alone leads where the client was before, and with a code to whoever was told it", async () => {
  const origin = "http://localhost:8080";
  const rooms = await known();
  rooms.entered(SERVER_KEY, origin);
  for (const text of [origin, `${origin}/`, `${origin}/chat.html`]) {
    const found = await findDestination(text, rooms);
    assertEquals(found?.address, origin);
    assertEquals(found?.handshake.inviteId, MEMBER_ID);
  }
  const code = `${origin} 44-inception-cranky`;
  const found = await findDestination(code, await known());
  assertEquals([found?.address, found?.handshake.code?.number], [origin, 44]);
  await assertRejects(
    async () => await findDestination(origin, await known()),
    UsageError,
    `You were never in a room at ${origin}: to come in you need its link`,
  );
});

Deno.test("a link, a list and an address that is known lead to all of the room's servers", async () => {
  const invite = {
    ...INVITE,
    secret: new Uint8Array(32).fill(2),
    others: [{ host: "::1", port: 2 }, { host: "i", port: 3 }],
  };
  const all = ["h:1", "[::1]:2", "i:3"];
  const rooms = await known();
  const sorted = async (text: string) => {
    const found = await findDestination(text, rooms);
    return [found?.address ?? "", ...found?.others ?? []].toSorted();
  };
  assertEquals(await sorted(formatInvite(invite)), all.toSorted());
  rooms.entered(SERVER_KEY, "i:3", all);
  for (const text of [...all, all.join(","), "I:3, h:1"]) {
    assertEquals(await sorted(text), all.toSorted(), text);
  }
  const found = await findDestination("h:1", rooms);
  assertEquals(found?.address, "h:1"); // what is given comes first
  const code = await findDestination("h:1,i:3 44-inception-cranky", rooms);
  assertEquals(code?.handshake.code?.number, 44);
  assertEquals(code?.others?.length, 1);
});

Deno.test("a room's members begin with different ones of its servers", async () => {
  const begun = new Set<string | undefined>();
  const rooms = await known();
  for (let member = 0; member < 64; member++) {
    const found = await findDestination("h:1,i:3 44-inception-cranky", rooms);
    begun.add(found?.address);
  }
  assertEquals([...begun].toSorted(), ["h:1", "i:3"]);
});

Deno.test("a damaged web link is refused in words that repeat nothing of its key", async () => {
  const link = formatWebLink(LINK, "http://chat.example").slice(0, -1);
  const { message } = await assertRejects(
    async () => await findDestination(link, await known()),
    UsageError,
  );
  assertEquals(
    message,
    "Cannot read the invite: what follows the # is too short",
  );
});

Deno.test("an address that isn't known leads to a room that is, by its server's key, and a known one to its own room alone", async () => {
  const other = new Uint8Array(32).fill(3);
  const stranger = new Uint8Array(32).fill(4);
  const notes: string[] = [];
  const rooms = await Known.load(undefined, (text) => notes.push(text));
  rooms.entered(SERVER_KEY, "a:1");
  rooms.entered(other, "b:1");
  const checks = async (text: string) => {
    const found = await findDestination(text, rooms);
    assertEquals(found?.handshake.inviteId, MEMBER_ID);
    const check = found?.handshake.checkServer;
    return (key: Uint8Array<ArrayBuffer>) => check?.(key, text);
  };
  const moved = await checks("c:1");
  moved(SERVER_KEY);
  moved(other);
  assertEquals(notes, [
    "The room was at a:1 before",
    "The room was at b:1 before",
  ]);
  const sentence = "c:1 is not the server that you know";
  assertThrows(() => moved(stranger), JoinError, sentence);
  rooms.entered(SERVER_KEY, "c:1");
  moved(SERVER_KEY); // as at each coming back
  const own = await checks("a:1");
  own(SERVER_KEY);
  assertThrows(() => own(other), JoinError, "a:1 is not the server");
  assertEquals(notes.length, 2);
});
