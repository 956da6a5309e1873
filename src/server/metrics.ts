/**
 * The server's figures, for Prometheus and for OpenTelemetry, and its health, over HTTP.
 *
 * @module
 */

import { AcceptFailures } from "./accept_failures.ts";
import { Exposition, EXPOSITION_TYPE } from "./prometheus.ts";
import type {
  ClusterMeasures,
  Count,
  Distribution,
  Measures,
} from "./measures.ts";
import { metricsError } from "./start_error.ts";
import { meter } from "./telemetry.ts";
import type { Address } from "../keys/invite.ts";

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
  /** Programs that read what is said, by open streams. */
  readonly httpReaders: () => number;
  /** Whether the server can do its work. */
  readonly healthy: () => boolean;
}

/** Figures of a room that several servers share, looked up when somebody asks. */
export interface ClusterLevels {
  /** Whether the stream can be reached. */
  readonly isUp: boolean;
  /** Servers of the room that are there, this one included. */
  readonly servers: number;
  /** Entries that have come out of the stream and are not carried out here yet. */
  readonly behind: number;
  /** The stream's place up to which all is carried out here. */
  readonly place: number;
}

/** Counts for those who look after the server. */
export class Metrics implements Measures, Disposable {
  readonly #exposition = new Exposition(PREFIX, meter());
  readonly #delay = this.#watchDelay();
  #healthy = () => false;
  readonly messages: Count = this.#exposition.count(
    "messages_total",
    "Messages logged",
  );
  readonly deliveries: Count = this.#exposition.count(
    "deliveries_total",
    "Messages times the connections that they went to",
  );
  readonly receivedBytes: Count = this.#exposition.count(
    "received_bytes_total",
    "Bytes read from clients after their handshakes",
  );
  readonly handshakesRefused: Count = this.#exposition.count(
    "handshakes_refused_total",
    "Handshakes that did not lead in",
    "reason",
  );
  readonly departures: Count = this.#exposition.count(
    "departures_total",
    "Connections that ended after their handshake",
    "reason",
  );
  readonly epochs: Count = this.#exposition.count(
    "epochs_total",
    "Changes of the room's key",
    "change",
  );
  readonly httpAnswers: Count = this.#exposition.count(
    "http_answers_total",
    "Requests of programs that were answered",
    "status",
  );
  readonly batchSize: Distribution = this.#exposition.distribution(
    "batch_events",
    "Events in a batch",
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000],
  );
  readonly logWrite: Distribution = this.#exposition.distribution(
    "log_write_seconds",
    "Time of one write to the log",
    [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10],
  );

  /** Shows further figures, looked up when somebody asks. */
  show(levels: Levels): void {
    this.#healthy = levels.healthy;
    this.#exposition.level("members", "Members in the room", levels.members);
    this.#exposition.level(
      "connections",
      "Open connections",
      levels.connections,
    );
    this.#exposition.level(
      "handshakes",
      "Unfinished handshakes",
      levels.handshakes,
    );
    this.#exposition.level(
      "ring_lag_bytes",
      "Bytes that the slowest member is behind",
      levels.ringLag,
    );
    this.#exposition.total(
      "sent_bytes_total",
      "Bytes written to clients",
      levels.sentBytes,
    );
    this.#exposition.level(
      "last_event",
      "The last event's number",
      levels.lastEvent,
    );
    this.#exposition.level(
      "http_readers",
      "Programs that read along",
      levels.httpReaders,
    );
  }

  /** What is counted of a room that several servers share. To be called once. */
  measureCluster(): ClusterMeasures {
    const exposition = this.#exposition;
    return {
      entries: exposition.count(
        "cluster_entries_total",
        "Entries of the stream that were carried out",
      ),
      skipped: exposition.count(
        "cluster_skipped_total",
        "Entries of the stream that were not carried out",
        "reason",
      ),
      proposing: exposition.distribution(
        "cluster_proposing_seconds",
        "Time from proposing an entry until it comes out of the stream",
        [1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 1, 5, 30],
      ),
    };
  }

  /** Shows further figures of such a room. */
  showCluster(cluster: ClusterLevels): void {
    const exposition = this.#exposition;
    exposition.level(
      "cluster_up",
      "Whether NATS can be reached",
      () => cluster.isUp ? 1 : 0,
    );
    exposition.level(
      "cluster_servers",
      "Servers of this room that are there",
      () => cluster.servers,
    );
    exposition.level(
      "cluster_behind_entries",
      "Entries that have come and are not carried out here yet",
      () => cluster.behind,
    );
    exposition.level(
      "cluster_place",
      "The stream's place up to which all is carried out here",
      () => cluster.place,
    );
  }

  /**
   * Serves `/metrics` and `/healthz` until the signal; before `show`, the server is not healthy.
   * @param address Where to listen.
   * @returns Resolves when it serves no more.
   * @throws {AdvisedError} if nobody can listen there, at once.
   */
  serve(address: Address, signal: AbortSignal): Promise<void> {
    return this.#serveOn(this.#listen(address, signal), address, signal);
  }

  /** Listens again where a connection can't be accepted, as without descriptors: the runtime serves no more then. */
  async #serveOn(
    serving: Promise<void>,
    address: Address,
    signal: AbortSignal,
  ): Promise<void> {
    using failures = new AcceptFailures();
    for (;;) {
      try {
        return await serving;
      } catch (error) {
        await failures.add(error);
      }
      if (signal.aborted) return;
      serving = Promise.try(() => this.#listen(address, signal));
    }
  }

  /** @returns What resolves at the signal. @throws as `serve`. */
  #listen(address: Address, signal: AbortSignal): Promise<void> {
    const answer = (request: Request): Response => {
      const { pathname } = new URL(request.url);
      if (pathname === "/metrics") {
        const headers = { "content-type": EXPOSITION_TYPE };
        return new Response(this.#exposition.text(), { headers });
      }
      if (pathname !== "/healthz") {
        return new Response("Not found\n", { status: 404 });
      }
      const status = this.#healthy() ? 200 : 503;
      return new Response(status === 200 ? "ok\n" : "not ok\n", { status });
    };
    const { host: hostname, port } = address;
    const options = { hostname, port, signal, onListen: () => {} };
    try {
      return Deno.serve(options, answer).finished;
    } catch (error) {
      throw metricsError(address, error);
    }
  }

  /** Looks at the event loop no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#delay);
  }

  #watchDelay(): ReturnType<typeof setInterval> {
    let delay = 0;
    this.#exposition.level(
      "event_loop_delay_seconds",
      "How late the event loop last was",
      () => delay,
    );
    let due = performance.now() + DELAY_PERIOD;
    return setInterval(() => {
      const now = performance.now();
      delay = Math.max(0, now - due) / 1_000;
      due = now + DELAY_PERIOD;
    }, DELAY_PERIOD);
  }
}
