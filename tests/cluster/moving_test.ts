/**
 * Private messages and files whose servers are killed in the middle, one after the other: members go to another one, and
 * what they were about goes on there.
 *
 * @module
 */

import type { Letter } from "../../src/server/letters.ts";
import { Mailbox } from "../../src/server/mailbox.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Cluster, type Node } from "../kit/cluster.ts";
import {
  ask,
  contents,
  HeldFiles,
  LARGE,
  LARGE_ENOUGH,
  reaches,
} from "../kit/file_company.ts";
import { Folder } from "../kit/folder.ts";
import { FAST_TIMERS } from "../kit/program.ts";

/** Kills a server and starts it again, and then the other: whoever is in moves at least once. */
async function killInTurn({ nodes }: Cluster): Promise<void> {
  for (const node of nodes) {
    await node.kill();
    await node.start();
  }
}

/** What a server keeps. */
async function lettersOf({ folder }: Node): Promise<Letter[]> {
  const copy = folder.file("copy.waiting");
  await Deno.copyFile(folder.file("chat.waiting"), copy);
  using mailbox = Mailbox.open(copy);
  return mailbox.state().filter((it) => it.kind === "letter");
}

Deno.test("private messages come once each where servers are killed in the middle, and all servers keep the same", async () => {
  await using cluster = await Cluster.open(2);
  const invite = cluster.everywhere();
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.shows("joined", { name: "ben" });
  const texts: string[] = [];
  const write = async (text: string) => {
    texts.push(text);
    await ask(ana, { type: "private", to: "ben", text });
  };
  const killing = killInTurn(cluster);
  let isOver = false;
  killing.finally(() => isOver = true).catch(() => {}); // awaited below
  for (let n = 0; !isOver || n < 20; n++) {
    await write(`hush ${n}`);
    await ana.until(
      `the answer to ${n}`,
      () => ana.all("private").length > n || undefined,
    );
  }
  await killing;
  await write("the last");
  await ben.shows("private", { text: "the last" });
  await ana.shows("private", { text: "the last" }); // its answer may come later
  const heard = ben.all("private").map(({ text }) => text);
  assertEquals(heard, texts);
  assertEquals(ana.all("private").map(({ text }) => text), texts);
  const { nodes } = cluster;
  const ids = (await Promise.all(nodes.map(lettersOf))).map((all) =>
    all.at(-1)?.id ?? 0
  );
  const last = Math.max(...ids); // which at least one of them has
  const hasLast = (text: string) => text.includes(`"id":${last},`);
  await Promise.all(nodes.map((it) => it.holds("chat.waiting", hasLast)));
  const [first = [], second] = await Promise.all(nodes.map(lettersOf));
  assert(first.length > 0);
  assertEquals(first, second);
});

Deno.test("file goes on where it was when its holder's or its taker's server is killed", async () => {
  await using cluster = await Cluster.open(2);
  await using folder = await Folder.make();
  const invite = cluster.everywhere();
  const path = folder.file("hut.jpg");
  const bytes = contents(LARGE);
  await Deno.writeFile(path, bytes);
  await using held = await HeldFiles.make();
  await using ana = await JsonClient.join({
    ...held.options,
    invite,
    name: "ana",
  });
  await using ben = await JsonClient.join({
    invite,
    name: "ben",
    args: ["--downloads", folder.file("taken")],
    runtime: FAST_TIMERS, // it asks again soon
  });
  await ask(ana, { type: "send", path });
  const { seq: offer } = await ben.shows("offered", { name: "ana" });
  await held.hold();
  await ask(ben, { type: "get", offer });
  await reaches(ben, "taking", LARGE_ENOUGH);
  await killInTurn(cluster);
  await held.release();
  const { path: taken = "" } = await reaches(ben, "taken");
  assertEquals(await Deno.readFile(taken), bytes);
  await ana.shows("taken", { name: "ben" });
});
