/**
 * The server's port for programs, with real ones: what it prints and makes, what members see of it, and what becomes of
 * lines and streams when the server is killed.
 *
 * @module
 */

import { pause } from "../../src/base/timing.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { succeeds } from "../kit/command.ts";
import { Folder, freePort, namesIn } from "../kit/folder.ts";
import { ask, type Asked, EventStream } from "../kit/http.ts";
import { runServer, Server } from "../kit/server.ts";

const HTTP = ["--http", "0"];
const hasCurl = await succeeds("curl", "--version") &&
  await succeeds("sed", "--version");

/** The port for programs that a server printed. */
function httpPort({ stdout, transcript }: Server): number {
  const text = stdout.join("\n");
  const port = /, for programs on 127\.0\.0\.1:(\d+),/.exec(text)?.[1];
  assert(port !== undefined, transcript);
  return Number(port);
}

/** The token that a server made. */
async function tokenIn(folder: Folder): Promise<string> {
  const text = await Deno.readTextFile(folder.file("chat.tokens"));
  const token = /^http (\S+)$/m.exec(text)?.[1];
  assert(token !== undefined, text);
  return token;
}

Deno.test({
  name: `the command that the server prints says something in the room${
    hasCurl ? "" : " (ignored: no curl, or no sed)"
  }`,
  ignore: !hasCurl,
  async fn() {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: HTTP });
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    const printed = server.stdout.join("\n");
    const command = /^For a program .*"http":\n((?: {4}.*\n?)+)/m
      .exec(printed)?.[1];
    assert(command !== undefined, printed);
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `set -e; ${command}`],
      cwd: folder.path,
    }).output();
    const decoder = new TextDecoder();
    const said = JSON.parse(decoder.decode(stdout));
    assertEquals(said, { seq: 3 }, decoder.decode(stderr));
    await ana.shows("said", { name: "http", text: "Hello", seq: 3 });
    await ana.type("/who");
    await ana.shows("away-message", {
      name: "http",
      text: "a program, by HTTP",
    });
    const token = await tokenIn(folder);
    assert(!server.transcript.includes(token), "the token was printed");
    const { mode } = await Deno.stat(folder.file("chat.tokens"));
    assertEquals((mode ?? 0) & 0o777, 0o600);
  },
});

Deno.test("stream has the very lines that a client prints", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: HTTP });
  const { invite } = server;
  const port = httpPort(server);
  const token = await tokenIn(folder);
  await ask(port, { token, body: "first" });
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using stream = await EventStream.open(port, token);
  await using bob = await JsonClient.join({ invite, name: "bob" });
  await bob.type(
    "plain",
    "नमस्ते 🔐 \u202egnp.exe \u001b[31m",
    '{"type":"act","text":"waves"}',
    '{"type":"rename","name":"robert"}',
  );
  await bob.shows("renamed", { newName: "robert" });
  await bob.type('{"type":"reply","to":2,"text":"to the first"}');
  await bob.shows("replied", { text: "to the first" });
  await bob.endInput();
  assertEquals(await bob.finished(), 0);
  await ana.shows("left", { name: "robert" });
  await stream.until(() => stream.events.at(-1)?.type === "left");
  const told = stream.text.match(/^data: .*$/gm)?.map((it) => it.slice(6));
  const shown = ana.stdout.filter((line) =>
    /"name":"(bob|robert)"/.test(line) && /"seq":/.test(line)
  );
  assertEquals(told, shown);
  assert(shown.length >= 6);
});

Deno.test("lines with a key are said once each, in order, and a stream has each once, though the server is killed", async () => {
  await using folder = await Folder.make();
  const [port, http] = [freePort(), freePort()];
  const options = { port, args: ["--http", String(http)] };
  let server = await Server.open(folder, options);
  const token = await tokenIn(folder);
  const count = 60;
  let said = 0;
  const speaking = (async () => {
    for (let n = 1; n <= count; n++) {
      const asked: Asked = {
        token,
        body: `line ${n}`,
        fields: { "idempotency-key": `key ${n}` },
      };
      for (;;) { // as `curl --retry` does
        const { status } = await ask(http, asked)
          .catch(() => ({ status: 0 }));
        if (status === 200) break;
        await pause(20);
      }
      said = n;
    }
  })();
  const numbers: number[] = [];
  const texts: unknown[] = [];
  let isOver = false;
  let current: EventStream | undefined;
  const heard = () =>
    [...texts, ...current?.texts ?? []].filter((text) => text !== undefined);
  const listening = (async () => {
    while (!isOver) {
      try {
        await using stream = await EventStream.open(
          http,
          token,
          numbers.at(-1) ?? 0,
        );
        current = stream;
        await stream.ended();
        current = undefined; // what came is kept here
        for (const { id, data } of stream.events) {
          numbers.push(id);
          texts.push(data["text"]);
        }
      } catch {
        await pause(20); // it is being started
      }
    }
  })();
  try {
    for (let round = 1; round <= 3; round++) {
      while (said < round * count / 4) await pause(1);
      server.kill("SIGKILL");
      await server[Symbol.asyncDispose]();
      server = await Server.open(folder, options);
    }
    await speaking;
    while (!heard().includes(`line ${count}`)) await pause(20);
    isOver = true;
    server.kill("SIGTERM");
    assertEquals(await server.finished(), 0, server.transcript);
    await listening;
    const log = await server.log();
    const lines = log.filter(({ what }) => what === "said")
      .map(({ text }) => text);
    assertEquals(
      lines,
      Array.from({ length: count }, (_, at) => `line ${at + 1}`),
    );
    assertEquals(numbers, numbers.map((_, at) => at + 1));
    assertEquals(heard().slice(0, lines.length), lines);
    assertEquals(log.at(-1)?.what, "left");
  } finally {
    isOver = true;
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("server without a link for everybody lets its own programs in, and nobody else by the way", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: [...HTTP, "--invite-only"],
  });
  const token = await tokenIn(folder);
  const { said } = await ask(httpPort(server), { token, body: "hi" });
  assertEquals(said, { seq: 2 });
  const list = await runServer(folder, ["invite", "list"]);
  assertEquals([list.code, list.stdout.join()], [0, "No invite is open."]);
});

Deno.test("sealed room's server has the port say that it is for clients, and makes no tokens", async () => {
  await using folder = await Folder.make();
  const http = freePort();
  await using server = await Server.open(folder, {
    args: ["--sealed", "--http", String(http)],
  });
  assertStringIncludes(
    server.stderr.join("\n"),
    "The room is sealed: every request by --http is refused",
  );
  const { status, said } = await ask(http, { token: "x", body: "hi" });
  assertEquals(status, 409);
  assertMatch(said.error ?? "", /^The room is sealed: only its members' /);
  assert(!server.stdout.join("\n").includes("curl"));
  assertEquals(
    await Deno.stat(folder.file("chat.tokens")).catch(() => "missing"),
    "missing",
  );
});

Deno.test("port for programs that can't be had is refused at the start with what to do, and --check finds it out", async () => {
  await using folder = await Folder.make();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const cases: readonly [readonly string[], number, RegExp][] = [
    [
      ["--http", "here"],
      2,
      /Cannot use --http "here": it is PORT or HOST:PORT/,
    ],
    [["--http-tokens", "x"], 2, /--http-tokens needs --http, which is missing/],
    [["--http", String(port)], 1, new RegExp(`Port ${port} is in use`)],
    [
      ["--http", "0", "--http-tokens", "missing/x"],
      1,
      /Cannot create "\S*missing\/x"/,
    ],
    [
      ["--http", "0", "--http-tokens", "open"],
      1,
      /Cannot use "\S*open": others can read it \(mode 644\)/,
    ],
    [
      ["--http", "0", "--http-tokens", "wrong"],
      1,
      /Cannot use "\S*wrong": line 1 isn't a name and a token/,
    ],
  ];
  await folder.write("open", "", 0o644);
  await folder.write("wrong", "http short");
  for (const [args, code, why] of cases) {
    for (const more of [[], ["--check"]]) {
      const all = ["--host", "127.0.0.1", "--port", "0", ...args, ...more];
      const ended = await runServer(folder, all);
      assertEquals(ended.code, code, ended.stderr.join("\n"));
      assertMatch(ended.stderr.join("\n"), why);
    }
  }
  // What a start has made that failed is gone again.
  const names = await namesIn(folder.path);
  assertEquals(names.filter((it) => it.startsWith("chat.")), []);
  const fine = await runServer(folder, [
    ...["--host", "127.0.0.1", "--port", "0", "--http", "0", "--check"],
  ]);
  assertEquals(fine.code, 0, fine.stderr.join("\n"));
  const stdout = fine.stdout.join("\n");
  assertMatch(
    stdout,
    /chat\.tokens is not there yet; the server would make it/,
  );
});

Deno.test("port on other addresses than this machine's own warns of what crosses the network", async () => {
  await using folder = await Folder.make();
  const http = freePort();
  await using server = await Server.open(folder, {
    args: ["--http", `0.0.0.0:${http}`],
  });
  assertStringIncludes(
    server.stderr.join("\n"),
    `What programs say to 0.0.0.0:${http} crosses the network as it is, with their tokens: put a proxy with TLS before it`,
  );
  const token = await tokenIn(folder);
  assertEquals((await ask(http, { token, body: "hi" })).said, { seq: 2 });
});
