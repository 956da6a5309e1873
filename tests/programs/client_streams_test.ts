/**
 * The client program where its own streams and files are not as usual: a full disk, a folder as input, closed
 * streams, a reader that goes away, named pipes.
 *
 * @module
 */

import { assertEquals, assertMatch } from "../kit/assert.ts";
import { Client, type ClientOptions, JsonClient } from "../kit/client.ts";
import schema from "../../src/client/pipe/schema/json-lines.schema.json" with {
  type: "json",
};
import { runToEnd } from "../kit/command.ts";
import { assertSaid } from "../kit/expect.ts";
import { run } from "../kit/command.ts";
import { Folder } from "../kit/folder.ts";
import { fits } from "../kit/json_schema.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { Server } from "../kit/server.ts";
import { typeClient } from "../kit/stage.ts";
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
      assertEquals(ana.stderr, [FULL]);
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

Deno.test("client whose reader goes away before it has printed its help ends quietly", async () => {
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
    assertEquals([code, stderr], [1, [sentence]]);
  }
  const other = { args: ["--link", "-"], ...redirected(`<'${folder.path}'`) };
  assertEquals((await ended(other)).stderr, [sentence]);
  // Whoever came in before that was clear has taken leave.
  const log = await server.logs((log) => {
    const [came, left] = ["joined", "left"].map((what) =>
      log.filter((it) => it.what === what).length
    );
    return came === left; // a client doesn't wait for long until its goodbye is taken
  });
  const left = log.filter(({ what }) => what === "left");
  assertEquals(left.filter(({ text }) => text !== "left"), []);
});

Deno.test("client with closed streams takes them for empty ones", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  for (const [at, how] of ["<&-", ">&-", "<&- >&- 2>&-"].entries()) {
    const options = { invite, name: `ana${at}`, ...redirected(how) };
    assertEquals((await ended(options)).code, 0, how);
  }
  const log = await server.log();
  const came = log.filter(({ what }) => what === "joined");
  assertEquals(came.map(({ name }) => name), ["ana0", "ana1", "ana2"]);
  assertEquals(log.filter(({ what }) => what === "said"), []);
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
    assertEquals(await ana.finished(), 1);
    const told = ana.all("error").map(({ message = "" }) => message);
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
    assertEquals([await ana.finished(), ana.stderr], [0, []]);
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
  assertEquals([other.code, other.stderr], [0, []]);
});

Deno.test("client on a pipe prints nothing where nothing happens but what it says", async () => {
  await using folder = await Folder.make();
  const motd = await folder.write("motd", "Welcome");
  const args = ["--motd", motd];
  await using server = await Server.open(folder, { args });
  const { invite } = server;
  for (const text of ["first run", "second run"]) {
    await using cron = await Client.plain({ invite, name: text.slice(0, 5) });
    await cron.type(text);
    await cron.endInput();
    assertEquals(await cron.finished(), 0);
    assertEquals([cron.stdout, cron.stderr], [[], []]);
  }
  const log = await server.log();
  assertSaid(log, "first", ["first run"]);
  const texts = async (name: string, ...args: string[]) =>
    (await ended({ invite, name, args })).stdout
      .map((line) => line.replace(/^\S+Z /, ""));
  const said = ["first: first run", "secon: second run"];
  assertEquals(await texts("eve", "--history", "1"), said.slice(1));
  assertEquals(await texts("kim", "--history", "9999"), said);
  assertEquals(await texts("cem", "--no-history"), []);
  const both = ["--history", "1", "--no-history"];
  assertEquals((await ended({ invite, name: "kim", args: both })).code, 2);
});

Deno.test("program's requests that come at once are answered when it is in the room, by what it calls them", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await Deno.writeTextFile(folder.file("hut.txt"), "hut");
  await ben.type(
    JSON.stringify({ type: "send", path: folder.file("hut.txt") }),
  );
  const { seq: offer } = await ben.shows("offered");
  await using ana = await JsonClient.start({
    invite,
    name: "ana",
    args: ["--downloads", folder.file("taken")],
  });
  const requests: object[] = [
    { type: "who", id: 1 },
    { type: "get", offer, id: "two" },
    { type: "get", offer: 99, id: 3 },
    { type: "send", path: folder.file("none"), id: 4 },
    { type: "drop", offer: 98, id: 5 },
    { type: "say", text: "   ", id: 6 },
    { type: "say", text: "hello", id: 7 },
    { type: "kick", name: "ben", id: 8 },
    { type: "release", id: 9 },
    { type: "verify", name: "nobody", id: 10 },
    { type: "history", count: 1, id: 11 },
    { type: "act", text: "\u200b", id: 12 },
  ];
  await ana.type(...requests.map((request) => JSON.stringify(request)));
  await ana.endInput();
  assertEquals(await ana.finished(), 1); // a line was refused
  const answers = (id: number | string) =>
    ana.shown.filter((it) => it.id === id);
  const types = (id: number | string) => answers(id).map(({ type }) => type);
  const [{ members = [] } = {}] = answers(1);
  assertEquals(members.map(({ name }) => name).toSorted(), ["ana", "ben"]);
  assertEquals(types("two")[0], "file");
  assertEquals(answers("two").at(-1)?.type, "file");
  for (const id of [3, 4, 5, 10]) assertEquals(types(id), ["error"]);
  assertEquals(
    [answers(6), answers(12)].map(([it]) => [it?.type, it?.reason]),
    [["refused", "text-empty"], ["refused", "text-empty"]],
  );
  assertEquals(types(7), ["said"]);
  assertEquals(types(8), ["error", "done"]);
  assertEquals(types(9), ["note", "done"]);
  assertEquals(types(11), ["found"]);
  const entered = ana.shown.findIndex(({ type }) => type === "current");
  const first = ana.shown.findIndex((it) => "id" in it);
  assertEquals(entered < first, true);
  for (const line of ana.shown) assertEquals(fits(line, schema), true);
  // Who offered it is told who has it.
  const { name } = await ben.shows("taken");
  assertEquals(name, "ana");
  assertEquals(fits(ben.all("taken")[0], schema), true);
  assertSaid(await server.log(), "ana", ["hello"]);
});

terminalTest(
  "client whose output alone is a pipe asks its questions on stderr",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await using terminal = await Terminal.open(80);
    const kept = terminal.folder.file("kept.txt");
    await typeClient(terminal, `'${server.invite}' | tee '${kept}'`);
    await terminal.ends("Enter your name:");
    await terminal.line("two words");
    await terminal.shows(/^Cannot go by "two words": A name has/);
    await terminal.line("/help");
    await terminal.shows(/^The others will know you by it\./);
    await terminal.line("ana");
    await terminal.prompts("Joined ");
    await terminal.line("hello");
    await terminal.sees((rows) =>
      rows.at(-1)?.endsWith("Z ana: hello") === true
    );
    await terminal.key("C-d");
    await terminal.ends("$");
    assertMatch(await Deno.readTextFile(kept), /^\S+Z ana: hello\n$/);
  },
);

for (const [what, keys] of [["/quit", "/quit\n"], ["Ctrl-D", "\x04"]]) {
  terminalTest(
    `client is left by ${what} where it asks for the name`,
    async () => {
      await using folder = await Folder.make();
      await using server = await Server.open(folder);
      await using terminal = await Terminal.open(80);
      await typeClient(terminal, `'${server.invite}'; echo "code $?"`);
      await terminal.ends("Enter your name:");
      await terminal.type(keys ?? "");
      await terminal.shows("code 0");
      assertEquals(await server.log(), []);
    },
  );
}

terminalTest(
  "client at a dumb terminal writes plain rows, and does what is typed",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ben = await JsonClient.join({ invite, name: "ben" });
    for (
      const [name = "", term] of [["ana", "TERM=dumb"], ["eve", "-u TERM"]]
    ) {
      await using terminal = await Terminal.open(80);
      const raw = terminal.folder.file("raw");
      await terminal.tmux("pipe-pane", "-t", "t", `cat > '${raw}'`);
      await typeClient(terminal, `'${invite}'; echo "code $?"`, term);
      await terminal.ends("Enter your name:");
      await terminal.line(name);
      await terminal.sees((rows) =>
        rows.some((row) =>
          row.startsWith(`Joined `) && row.includes(`as ${name}`)
        )
      );
      await terminal.line("hello");
      await ben.shows("said", { name, text: "hello" });
      await ben.type("hello ana");
      await terminal.shows(/ben {8}hello ana$/);
      await terminal.line("/who");
      await terminal.shows(/^ben /);
      await terminal.line("/save 'what I saw.txt'");
      await terminal.sees((rows) =>
        rows.some((row) => row.startsWith("Saved ") && !row.includes('""'))
      );
      await terminal.key("C-c");
      await terminal.shows(/code 0$/);
      const shown = await Deno.readTextFile(raw);
      const own = shown.slice(
        shown.indexOf("Welcome"),
        shown.lastIndexOf("code"),
      );
      assertEquals(own.includes("hello ana"), true, own);
      assertEquals(own.includes("\x1b") || own.includes("\x07"), false);
      await ben.shows("left", { name, reason: "left" });
    }
  },
);

terminalTest(
  "client at a terminal leaves at Ctrl-D though a line can't be sent, and sends nothing of a named pipe",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await using terminal = await Terminal.open(80);
    const pipe = terminal.folder.file("a pipe");
    await runToEnd(["mkfifo", pipe]);
    await typeClient(terminal, `'${server.invite}' --name ana; echo "code $?"`);
    await terminal.ends("ana>");
    await terminal.line(`/send '${pipe}'`);
    await terminal.sees((rows) =>
      rows.join(" ").replace(/\s+/g, " ").includes(
        "it is a pipe, not an ordinary file",
      )
    );
    await terminal.line("still here");
    await terminal.shows(/still here$/);
    await terminal.key("C-d");
    await terminal.shows("code 0");
  },
);

terminalTest(
  "client is left by Ctrl-D while its lines have no room to wait",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await using terminal = await Terminal.open(80);
    await typeClient(terminal, `'${server.invite}' --name ana; echo "code $?"`);
    await terminal.ends("ana>");
    server.kill("SIGKILL");
    await terminal.sees((rows) =>
      rows.at(-1)?.includes("not connected") === true
    );
    for (const waiting of [600, 1_024]) { // and then some that wait for a place
      for (let at = 0; at < 600; at += 100) {
        await terminal.type("x\r".repeat(100));
      }
      await terminal.sees((rows) =>
        rows.at(-1)?.includes(`${waiting} waiting`) === true
      );
    }
    await terminal.key("C-d");
    await terminal.shows("code 0");
  },
);

terminalTest(
  "client says what is wrong with the command before it welcomes anybody",
  async () => {
    await using terminal = await Terminal.open(80);
    const wrong: [string, RegExp][] = [
      ["--name 'two words' 127.0.0.1:9", /^Cannot go by "two words"/],
      ["chat://nowhere", /^Cannot read/],
      ["127.0.0.1:9 --name ana", /^You were never in a room at 127\.0\.0\.1:9/],
      ["--identity /", /^Cannot/],
    ];
    for (const [rest, sentence] of wrong) {
      await typeClient(terminal, `${rest}; echo "code $?"`);
      // Its own exit code: the row of the round before may still be there.
      const rows = await terminal.sees((rows) => {
        const at = rows.findIndex((row) => sentence.test(row));
        return at >= 0 &&
          rows.slice(at).some((row) => /^code [12]$/.test(row));
      });
      assertEquals(rows.some((row) => row.startsWith("Welcome")), false);
    }
  },
);

terminalTest(
  "client asks for a passphrase only where there is something to open, and never in its output",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await using terminal = await Terminal.open(80);
    await typeClient(terminal, "--import");
    await terminal.ends("Exported identity:");
    await terminal.line("hello");
    const rows = await terminal.ends("$");
    assertEquals(
      rows.some((row) => /^Cannot read the identity/.test(row)),
      true,
    );
    assertEquals(rows.some((row) => row.includes("passphrase:")), false);

    await typeClient(terminal, `'${server.invite}' --name ana </dev/null`);
    await terminal.ends("$");
    const exported = terminal.folder.file("exported");
    await typeClient(terminal, `--export --name ana >'${exported}'`);
    await terminal.ends("Passphrase for it, at least 8 characters:");
    await terminal.line("correct hörse\x7f\x7f\x7f\x7forse battery");
    await terminal.ends("Again:");
    await terminal.line("correct horse battery");
    await terminal.ends("$");
    const text = await Deno.readTextFile(exported);
    assertMatch(text, /^encrypted-chat-identity:[\w-]+\n$/);

    await typeClient(terminal, "--import --name ana");
    await terminal.ends("Exported identity:");
    await terminal.line(text.trim());
    await terminal.ends("Its passphrase:");
    await terminal.key("C-c");
    await terminal.sees((rows) =>
      rows.includes("Nothing was done: no passphrase was given.")
    );
    await terminal.ends("$"); // who still runs would read what is typed for the shell
    await typeClient(terminal, "--import --name ana");
    await terminal.ends("Exported identity:");
    await terminal.line(text.trim());
    await terminal.ends("Its passphrase:");
    await terminal.line("correct horse battery");
    await terminal.shows(/ is here now; join as "ana" by a link/);
  },
);

terminalTest(
  "client that is ended by a signal while it asks for a passphrase gives the terminal back",
  async () => {
    await using terminal = await Terminal.open(80);
    const seed = "A".repeat(43);
    await terminal.folder.write(
      "id",
      JSON.stringify({ version: 1, seed }),
    );
    await Deno.chmod(terminal.folder.file("id"), 0o600);
    await terminal.line("exec sh"); // which doesn't mend the terminal itself, as bash does
    const [pid = ""] = (await terminal.tmux("display", "-p", "#{pane_pid}"))
      .split("\n");
    for (const [signal, code] of [["TERM", 143], ["HUP", 129], ["QUIT", 131]]) {
      await typeClient(
        terminal,
        `--export --identity id; echo "code $?"`,
      );
      await terminal.ends("Passphrase for it, at least 8 characters:");
      Deno.kill(
        Number(await run("pgrep", "-P", pid)),
        `SIG${signal}` as Deno.Signal,
      );
      await terminal.ends(`code ${code}`, "$");
      await terminal.line("clear; stty -a | grep -oE -- '-?(icanon|echo) '");
      await terminal.ends("icanon", "echo", "$");
    }
  },
);
