/**
 * Real clients of a room with several addresses: one server behind several proxies, or beside addresses at which there
 * is nobody, or somebody who says nothing.
 *
 * @module
 */

import {
  addressesOf,
  formatInvite,
  parseInvite,
  placeAt,
} from "../../src/keys/invite.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { FAST_TIMERS } from "../kit/program.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { runServer, Server } from "../kit/server.ts";
import { Talker } from "../kit/talker.ts";

/** How many lines are seen before a connection is cut. */
const SEEN = 300;

/** The server's link, by other ports of this machine. */
function through(server: Server, ...ports: readonly [number, ...number[]]) {
  const { serverKey, id, secret } = parseInvite(server.invite);
  const [first, ...more] = ports.map((port) => ({ host: "127.0.0.1", port }));
  assert(first);
  return formatInvite({ ...placeAt(first, more), serverKey, id, secret });
}

const at = (port: number) => `127.0.0.1:${port}`;

Deno.test("client whose connection is cut while lines are typed goes on by the room's other address, each line once", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using one = new TcpProxy(server.port);
  await using other = new TcpProxy(server.port);
  const invite = through(server, one.port, other.port);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const talker = new Talker("ana", ana);
  const cuts = 3;
  for (let round = 1; round <= cuts; round++) {
    talker.stopped = false;
    const talking = talker.talk();
    await ben.showsTexts(ben.texts.length + SEEN);
    one.cut();
    other.cut();
    await ana.isIn(round + 1);
    talker.stopped = true;
    await talking;
  }
  await ana.type("the end");
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await ben.shows("said", { text: "the end" });

  const log = await server.log();
  assertSaid(log, "ana", [...talker.typed, "the end"]);
  assertFollows(ana, log);
  assertFollows(ben, log);
  const [first = "", ...places] = ana.entrances.map((it) => it.server ?? "");
  const both = [at(one.port), at(other.port)];
  assert(both.includes(first), first);
  const [second] = both.filter((it) => it !== first);
  assertEquals(places, [second, first, second]);
  const [loss] = ana.all("away");
  assertEquals([loss?.seconds, loss?.next], [0, second]);
});

Deno.test("client says in a line which address it goes to, and that it is back", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  const proxies = [new TcpProxy(server.port), new TcpProxy(server.port)];
  const [one, other] = proxies;
  assert(one && other);
  try {
    const invite = through(server, one.port, other.port);
    await using ana = await Client.plain({ invite, name: "ana" });
    await ben.shows("joined", { name: "ana" });
    await ben.type("hello");
    await ana.line(/ ben: hello$/); // who hasn't been in yet says nothing of a loss
    const isFirst = one.connections === 1;
    await (isFirst ? one : other)[Symbol.asyncDispose]();
    proxies.splice(isFirst ? 0 : 1, 1);
    const left = at((isFirst ? other : one).port);
    await ana.line(new RegExp(`^Back in ${left} as ana$`));
    await ana.endInput();
    assertEquals(await ana.finished(), 0);
    assertEquals(ana.stderr, [
      `Not connected: connection lost. Trying ${left}`,
      `Back in ${left} as ana`,
    ]);
  } finally {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
});

Deno.test("client comes by any address of a room that it knows, past those where nobody listens or nothing is said", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dead = freePort();
  const { port } = silent.addr;
  const invite = through(server, dead, port, server.port);
  const list = addressesOf(parseInvite(invite)).join(",");
  const common = { name: "ana", home: home.path, runtime: FAST_TIMERS };
  const ways = [
    [invite],
    [at(dead)],
    [at(port)],
    [at(server.port)],
    [list],
    [list.replaceAll(",", ", ")],
  ];
  for (const args of ways) {
    await using ana = await JsonClient.join({ ...common, args });
    const places = ana.entrances.map((it) => it.server);
    assertEquals(places, [at(server.port)], args[0]);
    await ana.endInput();
    assertEquals(await ana.finished(), 0);
  }
});

Deno.test("client that can't reach any of the room's addresses says so of each", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const [one, other] = [freePort(), freePort()];
  const invite = through(server, one, other);
  await using ana = await Client.plain({ invite, name: "ana" });
  assertEquals(await ana.finished(), 1);
  const [line = ""] = ana.stderr;
  for (const port of [one, other]) {
    assertStringIncludes(line, `${at(port)}: connection refused`);
  }
  assertMatch(line, /^Cannot join /);
});

Deno.test("links have the address that the server's owner gives, and those of the room's other servers", async () => {
  await using folder = await Folder.make();
  const args = ["--address", "Chat.Example:443"];
  await using server = await Server.open(folder, { args });
  const linkNow = async () => (await runServer(folder, ["--link"])).stdout[0];
  assertMatch(await linkNow() ?? "", /^chat:\/\/chat\.example:443\/#/);
  const keyFile = await KeyFile.load(folder.file("chat.key"));
  await keyFile?.setServers([
    { host: "chat.example", port: 443 },
    { host: "2001:db8::7", port: 5000 },
  ]);
  const all = /chat:\/\/chat\.example:443,\[2001:db8::7\]:5000\/#/;
  assertMatch(await linkNow() ?? "", all);
  assertMatch(
    (await runServer(folder, ["invite", "ben"])).stdout[0] ?? "",
    all,
  );
  const { stdout } = await runServer(folder, ["invite", "--code"]);
  assertMatch(stdout[0] ?? "", /^chat\.example:443,\[2001:db8::7\]:5000 \d+-/);
  // Who is in the server's folder goes to that first.
  await using ana = await JsonClient.join({ name: "ana", cwd: folder.path });
  assertEquals(ana.entrances[0]?.server, at(server.port));
});

Deno.test("server refuses an --address that is none", async () => {
  await using folder = await Folder.make();
  for (const more of [[], ["--check"]]) {
    const args = ["--address", "chat", ...more];
    const { code, stderr } = await runServer(folder, args);
    assertEquals(code, 2);
    assertStringIncludes(
      stderr[0] ?? "",
      `Cannot use --address "chat": it is HOST:PORT, like chat.example.org:5000`,
    );
  }
});
