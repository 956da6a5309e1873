/**
 * The server behind proxies that say whom they pass on, by the PROXY protocol, version 2: Debian's haproxy, and proxies
 * of the test's own that say what no proper one would.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { firstRecord } from "../../bench/strangers/flood.ts";
import { type Bytes, concat } from "../../crypto_utils.ts";
import { assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { utf8 } from "../kit/bytes.ts";
import { makeCertificate } from "../kit/certificate.ts";
import { JsonClient } from "../kit/client.ts";
import { noHaproxy, startHaproxy } from "../kit/debian_proxies.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { Wire } from "../kit/intruder.ts";
import {
  CLIENT_ADDRESS,
  Network,
  SERVER_ADDRESS,
} from "../kit/network/network.ts";
import { runServer, Server } from "../kit/server.ts";
import { testUnless } from "../kit/system.ts";

/** The address by which haproxy comes, so that others on this machine need no header. */
const PROXY = "127.0.0.2";
/** How many may be connected from one address. */
const PLACES = 64;

/** A part of haproxy's configuration: passes on what comes to an address. */
function passing(from: string, to: number, more = ""): string {
  return [
    `listen to${to}`,
    "  mode tcp",
    "  timeout connect 5s",
    "  timeout client 1h",
    "  timeout server 1h",
    `  bind ${from}`,
    `  source ${PROXY}`,
    `  server chat 127.0.0.1:${to} send-proxy-v2 ${more}`,
    "",
  ].join("\n");
}

/** A server's link, by a proxy. */
function over(server: Server, host: string, port: number): string {
  return formatInvite({ ...parseInvite(server.invite), host, port });
}

/** The lines that a server has written of addresses. */
function saidOf(server: Server): string[] {
  return server.stderr.flatMap((line) =>
    /gate: (.*)$/.exec(line)?.slice(1) ?? []
  );
}

const noNetwork = await Network.obstacle();

testUnless(
  noHaproxy ?? noNetwork,
  "server behind haproxy counts members by their own addresses, and logs them, and takes its checks for what they are",
  async () => {
    await using folder = await Folder.make();
    await using network = await Network.make();
    const { serverPrefix: prefix, clientPrefix } = network;
    const port = freePort();
    await using server = await Server.open(folder, {
      prefix,
      args: ["--proxy-protocol", PROXY, "--max-per-address", "1"],
    });
    const checks = "check inter 100 check-send-proxy";
    const sections = passing(
      `${SERVER_ADDRESS}:${port}`,
      server.port,
      checks,
    );
    await using _haproxy = await startHaproxy(folder, sections, prefix);
    const invite = over(server, SERVER_ADDRESS, port);
    const far = { invite, prefix: clientPrefix };
    await using ana = await JsonClient.join({ ...far, name: "ana" });
    await using late = await JsonClient.start({ ...far, name: "late" });
    assertEquals(await late.finished(), 1);
    await server.line(
      new RegExp(
        `gate: ${
          RegExp.escape(CLIENT_ADDRESS)
        }: turned away: too many connections from there\\. .* --max-per-address$`,
      ),
    );
    // The proxy's place is free for others, and so is this machine's.
    const near = { invite, prefix };
    await using ben = await JsonClient.join({ ...near, name: "ben" });
    await using eve = await JsonClient.join({
      invite: server.invite,
      prefix,
      name: "eve",
    });
    await ana.type("from far");
    for (const client of [ben, eve]) {
      await client.shows("said", { name: "ana", text: "from far" });
    }
    assertEquals(saidOf(server).length, 1, server.transcript);
  },
);

testUnless(
  noHaproxy,
  "server behind haproxy limits who comes from this machine by it, at both ports, and nobody who comes without",
  async () => {
    await using folder = await Folder.make();
    const many = ["--max-handshakes-per-address", "1000"];
    await using server = await Server.open(folder, {
      args: ["--proxy-protocol", `10.0.0.0/8,${PROXY}`, "--web", "0", ...many],
    });
    const [port, webPort] = [freePort(), freePort()];
    await using _haproxy = await startHaproxy(
      folder,
      passing(`127.0.0.1:${port}`, server.port) +
        passing(`127.0.0.1:${webPort}`, server.webPort),
    );
    const invite = over(server, "127.0.0.1", port);
    await using ana = await JsonClient.join({ invite, name: "ana" });
    const web = over(server, "127.0.0.1", webPort).replace("chat:", "http:");
    await using ben = await JsonClient.join({ invite: web, name: "ben" });
    await ben.type("by the web");
    await ana.shows("said", { name: "ben", text: "by the web" });
    assertEquals(saidOf(server), []);

    using wires = new DisposableStack();
    const fill = async (port: number) => {
      for (let count = 0; count < PLACES; count++) {
        wires.use(await Wire.to({ port }));
      }
    };
    await fill(server.port);
    const direct = { invite: server.invite, name: "direct" };
    await using eve = await JsonClient.join(direct);
    assertEquals(saidOf(server), []);
    await fill(port);
    await server.line(
      /gate: 127\.0\.0\.1: turned away: too many connections from there\. .* --max-per-address$/,
    );
    await using late = await JsonClient.start({ invite: web, name: "late" });
    assertEquals(await late.finished(), 1);
    await ana.type("undisturbed");
    await eve.shows("said", { name: "ana", text: "undisturbed" });
  },
);

testUnless(
  noHaproxy,
  "docs/server.md's haproxy.cfg serves terminals, and browsers by HTTPS",
  async () => {
    await using folder = await Folder.make();
    const { cert, key } = await makeCertificate("localhost");
    await using server = await Server.open(folder, {
      args: ["--proxy-protocol", PROXY, "--web", "0"],
    });
    const [port, webPort] = [freePort(), freePort()];
    const file = await folder.write("chat.pem", cert + key);
    const certificate = await folder.write("cert.pem", cert);
    const page = new URL("../../docs/server.md", import.meta.url);
    const [, shown = ""] =
      /((?:^ {4}.*\n|^\n)*^ {4}listen terminals\n(?:^ {4}.*\n|^\n)*)/m
        .exec(await Deno.readTextFile(page)) ?? [];
    const text = shown.replaceAll(/^ {4}/gm, "")
      .replace("bind :5000", `bind 127.0.0.1:${port}`)
      .replace("bind :443", `bind 127.0.0.1:${webPort}`)
      .replace("127.0.0.1:5001", `127.0.0.1:${server.port}`)
      .replace("127.0.0.1:8080", `127.0.0.1:${server.webPort}`)
      .replace("/etc/haproxy/chat.pem", file);
    await using _haproxy = await startHaproxy(folder, text);
    const invite = over(server, "127.0.0.1", port);
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({
      invite: over(server, "localhost", webPort).replace("chat:", "https:"),
      name: "ben",
      env: { DENO_CERT: certificate },
    });
    await ben.type("by the web");
    await ana.shows("said", { name: "ben", text: "by the web" });
  },
);

// ── Proxies that say something else ────────────────────────────────────────────────────────────────────

const SIGNATURE = utf8("\r\n\r\n\0\r\nQUIT\n");
/** A header that tells 203.0.113.7 to be the client. */
const HEADER = concat(
  SIGNATURE,
  Uint8Array.fromHex("2111000c" + "cb007107" + "7f000001" + "d4311388"),
);
/** One of a proxy's own connections. */
const LOCAL = concat(SIGNATURE, Uint8Array.fromHex("20000000"));
/** What is no record of a handshake. */
const NOISE = new Uint8Array(100).fill(0xee);

/** Says something to a server, and then nothing. @returns All that comes back. */
async function say(
  { port }: Pick<Server, "port">,
  bytes: Bytes,
): Promise<Bytes> {
  using wire = await Wire.to({ port });
  return await wire.exchange(bytes);
}

Deno.test("server takes a header from a named network alone, and nothing without one from there", async () => {
  await using folder = await Folder.make();
  const known = ["--proxy-protocol", "127.0.0.0/8"];
  await using server = await Server.open(folder, { args: known });
  const refused =
    "127.0.0.1: not let in: Cannot read the header of the PROXY protocol, version 2: ";
  const invite = { invite: server.invite, name: "ana" };
  await using ana = await JsonClient.start(invite);
  assertEquals(await ana.finished(), 1);
  await server.line(new RegExp(`${refused}there is none$`));
  await say(server, utf8("PROXY TCP4 192.0.2.7 192.0.2.9 5000 5000\r\n"));
  await server.line(new RegExp(`${refused}it is of version 1$`));
  await say(server, HEADER.slice(0, -1));
  await server.line(new RegExp(`${refused}the connection ended$`));

  assertEquals(await say(server, concat(HEADER, NOISE)), new Uint8Array(0));
  await server.line(
    /203\.0\.113\.7: not let in: Cannot read a record: its type is /,
  );
  await say(server, concat(LOCAL, NOISE));
  await server.line(
    / 127\.0\.0\.1: not let in: Cannot read a record: its type is /,
  );
  const before = saidOf(server).length;
  await say(server, new Uint8Array(0)); // as one that only looks whether somebody listens
  await say(server, LOCAL);
  await say(server, HEADER);
  assertEquals(saidOf(server).length, before, server.transcript);

  await using other = await Folder.make();
  const strange = ["--proxy-protocol", "10.0.0.0/8"];
  await using second = await Server.open(other, { args: strange });
  await say(second, concat(HEADER, NOISE));
  await second.line(
    / 127\.0\.0\.1: not let in: Cannot read a record: its type is /,
  );
  const direct = { invite: second.invite, name: "ben" };
  await using _ben = await JsonClient.join(direct);
});

Deno.test("server waits for a proxy's header as long as for a handshake, and lets others in meanwhile", async () => {
  await using folder = await Folder.make();
  const known = ["--proxy-protocol", "127.0.0.1", "--handshake-time", "1"];
  await using server = await Server.open(folder, { args: known });
  using slow = await Wire.to(server);
  await writeAll(slow.conn, HEADER.slice(0, 20));
  using silent = await Wire.to(server);
  await say(server, concat(HEADER, NOISE));
  await server.line(/203\.0\.113\.7: not let in: Cannot read a record/);
  for (const wire of [slow, silent]) {
    assertEquals(await wire.rest(), new Uint8Array(0));
  }
  const late = "127.0.0.1: not let in: The proxy said nothing in time";
  await server.until(
    "both to be late",
    () => saidOf(server).filter((it) => it === late).length === 2 || undefined,
  );
});

Deno.test("server has places for as many headers to come as for handshakes, and lets the oldest go for another", async () => {
  await using folder = await Folder.make();
  const known = ["--proxy-protocol", "127.0.0.1", "--max-handshakes", "1"];
  await using server = await Server.open(folder, {
    args: [...known, "--handshake-time", "600"],
  });
  using silent = await Wire.to(server);
  await writeAll(silent.conn, HEADER.slice(0, 20));
  const proper = concat(HEADER, await firstRecord());
  // Closed at once until the first has had its second.
  while ((await say(server, proper)).length === 0);
  assertEquals(await silent.rest(), new Uint8Array(0));
  await server.line(
    / 127\.0\.0\.1: not let in: Too many come whom the proxy doesn't/,
  );
});

Deno.test("server says what is wrong with the networks of its proxies, before it begins", async () => {
  await using folder = await Folder.make();
  const web = ["--web", "0", "--web-cert", "c.pem", "--web-key", "k.pem"];
  const { cert, key } = await makeCertificate("localhost");
  await folder.write("c.pem", cert);
  await folder.write("k.pem", key);
  const wrong: [string[], string][] = [
    [["localhost"], 'Cannot use --proxy-protocol "localhost": it is addresses'],
    [["10.0.0.0/33"], 'Cannot use --proxy-protocol "10.0.0.0/33": it is addr'],
    [["10.0.0.1", ...web], "--proxy-protocol can't be had with --web-cert, "],
  ];
  for (const [args, why] of wrong) {
    for (const check of [[], ["--check"]]) {
      const all = ["--port", "0", "--proxy-protocol", ...args, ...check];
      const { code, stderr } = await runServer(folder, all);
      assertEquals(code, 2);
      assertStringIncludes(stderr.join("\n"), why);
    }
  }
  assertEquals(await folder.names(), ["c.pem", "k.pem"]);
});
