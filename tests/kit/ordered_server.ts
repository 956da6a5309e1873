/**
 * A server's order over a stream in memory, with no room behind it: what comes out of it is taken by hand.
 *
 *     await using a = await OrderedServer.open(nats, keys);
 *     a.cluster.propose([item]);
 *     await a.until(() => …);      // carries out what comes, until something holds
 *
 * @module
 */

import { ChatLog } from "../../src/log/chat_log.ts";
import { Batch, type Item } from "../../src/server/batch.ts";
import { Cluster } from "../../src/server/cluster/cluster.ts";
import { EntrySealer } from "../../src/server/cluster/entry.ts";
import { Agreement } from "../../src/server/cluster/agreement.ts";
import type { ClusterKeys } from "../../src/server/cluster/keys.ts";
import {
  type Position,
  PositionFile,
} from "../../src/server/cluster/position.ts";
import { NOBODY } from "../../src/server/cluster/roster_record.ts";
import type { Footing } from "../../src/server/cluster/standing.ts";
import { UNMEASURED_CLUSTER } from "../../src/server/measures.ts";
import { People } from "../../src/server/people/people.ts";
import { Roster } from "../../src/server/roster.ts";
import { assert } from "./assert.ts";
import { Folder } from "./folder.ts";
import { MemoryCompany } from "./memory_siblings.ts";
import type { MemoryNats, MemoryWire } from "./memory_wire.ts";

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

/** One server's order. */
export class OrderedServer implements AsyncDisposable {
  /** What it has carried out. */
  readonly happened: Item[] = [];
  /** What was void, and is to be proposed again. */
  readonly rejected: Item[] = [];
  /** Where it goes on when it looks for the stream; undefined: it finds it nowhere. */
  footing: Position | undefined;

  private constructor(
    readonly cluster: Cluster,
    readonly wire: MemoryWire,
    readonly position: PositionFile,
    readonly stack: AsyncDisposableStack,
    footing: Position | undefined,
  ) {
    this.footing = footing;
    cluster.attach({
      wake: () => {},
      submit: () => {},
      seat: () => undefined,
      members: new Roster(),
      nextId: 1,
      tellWaiting: () => Promise.resolve(),
      between: async (task) => await task(),
      restore: () => {},
    });
  }

  /** One that comes into the room. @param footing How far it is. */
  static async open(
    nats: MemoryNats,
    keys: ClusterKeys,
    footing: Position = BEGUN,
  ): Promise<OrderedServer> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await Folder.make());
    const position = stack.use(PositionFile.open(folder.file("chat.cluster")));
    const people = stack.use(People.open(folder.file("chat.people")));
    const log = stack.use(
      await ChatLog.open(folder.file("chat.log"), {
        address: "a.example:5000",
      }),
    );
    const wire = nats.wire();
    const sealer = new EntrySealer(keys);
    const siblings = new MemoryCompany().join(sealer.server); // nobody is heard, so that nobody is missed
    const agreement = stack.use(
      new Agreement({ log, siblings, note: () => {} }),
    );
    const cluster: Cluster = new Cluster({
      wire,
      keys,
      sealer,
      siblings,
      agreement,
      address: "a.example:5000",
      position,
      people,
      measures: UNMEASURED_CLUSTER,
      logHead: () => 0,
      find: (): Promise<Footing> => {
        const { footing } = server;
        if (!footing) return Promise.withResolvers<Footing>().promise;
        const { made } = nats.state;
        const { place } = footing;
        position.replace({ ...footing, made });
        return Promise.resolve({ from: place + 1, made, isFresh: false });
      },
      changed: () => {},
    });
    const server: OrderedServer = new OrderedServer(
      cluster,
      wire,
      position,
      stack.move(),
      footing,
    );
    const entering = cluster.enter();
    let isIn = false;
    entering.then(() => isIn = true, () => {});
    await server.until(() => isIn);
    await entering;
    return server;
  }

  /** Carries out what comes, until something holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.carryOut();
      if (holds()) return;
      await new Promise((resolve) => setTimeout(resolve)); // void entries wake nobody
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
      this.cluster.settle(next, batch, true);
    }
    this.rejected.push(...this.cluster.rejected());
  }

  /** The kinds of what it has carried out, servers' comings left out. */
  get kinds(): string[] {
    return this.happened.map(({ kind }) => kind)
      .filter((it) => it !== "server");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.wire.close();
    await this.stack.disposeAsync();
  }
}
