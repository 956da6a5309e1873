/**
 * A network that loses a connection for its client only: the server's side stays, and gets later, or never, what the
 * client had said.
 *
 * @module
 */

import { writeAll } from "../../src/base/write_all.ts";
import { Watch } from "./watch.ts";

/** A connection by way of the proxy. */
interface Line {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** What the client said since it was held back. */
  readonly kept: Uint8Array[];
  held: "up" | "down" | undefined;
}

/** The proxy: listens on a free port of this machine and connects to another. */
export class LateProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #lines: Line[] = [];
  readonly #running: Promise<void>;
  readonly #watch: Watch;
  #isOffline = false;

  /** Starts to listen. @param target The server's port. */
  constructor(target: number) {
    this.#target = target;
    const report = () => `${this.#lines.length} connections`;
    this.#watch = new Watch(report, () => this.#closeAll());
    this.#running = this.#run();
  }

  /** The port. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Of the connections of now: keeps what clients say, or drops what the server says. */
  hold(direction: "up" | "down"): void {
    for (const line of this.#lines) line.held = direction;
  }

  /** Waits until something was kept. */
  async keeps(): Promise<void> {
    const hasKept = () => this.#lines.some(({ kept }) => kept.length > 0);
    await this.#watch.until("kept", () => hasKept() || undefined);
  }

  /** The clients of the connections that are held lose them; the server doesn't notice. */
  lose(): void {
    for (const { held, client } of this.#lines) if (held) close(client);
  }

  /** Both sides lose the connections of now. */
  cut(): void {
    this.#closeAll();
  }

  /** There are no new connections until `mend`. */
  shut(): void {
    this.#isOffline = true;
  }

  /** Both sides lose the connections of now, and there are no new ones until `mend`. */
  goOffline(): void {
    this.shut();
    this.#closeAll();
  }

  /** There are connections again. */
  mend(): void {
    this.#isOffline = false;
  }

  /** The server gets what was kept; one that has closed the connection, nothing. */
  async deliver(): Promise<void> {
    for (const { server, kept } of this.#lines) {
      for (const bytes of kept.splice(0)) {
        await writeAll(server, bytes).catch(() => {});
      }
    }
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    using _watch = this.#watch;
    this.#listener.close();
    this.#closeAll();
    await this.#running;
  }

  #closeAll(): void {
    for (const { client, server } of this.#lines) {
      close(client);
      close(server);
    }
  }

  async #run(): Promise<void> {
    const tasks: Promise<void>[] = [];
    for await (const client of this.#listener) {
      if (this.#isOffline) {
        close(client);
        continue;
      }
      const address = { hostname: "127.0.0.1", port: this.#target };
      const server = await Deno.connect(address);
      client.setNoDelay(true);
      server.setNoDelay(true);
      const line: Line = { client, server, kept: [], held: undefined };
      this.#lines.push(line);
      tasks.push(this.#pass(line, "up"), this.#pass(line, "down"));
    }
    await Promise.all(tasks);
  }

  async #pass(line: Line, direction: "up" | "down"): Promise<void> {
    const isUp = direction === "up";
    const [from, to] = isUp
      ? [line.client, line.server]
      : [line.server, line.client];
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await from.read(buffer)) !== null;) {
        const piece = buffer.slice(0, count);
        if (line.held !== direction) {
          // Of a client that is gone, the server's words go nowhere.
          await writeAll(to, piece).catch(() => {});
        } else if (isUp) {
          line.kept.push(piece);
          this.#watch.changed();
        }
      }
    } catch {
      // The end, as below.
    }
    close(from);
    if (!line.held || !isUp) close(to);
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already, by the loss or by its other end.
  }
}
