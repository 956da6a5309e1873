/**
 * A hostile server of a sealed room: it has the server's private key, opens all that passes between the real server and
 * the client programs, and tells each client what it likes. The honest server behind it stays as it is.
 *
 *     client ── channel, as the server ── up, down ── channel, as that member ── server
 *
 * It shakes hands with the real server by the members' own X25519 keys, which a test gives it: so the server needs no
 * change. They open and sign nothing that is sealed from member to member.
 *
 * @module
 */

import "./crypto_idle.ts";
import { type Bytes, concat, fromBase64url } from "../../crypto_utils.ts";
import { isDisconnect } from "../../src/base/error_reason.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { Epoch, type EpochReader } from "../../src/crypto/epoch.ts";
import { type Identity, readCard } from "../../src/crypto/identity.ts";
import type { KeyPair } from "../../src/crypto/x25519.ts";
import { admissionKey, type Invite } from "../../src/keys/invite.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import { epochFields, epochReader } from "../../src/protocol/epoch_event.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  unpackEvents,
} from "../../src/protocol/events.ts";
import {
  acceptChannel,
  connectChannel,
  refuse,
} from "../../src/protocol/handshake.ts";
import { MEMBER_ID, MEMBER_KEY } from "../../src/protocol/hello.ts";
import { LocalResponder } from "../../src/protocol/responder.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import {
  broadcastHeader,
  NO_RECORDS,
  type RecordCounts,
  RecordType,
  type SealedRecord,
  sharedHeader,
} from "../../src/protocol/records.ts";

/** Broadcast events that are no lines: they have no number. */
const UNNUMBERED = new Set(["beside", "parted", "absent", "room"]);

/** What passes: an event, and, where it is a line that is broadcast, its number in the honest log. */
export interface PassingEvent {
  readonly event: Event;
  /** Null for what is no line that is broadcast now. */
  readonly seq: number | null;
}

/** What is told, or asked, in place of an event. */
export type EditEvent = (passing: PassingEvent) => readonly Event[];

/** Passes everything on. */
const asItIs: EditEvent = ({ event }) => [event];

/** One client's connection through the hostile server. */
export class HostileSeat {
  /** Whose it is. */
  readonly name: string;
  /** All that the real server told it, and all that it asked, in order. */
  readonly told: PassingEvent[] = [];
  readonly asked: Event[] = [];
  readonly #near: Channel; // to the client
  readonly #stream: Deno.TcpConn;
  readonly #far: Channel; // to the server
  readonly #edits: Edits;
  readonly #serverKey: Bytes;
  #before: RecordCounts = NO_RECORDS; // that the client was sent
  #epoch: Epoch | undefined; // of what it is told
  #reader: EpochReader | undefined; // of what the server tells
  #sharedReader: EpochReader | undefined;
  #seq = 0; // of the last line that the server told
  #at = 0;
  #last = 0; // the number of the last line that the client was told
  #turn: Promise<unknown> = Promise.resolve();
  #isRefused = false;

  constructor(
    { name, near, stream, far, edits, serverKey }: {
      readonly name: string;
      readonly near: Channel;
      readonly stream: Deno.TcpConn;
      readonly far: Channel;
      readonly edits: Edits;
      readonly serverKey: Bytes;
    },
  ) {
    this.name = name;
    this.#near = near;
    this.#stream = stream;
    this.#far = far;
    this.#edits = edits;
    this.#serverKey = serverKey;
  }

  /** The number of the last line that the client was told. */
  get last(): number {
    return this.#last;
  }

  /** How many more lines the real server has told than the client was. */
  get lag(): number {
    return this.#seq - this.#last;
  }

  /** Passes on until one side ends. */
  async run(): Promise<void> {
    const end = () => this.close();
    await Promise.all([
      this.#passUp().finally(end),
      // Who is refused ends the connection itself: else what it said meanwhile would make the end a reset.
      this.#passDown().finally(() => this.#isRefused || end()),
    ]);
  }

  /** Ends both connections. */
  close(): void {
    this.#near.close();
    this.#far.close();
  }

  async #passUp(): Promise<void> {
    for (let records; (records = await read(this.#near));) {
      for (const record of records) {
        for (const event of await this.#near.open(record)) {
          this.asked.push(event);
          this.#edits.asked(event);
          const edit = this.#edits.up.get(this.name) ?? asItIs;
          const events = edit({ event, seq: null });
          if (events.length > 0) await this.#ask(...events);
        }
      }
    }
  }

  /** Asks the real server, which may have ended the connection, as `#passDown` sees. */
  async #ask(...events: readonly Event[]): Promise<void> {
    try {
      await this.#far.send(...events);
    } catch (error) {
      if (!isDisconnect(error)) throw error;
    }
  }

  async #passDown(): Promise<void> {
    try {
      for (let records; (records = await read(this.#far));) {
        for (const record of records) {
          await this.#inTurn(() => this.#take(record));
        }
      }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#isRefused = true;
      await refuse(this.#stream, error.code).catch(() => {}); // the client is gone
    }
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const acting = this.#turn.then(act);
    this.#turn = acting.catch(() => {});
    return acting;
  }

  async #take(record: SealedRecord): Promise<void> {
    if (record.type === RecordType.direct) {
      for (const event of await this.#far.open(record)) {
        await this.#takeDirect(event);
      }
      return;
    }
    const isShared = record.type === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    if (!reader) throw new Error("no key for what the server tells");
    const plaintext = await reader.open(record.body, record.header);
    const events = unpackEvents(plaintext);
    if (isShared) {
      const edited = events.flatMap((event) => this.#edited(event, null));
      return await this.#share(edited);
    }
    for (const event of events) await this.#takeBroadcast(event);
  }

  #edited(event: Event, seq: number | null): readonly Event[] {
    const passing = { event, seq };
    this.told.push(passing);
    return (this.#edits.down.get(this.name) ?? asItIs)(passing);
  }

  async #takeDirect(event: Event): Promise<void> {
    if (event.kind === "sharing") {
      this.#sharedReader = await epochReader(this.#serverKey, event);
      return;
    }
    if (event.kind === "epoch") {
      this.#reader = await epochReader(this.#serverKey, event);
      if (this.#epoch) return; // its own one goes on
      this.#epoch = await Epoch.fresh(this.#serverKey, 1);
      return await this.#say({ kind: "epoch", ...epochFields(this.#epoch) });
    }
    if (event.kind === "welcome") this.#last = this.#seq = event.seq;
    await this.#say(...this.#edited(event, null));
  }

  async #takeBroadcast(event: Event): Promise<void> {
    if (event.kind === "ratchet") {
      this.#reader = await this.#reader?.ratchet();
    } else if (event.kind === "batch") {
      this.#seq = event.seq - 1;
      this.#at = event.at;
    } else {
      const isLine = !UNNUMBERED.has(event.kind);
      const seq = isLine ? ++this.#seq : null;
      await this.#tell(...this.#edited(event, seq));
    }
  }

  /** Tells the client something as if everybody was told it, under the next numbers. */
  tell(...events: Event[]): Promise<void> {
    return this.#inTurn(() => this.#tell(...events));
  }

  /** Tells the client something alone. */
  say(...events: Event[]): Promise<void> {
    return this.#inTurn(() => this.#say(...events));
  }

  async #tell(...events: readonly Event[]): Promise<void> {
    if (!this.#epoch || events.length === 0) return;
    const at = this.#at;
    for (const event of events) {
      const batch = { kind: "batch", seq: this.#last + 1, at } as const;
      if (!UNNUMBERED.has(event.kind)) this.#last++;
      const [plaintext] = packEvents([batch, event].map(encodeEvent));
      if (!plaintext) continue;
      const header = broadcastHeader(plaintext.length);
      const { broadcast } = this.#before;
      this.#before = { ...this.#before, broadcast: broadcast + 1 };
      const sealed = await this.#epoch.seal(plaintext, header);
      await this.#write(concat(header, sealed));
    }
  }

  async #share(events: readonly Event[]): Promise<void> {
    const once = await Epoch.fresh(this.#serverKey, 0);
    await this.#say({ kind: "sharing", ...epochFields(once) });
    for (const plaintext of packEvents(events.map(encodeEvent))) {
      const header = sharedHeader(plaintext.length);
      const { shared } = this.#before;
      this.#before = { ...this.#before, shared: shared + 1 };
      await this.#write(concat(header, await once.seal(plaintext, header)));
    }
  }

  async #say(...events: readonly Event[]): Promise<void> {
    for (const plaintext of packEvents(events.map(encodeEvent))) {
      await this.#write(await this.#near.seal(plaintext, this.#before));
    }
  }

  async #write(bytes: Bytes): Promise<void> {
    try {
      await writeAll(this.#stream, bytes);
    } catch (error) {
      if (!isDisconnect(error)) throw error;
      this.close(); // the client is gone, as `run` sees
    }
  }
}

async function read(channel: Channel): Promise<SealedRecord[] | null> {
  try {
    return await channel.read();
  } catch (error) {
    if (isDisconnect(error)) return null;
    throw error;
  }
}

/** What becomes of what passes, by the members' names. */
interface Edits {
  readonly down: Map<string, EditEvent>;
  readonly up: Map<string, EditEvent>;
  asked(event: Event): void;
}

/** The hostile server. */
export class HostileServer implements AsyncDisposable {
  /** What a member's client is told in place of what the server told it, by the member's name. */
  readonly down = new Map<string, EditEvent>();
  /** What the server hears in place of what a member's client asked, by the member's name. */
  readonly up = new Map<string, EditEvent>();
  /** What went wrong in it: nothing should. */
  readonly faults: unknown[] = [];
  /** Where the real server is; may change when that starts again. */
  target: number;
  readonly #keyPair: KeyPair;
  readonly #members: ReadonlyMap<string, Identity>;
  readonly #inviteKeys = new Map<number, Bytes>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #seats = new Map<string, HostileSeat>(); // the last of each name
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>;

  /**
   * Starts to listen.
   * @param keyPair The server's. @param founding The founding link.
   * @param members Who may come, by name.
   */
  constructor(
    target: number,
    keyPair: KeyPair,
    founding: Invite,
    members: ReadonlyMap<string, Identity>,
  ) {
    this.target = target;
    this.#keyPair = keyPair;
    this.#members = members;
    this.#inviteKeys.set(founding.id, admissionKey(founding.secret));
    this.#running = this.#run();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** The last connection of a member. */
  seat(name: string): HostileSeat {
    const seat = this.#seats.get(name);
    if (seat) return seat;
    throw new Error(`"${name}" was never here`);
  }

  /** Ends a member's connection, so that its client comes back. */
  cut(name: string): void {
    this.#seats.get(name)?.close();
  }

  async #run(): Promise<void> {
    const tasks = new Set<Promise<void>>();
    for await (const stream of this.#listener) {
      const serving = this.#serve(stream).catch((error) => {
        this.faults.push(error);
      }).finally(() => tasks.delete(serving));
      tasks.add(serving);
    }
    await Promise.all(tasks);
  }

  async #serve(stream: Deno.TcpConn): Promise<void> {
    this.#conns.add(stream);
    let far: Channel | undefined;
    try {
      stream.setNoDelay(true);
      const near = await acceptChannel(stream, {
        responder: new LocalResponder(this.#keyPair),
        inviteKey: (id) => this.#inviteKeys.get(id),
      });
      far = await this.#reach(near);
      const name = this.#nameOf(near.remoteKey);
      const seat = new HostileSeat({
        name,
        near,
        stream,
        far,
        serverKey: this.#keyPair.publicKey,
        edits: {
          down: this.down,
          up: this.up,
          asked: (event) => this.#asked(event),
        },
      });
      this.#seats.set(name, seat);
      await seat.run();
    } catch (error) {
      if (!isLost(error)) throw error;
    } finally {
      far?.close();
      close(stream);
      this.#conns.delete(stream);
    }
  }

  #asked(event: Event): void {
    if (event.kind !== "admit") return;
    this.#inviteKeys.set(event.invite, fromBase64url(event.key));
  }

  /** Comes to the real server as the member whose client this is. */
  async #reach({ inviteId, remoteKey }: Channel): Promise<Channel> {
    const identity = this.#members.get(this.#nameOf(remoteKey));
    if (!identity) throw new Error("who is that?");
    const inviteKey = inviteId === MEMBER_ID
      ? MEMBER_KEY
      : this.#inviteKeys.get(inviteId) ?? MEMBER_KEY;
    const port = this.target;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    try {
      const { keyPair } = identity;
      const checkServer = () => {};
      const options = { keyPair, inviteId, inviteKey, checkServer };
      return await connectChannel(conn, options);
    } catch (error) {
      close(conn);
      throw error;
    }
  }

  #nameOf(noiseKey: Bytes): string {
    const hex = noiseKey.toHex();
    for (const [name, { card }] of this.#members) {
      if (readCard(card).noiseKey.toHex() === hex) return name;
    }
    throw new Error("who is that?");
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    for (const seat of this.#seats.values()) seat.close();
    await this.#running;
  }
}

/** Whether a connection just isn't there, or any more. */
function isLost(error: unknown): boolean {
  return isDisconnect(error) ||
    error instanceof Deno.errors.ConnectionRefused ||
    (error instanceof Error && /shake hands/.test(error.message));
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already, by the other end's end.
  }
}
