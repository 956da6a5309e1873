/**
 * What a server sends to a collector of OpenTelemetry's, which takes it here as JSON: the figures of `/metrics`, and
 * nothing of whom they are about.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { ask } from "../kit/http.ts";
import { Server } from "../kit/server.ts";
import { Watch } from "../kit/watch.ts";

interface Points {
  readonly dataPoints: readonly {
    readonly attributes: readonly {
      readonly key: string;
      readonly value: { readonly stringValue: string };
    }[];
    readonly asDouble?: number;
    readonly count?: string;
    readonly explicitBounds?: readonly number[];
  }[];
}

/** What is sent to `/v1/metrics`, as far as tests look. */
interface Sent {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: Points;
        readonly gauge?: Points;
        readonly histogram?: Points;
      }[];
    }[];
  }[];
}

/** The program's own figures as Prometheus writes them, of a histogram its number of values and its bounds. */
function figuresIn({ resourceMetrics }: Sent): Set<string> {
  const own = resourceMetrics.flatMap((it) => it.scopeMetrics)
    .filter(({ scope }) => scope.name === "encrypted-chat");
  const metrics = own.flatMap((it) => it.metrics);
  return new Set(metrics.flatMap(({ name, sum, gauge, histogram }) => [
    ...[sum, gauge].flatMap((it) => it?.dataPoints ?? [])
      .map(({ attributes, asDouble }) => {
        const labels = attributes.map(({ key, value }) =>
          `{${key}="${value.stringValue}"}`
        );
        return `${name}${labels.join("")} ${asDouble}`;
      }),
    ...(histogram?.dataPoints ?? []).flatMap(({ count, explicitBounds }) => [
      `${name}_count ${count}`,
      ...(explicitBounds ?? []).map((bound) => `${name}_bucket ${bound}`),
    ]),
  ]));
}

/** The same of what `/metrics` says. */
function figuresOf(text: string): Set<string> {
  const lines = text.split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#") || /_sum |"\+Inf"/.test(line)) {
      return [];
    }
    return [line.replace(/_bucket\{le="([^"]+)"\} .*/, "_bucket $1")];
  });
  return new Set(lines);
}

/** The figures' names, with what they are labelled with. */
function namesOf(figures: ReadonlySet<string>): Set<string> {
  return new Set([...figures].map((it) => it.replace(/ .*/, "")));
}

/** A collector. */
class Collector implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #watch = new Watch(() => this.bodies.at(-1) ?? "nothing", () => {});
  /** All that came, as text. */
  readonly bodies: string[] = [];
  /** To which paths it came. */
  readonly paths = new Set<string>();
  /** The figures that came last. */
  figures: ReadonlySet<string> = new Set();

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, async (request) => {
      const { pathname } = new URL(request.url);
      const text = await request.text();
      this.paths.add(pathname);
      this.bodies.push(text);
      if (pathname === "/v1/metrics") {
        this.figures = figuresIn(JSON.parse(text));
      }
      this.#watch.changed();
      return Response.json({});
    });
  }

  /** What a server is started with that is to send to it. */
  environment(...more: string[]): string[] {
    return [
      "env",
      `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${this.#server.addr.port}`,
      "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
      "OTEL_METRIC_EXPORT_INTERVAL=200",
      ...more,
    ];
  }

  /** Waits until the figures that came last are such. @param what What is waited for, for a failure's message. */
  async until(
    what: string,
    are: (figures: ReadonlySet<string>) => boolean,
  ): Promise<void> {
    await this.#watch.until(what, () => are(this.figures) || undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#server.shutdown();
  }
}

/** Has persons talk in a server's room, and a program. */
async function talk({ invite, folder }: Server, http: number): Promise<void> {
  await using ana = await JsonClient.join({ invite, name: "anabel" });
  await using ben = await JsonClient.join({ invite, name: "benedict" });
  await ana.type("hush", "hush");
  await ben.showsTexts(2);
  for (const client of [ana, ben]) {
    await client.endInput();
    assertEquals(await client.finished(), 0);
  }
  const file = await Deno.readTextFile(folder.file("chat.tokens"));
  const [, token] = /^http (\S+)$/m.exec(file) ?? [];
  assert(token !== undefined);
  const { status } = await ask(http, { token, body: "hush" });
  assertEquals(status, 200);
}

/** What nobody but those in the room is to learn. */
const SECRET = /anabel|benedict|hush/;

Deno.test("collector is sent the figures of /metrics, and nothing else", async () => {
  await using folder = await Folder.make();
  await using collector = new Collector();
  const [port, http] = [freePort(), freePort()];
  await using server = await Server.open(folder, {
    args: ["--metrics", `127.0.0.1:${port}`, "--http", String(http)],
    prefix: collector.environment("OTEL_DENO_METRICS=true"),
  });
  await talk(server, http);
  const shown = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    return figuresOf(await response.text());
  };
  for (const name of namesOf(await shown())) {
    await collector.until(name, (figures) => namesOf(figures).has(name));
  }
  for (
    const figure of [
      "chat_members 1", // the program
      "chat_messages_total 3",
      "chat_batch_events_bucket 5",
      'chat_http_answers_total{status="200"} 1',
    ]
  ) {
    await collector.until(figure, (figures) => figures.has(figure));
    assert((await shown()).has(figure), figure);
  }
  const { figures } = collector;
  const none = namesOf(figures).difference(namesOf(await shown()));
  assertEquals([...none], []);
  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);
  assertEquals([...collector.paths], ["/v1/metrics"]);
  assert(!SECRET.test(collector.bodies.join()));
});

Deno.test("collector that asks for all that Deno has is told nobody's name, and nothing of what was said", async () => {
  await using folder = await Folder.make();
  await using collector = new Collector();
  const http = freePort();
  await using server = await Server.open(folder, {
    args: ["--http", String(http), "--log-level", "debug"],
    prefix: collector.environment("OTEL_DENO=true"),
  });
  await talk(server, http);
  const figure = "chat_messages_total 3";
  await collector.until(figure, (figures) => figures.has(figure));
  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);
  assert(!SECRET.test(collector.bodies.join()));
});
