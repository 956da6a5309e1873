/**
 * The demonstration of a room on several servers: nats-server, three real servers with one key, and a member at each.
 * They talk, one server is killed while all of them say many lines, and everything is counted in the end.
 *
 * @module
 */

import { complain, print } from "../src/base/output.ts";
import { assert, assertEquals } from "../tests/kit/assert.ts";
import { JsonClient } from "../tests/kit/client.ts";
import { Cluster } from "../tests/kit/cluster.ts";
import { Folder } from "../tests/kit/folder.ts";
import { NatsServer, NoNatsError } from "../tests/kit/nats.ts";
import { exitCode } from "./run_tool.ts";
import { heading, rows } from "./show.ts";

/** Who talks, each at a server of its own. */
const NAMES = ["Priyanka", "Abhii", "Meera"] as const;
/** What is said first, by whom. */
const CONVERSATION = [
  [0, "Abhii, Meera, which server are you at?"],
  [1, "another one than you, and we read the same"],
  [2, "तीन सर्वर, एक कमरा: three servers, one room"],
] as const;
/** How many lines each says while a server is killed, and after how many of all of them that is. */
const LINES = 2_000;
const KILLED_AFTER = 1_500;
/** Whose server is killed, by the place in `NAMES`. */
const MOVED = 1;

/** Somebody who talks. */
interface Person {
  readonly name: string;
  readonly client: JsonClient;
}

/** What a person was shown of the numbered lines. */
interface Tally {
  readonly lost: number;
  readonly twice: number;
  /** Of each sender's, by their numbers. */
  readonly outOfOrder: number;
}

/** The number of the server where somebody is, from 0 on. */
function serverOf({ client }: Person, { nodes }: Cluster): number {
  const port = client.entrances.at(-1)?.server?.split(":").at(-1);
  return nodes.findIndex((node) => `${node.port}` === port);
}

/**
 * Lets somebody in, by a link that names all servers. A client takes any of them, so that a room's members spread: here
 * each comes again until it has a server of its own.
 */
async function enter(
  name: string,
  cluster: Cluster,
  others: readonly Person[],
  stack: AsyncDisposableStack,
): Promise<Person> {
  const home = stack.use(await Folder.make()).path;
  const taken = others.map((other) => serverOf(other, cluster));
  const invite = cluster.everywhere();
  for (;;) {
    const client = await JsonClient.join({ invite, name, home });
    const person = { name, client };
    if (!taken.includes(serverOf(person, cluster))) {
      stack.use(client);
      return person;
    }
    await client.endInput();
    await client.finished();
    await client[Symbol.asyncDispose]();
  }
}

/** Has one say something, and shows when the others read it. */
async function say(
  from: Person,
  others: readonly Person[],
  text: string,
): Promise<void> {
  const start = performance.now();
  await from.client.type(text);
  print(`${from.name} types`.padEnd(17) + `${text}\n`);
  for (const { name, client } of others) {
    const said = await client.shows("said", { name: from.name, text });
    const time = (performance.now() - start).toFixed(0);
    print(`  ${name} reads`.padEnd(17) + `${said.text} (${time} ms)\n`);
  }
}

/** Everybody says many lines, and a server is killed meanwhile. @returns Its number. */
async function storm(
  cluster: Cluster,
  people: readonly Person[],
): Promise<number> {
  const [first] = people;
  const moved = people[MOVED];
  assert(first && moved);
  const before = first.client.texts.length;
  const typing = people.map(({ name, client }) =>
    client.type(...Array.from({ length: LINES }, (_, n) => line(name, n)))
  );
  await first.client.showsTexts(before + KILLED_AFTER);
  const victim = serverOf(moved, cluster);
  await cluster.node(victim).kill();
  const killed = performance.now();
  const shown = first.client.texts.length - before;
  print(
    `kill -9 of server ${victim + 1}, when ${first.name} had read ${shown} of ${
      LINES * people.length
    } lines\n`,
  );
  await moved.client.isIn(2);
  const away = ((performance.now() - killed) / 1_000).toFixed(1);
  print(
    `${moved.name} came back by itself, to server ${
      serverOf(moved, cluster) + 1
    }, after ${away} s\n\n`,
  );
  await Promise.all(typing);
  const all = before + LINES * people.length;
  await Promise.all(people.map(({ client }) => client.showsTexts(all)));
  return victim;
}

function line(name: string, n: number): string {
  return `${name} line ${n}`;
}

/** Compares what was shown with what was said. */
function tally(texts: readonly string[]): Tally {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const sum = { lost: 0, twice: 0, outOfOrder: 0 };
  for (const name of NAMES) {
    const said = Array.from({ length: LINES }, (_, n) => line(name, n));
    const numbers = texts.filter((it) => it.startsWith(`${name} line `))
      .map((it) => Number(it.split(" ").at(-1)));
    sum.lost += said.filter((it) => !counts.has(it)).length;
    sum.twice += said.filter((it) => (counts.get(it) ?? 0) > 1).length;
    sum.outOfOrder += numbers.filter((it, at) => it < (numbers[at - 1] ?? 0))
      .length;
  }
  return sum;
}

/** Counts what everybody was shown, and compares it, and the logs. */
async function count(
  cluster: Cluster,
  people: readonly Person[],
  victim: number,
): Promise<void> {
  for (const { name, client } of people) {
    const { lost, twice, outOfOrder } = tally(client.texts);
    print(
      `${name} read`.padEnd(17) + `${LINES * people.length} lines: ` +
        `${lost} lost, ${twice} twice, ${outOfOrder} out of order\n`,
    );
    assertEquals([lost, twice, outOfOrder], [0, 0, 0]);
  }
  const [first, ...others] = people;
  for (const { client } of others) {
    assertEquals(client.texts, first?.client.texts);
  }
  print("All three read the same in the same order.\n\n");
  const said = first?.client.all("said").at(-1)?.seq;
  assert(said !== undefined);
  await cluster.node(victim).start();
  const log = await cluster.agreedLog(said);
  const lines = log.split("\n").length - 1;
  print(
    rows(
      `Server ${
        victim + 1
      } was started again, and first took what it lacked. ` +
        `chat.log of all three servers: the same ${lines} lines, byte for byte.`,
    ),
  );
}

/** A nats-server; undefined where there is none, and that is said. */
async function startNats({ path }: Folder): Promise<NatsServer | undefined> {
  try {
    return await NatsServer.start(path);
  } catch (error) {
    if (!(error instanceof NoNatsError)) throw error;
    complain(`${error.message}. Debian: apt install nats-server\n`);
    return undefined;
  }
}

/** @returns The exit code. */
async function demonstrate(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const nats = await startNats(folder);
  if (!nats) return 1;
  stack.use(nats);
  const [, version] = /(\d\S*)$/.exec(await nats.line(/Version:/)) ?? [];
  const cluster = stack.use(await Cluster.open(3, { url: nats.url }));
  const people: Person[] = [];
  for (const name of NAMES) {
    people.push(await enter(name, cluster, people, stack));
  }

  print(heading(`one room: nats-server ${version}, and three servers`));
  for (const person of people) {
    print(
      `${person.name} is at`.padEnd(17) +
        `server ${serverOf(person, cluster) + 1}\n`,
    );
  }
  print("\n");
  for (const [at, text] of CONVERSATION) {
    const [from, others] = [people[at], people.filter((_, to) => to !== at)];
    assert(from);
    await say(from, others, text);
  }
  print(`\n${heading(`each says ${LINES} lines, and a server is killed`)}`);
  const victim = await storm(cluster, people);
  print(heading("counted"));
  await count(cluster, people, victim);
  return 0;
}

if (import.meta.main) Deno.exit(await exitCode(demonstrate));
