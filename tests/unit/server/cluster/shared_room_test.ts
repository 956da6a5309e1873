/**
 * A room that several servers share, put together as a server puts it, over a stream in memory.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { KeyFile } from "../../../../src/keys/key_file.ts";
import { PositionFile } from "../../../../src/server/cluster/position.ts";
import {
  SharedRoom,
  type SharedRoomOptions,
} from "../../../../src/server/cluster/shared_room.ts";
import { UNMEASURED_CLUSTER } from "../../../../src/server/measures.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { cryptoIdle } from "../../../kit/crypto_idle.ts";
import { Folder } from "../../../kit/folder.ts";
import { said } from "../../../kit/log_kit.ts";
import { MemoryNats } from "../../../kit/memory_wire.ts";
import { overhear } from "../../../kit/overhear.ts";
import { replaced } from "../../../kit/replaced.ts";
import { ScriptedNats } from "../../../kit/scripted_nats.ts";
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

  /** A server that has come into the room, with the files that it had before. */
  async open(name: string): Promise<SimulatedServer> {
    const path = this.folder.file(name);
    await Deno.mkdir(path, { recursive: true });
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
      assert(turn < 100, "it never comes");
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
  rooms.nats.entry = () => {
    throw new TypeError("a defect");
  };
  rooms.nats.makeAnew();
  await assertRejects(
    () => rooms.until(a.shared.failed),
    TypeError,
    "a defect",
  );
});

Deno.test("a server that can't open what comes before a beginning, for another reason than who made it, says why", async () => {
  await using rooms = await Rooms.make();
  const a = await rooms.open("a");
  rooms.nats.fate = () => {
    rooms.nats.add(
      { slice: () => undefined } as unknown as Uint8Array<ArrayBuffer>,
    );
    return "taken";
  };
  rooms.nats.makeAnew();
  await assertRejects(() => rooms.until(a.shared.failed), TypeError);
});

/** What a room hangs on of which nothing is used before it is entered, by files in a folder. */
async function unusedOptions(
  folder: Folder,
  made: (path: string) => void,
): Promise<SharedRoomOptions> {
  const { keyFile } = await KeyFile.loadOrCreate(folder.file("chat.key"));
  const unused = { log: {}, people: {}, mailbox: {}, link: {} };
  return {
    ...unused as Pick<SharedRoomOptions, "log" | "people" | "mailbox" | "link">,
    keyFile,
    logPath: folder.file("chat.log"),
    fsync: false,
    sealed: undefined,
    address: "a.example:5000",
    onMade: made,
    measures: UNMEASURED_CLUSTER,
    changed: () => {},
  };
}

Deno.test("a room is connected to NATS, in the stream of its keys, with a chat.cluster that is made", async () => {
  await using folder = await Folder.make();
  await using nats = ScriptedNats.start();
  const made: string[] = [];
  const options = await unusedOptions(folder, (path) => made.push(path));
  {
    await using shared = await SharedRoom.connect(nats.options, options);
    assert(shared.cluster.isUp);
  }
  assertEquals(made, [folder.file("chat.cluster")]);
  const names = [nats.stream?.config["name"]];
  await using other = await Folder.make();
  nats.stream = undefined;
  const others = await unusedOptions(other, () => {});
  await (await SharedRoom.connect(nats.options, others))[Symbol.asyncDispose]();
  names.push(nats.stream?.["config"]["name"]);
  for (const name of names) assertMatch(String(name), /^chat_[A-Za-z0-9]+$/);
  assert(names[0] !== names[1]);
});

Deno.test("where NATS can't be used, chat.cluster is closed again; what was repaired of it is told", async () => {
  await using folder = await Folder.make();
  await using nats = ScriptedNats.start();
  nats.info["version"] = "1.0.0";
  const options = await unusedOptions(folder, () => {});
  let closed = 0;
  const { prototype } = PositionFile;
  const close = prototype[Symbol.dispose];
  using _ = replaced(prototype, Symbol.dispose, function (this: PositionFile) {
    closed++;
    close.call(this);
  });
  const connect = () =>
    overhear("warning", () =>
      assertRejects(
        () => SharedRoom.connect(nats.options, options),
        AdvisedError,
        "its version is 1.0.0",
      ));
  assertEquals([await connect(), closed], [[], 1]);
  await folder.write("chat.cluster", '{"kind":"at"');
  const [told = "", ...more] = await connect();
  assertMatch(
    told,
    /^warning cluster: Dropped the last line of "[^"]*chat\.cluster": it broke off$/,
  );
  assertEquals([more, closed], [[], 2]);
});

Deno.test("other lines in another server's log are told, and a server whose log goes on where the room's doesn't stays out", async () => {
  await using rooms = await Rooms.make();
  const a = await rooms.open("a");
  const b = await rooms.open("b");
  await rooms.until(() => a.shared.cluster.servers === 2);
  const told = await overhear("warning", async () => {
    b.shared.siblings.tell("log-end", { head: 0, chain: "other" });
    await rooms.until(cryptoIdle());
  });
  assertEquals(told, [
    "warning cluster: The log of the server has other lines than the one here, in event 0 or before: that server is to stop",
  ]);
  await rooms.end(a);
  await b.log.append([said(1)]);
  await rooms.end(b);
  await assertRejects(
    () => rooms.open("b"),
    AdvisedError,
    "the log here has event 1, and the room goes on without, after event 0",
  );
});
