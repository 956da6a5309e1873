/**
 * A way over the network that can be closed: a proxy that passes bytes, holds them back, or refuses connections.
 *
 * @module
 */

import { writeAll } from "../../src/base/write_all.ts";

const PIECE_SIZE = 65_536;

/** A connection by way of the passage. */
interface Line {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/** The passage: listens on a free port of this machine, and leads to another. */
export class Passage implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #lines = new Set<Line>();
  readonly #running: Promise<void>;
  #isRefusing = false;
  #open: PromiseWithResolvers<void> | undefined; // set while bytes are held back
  #isOver = false;

  /** Opens it. @param target The port to which it leads. */
  constructor(target: number) {
    this.#target = target;
    this.#running = this.#run();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connections stay and new ones come about, but no byte passes until `mend`: as where a network loses all packets. */
  hold(): void {
    this.#open ??= Promise.withResolvers<void>();
  }

  /** Connections end, and new ones are refused until `mend`. */
  refuse(): void {
    this.#isRefusing = true;
    this.#closeAll();
  }

  /** Bytes pass again, those that were held back first, and connections come about. */
  mend(): void {
    this.#isRefusing = false;
    this.#open?.resolve();
    this.#open = undefined;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#listener.close();
    this.#closeAll();
    this.mend();
    await this.#running;
  }

  #closeAll(): void {
    for (const line of this.#lines) closeBoth(line);
  }

  async #run(): Promise<void> {
    const tasks: Promise<void>[] = [];
    for await (const client of this.#listener) tasks.push(this.#lead(client));
    await Promise.all(tasks);
  }

  async #lead(client: Deno.TcpConn): Promise<void> {
    if (this.#isRefusing) return close(client);
    const address = { hostname: "127.0.0.1", port: this.#target };
    const server = await Deno.connect(address).catch(() => undefined);
    if (!server) return close(client); // nothing listens: the client sees an end instead of a refusal
    client.setNoDelay(true);
    server.setNoDelay(true);
    const line = { client, server };
    this.#lines.add(line);
    if (this.#isRefusing || this.#isOver) closeBoth(line);
    // One direction's end is the other's as well.
    const end = () => closeBoth(line);
    await Promise.all([
      this.#pass(client, server).then(end, end),
      this.#pass(server, client).then(end, end),
    ]);
    this.#lines.delete(line);
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(PIECE_SIZE);
    for (let count; (count = await from.read(buffer)) !== null;) {
      await this.#open?.promise;
      await writeAll(to, buffer.subarray(0, count));
    }
  }
}

function closeBoth({ client, server }: Line): void {
  close(client);
  close(server);
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already, by its other end or by the end of the passage.
  }
}
