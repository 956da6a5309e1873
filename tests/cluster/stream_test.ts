/**
 * A room's stream that is emptied, restored, deleted, or written into by somebody else, and what it shows to whoever
 * runs NATS.
 *
 * @module
 */

import { concat } from "../../crypto_utils.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { flipped } from "../kit/bytes.ts";
import { Cluster } from "../kit/cluster.ts";
import { Crowd, type Roamer } from "../kit/crowd.ts";
import { NatsIntruder } from "../kit/nats_intruder.ts";
import { parseLog } from "../kit/server.ts";

/** Lines that each says before something happens, and after it. */
const LINES = 50;

/** What a server says when the stream goes on after lines that it has no more. */
const BEGINS_ANEW = /stream begins anew with entry \d+, after event [1-9]/;

/** Two servers with two members each, who have talked; something happens to the stream; they go on. */
async function scene(
  happens: (scene: {
    readonly cluster: Cluster;
    readonly crowd: Crowd;
    readonly members: readonly Roamer[];
  }) => Promise<void>,
): Promise<void> {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(2);
  await talk(members);
  await crowd.settled();
  await happens({ cluster, crowd, members });
  await talk(members);
  await crowd.check();
}

async function talk(members: readonly Roamer[]): Promise<void> {
  await Promise.all(members.map((member) => member.talk(LINES)));
}

/** What servers have said on standard error besides what a quiet server says. */
function complaints({ nodes }: Cluster): string[] {
  return nodes.flatMap(({ server }) =>
    server.stderr.filter((line) => !line.includes(" info "))
  );
}

/** Waits until each server has said something that fits. */
async function eachSays({ nodes }: Cluster, pattern: RegExp): Promise<void> {
  await Promise.all(nodes.map(({ server }) => server.line(pattern)));
}

Deno.test("room goes on when nats-server comes back with an empty store, and the servers say so", async () => {
  await scene(async ({ cluster, crowd }) => {
    await cluster.nats.restart({ empty: true });
    await eachSays(cluster, BEGINS_ANEW);
    await crowd.settled();
  });
});

Deno.test("room goes on when somebody deletes its stream while members talk", async () => {
  await scene(async ({ cluster, crowd }) => {
    await using intruder = await NatsIntruder.connect(cluster.nats.url);
    await crowd.storm(() => intruder.delete());
  });
});

Deno.test("room goes on when somebody empties its stream while members talk", async () => {
  await scene(async ({ cluster, crowd }) => {
    await using intruder = await NatsIntruder.connect(cluster.nats.url);
    await crowd.storm(() => intruder.purge());
  });
});

Deno.test("server that was away while the stream was emptied gets what it lacks from another", async () => {
  await scene(async ({ cluster, crowd, members }) => {
    await using intruder = await NatsIntruder.connect(cluster.nats.url);
    await cluster.node(1).kill();
    await crowd.until("all have moved", () => members.every(isAt(0)));
    await talk(members);
    await crowd.settled();
    await intruder.purge();
    await talk(members);
    await crowd.settled();
    await cluster.node(1).start();
  });
});

Deno.test("all servers start again after the stream was deleted while they were down", async () => {
  await scene(async ({ cluster, crowd }) => {
    await using intruder = await NatsIntruder.connect(cluster.nats.url);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await intruder.delete();
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await crowd.settled();
  });
});

function isAt(server: number) {
  return ({ inside, at }: Roamer) => inside && at === server;
}

Deno.test("stream that was restored from an older copy is recognised, said, and costs no line", async () => {
  await scene(async ({ cluster, crowd, members }) => {
    const { nats, folder } = cluster;
    const [store, copy] = [folder.file("nats/store"), folder.file("copy")];
    await nats.kill();
    await copyFolder(store, copy);
    await nats.run();
    await talk(members);
    await crowd.settled();
    await nats.kill();
    await Deno.remove(store, { recursive: true });
    await Deno.rename(copy, store);
    await nats.run();
    await eachSays(cluster, BEGINS_ANEW);
    await crowd.settled();
  });
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (isDirectory) await copyFolder(source, target);
    else await Deno.copyFile(source, target);
  }
}

Deno.test("forged, altered, repeated and foreign entries are reported and skipped, and disturb nobody", async () => {
  await using other = await Cluster.open(1);
  await using stranger = new Crowd(other);
  const [eve] = await stranger.gather(1);
  assert(eve);
  await eve.talk(1);
  await stranger.settled();
  await using there = await NatsIntruder.connect(other.nats.url);
  const foreign = await there.entries();
  await scene(async ({ cluster, crowd, members }) => {
    await using intruder = await NatsIntruder.connect(cluster.nats.url);
    const entries = await intruder.entries();
    const before = members.map(({ last }) => last);
    for (const entry of entries) {
      await intruder.publish(entry); // without its id, so that NATS takes it again
      await intruder.publish(flipped(entry, entry.length >> 1));
      await intruder.publish(flipped(entry, entry.length - 1));
      await intruder.publish(flipped(entry, 3));
    }
    for (const entry of foreign) await intruder.publish(entry);
    const [entry] = entries;
    assert(entry);
    await intruder.publish(new Uint8Array());
    await intruder.publish(new Uint8Array(1_000));
    await intruder.publish(entry.subarray(0, 20));
    await intruder.publish(concat(entry, entry));
    await eachSays(cluster, /Entry \d+ of the stream is skipped/);
    assertEquals(members.map(({ last }) => last), before);
    await crowd.settled();
    assertEquals(members.flatMap(({ losses }) => losses), []);
    const said = complaints(cluster).length;
    assert(
      said < entries.length,
      `${said} complaints: one for each of a flood`,
    );
  });
});

Deno.test("servers pass over messages of others on the room's subjects", async () => {
  await scene(async ({ cluster, crowd }) => {
    await using intruder = await NatsIntruder.connect(cluster.nats.url);
    const heard: { subject: string; data: Uint8Array }[] = [];
    const listening = intruder.connection.subscribe(">");
    (async () => {
      for await (const { subject, data } of listening) {
        heard.push({ subject, data });
      }
    })();
    await crowd.storm(async () => {
      await crowd.until("messages", () => heard.length > 20);
    });
    listening.unsubscribe();
    const own = heard.filter(({ subject }) => !/^(\$|_INBOX)/.test(subject));
    assert(own.length > 0, "servers tell each other nothing");
    for (const { subject, data } of own) {
      const bytes = new Uint8Array(data);
      intruder.connection.publish(subject, bytes);
      intruder.connection.publish(subject, flipped(bytes, bytes.length >> 1));
      intruder.connection.publish(subject, new Uint8Array());
    }
    await intruder.connection.flush();
  });
});

Deno.test("NATS stores and passes no readable word, name or key of a room", async () => {
  await using cluster = await Cluster.open(2);
  await using intruder = await NatsIntruder.connect(cluster.nats.url);
  const heard: Uint8Array[] = [];
  const subjects: string[] = [];
  const listening = intruder.connection.subscribe(">");
  const listens = (async () => {
    for await (const { subject, data } of listening) {
      heard.push(data);
      subjects.push(subject);
    }
  })();
  await intruder.connection.flush();
  await using crowd = new Crowd(cluster);
  const [ana, ben] = await Promise.all([
    crowd.join({ name: "Anastasia", at: 0 }),
    crowd.join({ name: "Benedikt", at: 1 }),
  ]);
  assert(ana && ben);
  await ana.session.say("a word that nobody else reads");
  await ben.session.write("Anastasia", "another that is private");
  await crowd.until("said", () => ben.last === 3 && ana.last === 3);
  const entries = await intruder.entries();
  listening.unsubscribe();
  await listens;
  assert(entries.length > 0 && heard.length > 0);
  const decoder = new TextDecoder("latin1");
  const texts = [...entries, ...heard].map((bytes) => decoder.decode(bytes));
  const { folder } = cluster.node(0);
  const key = JSON.parse(await Deno.readTextFile(folder.file("chat.key")));
  const secrets = Object.values(key).filter((it): it is string =>
    typeof it === "string" && it.length > 20
  );
  const words = ["Anastasia", "Benedikt", "nobody else", "private", "joined"];
  assert(secrets.length > 0);
  for (const word of [...words, ...secrets]) {
    for (const text of [...texts, ...subjects]) {
      assert(!text.includes(word), `NATS sees "${word}"`);
      assert(!text.includes(btoa(word).slice(0, -4)), `NATS sees "${word}"`);
    }
  }
  const log = parseLog(await cluster.agreedLog(3));
  assertEquals(log.length, 3);
});
