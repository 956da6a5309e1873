/**
 * The dashboard in `operations/`, held against what a real server's `/metrics` says.
 *
 * @module
 */

import dashboard from "../../deploy/grafana.json" with { type: "json" };
import { assert, assertEquals } from "../kit/assert.ts";
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
  assert(figures.size >= 22, [...figures.keys()].join());
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
