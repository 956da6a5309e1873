/**
 * What whoever runs a server can ask of it, with the real programs: figures, a check, another key, another log,
 * limits.
 *
 * @module
 */

import {
  formatInvite,
  type Invite,
  parseInvite,
} from "../../src/keys/invite.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { Folder, freePort, modeOf } from "../kit/folder.ts";
import { runServer, Server } from "../kit/server.ts";
import { Client, JsonClient, type Shown } from "../kit/client.ts";
import { assertSaid } from "../kit/expect.ts";

const WRONG_KEY = "The link or code does not open this room.";
/** Less than the pause after some failures, and more than a handshake takes, ms. */
const LEAST_PAUSE = 500;
const NO_PLACE = "The server has no room for another connection right now.";

/** An invite with some parts changed. */
function altered(invite: string, changes: Partial<Invite>): string {
  return formatInvite({ ...parseInvite(invite), ...changes });
}

/** An invite with a key that opens nothing. */
function withWrongKey(invite: string): string {
  return altered(invite, { secret: new Uint8Array(32).fill(7) });
}

/** Runs a client that isn't let in. @returns What it says first. */
async function refusal(invite: string, name = "eve"): Promise<string> {
  await using client = await JsonClient.start({ invite, name });
  assertEquals(await client.finished(), 1);
  return client.stderr[0] ?? "";
}

async function get(port: number, path: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

/** Asks for the figures until there is such a line: an end of a connection counts soon after its client's. */
async function figure(port: number, line: string): Promise<string> {
  for (let left = 2_000; left > 0; left--) {
    const [, text] = await get(port, "/metrics");
    if (text.split("\n").includes(line)) return text;
  }
  const [, text] = await get(port, "/metrics");
  throw new Error(`There is no figure "${line}" in:\n${text}`);
}

function foundLines(client: JsonClient): Promise<readonly Shown[]> {
  return client.until("found", () => {
    const [found] = client.all("found");
    return (found as { lines?: readonly Shown[] } | undefined)?.lines;
  });
}

// ── Figures ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server serves its figures and its health where --metrics says", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  await using server = await Server.open(folder, {
    args: ["--metrics", `127.0.0.1:${port}`],
  });
  const { invite } = server;
  assertEquals(await get(port, "/healthz"), [200, "ok\n"]);
  assertEquals((await get(port, "/elsewhere"))[0], 404);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("hush", "hush", "three");
  await ben.shows("said", { text: "three" });
  await figure(port, "chat_members 2");
  const during = await figure(port, "chat_messages_total 3");
  const bytes = (name: string) =>
    Number(
      new RegExp(`^chat_${name}_bytes_total (\\d+)$`, "m").exec(during)?.[1],
    );
  assert(bytes("received") > 100 && bytes("sent") > 1_000, during);

  await ben.endInput();
  assertEquals(await ben.finished(), 0);
  assertEquals(await refusal(withWrongKey(invite)), WRONG_KEY);

  await figure(port, 'chat_departures_total{reason="left"} 1');
  await figure(port, 'chat_handshakes_refused_total{reason="bad"} 2'); // the link's, and the key's
  const text = await figure(port, "chat_members 1");
  assert(!/\b(ana|ben|eve|hush)\b/.test(text), text);
});

Deno.test("server doesn't start where its figures can't be served, and says why", async () => {
  await using folder = await Folder.make();
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  const cases = [
    [`127.0.0.1:${port}`, 1, [
      `Port ${port} is in use.`,
      `Stop what uses it, or choose another: --metrics 127.0.0.1:${port + 1}`,
    ]],
    ["nowhere", 2, [
      'Cannot use --metrics "nowhere": it is HOST:PORT, like 127.0.0.1:9464. See --help.',
    ]],
  ] as const;
  for (const [metrics, expected, said] of cases) {
    const address = ["--host", "127.0.0.1", "--port", "0"];
    for (const start of [[], ["--check"]]) {
      const args = [...start, ...address, "--metrics", metrics];
      const { code, stdout, stderr } = await runServer(folder, args);
      assertEquals(code, expected);
      assertEquals(stderr, [...said]);
      assert(!stdout.join().includes("Listening"), stdout.join());
    }
  }
});

// ── Before the start ───────────────────────────────────────────────────────────────────────────────────

Deno.test("server --check says what can be used, and starts nothing", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  const args = ["--check", "--host", "127.0.0.1", "--port", String(port)];
  const fresh = await runServer(folder, args);
  assertEquals(fresh.code, 0);
  assertEquals(fresh.stderr, []);
  assertEquals(fresh.stdout, [
    "chat.key is not there yet; the server would make it",
    "chat.people is not there yet; the server would make it",
    `127.0.0.1:${port} is free`,
    "chat.log is not there yet; the server would make it",
    "chat.waiting is not there yet; the server would make it",
  ]);
  assertEquals(await folder.names(), []);

  await using first = await Server.open(folder, { port });
  await using ana = await JsonClient.join({ cwd: folder.path, name: "ana" });
  first.kill("SIGTERM");
  assertEquals(await first.finished(), 0);
  const log = await first.log();
  const used = await runServer(folder, args);
  assertEquals(used.code, 0);
  assertEquals(used.stdout, [
    "chat.key can be used",
    "chat.people can be used",
    `127.0.0.1:${port} is free`,
    "chat.log can be written; it ends with event 2",
    "chat.waiting can be used",
  ]);
  assertEquals(await first.log(), log);
  // Nothing of the check holds the port or the log.
  await using _second = await Server.open(folder, { port });
  await ana.isIn(2);
});

Deno.test("server --check leaves a log as it is, and says what a server would do to it", async () => {
  const start =
    "2026-11-23T17:05:54.120Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1 | ana: ";
  const cases = [
    ["", "chat.log can be written; it is empty"],
    [`${start}one\n`, "chat.log can be written; it ends with event 1"],
    [
      `# continues at event 7\n${start}one\n${start}tw`,
      "chat.log can be written; it ends with event 7",
      `Its last line broke off after ${
        start.length + 2
      } bytes; the server would mend that`,
    ],
  ] as const;
  for (const [text, ...said] of cases) {
    await using folder = await Folder.make();
    await folder.write("chat.log", text, 0o644);
    const args = ["--check", "--host", "127.0.0.1", "--port", "0"];
    const { code, stdout } = await runServer(folder, args);
    assertEquals(code, 0);
    assertEquals(stdout.slice(3), [
      ...said,
      "chat.waiting is not there yet; the server would make it",
    ]);
    assertEquals(await folder.names(), ["chat.log"]);
    assertEquals(await Deno.readTextFile(folder.file("chat.log")), text);
    if (Deno.build.os !== "windows") {
      assertEquals(await modeOf(folder.file("chat.log")), 0o644);
    }
  }
});

Deno.test("server --check fails where there can be no log", async () => {
  await using folder = await Folder.make();
  for (
    const [log, reason] of [
      ["none/chat.log", "there is no such file or folder"],
      [".", "it is a folder"],
    ]
  ) {
    const { code, stderr } = await runServer(folder, [
      ...["--check", "--host", "127.0.0.1", "--port", "0", "--log", log ?? ""],
    ]);
    assertEquals(code, 1);
    assertEquals(stderr, [`Cannot use "${log}": ${reason}.`]);
  }
  assertEquals(await folder.names(), []);
});

Deno.test("server --check fails where a file can't be a log", async () => {
  await using folder = await Folder.make();
  await folder.write("chat.log", "x".repeat(70_000));
  const args = ["--check", "--host", "127.0.0.1", "--port", "0"];
  const { code, stderr } = await runServer(folder, args);

  assertEquals(code, 1);
  assertEquals(stderr, [
    'Cannot use "chat.log": its last line is longer than any of a log.',
  ]);
});

Deno.test("server --check fails where the port is taken", async () => {
  await using folder = await Folder.make();
  await using other = await Folder.make();
  await using server = await Server.open(folder);
  const port = String(server.port);
  const args = ["--check", "--host", "127.0.0.1", "--port", port];
  const { code, stderr } = await runServer(other, args);

  assertEquals(code, 1);
  assertEquals(stderr[0], `Port ${port} is in use.`);
});

Deno.test("server --check fails where another server writes the log, which goes on", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { code, stderr } = await runServer(folder, [
    "--check",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
  ]);

  assertEquals(code, 1);
  assertStringIncludes(stderr[0] ?? "", "chat.log is in use by the server on");
  assertStringIncludes(stderr[0] ?? "", `(process ${server.pid})`);
  await using ana = await JsonClient.join({ cwd: folder.path, name: "ana" });
  await ana.type("still here");
  await ana.shows("said", { text: "still here" });
});

// ── Another key ────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server takes over a key from --rotate-key: members stay and come back, old invites don't", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using proxy = new TcpProxy(server.port);
  await using ana = await JsonClient.join({
    invite: altered(invite, { port: proxy.port }),
    name: "ana",
  });
  const { code, stdout } = await runServer(folder, ["--rotate-key"]);
  assertEquals(code, 0);
  const fresh = /'(chat:\/\/[^']+)'/.exec(stdout.join("\n"))?.[1] ?? "";
  assert(fresh !== invite);
  assertEquals(parseInvite(fresh).port, server.port);

  // What was printed counts when it stands there.
  await using ben = await JsonClient.join({ invite: fresh, name: "ben" });
  assertEquals(await refusal(invite), WRONG_KEY);
  await server.line(/The room has a new key; chat\.key has it$/);
  await ana.type("still in");
  await ana.shows("said", { text: "still in" });

  proxy.cut();
  await ana.isIn(2);
  await ana.type("back");
  await ben.shows("said", { name: "ana", text: "back" });
});

Deno.test("server --rotate-key fails where there are no keys", async () => {
  await using folder = await Folder.make();
  const { code, stderr } = await runServer(folder, ["--rotate-key"]);

  assertEquals(code, 1);
  assertEquals(stderr[0], "There is no chat.key yet.");
  assertEquals(await folder.names(), []);
});

Deno.test("server --rotate-key prints the invite that the key file stands for", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { port } = server;
  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);
  const before = await KeyFile.load(folder.file("chat.key"));
  const { stdout } = await runServer(folder, ["--rotate-key"]);
  const after = await KeyFile.load(folder.file("chat.key"));
  const invite = after?.inviteFor("127.0.0.1", port) ?? "";

  assertStringIncludes(stdout.join("\n"), `'${invite}'`);
  assert(before?.inviteFor("127.0.0.1", port) !== invite);
});

// ── Another log ────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server begins another log at SIGHUP when the old one was moved away, and goes on counting", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("before");
  await ana.shows("said", { text: "before", seq: 2 });

  await Deno.rename(folder.file("chat.log"), folder.file("moved.log"));
  server.kill("SIGHUP");
  await server.line(/Began a new "chat\.log" at event 3: /);
  await server.line(/info server: Opened chat\.log again at SIGHUP$/);
  await ana.type("after");
  await ana.shows("said", { text: "after", seq: 3 });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  assertEquals(ben.entrances[0]?.seq, 4);

  assertSaid(await server.log("moved.log"), "ana", ["before"]);
  const log = await Deno.readTextFile(folder.file("chat.log"));
  assert(!log.includes("ana: before"), log);
  assertMatch(log, / \| ana: after$/m);
});

Deno.test("server with --log-size begins another log in time, and its history reaches back over it", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--log-size", "1", "--history", "1000"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const texts = Array.from(
    { length: 300 },
    (_, at) => `${at === 3 ? "needle" : "straw"} ${at} ${"x".repeat(3_900)}`,
  );
  await ana.type(...texts);
  await ana.showsTexts(texts.length);
  await ana.type("last");
  await ana.shows("said", { text: "last" });
  const names = await folder.names();
  assert(names.includes("chat.log.1"), names.join());
  const newest = await Deno.readTextFile(folder.file("chat.log"));
  assert(!newest.includes("needle"));
  assertMatch(newest, / \| ana: last$/m);

  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ben.type(JSON.stringify({ type: "search", words: "needle" }));
  const lines = await foundLines(ben);

  assertEquals(ben.texts, [...texts, "last"]);
  assertEquals(lines.map(({ text, seq }) => [text, seq]), [[texts[3], 5]]);
});

// ── What it tells its owner ────────────────────────────────────────────────────────────────────────────

Deno.test("server with --log-format json tells an object a line, and no secret", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--log-format", "json", "--log-level", "debug"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("hush, nobody else");
  await ana.shows("said", { text: "hush, nobody else" });
  const wrong = withWrongKey(invite);
  assertEquals(await refusal(wrong), WRONG_KEY);
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await server.line(/"level":"warning".*gate/);
  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);

  assert(server.stderr.length >= 2, server.transcript);
  for (const line of server.stderr) {
    const record = JSON.parse(line);
    assertEquals(typeof record.message, "string", line);
    assert(["debug", "info", "warning"].includes(record.level), line);
    assert(!record.message.includes('"'), line); // what strings say, not strings as a program has them
  }
  const keyFile = JSON.parse(await Deno.readTextFile(folder.file("chat.key")));
  const told = server.stderr.join("\n");
  const secrets = [
    keyFile.roomKey,
    keyFile.serverPrivateKey,
    invite,
    wrong.split("/").at(-1) ?? wrong,
    "chat://",
    "hush",
    "nobody else",
  ];
  for (const secret of secrets) assert(!told.includes(secret), secret);
});

// ── Limits ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server with --max-per-address has no place for one connection more", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--max-per-address", "2"],
  });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  assertEquals(await refusal(invite), NO_PLACE);

  await ana.type("undisturbed");
  await ben.shows("said", { text: "undisturbed" });
  assertEquals(ana.all("joined").length, 2);
});

Deno.test("server with --rate slows a fast member down, tells it once, and loses nothing", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--rate", "5", "--burst", "10"],
  });
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using ana = await Client.plain({ invite, name: "ana" });
  const texts = Array.from({ length: 30 }, (_, at) => `line ${at}`);
  await ana.type(...texts);
  await ana.endInput();

  assertEquals(await ana.finished(), 0);
  const told = ana.stderr.filter((line) =>
    line.startsWith("You are sending faster")
  );
  assertEquals(told.length, 1, ana.transcript);
  await ben.showsTexts(30);
  await ben.shows("left", { name: "ana" });
  assertEquals(ben.texts, texts);
  assertSaid(await server.log(), "ana", texts);
});

Deno.test("server lets those who failed with a key wait, and then in with the right one", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const wrong = withWrongKey(invite);
  for (let count = 0; count < 4; count++) {
    assertEquals(await refusal(wrong), WRONG_KEY); // two tries: by the link, and by the key
  }

  const times: number[] = [];
  await using proxy = new TcpProxy(server.port, ({ bytes }) => {
    times.push(performance.now());
    return [bytes];
  });
  const { port } = proxy;
  await using eve = await JsonClient.start({
    invite: altered(invite, { port }),
    name: "eve",
  });
  await proxy.until("eve's handshake", () => proxy.records[0]);
  // While she waits, the room goes on.
  await ana.type("meanwhile");
  await ana.shows("said", { text: "meanwhile", seq: 2 });
  await eve.isIn();
  await ana.shows("joined", { name: "eve", seq: 3 });
  assertEquals(ana.all("joined").map(({ name }) => name), ["ana", "eve"]);
  const [asked, answer] = proxy.records;
  assertEquals([asked?.direction, answer?.direction], ["up", "down"]);
  const [from = 0, to = 0] = times;
  assert(to - from > LEAST_PAUSE, `answered after ${to - from} ms`);
});
