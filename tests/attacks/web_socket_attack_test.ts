/**
 * What a stranger, or a member with a program of its own, can do at the port for browsers: heads that never end, frames
 * that break the rules, floods, and connections that are opened and left. A real server, which is talked to byte by
 * byte, and a member who must not notice.
 *
 * @module
 */

import { type Bytes, concat, randomBytes } from "../../crypto_utils.ts";
import { isDisconnect } from "../../src/base/error_reason.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { admissionKey, parseInvite } from "../../src/keys/invite.ts";
import type { Event } from "../../src/protocol/events.ts";
import { connectChannel } from "../../src/protocol/handshake.ts";
import { HandshakeRefusal } from "../../src/protocol/reasons.ts";
import { RecordType } from "../../src/protocol/records.ts";
import { firstRecord } from "../../bench/strangers/flood.ts";
import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { run } from "../kit/command.ts";
import { Folder } from "../kit/folder.ts";
import { NO_PAUSES, Wire } from "../kit/intruder.ts";
import { joinEvent, newIdentity } from "../kit/people.ts";
import { RoomClient } from "../kit/room_client.ts";
import { Server } from "../kit/server.ts";
import {
  bytewiseFrames,
  closeCodeOf,
  frame,
  framesIn,
  HandStream,
  openByHand,
  readHead,
  TYPE,
  upgradeRequest,
} from "../kit/web_socket.ts";

const encoder = new TextEncoder();
const MEBIBYTE = 1_048_576;
const WEB = ["--web", "0", ...NO_PAUSES];
/** By how much a server may grow under a flood, bytes: its heap is not tidied at once. */
const MAX_GROWTH = 48 * MEBIBYTE;

interface Stage extends AsyncDisposable {
  readonly server: Server;
  readonly ana: JsonClient;
  readonly port: number;
}

/** A server with a member that comes by TCP. */
async function stage(...args: string[]): Promise<Stage> {
  await using all = new AsyncDisposableStack();
  const folder = all.use(await Folder.make());
  const server = all.use(
    await Server.open(folder, { args: [...WEB, ...args] }),
  );
  const { invite } = server;
  const ana = all.use(await JsonClient.join({ invite, name: "ana" }));
  const rest = all.move();
  return {
    server,
    ana,
    port: server.webPort,
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** Fails unless a member of the room can still be heard. */
async function assertUndisturbed({ ana }: Stage): Promise<void> {
  const text = "undisturbed";
  await ana.type(text);
  await ana.shows("said", { text });
  assertEquals(ana.entrances.length, 1);
}

/** Somebody who has a link, comes by a WebSocket by hand, and has shaken hands. @param frames Makes frames of what it says. */
async function shakeHands(
  { server, port }: Stage,
  frames?: (bytes: Uint8Array) => Bytes,
) {
  const stream = new HandStream(await openByHand(port, 60_000), frames);
  const { id: inviteId, secret } = parseInvite(server.invite);
  const identity = await newIdentity();
  const channel = await connectChannel(stream, {
    inviteId,
    inviteKey: admissionKey(secret),
    keyPair: identity.keyPair,
    checkServer: () => {},
  });
  return { stream, identity, channel };
}

/** The same, in the room, and reading all that it is told. */
async function enter(
  stage: Stage,
  name: string,
  frames?: (bytes: Uint8Array) => Bytes,
) {
  const { stream, identity, channel } = await shakeHands(stage, frames);
  const client = new RoomClient(identity, channel);
  await client.join(name);
  return { stream, client };
}

const say = (n: number, text = `line ${n}`): Event => ({
  kind: "say",
  n,
  text,
});

/** What is in a server's memory, bytes. */
async function memoryOf({ pid }: Server): Promise<number> {
  const text = await run("cat", `/proc/${pid}/statm`);
  return Number(text.split(" ")[1]) * 4_096;
}

/** Writes the same bytes again and again until the other side takes no more. @returns How many were taken, at most `most`. */
async function flood(
  conn: Deno.TcpConn,
  bytes: Bytes,
  most: number,
): Promise<number> {
  let taken = 0;
  try {
    while (taken < most) taken += await conn.write(bytes);
  } catch (error) {
    if (!isDisconnect(error)) throw error;
  }
  return taken;
}

/** The status of an answer. */
function statusOf(answer: Bytes): number {
  const text = new TextDecoder().decode(answer);
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
}

// ── Requests ───────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server refuses what is no request of a browser's, shortly, and opens no WebSocket for it", async () => {
  await using all = await stage();
  const table: [string, Bytes, number][] = [
    ["nothing", new Uint8Array(0), 0],
    ["half a head", encoder.encode("GET / HTTP/1.1\r\nHos"), 0],
    ["a handshake of the chat's", await firstRecord(), 0],
    ["TLS", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), 0],
    ["a head that never ends", new Uint8Array(8_192).fill(0x61), 431],
    ["zeros", new Uint8Array(9_000), 431],
    [
      "a path that breaks out",
      upgradeRequest({}, "GET /\x1b[2J HTTP/1.1"),
      400,
    ],
    ["HTTP/1.0", upgradeRequest({}, "GET /chat HTTP/1.0"), 505],
    ["POST", upgradeRequest({}, "POST /chat HTTP/1.1"), 405],
    ["HEAD", upgradeRequest({}, "HEAD /chat HTTP/1.1"), 400],
    ["another path", upgradeRequest({}, "GET /chat/ HTTP/1.1"), 404],
    ["a file elsewhere", upgradeRequest({}, "GET /../chat.key HTTP/1.1"), 404],
    ["no upgrade", upgradeRequest({ upgrade: undefined }), 426],
    ["another upgrade", upgradeRequest({ upgrade: "h2c" }), 426],
    ["no connection", upgradeRequest({ connection: "keep-alive" }), 426],
    ["version 8", upgradeRequest({ "sec-websocket-version": "8" }), 426],
    ["no key", upgradeRequest({ "sec-websocket-key": undefined }), 400],
    ["a short key", upgradeRequest({ "sec-websocket-key": "AAAA" }), 400],
    [
      "a key that is written otherwise",
      upgradeRequest({ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZR==" }),
      400,
    ],
    [
      "a frame ahead of its time",
      concat(upgradeRequest(), frame(TYPE.ping)),
      400,
    ],
    ["two requests", concat(upgradeRequest(), upgradeRequest()), 400],
  ];
  for (const [what, bytes, status] of table) {
    using wire = await Wire.to(all);
    const answer = await wire.exchange(bytes);
    assertEquals([what, statusOf(answer)], [what, status]);
    assert(answer.length < 400, `${what}: ${answer.length} bytes`);
  }
  for (const path of ["/nope", "/chat"]) {
    using wire = await Wire.to(all);
    const fields = { upgrade: "other" };
    const answer = await wire.exchange(
      upgradeRequest(fields, `HEAD ${path} HTTP/1.1`),
    );
    const text = new TextDecoder().decode(answer);
    assert(text.endsWith("\r\n\r\n"), `a body for HEAD: ${text}`);
  }
  await assertUndisturbed(all);
});

Deno.test("server lets go of those who are slow with their head, who open a WebSocket and are silent, and who never read", async () => {
  // Places for two besides ana: whoever comes next waits until they have gone.
  await using all = await stage(
    "--handshake-time",
    "1",
    "--max-connections",
    "3",
  );
  const { server, port } = all;
  const { invite } = server;
  const rounds: ((wire: Wire) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    ({ conn }) => writeAll(conn, encoder.encode("GET / HT")),
    ({ conn }) => writeAll(conn, upgradeRequest()),
    ({ conn }) => writeAll(conn, upgradeRequest({}, "GET / HTTP/1.1")),
    ({ conn }) => writeAll(conn, upgradeRequest({}, "GET /chat.html HTTP/1.1")),
    ({ conn }) => writeAll(conn, upgradeRequest({}, "BREW / HTTP/1.1")),
  ];
  for (const [at, begin] of rounds.entries()) {
    using wires = new DisposableStack();
    for (let count = 0; count < 3; count++) {
      await begin(wires.use(await Wire.to({ port })));
    }
    await using next = await JsonClient.join({ invite, name: `next-${at}` });
    await next.endInput();
    assertEquals(await next.finished(), 0);
  }
  // A byte now and then buys no time.
  using slow = await Wire.to({ port });
  const request = upgradeRequest();
  let at = 0;
  const bytes = setInterval(() => {
    slow.conn.write(request.subarray(at, ++at)).catch(() => {});
  }, 50);
  assertEquals((await slow.rest()).length, 0);
  clearInterval(bytes);
  assert(at < request.length, "the deadline came first");
  await assertUndisturbed(all);
});

Deno.test("server has no place for more handshakes at the port for browsers than at the other, and says so", async () => {
  await using all = await stage("--max-handshakes-per-address", "4");
  using wires = new DisposableStack();
  for (let count = 0; count < 4; count++) {
    const { conn } = wires.use(await Wire.to(all));
    await writeAll(conn, encoder.encode("G"));
  }
  // Each port accepts in the order in which people come, so that the four have their places by now.
  using late = await Wire.to(all);
  const answer = await late.exchange(new Uint8Array(0));
  assertEquals(statusOf(answer), 503);
  using other = await Wire.to(all.server);
  const refusal = await other.exchange(new Uint8Array(0));
  const [, , type, code] = refusal; // after its length, two bytes
  assertEquals([type, code], [RecordType.refusal, HandshakeRefusal.busy]);
  assertMatch(
    new TextDecoder().decode(answer),
    /no room for another connection/,
  );
  await assertUndisturbed(all);
});

Deno.test("server answers requests that come at once while it has places for handshakes, and refuses the others", async () => {
  await using all = await stage("--max-handshakes-per-address", "2");
  using wires = new DisposableStack();
  const statuses = await Promise.all(Array.from({ length: 64 }, async () => {
    const { conn } = wires.use(await Wire.to(all));
    await writeAll(conn, upgradeRequest({}, "GET / HTTP/1.1"));
    return statusOf(encoder.encode(await readHead(conn)));
  }));
  assert(statuses.includes(200) && statuses.includes(503), statuses.join());
  await assertUndisturbed(all);
});

// ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────

const BROKEN: Readonly<Record<string, readonly [Bytes, number]>> = {
  "text": [frame(TYPE.text, encoder.encode("hi")), 1003],
  "an unmasked frame": [
    frame(TYPE.binary, randomBytes(9), { isBare: true }),
    1002,
  ],
  "a reserved bit": [frame(TYPE.binary, randomBytes(9), { reserved: 4 }), 1002],
  "a reserved type": [frame(5, randomBytes(9)), 1002],
  "a ping in parts": [frame(TYPE.ping, undefined, { goesOn: true }), 1002],
  "a long ping": [frame(TYPE.ping, randomBytes(126)), 1002],
  "what goes on with nothing": [frame(TYPE.more, randomBytes(9)), 1002],
  "an oversized frame": [
    frame(TYPE.binary, undefined, { length: MEBIBYTE + 1 }),
    1009,
  ],
  "a frame without an end": [
    Uint8Array.of(0x82, 0xff, 127, 255, 255, 255, 255, 255, 255, 255),
    1009,
  ],
  "a strange closing": [frame(TYPE.close, Uint8Array.of(1)), 1002],
};

Deno.test("server closes a WebSocket whose frames break the rules, with the code for it, before the handshake and in the room", async () => {
  await using all = await stage();
  for (const [what, [bytes, code]] of Object.entries(BROKEN)) {
    using wire = await openByHand(all.port);
    await writeAll(wire.conn, bytes);
    const said = framesIn(await wire.rest());
    assertEquals([what, closeCodeOf(said), said.length], [what, code, 1]);

    const name = what.replaceAll(" ", "-");
    const { stream, client } = await enter(all, name);
    await writeAll(stream.conn, bytes);
    await client.ended;
    const { reason } = await all.ana.shows("left", { name });
    assertEquals([what, reason], [what, "lost"]);
    stream.close();
  }
  await assertUndisturbed(all);
});

Deno.test("server understands records in frames of one byte, in fragments, and with pings between", async () => {
  await using all = await stage();
  const fragments = (bytes: Uint8Array) =>
    concat(
      frame(TYPE.binary, new Uint8Array(0), { goesOn: true }),
      ...Array.from(bytes, (it) =>
        concat(
          frame(TYPE.more, Uint8Array.of(it), { goesOn: true }),
          ...(it < 8 ? [frame(TYPE.ping, Uint8Array.of(it))] : []),
        )),
      frame(TYPE.more),
    );
  const ways: readonly (readonly [string, (bytes: Uint8Array) => Bytes])[] = [
    ["bytewise", bytewiseFrames],
    ["fragments", fragments],
  ];
  for (const [name, frames] of ways) {
    const { client, stream } = await enter(all, name, frames);
    const texts = ["short", "x".repeat(500), "नमस्ते"];
    await client.send(...texts.map((text, at) => say(at + 1, text)));
    for (const text of texts) await all.ana.shows("said", { name, text });
    await client.send({ kind: "bye", reason: "left" });
    await client.until("bye");
    await client.ended;
    stream.close();
    assertSaid(await all.server.log(), name, texts);
  }
  assertFollows(all.ana, await all.server.log());
});

// ── Floods ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test({
  name:
    "server's memory doesn't grow with what strangers and members send it over WebSockets",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using all = await stage("--handshake-time", "2");
    const { server, port } = all;
    const piece = randomBytes(65_536);
    const floods: readonly (readonly [string, Bytes, Bytes])[] = [
      [
        "fragments of one message",
        frame(TYPE.binary, piece, { goesOn: true }),
        frame(TYPE.more, piece, { goesOn: true }),
      ],
      ["frames", frame(TYPE.binary, piece), frame(TYPE.binary, piece)],
      [
        "empty fragments",
        frame(TYPE.binary, undefined, { goesOn: true }),
        concat(
          ...Array.from(
            { length: 9_000 },
            () => frame(TYPE.more, undefined, { goesOn: true }),
          ),
        ),
      ],
      [
        "pings",
        frame(TYPE.ping),
        concat(
          ...Array.from(
            { length: 500 },
            () => frame(TYPE.ping, piece.subarray(0, 125)),
          ),
        ),
      ],
    ];
    const before = await memoryOf(server);
    for (const [what, first, then] of floods) {
      using wire = await openByHand(port, 60_000);
      await writeAll(wire.conn, first);
      const taken = await flood(wire.conn, then, 600 * MEBIBYTE);
      assert(taken < 64 * MEBIBYTE, `${what}: ${taken} bytes were taken`);

      const { stream, client } = await enter(all, `eve-${what.length}`);
      await writeAll(stream.conn, first);
      const flooding = flood(stream.conn, then, 600 * MEBIBYTE);
      // A flood of what is not a record ends a member; one of what means nothing is read so slowly that nobody notices.
      await assertUndisturbed(all);
      stream.close();
      assert(await flooding < 64 * MEBIBYTE, what);
      await client.ended;
    }
    const growth = await memoryOf(server) - before;
    assert(growth < MAX_GROWTH, `${growth / MEBIBYTE} MiB`);
  },
});

Deno.test("server drops a member that never reads its WebSocket, and one that reads a byte now and then", async () => {
  await using all = await stage("--ring-size", "4", "--rate", "0");
  const { ana } = all;
  const mute = await shakeHands(all);
  const sipper = await shakeHands(all);
  using _mute = { [Symbol.dispose]: () => mute.stream.close() };
  using _sipper = { [Symbol.dispose]: () => sipper.stream.close() };
  for (
    const [name, { channel, identity }] of Object.entries({ mute, sipper })
  ) {
    await channel.send(joinEvent(identity, name));
    await ana.shows("joined", { name });
  }
  const byte = new Uint8Array(1);
  const sips = setInterval(() => {
    sipper.stream.conn.read(byte).catch(() => {}); // until it is closed
  }, 100);
  const { client: talker, stream } = await enter(all, "talker");
  const dropped = () =>
    ana.all("left").filter(({ reason }) => reason === "slow").length;
  let count = 0;
  while (dropped() < 2 && count < 20_000) {
    const lines = Array.from(
      { length: 150 },
      () => say(++count, `${count} ${"x".repeat(4_000)}`),
    );
    await talker.send(...lines);
    await ana.showsTexts(count);
  }
  clearInterval(sips);
  const slow = ana.all("left").map(({ name, reason }) => `${name} ${reason}`);
  assertEquals(slow.sort(), ["mute slow", "sipper slow"]);
  stream.close();
  await talker.ended;
  assertEquals(ana.texts.length, count);
  assertEquals(ana.entrances.length, 1);
});

Deno.test("server lets go of a member whose WebSocket ends with a word and without one", async () => {
  await using all = await stage();
  const endings: Readonly<
    Record<string, (conn: Deno.TcpConn) => Promise<void>>
  > = {
    closes: (conn) => writeAll(conn, frame(TYPE.close, Uint8Array.of(3, 232))),
    "half-closes": (conn) => conn.closeWrite(),
    "goes-in-a-frame": async (conn) => {
      await writeAll(conn, frame(TYPE.binary, randomBytes(9)).subarray(0, 5));
      await conn.closeWrite();
    },
  };
  for (const [name, end] of Object.entries(endings)) {
    const { stream, client } = await enter(all, name);
    await end(stream.conn);
    await client.ended;
    await all.ana.shows("left", { name, reason: "lost" });
    stream.close();
  }
  await assertUndisturbed(all);
});
