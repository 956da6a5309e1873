/**
 * The client program where its own streams and files are not as usual: a full disk, a folder as input, closed
 * streams, a reader that goes away, named pipes.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { Client, type ClientOptions, JsonClient } from "../kit/client.ts";
import { runToEnd } from "../kit/command.ts";
import { assertSaid } from "../kit/expect.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { testUnless } from "../kit/system.ts";

const noFullDisk = Deno.build.os === "linux" ? undefined : "no /dev/full here";

/** What starts a client with a stream redirected as a shell does it. */
function redirected(how: string): ClientOptions {
  return { prefix: ["sh", "-c", `exec "$@" ${how}`, "sh"] };
}

/** Runs a client to its end, its input empty. */
async function ended(options: ClientOptions) {
  await using client = await Client.plain(options);
  await client.endInput();
  const code = await client.finished();
  return { code, stdout: client.stdout, stderr: client.stderr };
}

const FULL = "Cannot write to standard output: the disk is full.";

testUnless(
  noFullDisk,
  "client whose standard output is full says so in one sentence, leaves, and exits with 1",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ben = await JsonClient.join({ invite, name: "ben" });
    for (const args of [["--json"], []]) {
      const name = `ana${args.length}`;
      const options = { invite, name, args, ...redirected(">/dev/full") };
      await using ana = await Client.plain(options);
      await ben.shows("joined", { name });
      await ben.type("hello"); // so that a plain client has something to print
      assertEquals(await ana.finished(), 1);
      assertEquals(ana.stderr.at(-1), FULL);
      await ben.shows("left", { name, reason: "left" });
    }
    const moves = (await server.log()).filter(({ name }) => /^ana/.test(name));
    assertEquals(moves.map(({ what }) => what), [
      "joined",
      "left",
      "joined",
      "left",
    ]);
  },
);

testUnless(
  noFullDisk,
  "client that only prints something says in one sentence that standard output is full",
  async () => {
    for (const args of [["--help"], ["--version"], ["--completions", "bash"]]) {
      const full = await ended({ args, ...redirected(">/dev/full") });
      assertEquals(full, { code: 1, stdout: [], stderr: [FULL] });
      const both = redirected(">/dev/full 2>/dev/full");
      assertEquals(await ended({ args, ...both }), {
        code: 1,
        stdout: [],
        stderr: [],
      });
    }
    const options = { args: ["--flog"], ...redirected("2>/dev/full") };
    assertEquals((await ended(options)).code, 2);
  },
);

testUnless(
  noFullDisk,
  "client whose stderr is full goes on, and exits with 1 for a line that was refused",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    const options = { invite, name: "ana", ...redirected("2>/dev/full") };
    await using ana = await Client.plain(options);
    await ana.type("one", "x".repeat(5_000), "two");
    await ana.endInput();
    assertEquals(await ana.finished(), 1);
    assertSaid(await server.log(), "ana", ["one", "two"]);
  },
);

Deno.test("client whose reader goes away leaves quietly", async () => {
  const { code, stderr } = await ended({
    prefix: ["sh", "-c", 'trap "" PIPE; { "$@"; echo $? >&2; } | true', "sh"],
    args: ["--help"],
  });
  assertEquals([code, stderr], [0, ["0"]]);
});

Deno.test("client whose input is a folder says so in one sentence, leaves, and exits with 1", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const sentence = "Cannot read standard input: it is a folder.";
  for (const args of [["--name", "ana"], ["--name", "eve", "--json"], []]) {
    const options = { invite, args, ...redirected(`<'${folder.path}'`) };
    const { code, stderr } = await ended(options);
    assertEquals([code, stderr.at(-1)], [1, sentence]);
  }
  const other = { args: ["--link", "-"], ...redirected(`<'${folder.path}'`) };
  assertEquals((await ended(other)).stderr, [sentence]);
  // Whoever came in before that was clear has taken leave.
  const log = await server.log();
  const came = log.filter(({ what }) => what === "joined");
  const left = log.filter(({ what, text }) =>
    what === "left" && text === "left"
  );
  assertEquals(came.length, left.length);
});

Deno.test("client with closed streams takes them for empty ones", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  for (const [at, how] of ["<&-", ">&-", "<&- >&- 2>&-"].entries()) {
    const options = { invite, name: `ana${at}`, ...redirected(how) };
    assertEquals((await ended(options)).code, 0, how);
  }
});

Deno.test("client tells of a fault of its own in one sentence, without a stack trace", async () => {
  const explain = new URL("../../src/client/explain.ts", import.meta.url);
  for (const fault of ["throw error", "Promise.reject(error)"]) {
    const program = `import { endAtFaults, explain } from "${explain}";
      endAtFaults((error) => Deno.exit(explain(error, true)));
      const error = new TypeError("out of\\x1b cheese");
      setTimeout(() => { ${fault} });`;
    const words = [Deno.execPath(), "eval", program];
    const { code, stdout, stderr } = await runToEnd(words);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      "The client has a fault and cannot go on: TypeError: out of\\u001b cheese.\n",
    );
    const { type, message } = JSON.parse(stdout);
    assertEquals([type, message], ["error", "out of\x1b cheese"]);
  }
});

testUnless(
  Deno.build.os === "windows" ? "no named pipes here" : undefined,
  "client offers ordinary files alone, says what else there is, and goes on",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    const pipe = folder.file("pipe");
    await runToEnd(["mkfifo", pipe]);
    const table: [string, RegExp][] = [
      [pipe, /^Cannot send ".*": it is a pipe, not an ordinary file$/],
      ["/dev/zero", /^Cannot send ".*": it is a device, not an ordinary file$/],
      [folder.path, /^Cannot send ".*": it is a folder$/],
    ];
    for (const [path] of table) {
      await ana.type(JSON.stringify({ type: "send", path }));
    }
    await ana.type("still here");
    await ana.endInput();
    assertEquals(await ana.finished(), 0);
    const told = ana.all("note").map(({ text = "" }) => text);
    assertEquals(told.length, table.length);
    for (const [at, [, sentence]] of table.entries()) {
      assertMatch(told[at] ?? "", sentence);
    }
    assertSaid(await server.log(), "ana", ["still here"]);
  },
);

Deno.test("client with --identity needs no home, and one without says what is missing", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const homeless = { prefix: ["env", "-u", "HOME", "-u", "APPDATA"] };
  const file = folder.file("ana.identity");
  for (let times = 0; times < 2; times++) {
    const args = ["--identity", file];
    await using ana = await Client.plain({
      invite,
      name: "ana",
      args,
      ...homeless,
    });
    await ana.type("hello");
    await ana.endInput();
    assertEquals([await ana.finished(), ana.stderr.length < 2], [0, true]);
  }
  const [first, , , second] = await server.log();
  assertEquals(first?.person, second?.person);
  const { code, stderr } = await ended({ invite, name: "ben", ...homeless });
  assertEquals(code, 2);
  assertMatch(stderr[0] ?? "", /set HOME, or give --identity FILE/);
  // A home that can't be had is as good as none.
  const args = ["--identity", file];
  const nowhere = { prefix: ["env", "XDG_CONFIG_HOME=/dev/null/x"] };
  const other = await ended({ invite, name: "ana", args, ...nowhere });
  assertEquals(other.code, 0);
  assert(!other.stderr.join().includes("/dev/null"));
});
