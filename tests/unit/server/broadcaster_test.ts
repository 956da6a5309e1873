/**
 * The room's voice: what it seals, who can open that and from when on, and when its key is due for renewal.
 *
 * @module
 */

import {
  DecryptionError,
  fromBase64url,
  KEY_SIZE,
  randomBytes,
} from "../../../crypto_utils.ts";
import { Broadcaster } from "../../../src/server/broadcaster.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  unpackEvents,
} from "../../../src/protocol/events.ts";
import {
  MAX_RECORD_SIZE,
  RecordSplitter,
  RecordType,
  type WireRecord,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { ManualClock, streamPair } from "../../kit/memory_stream.ts";
import { replaced } from "../../kit/replaced.ts";
import { Outlet } from "../../../src/server/outlet.ts";
import { Epoch, EpochReader } from "../../../src/crypto/epoch.ts";

const SERVER_KEY = randomBytes(KEY_SIZE);
const CAPACITY = 1_048_576;

const said = (n: number, text = "hello"): Event => ({
  kind: "said",
  id: 1,
  n,
  text,
});
const headingAt = (first: number) => (before: number) =>
  encodeEvent({ kind: "batch", seq: first + before, at: 5 });

/** Reads all that is broadcast from now on, as records. */
class Listener {
  readonly outlet: Outlet;
  dropped = false;
  readonly #splitter = new RecordSplitter(MAX_RECORD_SIZE);
  readonly #end;

  constructor(broadcaster: Broadcaster) {
    const [near, far] = streamPair();
    this.#end = near;
    const tooSlow = () => {
      this.dropped = true;
      far.close();
    };
    this.outlet = new Outlet(broadcaster.ring, far, { limit: 0, tooSlow });
    this.outlet.attach();
  }

  /** Takes no more than so many bytes without reading. */
  set capacity(bytes: number) {
    this.#end.incoming.capacity = bytes;
  }

  async next(): Promise<WireRecord> {
    const buffer = new Uint8Array(MAX_RECORD_SIZE);
    for (;;) {
      const record = this.#splitter.shift();
      if (record) return record;
      const size = await this.#end.read(buffer);
      assert(size !== null);
      this.#splitter.push(buffer.subarray(0, size));
    }
  }
}

function follow(
  { number, counter, key, verifyKey }: Event<"epoch" | "sharing">,
): Promise<EpochReader> {
  return EpochReader.create(SERVER_KEY, {
    number,
    counter,
    key: fromBase64url(key),
    verifyKey: fromBase64url(verifyKey),
  });
}

async function open(
  reader: EpochReader,
  { body, header }: WireRecord,
): Promise<Event[]> {
  return unpackEvents(await reader.open(body, header));
}

function send(broadcaster: Broadcaster, first: number, ...events: Event[]) {
  return broadcaster.send(events.map(encodeEvent), headingAt(first));
}

Deno.test("Broadcaster.send() says to everybody what whoever was told the epoch can open", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  const epoch = broadcaster.describe();
  assertEquals([epoch.number, epoch.counter], [1, 0]);
  assertEquals(fromBase64url(epoch.key).length, 32);
  assertEquals(fromBase64url(epoch.verifyKey).length, 32);
  const listeners = [new Listener(broadcaster), new Listener(broadcaster)];
  await send(broadcaster, 7, said(1), said(2));
  const records = await Promise.all(listeners.map((it) => it.next()));
  assertEquals(records[0], records[1]);
  for (const record of records) {
    assertEquals(record.type, RecordType.broadcast);
    const reader = await follow(epoch);
    assertEquals(await open(reader, record), [
      { kind: "batch", seq: 7, at: 5 },
      said(1),
      said(2),
    ]);
  }
  assertEquals(broadcaster.describe(), { ...epoch, counter: 1 });
});

Deno.test("Broadcaster.send() seals a long batch as records that open in their order", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  const reader = await follow(broadcaster.describe());
  const listener = new Listener(broadcaster);
  const events = Array.from(
    { length: 300 },
    (_, n) => said(n, "x".repeat(2_000)),
  );
  await send(broadcaster, 1, ...events);
  const heard: Event[] = [];
  while (heard.length < 300) {
    const [heading, ...rest] = await open(reader, await listener.next());
    assertEquals(heading, { kind: "batch", seq: heard.length + 1, at: 5 });
    heard.push(...rest);
  }
  assertEquals(heard, events);
});

Deno.test("Broadcaster.send() leaves it to others, where that is wanted, to have members written what is said", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  const { outlet } = new Listener(broadcaster);
  const encoded = [encodeEvent(said(1))];
  await broadcaster.send(encoded, headingAt(1), false);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals([outlet.moved, outlet.writing], [0, false]);
  broadcaster.ring.flush();
  await outlet.drained();
  await broadcaster.send(encoded, headingAt(2));
  await outlet.drained();
  assertEquals(outlet.cursor, broadcaster.ring.head);
});

Deno.test("Broadcaster.send() drops who is too slow for it, and nobody else", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, 4_096);
  const reader = await follow(broadcaster.describe());
  const slow = new Listener(broadcaster);
  slow.capacity = 0;
  const quick = new Listener(broadcaster);
  for (let n = 1; n <= 20; n++) {
    await send(broadcaster, n, said(n, "x".repeat(500)));
    assertEquals(
      (await open(reader, await quick.next()))[1],
      said(
        n,
        "x".repeat(500),
      ),
    );
    assertEquals(slow.dropped, n > 6); // six such records fit the ring
  }
  assertEquals(quick.dropped, false);
});

Deno.test("Broadcaster.share() seals for whoever is told the key, and leaves the epoch as it is", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  const epoch = broadcaster.describe();
  const events = Array.from(
    { length: 100 },
    (_, n) => said(n, "x".repeat(2_000)),
  );
  const plaintexts = packEvents(events.map(encodeEvent));
  const shares = [
    await broadcaster.share(plaintexts),
    await broadcaster.share(plaintexts),
  ];
  assertEquals(broadcaster.describe(), epoch);
  for (const [at, { key, bytes, count }] of shares.entries()) {
    assert(count > 1 && key.number === 0);
    const splitter = new RecordSplitter(MAX_RECORD_SIZE);
    splitter.push(bytes);
    const reader = await follow(key);
    const heard: Event[] = [];
    let found = 0;
    for (let record; (record = splitter.shift());) {
      const { header, type } = record;
      found++;
      assertEquals(type, RecordType.shared);
      for (const other of [epoch, shares[1 - at]?.key]) {
        assert(other);
        const stranger = await follow(other);
        await assertRejects(() => open(stranger, record), DecryptionError);
      }
      const renamed = { ...record, header: header.with(2, 3) as typeof header };
      const again = await follow(key);
      await assertRejects(() => open(again, renamed), DecryptionError);
      heard.push(...await open(reader, record));
    }
    assertEquals(heard, events);
    assertEquals(found, count);
  }
});

Deno.test("Broadcaster.renew() starts an epoch that the old key doesn't open", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  const listener = new Listener(broadcaster);
  const before = broadcaster.describe();
  await broadcaster.renew();
  const after = broadcaster.describe();
  assertEquals([after.number, after.counter], [2, 0]);
  assert(after.key !== before.key && after.verifyKey !== before.verifyKey);
  await send(broadcaster, 1, said(1));
  const record = await listener.next();
  const old = await follow(before);
  await assertRejects(() => open(old, record), DecryptionError);
  const ratcheted = await (await follow(before)).ratchet();
  await assertRejects(() => open(ratcheted, record), DecryptionError);
  assertEquals((await open(await follow(after), record))[1], said(1));
});

Deno.test("Broadcaster.ratchet() takes present members along, and shows newcomers nothing from before", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  const listener = new Listener(broadcaster);
  const reader = await follow(broadcaster.describe());
  await send(broadcaster, 1, said(1));
  await broadcaster.ratchet();
  const told = broadcaster.describe();
  assertEquals([told.number, told.counter], [2, 0]);
  await send(broadcaster, 2, said(2));
  const [first, second] = [await listener.next(), await listener.next()];

  assertEquals((await open(reader, first))[1], said(1));
  const present = await reader.ratchet();
  assertEquals((await open(present, second))[1], said(2));
  for (const number of [1, 2]) {
    const newcomer = await follow({ ...told, number });
    await assertRejects(() => open(newcomer, first), DecryptionError);
  }
  assertEquals((await open(await follow(told), second))[1], said(2));
});

Deno.test("Broadcaster.expired asks for a new key at the first leave, and then once in 900 ms at most", async () => {
  using clock = new ManualClock();
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  assertEquals(broadcaster.expired, false);
  clock.advance(10_000);
  assertEquals(broadcaster.expired, false); // nobody left
  broadcaster.expire();
  assertEquals(broadcaster.expired, true);
  await broadcaster.renew();
  assertEquals(broadcaster.expired, false);

  clock.advance(100);
  broadcaster.expire();
  assertEquals(broadcaster.expired, false);
  clock.advance(799);
  assertEquals(broadcaster.expired, false);
  clock.advance(1);
  assertEquals(broadcaster.expired, true);
  await broadcaster.renew();
  clock.advance(10_000);
  assertEquals(broadcaster.expired, false);
});

Deno.test("Broadcaster.expired asks for a new key after 10 minutes, and at once where somebody was removed", async () => {
  using clock = new ManualClock();
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  clock.advance(599_999);
  assertEquals(broadcaster.expired, false);
  clock.advance(1);
  assertEquals(broadcaster.expired, true);
  await broadcaster.renew();
  assertEquals(broadcaster.expired, false);
  broadcaster.expire(); // somebody left, and the key is new: it may wait
  assertEquals(broadcaster.expired, false);
  broadcaster.expire(true);
  assertEquals(broadcaster.expired, true);
});

Deno.test("Broadcaster.expired asks for a new key after 2^31 records", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  for (const [sealed, expired] of [[2 ** 31 - 1, false], [2 ** 31, true]]) {
    using _counter = replaced(Epoch.prototype, "counter", sealed);
    assertEquals(broadcaster.expired, expired);
  }
});

Deno.test("Broadcaster.ratchet() doesn't count as a renewal: the one who left could follow it", async () => {
  const broadcaster = await Broadcaster.create(SERVER_KEY, CAPACITY);
  broadcaster.expire();
  await broadcaster.ratchet();
  assertEquals(broadcaster.expired, true);
});
