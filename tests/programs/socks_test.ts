/**
 * The client behind a SOCKS5 proxy, Debian's microsocks: by each kind of link, back after a loss, refused, and never by
 * another way.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { makeCertificate } from "../kit/certificate.ts";
import { type ClientOptions, JsonClient } from "../kit/client.ts";
import { noMicrosocks, SocksProxy } from "../kit/debian_proxies.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { FAST_TIMERS } from "../kit/program.ts";
import { runServer, Server } from "../kit/server.ts";
import { testUnless } from "../kit/system.ts";
import { together } from "../kit/together.ts";

const LOGIN = { user: "ana", password: "hush:@" };
/** What a web link begins with. */
const WEB = /^https?:\/\//;

/** A server's link, by other addresses than its own. */
function by(server: Server, ...hosts: readonly string[]): string {
  const [first = "", ...rest] = hosts;
  const { port } = server;
  const others = rest.map((host) => ({ host, port }));
  return formatInvite({ ...parseInvite(server.invite), host: first, others });
}

/** A server's link for browsers. */
async function webLinkOf(folder: Folder): Promise<string> {
  const { stdout } = await runServer(folder, ["--link"]);
  const link = stdout.find((line) => WEB.test(line));
  assert(link !== undefined, stdout.join("\n"));
  return link;
}

/** Runs a client that must not get in. @returns Its exit code, and what it said on stderr. */
async function refusal(options: ClientOptions): Promise<[number, string]> {
  await using client = await JsonClient.start({ name: "ana", ...options });
  return [await client.finished(), client.stderr.join("\n")];
}

testUnless(
  noMicrosocks,
  "clients come through a proxy by links of both kinds, and it looks up the names",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: ["--web", "0"] });
    await using proxy = await SocksProxy.start();
    const args = ["--proxy", proxy.url];
    const invite = by(server, "localhost");
    await using ana = await JsonClient.join({ invite, args, name: "ana" });
    const web = (await webLinkOf(folder)).replace("127.0.0.1", "localhost");
    const other = { invite: web, args, name: "ben" };
    await using ben = await JsonClient.join(other);
    await ben.type("through it", "x".repeat(4_000));
    await ana.shows("said", { name: "ben", text: "x".repeat(4_000) });
    await ana.type("answer");
    await ben.shows("said", { name: "ana", text: "answer" });
    assertEquals(proxy.targets, [
      `localhost:${server.port}`,
      `localhost:${server.webPort}`,
    ]);
  },
);

testUnless(
  noMicrosocks,
  "client shows a proxy of the environment its password, and does TLS through it",
  async () => {
    await using folder = await Folder.make();
    const { cert, key } = await makeCertificate("localhost");
    const file = await folder.write("c.pem", cert);
    await folder.write("k.pem", key);
    const args = ["--web", "0", "--web-cert", "c.pem", "--web-key", "k.pem"];
    // To Linux this machine itself, and none of the addresses to which ALL_PROXY doesn't apply.
    const host = "0.0.0.0";
    await using server = await Server.open(folder, {
      args: ["--host", host, ...args],
    });
    await using proxy = await SocksProxy.start(LOGIN);
    const password = encodeURIComponent(LOGIN.password);
    const [scheme, place] = proxy.url.split("//");
    const env = {
      ALL_PROXY: `${scheme}//ana:${password}@${place}`,
      DENO_CERT: file,
    };
    const invite = by(server, host);
    await using ana = await JsonClient.join({ invite, env, name: "ana" });
    await proxy.connectsTo(`${host}:${server.port}`);
    const web = `https://localhost:${server.webPort}/#${invite.split("#")[1]}`;
    await using ben = await JsonClient.join({
      invite: web,
      env,
      args: ["--proxy", env.ALL_PROXY],
      name: "ben",
    });
    await ben.type("sealed twice");
    await ana.shows("said", { name: "ben", text: "sealed twice" });
    await proxy.connectsTo(`localhost:${server.webPort}`);
  },
);

testUnless(
  noMicrosocks,
  "client comes back through its proxy after the server, and after the proxy itself, was gone",
  async () => {
    await using folder = await Folder.make();
    const first = await Server.open(folder, { port: freePort() });
    const { port } = first;
    let proxy = await SocksProxy.start();
    const args = ["--proxy", proxy.url];
    const invite = by(first, "localhost");
    await using ana = await JsonClient.join({
      invite,
      args,
      name: "ana",
      runtime: FAST_TIMERS,
    });
    first.kill("SIGKILL");
    await first[Symbol.asyncDispose]();
    await ana.shows("away");
    const refused = "the proxy can't reach the server: connection refused";
    await ana.shows("away", { reason: refused });
    await using second = await Server.open(folder, { port });
    await ana.isIn(2);
    await proxy[Symbol.asyncDispose]();
    const gone =
      `the proxy at 127.0.0.1:${proxy.port} can't be reached: connection refused`;
    await ana.shows("away", { reason: gone });
    proxy = await SocksProxy.start(undefined, proxy.port);
    await using _proxy = proxy;
    await ana.isIn(3);
    await ana.type("here again");
    await ana.shows("said", { text: "here again" });
    assertEquals(proxy.targets, [`localhost:${second.port}`]);
  },
);

// ── Refusals ───────────────────────────────────────────────────────────────────────────────────────────

testUnless(
  noMicrosocks,
  "client whose proxy refuses goes no other way, whatever the link and the environment",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: ["--web", "0"] });
    const web = await webLinkOf(folder);
    await using proxy = await SocksProxy.start(LOGIN);
    // In the server's place, to see whether anybody comes.
    using door = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = door.addr;
    const invite = parseInvite(server.invite);
    const others = [{ host: "localhost", port }];
    const links = [
      formatInvite({ ...invite, port }),
      formatInvite({ ...invite, port, others }),
      web.replace(/:\d+\//, `:${port}/`),
      web.replace(/:\d+\//, `:${port}/`).replace("http:", "https:"),
    ];
    const env = { "NO_PROXY": "*", "no_proxy": "*", "ALL_PROXY": "" };
    const args = ["--proxy", proxy.url];
    const wrong = ["--proxy", proxy.url.replace("//", "//ana:wrong@")];
    const all = links.flatMap((invite) =>
      [args, wrong].map((args) => refusal({ invite, args, env }))
    );
    for (const [code, said] of await Promise.all(all)) {
      assertEquals(code, 1, said);
      assertStringIncludes(said, "the proxy ");
      assert(!said.includes("wrong"), "the password is shown");
    }
    await using last = await Deno.connect({ hostname: "127.0.0.1", port });
    using first = await door.accept();
    assertEquals(first.remoteAddr.port, last.localAddr.port);
    assertEquals(proxy.targets, []);
  },
);

const refused = together("clients that get nowhere by their proxy");

refused("give one up that says nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  const args = ["--proxy", `socks5://127.0.0.1:${port}`];
  const invite = madeUpLink("192.0.2.7");
  const [code, said] = await refusal({ invite, args, runtime: FAST_TIMERS });
  assertEquals(code, 1);
  assertStringIncludes(said, "Cannot join 192.0.2.7:5000: no answer from");
});

refused("say so where what is named is none", async () => {
  const invite = madeUpLink("192.0.2.7");
  const url = "http://ana:hush@127.0.0.1:3128";
  const ways: [Partial<ClientOptions>, string][] = [
    [{ args: ["--proxy", url] }, "Cannot use --proxy: a proxy is socks5://"],
    [
      { env: { ALL_PROXY: url } },
      "Cannot use ALL_PROXY, which is set in your environment: a proxy is socks5://",
    ],
  ];
  for (const [options, why] of ways) {
    const [code, said] = await refusal({ invite, ...options });
    assertEquals(code, 2);
    assertStringIncludes(said, why);
    assert(!said.includes("hush"), said);
  }
});

refused(
  "say once that it can't be reached, whatever the number of servers",
  async () => {
    const place = `127.0.0.1:${freePort()}`;
    const host = { host: "192.0.2.8", port: 5000 };
    const two = formatInvite({
      ...parseInvite(madeUpLink("192.0.2.7")),
      others: [host],
    });
    const args = ["--proxy", `socks5://${place}`];
    for (const invite of [madeUpLink("192.0.2.7"), two]) {
      const [code, said] = await refusal({ invite, args });
      assertEquals(code, 1);
      const why =
        `Cannot join: the proxy at ${place} can't be reached: connection refused.`;
      assertStringIncludes(said, `${why}\nCheck that the proxy runs.`);
      assertEquals(said.split("can't be reached").length, 2, said);
    }
  },
);

refused("ask nobody for an address of Tor without one", async () => {
  const host = `${"a".repeat(56)}.onion`;
  const links = [
    madeUpLink(host),
    (madeUpLink(host)).replace("chat://", "https://"),
  ];
  for (const invite of links) {
    const [code, said] = await refusal({ invite });
    assertEquals(code, 1);
    const why = "it is reached through Tor alone: --proxy socks5://127.0.0.1:";
    assertStringIncludes(said, why);
  }
});

/** A link that leads nowhere. */
function madeUpLink(host: string): string {
  const secret = new Uint8Array(32).fill(7);
  const keys = { serverKey: secret, secret, id: 0 };
  return formatInvite({ host, port: 5000, ...keys });
}
