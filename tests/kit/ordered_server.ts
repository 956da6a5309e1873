/**
 * Servers' orders over a stream in memory, with no rooms behind them: what comes out of it is taken by hand. No time passes
 * but while something is waited for.
 *
 *     orderedTest("…", async (room) => {
 *       const a = await room.open();
 *       a.cluster.propose([item]);
 *       await a.until(() => …);      // carries out what comes, until something holds
 *     });
 *
 * @module
 */

import { ChatLog } from "../../src/log/chat_log.ts";
import { Batch, type Item } from "../../src/server/batch.ts";
import {
  type Begun,
  Cluster,
  type ClusterOptions,
} from "../../src/server/cluster/cluster.ts";
import { EntrySealer } from "../../src/server/cluster/entry.ts";
import { Agreement } from "../../src/server/cluster/agreement.ts";
import {
  type Position,
  PositionFile,
} from "../../src/server/cluster/position.ts";
import {
  NOBODY,
  type RosterRecord,
} from "../../src/server/cluster/roster_record.ts";
import type { Footing } from "../../src/server/cluster/standing.ts";
import type { OrderedRoom } from "../../src/server/order.ts";
import { People } from "../../src/server/people/people.ts";
import { Roster } from "../../src/server/roster.ts";
import { assert } from "./assert.ts";
import { clusterKeys } from "./cluster_keys.ts";
import { cryptoIdle } from "./crypto_idle.ts";
import { Folder } from "./folder.ts";
import { ADDRESS, said } from "./log_kit.ts";
import { MemoryCompany, type MemorySiblings } from "./memory_siblings.ts";
import { ManualClock } from "./memory_stream.ts";
import { MemoryNats, type MemoryWire } from "./memory_wire.ts";
import { isBusy } from "./simulation/under_way.ts";

/** Where a server is that has carried out nothing. */
export const BEGUN: Position = {
  stream: "first",
  sealed: false,
  earlier: [],
  begun: 0,
  made: "1",
  place: 0,
  digest: "none",
  head: 0,
  base: 0,
  time: 0,
  own: "",
  roster: NOBODY,
};

/** How often something is waited for: more, and it never comes. */
const MAX_TURNS = 1_000;
/** So much time passes each time, ms. */
const TURN = 50;
/** The real one, also where a test's clock stands in its place. */
const { setTimeout: later } = globalThis;

const keys = await clusterKeys("room");

/** Lets everything be done that can be without more time, however long files and keys take. */
async function settled(): Promise<void> {
  do await new Promise((resolve) => later(resolve)); while (isBusy());
}

/** What is special about a server. */
export interface OrderedOptions {
  /** How far it is. */
  readonly footing?: Position;
  /** Where members find it. */
  readonly address?: string;
  /** What looking for the stream fails with, the first times. */
  readonly failures?: readonly Error[];
  /** The number of its log's last line. Default: 0. */
  readonly logHead?: number;
  /** The other servers, as far as messages go. Default: nobody is heard, so that nobody is missed. */
  readonly company?: MemoryCompany;
}

/** One server's order. */
export class OrderedServer implements AsyncDisposable {
  /** What it has carried out. */
  readonly happened: Item[] = [];
  /** When that was, ms since 1970. */
  readonly times: number[] = [];
  /** What was void, and is to be proposed again. */
  readonly rejected: Item[] = [];
  /** What it asks of its room. */
  readonly submitted: Item[] = [];
  /** What members were told: whether what they say waits. */
  readonly waiting: boolean[] = [];
  /** Who was said to be in, in place of all others. */
  readonly restored: RosterRecord[] = [];
  /** Where members find the room's servers, and who is gone, each time when that was other. */
  readonly changes: Parameters<ClusterOptions["changed"]>[] = [];
  /** Entries that were carried out, and the reasons why others weren't. */
  readonly counted = {
    entries: 0,
    skipped: [] as string[],
    proposing: [] as number[],
  };
  /** How often its room was woken. */
  woken = 0;
  /** What stands for its room. */
  readonly room: { -readonly [K in keyof OrderedRoom]: OrderedRoom[K] } = {
    wake: () => void this.woken++,
    submit: (item) => void this.submitted.push(item),
    seat: () => undefined,
    members: new Roster(),
    nextId: 1,
    tellWaiting: (is) => Promise.resolve(void this.waiting.push(is)),
    between: async (task) => await task(),
    restore: (roster) => void this.restored.push(roster),
  };
  /** The number of its log's last line. */
  logHead: number;
  /** The number of lines that each entry brings. */
  lines = 0;
  /** Where it goes on when it looks for the stream; undefined: it finds it nowhere. */
  footing: Position | undefined;
  /** Whether what it has then was taken over from another server. */
  isFresh = false;
  /** Why it looked for the stream, each time. */
  readonly sought: (Begun | undefined)[] = [];
  /** The place up to which its file said all then, each time. */
  readonly soughtAt: (number | undefined)[] = [];
  /** What looking for it fails with, the next times. */
  readonly failures: Error[] = [];
  /** Whether all that comes of an entry is in its files. */
  isKept = true;
  readonly cluster: Cluster;
  /** What that was made by. */
  readonly options: ClusterOptions;
  /** Resolves when it is in. */
  readonly entering: Promise<void>;
  /** Whether it is. */
  isIn = false;
  readonly #clock: ManualClock;
  #failure: Error | undefined;

  constructor(
    { nats, clock }: OrderedServers,
    readonly wire: MemoryWire,
    readonly position: PositionFile,
    readonly people: People,
    readonly siblings: MemorySiblings,
    readonly agreement: Agreement,
    readonly sealer: EntrySealer,
    { footing, address = "a.example:5000", failures = [], logHead = 0 }:
      OrderedOptions,
  ) {
    this.failures.push(...failures);
    this.logHead = logHead;
    this.#clock = clock;
    this.footing = footing;
    this.options = {
      wire,
      keys,
      sealer,
      siblings,
      agreement,
      address,
      position,
      people,
      measures: {
        entries: { add: (count = 1) => void (this.counted.entries += count) },
        skipped: {
          add: (_, reason = "") => void this.counted.skipped.push(reason),
        },
        proposing: { observe: (it) => void this.counted.proposing.push(it) },
      },
      logHead: () => this.logHead,
      find: (begun): Promise<Footing> => {
        this.sought.push(begun);
        this.soughtAt.push(position.place?.place);
        const error = this.failures.shift();
        if (error) return Promise.reject(error);
        const { footing, isFresh } = this;
        if (!footing) return Promise.withResolvers<Footing>().promise;
        const { made } = nats.state;
        const { place } = footing;
        position.replace({ ...footing, made });
        return Promise.resolve({ from: place + 1, made, isFresh });
      },
      changed: (...what) => void this.changes.push(what),
    };
    this.cluster = new Cluster(this.options);
    this.cluster.attach(this.room);
    this.entering = this.cluster.enter();
    this.entering.then(() => this.isIn = true, () => {});
    this.cluster.failed.catch((error) => this.#failure = error);
  }

  /** Carries out what comes, until something holds. @throws {Error} if it never does, or this server can't go on. */
  async until(holds: () => boolean): Promise<void> {
    await this.#until(() => {
      if (this.#failure) throw this.#failure;
      return holds();
    });
  }

  async #until(holds: () => boolean): Promise<void> {
    for (let turn = 0; !holds(); turn++) {
      if (turn > MAX_TURNS) throw new Error("It never comes");
      this.carryOut();
      if (holds()) return;
      this.#clock.advance(TURN);
      await settled(); // void entries wake nobody
    }
  }

  /** Carries out what has come. */
  carryOut(): void {
    for (let next; (next = this.cluster.next());) {
      assert(next.behind !== undefined, "it is not decided");
      const batch = new Batch(next.at, next.behind + 1, true);
      for (const item of next.items) {
        if (item.kind === "server" || item.kind === "gone") {
          batch.servers.push(item);
        }
        this.happened.push(item);
      }
      for (let n = 0; n < this.lines; n++) batch.entries.push(said(n));
      this.times.push(next.at);
      this.cluster.settle(next, batch, this.isKept);
    }
    this.rejected.push(...this.cluster.rejected());
  }

  /** The kinds of what it has carried out, servers' comings left out. */
  get kinds(): string[] {
    return this.happened.map(({ kind }) => kind)
      .filter((it) => it !== "server");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    let hasEnded = false;
    const ending = this.cluster[Symbol.asyncDispose]()
      .finally(() => hasEnded = true);
    ending.catch(() => {});
    await this.#until(() => hasEnded);
    await ending;
    await this.wire.close();
  }
}

/** Servers of one room. */
export class OrderedServers implements AsyncDisposable {
  readonly nats = new MemoryNats();
  readonly clock = new ManualClock();
  readonly keys = keys;
  readonly #stack = new AsyncDisposableStack();

  /** Another one that begins to come into the room. */
  async launch(
    { footing = BEGUN, company = new MemoryCompany(), ...options }:
      OrderedOptions = {},
  ): Promise<OrderedServer> {
    const stack = this.#stack;
    const folder = stack.use(await Folder.make());
    const position = stack.use(PositionFile.open(folder.file("chat.cluster")));
    const people = stack.use(People.open(folder.file("chat.people")));
    const log = stack.use(
      await ChatLog.open(folder.file("chat.log"), { address: ADDRESS }),
    );
    const sealer = new EntrySealer(keys);
    const siblings = company.join(sealer.server);
    const agreement = stack.use(
      new Agreement({ log, siblings, note: () => {} }),
    );
    return stack.use(
      new OrderedServer(
        this,
        this.nats.wire(),
        position,
        people,
        siblings,
        agreement,
        sealer,
        { footing, ...options },
      ),
    );
  }

  /** Lets time pass, ms, and all be done meanwhile but what carries out entries. */
  async pass(ms: number): Promise<void> {
    const most = Math.max(TURN, Math.ceil(ms / 20));
    for (let left = ms; left > 0; left -= most) {
      this.clock.advance(Math.min(left, most));
      await settled();
    }
    await cryptoIdle();
  }

  /** Another one that is in the room. */
  async open(options: OrderedOptions = {}): Promise<OrderedServer> {
    const server = await this.launch(options);
    await server.until(() => server.isIn);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#stack.disposeAsync();
    } finally {
      this.clock[Symbol.dispose]();
    }
  }
}

/** A test with servers of one room. */
export function orderedTest(
  name: string,
  test: (room: OrderedServers) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using room = new OrderedServers();
    await test(room);
  });
}
