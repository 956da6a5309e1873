/**
 * What comes over the network: records, handshakes, sealed records and the events in them. Connections are in
 * memory, and their keys new each time.
 *
 * @module
 */

import fc from "fast-check";
import {
  type Bytes,
  concat,
  DecryptionError,
  HandshakeError,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import {
  encodeEvent,
  type Event,
  EventError,
  type Kind,
  packEvents,
  TABLE,
  unpackEvents,
} from "../../../src/protocol/events.ts";
import { formatOffer } from "../../../src/protocol/offer.ts";
import {
  broadcastHeader,
  encodeHeader,
  MAX_HANDSHAKE_RECORD_SIZE,
  MAX_PLAINTEXT_SIZE,
  MAX_RECORD_SIZE,
  NO_RECORDS,
  padmeLength,
  RecordSplitter,
  RecordType,
  WireError,
  type WireRecord,
} from "../../../src/protocol/records.ts";
import { type MemoryStream, streamPair } from "../../kit/memory_stream.ts";
import {
  anyText,
  bytesOf,
  goodText,
  hold,
  outcomeOf,
  property,
  same,
  type Target,
} from "./target.ts";
import {
  CARD_SIZE,
  type Identity,
  identityOf,
} from "../../../src/crypto/identity.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { importKeyPair, type KeyPair } from "../../../src/crypto/x25519.ts";
import { BLOB_SIZE, WRAP_SIZE } from "../../../src/sealed/content_key.ts";
import { Epoch, EpochReader } from "../../../src/crypto/epoch.ts";
import { RefusedError } from "../../../src/protocol/record_reader.ts";
import {
  acceptChannel,
  connectChannel,
} from "../../../src/protocol/handshake.ts";
import { LocalResponder } from "../../../src/protocol/responder.ts";

// ── Events ─────────────────────────────────────────────────────────────────────────────────────────────

/** The shortest private message, bytes. */
const LETTER_SIZE = 1_392;
const OFFER = { name: "a", size: 1, digest: "0".repeat(64) };
const offers = fc.nat().map((size) => formatOffer({ ...OFFER, size }));
const filePieces = fc.base64String().map((text) => text.replace(/[+/=]/g, "_"));
const counts = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const samples: readonly (readonly [fc.Arbitrary<unknown>, unknown])[] = [
  [counts, 5],
  [fc.constant(null), null],
  [fc.boolean(), true],
  [goodText(256), "a b"],
  [offers, formatOffer(OFFER)],
  [filePieces, "_"],
  [anyBytes(KEY_SIZE).map((it) => shortId(fullId(it))), "0".repeat(16)],
  // Stays; keys, ids and secrets; cards; wraps; blobs; private messages.
  ...[8, KEY_SIZE, CARD_SIZE, WRAP_SIZE, BLOB_SIZE, LETTER_SIZE].map(
    bytesSample,
  ),
];

function bytesSample(size: number): (typeof samples)[number] {
  const zeros = toBase64url(new Uint8Array(size));
  return [anyBytes(size).map(toBase64url), zeros];
}

function anyBytes(size: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: size, maxLength: size })
    .map((it) => new Uint8Array(it));
}

/** Any well-formed event of a kind, made by what its fields' checks let through. */
function eventOf(kind: Kind): fc.Arbitrary<Event> {
  const fields = Object.entries(TABLE[kind]).map(([name, check]) => {
    const fitting = samples.filter(([_, sample]) => check(sample))
      .map(([arbitrary]) => arbitrary)
      .map((it) => it === counts && !check(2 ** 53 - 1) ? fc.nat() : it);
    return [name, fc.oneof(...fitting)] as const;
  });
  const record = fc.record(Object.fromEntries(fields));
  return record.map((values) => ({ kind, ...values }) as unknown as Event);
}

const KINDS = Object.keys(TABLE) as Kind[];
const anyEvent = fc.oneof(...KINDS.map(eventOf));

/** One event of each kind. */
function sampleEvents(): Event[] {
  return fc.sample(fc.tuple(...KINDS.map(eventOf)), {
    numRuns: 1,
    seed: 1,
  })[0] ??
    [];
}

function checkEvents(plaintext: Bytes): string {
  try {
    const events = unpackEvents(plaintext);
    for (const event of events) {
      hold(Object.hasOwn(TABLE, event.kind), "an unknown kind");
      const fields = Object.keys(TABLE[event.kind]);
      same(Object.keys(event), ["kind", ...fields], "other fields");
    }
    const packed = packEvents(events.map(encodeEvent));
    same(packed.flatMap(unpackEvents), events, "they change");
    return events.map(({ kind }) => kind).slice(0, 3).join();
  } catch (error) {
    return outcomeOf(error, EventError);
  }
}

/** `unpackEvents` and `packEvents`. */
export function events(): Target {
  const all = sampleEvents().map(encodeEvent);
  return {
    name: "events",
    share: 4,
    seeds: [...packEvents(all), ...all.map((event) => bytesOf(`[${event}]`))],
    words: [
      ...KINDS.map((kind) => `"${kind}"`),
      ..."[ ] , null true {} [[[[[[[[ 9007199254740991 9007199254740992".split(
        " ",
      ),
      ..."-1 1e999 0.5 \\ud800 \\u0000 __proto__ \ufeff -0 8640000000000001"
        .split(" "),
    ],
    check: checkEvents,
    properties: [
      property("unpackEvents() reads what packEvents() writes", [
        fc.array(anyEvent, { maxLength: 200 }),
        fc.boolean(),
      ], (events, headed) => {
        const heading = (seq: number) =>
          encodeEvent({ kind: "batch", seq, at: 0 });
        const packed = packEvents(
          events.map(encodeEvent),
          headed ? heading : undefined,
        );
        for (const { length } of packed) {
          hold(length <= MAX_PLAINTEXT_SIZE, `a plaintext of ${length} bytes`);
          hold(padmeLength(length) === length, "it is not padded");
        }
        const read = packed.flatMap(unpackEvents);
        const rest = headed
          ? read.filter((_, at) => !isHeading(read, at))
          : read;
        same(rest.length, events.length, "events were lost");
        if (!headed) same(read, events, "they change");
      }),
      property("unpackEvents() throws nothing but EventError", [
        fc.json(
          { maxDepth: 6, noUnicodeString: false } as fc.JsonSharedConstraints,
        ),
        anyText(),
      ], (json, text) => {
        checkEvents(bytesOf(json));
        checkEvents(bytesOf(`[[${JSON.stringify(text)},${json}]]`));
      }),
    ],
  };
}

/** Whether that event is one that a record begins with: their numbers are counted from what came before. */
function isHeading(read: readonly Event[], at: number): boolean {
  const event = read[at];
  if (event?.kind !== "batch" || event.at !== 0) return false;
  const headings = read.slice(0, at).filter((it, before) =>
    it.kind === "batch" && it.at === 0 && isHeading(read, before)
  );
  return event.seq === at - headings.length;
}

// ── Records ────────────────────────────────────────────────────────────────────────────────────────────

/** All records of a stream that comes in pieces, or the error at which it ends. */
function split(
  pieces: readonly Uint8Array[],
  limit: number,
): { records: WireRecord[]; end: string } {
  const splitter = new RecordSplitter(limit);
  const records: WireRecord[] = [];
  try {
    for (const piece of pieces) {
      splitter.push(piece);
      for (let next; (next = splitter.shift());) records.push(next);
    }
    return { records, end: splitter.unfinished ? "unfinished" : "whole" };
  } catch (error) {
    return { records, end: outcomeOf(error, WireError) };
  }
}

function checkRecords(input: Bytes, cut: number): string {
  const whole = split([input], MAX_RECORD_SIZE);
  const cuts = [input.subarray(0, cut), input.subarray(cut)];
  const pieces = split(cuts, MAX_RECORD_SIZE);
  hold(whole.end === pieces.end, `${whole.end}, in pieces ${pieces.end}`);
  const total = (records: readonly WireRecord[]) =>
    records.reduce((sum, { body }) => sum + 3 + body.length, 0);
  hold(
    total(whole.records) === total(pieces.records),
    "pieces make a difference",
  );
  hold(total(whole.records) <= input.length, "more comes out than went in");
  const small = split([input], MAX_HANDSHAKE_RECORD_SIZE);
  for (const { body } of small.records) {
    hold(body.length + 3 <= MAX_HANDSHAKE_RECORD_SIZE, "over the limit");
  }
  for (const { header, body, type } of whole.records) {
    const [high, low, kind] = encodeHeader(type, body.length);
    const [a, b, c] = header;
    hold(a === high && b === low && c === kind, "another header");
  }
  return `${whole.records.length} ${whole.end}`;
}

/** `RecordSplitter`, with records from a conversation. */
export function records(recorded: readonly Bytes[]): Target {
  return {
    name: "records",
    share: 5,
    seeds: recorded,
    words: ["\x00\x13\x02", "\x00\x04\x04", "\x08\x00\x01", "\x00\x53\x03"],
    check: (input) => checkRecords(input, (input[0] ?? 0) % (input.length + 1)),
    properties: [
      property("RecordSplitter gives the same however the stream was cut", [
        fc.array(fc.uint8Array({ minLength: 16, maxLength: 300 })),
        fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }),
      ], (bodies, sizes) => {
        const stream = concat(...bodies.flatMap((body) => [
          encodeHeader(RecordType.direct, body.length),
          body,
        ]));
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < stream.length;) {
          const size = sizes[pieces.length % sizes.length] ?? 1;
          pieces.push(stream.subarray(at, at + size));
          at += size;
        }
        const { records, end } = split(pieces, MAX_RECORD_SIZE);
        same(end, "whole", "the end");
        same(
          records.map(({ body }) => [...body]),
          bodies.map((it) => [...it]),
          "",
        );
      }),
    ],
  };
}

// ── Handshakes ─────────────────────────────────────────────────────────────────────────────────────────

/** Both sides' keys. */
export interface Keys {
  readonly server: KeyPair;
  readonly client: Identity;
  readonly invite: Bytes;
}

/** Fresh keys. */
export async function freshKeys(): Promise<Keys> {
  const server = await importKeyPair(randomBytes(32));
  const client = await identityOf(randomBytes(32));
  return { server, client, invite: randomBytes(32) };
}

/** The server's side. */
export function accept(stream: MemoryStream, keys: Keys): Promise<Channel> {
  return closing(
    stream,
    acceptChannel(stream, {
      responder: new LocalResponder(keys.server),
      inviteKey: (id) => id === 0 ? keys.invite : undefined,
    }),
  );
}

/** The client's side. */
export function connect(stream: MemoryStream, keys: Keys): Promise<Channel> {
  return closing(
    stream,
    connectChannel(stream, {
      keyPair: keys.client.keyPair,
      inviteId: 0,
      inviteKey: keys.invite,
      checkServer: (key) =>
        same(key.toHex(), keys.server.publicKey.toHex(), ""),
    }),
  );
}

/** Closes the stream where a handshake fails, as whoever runs it does. */
async function closing<T>(stream: MemoryStream, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!stream.closed) stream.close();
    throw error;
  }
}

/** A conversation, as an onlooker sees it. */
export interface Recording {
  /** All that the client wrote, and the server. */
  readonly up: readonly Bytes[];
  readonly down: readonly Bytes[];
}

/** Records a handshake, and events both ways. */
export async function recordConversation(keys: Keys): Promise<Recording> {
  const [near, far] = streamPair();
  const [client, server] = await Promise.all([
    connect(near, keys),
    accept(far, keys),
  ]);
  for (const event of sampleEvents()) {
    await client.send(event);
    await server.send(event);
  }
  client.close();
  server.close();
  return { up: near.outgoing.written, down: far.outgoing.written };
}

async function outcomeOfHandshake(
  handshake: Promise<Channel>,
  ...types: Parameters<typeof outcomeOf> extends [unknown, ...infer T] ? T
    : never
): Promise<string> {
  try {
    const channel = await handshake;
    channel.close();
    return "channel";
  } catch (error) {
    return outcomeOf(error, ...types);
  }
}

/** A stranger's bytes for `acceptChannel`: with a recording, nobody gets in. */
export function serverHandshake(keys: Keys, { up }: Recording): Target {
  return {
    name: "server-handshake",
    share: 3,
    seeds: [concat(...up.slice(0, 2)), up[0] ?? bytesOf("")],
    words: ["\x00\x04\x04\x02", "\x00\x13\x01", "\x04\xc4\x01\x01"],
    async check(input) {
      const [near, far] = streamPair();
      near.outgoing.inject(input);
      near.outgoing.end();
      const types = [HandshakeError, WireError] as const;
      const outcome = await outcomeOfHandshake(accept(far, keys), ...types);
      hold(outcome !== "channel", "a stranger got in");
      const sent = concat(...far.outgoing.written).length;
      hold(sent <= 1_400, `a stranger was sent ${sent} bytes`);
      return outcome;
    },
    properties: [],
  };
}

/** A stranger's bytes for `connectChannel`: with a recording, nobody is taken for the server. */
export function clientHandshake(keys: Keys, { down }: Recording): Target {
  return {
    name: "client-handshake",
    share: 1,
    seeds: [concat(...down.slice(0, 2)), down[0] ?? bytesOf("")],
    words: ["\x00\x04\x04\x02", "\x00\x04\x04\xff", "\x00\x13\x01"],
    async check(input) {
      const [near, far] = streamPair();
      far.outgoing.inject(input);
      far.outgoing.end();
      const outcome = await outcomeOfHandshake(
        connect(near, keys),
        HandshakeError,
        WireError,
        RefusedError,
      );
      hold(outcome !== "channel", "a stranger was taken for the server");
      return outcome;
    },
    properties: [],
  };
}

/**
 * Changes a handshake while it is under way. The input says where: which of the three messages (0 to 2), where
 * in it (two bytes), and what is added to that byte.
 */
export function liveHandshake(keys: Keys): Target {
  return {
    name: "live-handshake",
    share: 1,
    seeds: [[0, 0, 2, 1], [1, 0, 9, 255], [2, 0, 40, 128], [0, 0, 0, 0]]
      .map((bytes) => new Uint8Array(bytes)),
    words: ["\x01\x00\x03\x80", "\x02\x00\x03\x01"],
    async check([which = 0, high = 0, low = 0, added = 0]) {
      const [near, far] = streamPair();
      const message = which % 3;
      const at = high << 8 | low;
      let changed = false;
      const change = (bytes: Bytes, wanted: boolean) => {
        if (!wanted || added === 0) return [bytes];
        const copy = bytes.slice();
        // A changed length would have both sides wait, until the deadline that whoever runs them sets.
        const place = 2 + at % (copy.length - 2);
        copy[place] = (copy[place] ?? 0) + added;
        changed = true;
        return [copy];
      };
      near.outgoing.alter = (bytes, n) => change(bytes, n * 2 === message);
      far.outgoing.alter = (bytes, n) =>
        change(bytes, n === 0 && message === 1);
      const errors = [HandshakeError, WireError] as const;
      const [client, server] = await Promise.all([
        outcomeOfHandshake(connect(near, keys), ...errors, RefusedError),
        outcomeOfHandshake(accept(far, keys), ...errors),
      ]);
      hold(!changed || server !== "channel", "a changed handshake succeeds");
      hold(changed || server === "channel", "an unchanged handshake fails");
      return `${message} ${client} ${server}`;
    },
    properties: [],
  };
}

// ── Sealed records ─────────────────────────────────────────────────────────────────────────────────────

/** What becomes of a good record: the first two bytes say where something is added, the third what. */
function altered(good: Bytes, [high = 0, low = 0, added = 0]: Bytes): Bytes {
  const copy = good.slice();
  const at = (high << 8 | low) % copy.length;
  copy[at] = (copy[at] ?? 0) + added;
  return copy;
}

const CHANGES = [[0, 0, 0], [0, 0, 1], [0, 2, 1], [0, 3, 128], [0, 200, 1]]
  .map((bytes) => new Uint8Array(bytes));

function only(bytes: Bytes): WireRecord | string {
  const { records, end } = split([bytes], MAX_RECORD_SIZE);
  const [record] = records;
  return record && end === "whole" && records.length === 1 ? record : end;
}

/** Direct records: a changed one doesn't open, and the good one still does. */
export async function direct(keys: Keys): Promise<Target> {
  const [near, far] = streamPair();
  const [client, server] = await Promise.all([
    connect(near, keys),
    accept(far, keys),
  ]);
  const sent = sampleEvents();
  const [plaintext = bytesOf("")] = packEvents(sent.map(encodeEvent));
  return {
    name: "direct",
    share: 1,
    seeds: CHANGES,
    words: ["\x00", "\xff"],
    async check(input) {
      const good = await client.seal(plaintext);
      const bad = altered(good, input);
      const same = good.every((byte, at) => byte === bad[at]);
      const record = only(bad);
      let outcome = "unchanged";
      if (!same) {
        outcome = typeof record === "string" ? record : await refused(
          () => server.open({ ...record, before: NO_RECORDS }),
          DecryptionError,
        );
      }
      const whole = only(good);
      hold(typeof whole !== "string", "a good record is none");
      hold(
        (await server.open({ ...whole, before: NO_RECORDS })).length ===
          sent.length,
        "events were lost",
      );
      return outcome;
    },
    properties: [],
  };
}

async function refused(
  open: () => Promise<unknown>,
  type: typeof DecryptionError,
): Promise<string> {
  try {
    await open();
  } catch (error) {
    return outcomeOf(error, type);
  }
  throw new Error("A changed record opens");
}

/** Broadcasts: a changed one doesn't open. */
export function broadcasts(keys: Keys): Target {
  const serverKey = keys.server.publicKey;
  let epoch: Promise<Epoch> | undefined;
  return {
    name: "broadcasts",
    share: 1,
    seeds: CHANGES,
    words: ["\x00", "\xff"],
    async check(input) {
      const current = await (epoch ??= Epoch.fresh(serverKey, 1));
      const reader = await EpochReader.create(serverKey, current.describe());
      const header = broadcastHeader(input.length);
      const good = concat(header, await current.seal(input, header));
      const bad = altered(good, input);
      const record = only(bad);
      if (typeof record === "string") return record;
      const open = () => reader.open(record.body, record.header);
      if (!good.every((byte, at) => byte === bad[at])) {
        return await refused(open, DecryptionError);
      }
      same((await open()).toHex(), input.toHex(), "it changes");
      return "unchanged";
    },
    properties: [],
  };
}
