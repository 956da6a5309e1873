/**
 * A storm on a room of several servers: members talk while servers, NATS and the ways between them fail, one after the
 * other, at random.
 *
 * @module
 */

import { Mailbox } from "../../../src/server/mailbox.ts";
import { People } from "../../../src/server/people/people.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { Cluster } from "../../kit/cluster.ts";
import { Crowd } from "../../kit/crowd.ts";
import { NatsIntruder } from "../../kit/nats_intruder.ts";
import { parseLog } from "../../kit/server.ts";
import { Visitors } from "./visitors.ts";

/** What can fail. */
export const FAULTS = [
  "kill server",
  "kill nats",
  "kill both",
  "kill all",
  "stop server",
  "stop nats",
  "cut off",
  "cut off briefly",
  "empty store",
  "purge stream",
  "delete stream",
  "restart in turn",
] as const;

/** A way to fail. */
export type Fault = typeof FAULTS[number];

/** How it is done. */
export interface StormOptions {
  readonly servers: number;
  /** Members of each server. */
  readonly senders: number;
  /** Persons who come and go meanwhile. */
  readonly visitors: number;
  /** Lines that each says besides those during the faults. */
  readonly lines: number;
  /** What fails, in this order. */
  readonly faults: readonly Fault[];
  /** How long what is stopped, or cut off, is that, s. */
  readonly stop: number;
  /** Is told how far it is. */
  readonly watch: (report: string) => void;
}

/** What came of it: it throws where anything is wrong. */
export interface StormReport {
  /** Lines of the log, of them what was typed, and how often all together were shown one. */
  readonly lines: number;
  readonly typed: number;
  readonly deliveries: number;
  /** How often a member lost its server. */
  readonly losses: number;
  /** How often a visitor has come. */
  readonly visits: number;
}

/** When its programs are ended at the latest, ms: longer than any storm. */
const LIFETIME = 3_600_000;

/** Runs one. */
export async function clusterStorm(
  { servers, senders, visitors: some, lines, faults, stop, watch }:
    StormOptions,
): Promise<StormReport> {
  await using cluster = await Cluster.open(servers, { deadline: LIFETIME });
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(senders);
  const visitors = new Visitors(crowd, some);
  for (const [at, fault] of faults.entries()) {
    const start = performance.now();
    await crowd.storm(() => happen(fault, cluster, stop * 1_000));
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    watch(`${at + 1}: ${fault}, ${seconds} s, ${crowd.last} lines`);
  }
  await visitors.stop();
  await Promise.all(members.map((member) => member.talk(lines)));
  const log = await crowd.check();
  await assertSamePeople(cluster);
  const sum = (of: (member: typeof members[number]) => number) =>
    members.reduce((total, member) => total + of(member), 0);
  return {
    lines: parseLog(log).length,
    typed: sum(({ typed }) => typed.length),
    deliveries: crowd.ledger.deliveries,
    visits: visitors.visits,
    losses: sum(({ losses }) => losses.length),
  };
}

/** Fails unless all servers know the same of people, and of what waits for them. */
async function assertSamePeople({ nodes }: Cluster): Promise<void> {
  const known = await Promise.all(nodes.map(async ({ folder }) => {
    const [people, waiting] = [folder.file("copied"), folder.file("copy")];
    await Deno.copyFile(folder.file("chat.people"), people);
    await Deno.copyFile(folder.file("chat.waiting"), waiting);
    using mailbox = Mailbox.open(waiting);
    return [...People.open(people).state(), ...mailbox.state()]
      .map((it) => JSON.stringify(it)).toSorted();
  }));
  for (const other of known) assertEquals(other, known[0]);
}

async function happen(
  fault: Fault,
  cluster: Cluster,
  time: number,
): Promise<void> {
  const { nats, nodes } = cluster;
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  assert(node);
  switch (fault) {
    case "kill server":
      await node.kill();
      return await node.start();
    case "kill nats":
      return await nats.restart();
    case "kill both":
      await Promise.all([node.kill(), nats.kill()]);
      await nats.run();
      return await node.start();
    case "kill all":
      await Promise.all([...nodes.map((it) => it.kill()), nats.kill()]);
      await nats.run();
      await Promise.all(nodes.map((it) => it.start()));
      return;
    case "stop server":
      node.server.kill("SIGSTOP");
      await pass(time);
      return node.server.kill("SIGCONT");
    case "stop nats":
      nats.stop();
      await pass(time);
      return nats.cont();
    case "cut off":
      node.passage.hold();
      await pass(time);
      return node.passage.mend();
    case "cut off briefly":
      node.passage.refuse();
      await pass(500);
      return node.passage.mend();
    case "empty store":
      return await nats.restart({ empty: true });
    case "purge stream":
    case "delete stream": {
      await using intruder = await NatsIntruder.connect(nats.url);
      if (fault === "purge stream") return await intruder.purge();
      return await intruder.delete();
    }
    case "restart in turn":
      for (const it of nodes) {
        await it.end();
        await it.start();
      }
  }
}

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
