/**
 * One member of the load: a real client up to its welcome, and from then on one that compares and counts what it
 * receives, or, where it is one of the sample, opens all of it.
 *
 *     connect ── handshake ──▶ join ──▶ counts, or opens ── say ──▶ gets its own words back ── say ──▶ …
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { messageOf } from "../../src/base/error_reason.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../src/protocol/events.ts";
import { RecordType } from "../../src/protocol/records.ts";
import type { Audience, Voice } from "./audience.ts";
import { Opener, type OpenerListener, textOf } from "./opener.ts";
import { type MeteredRecord, RecordMeter } from "./record_meter.ts";
import type { Door } from "./sequence.ts";
import type { SealedKeys } from "./sealed_crowd.ts";
import type { Receiver, Socket } from "./socket.ts";
import type { KeyPair } from "../../src/crypto/x25519.ts";
import { RefusedError, type Stream } from "../../src/protocol/record_reader.ts";
import {
  connectChannel,
  type ConnectOptions,
} from "../../src/protocol/handshake.ts";
import { reach } from "../../src/client/reconnect.ts";

/**
 * What the server says to one member after so long may be that it asks for a sign of life, ms. It asks every 11 to 20 s:
 * less than that, for where what it said before came late.
 */
const QUIET_TIME = 5_000;

/** What a member reports to. */
export interface Warden
  extends Pick<Audience, "connect" | "holding" | "track" | "fail"> {
  /** Whether members join. */
  readonly admitting: boolean;
  /** A member has received a broadcast record. */
  counted(): void;
  /** The server calls the member of this name by this number. */
  named(id: number, name: string): void;
  /** A member of the sample has opened the record at an index of its door's sequence. */
  opened(door: Door, index: number, events: readonly Event[]): void;
  /** A member's connection has ended. */
  lost(member: Member): void;
}

/** How a member is to behave. */
export interface MemberOptions {
  readonly name: string;
  /** By which server it comes. */
  readonly door: Door;
  /** Those at which its messages must have arrived before it says others. */
  readonly heard: readonly Door[];
  /** Whether it opens and verifies everything, as it comes or when it is told to. */
  readonly opens: boolean | "later";
  /** Whether what it receives counts as delivered: the extra sender's doesn't. */
  readonly counts: boolean;
  /** Whether it is the first at its door. */
  readonly first: boolean;
  /** Its run of a client, 8 bytes in base64url. */
  readonly stay: string;
  /** What it has said, and the number of the last event that it has seen, where it comes back. */
  readonly before?: { readonly n: number; readonly after: number };
}

/** What makes a member a person of its own. */
export interface Keys extends SealedKeys {
  readonly keyPair: KeyPair;
}

/** What came of a speaker's messages at one server. */
interface Answers {
  /** How many of them stand in records that somebody there has opened. */
  said: number;
  /** The place after the last of those records. */
  due: number;
  /** How many of them have arrived. */
  back: number;
}

/** One connection and what came of it. */
export class Member implements Receiver, OpenerListener, Voice {
  readonly options: MemberOptions;
  /** Called with how many of this member's messages have come back to it. */
  onBack: (count: number) => void = () => {};
  /** What it says in a sealed room. */
  sealedText: string | undefined;
  readonly #warden: Warden;
  readonly #meter = new RecordMeter((record) => this.#met(record));
  readonly #stream = new MemberStream();
  readonly #entered = Promise.withResolvers<void>();
  #keys: Keys | undefined;
  #channel: Channel | undefined;
  #socket: Socket | undefined;
  #opener: Opener | undefined;
  #joined = false; // asked to be let in
  #position: number | undefined; // of the next record in the sequence
  #unplaced: MeteredRecord[] = []; // broadcasts since the welcome, while the position is unknown
  #ordinal = 0; // broadcasts so far
  #n = 0;
  #spoke = 0;
  readonly #answers: ReadonlyMap<Door, Answers>;
  #owed = false; // whether more were said than have arrived
  #back = 0;

  /** A member that hasn't connected yet. */
  constructor(warden: Warden, options: MemberOptions) {
    this.#warden = warden;
    this.options = options;
    this.#answers = new Map(
      options.heard.map((door) => [door, { said: 0, due: 0, back: 0 }]),
    );
    if (options.first) this.#position = 0;
    this.#n = options.before?.n ?? 0;
    this.#entered.promise.catch(() => {}); // nobody may wait for it any more
  }

  /** What makes it a person of its own. @throws {Error} before it joins. */
  get keys(): Keys {
    if (this.#keys) return this.#keys;
    throw new Error(`Cannot come back as "${this.options.name}": never in`);
  }

  /** How much it has said. */
  get n(): number {
    return this.#n;
  }

  /** The number of the last event that it has opened. */
  get seq(): number {
    return this.#opener?.seq ?? 0;
  }

  /** The index after the last record that it received; undefined before its first that others have. */
  get position(): number | undefined {
    this.#place();
    return this.#position;
  }

  /** Whether it has received all that anybody has. */
  get upToDate(): boolean {
    const none = this.#unplaced.length === 0;
    const { length } = this.options.door.sequence;
    return (this.position ?? (none ? length : -1)) === length;
  }

  /** Whether it has been welcomed, as far as it opens what it is told. */
  get welcomed(): boolean {
    const { opens } = this.options;
    return opens !== true || this.#opener?.welcomed === true;
  }

  /** Opens what it was told last. @returns Why its connection ends: what the server said, or else `why`. */
  async farewell(why = "connection lost"): Promise<string> {
    await this.#opener?.work().catch((error) => why = messageOf(error));
    return this.#opener?.goodbye ?? why;
  }

  /**
   * Connects, shakes hands, asks to be let in, and resolves when the server says the first thing inside.
   * @param first What it says first, in a sealed room.
   */
  async join(
    handshake: Omit<ConnectOptions, "keyPair">,
    keys: Keys,
    first: readonly Event[] = [],
  ): Promise<void> {
    const { door, opens, name, stay, before } = this.options;
    const { keyPair, card } = keys;
    this.#keys = keys;
    const { n, after } = before ?? { n: 0, after: null };
    const dial = async () => {
      this.#socket = await this.#warden.connect(door.port, this);
      this.#stream.socket = this.#socket;
      return this.#stream;
    };
    const options = { ...handshake, keyPair };
    this.#channel = before
      ? await reach(dial, options, new Promise(() => {}), false) // with a client's patience
      : await connectChannel(await dial(), options);
    if (opens) this.#opener = new Opener(this.#required(), this, after);
    else this.#meter.keeping = false;
    this.#joined = true;
    this.#spoke = performance.now();
    const join = { kind: "join", name, stay, n, after, card } as const;
    await this.#required().send(...first, join);
    await this.#entered.promise;
  }

  /** Tells the server something. */
  tell(events: readonly Event[]): Promise<void> {
    return this.#required().send(...events);
  }

  /** Says so many messages, in as few records as they fit. */
  say(count: number): Promise<void> {
    return this.#required().send(...this.#next(count));
  }

  async prepare(): Promise<() => void> {
    const [plaintext] = packEvents(this.#next(1).map(encodeEvent));
    if (!plaintext) throw new Error("Cannot say nothing");
    const sealed = await this.#required().seal(plaintext);
    return () => this.#socket?.send(sealed);
  }

  /**
   * Some of its messages stand in a server's record before `position`. They are back when that has arrived here; the
   * extra sender's only when it has arrived at everybody, of all servers.
   */
  answered(door: Door, position: number, count: number): void {
    const answers = this.#answers.get(door);
    if (!answers) return;
    answers.due = Math.max(answers.due, position);
    answers.said += count;
    this.#owed = true;
    this.goOn();
  }

  /** Says so to `onBack` where its messages are back. */
  goOn(): void {
    if (!this.#owed) return;
    let back = Infinity;
    let said = 0;
    for (const [door, answers] of this.#answers) {
      if (this.#arrived(door, answers.due)) answers.back = answers.said;
      back = Math.min(back, answers.back);
      said = Math.max(said, answers.said);
    }
    this.#owed = back < said;
    const count = back - this.#back;
    this.#back = back;
    if (count > 0) this.onBack(count);
  }

  /** Opens what has arrived; for after opening had to wait. */
  open(): void {
    if (this.#opener) this.#warden.track(this.#opener.work());
  }

  /** Ends the connection. */
  close(): void {
    this.#socket?.close();
  }

  take(bytes: Uint8Array): void {
    try {
      this.#meter.push(bytes);
    } catch (error) {
      this.#warden.fail(error);
    }
  }

  end(): void {
    this.#stream.push(undefined);
    this.#entered.reject(new Error("connection lost"));
    this.#warden.lost(this);
  }

  get keysChange(): boolean {
    // Who opens later opens what came while others joined.
    return this.#warden.admitting || this.options.opens === "later";
  }

  welcome(id: number): void {
    this.#warden.named(id, this.options.name);
  }

  opened(ordinal: number, events: readonly Event[]): void {
    if (this.#position === undefined) return; // those who have a position open this record, too
    const index = this.#position - this.#ordinal + ordinal;
    this.#warden.opened(this.options.door, index, events);
  }

  #required(): Channel {
    if (this.#channel) return this.#channel;
    throw new Error(`Cannot speak as "${this.options.name}": not connected`);
  }

  #next(count: number): Event[] {
    this.#spoke = performance.now();
    return Array.from({ length: count }, () => {
      const n = ++this.#n;
      const text = this.sealedText;
      if (text !== undefined) return { kind: "seal", n, text };
      return { kind: "say", n, text: textOf(n) };
    });
  }

  #met(record: MeteredRecord): void {
    const { type, bytes } = record;
    if (!this.#joined) return this.#stream.push(bytes);
    if (type === RecordType.refusal) { // it came too late, and has asked to be let in already
      return this.#entered.reject(new RefusedError(record.print % 256));
    }
    if (type === RecordType.handshake) {
      throw new Error(`Cannot go on: "${this.options.name}" was refused`);
    }
    if (type === RecordType.broadcast) this.#meetBroadcast(record);
    else if (this.options.opens !== true) this.#answerPing();
    if (bytes) this.#opener?.push(bytes);
    if (this.options.opens === true && !this.#warden.holding) this.open();
    this.#entered.resolve();
  }

  #meetBroadcast(record: MeteredRecord): void {
    this.#ordinal++;
    if (this.#position === undefined) {
      this.#unplaced.push(record);
      this.#place();
    } else {
      const { sequence } = this.options.door;
      sequence.meet(this.#position++, record.size, record.print);
    }
    if (this.options.counts) this.#warden.counted();
    if (this.options.counts) this.goOn();
  }

  /** Finds its first broadcast among those that others have, and compares all since. */
  #place(): void {
    const [first] = this.#unplaced;
    if (!first) return;
    const { sequence } = this.options.door;
    let position = sequence.find(first.print);
    if (position === undefined) return; // nobody else has it yet
    for (const { size, print } of this.#unplaced) {
      sequence.meet(position++, size, print);
    }
    this.#position = position;
    this.#unplaced = [];
  }

  /** Whether what stands before a place of a server's records has arrived. */
  #arrived(door: Door, due: number): boolean {
    if (this.options.counts) return (this.position ?? -1) >= due;
    // In order, so that they have all before it, too.
    return due > 0 && door.sequence.metBy(due - 1) >= door.everybody;
  }

  /** After a long silence, what the server says to one member is that it asks for a sign of life. */
  #answerPing(): void {
    if (performance.now() - this.#spoke < QUIET_TIME) return;
    this.#spoke = performance.now();
    this.#warden.track(this.#required().send({ kind: "pong" }));
  }
}

/** What `connectChannel` reads and writes: whole records, each as it was sent. */
class MemberStream implements Stream {
  socket: Socket | undefined;
  readonly #records: (Bytes | undefined)[] = [];
  #arrived = Promise.withResolvers<void>();

  /** The next record, undefined for the end. */
  push(record: Bytes | undefined): void {
    this.#records.push(record);
    this.#arrived.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#records.length === 0) {
      this.#arrived = Promise.withResolvers<void>();
      await this.#arrived.promise;
    }
    const [record] = this.#records;
    if (!record) return null;
    // The last byte comes alone: a reader whose buffer isn't filled makes it small again, and there are
    // ten thousand of them.
    const size = Math.min(into.length, Math.max(1, record.length - 1));
    into.set(record.subarray(0, size));
    if (size === record.length) this.#records.shift();
    else this.#records[0] = record.subarray(size);
    return size;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.socket?.send(bytes as Bytes);
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.socket?.close();
  }
}
