/**
 * The server's port for browsers, with real programs: the page, members who come by WebSockets, certificates, and what
 * the server prints of it.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import { randomBytes } from "../../crypto_utils.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../kit/assert.ts";
import { type Certificate, makeCertificate } from "../kit/certificate.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { Folder, freePort, namesIn } from "../kit/folder.ts";
import { OperatedRoom } from "../kit/invites.ts";
import { Intruder } from "../kit/intruder.ts";
import { joinEvent, newIdentity, newStay } from "../kit/people.ts";
import { shellCommand } from "../kit/program.ts";
import { runServer, Server } from "../kit/server.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import {
  frame,
  readHead,
  TYPE,
  upgradeRequest,
  WebBridge,
} from "../kit/web_socket.ts";

const WEB = ["--web", "0"];

/** The server's link, by a bridge. */
function over({ port }: WebBridge, server: Server): string {
  return formatInvite({ ...parseInvite(server.invite), port });
}

// ── Members ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("members talk, whether they come by TCP or by WebSockets, and hear that the server stops", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: WEB });
  await using bridge = new WebBridge(server.webPort);
  const invite = over(bridge, server);
  await using web = await JsonClient.join({ invite, name: "web" });
  await using tcp = await JsonClient.join({
    invite: server.invite,
    name: "tcp",
  });
  await using other = await JsonClient.join({ invite, name: "other" });
  const texts = ["hello", "x".repeat(4_000), "नमस्ते 🔐"];
  await web.type(...texts);
  await tcp.showsTexts(texts.length);
  await tcp.type("answer");
  for (const client of [web, tcp, other]) {
    await client.shows("said", { name: "tcp", text: "answer" });
  }
  await web.endInput();
  assertEquals(await web.finished(), 0);
  await tcp.shows("left", { name: "web", reason: "left" });
  await other.shows("left", { name: "web", reason: "left" });

  const log = await server.log();
  assertSaid(log, "web", texts);
  for (const client of [tcp, other]) assertFollows(client, log);
  server.kill("SIGTERM");
  for (const client of [tcp, other]) {
    await client.shows("away", { reason: "server stopped" });
  }
  assertEquals(await server.finished(), 0);
});

Deno.test("member that comes by a WebSocket is slowed, told once, and loses nothing", async () => {
  await using folder = await Folder.make();
  const args = [...WEB, "--rate", "20", "--burst", "10"];
  await using server = await Server.open(folder, { args });
  await using bridge = new WebBridge(server.webPort);
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using ana = await Client.plain({
    invite: over(bridge, server),
    name: "ana",
  });
  const texts = Array.from(
    { length: 40 },
    (_, at) => `${at} ${"x".repeat(99)}`,
  );
  await ana.type(...texts);
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await ben.showsTexts(texts.length);
  assertEquals(ben.texts, texts);
  const told = ana.stderr.filter((line) => line.startsWith("You are sending"));
  assertEquals(told.length, 1, ana.transcript);
});

Deno.test("member that comes by a WebSocket is refused, or replaced with a goodbye, as any other", async () => {
  await using folder = await Folder.make();
  const args = [...WEB, "--max-clients", "2"];
  await using server = await Server.open(folder, { args });
  await using bridge = new WebBridge(server.webPort);
  const invite = over(bridge, server);
  const wrong = { inviteId: 0, inviteKey: randomBytes(32) };
  using stranger = await Intruder.shaking(bridge, wrong);
  const error = await assertRejects(
    () => stranger.hears("welcome"),
    RefusedError,
  );
  assertEquals((error as RefusedError).code, 2);

  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  const own = await newIdentity();
  const stay = newStay();
  using first = await Intruder.by(invite, own);
  await first.send(joinEvent(own, "eve", { stay, n: 1, after: null }));
  await first.hears("welcome");
  using second = await Intruder.by(invite, own);
  await second.send(joinEvent(own, "eve", { stay, n: 2, after: null }));
  await second.hears("welcome");
  assertEquals((await first.hears("bye")).reason, "replaced");
  assertEquals(await first.end(), first.told); // and then the end
  await using late = await JsonClient.start({ invite, name: "late" });
  assertEquals(await late.finished(), 1);
  assertStringIncludes(late.stderr.join("\n"), "The room is full");
  assertEquals(ana.all("left"), []);
});

Deno.test("terminal's client joins by a web link, comes back after the server was killed, and later by the web address alone", async () => {
  await using folder = await Folder.make();
  const options = { port: freePort(), args: ["--web", `${freePort()}`] };
  const first = await Server.open(folder, options);
  const web = await webLinkOf(folder);
  const place = new URL(web).origin;
  await using home = await Folder.make();
  await using ana = await JsonClient.join({ invite: web, name: "ana" });
  assertEquals(ana.entrances[0]?.server, place);
  await Deno.writeTextFile(home.file("link"), `${web}\n`);
  const ben = { name: "ben", home: home.path };
  {
    const args = ["--link", home.file("link")];
    await using client = await JsonClient.join({ ...ben, args });
    await client.type("x".repeat(4_000));
    await ana.shows("said", { name: "ben", text: "x".repeat(4_000) });
    // Where it was, and as whom, stands in its files when the program has ended.
    await client.endInput();
    assertEquals(await client.finished(), 0);
  }
  first.kill("SIGKILL");
  await ana.shows("away");
  await first[Symbol.asyncDispose]();
  await ana.type("kept meanwhile");
  await using server = await Server.open(folder, options);
  await using back = await JsonClient.join({ ...ben, invite: place });
  await back.shows("said", { name: "ana", text: "kept meanwhile" });
  server.kill("SIGTERM");
  await ana.shows("away", { reason: "server stopped" });
  const elsewhere = { name: "ben", invite: place };
  await using never = await JsonClient.start(elsewhere);
  assertEquals(await never.finished(), 2);
  const said = never.stderr.join("\n");
  assertStringIncludes(said, `You were never in a room at ${place}`);
  const late = await JsonClient.start({ ...ben, invite: web });
  await using _late = late;
  assertEquals(await late.finished(), 1);
  assertStringIncludes(late.stderr.join("\n"), `Cannot join ${place}: `);
});

/** The room's link for browsers on this machine. */
async function webLinkOf(folder: Folder): Promise<string> {
  const { stdout: [, web = ""] } = await runServer(folder, ["--link"]);
  return web;
}

/** Has a client make an invite. @returns Its links. */
async function makeInvite(
  client: JsonClient,
): Promise<{ readonly link?: string; readonly web?: string }> {
  await client.type('{"type":"invite","note":"ben","id":1}');
  return await client.shows("invite", { id: 1 });
}

/** Somebody comes in by an invite, and is heard. */
async function assertLetsIn(invite: string, host: JsonClient): Promise<void> {
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ben.type("hello");
  await host.shows("said", { name: "ben", text: "hello" });
}

Deno.test("operator who came by a web link makes invites for terminals and for browsers, by one link each", async () => {
  await using room = await OperatedRoom.open(...WEB);
  const web = await webLinkOf(room.folder);
  await using ana = await JsonClient.join({ invite: web, name: "ana" });
  await room.op.type('{"type":"op","name":"ana","id":1}');
  await room.op.shows("done", { id: 1 });
  const { link = "", web: forBrowsers = "" } = await makeInvite(ana);
  assertMatch(link, /^chat:\/\//);
  const { origin } = new URL(web);
  assertEquals(forBrowsers, `${origin}/${new URL(link).hash}`);
  await assertLetsIn(forBrowsers, ana);
});

Deno.test("keeper who came by a web link makes invites that are web links, which terminals take as well", async () => {
  await using folder = await Folder.make();
  const options = { args: [...WEB, "--sealed"] };
  await using server = await Server.open(folder, options);
  const invite = await webLinkOf(folder);
  const args = ["--found"];
  await using ana = await JsonClient.join({ invite, name: "ana", args });
  const { link = "", web } = await makeInvite(ana);
  assertEquals(web, undefined, server.transcript);
  assert(link.startsWith(`${new URL(invite).origin}/#`), link);
  await assertLetsIn(link, ana);
});

// ── The page ───────────────────────────────────────────────────────────────────────────────────────────

/** What of the page's headers keeps others away from it, and it from others. */
function assertProtected({ headers }: Response, host: string): void {
  const policy = headers.get("content-security-policy") ?? "";
  for (
    const part of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      `connect-src 'self' ws://${host} wss://${host};`,
      "base-uri 'none'",
      "form-action 'none'",
    ]
  ) assertStringIncludes(policy, part);
  assertMatch(policy, /script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+';/);
  assertEquals(headers.get("referrer-policy"), "no-referrer");
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  assertEquals(headers.get("cross-origin-opener-policy"), "same-origin");
  assertStringIncludes(
    headers.get("permissions-policy") ?? "",
    "microphone=()",
  );
}

Deno.test("server gives the page as it was built, to be shown or to be kept, and once to who has it", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: WEB });
  const host = `127.0.0.1:${server.webPort}`;
  const built = await Deno.readTextFile(
    new URL("../../dist/chat.html", import.meta.url),
  );
  const page = await fetch(`http://${host}/?from=mail`);
  assertEquals([page.status, await page.text()], [200, built]);
  assertProtected(page, host);
  assertEquals(page.headers.get("content-disposition"), null);
  const kept = await fetch(`http://${host}/chat.html`);
  assertEquals([kept.status, await kept.text()], [200, built]);
  assertMatch(kept.headers.get("content-disposition") ?? "", /^attachment; /);
  const packed = await Deno.connect({ port: server.webPort });
  const asked = { "accept-encoding": "gzip, deflate, br" };
  await writeAll(packed, upgradeRequest(asked, "GET / HTTP/1.1"));
  assertMatch(await readHead(packed), /^content-encoding: br\r$/m);
  packed.close();
  const plain = await fetch(`http://${host}/`, {
    headers: { "accept-encoding": "identity" },
  });
  assertEquals(
    plain.headers.get("content-length"),
    String(new Blob([built]).size),
  );
  assertEquals(await plain.text(), built);

  const tag = plain.headers.get("etag") ?? "";
  const again = await fetch(`http://${host}/`, {
    headers: { "accept-encoding": "identity", "if-none-match": `"x", ${tag}` },
  });
  assertEquals([again.status, await again.text()], [304, ""]);
  assertProtected(again, host);
  const head = await fetch(`http://${host}/`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  const others = [["/nope", "GET", 404], ["/", "POST", 405], [
    "/chat",
    "GET",
    426,
  ]] as const;
  for (const [path, method, status] of others) {
    const answer = await fetch(`http://${host}${path}`, { method });
    assertEquals([path, answer.status], [path, status]);
    await answer.text();
  }
});

// ── Certificates, and what is printed ──────────────────────────────────────────────────────────────────

Deno.test("server with a certificate serves HTTPS and secure WebSockets, by the certificate's name", async () => {
  await using folder = await Folder.make();
  const { cert, key } = await makeCertificate("chat.example.org", "localhost");
  await Deno.writeTextFile(folder.file("c.pem"), cert);
  await Deno.writeTextFile(folder.file("k.pem"), key);
  const args = [
    ...WEB,
    "--web-cert",
    "c.pem",
    "--web-key",
    "k.pem",
    "--host",
    "0.0.0.0",
  ];
  await using server = await Server.open(folder, { args });
  const port = server.webPort;
  const printed = server.stdout.join("\n");
  assertStringIncludes(printed, `https://chat.example.org:${port}/`);
  assert(!printed.includes("plain HTTP"), printed);

  using client = Deno.createHttpClient({ caCerts: [cert] });
  const page = await fetch(`https://localhost:${port}/`, { client });
  assertEquals(page.status, 200);
  assertProtected(page, `localhost:${port}`);
  await page.text();
  const conn = await Deno.connectTls({ port, caCerts: [cert] });
  await writeAll(conn, upgradeRequest());
  assertMatch(await readHead(conn), /^HTTP\/1\.1 101 /);
  await writeAll(conn, frame(TYPE.ping, Uint8Array.of(1)));
  const pong = new Uint8Array(3);
  assertEquals(await conn.read(pong), 3);
  assertEquals(pong, Uint8Array.of(0x8a, 1, 1));
  conn.close();

  const { stdout } = await runServer(folder, ["--link"]);
  const [link = "", web = ""] = stdout;
  assertEquals(web, `https://chat.example.org:${port}/#${link.split("#")[1]}`);
});

Deno.test({
  name:
    "server reads its certificate again at SIGHUP, keeps one that is still good, and loses nobody",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await Folder.make();
    const write = async ({ cert, key }: Certificate) => {
      await Deno.writeTextFile(folder.file("c.pem"), cert);
      await Deno.writeTextFile(folder.file("k.pem"), key);
    };
    const [first, second] = [
      await makeCertificate("localhost"),
      await makeCertificate("localhost"),
    ];
    await write(first);
    const args = [...WEB, "--web-cert", "c.pem", "--web-key", "k.pem"];
    await using server = await Server.open(folder, { args });
    const port = server.webPort;
    const serves = async ({ cert }: Certificate) => {
      using client = Deno.createHttpClient({ caCerts: [cert] });
      const url = `https://localhost:${port}/chat.html`;
      const answer = await fetch(url, { client, method: "HEAD" });
      return answer.status;
    };
    assertEquals(await serves(first), 200);
    using member = await Deno.connectTls({ port, caCerts: [first.cert] });
    await writeAll(member, upgradeRequest());
    assertMatch(await readHead(member), /^HTTP\/1\.1 101 /);

    await write({ cert: second.cert, key: "junk" });
    server.kill("SIGHUP");
    await server.line(
      /error server: Cannot do what SIGHUP asks for: There is no private key in k\.pem$/,
    );
    assertEquals(await serves(first), 200);
    await write(second);
    server.kill("SIGHUP");
    await server.line(/info server: Opened c\.pem again at SIGHUP$/);
    assertEquals(await serves(second), 200);
    await assertRejects(() => serves(first));
    await writeAll(member, frame(TYPE.ping, Uint8Array.of(1)));
    assertEquals(await member.read(new Uint8Array(3)), 3);
  },
});

Deno.test("server says what is wrong with a certificate, and with flags that miss others, and starts nothing", async () => {
  await using folder = await Folder.make();
  const own = await makeCertificate("a.example");
  const other = await makeCertificate("b.example");
  const files = {
    "c.pem": own.cert,
    "k.pem": own.key,
    "other.pem": other.key,
    "junk.pem": "junk",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(folder.file(name), text);
  }
  const pair = (
    cert: string,
    key: string,
  ) => ["--web", "0", "--web-cert", cert, "--web-key", key];
  const table: [string[], number, string][] = [
    [
      pair("none.pem", "k.pem"),
      1,
      `Cannot read "none.pem": there is no such file or folder`,
    ],
    [
      pair("c.pem", "none.pem"),
      1,
      `Cannot read "none.pem": there is no such file or folder`,
    ],
    [
      pair("junk.pem", "k.pem"),
      1,
      `There is no certificate in junk.pem`,
    ],
    [
      pair("c.pem", "junk.pem"),
      1,
      `There is no private key in junk.pem`,
    ],
    [pair("k.pem", "c.pem"), 1, `There is no certificate in k.pem`],
    [pair("c.pem", "other.pem"), 1, "do not belong together"],
    [
      ["--web", "0", "--web-cert", "c.pem"],
      2,
      "A certificate needs both --web-cert and --web-key",
    ],
    [
      ["--web-url", "https://a.example"],
      2,
      "--web-url needs --web, which is missing",
    ],
    [["--web-key", "k.pem"], 2, "--web-key needs --web, which is missing"],
    [
      ["--web", "here"],
      2,
      'Cannot use --web "here": it is PORT or HOST:PORT, like 8080',
    ],
    [["--web", "99999"], 2, 'Cannot use --web "99999"'],
    [
      ["--web", "0", "--web-url", "chat.example.org"],
      2,
      'Cannot use --web-url "chat.example.org"',
    ],
    [
      ["--web", "0", "--web-url", "https://a.example/chat"],
      2,
      "Cannot use --web-url",
    ],
    [
      ["--web", "0", "--web-url", "https://a.example/#key"],
      2,
      "Cannot use --web-url",
    ],
  ];
  for (const [args, code, sentence] of table) {
    for (const check of [[], ["--check"]]) {
      const ended = await runServer(folder, ["--port", "0", ...args, ...check]);
      const said = ended.stderr.join("\n");
      assertEquals([args, ended.code], [args, code], said);
      assertStringIncludes(said, sentence);
    }
  }
  assertEquals((await namesIn(folder.path)).sort(), Object.keys(files).sort());
});

Deno.test("server prints where the page is, and notes it for --link and invites until it is started without one", async () => {
  await using folder = await Folder.make();
  const run = async (...args: string[]) => {
    await using server = await Server.open(folder, { args: [...WEB, ...args] });
    const key = JSON.parse(await Deno.readTextFile(folder.file("chat.key")));
    const links = (await runServer(folder, ["--link"])).stdout;
    return {
      printed: server.stdout.join("\n"),
      port: server.webPort,
      web: key.web,
      links,
    };
  };
  const local = await run();
  assertStringIncludes(
    local.printed,
    `In a browser here:         http://localhost:${local.port}/`,
  );
  assert(
    !local.printed.includes("#"),
    "the invite is shown to a terminal alone",
  );
  assertEquals(local.web, `http://127.0.0.1:${local.port}`);
  const [link = "", web] = local.links;
  assertEquals(web, `http://localhost:${local.port}/#${link.split("#")[1]}`);
  const proxied = await run("--web-url", "https://chat.example.org");
  assertStringIncludes(
    proxied.printed,
    "In a browser:              https://chat.example.org/",
  );
  assertEquals(
    proxied.links[1],
    `https://chat.example.org/#${link.split("#")[1]}`,
  );
  const invited = await runServer(folder, ["invite", "for ben"]);
  const [forTerminal = "", forBrowser] = invited.stdout;
  assertEquals(
    forBrowser,
    `https://chat.example.org/#${forTerminal.split("#")[1]}`,
  );
  const sealed = await Folder.make();
  await using _sealed = sealed;
  await using server = await Server.open(sealed, {
    args: [...WEB, "--sealed"],
  });
  assertStringIncludes(
    server.stdout.join("\n"),
    `save http://localhost:${server.webPort}/chat.html, open that file, and give it\n`,
  );
  // A server without it takes the note out again.
  await using plain = await Server.open(folder, {});
  assertEquals(
    (await runServer(folder, ["--link"])).stdout.length,
    1,
    plain.transcript,
  );
});

terminalTest(
  "server shows the link for a browser on this machine whole at every start at a terminal, also that by which a sealed room is founded",
  async () => {
    await using terminal = await Terminal.open(200, 40);
    const server = `${shellCommand("server")} --host 127.0.0.1 --port 0`;
    const files = "--log s.log --key-file s.key --people s.people";
    for (const args of ["", "", `--sealed ${files}`, `--sealed ${files}`]) {
      await terminal.line(`clear; ${server} --web 0 ${args}`);
      const rows = await terminal.ends("Ctrl-C stops the server.");
      assertMatch(rows.join("\n"), /http:\/\/localhost:\d+\/#[\w-]{91}\n/);
      await terminal.key("C-c");
      await terminal.ends("$");
    }
  },
);
