/**
 * Servers that share a room by a nats-server of their own, and processors with the load: each has one of them in turn, or no
 * more than a part of it, by Linux's control groups, so that there is something left for the load.
 *
 * @module
 */

import { formatInvite } from "../../src/keys/invite.ts";
import { run } from "../../tests/kit/command.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { NatsServer } from "../../tests/kit/nats.ts";
import { type Pinning, ServerProcess, type Target } from "./processes.ts";

/** How long a nats-server may run, ms. */
const NATS_TIME = 600_000;
/** In how much time a server has its part, microseconds. */
const PERIOD = 100_000;
/** Where groups are: of their second version, and, where it is there, of the first. */
const ROOT = "/sys/fs/cgroup";
const FIRST_ROOT = "/sys/fs/cgroup/cpu";

/** A group for one server. */
export class Hold implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes one. @param percent Of a processor. @throws {Error} where that can't be, as for anybody but the superuser. */
  static async make(percent: number): Promise<Hold> {
    const quota = `${percent / 100 * PERIOD}`;
    const name = `chat-bench-${crypto.randomUUID()}`;
    const make =
      `if [ -d ${FIRST_ROOT} ]; then path=${FIRST_ROOT}/$2; mkdir $path
      echo ${PERIOD} > $path/cpu.cfs_period_us; echo $1 > $path/cpu.cfs_quota_us
      else path=${ROOT}/$2; mkdir $path; echo $1 ${PERIOD} > $path/cpu.max; fi
      echo $path`;
    const path = await run("sh", "-e", "-c", make, "sh", quota, name);
    return new Hold(path.trim());
  }

  /** Words that start a command in it, which becomes the process that they start. */
  get prefix(): string[] {
    const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    return ["sh", "-c", enter, this.path];
  }

  /** Removes it, once nothing runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("rmdir", this.path);
  }
}

/**
 * A processor of its own for each of several servers, in turn; the load, and what is between them, on any.
 * @param prefix Words in front of its command.
 */
export function sharedPinning(
  { server }: Pinning,
  at: number,
  prefix: readonly string[] = [],
): Pinning {
  const processor = at % navigator.hardwareConcurrency;
  const pinned = server.length > 0
    ? [...server.slice(0, -1), `${processor}`]
    : [];
  return {
    server: [...prefix, ...pinned],
    load: [],
    description: server.length > 0
      ? "each server pinned to a processor, in turn; load and nats-server on any"
      : "servers, nats-server and load on any processor: they aren't pinned",
  };
}

/**
 * Starts nats-server and servers, one after another.
 * @param count How many servers. @param flags Of each.
 * @param hold How much of a processor each may use, percent; undefined for all. @param signal Ends them at once.
 * @throws {Error} if one doesn't come to listen.
 */
export async function startShared(
  pins: Pinning,
  count: number,
  flags: readonly string[],
  hold: number | undefined,
  signal: AbortSignal,
): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const options = { deadline: NATS_TIME };
  const nats = stack.use(await NatsServer.start(folder.path, options));
  const servers: ServerProcess[] = [];
  for (let at = 0; at < count; at++) {
    const key = await servers[0]?.read("chat.key");
    const own = [...flags, "--nats", nats.url];
    const group = hold === undefined
      ? undefined
      : stack.use(await Hold.make(hold));
    const pinning = sharedPinning(pins, at, group?.prefix);
    const server = await ServerProcess.start(pinning, own, signal, { key });
    servers.push(stack.use(server));
  }
  const [first, ...others] = servers;
  if (!first) throw new RangeError("Cannot start no servers");
  const all = { ...first.invite, others: others.map(({ invite }) => invite) };
  const started = stack.move();
  return {
    place: { kind: "chat", invite: formatInvite(all) },
    listenTime: first.listenTime,
    pids: servers.map(({ pid }) => pid),
    natsPid: nats.pid,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
