/**
 * What strangers can do at the door of a real server: handshakes out of turn, cut short, too slow, too many.
 *
 * @module
 */

import { type Bytes, concat, randomBytes } from "../../crypto_utils.ts";
import { firstRecord } from "../../bench/strangers/flood.ts";
import {
  encodeHeader,
  HEADER_SIZE,
  RecordType,
} from "../../src/protocol/records.ts";
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { Intruder, NO_PAUSES, Wire } from "../kit/intruder.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/hello.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { JsonClient } from "../kit/client.ts";

/** What a server says to one whose key is wrong, and to one for whom it has no place. */
const WRONG_KEY = [0, 4, RecordType.refusal, 2];
const NO_PLACE = [0, 4, RecordType.refusal, 3];
/** Handshakes at a time that a server has a place for. */
const AT_ONCE = 48;
/** The size of a server's answer to a good first message. */
const ANSWER_SIZE = HEADER_SIZE + 32 + 48 + 1_088 + 16;

const FIRST = await firstRecord();

/** A record of the right version that is as long as it says, and right in nothing else. */
function handshake(size: number, fill: (size: number) => Bytes = randomBytes) {
  const header = encodeHeader(RecordType.handshake, size);
  return concat(header, Uint8Array.of(PROTOCOL_VERSION), fill(size - 1));
}

const zeros = (size: number) => new Uint8Array(size);

/** Fails unless a member of the room can still be heard. */
async function assertUndisturbed(member: JsonClient, text: string) {
  await member.type(text);
  await member.shows("said", { text });
  assertEquals(member.entrances.length, 1);
}

// ── Bytes ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server ends a handshake whose messages come out of turn, or aren't messages", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: NO_PAUSES });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const refused = concat(
    new Uint8Array(ANSWER_SIZE),
    new Uint8Array(WRONG_KEY),
  );
  const table: [string, Bytes, number][] = [
    ["the third first", handshake(64), 0],
    ["nothing in it", handshake(16, zeros), 0],
    ["too short for a record", encodeHeader(RecordType.handshake, 0), 0],
    [
      "a record after it",
      concat(FIRST, encodeHeader(RecordType.direct, 16), randomBytes(16)),
      ANSWER_SIZE,
    ],
    ["the first twice", concat(FIRST, FIRST), refused.length],
    ["a third of zeros", concat(FIRST, handshake(64, zeros)), refused.length],
    ["a third that is too short", concat(FIRST, handshake(63)), refused.length],
    ["a third that is too long", concat(FIRST, handshake(65)), refused.length],
    [
      "a third that is far too long",
      concat(FIRST, handshake(4_000)),
      ANSWER_SIZE,
    ],
    [
      "a key of zeros",
      FIRST.slice().fill(0, HEADER_SIZE + 1, HEADER_SIZE + 33),
      0,
    ],
    ["an ML-KEM key that isn't one", FIRST.slice().fill(0xff, -1_184), 0],
  ];
  for (const [what, bytes, size] of table) {
    using wire = await Wire.to(server);
    const reply = await wire.exchange(bytes);
    assertEquals([what, reply.length], [what, size]);
    if (size < refused.length) continue;
    assertEquals([...reply.subarray(ANSWER_SIZE)], WRONG_KEY);
  }
  await assertUndisturbed(ana, "undisturbed");
  assertEquals((await server.log()).length, 2);
});

Deno.test("server ends a handshake that is cut short, at whichever byte", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: NO_PAUSES });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const third = handshake(64);
  const cut = async (bytes: Bytes, isAnswered: boolean) => {
    using wire = await Wire.to(server);
    if (isAnswered) {
      await writeAll(wire.conn, FIRST);
      for (let left = ANSWER_SIZE; left > 0;) {
        const count = await wire.conn.read(new Uint8Array(left));
        assert(count, "no answer");
        left -= count;
      }
    }
    assertEquals((await wire.exchange(bytes)).length, 0);
  };
  const cuts = [
    ...Array.from(
      FIRST.keys(),
      (size) => () => cut(FIRST.subarray(0, size), false),
    ),
    ...Array.from(
      third.keys(),
      (size) => () => cut(third.subarray(0, size), true),
    ),
  ];
  while (cuts.length > 0) {
    await Promise.all(cuts.splice(-AT_ONCE).map((it) => it()));
  }
  await assertUndisturbed(ana, "undisturbed");
});

Deno.test("server has places for others while hundreds begin a handshake and go, or break off", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: [...NO_PAUSES, "--max-handshakes", `${AT_ONCE}`],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const begun = concat(FIRST, encodeHeader(RecordType.handshake, 64));
  const knock = async (bytes: Bytes) => {
    using wire = await Wire.to(server);
    await writeAll(wire.conn, bytes);
  };
  for (let round = 0; round < 10; round++) {
    const bytes = round % 2 === 0 ? FIRST : begun;
    await Promise.all(Array.from({ length: AT_ONCE }, () => knock(bytes)));
  }
  // Until all who have gone have had their turn.
  const isAnswered = async () => {
    using wire = await Wire.to(server);
    await writeAll(wire.conn, FIRST).catch(() => {}); // it may have been refused already
    const answer = new Uint8Array(NO_PLACE.length);
    const size = await wire.conn.read(answer).catch(() => null);
    return size === answer.length && answer[2] === RecordType.handshake;
  };
  while (!await isAnswered());
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ben.type("in");
  await ana.shows("said", { text: "in" });
});

// ── Time ───────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server ends a handshake that isn't done in time, however its bytes trickle in", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--handshake-time", "1"],
  });
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  using silent = await Wire.to(server);
  using halfway = await Wire.to(server);
  using slow = await Wire.to(server);
  await writeAll(halfway.conn, FIRST);
  let at = 0;
  const trickle = setInterval(() => {
    slow.conn.write(FIRST.subarray(at, ++at)).catch(() => {}); // until it is closed
  }, 20);
  const replies = await Promise.all(
    [silent, halfway, slow].map((wire) => wire.rest()),
  );
  clearInterval(trickle);

  assertEquals(replies.map(({ length }) => length), [0, ANSWER_SIZE, 0]);
  assert(at < FIRST.length);
  await server.until("three sentences", () => {
    const lines = server.stderr.join("\n").match(/No handshake came in time/g);
    return lines?.length === 3 ? true : undefined;
  });
  await assertUndisturbed(ana, "undisturbed");
});

// ── Numbers ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server keeps 64 connections that say nothing, and lets the oldest go for one that has a key", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  using wires = new DisposableStack();
  const all: Wire[] = [];
  for (let count = 0; count < 300; count++) {
    all.push(wires.use(await Wire.to(server)));
  }
  const places = all.slice(0, 64);
  const others = all.slice(64);
  for (const reply of await Promise.all(others.map((wire) => wire.rest()))) {
    assertEquals([...reply], NO_PLACE);
  }
  await assertUndisturbed(ana, "undisturbed");

  const eve = await getIn(server);
  await ana.type("and somebody came in");
  await ana.shows("said", { text: "and somebody came in" });
  eve[Symbol.dispose]();
  const oldest = await places[0]?.rest();
  assertEquals(oldest?.length, 0, "it was closed, without a word");
  assertStringIncludes(
    server.stderr.join("\n"),
    "too many handshakes are under way",
  );
});

/** Asks for a place until there is one: each that has one has a second for itself. */
async function getIn(server: Server): Promise<Intruder> {
  for (;;) {
    using stack = new DisposableStack();
    try {
      const intruder = stack.use(await Intruder.at(server));
      await intruder.send({ kind: "ping" });
      await intruder.hears("pong");
      stack.move();
      return intruder;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
}

Deno.test("server lets those wait who talk rubbish, and not those who only look whether it is there, or at its key", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  await using server = await Server.open(folder, {
    args: ["--metrics", `127.0.0.1:${port}`],
  });
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  for (let count = 0; count < 50; count++) {
    using probe = await Wire.to(server);
    assertEquals((await probe.exchange(new Uint8Array(0))).length, 0);
  }
  for (let count = 0; count < 20; count++) {
    using looker = await Wire.to(server);
    assertEquals((await looker.exchange(FIRST)).length, ANSWER_SIZE);
  }
  using first = await Intruder.at(server);
  await first.send({ kind: "ping" });
  await first.hears("pong");
  assertEquals(server.stderr, []);

  for (let count = 0; count < 5; count++) {
    using wire = await Wire.to(server);
    assertEquals((await wire.exchange(randomBytes(2_100))).length, 0);
  }
  using second = await Intruder.at(server);
  await second.send({ kind: "ping" });
  await second.hears("pong");
  await server.line(
    /127\.0\.0\.1: failed too often, and waits 250 ms\. .* --failed-per-address$/,
  );
  await assertUndisturbed(ana, "undisturbed");
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const figures = await response.text();
  const expected = [["empty", 50], ["looked", 20], ["broken", 5]];
  for (const [reason, count] of expected) {
    const figure = `chat_handshakes_refused_total{reason="${reason}"} ${count}`;
    assertStringIncludes(figures, figure);
  }
});

Deno.test("server with --new-per-address lets those wait who come too often, key or not", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--new-per-address", "2"],
  });
  for (let count = 0; count < 3; count++) {
    using intruder = await Intruder.at(server);
    await intruder.send({ kind: "ping" });
    await intruder.hears("pong");
  }
  await server.line(
    /127\.0\.0\.1: comes too often, and waits 250 ms\. .* --new-per-address$/,
  );
});

Deno.test("server with --max-connections lets others wait until there is a place", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--max-connections", "2"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  using intruder = await Intruder.at(server);
  await using eve = await JsonClient.start({ invite, name: "eve" });
  await server.line(
    /All places are taken \(2 connections\): others wait until somebody goes\. --max-connections gives more$/,
  );
  await assertUndisturbed(ana, "undisturbed");
  assertEquals(eve.shown, []);
  intruder[Symbol.dispose]();
  await eve.isIn();
});

Deno.test("members don't lose a word while handshakes fail around them", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: [...NO_PAUSES, "--log-level", "debug"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  let over = false;
  let failures = 0;
  const fail = async () => {
    while (!over) {
      using wire = await Wire.to(server);
      const reply = await wire.exchange(concat(FIRST, handshake(64)));
      assertEquals([...reply.subarray(ANSWER_SIZE)], WRONG_KEY);
      failures++;
    }
  };
  const flood = Array.from({ length: 32 }, fail);
  const texts = Array.from({ length: 50 }, (_, at) => `line ${at}`);
  for (const text of texts) {
    await ana.type(text);
    await ben.shows("said", { name: "ana", text });
  }
  over = true;
  await Promise.all(flood);

  assert(failures >= 64, `${failures} failed`);
  if (navigator.hardwareConcurrency > 1) {
    await server.line(/handshakes: A worker shakes hands$/);
  }
  assertEquals(ben.texts, texts);
  assertEquals([ana, ben].map(({ entrances }) => entrances.length), [1, 1]);
});
