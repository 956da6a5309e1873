/**
 * Servers that can't be in one room: the log of one has other lines.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { Cluster, type Node } from "../kit/cluster.ts";
import { Crowd } from "../kit/crowd.ts";

/** A server stops at its start, says why, and lets nobody in. */
async function refused(node: Node, why: RegExp): Promise<void> {
  const server = await node.launch();
  assertEquals(await server.finished(), 1, server.transcript);
  assertMatch(server.stderr.join("\n"), why);
  assertEquals(server.stdout, []);
}

/** Two servers whose members have talked; the second one is stopped, and its log changed. */
async function changedLog(
  lines: number,
  happens: (
    cluster: Cluster,
    crowd: Crowd,
    changed: number,
  ) => Promise<void>,
): Promise<void> {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(1);
  const [ana] = members;
  assert(ana);
  await ana.talk(lines);
  await crowd.settled();
  const node = cluster.node(1);
  await node.end();
  const path = node.folder.file("chat.log");
  const before = (await Deno.readTextFile(path)).split("\n");
  const changed = 5; // an event that somebody said
  const text = before[changed - 1] ?? "";
  const other = text.replace(/.$/, (last) => last === "x" ? "y" : "x");
  before[changed - 1] = other;
  await Deno.writeTextFile(path, before.join("\n"));
  await happens(cluster, crowd, changed);
}

for (const lines of [20, 3_000]) {
  Deno.test(`server whose log of ${lines} lines was changed while it was stopped names the event and stops, and the others say so`, async () => {
    await changedLog(lines, async (cluster, crowd, changed) => {
      await refused(
        cluster.node(1),
        new RegExp(
          `Cannot take part in the room: event ${changed} of the log here isn't the one that the room has`,
        ),
      );
      const { server } = cluster.node(0);
      await server.line(
        /The log of the server at \S+ has other lines than the one here/,
      );
      await crowd.until(
        "all inside",
        () => crowd.members.every(({ inside, at }) => inside && at === 0),
      );
    });
  });
}

Deno.test("of two servers that start together with different logs one goes on", async () => {
  await changedLog(20, async (cluster) => {
    await cluster.node(0).end();
    const servers = await Promise.all(
      cluster.nodes.map((node) => node.launch()),
    );
    const codes = servers.map((server) => server.finished());
    const [code, at] = await Promise.race(
      codes.map(async (it, at) => [await it, at] as const),
    );
    const [stopped, goesOn] = [servers[at], servers[1 - at]];
    assert(stopped && goesOn);
    assertEquals(code, 1, stopped.transcript);
    assertMatch(stopped.stderr.join("\n"), /event 5 of the log here/);
    await goesOn.line(/is in the room no more/);
  });
});
