/**
 * The server's figures for Prometheus, and its health, over HTTP. Knows the figures' names and nothing of
 * how they come about.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Count, Distribution, Measures } from "./measures.ts";

/** What every name begins with. */
const PREFIX = "chat_";
/** How often the event loop is asked how late it is, ms. */
const DELAY_PERIOD = 500;

/** Figures that are looked up when somebody asks. */
export interface Levels {
  /** Who is in the room. */
  readonly members: () => number;
  /** Connections, finished handshakes or not. */
  readonly connections: () => number;
  /** Unfinished handshakes. */
  readonly handshakes: () => number;
  /** Bytes that the slowest member is behind. */
  readonly ringLag: () => number;
  /** Bytes written to all connections since the start. */
  readonly sentBytes: () => number;
  /** The number of the last event. */
  readonly lastEvent: () => number;
}

/** Counts for Prometheus. */
export class Metrics implements Measures {
  readonly #registry = new Registry();
  readonly messages: Count = this.#count("messages_total", "Messages logged");
  readonly deliveries: Count = this.#count(
    "deliveries_total",
    "Messages times the members that they went to",
  );
  readonly handshakesRefused: Count = this.#count(
    "handshakes_refused_total",
    "Handshakes that did not lead in",
    "reason",
  );
  readonly departures: Count = this.#count(
    "departures_total",
    "Connections that ended after their handshake",
    "reason",
  );
  readonly epochs: Count = this.#count(
    "epochs_total",
    "Changes of the room's key",
    "change",
  );
  readonly batchSize: Distribution = this.#distribution(
    "batch_events",
    "Events in a batch",
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000],
  );
  readonly logWrite: Distribution = this.#distribution(
    "log_write_seconds",
    "Time of one write to the log",
    [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10],
  );

  /** Shows further figures, looked up when somebody asks. */
  show(levels: Levels): void {
    this.#level("members", "Members in the room", levels.members);
    this.#level("connections", "Open connections", levels.connections);
    this.#level("handshakes", "Unfinished handshakes", levels.handshakes);
    this.#level(
      "ring_lag_bytes",
      "Bytes that the slowest member is behind",
      levels.ringLag,
    );
    this.#level("sent_bytes", "Bytes written to clients", levels.sentBytes);
    this.#level("last_event", "The last event's number", levels.lastEvent);
  }

  /**
   * Serves `/metrics` and `/healthz` until the signal.
   * @param address Where to listen. @param healthy Whether the server can do its work.
   * @throws {Deno.errors.AddrInUse} and what else `Deno.listen` throws.
   */
  async serve(
    address: { readonly host: string; readonly port: number },
    healthy: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const delay = this.#watchDelay();
    const answer = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname === "/metrics") {
        const headers = { "content-type": this.#registry.contentType };
        return new Response(await this.#registry.metrics(), { headers });
      }
      if (pathname !== "/healthz") {
        return new Response("Not found\n", { status: 404 });
      }
      const status = healthy() ? 200 : 503;
      return new Response(status === 200 ? "ok\n" : "not ok\n", { status });
    };
    const { host: hostname, port } = address;
    const server = Deno.serve(
      { hostname, port, signal, onListen: () => {} },
      answer,
    );
    await server.finished;
    clearInterval(delay);
  }

  #watchDelay(): ReturnType<typeof setInterval> {
    const gauge = new Gauge({
      name: `${PREFIX}event_loop_delay_seconds`,
      help: "How late the event loop last was",
      registers: [this.#registry],
    });
    let due = performance.now() + DELAY_PERIOD;
    return setInterval(() => {
      const now = performance.now();
      gauge.set(Math.max(0, now - due) / 1_000);
      due = now + DELAY_PERIOD;
    }, DELAY_PERIOD);
  }

  #count(name: string, help: string, label?: string): Count {
    const counter = new Counter<string>({
      name: PREFIX + name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.#registry],
    });
    return {
      add: (amount = 1, value) =>
        label === undefined || value === undefined
          ? counter.inc(amount)
          : counter.inc({ [label]: value }, amount),
    };
  }

  #distribution(name: string, help: string, buckets: number[]): Distribution {
    const registers = [this.#registry];
    return new Histogram({ name: PREFIX + name, help, buckets, registers });
  }

  #level(name: string, help: string, look: () => number): void {
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(look());
      },
    });
  }
}
