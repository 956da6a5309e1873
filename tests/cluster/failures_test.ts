/**
 * What servers of one room, and NATS, can suffer while members talk: nothing is lost, nothing comes twice, and in the
 * end all have the same.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { Cluster } from "../kit/cluster.ts";
import { Crowd, type Roamer } from "../kit/crowd.ts";
import { parseLog, runServer } from "../kit/server.ts";
import { together } from "../kit/together.ts";

/** Members of each server. */
const MEMBERS = 3;

/** For those that wait for seconds until one server notices that another is gone, or NATS. */
const test = together("what servers and NATS can suffer");

/** Members of so many servers talk while something happens; then all have the same. @returns The log. */
async function storm(
  servers: number,
  happens: (cluster: Cluster, crowd: Crowd) => Promise<void>,
): Promise<string> {
  await using cluster = await Cluster.open(servers);
  await using crowd = new Crowd(cluster);
  await crowd.gather(MEMBERS);
  await crowd.storm(() => happens(cluster, crowd));
  const log = await crowd.check();
  assertNobodyTwice(log);
  return log;
}

/** Fails unless each name comes in and leaves in turn: nobody leaves twice, or comes while being there. */
function assertNobodyTwice(log: string): void {
  const here = new Map<string, boolean>();
  for (const { what, name, seq } of parseLog(log)) {
    if (what !== "joined" && what !== "left") continue;
    const comes = what === "joined";
    assert(here.get(name) !== comes, `${name} ${what} again in line ${seq}`);
    here.set(name, comes);
  }
}

/** Waits until somebody who stayed was told that a member left. */
async function sees(witness: Roamer, left: Roamer): Promise<void> {
  await witness.told((news) => news.type === "left" && news.name === left.name);
}

Deno.test("members of a server that is killed go to another, and nothing that they say is lost or doubled", async () => {
  await storm(3, async (cluster, crowd) => {
    const node = cluster.node(0);
    await node.kill();
    const logged = (await node.log()).split("\n").length - 1;
    await crowd.until(
      "all have moved",
      () => crowd.members.every(({ inside, at }) => inside && at !== 0),
    );
    // Whatever the killed server had shown to anybody, it had logged.
    const losses = crowd.members.flatMap(({ losses }) => losses);
    const shown = losses.filter(({ at }) => at === 0).map(({ last }) => last);
    assertEquals(shown.length, MEMBERS);
    for (const last of shown) assert(last <= logged, `${last} of ${logged}`);
    await node.start();
  });
});

test("members of a server that is killed and not started again leave once, or are at another", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  await crowd.gather(MEMBERS);
  const witness = crowd.members.find(({ at }) => at === 1);
  const gone = await crowd.join({ name: "gone", at: 0, roams: false });
  assert(witness);
  await crowd.settled();
  await cluster.node(0).kill();
  await sees(witness, gone);
  await crowd.leave(gone);
  await crowd.settled();
  await cluster.node(0).start();
  const log = await crowd.check();
  assertNobodyTwice(log);
  const lost = parseLog(log).filter(({ what, name }) =>
    what === "left" && name === "gone"
  );
  assertEquals(lost.length, 1);
});

test("nothing is lost or doubled when nats-server is killed and started again, nor when it is stopped for a while", async () => {
  await storm(2, async ({ nats }, crowd) => {
    await nats.restart();
    const after = crowd.last + 100;
    await crowd.until("talk", () => crowd.last >= after);
    nats.stop();
    await crowd.until("one is told to wait", () => crowd.members.some(isTold));
    nats.cont();
  });
});

/** Whether a member was told that messages wait. */
function isTold({ notes }: Roamer): boolean {
  return notes.some((it) => /wait/.test(it));
}

Deno.test("nothing is lost or doubled when a server and nats-server are killed together", async () => {
  await storm(2, async (cluster) => {
    await Promise.all([cluster.node(0).kill(), cluster.nats.kill()]);
    await cluster.nats.run();
    await cluster.node(0).start();
  });
});

Deno.test("nothing is lost or doubled when all servers and nats-server are killed together", async () => {
  await storm(2, async (cluster) => {
    const all = cluster.nodes.map((node) => node.kill());
    await Promise.all([...all, cluster.nats.kill()]);
    await cluster.nats.run();
    await Promise.all(cluster.nodes.map((node) => node.start()));
  });
});

test("members of a server that is stopped longer than others wait leave once and come back, and nothing is lost or doubled", async () => {
  await storm(2, async (cluster, crowd) => {
    const [stopped, mover] = crowd.members.filter(({ at }) => at === 0);
    const witness = crowd.members.find(({ at }) => at === 1);
    assert(stopped && mover && witness);
    const { server } = cluster.node(0);
    server.kill("SIGSTOP");
    mover.session.hurry();
    await sees(witness, stopped);
    server.kill("SIGCONT");
  });
});

test("members of a server that is cut off from NATS for a moment are told that messages wait, and miss nothing", async () => {
  await storm(2, async (cluster, crowd) => {
    const { passage } = cluster.node(0);
    passage.refuse();
    const there = crowd.members.filter(({ at }) => at === 0);
    await crowd.until("told to wait", () => there.every(isTold));
    assertEquals(there.flatMap(({ losses }) => losses), []);
    passage.mend();
  });
});

test("members of a server that loses its way to NATS for longer than others wait miss nothing, and all that they said comes once", async () => {
  await storm(2, async (cluster, crowd) => {
    const [cut] = crowd.members.filter(({ at }) => at === 0);
    const witness = crowd.members.find(({ at }) => at === 1);
    assert(cut && witness);
    const { passage } = cluster.node(0);
    passage.hold();
    await sees(witness, cut);
    assertEquals(cut.losses, []);
    passage.mend();
  });
});

Deno.test("a hundred members whose server is killed move to another at once", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const [first, second] = cluster.nodes;
  assert(first && second);
  const members = await crowd.gather(100, [first]);
  const [witness] = await crowd.gather(1, [second]);
  assert(witness);
  const talking = Promise.all(members.map((member) => member.talk(3)));
  await crowd.until("talk", () => witness.last > 150);
  await first.kill();
  await talking;
  await crowd.settled(120_000);
  await Promise.all(members.map((member) => member.talk(1)));
  await crowd.settled();
  await first.start();
  assertNobodyTwice(await crowd.check());
});

Deno.test("links name all servers, and a client that came by one goes to another server when its own dies", async () => {
  await using cluster = await Cluster.open(2);
  const { folder } = cluster.node(0);
  await cluster.node(0).holds(
    "chat.key",
    (text) => text.includes(String(cluster.node(1).port)),
  );
  const { stdout } = await runServer(folder, ["--link"]);
  const [link = ""] = /chat:\/\/[^\s']+/.exec(stdout.join("\n")) ?? [];
  const ports = cluster.nodes.map(({ port }) => port);
  for (const port of ports) assert(link.includes(`:${port}`), link);
  const invite = cluster.everywhere();
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("one");
  await ana.shows("said", { text: "one" });
  for (const at of [0, 1]) {
    await cluster.node(at).kill();
    await ana.type(`after ${at}`);
    await ana.shows("said", { text: `after ${at}` });
    await cluster.node(at).start();
  }
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ben.type("hello");
  const { seq = 0 } = await ana.shows("said", { text: "hello" });
  const log = parseLog(await cluster.agreedLog(seq));
  assertFollows(ana, log);
  assertSaid(log, "ana", ["one", "after 0", "after 1"]);
});

Deno.test("a server starts only where NATS can be reached, and says so in one sentence", async () => {
  await using cluster = await Cluster.make();
  await cluster.nats.kill();
  const node = await cluster.add();
  const server = await node.launch();
  assertEquals(await server.finished(), 1);
  const said = server.stderr.filter((line) => line !== "");
  assert(said.length > 0 && said.length <= 2, server.transcript);
  assertMatch(said[0] ?? "", /NATS/);
  assert(!server.transcript.includes("    at "), server.transcript);
});
