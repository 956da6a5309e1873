/**
 * A room on several servers over three nats-servers that store together, one of which is killed, or which have only
 * just been started.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { Cluster } from "../kit/cluster.ts";
import { Crowd } from "../kit/crowd.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { NatsCluster, NatsServer } from "../kit/nats.ts";
import { NatsIntruder } from "../kit/nats_intruder.ts";
import { together } from "../kit/together.ts";
import { Adding, plainOptions, TestWire } from "../kit/wire.ts";

/** How long each nats-server may run, ms. */
const LIFETIME = 600_000;

/** An election among nats-servers takes up to nine seconds, and most of these wait for several. */
const test = together("three nats-servers that store together");

test("nothing is lost or doubled when one of three nats-servers is killed in a storm, whichever it is", async () => {
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

test("while most nats-servers are down members are told that messages wait, which go out once when they are back", async () => {
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

test("three servers of NATS keep every entry, whichever of them is killed", async () => {
  await using folder = await Folder.make();
  await using nats = await NatsCluster.start(folder.path, {
    deadline: LIFETIME,
  });
  await using one = await TestWire.open(plainOptions(nats.url, 3));
  await using two = await TestWire.open(plainOptions(nats.url, 3));
  const followed = two.takeAll();
  const adding = new Adding(one);
  for (const node of nats.nodes) {
    await adding.more(50);
    await node.kill();
    await adding.more(50); // it goes on without that one
    await node.run();
    await node.line(/metadata leader/);
  }
  const wanted = await adding.stop();
  assertEquals(await followed, wanted);
  assertEquals((await one.wire.state()).last, wanted.length);
});

test("a server waits for a NATS cluster that has no leader yet", async () => {
  await using folder = await Folder.make();
  const ports = [freePort(), freePort(), freePort()];
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
  const nodes = routes.map((route, at) =>
    new NatsServer(folder.file(`node${at}`), {
      deadline: LIFETIME,
      args: [
        ...["-n", `node${at}`, "--cluster_name", "test"],
        ...["--cluster", route, "--routes", routes.join(",")],
      ],
    })
  );
  await using stack = new AsyncDisposableStack();
  for (const node of nodes) stack.use(node);
  const [first, ...others] = nodes;
  assert(first);
  await first.run();
  await using cluster = await Cluster.make({ url: first.url });
  const node = await cluster.add();
  const server = await node.launch();
  await server.line(/JetStream isn't ready yet/);
  await Promise.all(others.map((it) => it.run()));
  await server.line(/In the room: .*\(this server\)/);
});
