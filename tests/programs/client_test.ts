/**
 * The client program as a whole, against the real server: joining, talking, being refused, leaving.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { Folder, freePort, modeOf, namesIn } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { Client, type ClientOptions, JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";

const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

/** Runs a client to its end, its input empty. */
async function failingClient(options: ClientOptions) {
  await using client = await Client.plain(options);
  await client.endInput();
  const code = await client.finished();
  return { code, stdout: client.stdout, stderr: client.stderr };
}

// ── Talking ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("clients all see every message in one order, which is the log's", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using eve = await JsonClient.join({ invite, name: "eve" });
  const texts = (name: string) =>
    Array.from({ length: 200 }, (_, at) => `${name} ${at}`);
  await Promise.all([
    ana.type(...texts("ana")),
    eve.type(...texts("eve")).then(() => eve.endInput()),
    (async () => {
      for (const text of texts("ben")) await ben.type(text);
    })(),
  ]);
  assertEquals(await eve.finished(), 0);
  await ana.showsTexts(600);
  await ben.showsTexts(600);
  await ana.shows("left", { name: "eve", reason: "left" });
  await ben.shows("left", { name: "eve", reason: "left" });

  const log = await server.log();
  for (const name of ["ana", "ben", "eve"]) assertSaid(log, name, texts(name));
  for (const client of [ana, ben, eve]) assertFollows(client, log);
  const order = log.filter(({ what }) => what === "said")
    .map(({ text }) => text);
  assertEquals(ana.texts, order);
  assertEquals(ben.texts, order);
  assertEquals(eve.texts, order.slice(0, eve.texts.length));
  assertEquals(ana.all("said").filter(({ own }) => own).length, 200);
});

Deno.test("client sends 5,000 piped lines, each once and in order, and exits with 0", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  const texts = Array.from({ length: 5_000 }, (_, at) => `line number ${at}`);
  await using ana = await Client.plain({ invite });
  await ana.type("ana", ...texts);
  await ana.endInput();

  assertEquals(await ana.finished(), 0);
  // The server may still be reading more slowly than the client has sent, and its goodbye comes last.
  await ben.shows("left", { name: "ana" });
  const log = await server.log();
  assertSaid(log, "ana", texts);
  assertEquals(log.at(-1)?.what, "left");
  assertEquals(ben.texts, texts);
});

Deno.test("client on a pipe takes its name from the first line that isn't empty", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using client = await Client.plain({ invite: server.invite });
  await client.write("\n  \nana\r\nhello\r\n\r\nlast, without a line break");
  await client.endInput();

  assertEquals(await client.finished(), 0);
  // A client doesn't wait for long until its goodbye is taken.
  const log = await server.logs((log) => log.at(-1)?.what === "left");
  assertSaid(log, "ana", ["hello", "last, without a line break"]);
  assertEquals(log.map(({ what }) => what), ["joined", "said", "said", "left"]);
  assertEquals(client.stderr, []);
});

Deno.test("client on a pipe says so where its input has one line and that was taken for its name", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  for (
    const [args, line] of [[[], "hello"], [["--history", "5"], "hi"]] as const
  ) {
    await using client = await Client.plain({ invite, args });
    await client.type(line);
    await client.endInput();
    assertEquals(await client.finished(), 0);
    const told =
      'Nothing was said: the input has one line, "hello", and that is your name. With --name NAME that line is a message, too';
    assertEquals(client.stderr, args.length === 0 ? [told] : []);
  }
  await using client = await Client.plain({ invite });
  await client.type("hello there");
  await client.endInput();
  assertEquals(await client.finished(), 2);
  assertMatch(
    client.stderr.join("\n"),
    /^Cannot go by "hello there": .+\. Without --name NAME, the input's first line is the name\. See --help\.$/,
  );
});

Deno.test("client that comes by the name that it had before /nick names the present one, and the command", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using own = await Folder.make();
  const { invite, port } = server;
  const home = own.path;
  {
    await using ana = await JsonClient.join({ invite, name: "ana", home });
    await ana.type('{"type":"rename","name":"anna"}');
    await ana.shows("renamed", { newName: "anna" });
    await ana.endInput();
    assertEquals(await ana.finished(), 0);
  }
  const place = `127.0.0.1:${port}`;
  const advice =
    `On this machine "ana" goes by "anna" now: deno task client ${place} --name anna`;
  for (
    const [where, message] of [
      [{ args: [place] }, /^The room does not know you as "ana"\.$/],
      [{ invite }, /^The name "ana" is taken \(.*\)\.$/],
    ] as const
  ) {
    const { code, stderr } = await failingClient({
      ...where,
      name: "ana",
      home,
    });
    assertEquals(code, 1);
    assertMatch(stderr[0] ?? "", message);
    assertEquals(stderr.slice(1), [advice]);
  }
  const args = ["--export", "--name", "ana"];
  assertEquals((await failingClient({ args, home })).stderr, [
    'No identity here goes by "ana": it is "anna" by now. See --help.',
  ]);
  // A stranger is told nothing of it.
  const { stderr } = await failingClient({ invite, name: "ana" });
  assertEquals(stderr.slice(1), ["Choose another: --name NAME"]);
  await using anna = await Client.plain({ args: [place], name: "anna", home });
  await anna.endInput();
  assertEquals(await anna.finished(), 0);
});

Deno.test("client says why it is not in the room before it says what may not have been sent", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  server.kill("SIGKILL");
  await server.finished();
  const reason = /^Cannot join 127\.0\.0\.1:\d+: connection refused/;
  await using client = await Client.plain({ invite, name: "ana" });
  await client.type("hello");
  assertEquals(await client.finished(), 1);
  const [why = "", advice, ...lost] = client.stderr;
  assertMatch(why, reason);
  assertEquals([advice, lost], [
    "Check that the server runs and can be reached from here.",
    ["May not have been sent: hello"],
  ]);
  await using program = await JsonClient.start({ invite, name: "ana" });
  await program.type("hello");
  assertEquals(await program.finished(), 1);
  assertEquals(program.shown.map(({ type }) => type), ["error", "lost"]);
  assertMatch(program.shown[0]?.message ?? "", reason);
});

Deno.test("client on a pipe sends lines that look like commands as they are", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using client = await Client.plain({
    invite: server.invite,
    name: "ana",
  });
  await client.type("/quit", "//help", "after");
  await client.endInput();

  assertEquals(await client.finished(), 0);
  assertSaid(await server.log(), "ana", ["/quit", "//help", "after"]);
});

Deno.test("client without a name, on a pipe that ends at once, exits with 1", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { code, stderr } = await failingClient({ invite: server.invite });

  assertEquals(code, 1);
  assertStringIncludes(stderr.join("\n"), "No name was given");
  assertEquals(await server.log(), []);
});

Deno.test("client shows plain lines on stdout and what is about itself on stderr", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await using ana = await Client.plain({ invite, name: "ana" });
  await eve.shows("joined", { name: "ana" });
  await using ben = await Client.plain({ invite, name: "ben" });
  await ben.type("hello");
  await ben.endInput();
  assertEquals(await ben.finished(), 0);
  await ana.line(/ ben left$/);

  assertEquals(ana.stdout.map((line) => line.replace(/^\S+Z /, "")), [
    "ben joined",
    "ben: hello",
    "ben left",
  ]);
  assertEquals(ana.stderr, []);
  server.kill("SIGKILL");
  await ana.line(/^Not connected: connection lost\. Trying again in \d+ s$/);
  assertEquals(ana.stderr.length, 1);
});

Deno.test("client passes a text of 4,096 bytes on, and refuses one of 4,097 with the limit", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  const longest = ["x".repeat(4_096), "é".repeat(2_048), "𝄞".repeat(1_024)];
  const tooLong = longest.map((text) => `${text}y`);
  await using ana = await Client.plain({ invite, name: "ana" });
  await ana.type(...longest, ...tooLong, "z".repeat(100_000), "the end");
  await ana.endInput();

  assertEquals(await ana.finished(), 1);
  const refusals = ana.stderr.filter((line) => line.startsWith("Not sent: "));
  assertEquals(refusals.length, 4);
  for (const line of refusals) {
    assertStringIncludes(line, "A message has at most 4096 bytes");
  }
  assertSaid(await server.log(), "ana", [...longest, "the end"]);
  await ben.shows("said", { text: "the end" });
  assertEquals(ben.texts, [...longest, "the end"]);
});

Deno.test("client shows what others wrote so that no terminal obeys it, and the log holds it on one line", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using json = await JsonClient.join({ invite, name: "json" });
  await using plain = await Client.plain({ invite, name: "plain" });
  await json.shows("joined", { name: "plain" });
  const texts = [
    "\u001b[2J\u001b]0;owned\u0007 cleared",
    "over\rwritten",
    "a\u202egpj.exe",
    "c1 \u009b31m red",
    "null \u0000, delete \u007f, tab \t",
    "zero\u200bwidth, \ufeffmark, line\u2028separator",
    "back\\slash \\n \\u001b",
    "2026-11-23T17:06:07.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1 | ben: forged",
    '"quoted"}{"v":1,"type":"said","text":"forged"}',
    "private \ue000, unassigned \u{e0fff}, filler \u3164",
  ];
  await using ana = await Client.plain({ invite, name: "ana" });
  await ana.type(...texts, "the end");
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await plain.line(/ana: the end$/);
  await json.shows("said", { text: "the end" });

  const file = await Deno.readTextFile(folder.file("chat.log"));
  const lines = file.trimEnd().split("\n");
  assertEquals(lines.filter((line) => CONTROL.test(line)), []);
  assertEquals(lines.length, 3 + texts.length + 1 + 1);
  assertSaid(await server.log(), "ana", [...texts, "the end"]);
  assertEquals(plain.stdout.filter((line) => CONTROL.test(line)), []);
  assertEquals(json.stdout.filter((line) => CONTROL.test(line)), []);
  assertEquals(json.texts, [...texts, "the end"]);
  const said = plain.stdout.filter((line) => / ana: /.test(line));
  assertEquals(said.length, texts.length + 1);
  assertMatch(
    said[0] ?? "",
    / ana: \\u001b\[2J\\u001b\]0;owned\\u0007 cleared$/,
  );
  // No cursor control, and no line that begins as somebody else's.
  assert(plain.stdout.every((line) => /^\S+Z (json|ana)( |:)/.test(line)));
});

// ── Not getting in ─────────────────────────────────────────────────────────────────────────────────────

Deno.test("client with a wrong key exits with 1 and says so", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const invite = parseInvite(server.invite);
  const table = [
    { ...invite, secret: invite.secret.map((byte) => byte ^ 1) },
    { ...invite, secret: new Uint8Array(32) },
    { ...invite, id: 7 },
  ];
  for (const wrong of table) {
    const { code, stdout, stderr } = await failingClient({
      invite: formatInvite(wrong),
      name: "ana",
    });
    assertEquals(code, 1);
    assertEquals(stdout, []);
    assertMatch(stderr[0] ?? "", /does not open this room/);
  }
  assertEquals(await server.log(), []);
});

Deno.test("client exits with 1 at a server that its link doesn't name, and proves nothing to it", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using proxy = new TcpProxy(server.port);
  const invite = parseInvite(server.invite);
  const serverKey = invite.serverKey.with(31, (invite.serverKey[31] ?? 0) ^ 1);
  const { code, stdout, stderr } = await failingClient({
    invite: formatInvite({ ...invite, serverKey, port: proxy.port }),
    name: "ana",
  });

  assertEquals(code, 1);
  assertEquals(stdout, []);
  assertStringIncludes(
    stderr.join("\n"),
    `127.0.0.1:${proxy.port} is not the server that your link names`,
  );
  assertEquals(proxy.records.map(({ direction }) => direction), ["up", "down"]);

  // With the right key the third message would have come.
  await using client = await JsonClient.join({
    invite: formatInvite({ ...invite, port: proxy.port }),
    name: "ana",
  });
  assertEquals(client.entrances.length, 1);
  const ways = proxy.records.slice(2, 5).map(({ direction }) => direction);
  assertEquals(ways, ["up", "down", "up"]);
});

Deno.test("client exits with 1 where nothing listens", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const port = freePort();
  const invite = formatInvite({ ...parseInvite(server.invite), port });
  const { code, stderr } = await failingClient({ invite, name: "ana" });

  assertEquals(code, 1);
  assertEquals(
    stderr[0],
    `Cannot join 127.0.0.1:${port}: connection refused.`,
  );
});

Deno.test("client on a pipe exits with 1 where its name is taken, or looks like one that is", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using paul = await JsonClient.join({ invite, name: "Paul" });
  const before = await server.log();
  const same = ["Paul", "paul", "PAUL", "Раul".normalize(), "pаul", "ｐａｕｌ"];
  for (const name of same) {
    const { code, stdout, stderr } = await failingClient({ invite, name });
    // What mixes two scripts is refused before anybody is asked.
    const mixed = /[а-яА-Я]/.test(name);
    assertEquals(code, mixed ? 2 : 1, name);
    assertEquals(stdout, []);
    assertMatch(
      stderr[0] ?? "",
      mixed
        ? /several scripts/
        : /^The name ".*" (is|looks like one that is) taken \(Paul, /,
    );
  }
  const all = await server.log();
  assertEquals(all, before, "somebody was told of one who didn't get in");

  // One script throughout, and the same to the eye.
  await using _corps = await JsonClient.join({ invite, name: "cope" });
  const { code, stderr } = await failingClient({ invite, name: "соре" });
  assertEquals(code, 1);
  assertMatch(
    stderr[0] ?? "",
    /^The name "соре" looks like one that is taken \(cope, /,
  );
  await paul.type("still me");
  await paul.shows("said", { text: "still me", own: true });
});

Deno.test("two clients of one machine are two persons, each with the identity that goes by its name", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const files = { invite, home: home.path };
  const keyOf = async (name: string) => {
    await using client = await JsonClient.join({ ...files, name });
    return client.entrances[0]?.key;
  };
  await using first = await JsonClient.join({ ...files, name: "ana" });
  await using second = await JsonClient.join({ ...files, name: "ben" });
  const [ana, ben] = [first, second].map((it) => it.entrances[0]?.key);
  assert(ana !== ben);
  assertEquals(await keyOf("ben"), ben);
  assertEquals(await keyOf("BEN"), ben);
  assert(![ana, ben].includes(await keyOf("carla")));

  // /nick takes the name along.
  await first.type('{"type":"rename","name":"anna"}');
  await first.shows("renamed", { newName: "anna" });
  assertEquals(await keyOf("anna"), ana);
});

Deno.test("one person on two machines shows once, hears all, and leaves with the last", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const files = { invite, home: home.path };
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using desk = await JsonClient.join({ ...files, name: "ana" });
  await using laptop = await JsonClient.join({ ...files, name: "ana" });
  await desk.type("by the desk");
  await laptop.shows("said", { text: "by the desk", own: true });
  await laptop.type("by the laptop");
  for (const client of [ben, desk, laptop]) {
    await client.shows("said", { text: "by the laptop", own: client !== ben });
    await client.type('{"type":"who"}');
    const { members } = await client.shows("members", {});
    const shown = members?.map(({ name, connections }) => [name, connections]);
    assertEquals(shown, [["ben", 1], ["ana", 2]]);
  }
  for (const client of [desk, laptop]) {
    await client.endInput();
    assertEquals(await client.finished(), 0);
  }
  await ben.shows("left", { name: "ana" });
  const moves = (await server.log()).filter(({ what }) => what !== "said");
  assertEquals(moves.map(({ what, name }) => `${name} ${what}`), [
    "ben joined",
    "ana joined",
    "ana left",
  ]);
});

Deno.test("client tells a program why it can't be in the room, in an event before its end", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using _ana = await JsonClient.join({ invite, name: "ana" });
  const wrong = { ...parseInvite(invite), id: 7 };
  const table: [ClientOptions, number, RegExp][] = [
    [{ invite, name: "ana" }, 1, /^The name "ana" is taken \(ana, /],
    [{ invite: formatInvite(wrong), name: "ben" }, 1, /open this room$/],
    [{ invite: "chat://", name: "ben" }, 2, /^Cannot read the invite/],
    [{ invite, name: "a b" }, 2, /^Cannot go by "a b"/],
  ];
  for (const [options, code, message] of table) {
    await using client = await JsonClient.start(options);
    await client.endInput();
    assertEquals(await client.finished(), code);
    const errors = client.shown.filter(({ type }) => type === "error");
    assertEquals(errors.length, 1, client.transcript);
    assertEquals(client.shown.at(-1), errors[0]);
    assertMatch(errors[0]?.message ?? "", message);
    assert(client.stderr.length > 0, "nothing for a person to read");
  }
});

Deno.test("client that is ended while away tells which lines may be lost, and exits with 1", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using client = await JsonClient.join({ invite, name: "ana" });
  server.kill("SIGKILL");
  await client.shows("away");
  await client.type("into the void", '{"type":"act","text":"waits"}');
  // An answer to this comes only after the lines before it were taken.
  await client.type('{"type":"who"}');
  await client.shows("members");
  client.kill("SIGTERM");

  assertEquals(await client.finished(), 1);
  const lost = client.all("lost").map(({ text }) => text);
  assertEquals(lost, ["into the void", "waits"]);
});

Deno.test("client's help fits a screen of 80 by 24, with the command above it and the prompt below", async () => {
  const { code, stdout } = await failingClient({ args: ["--help"] });
  assertEquals(code, 0);
  assert(stdout.length <= 22, `${stdout.length} rows`);
  assertEquals(stdout.filter((row) => row.length > 80), []);
});

Deno.test("client exits with 2 for wrong usage, and names what is wrong", async () => {
  await using server = await Folder.make(); // without a server in it
  const table: [string[], string][] = [
    [["--nmae", "ana"], 'Unknown flag "--nmae"; did you mean "--name"?'],
    [["-n", "ana"], 'Unknown flag "-n"; flags begin with two hyphens'],
    [["--json=yes"], "--json takes no value"],
    [["--name", ""], "--name needs a value"],
    [["--name", "ana", "--name", "ben"], "--name is given twice"],
    [
      ["--passphrase"],
      "There is no --passphrase any more: a spoken code lets somebody in without a link: deno task invite --code",
    ],
    [
      ["--port", "5000"],
      "There is no --port any more: give the server's link, or HOST:PORT and a spoken code",
    ],
    [["chat://a:1/#x", "more"], "what follows the # is too"],
    [["a", "b", "c", "d", "e"], 'Unexpected argument "e"'],
    [["127.0.0.1:5000"], "You were never in a room at 127.0.0.1:5000"],
    [["127.0.0.1:5000", "7-crossover-clockwrok"], 'did you mean "clockwork"?'],
    [["127.0.0.1:5000", "7"], "it is not a number and two words"],
    [["127.0.0.1"], "HOST:PORT has a port, as in chat.example.org:5000"],
    [["chat.example.org"], "a link begins with chat://, and HOST:PORT"],
    [["for", "me"], "Cannot read where to go"],
    [["mailto:ana"], "it does not begin with chat://"],
    [["chat://127.0.0.1:5000"], "the # and the key after it are missing"],
    [["chat://127.0.0.1:5000/#c2hvcnQ"], "what follows the # is too short"],
    [["chat://127.0.0.1/#c2hvcnQ"], "it has no port"],
    [[], "No link was given, and no server's chat.key is here"],
  ];
  await Promise.all(table.map(async ([args, sentence]) => {
    const options = { args, cwd: server.path };
    const { code, stdout, stderr } = await failingClient(options);
    assertEquals(code, 2, args.join(" "));
    assertEquals(stdout, []);
    // A command to be copied ends its row.
    const isCommand = /: deno task \S+ --[^.]+$/.test(stderr[0] ?? "");
    assertEquals(stderr.length, isCommand ? 2 : 1, stderr.join("\n"));
    assertStringIncludes(stderr[0] ?? "", sentence);
    assertMatch(stderr.at(-1) ?? "", /^(?:.+\. |.+\? |)See --help\.$/);
    assert(!/c2hvcnQ/.test(stderr.join()), "a link's secret is shown");
  }));
});

Deno.test("client exits with 2 for a name that can't be one, and says what can", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const table: [string, RegExp][] = [
    ["two words", /1 to 32 letters/],
    ["a:b", /1 to 32 letters/],
    ["x".repeat(33), /1 to 32 letters/],
    ["\u001b[31mred", /1 to 32 letters/],
    ["a\u202eb", /1 to 32 letters/],
    ["\u200b", /1 to 32 letters/],
    ["аnа", /several scripts/],
  ];
  await Promise.all(table.map(async ([name, reason]) => {
    const { code, stdout, stderr } = await failingClient({ invite, name });
    assertEquals(code, 2, name);
    assertEquals(stdout, []);
    assertMatch(stderr.join("\n"), reason);
    assert(!CONTROL.test(stderr.join("")), "the name is shown as it came");
  }));
  assertEquals(await server.log(), []);
});

Deno.test("client refuses a chat.key and an identity that others can read", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using home = await Folder.make();
  const first = await failingClient({ invite, name: "ana", home: home.path });
  assertEquals(first.code, 0);
  const folderOf = home.file(".config/encrypted-chat/identities");
  const [name = ""] = await namesIn(folderOf);
  const identity = `${folderOf}/${name}`;
  assertEquals(await modeOf(identity), 0o600);

  await Deno.chmod(identity, 0o644);
  const second = await failingClient({ invite, name: "ana", home: home.path });
  assertEquals(second.code, 1);
  assertMatch(second.stderr[0] ?? "", /others can read it \(mode 644\)/);

  await Deno.chmod(folder.file("chat.key"), 0o644);
  const third = await failingClient({ cwd: folder.path, name: "ana" });
  assertEquals(third.code, 1);
  assertMatch(third.stderr[0] ?? "", /"chat\.key": others can read it/);
});

// ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`client leaves at ${signal}, and the others see that it left`, async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ben = await JsonClient.join({ invite, name: "ben" });
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await ana.type("before I go");
    await ana.shows("said", { text: "before I go" });
    ana.kill(signal);

    assertEquals(await ana.finished(), 0);
    assertEquals(ana.stderr, []);
    await ben.shows("left", { name: "ana", reason: "left" });
    const text = await Deno.readTextFile(folder.file("chat.log"));
    assertMatch(text, / \| ana left the chat\n$/);
  });
}

Deno.test("client that is killed is told of as a lost connection", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using plain = await Client.plain({ invite, name: "plain" });
  await ben.shows("joined", { name: "plain" });
  await using ana = await JsonClient.join({ invite, name: "ana" });
  ana.kill("SIGKILL");

  await plain.line(/ ana left \(connection lost\)$/);
  const left = await ben.until(
    "ana left",
    () => ben.all("left").find(({ name }) => name === "ana"),
  );
  assertEquals(left.reason, "lost");
  const text = await Deno.readTextFile(folder.file("chat.log"));
  assertMatch(text, / \| ana left the chat \(connection lost\)\n$/);
});
