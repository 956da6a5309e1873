/**
 * Servers that are to be measured together: they share one room by a nats-server of their own.
 *
 * @module
 */

import { formatInvite } from "../../src/keys/invite.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { NatsServer } from "../../tests/kit/nats.ts";
import type { Place } from "./job.ts";
import { Hold } from "./hold.ts";
import {
  type Pinning,
  ServerProcess,
  sharedPinning,
  type Target,
} from "./processes.ts";

/** How long a nats-server may run, ms. */
const NATS_TIME = 600_000;

/** Servers that share a room. */
export class SharedServers implements Target {
  readonly #stack: AsyncDisposableStack;
  readonly #servers: readonly ServerProcess[];

  private constructor(
    stack: AsyncDisposableStack,
    servers: readonly ServerProcess[],
    readonly natsPid: number,
  ) {
    this.#stack = stack;
    this.#servers = servers;
  }

  /**
   * Starts nats-server and so many servers, one after another.
   * @param flags Of each. @param hold How much of a processor each may use, percent; undefined for all. @param signal Ends them at once. @throws {Error} if one doesn't come to listen.
   */
  static async start(
    pins: Pinning,
    count: number,
    flags: readonly string[],
    hold: number | undefined,
    signal: AbortSignal,
  ): Promise<SharedServers> {
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
    return new SharedServers(stack.move(), servers, nats.pid);
  }

  /** All servers, in one invite. */
  get place(): Place {
    const [first, ...others] = this.#servers.map(({ invite }) => invite);
    if (!first) throw new Error("No server was started");
    return { kind: "chat", invite: formatInvite({ ...first, others }) };
  }

  get listenTime(): number {
    return this.#servers[0]?.listenTime ?? NaN;
  }

  get pids(): readonly number[] {
    return this.#servers.map(({ pid }) => pid);
  }

  /** Stops the servers, then nats-server, and removes their folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
