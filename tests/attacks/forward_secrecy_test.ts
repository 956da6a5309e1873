/**
 * What recorded bytes say to those who were not there: somebody who left, somebody who came, each with every
 * key that the server told it, and time to try them all. Real programs with a tap between them.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  DecryptionError,
  decryptMessage,
  fromBase64url,
  hkdf,
  PROTOCOL_NAME,
  SIGNATURE_SIZE,
} from "../../crypto_utils.ts";
import { unpackEvents } from "../../src/protocol/events.ts";
import { HEADER_SIZE, RecordType } from "../../src/protocol/records.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { Intruder, through } from "../kit/intruder.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { JsonClient } from "../kit/client.ts";

/** How often a key is moved forward, and which counters are tried under each. */
const RATCHETS = 6;
const COUNTERS = 60;

/** The key after this one, which whoever has it can make: as an epoch's reader does. */
function ratcheted(key: Bytes): Bytes {
  const info = new TextEncoder().encode(`${PROTOCOL_NAME} ratchet`);
  return hkdf(key, new Uint8Array(0), info, key.length);
}

/** Every key that somebody was told, and those that follow from it. */
function keysOf({ epochs }: Intruder): Bytes[] {
  const keys: Bytes[] = [];
  for (const epoch of epochs) {
    let key = fromBase64url(epoch.key);
    for (let count = 0; count <= RATCHETS; count++) {
      keys.push(key);
      key = ratcheted(key);
    }
  }
  return keys;
}

/** What a broadcast says, by any of the keys under any counter; undefined where none opens it. */
async function opened(
  record: Bytes,
  keys: readonly Bytes[],
): Promise<string | undefined> {
  const header = record.subarray(0, HEADER_SIZE);
  const sealed = record.subarray(HEADER_SIZE, -SIGNATURE_SIZE);
  const attempt = async (key: Bytes, counter: number) => {
    const cipher = await CipherState.create(key, counter);
    const plaintext = await decryptMessage(cipher, sealed, header);
    return JSON.stringify(unpackEvents(plaintext));
  };
  for (const key of keys) {
    const attempts = Array.from(
      { length: COUNTERS },
      (_, at) => attempt(key, at),
    );
    for (const result of await Promise.allSettled(attempts)) {
      if (result.status === "fulfilled") return result.value;
      assert(result.reason instanceof DecryptionError);
    }
  }
  return undefined;
}

/** Ana, whose line is tapped, and somebody who is there all the time. */
async function setup() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const server = stack.use(await Server.open(folder));
  const proxy = stack.use(new TcpProxy(server.port));
  const invite = through(proxy, server);
  const ana = stack.use(await JsonClient.join({ invite, name: "ana" }));
  const witness = stack.use(await Intruder.in(server, "witness"));
  const all = stack.move();
  /** Lets ana say things, one record each. */
  const say = async (...texts: string[]) => {
    for (const text of texts) {
      await ana.type(text);
      await ana.shows("said", { text });
    }
  };
  /** The broadcasts so far. */
  const broadcasts = () =>
    proxy.records
      .filter(({ direction, type }) =>
        direction === "down" && type === RecordType.broadcast
      )
      .map(({ bytes }) => bytes);
  const dispose = () => all.disposeAsync();
  return {
    server,
    ana,
    witness,
    say,
    broadcasts,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Waits until somebody has read every key that the server has told it so far. */
async function readKeys(intruder: Intruder): Promise<Bytes[]> {
  await intruder.send({ kind: "ping" });
  await intruder.hears("pong");
  return keysOf(intruder);
}

Deno.test("one who left opens nothing that is sent from a second later on", async () => {
  await using room = await setup();
  const { server, ana, witness, say, broadcasts } = room;
  using leaver = await Intruder.in(server, "leaver");
  await say("while it was there");
  const before = broadcasts().slice(-1);
  const keys = await readKeys(leaver);
  assert((await opened(before[0] as Bytes, keys))?.includes("while it was"));

  await leaver.send({ kind: "bye", reason: "left" });
  await ana.shows("left", { name: "leaver" });
  const left = performance.now();
  while (performance.now() - left < 1_000) await readKeys(witness);
  const { length } = broadcasts();
  await say("secret 0", "secret 1");
  using _newcomer = await Intruder.in(server, "newcomer");
  await say("secret 2");
  const since = broadcasts().slice(length);

  assert(since.length >= 4);
  for (const record of since) {
    assertEquals(await opened(record, keys), undefined);
  }
  const others = await readKeys(witness);
  const texts = await Promise.all(since.map((it) => opened(it, others)));
  for (const text of ["secret 0", "secret 1", "secret 2"]) {
    assert(texts.some((it) => it?.includes(text)), "who stays opens all of it");
  }
});

Deno.test("one who comes opens nothing that was sent before", async () => {
  await using room = await setup();
  const { server, witness, say, broadcasts } = room;
  await say("earlier 0", "earlier 1", "earlier 2");
  using comer = await Intruder.in(server, "comer");
  const before = broadcasts().slice(0, -1); // the last one is sealed as the comer's coming is told
  await say("later");
  const later = broadcasts().slice(-1);
  const keys = await readKeys(comer);

  assert(before.length >= 4);
  for (const record of before) {
    assertEquals(await opened(record, keys), undefined);
  }
  assert((await opened(later[0] as Bytes, keys))?.includes("later"));
  const others = await readKeys(witness);
  const texts = await Promise.all(before.map((it) => opened(it, others)));
  for (const text of ["earlier 0", "earlier 1", "earlier 2"]) {
    assert(texts.some((it) => it?.includes(text)), "who was there opens all");
  }
});
