/**
 * Servers that share a room, as far as coming to the stream goes: with real files, a stream and messages in memory, and
 * entries that only bring lines.
 *
 *     await using room = await SharedServers.make();
 *     const a = await room.start("a");
 *     await a.find();                 // begins the stream
 *     room.say("hello");              // an entry
 *     await a.follow();               // carries it out
 *
 * @module
 */

import {
  type Bytes,
  KEY_SIZE,
  randomBytes,
  sha256,
  toBase64url,
} from "../../crypto_utils.ts";
import { ChatLog } from "../../src/log/chat_log.ts";
import type { NewEntry } from "../../src/protocol/line.ts";
import type { Beginning } from "../../src/server/cluster/entry.ts";
import {
  digestOf,
  type Position,
  PositionFile,
  positionFile,
} from "../../src/server/cluster/position.ts";
import type { SeatRecord } from "../../src/server/cluster/roster_record.ts";
import { type Footing, Standing } from "../../src/server/cluster/standing.ts";
import type { RoomParts } from "../../src/server/cluster/state.ts";
import type { StreamEntry, Wire } from "../../src/server/cluster/wire.ts";
import { Mailbox } from "../../src/server/mailbox.ts";
import { People } from "../../src/server/people/people.ts";
import { assert } from "./assert.ts";
import { DrivenClock } from "./driven_clock.ts";
import { Folder } from "./folder.ts";
import { ADDRESS, pastOf, said } from "./log_kit.ts";
import { MemoryCompany, type MemorySiblings } from "./memory_siblings.ts";
import { MemoryNats } from "./memory_wire.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** No server here looks at the stream as often as this: who does looks without an end. */
const MAX_LOOKS = 1_000;

/** An entry that brings lines, and in which order things came. */
interface Lines {
  readonly kind: "lines";
  readonly texts: readonly string[];
  /** Somebody whose connection comes by it. */
  readonly seat?: SeatRecord;
  /** The id of a server that comes by it. */
  readonly server?: string;
}

function encoded(content: Lines | Beginning): Bytes {
  return encoder.encode(JSON.stringify(content));
}

function decoded({ data }: StreamEntry): Lines | Beginning {
  return JSON.parse(decoder.decode(data));
}

/** A connection that is in. */
export function seat(
  id: number,
  changed: Partial<SeatRecord> = {},
): SeatRecord {
  return {
    id,
    server: "a",
    person: `person-${id}`,
    name: `Name${id}`,
    stay: "Yk3xQ0p1a2c",
    n: 0,
    since: 1,
    active: 1,
    away: "",
    ...changed,
  };
}

/** Servers of one room, with all that they keep. */
export class SharedServers implements AsyncDisposable {
  readonly nats = new MemoryNats();
  readonly company = new MemoryCompany();
  readonly #folder: Folder;
  readonly #running = new Set<SharedServer>();

  private constructor(folder: Folder) {
    this.#folder = folder;
    this.nats.now = () => Date.UTC(2026, 10, 23);
  }

  /** No servers yet. */
  static async make(): Promise<SharedServers> {
    return new SharedServers(await Folder.make());
  }

  /** The path of a file of a server. */
  file(server: string, name: string): string {
    return `${this.#folder.path}/${server}/${name}`;
  }

  /** Starts a server with the files of that name. @param id Under which it comes. Default: its name. */
  async start(
    name: string,
    { id = name, maxSize = 0 }: {
      readonly id?: string;
      readonly maxSize?: number;
    } = {},
  ): Promise<SharedServer> {
    await Deno.mkdir(`${this.#folder.path}/${name}`, { recursive: true });
    const path = this.file(name, "chat.log");
    const log = await ChatLog.open(path, { address: ADDRESS, maxSize });
    const people = People.open(this.file(name, "chat.people"));
    const mailbox = Mailbox.open(this.file(name, "chat.waiting"));
    const position = PositionFile.open(positionFile(path));
    const server = new SharedServer({
      log,
      people,
      mailbox,
      position,
      wire: this.#wire(),
      siblings: this.company.join(id),
    });
    this.#running.add(server);
    return server;
  }

  #wire(): Wire {
    const wire = this.nats.wire();
    const state = wire.state.bind(wire);
    let looks = 0;
    wire.state = () => {
      if (++looks > MAX_LOOKS) throw new Error("It never ends");
      return state();
    };
    return wire;
  }

  /** Ends a server; its files stay. */
  async stop(server: SharedServer): Promise<void> {
    this.#running.delete(server);
    await server[Symbol.asyncDispose]();
  }

  /** An entry that brings lines. @returns Its place. */
  say(...texts: string[]): number {
    return this.nats.add(encoded({ kind: "lines", texts }));
  }

  /** An entry by which somebody comes. @returns Its place. */
  seat(record: SeatRecord): number {
    const text = `${record.name} comes`;
    return this.nats.add(
      encoded({ kind: "lines", texts: [text], seat: record }),
    );
  }

  /** An entry by which a server comes. @returns Its place. */
  come(server: string): number {
    return this.nats.add(encoded({ kind: "lines", texts: [], server }));
  }

  /** An entry that begins the stream. @returns Its place. */
  begin(beginning: Beginning): number {
    return this.nats.add(encoded(beginning));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#running) await this.stop(server);
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A test with servers of one room, by a clock that stands still while anything else can be done. */
export function sharedTest(
  name: string,
  test: (room: SharedServers, clock: DrivenClock) => Promise<void>,
): void {
  Deno.test(name, () =>
    DrivenClock.with(async (clock) => {
      await using room = await SharedServers.make();
      await clock.until(test(room, clock));
    }));
}

/** What a server has. */
interface Had {
  readonly log: ChatLog;
  readonly people: People;
  readonly mailbox: Mailbox;
  readonly position: PositionFile;
  readonly wire: Wire;
  readonly siblings: MemorySiblings;
}

/** One of them. */
export class SharedServer implements AsyncDisposable {
  readonly standing: Standing;
  /** What it gives to others, and takes over from them. */
  readonly parts: RoomParts;
  /** What its owner was told. */
  readonly notes: string[] = [];
  /** Of each, whether it was said to a server that was never in the stream. */
  readonly isNew: boolean[] = [];
  /** The link's secret. */
  secret: Bytes = randomBytes(KEY_SIZE);

  constructor(readonly has: Had) {
    const { wire, siblings } = has;
    const secret = () => this.secret;
    const link = {
      get secret() {
        return secret();
      },
      take: (secret: Bytes) => void (this.secret = secret),
    };
    this.parts = { ...has, sealed: undefined, link };
    this.standing = new Standing({
      wire,
      siblings,
      parts: this.parts,
      between: async (task) => await task(),
      publish: (it) => wire.publish(crypto.randomUUID(), encoded(it)),
      open: (entry) => {
        const content = decoded(entry);
        return Promise.resolve(
          content.kind === "beginning" ? content : undefined,
        );
      },
      note: (sentence, isNew) => {
        this.notes.push(sentence);
        this.isNew.push(isNew);
      },
    });
  }

  /** How far it is; it must have been in the stream. */
  get position(): Position {
    const { position } = this.has.position;
    assert(position, "it was never in the stream");
    return position;
  }

  /** Comes to the stream. */
  find(): Promise<Footing> {
    return this.standing.find();
  }

  /** Carries out all that the stream has after its place; a beginning among it is met. */
  async follow(): Promise<void> {
    for (;;) {
      const entry = await this.has.wire.entry(this.position.place + 1);
      if (!entry) return;
      const content = decoded(entry);
      if (content.kind === "beginning") {
        await this.standing.meet(entry, content);
      } else await this.#carryOut(entry, content);
    }
  }

  /** Carries out an entry. @param isCrash Whether it ends before it writes down that it has. */
  async #carryOut(entry: StreamEntry, content: Lines, isCrash = false) {
    const { log, position } = this.has;
    const { head, base, roster } = this.position;
    const { seat, server, texts } = content;
    await log.appendFrom(head + 1, linesOf(entry, head + 1, texts));
    if (isCrash) return;
    position.carriedOut({
      place: entry.seq,
      digest: await digestOf(entry.data),
      head: head + texts.length,
      base: seat ? entry.seq : base,
      time: entry.at,
      nextId: seat ? seat.id + 1 : roster.nextId,
      own: this.has.siblings.own,
      servers: server === undefined
        ? []
        : [{ id: server, address: `${server}.example:5000`, k: 0 }],
      changes: new Map(seat ? [[seat.person, [seat]]] : []),
    });
  }

  /** Carries out the next entry, and crashes before it has written down that it has. */
  async crashAfterLogging(): Promise<void> {
    const entry = await this.has.wire.entry(this.position.place + 1);
    assert(entry, "there is no next entry");
    const content = decoded(entry);
    assert(content.kind === "lines", "the next entry brings no lines");
    await this.#carryOut(entry, content, true);
  }

  /** The texts of its log. */
  async texts(): Promise<string[]> {
    return (await pastOf(this.has.log)).map(({ text }) => text);
  }

  /** The chain's value for the last line. */
  async value(): Promise<string> {
    const { log } = this.has;
    const value = await log.chainAt(log.head);
    assert(value, "its value can't be told");
    return toBase64url(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { log, people, mailbox, position, wire, siblings } = this.has;
    siblings.isSilent = true;
    await wire.close();
    position[Symbol.dispose]();
    mailbox[Symbol.dispose]();
    people[Symbol.dispose]();
    await log.close();
  }
}

function linesOf(
  { at }: StreamEntry,
  first: number,
  texts: readonly string[],
): NewEntry[] {
  return texts.map((text, index) => ({ ...said(first + index, text), at }));
}

/** A digest of something made up, by a word. */
export function madeUpDigest(word: string): string {
  return toBase64url(sha256(encoder.encode(word)));
}
