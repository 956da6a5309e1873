/**
 * What passes between members of different servers of a room: private messages, files, and a sealed room's keys.
 *
 * @module
 */

import { shortId } from "../../src/crypto/person_id.ts";
import { readControlFile } from "../../src/server/sealed/control_file.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Cluster } from "../kit/cluster.ts";
import { ask, contents, reaches } from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { parseLog } from "../kit/server.ts";
import { anotherMachine } from "../kit/people.ts";

/** What a client was shown of private messages, in order. */
function privates(client: JsonClient): string[] {
  return client.all("private").map(({ name, text }) => `${name}: ${text}`);
}

async function write(client: JsonClient, to: string, text: string) {
  await ask(client, { type: "private", to, text });
}

Deno.test("private messages reach members of other servers once and in order, and their machines at every server", async () => {
  await using cluster = await Cluster.open(2);
  await using home = await Folder.make();
  await using ana = await JsonClient.join({
    invite: cluster.invite(0),
    name: "ana",
  });
  const first = { invite: cluster.invite(1), name: "ben", home: home.path };
  {
    // The name stands in the identity's file when the program has ended.
    await using ben = await JsonClient.join(first);
    await ben.endInput();
    assertEquals(await ben.finished(), 0);
  }
  await using ben = await JsonClient.join(first);
  await using other = await anotherMachine(home);
  await using benAgain = await JsonClient.join({
    invite: cluster.invite(0),
    name: "ben",
    home: other.path,
  });
  await ana.shows("joined", { name: "ben" });
  const texts = Array.from({ length: 20 }, (_, at) => `hush ${at}`);
  for (const text of texts) await write(ana, "ben", text);
  for (const client of [ben, benAgain]) {
    await client.shows("private", { text: "hush 19" });
    assertEquals(privates(client), texts.map((text) => `ana: ${text}`));
  }
  await ana.until(
    "all delivered",
    () =>
      ana.all("private").filter(({ state }) => state === "delivered").length ===
        texts.length || undefined,
  );
  await write(ben, "ana", "heard");
  await ana.shows("private", { name: "ben", text: "heard" });
  await benAgain.shows("private", { name: "ben", text: "heard" });
});

Deno.test("private message that waits is given once, at whichever server its recipient comes back", async () => {
  await using cluster = await Cluster.open(2);
  await using home = await Folder.make();
  const ben = { name: "ben", home: home.path };
  await using ana = await JsonClient.join({
    invite: cluster.invite(0),
    name: "ana",
  });
  const visit = async (at: number, last: string) => {
    await using client = await JsonClient.join({
      ...ben,
      invite: cluster.invite(at),
    });
    await write(ana, "ben", last);
    await client.shows("private", { text: last });
    await client.endInput();
    assertEquals(await client.finished(), 0);
    return privates(client);
  };
  const leaves = (times: number) =>
    ana.until(
      "ben left",
      () => ana.all("left").length === times || undefined,
    );
  assertEquals(await visit(0, "one"), ["ana: one"]);
  await leaves(1);
  await write(ana, "ben", "waiting");
  await ana.shows("private", { text: "waiting", state: "waiting" });
  assertEquals(await visit(1, "two"), ["ana: waiting", "ana: two"]);
  await leaves(2);
  assertEquals(await visit(0, "three"), ["ana: three"]);
});

for (const size of [100_000, 5_000_000]) {
  Deno.test(`a file of ${size} bytes passes from a member of one server to one of another`, async () => {
    await using cluster = await Cluster.open(2);
    await using folder = await Folder.make();
    const path = folder.file("hut.jpg");
    const bytes = contents(size);
    await Deno.writeFile(path, bytes);
    await using ana = await JsonClient.join({
      invite: cluster.invite(0),
      name: "ana",
    });
    await using ben = await JsonClient.join({
      invite: cluster.invite(1),
      name: "ben",
      args: ["--downloads", folder.file("taken")],
    });
    await ask(ana, { type: "send", path });
    const { seq: offer } = await ben.shows("offered", { name: "ana" });
    await ask(ben, { type: "get", offer });
    const { path: taken = "" } = await reaches(ben, "taken");
    assertEquals(await Deno.readFile(taken), bytes);
    await ana.shows("taken", { name: "ben" });
  });
}

Deno.test("sealed room is founded at one server and joined at another, and who is removed gets no key at any", async () => {
  await using cluster = await Cluster.open(2, { args: ["--sealed"] });
  await using ana = await JsonClient.join({
    invite: cluster.invite(0),
    name: "ana",
    args: ["--found"],
  });
  const { link = "" } = await ana.shows("invite");
  const [here, there] = [0, 1].map((at) => cluster.to(at, link));
  assert(here && there);
  await cluster.know(link);
  await using ben = await JsonClient.join({ invite: there, name: "ben" });
  await using eve = await JsonClient.join({ invite: there, name: "eve" });
  await using kim = await JsonClient.join({ invite: here, name: "kim" });
  await ana.shows("joined", { name: "kim" });
  const all = [ana, ben, eve, kim];
  for (const client of all) {
    const text = `from ${client.entrances[0]?.name}`;
    await client.type(text);
    await Promise.all(all.map((each) => each.shows("said", { text })));
  }
  await ask(ana, { type: "kick", name: "eve" });
  assertEquals(await eve.finished(), 1);
  await ana.shows("left", { name: "eve" });
  const left = [ana, ben, kim];
  for (const [at, client] of left.entries()) {
    const text = `secret ${at}`;
    await client.type(text);
    await Promise.all(left.map((each) => each.shows("said", { text })));
  }
  for (const client of left) {
    assertEquals(client.all("warning"), []);
    assertEquals(client.all("sealed"), []);
    assertEquals(client.all("history-differs"), []);
  }
  const [first] = left;
  const last = first?.shown.findLast(({ seq }) => seq !== undefined)?.seq ?? 0;
  const log = await cluster.agreedLog(last);
  assert(parseLog(log).length >= last);
  assert(!log.includes("secret"));
  const controls = await Promise.all(
    cluster.nodes.map(({ folder }) =>
      Deno.readTextFile(folder.file("chat.control"))
    ),
  );
  assert(controls[0] !== "");
  assertEquals(controls[0], controls[1]);
  const { folder } = cluster.node(0);
  const kept = await readControlFile(folder.file("chat.control")) ?? [];
  const wraps = kept.flatMap((it) => it.kind === "wrap" ? [it.wrap] : []);
  const latest = Math.max(...wraps.map(({ e }) => e));
  const holders = wraps.filter(({ e }) => e === latest)
    .map(({ to }) => shortId(to));
  for (const [client, isIn] of [[ben, true], [eve, false]] as const) {
    assertEquals(holders.includes(client.entrances[0]?.key ?? ""), isIn);
  }
});
