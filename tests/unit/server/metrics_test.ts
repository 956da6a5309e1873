/**
 * The server's figures and its health over HTTP, and the same figures for OpenTelemetry.
 *
 * @module
 */

import { AdvisedError } from "../../../src/base/advised_error.ts";
import { VERSION } from "../../../src/base/program.ts";
import { Metrics } from "../../../src/server/metrics.ts";
import { Exposition } from "../../../src/server/prometheus.ts";
import { meter, type Observed } from "../../../src/server/telemetry.ts";
import {
  UNMEASURED,
  UNMEASURED_CLUSTER,
} from "../../../src/server/measures.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../kit/assert.ts";
import { freePort } from "../../kit/folder.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { overhear } from "../../kit/overhear.ts";
import { replaced } from "../../kit/replaced.ts";

/** Serves figures at a port for as long as something is done. */
async function served(
  metrics: Metrics,
  body: (ask: (path: string) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const port = freePort();
  const stopping = new AbortController();
  const address = { host: "127.0.0.1", port };
  const finished = metrics.serve(address, stopping.signal);
  try {
    await body((path) => fetch(`http://127.0.0.1:${port}${path}`));
    const error = assertThrows(
      () => metrics.serve(address, stopping.signal),
      AdvisedError,
    );
    assertEquals(error.message, `Port ${port} is in use`);
  } catch (error) {
    stopping.abort(); // what fails may be just that
    throw error;
  }
  stopping.abort();
  await finished;
}

/** The figures in a text, by name and labels. */
function figuresIn(text: string): Record<string, number> {
  const lines = text.split("\n").filter((it) => !/^(#|$)/.test(it));
  return Object.fromEntries(lines.map((line) => {
    const [, name = "", value] = /^(.*) (\S+)$/.exec(line) ?? [];
    return [name, Number(value)];
  }));
}

Deno.test("Metrics serves its figures and its health, and nothing else", async () => {
  using metrics = new Metrics();
  let isHealthy = true;
  await served(metrics, async (ask) => {
    const health = async () => {
      const answer = await ask("/healthz");
      return [answer.status, await answer.text()];
    };
    assertEquals(await health(), [503, "not ok\n"], "it hasn't started yet");
    metrics.show({
      members: () => 1,
      connections: () => 2,
      handshakes: () => 3,
      ringLag: () => 4,
      sentBytes: () => 5,
      lastEvent: () => 6,
      httpReaders: () => 7,
      healthy: () => isHealthy,
    });
    assertEquals(await health(), [200, "ok\n"]);
    isHealthy = false;
    assertEquals(await health(), [503, "not ok\n"]);
    metrics.messages.add(8);
    metrics.deliveries.add(9);
    metrics.receivedBytes.add(10);
    metrics.handshakesRefused.add(11, "late");
    metrics.departures.add(12, "left");
    metrics.epochs.add(13, "ratchet");
    metrics.httpAnswers.add(14, "200");
    const answer = await ask("/metrics?x");
    assertEquals(
      answer.headers.get("content-type"),
      "text/plain; version=0.0.4; charset=utf-8",
    );
    const figures = figuresIn(await answer.text());
    const plain = Object.entries(figures).filter(([name]) =>
      !/batch_events|log_write|event_loop_delay/.test(name)
    );
    assertEquals(Object.fromEntries(plain), {
      chat_messages_total: 8,
      chat_deliveries_total: 9,
      chat_received_bytes_total: 10,
      'chat_handshakes_refused_total{reason="late"}': 11,
      'chat_departures_total{reason="left"}': 12,
      'chat_epochs_total{change="ratchet"}': 13,
      'chat_http_answers_total{status="200"}': 14,
      chat_members: 1,
      chat_connections: 2,
      chat_handshakes: 3,
      chat_ring_lag_bytes: 4,
      chat_sent_bytes_total: 5,
      chat_last_event: 6,
      chat_http_readers: 7,
    });
    const none = await ask("/");
    assertEquals([none.status, await none.text()], [404, "Not found\n"]);
  });
});

Deno.test("Metrics spreads what is spread, and has a cluster's figures where there is one", async () => {
  using metrics = new Metrics();
  metrics.batchSize.observe(7);
  metrics.logWrite.observe(0.05);
  const cluster = { isUp: true, servers: 3, behind: 4, place: 5 };
  const { entries, skipped, proposing } = metrics.measureCluster();
  metrics.showCluster(cluster);
  entries.add(6);
  skipped.add(7, "void");
  proposing.observe(0.03);
  await served(metrics, async (ask) => {
    const figures = figuresIn(await (await ask("/metrics")).text());
    const bounds = (name: string) =>
      Object.entries(figures).flatMap(([it, count]) => {
        const [, bound] = /_bucket\{le="(.*)"\}$/.exec(it) ?? [];
        return it.startsWith(name) && bound ? [`${bound}: ${count}`] : [];
      });
    assertEquals(bounds("chat_batch_events"), [
      ...["1: 0", "2: 0", "5: 0", "10: 1", "20: 1", "50: 1", "100: 1"],
      ...["200: 1", "500: 1", "1000: 1", "5000: 1", "+Inf: 1"],
    ]);
    assertEquals(bounds("chat_log_write_seconds"), [
      ...["0.00001: 0", "0.0001: 0", "0.001: 0", "0.01: 0", "0.1: 1"],
      ...["1: 1", "10: 1", "+Inf: 1"],
    ]);
    assertEquals(bounds("chat_cluster_proposing_seconds"), [
      ...["0.001: 0", "0.002: 0", "0.005: 0", "0.01: 0", "0.02: 0", "0.05: 1"],
      ...["0.1: 1", "0.5: 1", "1: 1", "5: 1", "30: 1", "+Inf: 1"],
    ]);
    const own = Object.entries(figures).filter(([name]) =>
      name.startsWith("chat_cluster") && !name.includes("proposing")
    );
    assertEquals(Object.fromEntries(own), {
      chat_cluster_entries_total: 6,
      'chat_cluster_skipped_total{reason="void"}': 7,
      chat_cluster_up: 1,
      chat_cluster_servers: 3,
      chat_cluster_behind_entries: 4,
      chat_cluster_place: 5,
    });
    cluster.isUp = false;
    const later = figuresIn(await (await ask("/metrics")).text());
    assertEquals(later["chat_cluster_up"], 0);
  });
});

/** What OpenTelemetry is told, by a figure's name, as `Meter` has it. */
class Told {
  readonly versions: string[] = [];
  readonly figures: Record<string, unknown[]> = {};
  readonly #looks: (() => void)[] = [];

  getMeter(name: string, version: string) {
    this.versions.push(`${name} ${version}`);
    const observable = (kind: string) => (full: string, options: unknown) => {
      const told: unknown[] = this.figures[full] = [kind, options];
      return {
        addCallback: (tell: (observed: Observed) => void) => {
          const observe = (...sample: unknown[]) => void told.push(sample);
          this.#looks.push(() => tell({ observe }));
        },
      };
    };
    return {
      createObservableCounter: observable("counter"),
      createObservableGauge: observable("gauge"),
      createHistogram: (full: string, options: unknown) => {
        const told: unknown[] = this.figures[full] = ["histogram", options];
        return { record: (value: number) => void told.push(value) };
      },
    };
  }

  /** It asks for all. */
  look(): void {
    for (const look of this.#looks) look();
  }
}

const REGISTRY = Symbol.for("opentelemetry.js.api.1");

Deno.test("Exposition tells OpenTelemetry the same, which meter() finds where somebody wants it", () => {
  const told = new Told();
  using _registry = replaced(globalThis, REGISTRY, undefined);
  assertEquals(meter(), undefined);
  Reflect.set(globalThis, REGISTRY, {});
  assertEquals(meter(), undefined);
  Reflect.set(globalThis, REGISTRY, { metrics: told });
  const exposition = new Exposition("chat_", meter());
  const plain = exposition.count("plain", "Plain");
  const labelled = exposition.count("labelled", "Labelled", "reason");
  exposition.level("level", "Level", () => 3);
  exposition.total("total", "Total", () => 4);
  const spread = exposition.distribution("spread", "Spread", [1, 5]);
  plain.add(2);
  labelled.add(1, "bad");
  spread.observe(7);
  told.look();
  const of = (description: string) => ({ description });
  assertEquals(told.figures, {
    chat_plain: ["counter", of("Plain"), [2, {}]],
    chat_labelled: ["counter", of("Labelled"), [1, { reason: "bad" }]],
    chat_level: ["gauge", of("Level"), [3, {}]],
    chat_total: ["counter", of("Total"), [4, {}]],
    chat_spread: [
      "histogram",
      { ...of("Spread"), advice: { explicitBucketBoundaries: [1, 5] } },
      7,
    ],
  });
  assertEquals(told.versions, [`encrypted-chat ${VERSION}`]);
});

Deno.test("Metrics tells how late the event loop last was, until it is disposed of", () => {
  const told = new Told();
  using _registry = replaced(globalThis, REGISTRY, { metrics: told });
  const delay = () => {
    told.look();
    return told.figures["chat_event_loop_delay_seconds"]?.at(-1);
  };
  using clock = new ManualClock();
  {
    using _metrics = new Metrics();
    assertEquals(delay(), [0, {}]);
    clock.advance(500);
    assertEquals(delay(), [0, {}]);
    const { now } = performance;
    performance.now = () => now() + 250; // something took a quarter of a second
    clock.advance(500);
    assertEquals(delay(), [0.25, {}]);
    clock.advance(500);
    assertEquals(delay(), [0, {}]);
    performance.now = () => now() + 150; // never before its time
    clock.advance(500);
    assertEquals(delay(), [0, {}]);
  }
  assertEquals(clock.pending, 0);
});

Deno.test("what isn't measured can be told as any measure", () => {
  for (const measures of [UNMEASURED, UNMEASURED_CLUSTER]) {
    for (const measure of Object.values(measures)) {
      assert("add" in measure && "observe" in measure);
      measure.add(1, "label");
      measure.observe(1);
    }
  }
});

Deno.test("Metrics listens again where a connection can't be accepted, until it is to serve no more", async () => {
  const full = new Error("too many open files");
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const [first, second, , last] = ends;
  let listened = 0;
  const serve = () => {
    const finished = ends[listened++]?.promise;
    if (listened === 3) throw full;
    return { finished };
  };
  const stopping = new AbortController();
  using clock = new ManualClock();
  using metrics = new Metrics();
  using _serve = replaced(Deno, "serve", serve);
  const address = { host: "127.0.0.1", port: 9 };
  const said = await overhear("info", async () => {
    let hasEnded = false;
    const finished = metrics.serve(address, stopping.signal);
    finished.finally(() => hasEnded = true);
    const isAt = async (ms: number) => {
      clock.advance(ms);
      await clock.turn();
      return [listened, hasEnded];
    };
    first?.reject(full);
    assertEquals(await isAt(0), [1, false]);
    assertEquals(await isAt(250), [2, false]);
    second?.reject(full);
    await isAt(0);
    assertEquals(await isAt(250), [3, false]);
    assertEquals(await isAt(250), [4, false]);
    last?.reject(full);
    await isAt(0);
    stopping.abort();
    assertEquals(await isAt(250), [4, true]);
    await finished;
  });
  assertEquals(said.length, 1);
  assertMatch(said[0] ?? "", /Cannot accept a connection: too many open files/);
});
