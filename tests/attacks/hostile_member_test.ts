/**
 * Members who hold the room's key and mean harm: what they put into others' connections, and what they do with
 * their own. Real programs, with clients of the test's own for those who do it.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  encryptMessage,
  fromBase64url,
  PROTOCOL_NAME,
} from "../../crypto_utils.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../src/protocol/events.ts";
import {
  broadcastHeader,
  HEADER_SIZE,
  RecordType,
} from "../../src/protocol/records.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { Intruder, through } from "../kit/intruder.ts";
import { type Passing, TcpProxy } from "../kit/proxy.ts";
import { joinEvent, newIdentity, newStay } from "../kit/people.ts";
import { EpochReader } from "../../src/crypto/epoch.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";

const say = (n: number, text = `line ${n}`): Event => ({
  kind: "say",
  n,
  text,
});

function isBroadcast({ direction, type }: Passing): boolean {
  return direction === "down" && type === RecordType.broadcast;
}

function isDirect({ direction, type }: Passing): boolean {
  return direction === "down" && type === RecordType.direct;
}

// ── In others' connections ─────────────────────────────────────────────────────────────────────────────

function uint64(value: number): Bytes {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value));
  return new Uint8Array(view.buffer);
}

/** A broadcast as the server would make it, but for the key that signs it: that only the server has. */
async function forge(
  { epochs, serverKey }: Intruder,
  counter: number,
  ...events: Event[]
): Promise<Bytes> {
  const epoch = epochs.at(-1);
  const [plaintext] = packEvents(events.map(encodeEvent));
  assert(epoch && plaintext);
  const header = broadcastHeader(plaintext.length);
  const key = fromBase64url(epoch.key);
  const cipher = await CipherState.create(key, counter);
  const ciphertext = await encryptMessage(cipher, plaintext, header);
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    "Ed25519",
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  const name = new TextEncoder().encode(PROTOCOL_NAME);
  const place = concat(uint64(epoch.number), uint64(counter));
  const signed = concat(name, serverKey, place, ciphertext);
  const signature = await crypto.subtle.sign("Ed25519", privateKey, signed);
  const body = concat(ciphertext, new Uint8Array(signature));

  const raw = await crypto.subtle.exportKey("raw", publicKey);
  const verifyKey = new Uint8Array(raw);
  const fooled = { ...epoch, key, counter, verifyKey };
  const reader = await EpochReader.create(serverKey, fooled);
  assertEquals(await reader.open(body, header), plaintext); // who doesn't check the signer takes it
  return concat(header, body);
}

/** A tap that puts something into the first connection, behind the next broadcast. */
class Victim implements AsyncDisposable {
  injected: Bytes | undefined;
  readonly proxy: TcpProxy;

  constructor(server: Server) {
    this.proxy = new TcpProxy(server.port, (record) => {
      const { injected } = this;
      if (!injected || !isBroadcast(record)) return [record.bytes];
      this.injected = undefined;
      return [record.bytes, injected];
    });
  }

  /** The first record of a kind that came over it. */
  recorded(isWanted: (record: Passing) => boolean): Bytes {
    const found = this.proxy.records.find(isWanted);
    assert(found);
    return found.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
  }
}

Deno.test("clients show nothing that a member puts into their connections, come back and miss nothing", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using all = new AsyncDisposableStack();
  const join = async (name: string) => {
    const victim = all.use(new Victim(server));
    const invite = through(victim.proxy, server);
    const client = all.use(await JsonClient.join({ invite, name }));
    return { victim, client };
  };
  const forged = await join("forged");
  const old = await join("old");
  const other = await join("other");
  const own = await join("own");
  const victims = [forged, old, other, own];
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  using eve = await Intruder.in(server, "eve");
  for (const { client } of victims) {
    await client.shows("joined", { name: "eve" });
  }

  const counter = eve.epochs.at(-1)?.counter ?? 0;
  forged.victim.injected = await forge(
    eve,
    counter + 1, // ben's words come first
    { kind: "batch", seq: 8, at: Date.now() },
    { kind: "said", id: 5, n: 9, text: "forged words" },
  );
  old.victim.injected = old.victim.recorded(isBroadcast); // from before eve came
  other.victim.injected = own.victim.recorded(isDirect);
  own.victim.injected = own.victim.recorded(isDirect);
  await ben.type("one");
  for (const { client } of victims) await client.isIn(2);
  await ben.type("two");
  for (const { client } of victims) {
    await client.shows("said", { text: "two" });
  }

  const log = await server.log();
  for (const { client } of victims) {
    assertEquals(client.texts, ["one", "two"]);
    assertEquals(client.entrances.length, 2);
    assertFollows(client, log);
  }
  assertSaid(log, "ben", ["one", "two"]);
  assertEquals(ben.entrances.length, 1);
});

// ── With their own ─────────────────────────────────────────────────────────────────────────────────────

Deno.test("server logs nothing that comes after a member's goodbye", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const bye: Event = { kind: "bye", reason: "left" };
  using eve = await Intruder.in(server, "eve");
  await eve.send(say(1), bye, say(2));
  await ana.shows("left", { name: "eve", reason: "left" });
  using kim = await Intruder.in(server, "kim");
  const records = [await kim.seal(say(1), bye), await kim.seal(say(2))];
  await kim.sendRaw(concat(...records));
  await ana.shows("left", { name: "kim", reason: "left" });
  await Promise.all([eve.rest(), kim.rest()]);
  await ana.type("the end");
  await ana.shows("said", { text: "the end" });

  const log = await server.log();
  assertSaid(log, "eve", ["line 1"]);
  assertSaid(log, "kim", ["line 1"]);
});

Deno.test("server lets go of members who half-close, cut a record short at any byte, or reset in mid-record", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const leaves = (name: string) => ana.shows("left", { name, reason: "lost" });

  using half = await Intruder.in(server, "half");
  await half.conn.closeWrite();
  await half.rest(); // the server ends its own half
  await leaves("half");

  const { length } = await half.seal(say(1));
  for (let size = 1; size < length; size++) {
    using cut = await Intruder.in(server, `cut-${size}`);
    await cut.sendRaw((await cut.seal(say(1))).subarray(0, size));
    await cut.conn.closeWrite();
    await cut.rest();
    await leaves(`cut-${size}`);
  }

  using reset = await Intruder.in(server, "reset");
  await ana.type("not read by everybody");
  await ana.shows("said", { text: "not read by everybody" });
  await reset.sendRaw((await reset.seal(say(1))).subarray(0, HEADER_SIZE + 9));
  reset.conn.close(); // with bytes that it hasn't read, which makes it a reset
  await leaves("reset");

  const log = await server.log();
  assertEquals(log.filter(({ what }) => what === "said").length, 1);
  assertFollows(ana, log);
});

Deno.test("server drops a member that never reads and one that reads a byte now and then, and the others miss nothing", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--ring-size", "4", "--rate", "0"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  using _mute = await Intruder.in(server, "mute");
  using sipper = await Intruder.in(server, "sipper");
  const byte = new Uint8Array(1);
  const sips = setInterval(() => {
    sipper.conn.read(byte).catch(() => {}); // until it is closed
  }, 100);
  using talker = await Intruder.in(server, "talker");
  const hearing = talker.rest();

  const dropped = () =>
    ana.all("left").filter(({ reason }) => reason === "slow").length;
  const texts: string[] = [];
  while (dropped() < 2 && texts.length < 20_000) {
    const lines = Array.from({ length: 150 }, (_, at) => {
      const n = texts.length + at + 1;
      return say(n, `${n} ${"x".repeat(4_000)}`) as Event<"say">;
    });
    await talker.send(...lines);
    texts.push(...lines.map(({ text }) => text));
    await ana.showsTexts(texts.length);
  }
  clearInterval(sips);
  const slow = ana.all("left").map(({ name, reason }) => `${name} ${reason}`);
  assertEquals(slow.sort(), ["mute slow", "sipper slow"]);
  await server.line(/too slow to follow$/);
  talker.conn.close();
  await hearing.catch(() => {}); // our own closing cuts it off
  assertEquals(ana.texts, texts);
  assertEquals(ana.entrances.length, 1);
});

Deno.test("server bears 200 members who come and go at once, and the others miss nothing", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  await using server = await Server.open(folder, {
    args: ["--metrics", `127.0.0.1:${port}`],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const start = performance.now();
  const comeAndGo = async (name: string) => {
    for (let count = 0; count < 25; count++) {
      using intruder = await Intruder.in(server, `${name}-${count}`);
      await intruder.send({ kind: "bye", reason: "left" });
      await intruder.rest();
    }
  };
  const coming = Array.from({ length: 8 }, (_, at) => comeAndGo(`eve-${at}`));
  await Promise.all(coming);
  await ana.type("quiet again");
  await ana.shows("said", { text: "quiet again" });
  const seconds = (performance.now() - start) / 1_000;

  const log = await server.log();
  assertEquals(log.length, 2 + 2 * 200);
  assertFollows(ana, log);
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const fresh = /chat_epochs_total\{change="fresh"\} (\d+)/.exec(
    await response.text(),
  );
  assert(Number(fresh?.[1]) <= 1 + seconds / 0.9, "a new key for each leaving");
});

Deno.test("server bears a member that comes back 50 times on end, and the others miss nothing", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const own = await newIdentity();
  const stay = newStay();
  using connections = new DisposableStack(); // each still stands when the next comes
  for (let n = 1; n <= 50; n++) {
    const eve = connections.use(await Intruder.at(server, undefined, own));
    await eve.send(joinEvent(own, "eve", { stay, n: 2 * n, after: 0 }));
    await eve.hears("welcome");
    await eve.send(say(2 * n + 1));
  }
  await ana.type("still here");
  await ana.shows("said", { text: "still here" });
  await ana.shows("said", { text: "line 101" });

  const log = await server.log();
  const of = (what: string) => log.filter((it) => it.what === what);
  assertEquals([of("left").length, of("joined").length], [0, 2]);
  assertFollows(ana, log);
  assertEquals(ana.entrances.length, 1);
});
