/**
 * The dashboard in `deploy/`, held against what a real server's `/metrics` says, and against Grafana's own types.
 *
 * @module
 */

import dashboard from "../../deploy/grafana.json" with { type: "json" };
import { assert, assertEquals } from "../kit/assert.ts";
import { runToEnd, succeeds } from "../kit/command.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { NatsServer } from "../kit/nats.ts";
import { Server } from "../kit/server.ts";

/** The names that a query may use for each figure: a histogram has three. */
function namesOf(text: string): Map<string, string[]> {
  const types = text.matchAll(/^# TYPE (\w+) (\w+)$/gm);
  return new Map([...types].map(([_, name = "", kind]) => {
    const parts = ["bucket", "sum", "count"].map((it) => `${name}_${it}`);
    return [name, kind === "histogram" ? parts : [name]];
  }));
}

Deno.test("dashboard asks for every figure that a server has, and for no other", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  // One that shares its room has all figures that a server can have.
  await using nats = await NatsServer.start(folder.file("nats"));
  await using _server = await Server.open(folder, {
    args: ["--metrics", `127.0.0.1:${port}`, "--nats", nats.url],
  });
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const figures = namesOf(await response.text());
  const { panels, templating } = dashboard;
  const queries = [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...templating.list.map(({ query }) => query),
  ];
  const asked = new Set(
    queries.flatMap((query) => query.match(/\bchat_\w+/g) ?? []),
  );

  const known = new Set([...figures.values()].flat());
  assertEquals([...asked].filter((name) => !known.has(name)), []);
  for (const [figure, names] of figures) {
    assert(names.some((name) => asked.has(name)), `nobody sees ${figure}`);
  }
  assert(figures.size >= 24, [...figures.keys()].join());
});

Deno.test("dashboard has panels with ids of their own, which don't overlap", () => {
  const { panels } = dashboard;
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    assert(x + w <= 24, "the grid has 24 columns");
    return Array.from({ length: w * h }, (_, at) => {
      const row = y + Math.floor(at / w);
      return `${x + at % w} ${row}`;
    });
  });
  assertEquals(new Set(cells).size, cells.length);
});

// Not in deno.json: all that stands there is fetched by whoever starts a program for the first time.
const SCHEMA = "npm:@grafana/schema@13.2.3";
const APART = ["--quiet", "--no-config", "--no-lock"];
const hasSchema = await succeeds(Deno.execPath(), "cache", ...APART, SCHEMA);

Deno.test({
  name:
    `dashboard has what Grafana's types ask for, and nothing that they don't know${
      hasSchema ? "" : " (ignored: no package registry)"
    }`,
  ignore: !hasSchema,
  async fn() {
    await using folder = await Folder.make();
    const [panel] = dashboard.panels;
    const wrong = [
      { ...dashboard, schemaVersion: "39" },
      { ...dashboard, panels: [{ ...panel, gridPos: { x: 0, y: 0, w: 1 } }] },
      { ...dashboard, panels: [{ ...panel, ordinate: 1 }] },
    ];
    // Each stands in a program as it is, so that all its properties are looked at.
    const declaration = (value: unknown, index: number) =>
      `export const d${index}: Dashboard = ${JSON.stringify(value)};\n`;
    const expected =
      "// @ts-expect-error: a check that lets this through is none\n";
    const file = folder.file("dashboards.ts");
    await Deno.writeTextFile(
      file,
      [
        `import type { Dashboard } from "${SCHEMA}";\n`,
        declaration(dashboard, 0),
        ...wrong.map((it, at) => expected + declaration(it, at + 1)),
      ].join(""),
    );
    const words = [Deno.execPath(), "check", ...APART, file];
    const { code, stderr } = await runToEnd(words, { env: { NO_COLOR: "1" } });
    assertEquals([code, stderr], [0, ""]);
  },
});
