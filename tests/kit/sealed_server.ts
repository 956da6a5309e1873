/**
 * A small server of a sealed room for tests of the client, over streams in memory: it orders lines, keeps wraps and
 * blobs, and does what a test tells it to do wrong.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import type { FileRequest } from "../../src/client/file_room.ts";
import { Epoch } from "../../src/crypto/epoch.ts";
import { readCard } from "../../src/crypto/identity.ts";
import { fullId, shortId } from "../../src/crypto/person_id.ts";
import type { KeyPair } from "../../src/crypto/x25519.ts";
import { admissionKey } from "../../src/keys/invite.ts";
import { Chain, CHAIN_START, chainEvent } from "../../src/protocol/chain.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import { epochFields } from "../../src/protocol/epoch_event.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../src/protocol/events.ts";
import { acceptChannel } from "../../src/protocol/handshake.ts";
import { MEMBER_ID } from "../../src/protocol/hello.ts";
import { LocalResponder } from "../../src/protocol/responder.ts";
import {
  lineEvent,
  type LogEntry,
  pastEvent,
  saidLine,
} from "../../src/protocol/line.ts";
import { HandshakeRefusal } from "../../src/protocol/reasons.ts";
import { broadcastHeader, NO_RECORDS } from "../../src/protocol/records.ts";
import type { Stream } from "../../src/protocol/record_reader.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { parseControl } from "../../src/sealed/control_line.ts";
import { FOUNDING_ID, Membership } from "../../src/sealed/membership.ts";
import { epochOf } from "../../src/sealed/sealed_line.ts";
import { type MemoryStream, streamPair } from "./memory_stream.ts";
import { SERVER, shared } from "./session_setup.ts";

/** A connection to the server. */
export class Seat {
  readonly #server: SealedServer;
  readonly #channel: Channel;
  readonly #stream: MemoryStream;
  readonly #staged: Event<"wrap">[] = [];
  #epoch: Epoch | undefined;
  #before = NO_RECORDS;
  #entering: string | undefined;
  #admitted: Event<"admit"> | undefined;
  #followed = 0;
  /** What broadcasts call it. */
  readonly id: number;
  /** What it said of itself. */
  join: Event<"join"> | undefined;
  /** The full id of its person. */
  person = "";
  n = 0;
  name = "";
  lastWords = "lost";

  constructor(
    server: SealedServer,
    id: number,
    channel: Channel,
    stream: MemoryStream,
  ) {
    this.#server = server;
    this.id = id;
    this.#channel = channel;
    this.#stream = stream;
  }

  get isIn(): boolean {
    return this.#epoch !== undefined;
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        const records = await this.#channel.read();
        if (!records) break;
        for (const record of records) {
          for (const event of await this.#channel.open(record)) {
            await this.#server.inTurn(() => this.#take(event));
          }
        }
      }
    } catch (error) {
      if (!this.#stream.closed) this.#server.faults.push(error);
    }
    this.end();
    await this.#server.inTurn(() => this.#server.left(this));
  }

  end(): void {
    if (this.#stream.closed) return;
    this.#channel.close();
  }

  /** Tells the client something. Only in the server's turn: what is sealed at once goes out in any order. */
  async tell(...events: Event[]): Promise<void> {
    if (this.#stream.closed || events.length === 0) return;
    for (const plaintext of packEvents(events.map(encodeEvent))) {
      const record = await this.#channel.seal(plaintext, this.#before);
      await this.#write(record);
    }
  }

  async share(...events: Event[]): Promise<void> {
    const { key, bytes, count } = await shared(...events);
    await this.tell(key);
    const { shared: before } = this.#before;
    this.#before = { ...this.#before, shared: before + count };
    await this.#write(bytes);
  }

  /** Writes to a client that may be gone. */
  async #write(bytes: Bytes): Promise<void> {
    try {
      await writeAll(this.#stream, bytes);
    } catch {
      this.end();
    }
  }

  /** Tells something as to everybody, with the number of the first line. */
  async broadcast(seq: number, at: number, ...events: Event[]): Promise<void> {
    if (!this.#epoch || this.#stream.closed || events.length === 0) return;
    const heading = (before: number) =>
      encodeEvent({ kind: "batch", seq: seq + before, at });
    for (const plaintext of packEvents(events.map(encodeEvent), heading)) {
      const header = broadcastHeader(plaintext.length);
      const { broadcast: before } = this.#before;
      this.#before = { ...this.#before, broadcast: before + 1 };
      const sealed = await this.#epoch.seal(plaintext, header);
      await this.#write(concat(header, sealed));
    }
  }

  async #take(event: Event): Promise<void> {
    const server = this.#server;
    server.heard.push(event);
    switch (event.kind) {
      case "ping":
        return await this.tell({ kind: "pong" });
      case "pong":
        return;
      case "bye":
        this.lastWords = event.reason;
        await this.tell({ kind: "bye", reason: "left" });
        return this.end();
      case "follow":
        return await this.#follow(event.after);
      case "wrap":
        if (event.next && this.isIn) {
          this.#staged.push(event);
          return;
        }
        return await server.wrap(event, this.#by);
      case "enter":
        this.#entering = event.text;
        return;
      case "admit":
        this.#admitted = event;
        return;
      case "join":
        return await this.#join(event);
      case "rule":
        return await this.#rule(event);
      case "need":
        return await server.needed(this.person, event.e);
      case "operate":
        return await this.tell({ kind: "answered", id: event.id });
      case "fetch":
      case "hold":
      case "missing":
      case "piece":
      case "taken":
        return await server.files?.take(this, event);
      case "agree": {
        const { id, seq } = event;
        const { value } = chainEvent(seq, server.chainAt(seq));
        return await this.tell({ kind: "agreed", id, seq, value });
      }
      case "page":
        return await this.#page(event);
      case "away": {
        const { text } = event;
        const absent: Event = { kind: "absent", id: this.id, text };
        return await server.tellAll(server.log.length + 1, 2_000, absent);
      }
      case "private":
      case "collect":
      case "got":
        return; // nobody has written, and what somebody writes is for nobody
    }
    const line = saidLine(event);
    if (!line || event.kind !== "seal") {
      throw new Error(`"${event.kind}" in a sealed room`);
    }
    if (epochOf(line.text) !== server.membership.epoch) return;
    if (line.n <= this.n) throw new Error(`line ${line.n} again`);
    this.n = line.n;
    await server.append(this, "sealed", line.n, line.text);
  }

  async #page({ id, before, count }: Event<"page">): Promise<void> {
    const server = this.#server;
    if (!server.readsLog) {
      const reason = "log-unreadable";
      return await this.tell({ kind: "refused", n: null, reason, detail: "" });
    }
    const end = Math.min(before - 1, server.log.length);
    const from = Math.max(0, end - count);
    await this.tell(
      chainEvent(from, server.chainAt(from)),
      ...server.alterPast(server.log.slice(from, end)).map(pastEvent),
      { kind: "paged", id, more: from > 0 },
    );
  }

  get #by(): string {
    return this.person === ""
      ? this.#server.personOf(this.#channel.remoteKey)
      : this.person;
  }

  async #follow(after: number): Promise<void> {
    const server = this.#server;
    if (server.isOpen) {
      const reason = "not-sealed";
      return await this.tell({ kind: "refused", n: null, reason, detail: "" });
    }
    const lines = server.control.filter(({ seq }) => seq > after);
    this.#followed = server.membership.seq;
    await this.tell(...lines.map(pastEvent), {
      kind: "followed",
      seq: server.membership.seq,
      digest: server.digestAt(after),
      blob: server.blobs.get(this.#channel.inviteId) ?? "",
    });
    const own = this.#by;
    const invite = server.membership.invites.get(this.#channel.inviteId)?.id;
    for (const to of [own, invite ?? ""]) {
      const wrapped = server.wraps.get(to);
      if (wrapped && !server.withholds) await this.tell(wrapped);
    }
  }

  async #join(event: Event<"join">): Promise<void> {
    const server = this.#server;
    const card = fromBase64url(event.card);
    const { id } = readCard(card);
    const full = fullId(id);
    this.person = full;
    this.join = event;
    this.n = event.n;
    if (this.#entering !== undefined) {
      const refused = await server.rule(this, this.#entering);
      if (refused) {
        return await this.tell({
          kind: "refused",
          n: null,
          reason: refused,
          detail: "",
        });
      }
    }
    const member = server.membership.member(full);
    if (!member) {
      return await this.tell({
        kind: "refused",
        n: null,
        reason: "removed",
        detail: "",
      });
    }
    this.name = member.name;
    const beside = server.others(this)[0];
    if (!beside) await server.append(this, "joined", event.n, "");
    else {
      const { stay } = event;
      await server.tellAll(server.log.length + 1, 2_000, {
        kind: "beside",
        id: this.id,
        of: beside.id,
        stay,
      });
    }
    const { after } = event;
    const isKnown = after !== null && after <= server.log.length;
    const start = Math.max(isKnown ? after : 0, server.start);
    const early = server.control.filter(({ seq }) =>
      seq <= start && seq > this.#followed
    );
    const missed = server.log.filter(({ seq }) => seq > start);
    const first = new Map<string, Seat>();
    const here = server.seats.filter((it) => it.isIn || it === this)
      .map((it): Event => {
        const of = first.get(it.person);
        const stay = it.join?.stay ?? "";
        if (of) return { kind: "beside", id: it.id, of: of.id, stay };
        first.set(it.person, it);
        return server.here(it);
      });
    await this.share(...server.alterHere(here));
    this.#epoch = await Epoch.fresh(SERVER.publicKey, 1);
    await this.tell(
      { kind: "epoch", ...epochFields(this.#epoch) },
      ...early.map(pastEvent),
      chainEvent(start, server.chainAt(start)),
      ...server.alterPast(missed).map(pastEvent),
      {
        kind: "welcome",
        id: this.id,
        seq: server.log.length,
        at: Date.now() + server.clockOff,
        name: this.name,
      },
    );
    if (!server.membership.isKeeper(full)) return;
    for (const [who, e] of server.needs) {
      await this.tell({ kind: "needed", who, e });
    }
  }

  async #rule({ id, text }: Event<"rule">): Promise<void> {
    const server = this.#server;
    const control = parseControl(text)?.control;
    await server.beforeRule(text);
    const staged = this.#staged.splice(0); // whatever comes of the line
    const { epoch } = server.membership;
    const admitted = this.#admitted;
    this.#admitted = undefined;
    const next = await server.next(this, text);
    if (typeof next === "string") {
      return await this.tell(
        { kind: "refused", n: null, reason: next, detail: "" },
        { kind: "answered", id },
      );
    }
    if (control?.verb === "invite") {
      if (!admitted) throw new Error("an invite that nobody can use");
      server.inviteKeys.set(admitted.invite, fromBase64url(admitted.key));
      server.blobs.set(admitted.invite, admitted.blob);
    }
    for (const wrap of staged) {
      if (wrap.e === epoch + 1) await server.wrap(wrap, this.person);
    }
    const { name } = this;
    await server.rule(this, text);
    if (control?.verb === "rename") {
      this.name = name; // as which it says that it has another one
      await server.append(this, "renamed", this.n, control.name);
      this.name = control.name;
    }
    await this.tell({ kind: "answered", id });
    if (control?.verb === "keys") {
      for (const seat of server.seats.slice()) {
        if (!control.removed.includes(seat.person)) continue;
        await seat.tell({ kind: "bye", reason: "removed" });
        seat.end();
      }
    }
  }
}

/** What deals with files. */
export interface Files {
  /** Carries out what a client asks for. */
  take(seat: Seat, event: FileRequest): Promise<void>;
  /** Somebody has gone. */
  left(seat: Seat): Promise<void>;
}

/** The server. */
export class SealedServer {
  readonly keyPair: KeyPair = SERVER;
  readonly foundingSecret: Bytes = randomBytes(32);
  readonly log: LogEntry[] = [];
  readonly wraps = new Map<string, Event<"wrapped">>();
  readonly inviteKeys = new Map<number, Bytes>();
  readonly blobs = new Map<number, string>();
  readonly #allWraps: Event<"wrapped">[] = [];
  readonly #memberships = new Map<number, Membership>(); // by the numbers of control lines
  readonly seats: Seat[] = [];
  /** Who lacks which epoch's key. */
  readonly needs = new Map<string, number>();
  /** All that clients said. */
  readonly heard: Event[] = [];
  /** What clients did wrong. */
  readonly faults: unknown[] = [];
  membership: Membership = Membership.NONE;
  /** How far its clock is ahead, ms. */
  clockOff = 0;
  /** With what words it shows that people leave; undefined: with theirs. */
  lastWords: string | undefined;
  /** After which line the past begins for who comes. */
  start = 0;
  /** What happens just before a control line is looked at. */
  beforeRule: (text: string) => Promise<void> = () => Promise.resolve();
  /** Whether it says that the room is open. */
  isOpen = false;
  /** Deals with files. Default: nobody does. */
  files: Files | undefined;
  /** Whether it can read its log. */
  readsLog = true;
  /** Whether it takes every invite that it was told of, also those of which it has no line. */
  takesAll = false;
  /** Whether it keeps wraps to itself. */
  withholds = false;
  /** What becomes of what everybody is told, for one seat. */
  alter: (events: Event[], seat: Seat) => Event[] = (events) => events;
  alterHere: (events: Event[]) => Event[] = (events) => events;
  alterPast: (lines: LogEntry[]) => LogEntry[] = (lines) => lines;
  #turn: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  readonly #running: Promise<void>[] = [];

  /** The control lines. */
  get control(): LogEntry[] {
    return this.log.filter(({ what }) => what === "ruled");
  }

  /** The chain's value for a line, 32 bytes; undefined for one that there isn't. */
  chainAt(seq: number): Bytes | undefined {
    const chain = new Chain(0, CHAIN_START);
    for (const line of this.log.slice(0, seq)) chain.add(line);
    return chain.at(seq);
  }

  /** The digest of the control lines up to the one of that number, base64url; "" where none has it. */
  digestAt(seq: number): string {
    const digest = this.#memberships.get(seq)?.digest;
    return digest ? toBase64url(digest) : "";
  }

  /** Has only the lines up to one, as after a backup was restored. */
  rollBack(seq: number): void {
    this.log.splice(seq);
    const last = this.control.at(-1)?.seq ?? 0;
    this.membership = this.#memberships.get(last) ?? Membership.NONE;
    for (const at of this.#memberships.keys()) {
      if (at > last) this.#memberships.delete(at);
    }
    const { epoch } = this.membership;
    this.wraps.clear();
    for (const wrapped of this.#allWraps) {
      if (wrapped.e <= epoch) this.wraps.set(wrapped.to, wrapped);
    }
  }

  /** Opens a connection. */
  dial(): Promise<Stream> {
    const [near, far] = streamPair();
    this.#running.push(this.#serve(far));
    return Promise.resolve(near);
  }

  /** Resolves when all connections have ended. */
  async closed(): Promise<void> {
    await Promise.all(this.#running);
  }

  inTurn(act: () => Promise<void>): Promise<void> {
    const acting = this.#turn.then(act);
    this.#turn = acting.catch(() => {});
    return acting;
  }

  async #serve(stream: MemoryStream): Promise<void> {
    try {
      const channel = await acceptChannel(stream, {
        responder: new LocalResponder(SERVER),
        inviteKey: (id) => this.#inviteKey(id),
        turnedAway: (invite, key) =>
          invite === MEMBER_ID && this.personOf(key) === ""
            ? HandshakeRefusal.key
            : undefined,
      });
      const seat = new Seat(this, this.#nextId++, channel, stream);
      this.seats.push(seat);
      await seat.run();
    } catch {
      if (!stream.closed) stream.close();
    }
  }

  #inviteKey(id: number): Bytes | undefined {
    if (id === FOUNDING_ID) {
      return this.membership.room
        ? undefined
        : admissionKey(this.foundingSecret);
    }
    return this.takesAll || this.membership.isOpen(id, Date.now())
      ? this.inviteKeys.get(id)
      : undefined;
  }

  /** The full id of the member with a key; "" for none. */
  personOf(key: Bytes): string {
    for (const { id, card } of this.membership.members.values()) {
      const { noiseKey } = readCard(fromBase64url(card));
      if (toBase64url(noiseKey) === toBase64url(key)) return id;
    }
    return "";
  }

  async next(
    seat: Seat,
    text: string,
    at: number = Date.now() + this.clockOff,
  ): Promise<Membership | string> {
    const line = parseControl(text);
    const person = shortId(seat.person);
    if (!line || !await this.membership.isSigned(line, person)) {
      return "control-wrong";
    }
    const place = { seq: this.log.length + 1, at, person };
    return this.membership.next(line, place);
  }

  /** Says a control line. @returns Why it can't be said. */
  async rule(seat: Seat, text: string): Promise<string | undefined> {
    const at = Date.now() + this.clockOff;
    const next = await this.next(seat, text, at);
    if (typeof next === "string") return next;
    this.membership = next;
    this.#memberships.set(next.seq, next);
    const person = shortId(seat.person);
    seat.name = next.members.get(person)?.name ?? seat.name;
    await this.append(seat, "ruled", 0, text, at);
    return undefined;
  }

  async append(
    seat: Seat,
    what: LogEntry["what"],
    n: number,
    text: string,
    at = 2_000,
  ): Promise<void> {
    const entry: LogEntry = {
      seq: this.log.length + 1,
      at,
      person: shortId(seat.person),
      stay: seat.join?.stay ?? "",
      n,
      what,
      name: seat.name,
      text,
      to: null,
    };
    this.log.push(entry);
    const event = lineEvent(seat.id, seat.person, entry);
    await this.tellAll(entry.seq, entry.at, event);
  }

  here(seat: Seat): Event {
    const times = { since: 0, active: 0, away: "" };
    const { id, name, person } = seat;
    const stay = seat.join?.stay ?? "";
    return { kind: "here", id, name, person, stay, ...times };
  }

  /** Other connections of the same person that are in. */
  others(seat: Seat): Seat[] {
    return this.seats.filter((it) =>
      it !== seat && it.isIn && it.person === seat.person
    );
  }

  /** Tells everybody who is in. */
  async tellAll(seq: number, at: number, ...events: Event[]): Promise<void> {
    for (const it of this.seats) {
      if (it.isIn) await it.broadcast(seq, at, ...this.alter(events, it));
    }
  }

  /** A line that nobody said, for everybody. */
  forge(entry: LogEntry, ...events: Event[]): Promise<void> {
    return this.inTurn(async () => {
      this.log.push(entry);
      await this.tellAll(entry.seq, entry.at, ...events);
    });
  }

  async wrap({ to, e, data }: Event<"wrap">, by: string): Promise<void> {
    const own = this.seats.find((it) => it.person === to);
    const sender = by === "" ? to : by;
    const wrapped: Event<"wrapped"> = {
      kind: "wrapped",
      by: sender,
      to,
      e,
      data,
    };
    this.wraps.set(to, wrapped);
    this.#allWraps.push(wrapped);
    this.needs.delete(to);
    if (own?.isIn && !this.withholds) await own.tell(wrapped);
  }

  async needed(who: string, e: number): Promise<void> {
    this.needs.set(who, e);
    for (const seat of this.seats) {
      if (!seat.isIn || !this.membership.isKeeper(seat.person)) continue;
      await seat.tell({ kind: "needed", who, e });
    }
  }

  async left(seat: Seat): Promise<void> {
    this.seats.splice(this.seats.indexOf(seat), 1);
    await this.files?.left(seat);
    if (!seat.isIn) return;
    if (this.others(seat).length === 0) {
      const words = this.lastWords ?? seat.lastWords;
      return await this.append(seat, "left", seat.n + 1, words);
    }
    const parted: Event = { kind: "parted", id: seat.id };
    await this.tellAll(this.log.length + 1, 2_000, parted);
  }
}
