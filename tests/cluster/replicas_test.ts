/**
 * A room on several servers over three nats-servers that store together, one of which is killed.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { Cluster } from "../kit/cluster.ts";
import { Crowd } from "../kit/crowd.ts";
import { Folder } from "../kit/folder.ts";
import { NatsCluster } from "../kit/nats.ts";
import { NatsIntruder } from "../kit/nats_intruder.ts";

/** How long each nats-server may run, ms. */
const LIFETIME = 600_000;

Deno.test("nothing is lost or doubled when one of three nats-servers is killed in a storm, whichever it is", async () => {
  await using folder = await Folder.make();
  await using nats = await NatsCluster.start(folder.path, {
    deadline: LIFETIME,
  });
  const { url } = nats;
  await using cluster = await Cluster.open(2, {
    url,
    args: ["--nats-replicas", "3"],
  });
  await using crowd = new Crowd(cluster);
  await crowd.gather(3);
  await crowd.storm(async () => {
    const leader = await leaderOf(url);
    const at = Number(leader.replace("node", "")) - 1;
    await nats.nodes[at]?.kill();
    const after = crowd.last + 100;
    await crowd.until("talk", () => crowd.last >= after);
    await nats.nodes[at]?.run();
  });
  await crowd.storm(async () => {
    const leader = await leaderOf(url);
    const at = Number(leader.replace("node", "")) % 3; // one that isn't it
    await nats.nodes[at]?.restart();
  });
  await crowd.check();
});

/** The node that leads the room's stream, which three store. */
async function leaderOf(url: string): Promise<string> {
  await using intruder = await NatsIntruder.connect(url);
  const { config, cluster } = await intruder.stream();
  assertEquals(config.num_replicas, 3);
  return cluster?.leader ?? "";
}

Deno.test("while most nats-servers are down members are told that messages wait, which go out once when they are back", async () => {
  await using folder = await Folder.make();
  await using nats = await NatsCluster.start(folder.path, {
    deadline: LIFETIME,
  });
  await using cluster = await Cluster.open(2, {
    url: nats.url,
    args: ["--nats-replicas", "3"],
  });
  await using crowd = new Crowd(cluster);
  const [ana] = await crowd.gather(1);
  assert(ana);
  await ana.talk(1);
  await crowd.settled();
  const [, ...most] = nats.nodes;
  await Promise.all(most.map((node) => node.kill()));
  await ana.talk(3);
  const isTold = () => ana.notes.some((note) => /messages wait/.test(note));
  await crowd.until("it is told", isTold);
  await Promise.all(most.map((node) => node.run()));
  await crowd.check();
  assertEquals(crowd.members.flatMap(({ losses }) => losses), []);
});
