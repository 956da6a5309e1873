/**
 * What owners do to the servers of a room: stopping one after the other, putting back what was saved, deleting files,
 * running another room on the same NATS, and a disk that is full.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Cluster, type Node } from "../kit/cluster.ts";
import { Crowd } from "../kit/crowd.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { parseLog } from "../kit/server.ts";
import { limit, testUnless, unlimitable } from "../kit/system.ts";
import { Talker } from "../kit/talker.ts";
import { ask } from "../kit/file_company.ts";

/** Lines that each says. */
const LINES = 100;

Deno.test("servers that are stopped and started one after the other lose nothing, and nobody is said to leave", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  await crowd.gather(3);
  await crowd.storm(async () => {
    for (const node of cluster.nodes) {
      await node.end();
      await node.start();
      await crowd.until(
        "all are back",
        () => crowd.members.every(({ inside }) => inside),
      );
    }
  });
  const log = parseLog(await crowd.check());
  const comings = log.filter(({ what }) =>
    what === "joined" || what === "left"
  );
  assertEquals(comings.map(({ what }) => what), Array(6).fill("joined"));
});

/** A server is stopped, its files are changed, lines are said meanwhile, and it is started again. */
async function changed(
  change: (node: Node, early: string) => Promise<void>,
): Promise<void> {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(2);
  const talk = async () => {
    await Promise.all(members.map((member) => member.talk(LINES)));
    await crowd.settled();
  };
  await talk();
  const node = cluster.node(1);
  const early = await node.log();
  await talk();
  await node.end();
  await talk();
  await change(node, early);
  await node.start();
  await talk();
  await crowd.check();
}

Deno.test("server whose older log was put back has all lines again", async () => {
  await changed(async ({ folder }, early) => {
    await Deno.writeTextFile(folder.file("chat.log"), early);
    await Deno.remove(folder.file("chat.log.chain")).catch(() => {});
  });
});

Deno.test("server whose chat.cluster was deleted goes on in the room", async () => {
  await changed(({ folder }) => Deno.remove(folder.file("chat.cluster")));
});

Deno.test("server that has nothing left but its key has all lines again", async () => {
  await changed(async ({ folder }) => {
    for (const name of await folder.names()) {
      if (name !== "chat.key") {
        await Deno.remove(folder.file(name), { recursive: true });
      }
    }
  });
});

Deno.test("two rooms share a nats-server, and neither hears of the other", async () => {
  await using first = await Cluster.open(2);
  await using second = await Cluster.open(2, { url: first.nats.url });
  await using one = new Crowd(first);
  await using other = new Crowd(second);
  const members = [...await one.gather(2), ...await other.gather(2)];
  await Promise.all(members.map((member) => member.talk(LINES)));
  const logs = [await one.check(), await other.check()];
  for (const log of logs) assertEquals(parseLog(log).length, 4 + 4 * LINES);
  for (const { server } of [...first.nodes, ...second.nodes]) {
    assertEquals(server.stderr.filter((it) => it.includes("skipped")), []);
  }
});

Deno.test("long texts in any script pass between servers, many at a time", async () => {
  await using cluster = await Cluster.open(2);
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(2);
  const texts = ['"\\'.repeat(2_000), "ह".repeat(1_300), "🍵".repeat(1_000)];
  await Promise.all(members.map(async (member) => {
    for (const text of texts) await member.talk(LINES, ` ${text}`);
  }));
  await crowd.check();
});

testUnless(
  unlimitable,
  "server whose disk is full goes on when it has place again, and the others don't wait for it",
  async () => {
    // Without the trap the system would end the process.
    const prefix = ["bash", "-c", 'trap "" XFSZ; exec "$@"', "bash"];
    await using cluster = await Cluster.open(2, { special: { 1: { prefix } } });
    await using ana = await JsonClient.join({
      invite: cluster.invite(0),
      name: "ana",
    });
    await using ben = await JsonClient.join({
      invite: cluster.invite(1),
      name: "ben",
    });
    await ana.shows("joined", { name: "ben" });
    const { server } = cluster.node(1);
    await limit(server.pid, "fsize", 1);
    const texts = Array.from({ length: LINES }, (_, at) => `line ${at}`);
    await ana.type(...texts);
    await ana.shows("said", { text: `line ${LINES - 1}` });
    await server.line(/error room: /);
    assertEquals(ben.texts.length < LINES, true);
    await limit(server.pid, "fsize", "unlimited");
    await ben.shows("said", { text: `line ${LINES - 1}` });
    await ben.type("here again");
    const { seq = 0 } = await ana.shows("said", { text: "here again" });
    const log = parseLog(await cluster.agreedLog(seq));
    assertSaid(log, "ana", texts);
    for (const client of [ana, ben]) assertFollows(client, log);
  },
);

Deno.test("in a sealed room, members of a server that is killed go to another, and nothing is lost, doubled or unreadable", async () => {
  await using cluster = await Cluster.open(2, { args: ["--sealed"] });
  await using ana = await JsonClient.join({
    invite: cluster.everywhere(),
    name: "ana",
    args: ["--found"],
  });
  const { link = "" } = await ana.shows("invite");
  await cluster.know(link);
  const invite = cluster.everywhere(link);
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using kim = await JsonClient.join({ invite, name: "kim" });
  await ana.shows("joined", { name: "kim" });
  const clients = [ana, ben, kim];
  const talkers = clients.map((client) =>
    new Talker(client.entrances[0]?.name ?? "", client)
  );
  for (const node of cluster.nodes) {
    for (const talker of talkers) talker.stopped = false;
    const before = ben.texts.length;
    const talking = talkers.map((talker) => talker.talk());
    await ben.showsTexts(before + LINES);
    await node.kill();
    for (const talker of talkers) talker.stopped = true;
    await Promise.all(talking);
    await node.start();
    const typed = talkers.reduce((sum, it) => sum + it.typed.length, 0);
    await Promise.all(clients.map((client) => client.showsTexts(typed)));
  }
  await ask(ana, { type: "kick", name: "kim" });
  assertEquals(await kim.finished(), 1);
  await ben.type("the end");
  const { seq = 0 } = await ana.shows("said", { text: "the end" });
  const log = parseLog(await cluster.agreedLog(seq));
  assert(log.length >= seq);
  for (const client of [ana, ben]) {
    for (const type of ["warning", "history-differs", "sealed"]) {
      assertEquals(client.all(type), []);
    }
    assertEquals(client.texts, ana.texts);
  }
  for (const { name, typed } of talkers) {
    const said = ana.all("said").filter((it) => it.name === name);
    const texts = said.map(({ text = "" }) => text);
    assertEquals(texts.filter((it) => it !== "the end"), typed);
  }
});
