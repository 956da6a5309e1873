/**
 * The server program as a whole: what it prints, makes, refuses and says when it ends.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { output, runToEnd } from "../kit/command.ts";
import { Folder, freePort, modeOf } from "../kit/folder.ts";
import { programCommand } from "../kit/program.ts";
import { testUnless } from "../kit/system.ts";
import { runServer, Server } from "../kit/server.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { anotherRoom } from "../../src/server/own_commands.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";

Deno.test("server says at its first start what it made and how to join", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);

  const address = `127.0.0.1:${server.port}`;
  assertEquals(server.stdout, [
    "Made a room key: chat.key (readable by you alone)",
    `Listening on ${address}, writing to chat.log`,
    "",
    "To join on this machine:   deno task client",
    "Nobody can join from elsewhere: the server listens on 127.0.0.1 alone.",
    "Ctrl-C stops the server.",
  ]);
  assertEquals(server.stderr, []);
  assertEquals(await modeOf(folder.file("chat.key")), 0o600);
  assertEquals(await modeOf(folder.file("chat.log")), 0o600);
});

Deno.test("server says the same at its second start, but that it made a key", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  const first = await Server.open(folder, { port });
  first.kill("SIGTERM");
  assertEquals(await first.finished(), 0);
  await first[Symbol.asyncDispose]();
  const key = await Deno.readTextFile(folder.file("chat.key"));

  await using second = await Server.open(folder, { port });

  assertEquals(second.stdout, first.stdout.slice(1));
  assertEquals(await Deno.readTextFile(folder.file("chat.key")), key);
});

/** What a server prints of who can join, but for what follows. */
function joining({ stdout }: Server): string[] {
  const from = stdout.findIndex((line) => line.startsWith("Listening"));
  return stdout.slice(from + 2, stdout.indexOf("Ctrl-C stops the server."));
}

Deno.test("server that only this machine reaches says so, whichever address of it that is", async () => {
  for (const host of ["127.0.0.1", "localhost", "127.0.0.9", "::1"]) {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: ["--host", host] });
    const shown = host === "localhost" ? "(127.0.0.1|::1)" : host;
    const [here, nobody = "", ...more] = joining(server);
    assertEquals(here, "To join on this machine:   deno task client");
    assertMatch(
      nobody,
      new RegExp(
        `^Nobody can join from elsewhere: the server listens on ${shown} alone\\.$`,
      ),
    );
    assertEquals(more, []);
    await using ana = await JsonClient.join({ cwd: folder.path, name: "ana" });
    assertEquals(ana.entrances.length, 1);
  }
});

/** A network of its own, in which the machine has an IPv6 address and no IPv4 one but its own. */
const IPV6_ONLY = [
  ...["unshare", "--net", "bash", "-c"],
  'ip link set lo up && ip addr add 2001:db8::7/128 dev lo && exec "$@"',
  "bash",
];

testUnless(
  await output(...IPV6_ONLY, "true") === undefined
    ? "needs the right to make a network"
    : undefined,
  "server on a machine with IPv6 alone prints a link that others reach, and how there can be one",
  async () => {
    await using folder = await Folder.make();
    {
      const args = ["--host", "::"];
      await using _server = await Server.open(folder, {
        args,
        prefix: IPV6_ONLY,
      });
      const { words, env } = await programCommand("server", {
        args: ["--link"],
        cwd: folder.path,
        home: folder.path,
      });
      const link = await runToEnd([...IPV6_ONLY, ...words], {
        cwd: folder.path,
        env,
      });
      assertEquals(parseInvite(link.stdout).host, "2001:db8::7");
    }
    await using server = await Server.open(folder, {
      args: ["--host", "0.0.0.0"],
      prefix: IPV6_ONLY,
    });
    assertEquals(joining(server), [
      "To join on this machine:   deno task client",
      "Nobody can join from elsewhere: this machine has no IPv4 address; --host :: listens on IPv6 as well.",
    ]);
  },
);

/** An address of this machine that only its neighbours on a cable have a use for. */
const neighbourly = Deno.networkInterfaces().find(({ address }) =>
  address.startsWith("fe80:")
);

testUnless(
  neighbourly ? undefined : "this machine has no link-local address",
  "server listens on a link-local address with its zone, and its link has the zone",
  async () => {
    const host = `${neighbourly?.address}%${neighbourly?.name}`;
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: ["--host", host] });
    assertEquals(parseInvite(server.invite).host, host);
    await using ana = await JsonClient.join({
      invite: server.invite,
      name: "ana",
    });
    await using ben = await JsonClient.join({ cwd: folder.path, name: "ben" });
    await ben.type("by the zone");
    await ana.shows("said", { text: "by the zone" });
  },
);

Deno.test("server listens on every address where it is told to, and its help names that and port 5000 as the defaults", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--host", "0.0.0.0"],
  });
  const help = await runServer(folder, ["--help"]);

  assertStringIncludes(server.stdout.join("\n"), "Listening on 0.0.0.0:");
  assertEquals(help.code, 0);
  assertMatch(help.stdout.join(" "), /--port PORT.*default\s+5000/);
  assertMatch(help.stdout.join(" "), /--host ADDRESS.*default\s+0\.0\.0\.0/);
  await using inside = await JsonClient.join({ cwd: folder.path, name: "ana" });
  assertEquals(
    inside.entrances[0]?.server,
    `127.0.0.1:${server.port}`,
  );
});

Deno.test("server with --port 0 prints the port that it got", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { port: 0 });

  assert(server.port > 0);
  assertEquals(parseInvite(server.invite).port, server.port);
  const address = { hostname: "127.0.0.1", port: server.port };
  (await Deno.connect(address)).close();
});

Deno.test("server --link prints the link that lets people in, which else shows at a terminal's first start alone", async () => {
  await using folder = await Folder.make();
  const before = await runServer(folder, ["--link"]);
  assertEquals(before.code, 1);
  assertEquals(before.stderr[0], "There is no chat.key yet.");
  await using server = await Server.open(folder);
  const { code, stdout: [invite = "", ...more] } = await runServer(folder, [
    "--link",
  ]);
  assertEquals([code, more, invite], [0, [], server.invite]);
  assert(!server.stdout.join().includes("chat://"));
  await using client = await JsonClient.join({ invite, name: "ana" });
  await client.type("hello");
  await client.shows("said", { name: "ana", text: "hello", own: true });

  assertSaid(await server.log(), "ana", ["hello"]);
});

Deno.test("server exits with 2 for wrong usage, and names what is wrong", async () => {
  await using folder = await Folder.make();
  const table: [string[], string][] = [
    [["--prot", "5001"], 'Unknown flag "--prot"; did you mean "--port"?'],
    [["-p", "5001"], 'Unknown flag "-p"; flags begin with two hyphens'],
    [["extra"], 'Unexpected argument "extra"'],
    [["--port", "many"], 'Cannot use --port "many"'],
    [["--port", "65536"], 'Cannot use --port "65536"'],
    [["--port=-1"], 'Cannot use --port "-1"'],
    [["--port"], "--port needs a value"],
    [["--port", "1", "--port", "2"], "--port is given twice"],
    [["--history", "1.5"], 'Cannot use --history "1.5"'],
    [["--max-clients", "0"], 'Cannot use --max-clients "0"'],
    [["--log-level", "loud"], 'Cannot use --log-level "loud"'],
    [["--fsync=yes"], "--fsync takes no value"],
  ];
  await Promise.all(table.map(async ([args, sentence]) => {
    const { code, stdout, stderr } = await runServer(folder, args);
    assertEquals(code, 2, args.join(" "));
    assertEquals(stdout, []);
    assertEquals(stderr.length, 1, stderr.join("\n"));
    assertStringIncludes(stderr[0] ?? "", sentence);
    assertStringIncludes(stderr[0] ?? "", "See --help.");
  }));
  assertEquals(await folder.names(), []);
});

Deno.test("server refuses a port that is in use, and names it", async () => {
  await using folder = await Folder.make();
  await using other = await Folder.make();
  await using server = await Server.open(folder);
  const { code, stderr } = await runServer(other, [
    "--host",
    "127.0.0.1",
    "--port",
    String(server.port),
  ]);

  assertEquals(code, 1);
  assertEquals(stderr, [
    `Port ${server.port} is in use.`,
    `Stop what uses it, or choose another: --port ${server.port + 1}`,
  ]);
});

Deno.test("server refuses an address that isn't this machine's", async () => {
  await using folder = await Folder.make();
  const { code, stderr } = await runServer(folder, [
    "--host",
    "192.0.2.1", // for documentation only, RFC 5737
    "--port",
    "0",
  ]);

  assertEquals(code, 1);
  assertEquals(stderr[0], 'Cannot listen on "192.0.2.1".');
});

Deno.test("server refuses a chat.key that others can read", async () => {
  await using folder = await Folder.make();
  const first = await Server.open(folder);
  await first[Symbol.asyncDispose]();
  for (const mode of [0o640, 0o604, 0o620]) {
    await Deno.chmod(folder.file("chat.key"), mode);
    const { code, stdout, stderr } = await runServer(folder, [
      "--port",
      "0",
    ]);
    assertEquals(code, 1);
    assertEquals(stdout, []);
    assertEquals(stderr, [
      `Cannot use "chat.key": others can read it (mode ${
        mode.toString(8)
      }); run: chmod 600 chat.key`,
    ]);
  }
});

Deno.test("server refuses a damaged chat.key, and leaves it as it is", async () => {
  await using folder = await Folder.make();
  const first = await Server.open(folder);
  await first[Symbol.asyncDispose]();
  const good = await Deno.readTextFile(folder.file("chat.key"));
  const document = JSON.parse(good);
  const { roomKey: _roomKey, ...without } = document;
  const table: [string, string][] = [
    ["", "not JSON"],
    [good.slice(0, -20), "not JSON"],
    ["[]", "no version"],
    ["null", "not a JSON object"],
    [JSON.stringify({ ...document, version: 2 }), "it has version 2"],
    [JSON.stringify(without), "no roomKey"],
    [JSON.stringify({ ...document, roomKey: "AAAA" }), "roomKey is not 32"],
    [
      JSON.stringify({ ...document, listening: "nowhere" }),
      "listening is not an address",
    ],
  ];
  for (const [text, why] of table) {
    await folder.write("chat.key", text);
    const { code, stdout, stderr } = await runServer(folder, [
      "--port",
      "0",
    ]);
    assertEquals(code, 1, text);
    assertEquals(stdout, []);
    assertEquals(stderr.length, 1, stderr.join("\n"));
    assertStringIncludes(stderr[0] ?? "", 'Cannot use "chat.key"');
    assertStringIncludes(stderr[0] ?? "", why);
    for (const secret of [document.roomKey, document.serverPrivateKey]) {
      assert(!stderr.join().includes(secret.slice(0, 8)), "a key is shown");
    }
    assertEquals(await Deno.readTextFile(folder.file("chat.key")), text);
  }
});

Deno.test("server refuses a log, a key and persons that another server has, also for a check, and names that one", async () => {
  await using folder = await Folder.make();
  await using first = await Server.open(folder);
  const before = await folder.names();
  const own = {
    log: ["--log", "own.log"],
    key: ["--key-file", "own.key"],
    people: ["--people", "own.people"],
  };
  const cases: [string, string[]][] = [
    ["chat.log", []],
    ["chat.log", [...own.key, ...own.people]],
    ["chat.key", own.log],
    ["chat.key", [...own.log, ...own.people]],
    ["chat.people", [...own.log, ...own.key]],
  ];
  for (const [file, args] of cases) {
    for (const check of [[], ["--check"]]) {
      const local = ["--host", "127.0.0.1", "--port", "0"];
      const ended = await runServer(folder, [...local, ...args, ...check]);
      assertEquals(ended.code, 1);
      assertEquals(ended.stderr, [
        `${file} is in use by the server on 127.0.0.1:${first.port} (process ${first.pid}).`,
        `Stop that server; or, for another room: ${anotherRoom(0, false)}`,
      ]);
      assertEquals(await folder.names(), before);
    }
  }
  // Whoever joins in this folder still finds the server that runs.
  await using client = await JsonClient.join({ cwd: folder.path, name: "ana" });
  await client.type("still here");
  await client.shows("said", { text: "still here" });
});

Deno.test("server gets the log of a server that was killed", async () => {
  await using folder = await Folder.make();
  await using first = await Server.open(folder);
  first.kill("SIGKILL");
  await first.finished();
  await using second = await Server.open(folder);

  assertEquals(await second.log(), []);
});

Deno.test("server keeps its log and its keys where it is told to", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: [
      ...["--log", "talk.log", "--key-file", "room.key", "--fsync"],
      ...["--people", "room.people"],
    ],
  });
  await using client = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  await client.type("hello");
  await client.shows("said", { text: "hello" });

  assertSaid(await server.log("talk.log"), "ana", ["hello"]);
  assertEquals(await folder.names(), [
    "room.key",
    "room.key.lock",
    "room.people",
    "room.people.lock",
    "talk.log",
    "talk.log.lock",
    "talk.waiting",
  ]);
  const keyFile = await KeyFile.load(folder.file("room.key"));
  assertEquals(keyFile?.inviteFor("127.0.0.1", server.port), server.invite);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`server tells the members at ${signal}, logs that they left, and exits with 0`, async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await Client.plain({ invite, name: "ben" });
    await ana.shows("joined", { name: "ben" });
    await ana.type("last words");
    await ana.shows("said", { text: "last words" });

    server.kill(signal);

    await ana.shows("away", { reason: "server stopped" });
    await ben.line(/^Not connected: server stopped\. Trying again in \d+ s$/);
    assertEquals(await server.finished(), 0);
    const told = server.stderr.map((line) => line.slice(25)); // without the time
    assertEquals(told, [`info server: Stopping at ${signal}`]);
    const text = await Deno.readTextFile(folder.file("chat.log"));
    const last = text.trimEnd().split("\n").slice(-2).sort();
    assertMatch(last.join("\n"), / \| ana left the chat \(server stopped\)$/m);
    assertMatch(last.join("\n"), / \| ben left the chat \(server stopped\)$/m);
    const log = await server.log();
    assertEquals(log.length, 5);
    assertFollows(ana, log);
  });
}

Deno.test("server shows newcomers as many past messages as --history says, and no more", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: ["--history", "7"] });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const texts = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  await ana.type(...texts);
  await ana.shows("said", { text: "line 19" });

  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("new");
  await ben.shows("said", { text: "new" });

  assertEquals(ben.entrances[0]?.earlier, 7);
  assertEquals(ben.texts, [...texts.slice(-7), "new"]);
  const past = ben.all("said").map((it) => it.past);
  assertEquals(past, [...Array(7).fill(true), false]);
  assertFollows(ben, await server.log());
});

Deno.test("server with --history 0 shows newcomers nothing of what was before", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: ["--history", "0"] });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("not for ben");
  await ana.shows("said", { text: "not for ben" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("for ben");
  await ben.shows("said", { text: "for ben" });

  assertEquals(ben.texts, ["for ben"]);
  assertEquals(ben.entrances[0]?.earlier, 0);
});

Deno.test("server shows newcomers a history that is longer than what it keeps in memory", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--history", "3000"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const texts = Array.from({ length: 3_500 }, (_, at) => `line ${at}`);
  await ana.type(...texts);
  await ana.shows("said", { text: "line 3499" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("new");
  await ben.shows("said", { text: "new" });

  assertEquals(ben.texts, [...texts.slice(-3_000), "new"]);
  assertFollows(ben, await server.log());
});

Deno.test("server goes on with its numbers after a restart", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  const first = await Server.open(folder, { port });
  const { invite } = first;
  const ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("before");
  await ana.shows("said", { text: "before", seq: 2 });
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await ana[Symbol.asyncDispose]();
  first.kill("SIGTERM");
  await first.finished();
  await first[Symbol.asyncDispose]();

  await using second = await Server.open(folder, { port });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ben.type("after");
  await ben.shows("said", { text: "after" });

  assertEquals(ben.shown.map(({ type, seq }) => [type, seq]), [
    ["joined", 4],
    ["joined", 1],
    ["said", 2],
    ["left", 3],
    ["current", undefined],
    ["said", 5],
  ]);
  assertFollows(ben, await second.log());
});

Deno.test("server lets in no more than --max-clients at a time", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--max-clients", "1"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.start({ invite, name: "ben" });
  assertEquals(await ben.finished(), 1);
  assertEquals(ben.stderr[0], "The room is full.");
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  // A client doesn't wait for long until its goodbye is taken.
  await server.logs((log) => log.at(-1)?.what === "left");

  await using eve = await JsonClient.join({ invite, name: "eve" });
  assertEquals(eve.entrances[0]?.others, 0);
});

Deno.test("server tells its owner of a wrong key, and the others nothing", async () => {
  await using folder = await Folder.make();
  await using other = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--log-level", "warning"],
  });
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  await using stranger = await Server.open(other);
  // The address and the server's key of the one, the room key of the other.
  const { secret } = parseInvite(stranger.invite);
  const wrong = formatInvite({ ...parseInvite(server.invite), secret });
  await using eve = await JsonClient.start({ invite: wrong, name: "eve" });
  assertEquals(await eve.finished(), 1);
  const [line] = await server.line(/^\S+Z warning gate: 127\.0\.0\.1: .*$/);
  await ana.type("did anybody come?");
  await ana.shows("said", { text: "did anybody come?" });

  assert(!line.includes("eve"));
  assertEquals(ana.all("joined").length, 1); // its own
  assertEquals((await server.log()).length, 2);
});

Deno.test("server that deno task runs answers Ctrl-Z, and goes on", {
  ignore: Deno.build.os === "windows", // it has no such signal
}, async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    prefix: ["env", "INIT_CWD=/"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  server.kill("SIGTSTP");
  await server.line(/Ctrl-Z cannot stop a server that deno task runs/);
  await ana.type("still here");
  await ana.shows("said", { text: "still here" });
});
