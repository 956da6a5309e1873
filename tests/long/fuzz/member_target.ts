/**
 * A member that holds the room key and means ill: whatever it says, another member's connection goes on, and
 * all that was shown can be read again from the log. A real room, with connections in memory.
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { identityOf } from "../../../src/crypto/identity.ts";
import type { People } from "../../../src/server/people/people.ts";
import { Purses } from "../../../src/server/rate_limits.ts";
import { joinEvent, newStay, openPeople } from "../../kit/people.ts";
import { Broadcaster } from "../../../src/server/broadcaster.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import { Connection } from "../../../src/server/connection.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  TABLE,
} from "../../../src/protocol/events.ts";
import { Mailbox } from "../../../src/server/mailbox.ts";
import { FileRelay } from "../../../src/server/file_relay.ts";
import { Link } from "../../../src/client/link.ts";
import { formatEntry, parseEntry } from "../../../src/log/line_format.ts";
import { UNMEASURED } from "../../../src/server/measures.ts";
import { Room } from "../../../src/server/room.ts";
import { type MemoryStream, streamPair } from "../../kit/memory_stream.ts";
import { bytesOf, hold, type Target } from "./target.ts";
import { accept, connect, type Keys } from "./wire_targets.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { History } from "../../../src/server/history.ts";
import { writeAll } from "../../../src/base/write_all.ts";

const RING_SIZE = 1_048_576;
const LINE_FEED = 0x0a;
/** What of a log this target reads back. */
const RATES = { burst: 1, perSecond: 0, bytesPerMessage: 1 };
const READABLE = ["said", "joined", "left"];

/** A room with a member that does no harm. */
class House {
  readonly #keys: Keys;
  readonly #room: Room;
  readonly #broadcaster: Broadcaster;
  readonly #log: ChatLog;
  readonly #people: People;
  readonly #mailbox: Mailbox;
  readonly #relay = new FileRelay({ maxFileSize: 2 ** 20, maxTransfers: 9 });
  readonly #ends: Promise<unknown>[] = [];
  #link: Link | undefined;
  #n = 0;
  #over: unknown; // why the harmless member's connection has ended
  #seen = Promise.withResolvers<void>();
  #wrong: unknown;

  private constructor(
    keys: Keys,
    log: ChatLog,
    people: People,
    broadcaster: Broadcaster,
    mailbox: Mailbox,
  ) {
    this.#keys = keys;
    this.#log = log;
    this.#people = people;
    this.#broadcaster = broadcaster;
    this.#mailbox = mailbox;
    this.#room = new Room({
      log,
      people,
      broadcaster,
      mailbox,
      maxMembers: 100,
      measures: UNMEASURED,
    });
    this.#ends.push(this.#room.run());
  }

  static async open(keys: Keys, folder: () => Promise<string>): Promise<House> {
    const address = "127.0.0.1:1";
    const path = await folder();
    const log = await ChatLog.open(`${path}/chat.log`, { address });
    const people = openPeople(`${path}/chat.people`);
    const serverKey = keys.server.publicKey;
    const broadcaster = await Broadcaster.create(serverKey, RING_SIZE);
    const mailbox = Mailbox.open(`${path}/chat.waiting`);
    const house = new House(keys, log, people, broadcaster, mailbox);
    await house.#settleIn();
    return house;
  }

  /** A connection of somebody's; the room's side of it is served until it ends. */
  async enter(client = this.#keys.client): Promise<[Channel, MemoryStream]> {
    const [near, far] = streamPair();
    const [channel, served] = await Promise.all([
      connect(near, { ...this.#keys, client }),
      accept(far, this.#keys),
    ]);
    const connection = new Connection(far, served, {
      room: this.#room,
      people: this.#people,
      purses: new Purses(),
      history: new History(this.#log, 5),
      ring: this.#broadcaster.ring,
      rates: RATES,
      relay: this.#relay,
      mailbox: this.#mailbox,
    });
    const end = connection.run().finally(() => {
      this.#ends.splice(this.#ends.indexOf(end), 1);
    });
    this.#ends.push(end);
    return [channel, near];
  }

  async #settleIn(): Promise<void> {
    const harmless = await identityOf(randomBytes(32));
    const [channel] = await this.enter(harmless);
    const id = fullId(harmless.id);
    const card = toBase64url(harmless.card);
    const self = { id, person: shortId(id), card, stay: newStay() };
    const inside = Promise.withResolvers<void>();
    this.#link = new Link(channel, self, {
      entered: () => inside.resolve(),
      happened: (line, own) => this.#happened(line, own),
      absent() {},
      took() {},
      ticked() {},
      paged() {},
      agreed() {},
      file() {},
      mail() {},
      found() {},
      answered() {},
      slowed() {},
      told() {},
      refused() {},
    });
    this.#ends.push(
      this.#link.run().then((why) => this.#end(why), (why) => this.#end(why)),
    );
    await this.#link.join("harmless", 0, null);
    await inside.promise;
  }

  #end(why: unknown): void {
    this.#over = why ?? "nothing";
    this.#seen.resolve();
  }

  #happened(line: LogEntry, own: boolean): void {
    if (own && line.n === this.#n) this.#seen.resolve();
    if (!READABLE.includes(line.what)) return;
    const read = parseEntry(formatEntry(line), line.seq);
    // A leaver's own words come back as "left".
    const text = line.what === "left" ? read?.text : line.text;
    const wanted = { ...read, ...line, text };
    if (read && JSON.stringify(read) === JSON.stringify(wanted)) return;
    this.#wrong ??= line;
  }

  /** The harmless member says something and hears it. @throws where it can't. */
  async isWell(): Promise<void> {
    this.#seen = Promise.withResolvers<void>();
    const n = ++this.#n;
    const line = { n, what: "said", to: null, text: "I am well" } as const;
    if (this.#over === undefined) {
      await this.#link?.say([line]).catch((error) => this.#end(error));
      await this.#seen.promise;
    }
    if (this.#over instanceof Error) throw this.#over;
    hold(this.#over === undefined, `the harmless member was sent away`);
    hold(
      this.#wrong === undefined,
      `a line can't be read again: ${JSON.stringify(this.#wrong)}`,
    );
  }

  async close(): Promise<void> {
    this.#link?.close();
    this.#room.stop();
    await Promise.all(this.#ends);
    this.#people[Symbol.dispose]();
    this.#mailbox[Symbol.dispose]();
    await this.#log.close();
  }
}

/** The pieces between line feeds: the plaintexts of one record each. */
function plaintexts(input: Bytes): Bytes[] {
  const pieces: Bytes[] = [];
  let start = 0;
  while (start <= input.length && pieces.length < 16) {
    const found = input.indexOf(LINE_FEED, start);
    const end = found < 0 ? input.length : found;
    pieces.push(input.slice(start, Math.min(end, start + 60_000)));
    start = end + 1;
  }
  return pieces;
}

async function readAll(channel: Channel): Promise<void> {
  try {
    while (await channel.read()) { /* until the room has had enough */ }
  } catch {
    // Its connection was closed under it.
  }
}

const BIG = Number.MAX_SAFE_INTEGER;

const SCENES: readonly (readonly Event[])[] = [
  [{ kind: "say", n: 1, text: "hello" }, { kind: "ping" }],
  [{ kind: "act", n: 1, text: "waves" }, { kind: "rename", name: "other" }],
  [{ kind: "reply", n: 3, to: 1, text: "yes" }, { kind: "away", text: "tea" }],
  [{ kind: "bye", reason: "left" }],
  [{ kind: "bye", reason: "own words" }],
];

/** What a hostile member sends: a list of events a line. */
export function hostileMember(
  keys: Keys,
  folder: () => Promise<string>,
): Target {
  let house: Promise<House> | undefined;
  const decoder = new TextDecoder();
  const pack = (events: readonly Event[]) =>
    decoder.decode(packEvents(events.map(encodeEvent))[0]).trimEnd();
  const join = (n: number, after: number | null) =>
    pack([joinEvent(keys.client, "mallory", { n, after })]);
  const seeds = SCENES.flatMap((scene) => [
    `${join(0, null)}\n${pack(scene)}`,
    `${join(0, 1)}\n${pack(scene)}`,
  ]);
  return {
    name: "member",
    share: 3,
    seeds: seeds.map(bytesOf),
    words: [
      ...Object.keys(TABLE).filter((it) => it !== "find").map((it) =>
        `"${it}"`
      ),
      ...[
        "\n",
        String(BIG),
        String(BIG - 1),
        String(BIG + 1),
        "null",
        "-1",
        ",",
      ],
      ...["harmless", "mallory", "\\u0000", "\\u202e", "]]\n[[", `"stopped"`],
      ...SCENES.map((scene) => `\n${pack(scene)}`),
      join(BIG, null),
    ],
    async check(input) {
      const here = await (house ??= House.open(keys, folder));
      const [channel, stream] = await here.enter();
      const reading = readAll(channel);
      try {
        for (const plaintext of plaintexts(input)) {
          await writeAll(stream, await channel.seal(plaintext));
        }
      } catch (error) {
        // The room has closed the connection: that is its right.
        const closed = error instanceof Deno.errors.BrokenPipe ||
          error instanceof Deno.errors.Interrupted ||
          error instanceof Deno.errors.BadResource;
        if (!closed) throw error;
      }
      stream.outgoing.end();
      await reading;
      channel.close();
      await here.isWell();
      return "well";
    },
    properties: [],
    async close() {
      await (await house)?.close();
      house = undefined;
    },
  };
}
