/**
 * One room on several servers: everybody sees one order, all logs are the same, byte for byte.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Cluster, type ClusterOptions } from "../kit/cluster.ts";
import { Crowd } from "../kit/crowd.ts";
import { assertFollows } from "../kit/expect.ts";
import { OTHER_CLOCK, SLOW_DISK } from "../kit/program.ts";
import { parseLog } from "../kit/server.ts";

/** Lines of each sender. */
const LINES = 400;

/** Some members at each of so many servers talk all together. @returns The log, which all servers have. */
async function talk(
  servers: number,
  senders: number,
  options?: ClusterOptions,
): Promise<string> {
  await using cluster = await Cluster.open(servers, options);
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(senders);
  await Promise.all(members.map((member) => member.talk(LINES)));
  const log = await crowd.check();
  assertEquals(members.flatMap(({ losses }) => losses), []);
  return log;
}

Deno.test("lines of members of three servers come in one order, and all logs are the same", async () => {
  const log = parseLog(await talk(3, 2));
  assertEquals(log.filter(({ what }) => what === "said").length, 6 * LINES);
});

Deno.test("servers whose clocks differ by an hour log the same times", async () => {
  const clock = (text: string) => ({
    runtime: OTHER_CLOCK,
    files: { clock: text },
  });
  const special = { 0: clock("+1h"), 1: clock("-1h") };
  const log = parseLog(await talk(3, 2, { special }));
  const times = log.map(({ at }) => at);
  assertEquals(times, times.toSorted((a, b) => a - b));
});

Deno.test("a server with a slow disk loses no line and no member, and ends with the same log", async () => {
  const special = { 1: { runtime: SLOW_DISK, files: { disk: "20" } } };
  await talk(2, 2, { special });
});

Deno.test("everybody is listed once, newcomers are told what was said at another server, and changes reach all", async () => {
  await using cluster = await Cluster.open(2);
  await using ana = await JsonClient.join({
    invite: cluster.invite(0),
    name: "ana",
  });
  await using ben = await JsonClient.join({
    invite: cluster.invite(1),
    name: "ben",
  });
  await ana.shows("joined", { name: "ben" });
  await ana.type("good morning");
  const { seq: to = 0 } = await ben.shows("said", { text: "good morning" });
  await ben.type(JSON.stringify({ type: "reply", to, text: "to you too" }));
  const { seq: reply = 0 } = await ana.shows("replied", {
    text: "to you too",
    to,
  });
  await ana.type(JSON.stringify({ type: "react", to: reply, text: "👍" }));
  await ben.shows("reacted", { name: "ana", to: reply });
  await ana.type(JSON.stringify({ type: "edit", to, text: "good evening" }));
  await ben.shows("edited", { text: "good evening", to });

  await using eve = await JsonClient.join({
    invite: cluster.invite(1),
    name: "eve",
  });
  const past = await eve.shows("said", { past: true });
  assertEquals([past.name, past.seq], ["ana", to]);
  await ana.shows("joined", { name: "eve" });
  for (const client of [ana, ben, eve]) {
    await client.type(JSON.stringify({ type: "who" }));
    const { members = [] } = await client.shows("members");
    const names = members.map(({ name }) => name).toSorted();
    assertEquals(names, ["ana", "ben", "eve"]);
    assert(members.every(({ connections }) => connections === 1));
  }
  const last = ana.shown.findLast(({ seq }) => seq !== undefined)?.seq ?? 0;
  const log = parseLog(await cluster.agreedLog(last));
  for (const client of [ana, ben]) assertFollows(client, log);
  const digits = await Promise.all([ana, ben, eve].map(async (client) => {
    await client.type(JSON.stringify({ type: "agree", seq: last }));
    return (await client.shows("agreement")).digits;
  }));
  assertEquals(new Set(digits).size, 1);
});

Deno.test("a server that is added later with nothing but the key has all lines, and knows everybody", async () => {
  await using cluster = await Cluster.open(1);
  await using crowd = new Crowd(cluster);
  const [first] = await crowd.gather(3);
  assert(first);
  await first.talk(LINES);
  await crowd.settled();
  const node = await cluster.add();
  await node.start();
  const late = await crowd.join({ name: "late", at: 1 });
  await late.talk(LINES);
  await crowd.check();
  await using who = await JsonClient.join({
    invite: cluster.invite(1),
    name: "who",
  });
  await who.type(JSON.stringify({ type: "who" }));
  const { members = [] } = await who.shows("members");
  const names = members.map(({ name }) => name).toSorted();
  assertEquals(names, ["late", "s0m0", "s0m1", "s0m2", "who"]);
});
