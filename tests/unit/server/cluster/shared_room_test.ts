/**
 * A room that several servers share, put together as a server puts it, over a stream in memory.
 *
 * @module
 */

import { KeyFile } from "../../../../src/keys/key_file.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { cryptoIdle } from "../../../kit/crypto_idle.ts";
import { Folder } from "../../../kit/folder.ts";
import { MemoryNats } from "../../../kit/memory_wire.ts";
import { overhear } from "../../../kit/overhear.ts";
import { SimulatedServer } from "../../../kit/simulation/server.ts";
import { SimulatedTime } from "../../../kit/simulation/time.ts";
import { StreamError } from "../../../../src/server/cluster/wire.ts";

/** Servers of one room, in time that passes faster. */
class Rooms implements AsyncDisposable {
  readonly nats = new MemoryNats();
  readonly #time = new SimulatedTime();
  readonly #servers: SimulatedServer[] = [];

  private constructor(readonly folder: Folder) {}

  static async make(): Promise<Rooms> {
    const folder = await Folder.make();
    await KeyFile.loadOrCreate(folder.file("chat.key"));
    return new Rooms(folder);
  }

  /** A server that has come into the room. */
  async open(name: string): Promise<SimulatedServer> {
    const path = this.folder.file(name);
    await Deno.mkdir(path);
    await Deno.copyFile(this.folder.file("chat.key"), `${path}/chat.key`);
    const server = await SimulatedServer.open(this.nats, path, `${name}:5000`);
    this.#servers.push(server);
    await this.until(server.enter());
    return server;
  }

  /** Lets time pass until something has come. */
  async until<T>(something: Promise<T> | (() => boolean)): Promise<void> {
    let hasCome = false;
    if (typeof something !== "function") {
      const come = () => void (hasCome = true);
      something.then(come, come);
    }
    const holds = typeof something === "function" ? something : () => hasCome;
    for (let turn = 0; !holds(); turn++) {
      assert(turn < 300, "it never comes");
      await this.#time.pass(100);
      await cryptoIdle();
    }
    if (typeof something !== "function") await something;
  }

  /** Ends a server. */
  async end(server: SimulatedServer): Promise<void> {
    await this.until(server.end());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const it of this.#servers) await this.end(it);
    } finally {
      this.#time[Symbol.dispose]();
      await this.folder[Symbol.asyncDispose]();
    }
  }
}

function notes(lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    /^(\w+) cluster: (.*begins.*)$/.exec(line)?.slice(1).join(" ") ?? []
  );
}

Deno.test("servers share a room: what happens at one happens at the other, in one order, and both know who is there", async () => {
  await using rooms = await Rooms.make();
  const told = await overhear("info", async () => {
    const a = await rooms.open("a");
    const b = await rooms.open("b");
    await rooms.until(() => a.shared.cluster.servers === 2);
    assert(a.shared.order === a.shared.cluster);
    assertEquals(a.shared.siblings.own, a.shared.cluster.server);
    a.people.set({ topic: "stamps" });
    await rooms.until(() => b.people.settings.topic === "stamps");
    // A stream that is lost begins anew, also where something strange is in it.
    let isFirst = true;
    rooms.nats.fate = () => {
      if (isFirst) rooms.nats.add(new Uint8Array(200));
      isFirst = false;
      return "taken";
    };
    rooms.nats.makeAnew();
    await rooms.until(() => !a.shared.cluster.isUp);
    await rooms.until(() => a.shared.cluster.isUp && b.shared.cluster.isUp);
    a.people.set({ topic: "coins" });
    await rooms.until(() => b.people.settings.topic === "coins");
  });
  const all = notes(told);
  assertEquals(all.slice(0, 2), [
    "info The stream is empty: begins it anew with the log of this server",
    "info The room's stream begins anew with entry 1, after event 0",
  ]);
  assert(all.length > 2);
  for (const it of all.slice(2)) assert(it.startsWith("warning"), it);
});

Deno.test("a server that stops says so to the others, and then uses neither NATS nor its files any more", async () => {
  await using rooms = await Rooms.make();
  const a = await rooms.open("a");
  const b = await rooms.open("b");
  await rooms.until(() => a.shared.cluster.servers === 2);
  const heard: unknown[] = [];
  a.shared.siblings.hear("alive", ({ stops }) => void heard.push(stops));
  await rooms.until(() => heard.length > 1);
  assertEquals(heard.at(-1), false);
  b.shared.leave();
  await rooms.until(() => heard.at(-1) === true);
  await rooms.end(b);
  await assertRejects(() => b.wire.state(), StreamError);
  const { position } = b;
  const at = position.position;
  assert(at);
  assertThrows(() => position.replace(at));
});

Deno.test("a server that can't go on in the room says why", async () => {
  await using rooms = await Rooms.make();
  const a = await rooms.open("a");
  let why: unknown;
  a.shared.failed.catch((error) => why = error);
  rooms.nats.entry = () => {
    throw new TypeError("a defect");
  };
  rooms.nats.makeAnew();
  await rooms.until(() => why !== undefined);
  assert(why instanceof TypeError);
});
